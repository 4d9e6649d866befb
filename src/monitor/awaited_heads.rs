//! [`AwaitedHeads`]: the log level of a chain's heads not being known yet. Pure: time is an argument.
//!
//! After a start they are unknown for a moment: that is not a warning until it lasts.

use std::time::Duration;
use tokio::time::Instant;

/// How long the heads may be awaited before that is a warning.
const PATIENCE: Duration = Duration::from_secs(30);

/// How loudly something is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it comes with every start.
    Info,
    /// As something that an operator should check.
    Warn,
}

/// Since when a chain's heads are awaited.
#[derive(Debug, Default)]
pub(super) struct AwaitedHeads {
    since: Option<Instant>,
    is_warned: bool,
}

impl AwaitedHeads {
    /// They are not known now. `None`: that is reported already.
    pub(super) fn missing(&mut self, now: Instant) -> Option<Tone> {
        let Some(since) = self.since else {
            self.since = Some(now);
            return Some(Tone::Info);
        };
        let lasts = now.saturating_duration_since(since) > PATIENCE;
        (lasts && !std::mem::replace(&mut self.is_warned, lasts)).then_some(Tone::Warn)
    }

    /// They are known.
    pub(super) fn known(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// What is reported of heads that are missing at these seconds; 0 for those at which they are known.
    #[rstest]
    #[case::a_start(&[1, 2, 3], &[Some(Tone::Info), None, None])]
    #[case::as_long_as_may_be(&[1, 31], &[Some(Tone::Info), None])]
    #[case::it_lasts(&[1, 32, 33, 900], &[Some(Tone::Info), Some(Tone::Warn), None, None])]
    #[case::once_more(&[1, 32, 0, 40, 71], &[Some(Tone::Info), Some(Tone::Warn), Some(Tone::Info), Some(Tone::Warn)])]
    #[case::a_gap(&[1, 0, 32, 33], &[Some(Tone::Info), Some(Tone::Info), None])]
    #[tokio::test]
    async fn missing_heads_are_a_warning_once_they_last(
        #[case] seconds: &[u64],
        #[case] expected: &[Option<Tone>],
    ) {
        let (start, mut awaited, mut reported) = (Instant::now(), AwaitedHeads::default(), Vec::new());
        for second in seconds {
            if *second == 0 {
                awaited.known();
            } else {
                reported.push(awaited.missing(start + Duration::from_secs(*second)));
            }
        }
        assert_eq!(reported, expected);
    }
}
