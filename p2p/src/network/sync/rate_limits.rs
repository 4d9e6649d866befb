//! [`RateLimits`]: how many requests are answered, of one peer and of all: op-node's numbers.
//!
//! Token buckets; pure, instants are arguments. A request that is ahead of its time waits for it rather than
//! being turned away, as far as that is not long: clients count a refusal against the server.

use libp2p::PeerId;
use lru::LruCache;
use std::{
    num::NonZeroUsize,
    time::{Duration, Instant},
};

const GLOBAL: Rate = Rate { per_second: 20.0, burst: 40.0 };
const PER_PEER: Rate = Rate { per_second: 4.0, burst: 15.0 };
/// Beyond this a request is refused.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// Peers whose buckets are remembered, the last to ask. More than may be connected.
const MAX_PEERS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1_023);

/// How fast a bucket fills, and up to where.
#[derive(Clone, Copy, Debug)]
struct Rate {
    per_second: f64,
    burst: f64,
}

/// What is left in a bucket; below zero, what has been promised.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    const fn full(rate: Rate, now: Instant) -> Self {
        Self { tokens: rate.burst, at: now }
    }

    /// The bucket after one more request, and how long that has to wait.
    fn taken(self, rate: Rate, now: Instant) -> (Self, Duration) {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * rate.per_second;
        let tokens = (self.tokens + gained).min(rate.burst) - 1.0;
        let wait = Duration::from_secs_f64((-tokens / rate.per_second).max(0.0));
        (Self { tokens, at: now.max(self.at) }, wait)
    }
}

/// The buckets.
#[derive(Debug)]
pub(in crate::network) struct RateLimits {
    global: Bucket,
    peers: LruCache<PeerId, Bucket>,
}

impl RateLimits {
    /// Full buckets.
    pub(in crate::network) fn new(now: Instant) -> Self {
        Self { global: Bucket::full(GLOBAL, now), peers: LruCache::new(MAX_PEERS) }
    }

    /// How long a peer's request waits. `None`: too long, and it costs nothing.
    pub(in crate::network) fn admit(&mut self, peer_id: PeerId, now: Instant) -> Option<Duration> {
        let peer = self.peers.get(&peer_id).copied().unwrap_or(Bucket::full(PER_PEER, now));
        let (peer, peer_wait) = peer.taken(PER_PEER, now);
        let (global, global_wait) = self.global.taken(GLOBAL, now);
        let wait = peer_wait.max(global_wait);
        if wait > MAX_WAIT {
            return None;
        }
        self.global = global;
        self.peers.put(peer_id, peer);
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_peer_may_send_a_burst_then_waits_then_is_refused() {
        let (peer_id, now) = (PeerId::random(), Instant::now());
        let mut limits = RateLimits::new(now);
        let waits: Vec<_> = (0..40).map(|_| limits.admit(peer_id, now)).collect();
        assert!(waits[..15].iter().all(|wait| *wait == Some(Duration::ZERO)));
        assert_eq!(waits[15], Some(Duration::from_millis(250)));
        assert_eq!(waits[34], Some(Duration::from_secs(5)));
        assert_eq!(waits[35..], [None; 5]);
        assert_eq!(limits.admit(peer_id, now + Duration::from_millis(250)), Some(Duration::from_secs(5)));
    }

    #[test]
    fn one_peer_does_not_delay_others() {
        let now = Instant::now();
        let (mut limits, greedy) = (RateLimits::new(now), PeerId::random());
        (0..1_000).for_each(|_| _ = limits.admit(greedy, now));
        assert_eq!(limits.admit(PeerId::random(), now), Some(Duration::ZERO));
    }

    #[test]
    fn all_peers_together_have_a_limit() {
        let now = Instant::now();
        let mut limits = RateLimits::new(now);
        let at_once =
            (0..1_000).filter(|_| limits.admit(PeerId::random(), now) == Some(Duration::ZERO)).count();
        assert_eq!(at_once, 40);
    }

    proptest! {
        /// However requests come, no more are admitted for a time than the burst and the rate allow.
        #[test]
        fn no_more_requests_are_admitted_than_the_rate_allows(pauses in proptest::collection::vec(0..400_u64, 1..300)) {
            let start = Instant::now();
            let (mut limits, peer_id) = (RateLimits::new(start), PeerId::random());
            let (mut now, mut times) = (start, Vec::new());
            for pause in pauses {
                now += Duration::from_millis(pause);
                times.extend(limits.admit(peer_id, now).map(|wait| now + wait));
            }
            for (index, time) in times.iter().enumerate() {
                let allowed = 15.0 + (*time - start).as_secs_f64() * 4.0;
                prop_assert!(index as f64 <= allowed + 1e-6, "{index} by {allowed}");
            }
        }
    }
}
