//! [`Outlook`]: since when a rollup node's status lacks something, and whether that is to be reported. Pure:
//! time is an argument.

use crate::sources::Shortfall;
use std::time::Duration;
use tokio::time::Instant;

/// How long a node may not see L1 before that is reported: a node that resets, as after a reorg of L1, names
/// no L1 block for a moment.
const L1_PATIENCE: Duration = Duration::from_secs(3);

/// How long another node of the list may be behind before that is reported: one that follows the chain needs
/// a few blocks' time to reach the height of the first one.
const LAG_PATIENCE: Duration = Duration::from_secs(10);

/// Since when a node lacks what may be lacking for a moment.
#[derive(Debug, Default)]
pub(super) struct Outlook {
    since: Option<(Duration, Instant)>,
}

impl Outlook {
    /// What of this is to be reported. A node without heads is reported at once: nothing can be done with it.
    pub(super) fn check(&mut self, lacking: Option<Shortfall>, now: Instant) -> Option<Shortfall> {
        let patience = match lacking {
            None => {
                self.since = None;
                return None;
            }
            Some(Shortfall::L1(_)) => L1_PATIENCE,
            Some(Shortfall::Behind) => LAG_PATIENCE,
            Some(Shortfall::NoHeads | Shortfall::NoLocalSafe) => Duration::ZERO,
        };
        let since = self.since.filter(|(of, _)| *of == patience).map_or(now, |(_, since)| since);
        self.since = Some((patience, since));
        lacking.filter(|_| now.saturating_duration_since(since) >= patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::UnseenL1;

    const BLIND: Option<Shortfall> = Some(Shortfall::L1(UnseenL1::Heads));

    #[test]
    fn a_node_without_heads_is_reported_at_once() {
        let mut outlook = Outlook::default();
        let now = Instant::now();
        assert_eq!(outlook.check(Some(Shortfall::NoHeads), now), Some(Shortfall::NoHeads));
        assert_eq!(outlook.check(None, now), None);
    }

    #[test]
    fn a_node_that_has_lost_l1_is_reported_after_a_delay() {
        let mut outlook = Outlook::default();
        let start = Instant::now();
        let after = |millis: u64| start + Duration::from_millis(millis);
        assert_eq!(outlook.check(BLIND, start), None);
        assert_eq!(outlook.check(BLIND, after(2_999)), None);
        assert_eq!(outlook.check(BLIND, after(3_000)), BLIND);
        assert_eq!(outlook.check(None, after(3_100)), None);
        assert_eq!(outlook.check(BLIND, after(4_000)), None, "it has seen L1 since");
    }

    #[test]
    fn another_node_that_is_behind_is_reported_when_it_does_not_catch_up() {
        let mut outlook = Outlook::default();
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(outlook.check(BLIND, start), None);
        assert_eq!(outlook.check(Some(Shortfall::Behind), after(5)), None);
        assert_eq!(outlook.check(Some(Shortfall::Behind), after(14)), None);
        assert_eq!(outlook.check(Some(Shortfall::Behind), after(15)), Some(Shortfall::Behind));
    }
}
