//! [`StalledPeers`]: which peers take nothing of what is sent to them.
//!
//! A peer whose queue of outbound messages is full loses what comes next; one whose queue stays full does not read at
//! all, and costs memory for as long as it is connected. Pure: instants come in as arguments.

use libp2p::PeerId;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// A queue that overflows again and again for so long is not read from.
const STALLED_AFTER: Duration = Duration::from_secs(10);
/// Who has had no overflow for so long has caught up: there is a message each block time, a few seconds at most.
const CAUGHT_UP_AFTER: Duration = Duration::from_secs(30);

/// Overflows under way, of connected peers only.
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
    /// A peer's queue had no room. Whether the peer takes nothing any more.
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
    pub(in crate::network) fn gone(&mut self, peer_id: &PeerId) {
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
    fn a_peer_has_stalled(#[case] seconds: &[u64], #[case] expected: bool) {
        let (mut peers, start, peer_id) = (StalledPeers::default(), Instant::now(), PeerId::random());
        let mut told = false;
        for second in seconds {
            told = peers.overflowed(peer_id, start + Duration::from_secs(*second));
        }
        assert_eq!(told, expected);
    }

    #[test]
    fn who_comes_back_begins_again() {
        let (mut peers, start, peer_id) = (StalledPeers::default(), Instant::now(), PeerId::random());
        assert!(!peers.overflowed(peer_id, start));
        peers.gone(&peer_id);
        assert!(!peers.overflowed(peer_id, start + STALLED_AFTER));
        assert!(!peers.overflowed(PeerId::random(), start + STALLED_AFTER));
        assert!(peers.overflowed(peer_id, start + 2 * STALLED_AFTER));
    }
}
