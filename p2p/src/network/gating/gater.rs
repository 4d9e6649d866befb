//! [`Gater`]: which connections are accepted, and which peers to disconnect.
//!
//! A pure state machine: time and scores are arguments, refusals and farewells are values.

use super::{
    Gated, GaterRules, Gates, GatesFull,
    gates::{block, ip_of},
};
use crate::UnixSeconds;
use libp2p::{Multiaddr, PeerId, core::Endpoint, swarm::ConnectionId};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv6Addr},
};

/// The gater of one chain's network.
#[derive(Debug)]
pub(in crate::network) struct Gater {
    rules: GaterRules,
    gates: Gates,
    /// Static and trusted peers: never pruned, never banned, not counted against the caps.
    exempt: BTreeSet<PeerId>,
    /// Peers that the operator asked to keep; treated alike.
    protected: BTreeSet<PeerId>,
    /// Each with whom it counts against.
    pending_in: BTreeMap<ConnectionId, Option<IpAddr>>,
    pending_out: BTreeSet<ConnectionId>,
    peers: BTreeMap<PeerId, Connected>,
    /// Connections that their peers no longer know of, to be closed.
    stale: BTreeSet<(PeerId, ConnectionId)>,
    banned: u64,
}

/// A connected peer.
#[derive(Debug)]
struct Connected {
    since: UnixSeconds,
    connections: BTreeMap<ConnectionId, Connection>,
}

/// A connection that stands.
#[derive(Clone, Copy, Debug)]
struct Connection {
    addr: Option<IpAddr>,
    opened_by: Endpoint,
}

/// What a peer is worth, as the gater is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::network) struct PeerWorth {
    /// Its score.
    pub(in crate::network) score: f64,
    /// Whether it is subscribed to any of our topics.
    pub(in crate::network) is_subscribed: bool,
}

impl Gater {
    /// A gater that knows no connection yet.
    pub(in crate::network) fn new(rules: GaterRules, gates: Gates, exempt: BTreeSet<PeerId>) -> Self {
        Self {
            rules,
            gates,
            exempt,
            protected: BTreeSet::new(),
            pending_in: BTreeMap::new(),
            pending_out: BTreeSet::new(),
            peers: BTreeMap::new(),
            stale: BTreeSet::new(),
            banned: 0,
        }
    }

    /// A peer that scores less is banned.
    pub(in crate::network) const fn ban_below(&self) -> f64 {
        self.rules.ban_below
    }

    /// What is shut out.
    pub(in crate::network) const fn gates(&self) -> &Gates {
        &self.gates
    }

    /// What is shut out, to be changed. Connections that stand are checked by the next [`Self::survey`].
    pub(in crate::network) const fn gates_mut(&mut self) -> &mut Gates {
        &mut self.gates
    }

    /// Keeps a peer from being pruned or banned, or no longer. A ban that stands ends.
    ///
    /// # Errors
    /// [`GatesFull`]: too many are protected.
    pub(in crate::network) fn protect(&mut self, peer_id: PeerId, protected: bool) -> Result<(), GatesFull> {
        if !protected {
            self.protected.remove(&peer_id);
            return Ok(());
        }
        block(&mut self.protected, peer_id)?;
        self.gates.bans.remove(&peer_id);
        Ok(())
    }

    /// Whether the peer is neither pruned nor banned.
    pub(in crate::network) fn is_exempt(&self, peer_id: &PeerId) -> bool {
        self.exempt.contains(peer_id) || self.protected.contains(peer_id)
    }

    /// How many peers have been banned for their score.
    pub(in crate::network) const fn banned(&self) -> u64 {
        self.banned
    }

    /// Whether the node should look for more peers. Who has had its grace and is subscribed to nothing of ours counts
    /// for none: otherwise a few strangers who say nothing would end the search.
    pub(in crate::network) fn wants_peers(
        &self,
        now: UnixSeconds,
        is_subscribed: impl Fn(&PeerId) -> bool,
    ) -> bool {
        let counts =
            |(peer_id, peer): &(&PeerId, &Connected)| !self.is_settled(peer, now) || is_subscribed(peer_id);
        self.peers.iter().filter(counts).count() < self.rules.low_tide
    }

    /// A handshake is to begin, inbound.
    pub(super) fn accept(&mut self, connection: ConnectionId, remote: &Multiaddr) -> Result<(), Gated> {
        self.gates.check_multiaddr(remote)?;
        room(self.pending_in.len(), self.rules.max_pending)?;
        let host = ip_of(remote).and_then(host_of);
        let of_host = || self.pending_in.values().filter(|other| **other == host).count();
        if let Some(addr) = host
            && of_host() >= self.rules.max_pending_per_host
        {
            return Err(Gated::PendingOfHost {
                addr,
                pending: of_host(),
                limit: self.rules.max_pending_per_host,
            });
        }
        self.pending_in.insert(connection, host);
        Ok(())
    }

    /// A dial is to begin. An address that is a name is checked again once it is resolved.
    pub(super) fn dial(
        &mut self,
        connection: ConnectionId,
        peer_id: Option<PeerId>,
        addrs: &[Multiaddr],
        now: UnixSeconds,
    ) -> Result<(), Gated> {
        if let Some(peer_id) = peer_id {
            self.check_peer(peer_id, now)?;
        }
        addrs.iter().try_for_each(|addr| self.gates.check_multiaddr(addr))?;
        if !peer_id.is_some_and(|peer_id| self.is_exempt(&peer_id)) {
            room(self.pending_out.len(), self.rules.max_pending)?;
        }
        self.pending_out.insert(connection);
        Ok(())
    }

    /// A handshake ended well: `remote` is who it says it is. A peer has one connection of each direction, since two
    /// may dial each other at once. One that opens another has lost the first, and we have not noticed: gossipsub would
    /// go on with the first alone, and tell nothing on the second.
    pub(super) fn establish(
        &mut self,
        connection: ConnectionId,
        peer_id: PeerId,
        (remote, opened_by): (&Multiaddr, Endpoint),
        now: UnixSeconds,
    ) -> Result<(), Gated> {
        self.settle(connection);
        self.gates.check_multiaddr(remote)?;
        self.check_peer(peer_id, now)?;
        let held = self.peers.get(&peer_id).into_iter().flat_map(|peer| &peer.connections);
        let stale: Vec<_> = held.filter(|(_, held)| held.opened_by == opened_by).map(|(id, _)| *id).collect();
        if !stale.is_empty() {
            self.stale.extend(stale.into_iter().map(|id| (peer_id, id)));
            return Err(Gated::Reconnecting { peer_id });
        }
        if self.is_exempt(&peer_id) {
            return Ok(());
        }
        let (connections, limit) = (self.connections(|_| true), self.rules.max_connections);
        if connections >= limit {
            return Err(Gated::Connections { connections, limit });
        }
        let is_inbound = |connection: &Connection| connection.opened_by == Endpoint::Listener;
        let (connections, limit) = (self.connections(is_inbound), self.rules.max_inbound);
        if opened_by == Endpoint::Listener && connections >= limit {
            return Err(Gated::Inbound { connections, limit });
        }
        Ok(())
    }

    /// Takes a connection that is to be closed, if there is one.
    pub(super) fn take_stale(&mut self) -> Option<(PeerId, ConnectionId)> {
        self.stale.pop_first()
    }

    /// A handshake ended, however.
    pub(super) fn settle(&mut self, connection: ConnectionId) {
        self.pending_in.remove(&connection);
        self.pending_out.remove(&connection);
    }

    /// A connection stands.
    pub(super) fn connected(
        &mut self,
        connection: ConnectionId,
        peer_id: PeerId,
        (remote, opened_by): (&Multiaddr, Endpoint),
        now: UnixSeconds,
    ) {
        let fresh = || Connected { since: now, connections: BTreeMap::new() };
        let peer = self.peers.entry(peer_id).or_insert_with(fresh);
        peer.connections.insert(connection, Connection { addr: ip_of(remote), opened_by });
    }

    /// A connection closed.
    pub(super) fn closed(&mut self, connection: ConnectionId, peer_id: PeerId) {
        self.stale.remove(&(peer_id, connection));
        let Some(peer) = self.peers.get_mut(&peer_id) else { return };
        peer.connections.remove(&connection);
        if peer.connections.is_empty() {
            self.peers.remove(&peer_id);
        }
    }

    /// Ends bans that are over, bans who scores too little, and tells whom to disconnect: who is banned or
    /// blocked, and, above the high tide, the peers beyond their grace that are worth the least, down to the low one.
    pub(in crate::network) fn survey(
        &mut self,
        now: UnixSeconds,
        worth: impl Fn(&PeerId) -> PeerWorth,
    ) -> Vec<PeerId> {
        self.gates.expire(now);
        let until = UnixSeconds(now.0.saturating_add(self.rules.ban_duration));
        let hostile: Vec<_> = self
            .peers
            .keys()
            .filter(|peer_id| !self.is_exempt(peer_id) && worth(peer_id).score < self.rules.ban_below)
            .copied()
            .collect();
        for peer_id in hostile {
            if self.gates.check_peer(peer_id, now).is_ok() {
                self.banned = self.banned.saturating_add(1);
            }
            self.gates.ban(peer_id, until);
        }
        let (mut leaving, staying): (Vec<_>, Vec<_>) = self
            .peers
            .iter()
            .map(|(peer_id, peer)| (*peer_id, peer))
            .partition(|(peer_id, peer)| self.is_unwanted(*peer_id, peer, now));
        leaving.extend(self.surplus(staying, now, worth));
        leaving.into_iter().map(|(peer_id, _)| peer_id).collect()
    }

    /// Who is in its grace is neither let go nor counted: else anyone who keeps coming again would push out all the others.
    fn surplus<'a>(
        &self,
        peers: Vec<(PeerId, &'a Connected)>,
        now: UnixSeconds,
        worth: impl Fn(&PeerId) -> PeerWorth,
    ) -> Vec<(PeerId, &'a Connected)> {
        let (exempt, others): (Vec<_>, Vec<_>) =
            peers.into_iter().partition(|(peer_id, _)| self.is_exempt(peer_id));
        let mut prunable: Vec<_> =
            others.into_iter().filter(|(_, peer)| self.is_settled(peer, now)).collect();
        let counted = exempt.len().saturating_add(prunable.len());
        if counted <= self.rules.high_tide {
            return Vec::new();
        }
        // Of equals the youngest go: who has stayed longest is the least likely to be one of many fakes.
        prunable.sort_by(|(a, a_peer), (b, b_peer)| {
            let (a, b) = (worth(a), worth(b));
            let by_worth = a.is_subscribed.cmp(&b.is_subscribed).then(a.score.total_cmp(&b.score));
            by_worth.then(b_peer.since.cmp(&a_peer.since))
        });
        prunable.truncate(counted.saturating_sub(self.rules.low_tide));
        prunable
    }

    const fn is_settled(&self, peer: &Connected, now: UnixSeconds) -> bool {
        now.0.saturating_sub(peer.since.0) >= self.rules.grace
    }

    fn is_unwanted(&self, peer_id: PeerId, peer: &Connected, now: UnixSeconds) -> bool {
        self.check_peer(peer_id, now).is_err()
            || peer
                .connections
                .values()
                .filter_map(|connection| connection.addr)
                .any(|addr| self.gates.check_addr(addr).is_err())
    }

    /// An operator's block holds for everyone; a ban, which may be older than the exemption, does not.
    fn check_peer(&self, peer_id: PeerId, now: UnixSeconds) -> Result<(), Gated> {
        match self.gates.check_peer(peer_id, now) {
            Err(Gated::Banned { .. }) if self.is_exempt(&peer_id) => Ok(()),
            checked => checked,
        }
    }

    /// Connections of peers that count against the caps.
    fn connections(&self, of_kind: impl Fn(&Connection) -> bool) -> usize {
        let counted = self.peers.iter().filter(|(peer_id, _)| !self.is_exempt(peer_id));
        counted.flat_map(|(_, peer)| peer.connections.values()).filter(|each| of_kind(each)).count()
    }
}

/// Whom a handshake counts against: an IPv4 address, or the /64 that one host has of IPv6. Those of this machine are
/// told apart by nothing.
fn host_of(addr: IpAddr) -> Option<IpAddr> {
    match addr {
        _ if addr.is_loopback() => None,
        IpAddr::V4(_) => Some(addr),
        IpAddr::V6(addr) => Some(Ipv6Addr::from_bits(addr.to_bits() & (u128::MAX << 64)).into()),
    }
}

fn room(pending: usize, limit: usize) -> Result<(), Gated> {
    if pending >= limit { Err(Gated::Pending { pending, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
