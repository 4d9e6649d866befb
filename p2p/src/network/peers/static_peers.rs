//! [`StaticPeers`]: when to dial the peers that a node is to stay connected to.
//!
//! A pure schedule: instants come in as arguments. Delays grow from half a second to a few, whatever came
//! before: a peer that comes back is dialled within seconds, and a failed dial is cheap. Many peers are
//! dialled more seldom each, so that all of them together cost no more. The jitter is drawn from the two ids
//! and the count of failures: nodes that lost one peer together do not come back together.

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::{Duration, Instant},
};

const FIRST_DELAY: Duration = Duration::from_millis(500);
const LAST_DELAY: Duration = Duration::from_secs(4);
/// With many peers the last delay is this for each: no more dials a second, however many are away.
const DELAY_PER_PEER: Duration = Duration::from_millis(125);
/// A connection that lasted this long clears the count of failures.
const STABLE_AFTER: Duration = Duration::from_secs(10);
/// Beyond this many failures the delay is the last one.
const MAX_COUNTED_FAILURES: u32 = 16;

/// A static peer's address does not end in `/p2p/ID`, so that the peer could not be verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("static peer {addr} does not end in /p2p/<peer id>: add the peer's id")]
pub struct NoPeerIdError {
    /// The address.
    pub addr: Multiaddr,
}

/// The schedule.
#[derive(Debug)]
pub(in crate::network) struct StaticPeers {
    local: PeerId,
    peers: BTreeMap<PeerId, StaticPeer>,
}

#[derive(Debug)]
struct StaticPeer {
    addrs: Vec<Multiaddr>,
    failures: u32,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Waiting { until: Instant },
    Dialling,
    Connected { since: Instant },
}

impl StaticPeers {
    /// Every peer due at once. The node's own address, as a shared list may hold it, is left out.
    pub(in crate::network) fn new(
        local: PeerId,
        addrs: &[Multiaddr],
        now: Instant,
    ) -> Result<Self, NoPeerIdError> {
        let mut peers = BTreeMap::new();
        for addr in addrs {
            let Some(Protocol::P2p(id)) = addr.iter().last() else {
                return Err(NoPeerIdError { addr: addr.clone() });
            };
            if id != local {
                let state = State::Waiting { until: now };
                let peer = || StaticPeer { addrs: Vec::new(), failures: 0, state };
                peers.entry(id).or_insert_with(peer).addrs.push(addr.clone());
            }
        }
        Ok(Self { local, peers })
    }

    /// The peers.
    pub(in crate::network) fn ids(&self) -> impl Iterator<Item = &PeerId> {
        self.peers.keys()
    }

    /// When the next peer is due, if any waits.
    pub(in crate::network) fn next_due(&self) -> Option<Instant> {
        self.peers
            .values()
            .filter_map(|peer| match peer.state {
                State::Waiting { until } => Some(until),
                State::Dialling | State::Connected { .. } => None,
            })
            .min()
    }

    /// The peers that are due. They count as being dialled from now on.
    pub(in crate::network) fn take_due(&mut self, now: Instant) -> Vec<(PeerId, Vec<Multiaddr>)> {
        self.peers
            .iter_mut()
            .filter(|(_, peer)| matches!(peer.state, State::Waiting { until } if until <= now))
            .map(|(id, peer)| {
                peer.state = State::Dialling;
                (*id, peer.addrs.clone())
            })
            .collect()
    }

    /// A connection to the peer is established, whichever side dialled.
    pub(in crate::network) fn connected(&mut self, id: &PeerId, now: Instant) {
        if let Some(peer) = self.peers.get_mut(id) {
            peer.state = State::Connected { since: now };
        }
    }

    /// Dialling the peer failed, or the last connection to it closed: it waits, longer each time.
    pub(in crate::network) fn lost(&mut self, id: &PeerId, now: Instant) {
        let longest = longest_delay(self.peers.len());
        let Some(peer) = self.peers.get_mut(id) else { return };
        if let State::Connected { since } = peer.state
            && now.saturating_duration_since(since) >= STABLE_AFTER
        {
            peer.failures = 0;
        }
        let until = now.checked_add(delay(&self.local, id, peer.failures, longest)).unwrap_or(now);
        peer.failures = peer.failures.saturating_add(1);
        peer.state = State::Waiting { until };
    }
}

/// The longest delay with this many peers.
fn longest_delay(peers: usize) -> Duration {
    DELAY_PER_PEER.saturating_mul(u32::try_from(peers).unwrap_or(u32::MAX)).max(LAST_DELAY)
}

/// Half as long again after each failure, capped, then between three quarters and the whole of it.
fn delay(local: &PeerId, remote: &PeerId, failures: u32, longest: Duration) -> Duration {
    let factor = 1.5_f64.powi(i32::try_from(failures.min(MAX_COUNTED_FAILURES)).unwrap_or(i32::MAX));
    let whole = FIRST_DELAY.mul_f64(factor).min(longest);
    let mut hasher = DefaultHasher::new();
    (local, remote, failures).hash(&mut hasher);
    let [draw, ..] = hasher.finish().to_le_bytes();
    whole.mul_f64(0.75 + 0.25 * f64::from(draw) / 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(id: PeerId) -> Multiaddr {
        "/ip4/127.0.0.1/tcp/9222".parse::<Multiaddr>().unwrap().with(Protocol::P2p(id))
    }

    fn schedule() -> (StaticPeers, PeerId, Instant) {
        let (id, now) = (PeerId::random(), Instant::now());
        (StaticPeers::new(PeerId::random(), &[peer(id)], now).unwrap(), id, now)
    }

    #[test]
    fn a_static_peer_is_dialled_immediately_and_once() {
        let (mut peers, id, now) = schedule();
        assert_eq!(peers.take_due(now), vec![(id, vec![peer(id)])]);
        assert_eq!(peers.take_due(now), vec![]);
        assert_eq!(peers.next_due(), None);
    }

    #[test]
    fn delays_start_below_a_second_grow_and_stay_at_a_few() {
        let (mut peers, id, now) = schedule();
        let delays: Vec<_> = (0..40)
            .map(|_| {
                peers.lost(&id, now);
                peers.next_due().unwrap() - now
            })
            .collect();
        assert!(delays[0] < Duration::from_secs(1));
        assert!(delays.iter().all(|delay| *delay <= LAST_DELAY));
        assert!(delays[39] >= LAST_DELAY.mul_f64(0.75));
    }

    #[test]
    fn a_stable_connection_resets_the_failures_and_a_short_one_does_not() {
        let (mut peers, id, now) = schedule();
        (0..20).for_each(|_| peers.lost(&id, now));
        peers.connected(&id, now);
        let short = now + Duration::from_secs(1);
        peers.lost(&id, short);
        assert!(peers.next_due().unwrap() - short >= LAST_DELAY.mul_f64(0.75));
        peers.connected(&id, now);
        peers.lost(&id, now + STABLE_AFTER);
        assert!(peers.next_due().unwrap() - now < STABLE_AFTER + Duration::from_secs(1));
    }

    /// Dials until the peer, away for `away`, is reached; each dial that fails takes `dial`. Answers how late
    /// that is.
    fn reached_after(away: Duration, dial: Duration) -> Duration {
        let (mut peers, id, start) = schedule();
        assert_eq!(peers.take_due(start).len(), 1);
        peers.connected(&id, start);
        let lost = start + STABLE_AFTER;
        peers.lost(&id, lost);
        let back = lost + away;
        loop {
            let due = peers.next_due().unwrap();
            assert_eq!(peers.take_due(due).len(), 1);
            if due >= back {
                return due - back;
            }
            peers.lost(&id, due + dial);
        }
    }

    /// Seen on a test bed: 39 s late after 63 s away.
    #[test]
    fn a_peer_that_comes_back_is_dialled_within_seconds_however_long_it_was_away() {
        for away in (0..900).step_by(7).chain([63, 3_600, 86_400]).map(Duration::from_secs) {
            for dial in [1, 500, 1_000].map(Duration::from_millis) {
                let late = reached_after(away, dial);
                assert!(late <= Duration::from_secs(5), "{late:?} late after {away:?} away");
            }
        }
    }

    #[test]
    fn many_peers_that_are_away_are_dialled_no_more_often_than_a_few() {
        let (now, count) = (Instant::now(), 400);
        let addrs: Vec<_> = (0..count).map(|_| peer(PeerId::random())).collect();
        let mut peers = StaticPeers::new(PeerId::random(), &addrs, now).unwrap();
        let mut at = now;
        let mut dials = Vec::new();
        while at < now + Duration::from_secs(600) {
            for (id, _) in peers.take_due(at) {
                dials.push(at - now);
                peers.lost(&id, at);
            }
            at = peers.next_due().unwrap();
        }
        let late_dials = dials.iter().filter(|at| at.as_secs() >= 300).count();
        let most = 300.0 / (DELAY_PER_PEER.as_secs_f64() * 0.75);
        assert!(late_dials as f64 <= most * 1.1, "{late_dials} dials in 300 s");
    }

    #[test]
    fn addresses_of_one_peer_are_dialled_together_and_the_own_one_never() {
        let (local, id, now) = (PeerId::random(), PeerId::random(), Instant::now());
        let mut peers = StaticPeers::new(local, &[peer(id), peer(local), peer(id)], now).unwrap();
        assert_eq!(peers.take_due(now), vec![(id, vec![peer(id), peer(id)])]);
    }

    #[test]
    fn an_address_without_an_id_is_refused() {
        let addr: Multiaddr = "/ip4/127.0.0.1/tcp/9222".parse().unwrap();
        let error =
            StaticPeers::new(PeerId::random(), core::slice::from_ref(&addr), Instant::now()).unwrap_err();
        assert_eq!(error, NoPeerIdError { addr });
    }
}
