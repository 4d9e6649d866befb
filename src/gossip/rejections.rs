//! [`Rejections`]: logs rejected attestations, one a minute. Pure: the time is an argument.
//!
//! Anyone can send some, so their number must not fill the log: those that are not logged are counted with
//! the next one.

use std::time::Duration;
use tokio::time::Instant;

/// At most one line in this time.
const EVERY: Duration = Duration::from_secs(60);

/// When a rejected attestation was last named, and how many were not since.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rejections {
    named: Option<Instant>,
    unnamed: u64,
}

impl Rejections {
    /// One more. `Some`: it is to be named, with how many were not since the last that was.
    pub(super) fn note(&mut self, now: Instant) -> Option<u64> {
        if self.named.is_some_and(|named| now.saturating_duration_since(named) < EVERY) {
            self.unnamed = self.unnamed.saturating_add(1);
            return None;
        }
        self.named = Some(now);
        Some(core::mem::take(&mut self.unnamed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rejection_is_logged_and_then_one_a_minute() {
        let (mut rejections, start) = (Rejections::default(), Instant::now());
        let mut note = |seconds| rejections.note(start + Duration::from_secs(seconds));
        assert_eq!(note(0), Some(0));
        assert_eq!([note(0), note(30), note(59)], [None; 3]);
        assert_eq!(note(60), Some(3));
        assert_eq!(note(61), None);
        assert_eq!(note(1_000), Some(1));
    }
}
