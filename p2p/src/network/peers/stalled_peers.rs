//! [`StalledPeers`]: which peers do not read what is sent to them.
//!
//! A peer whose queue of outbound messages is full loses what comes next; one whose queue stays full does not
//! read at all, and costs memory for as long as it is connected. Pure: instants come in as arguments.

use libp2p::PeerId;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// A peer whose queue overflows repeatedly for this long does not read.
const STALLED_AFTER: Duration = Duration::from_secs(10);
/// A peer without an overflow for this long has caught up: there is a message each block time, a few seconds
/// at most.
const CAUGHT_UP_AFTER: Duration = Duration::from_secs(30);

/// The current overflows, of connected peers only.
#[derive(Debug, Default)]
pub(in crate::network) struct StalledPeers {
    overflows: BTreeMap<PeerId, Overflow>,
}

#[derive(Debug, Clone, Copy)]
struct Overflow {
    first: Instant,
    last: Instant,
}

impl StalledPeers {
    /// A peer's queue was full. Whether the peer has stalled.
    pub(in crate::network) fn overflowed(&mut self, peer_id: PeerId, now: Instant) -> bool {
        let fresh = Overflow { first: now, last: now };
        let overflow = self.overflows.entry(peer_id).or_insert(fresh);
        if now.saturating_duration_since(overflow.last) >= CAUGHT_UP_AFTER {
            *overflow = fresh;
        }
        overflow.last = now;
        now.saturating_duration_since(overflow.first) >= STALLED_AFTER
    }

    /// A peer is no longer connected.
    pub(in crate::network) fn disconnected(&mut self, peer_id: &PeerId) {
        self.overflows.remove(peer_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// Seconds at which the queue overflows; at the last of them the peer has stalled, or not.
    #[rstest]
    #[case::once(&[0], false)]
    #[case::a_burst(&[0, 1, 2, 9], false)]
    #[case::again_and_again(&[0, 5, 10], true)]
    #[case::at_every_block_of_a_slow_chain(&[0, 12], true)]
    #[case::one_burst_after_another(&[0, 5, 35, 40], false)]
    #[case::a_burst_and_a_stall(&[0, 5, 35, 40, 45], true)]
    fn a_peer_whose_queue_keeps_overflowing_has_stalled(#[case] seconds: &[u64], #[case] expected: bool) {
        let (mut peers, start, peer_id) = (StalledPeers::default(), Instant::now(), PeerId::random());
        let mut is_stalled = false;
        for second in seconds {
            is_stalled = peers.overflowed(peer_id, start + Duration::from_secs(*second));
        }
        assert_eq!(is_stalled, expected);
    }

    #[test]
    fn a_reconnected_peer_starts_without_an_overflow() {
        let (mut peers, start, peer_id) = (StalledPeers::default(), Instant::now(), PeerId::random());
        assert!(!peers.overflowed(peer_id, start));
        peers.disconnected(&peer_id);
        assert!(!peers.overflowed(peer_id, start + STALLED_AFTER));
        assert!(!peers.overflowed(PeerId::random(), start + STALLED_AFTER));
        assert!(peers.overflowed(peer_id, start + 2 * STALLED_AFTER));
    }
}
