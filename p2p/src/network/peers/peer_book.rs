//! [`PeerBook`]: which peers are connected, which are known, and which to dial next.
//!
//! Pure: the time is an argument. Everything that a peer says of itself is bounded in number and length. An
//! address that a connected peer claims is only stored if its IP address is that of its connection. A node
//! record may name any address that [`DiscoveredNode`] accepts: a dial fails unless the peer with the
//! record's key answers there.

use crate::{
    UnixSeconds,
    network::{
        discovery::{DiscoveredNode, NodeRecord},
        gating::ip_of,
    },
};
use libp2p::{Multiaddr, PeerId, identify, multiaddr::Protocol};
use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

/// How many peers are remembered. One more takes the place of the one that was not seen for longest.
const MAX_KNOWN: usize = 2_048;
/// Addresses of one peer, the newest first.
const MAX_ADDRS: usize = 8;
/// How many node records discovery starts with.
const MAX_START_RECORDS: usize = 256;
const MAX_PROTOCOLS: usize = 64;
const MAX_TEXT: usize = 128;
/// A peer that was not seen for so long is forgotten, seconds.
const TTL: u64 = 24 * 60 * 60;
/// How long a peer that was not reached is left alone: this, doubled each time.
const FIRST_RETRY: u64 = 60;
const MAX_RETRY: u64 = 60 * 60;

/// Who opened a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The peer opened it.
    Inbound,
    /// This node opened it.
    Outbound,
}

/// What is remembered of a peer. It is forgotten a day after it was last seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownPeer {
    /// The addresses at which it can be dialled, without its id, the latest first; 8 at most.
    pub addrs: Vec<Multiaddr>,
    /// Its agent string, truncated to 128 characters. `None`: it has not identified itself.
    pub agent: Option<String>,
    /// Its protocol version, truncated to 128 characters.
    pub protocol_version: Option<String>,
    /// The protocols that it supports, 64 at most.
    pub protocols: Vec<String>,
    /// Its node record as text (`enr:…`). `None`: discovery has not found it.
    pub enr: Option<String>,
    /// The chain id in its record.
    pub chain_id: Option<u64>,
    /// Whether its record names it as a subscriber of the cross-safe topic.
    pub is_cross_safe: bool,
    /// When it was last connected, or found by discovery.
    pub last_seen: UnixSeconds,
    /// How many dials have failed since it was last connected.
    pub failures: u32,
    /// When it is dialled again at the earliest.
    pub next_dial: UnixSeconds,
}

/// The first connection of a connected peer.
#[derive(Clone, Debug)]
pub(in crate::network) struct LiveConnection {
    pub(in crate::network) addr: Multiaddr,
    pub(in crate::network) direction: Direction,
    pub(in crate::network) latency: Option<Duration>,
}

/// The book.
#[derive(Debug, Default)]
pub(in crate::network) struct PeerBook {
    known: BTreeMap<PeerId, KnownPeer>,
    live: BTreeMap<PeerId, LiveConnection>,
}

impl PeerBook {
    /// A book with the peers of an earlier run: as many as it has room for, those seen last.
    pub(in crate::network) fn new(known: BTreeMap<PeerId, KnownPeer>, now: UnixSeconds) -> Self {
        let mut known: Vec<_> = known.into_iter().collect();
        // A time in the future means that the clock was set back, or that the file is wrong.
        known.iter_mut().for_each(|(_, peer)| peer.last_seen = peer.last_seen.min(now));
        known.sort_by_key(|(_, peer)| Reverse(peer.last_seen));
        known.truncate(MAX_KNOWN);
        let mut book = Self { known: known.into_iter().collect(), live: BTreeMap::new() };
        book.forget(now);
        book
    }

    /// The known peers.
    pub(in crate::network) const fn known(&self) -> &BTreeMap<PeerId, KnownPeer> {
        &self.known
    }

    /// The connected peers.
    pub(in crate::network) const fn live(&self) -> &BTreeMap<PeerId, LiveConnection> {
        &self.live
    }

    /// Where a peer can be dialled besides these addresses.
    pub(in crate::network) fn addrs_besides(&self, peer_id: &PeerId, addrs: &[Multiaddr]) -> Vec<Multiaddr> {
        let known = self.known.get(peer_id).map(|peer| peer.addrs.as_slice()).unwrap_or_default();
        let is_new = |addr: &&Multiaddr| addrs.iter().all(|other| without_id(other) != **addr);
        known.iter().filter(is_new).cloned().collect()
    }

    /// A peer connected.
    pub(in crate::network) fn connected(
        &mut self,
        peer_id: PeerId,
        addr: Multiaddr,
        direction: Direction,
        now: UnixSeconds,
    ) {
        let peer = self.entry(peer_id, now);
        peer.failures = 0;
        peer.next_dial = UnixSeconds(0);
        if direction == Direction::Outbound {
            remember_addr(&mut peer.addrs, without_id(&addr));
        }
        self.live.insert(peer_id, LiveConnection { addr, direction, latency: None });
    }

    /// The last connection to a peer closed.
    pub(in crate::network) fn disconnected(&mut self, peer_id: &PeerId, now: UnixSeconds) {
        if self.live.remove(peer_id).is_some() {
            let peer = self.entry(*peer_id, now);
            peer.next_dial = UnixSeconds(now.0.saturating_add(FIRST_RETRY));
        }
    }

    /// A peer identified itself.
    pub(in crate::network) fn identified(
        &mut self,
        peer_id: PeerId,
        info: &identify::Info,
        now: UnixSeconds,
    ) {
        let Some(remote) = self.live.get(&peer_id).and_then(|live| ip_of(&live.addr)) else { return };
        let peer = self.entry(peer_id, now);
        peer.agent = Some(truncate_text(&info.agent_version));
        peer.protocol_version = Some(truncate_text(&info.protocol_version));
        peer.protocols = info
            .protocols
            .iter()
            .take(MAX_PROTOCOLS)
            .map(|protocol| truncate_text(protocol.as_ref()))
            .collect();
        let believed = info.listen_addrs.iter().filter(|addr| ip_of(addr) == Some(remote));
        believed.take(MAX_ADDRS).for_each(|addr| remember_addr(&mut peer.addrs, without_id(addr)));
    }

    /// A peer answered a ping.
    pub(in crate::network) fn pinged(&mut self, peer_id: &PeerId, round_trip: Duration) {
        if let Some(live) = self.live.get_mut(peer_id) {
            live.latency = Some(round_trip);
        }
    }

    /// Discovery found a peer.
    pub(in crate::network) fn discovered(&mut self, found: DiscoveredNode, now: UnixSeconds) {
        let peer = self.entry(found.peer_id, now);
        remember_addr(&mut peer.addrs, found.addr);
        peer.enr = Some(found.record);
        peer.chain_id = Some(found.chain_id);
        peer.is_cross_safe = found.is_cross_safe;
    }

    /// Up to `count` peers to dial, the most promising first (reached before, then subscribers of the
    /// cross-safe topic, then the last seen): they count as dialled. `admits` says who may be, and
    /// where.
    pub(in crate::network) fn take_dial_candidates(
        &mut self,
        count: usize,
        now: UnixSeconds,
        admits: impl Fn(&PeerId, &Multiaddr) -> bool,
    ) -> Vec<(PeerId, Vec<Multiaddr>)> {
        self.forget(now);
        let mut candidates: Vec<_> = self
            .known
            .iter()
            .filter(|(peer_id, peer)| peer.next_dial <= now && !self.live.contains_key(peer_id))
            .filter_map(|(peer_id, peer)| {
                let addrs: Vec<_> = peer.addrs.iter().filter(|addr| admits(peer_id, addr)).cloned().collect();
                let rank = (peer.failures, Reverse(peer.is_cross_safe), Reverse(peer.last_seen));
                (!addrs.is_empty()).then_some((rank, *peer_id, addrs))
            })
            .collect();
        candidates.sort_by_key(|(rank, ..)| *rank);
        candidates.truncate(count);
        let chosen: Vec<_> = candidates.into_iter().map(|(_, peer_id, addrs)| (peer_id, addrs)).collect();
        chosen.iter().for_each(|(peer_id, _)| self.back_off(peer_id, now));
        chosen
    }

    /// A dial begins: the peer is not dialled again for a while. A connection clears this.
    fn back_off(&mut self, peer_id: &PeerId, now: UnixSeconds) {
        if let Some(peer) = self.known.get_mut(peer_id) {
            let wait = FIRST_RETRY.saturating_mul(1 << peer.failures.min(6)).min(MAX_RETRY);
            peer.next_dial = UnixSeconds(now.0.saturating_add(wait));
            peer.failures = peer.failures.saturating_add(1);
        }
    }

    fn entry(&mut self, peer_id: PeerId, now: UnixSeconds) -> &mut KnownPeer {
        if self.known.len() >= MAX_KNOWN && !self.known.contains_key(&peer_id) {
            let idle = self.known.iter().filter(|(peer_id, _)| !self.live.contains_key(peer_id));
            let oldest = idle.min_by_key(|(_, peer)| peer.last_seen).map(|(peer_id, _)| *peer_id);
            oldest.map(|peer_id| self.known.remove(&peer_id));
        }
        let peer = self.known.entry(peer_id).or_default();
        peer.last_seen = peer.last_seen.max(now);
        peer
    }

    fn forget(&mut self, now: UnixSeconds) {
        let live = &self.live;
        self.known.retain(|peer_id, peer| {
            live.contains_key(peer_id) || peer.last_seen.0.saturating_add(TTL) > now.0
        });
    }
}

/// The node records of the peers that were seen last: what discovery starts with besides the bootnodes.
pub(in crate::network) fn node_records(known: &BTreeMap<PeerId, KnownPeer>) -> Vec<NodeRecord> {
    let mut peers: Vec<_> = known.values().filter(|peer| peer.enr.is_some()).collect();
    peers.sort_by_key(|peer| Reverse(peer.last_seen));
    let records = peers.into_iter().filter_map(|peer| peer.enr.as_ref()?.parse().ok());
    records.take(MAX_START_RECORDS).collect()
}

/// A text that a peer sent, truncated to what is stored of it.
pub(in crate::network) fn truncate_text(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

fn remember_addr(addrs: &mut Vec<Multiaddr>, addr: Multiaddr) {
    addrs.retain(|known| *known != addr);
    addrs.insert(0, addr);
    addrs.truncate(MAX_ADDRS);
}

/// The address without the id at its end.
fn without_id(addr: &Multiaddr) -> Multiaddr {
    addr.iter().filter(|protocol| !matches!(protocol, Protocol::P2p(_))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::{StreamProtocol, identity::Keypair};

    const NOW: UnixSeconds = UnixSeconds(1_000_000);

    fn later(seconds: u64) -> UnixSeconds {
        UnixSeconds(NOW.0 + seconds)
    }

    fn addr(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn learnt_addresses_are_dialled_beside_the_configured_ones() {
        let mut book = PeerBook::default();
        let peer_id = heard_of(&mut book, NOW);
        let (learnt, stale) = (addr("/ip4/10.0.0.1/tcp/9222"), addr("/ip4/10.0.0.9/tcp/9222"));
        let configured = |addr: &Multiaddr| addr.clone().with(Protocol::P2p(peer_id));
        assert_eq!(book.addrs_besides(&peer_id, &[configured(&learnt)]), [] as [Multiaddr; 0]);
        assert_eq!(book.addrs_besides(&peer_id, &[configured(&stale)]), [learnt]);
        assert_eq!(book.addrs_besides(&PeerId::random(), &[]), [] as [Multiaddr; 0]);
    }

    fn heard_of(book: &mut PeerBook, at: UnixSeconds) -> PeerId {
        let peer_id = PeerId::random();
        book.discovered(found(peer_id, false), at);
        peer_id
    }

    fn found(peer_id: PeerId, is_cross_safe: bool) -> DiscoveredNode {
        let addr = addr("/ip4/10.0.0.1/tcp/9222");
        DiscoveredNode { peer_id, addr, chain_id: 901, is_cross_safe, record: "enr:-x".to_owned() }
    }

    fn candidates(book: &mut PeerBook, now: UnixSeconds) -> Vec<PeerId> {
        book.take_dial_candidates(10, now, |_, _| true).into_iter().map(|(peer_id, _)| peer_id).collect()
    }

    fn info(listen: &[&str]) -> identify::Info {
        identify::Info {
            public_key: Keypair::generate_ed25519().public(),
            protocol_version: "v".repeat(10_000),
            agent_version: "é".repeat(10_000),
            listen_addrs: listen.iter().map(|text| addr(text)).collect(),
            protocols: (0..1_000)
                .map(|n| StreamProtocol::try_from_owned(format!("/p/{n}")).unwrap())
                .collect(),
            observed_addr: Multiaddr::empty(),
            signed_peer_record: None,
        }
    }

    #[test]
    fn a_peer_is_dialled_once_and_again_after_ever_longer_pauses() {
        let mut book = PeerBook::default();
        let peer_id = heard_of(&mut book, NOW);
        assert_eq!(candidates(&mut book, NOW), vec![peer_id]);
        assert_eq!(candidates(&mut book, later(59)), vec![]);
        assert_eq!(candidates(&mut book, later(60)), vec![peer_id]);
        assert_eq!(candidates(&mut book, later(179)), vec![]);
        assert_eq!(candidates(&mut book, later(180)), vec![peer_id]);
    }

    #[test]
    fn connected_peers_are_not_candidates_and_those_without_failures_come_first() {
        let mut book = PeerBook::default();
        let (tried, fresh, live) =
            (heard_of(&mut book, NOW), heard_of(&mut book, NOW), heard_of(&mut book, NOW));
        book.back_off(&tried, NOW);
        book.connected(live, addr("/ip4/10.0.0.1/tcp/9222"), Direction::Outbound, NOW);
        assert_eq!(candidates(&mut book, later(60)), vec![fresh, tried]);
        book.disconnected(&live, later(60));
        assert_eq!(candidates(&mut book, later(119)), vec![]);
        assert!(candidates(&mut book, later(120)).contains(&live));
    }

    #[test]
    fn subscribers_of_the_cross_safe_topic_come_before_later_others() {
        let (mut book, cross_safe) = (PeerBook::default(), PeerId::random());
        book.discovered(found(cross_safe, true), NOW);
        let other = heard_of(&mut book, later(1));
        assert_eq!(candidates(&mut book, later(2)), vec![cross_safe, other]);
    }

    #[test]
    fn a_peer_that_may_not_be_dialled_is_not_a_candidate() {
        let mut book = PeerBook::default();
        heard_of(&mut book, NOW);
        assert_eq!(book.take_dial_candidates(10, NOW, |_, _| false), vec![]);
        assert_eq!(candidates(&mut book, NOW).len(), 1);
    }

    #[test]
    fn claims_are_truncated_and_addresses_of_third_parties_are_not_stored() {
        let (mut book, peer_id) = (PeerBook::default(), PeerId::random());
        book.connected(peer_id, addr("/ip4/10.0.0.1/tcp/50000"), Direction::Inbound, NOW);
        let listen = ["/ip4/10.0.0.1/tcp/9222", "/ip4/203.0.113.9/tcp/80", "/dns4/victim.example/tcp/80"];
        book.identified(peer_id, &info(&listen), NOW);
        let peer = &book.known()[&peer_id];
        assert_eq!(peer.addrs, vec![addr("/ip4/10.0.0.1/tcp/9222")]);
        assert_eq!(peer.agent.as_ref().unwrap().chars().count(), MAX_TEXT);
        assert_eq!((peer.protocol_version.as_ref().unwrap().len(), peer.protocols.len()), (128, 64));
    }

    #[test]
    fn the_book_is_bounded_and_keeps_connected_peers() {
        let (mut book, live) = (PeerBook::default(), PeerId::random());
        book.connected(live, addr("/ip4/10.0.0.1/tcp/9222"), Direction::Outbound, UnixSeconds(1));
        (0..MAX_KNOWN as u64 + 10).for_each(|n| _ = heard_of(&mut book, later(n)));
        assert_eq!(book.known().len(), MAX_KNOWN);
        assert!(book.known().contains_key(&live));
    }

    #[test]
    fn the_peers_seen_last_are_kept_and_future_times_are_clamped() {
        let known = |last_seen| (PeerId::random(), KnownPeer { last_seen, ..KnownPeer::default() });
        let mut before: BTreeMap<_, _> = (1..=MAX_KNOWN as u64 + 9).map(|n| known(later(n))).collect();
        let (oldest, _) = before.iter().min_by_key(|(_, peer)| peer.last_seen).unwrap();
        let oldest = *oldest;
        let (future, peer) = known(UnixSeconds(u64::MAX));
        before.insert(future, peer);
        let now = later(MAX_KNOWN as u64 + 9);
        let book = PeerBook::new(before, now);
        assert_eq!((book.known().len(), book.known().contains_key(&oldest)), (MAX_KNOWN, false));
        assert_eq!(book.known()[&future].last_seen, now);
    }

    #[test]
    fn a_peer_not_seen_for_a_day_is_forgotten() {
        let mut book = PeerBook::default();
        heard_of(&mut book, NOW);
        assert_eq!(candidates(&mut book, later(TTL)), vec![]);
        assert!(book.known().is_empty());
    }
}
