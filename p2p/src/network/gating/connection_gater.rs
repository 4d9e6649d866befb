//! [`ConnectionGater`]: which connections are accepted, and which peers to disconnect.
//!
//! A pure state machine: time and scores are arguments; refusals, and the peers to disconnect, are values.

use super::{BlockList, ConnectionRefusal, GaterLimits, block_list::ip_of};
use crate::UnixSeconds;
use libp2p::{Multiaddr, PeerId, core::Endpoint, swarm::ConnectionId};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv6Addr},
};

/// How many peers an operator may protect.
const MAX_PROTECTED: usize = 10_000;

/// Too many peers are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{limit} peers are protected already: end the protection of some")]
pub struct TooManyProtected {
    /// The most peers that may be protected.
    pub limit: usize,
}

/// The gater of one chain's network.
#[derive(Debug)]
pub(in crate::network) struct ConnectionGater {
    limits: GaterLimits,
    block_list: BlockList,
    /// Static and trusted peers: never pruned, never banned, not counted against the limits.
    exempt: BTreeSet<PeerId>,
    /// Peers that the operator protects. They are treated as exempt ones.
    protected: BTreeSet<PeerId>,
    /// Each handshake with the host that it counts against.
    pending_in: BTreeMap<ConnectionId, Option<IpAddr>>,
    pending_out: BTreeSet<ConnectionId>,
    peers: BTreeMap<PeerId, Connected>,
    /// Connections that their peers have lost, to be closed.
    stale: BTreeSet<(PeerId, ConnectionId)>,
    banned: u64,
}

/// A connected peer.
#[derive(Debug)]
struct Connected {
    since: UnixSeconds,
    connections: BTreeMap<ConnectionId, Connection>,
}

/// An open connection.
#[derive(Clone, Copy, Debug)]
struct Connection {
    addr: Option<IpAddr>,
    opened_by: Endpoint,
}

/// How useful a peer is, as gossip knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::network) struct PeerValue {
    /// Its score.
    pub(in crate::network) score: f64,
    /// Whether it is subscribed to any of our topics.
    pub(in crate::network) is_subscribed: bool,
}

impl ConnectionGater {
    /// A gater that knows no connection yet.
    pub(in crate::network) fn new(
        limits: GaterLimits,
        block_list: BlockList,
        exempt: BTreeSet<PeerId>,
    ) -> Self {
        Self {
            limits,
            block_list,
            exempt,
            protected: BTreeSet::new(),
            pending_in: BTreeMap::new(),
            pending_out: BTreeSet::new(),
            peers: BTreeMap::new(),
            stale: BTreeSet::new(),
            banned: 0,
        }
    }

    /// A peer with a score below this is banned.
    pub(in crate::network) const fn ban_below(&self) -> f64 {
        self.limits.ban_below
    }

    /// Who may not connect.
    pub(in crate::network) const fn block_list(&self) -> &BlockList {
        &self.block_list
    }

    /// Who may not connect, to be changed. Open connections are checked by the next [`Self::review_peers`].
    pub(in crate::network) const fn block_list_mut(&mut self) -> &mut BlockList {
        &mut self.block_list
    }

    /// Protects a peer from being pruned or banned, or ends its protection. Protecting a peer ends its ban.
    ///
    /// # Errors
    /// [`TooManyProtected`].
    pub(in crate::network) fn protect(
        &mut self,
        peer_id: PeerId,
        protected: bool,
    ) -> Result<(), TooManyProtected> {
        if !protected {
            self.protected.remove(&peer_id);
            return Ok(());
        }
        if self.protected.len() >= MAX_PROTECTED && !self.protected.contains(&peer_id) {
            return Err(TooManyProtected { limit: MAX_PROTECTED });
        }
        self.protected.insert(peer_id);
        self.block_list.bans.remove(&peer_id);
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

    /// Whether the node should look for more peers. A peer past its grace that is subscribed to none of our
    /// topics does not count: otherwise a few silent peers would end the search.
    pub(in crate::network) fn wants_peers(
        &self,
        now: UnixSeconds,
        is_subscribed: impl Fn(&PeerId) -> bool,
    ) -> bool {
        let counts = |(peer_id, peer): &(&PeerId, &Connected)| {
            !self.is_past_grace(peer, now) || is_subscribed(peer_id)
        };
        self.peers.iter().filter(counts).count() < self.limits.peers_low
    }

    /// Checks an inbound connection before its handshake.
    pub(super) fn accept(
        &mut self,
        connection: ConnectionId,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionRefusal> {
        self.block_list.check_multiaddr(remote)?;
        check_pending(self.pending_in.len(), self.limits.max_pending)?;
        let host = ip_of(remote).and_then(host_of);
        let of_host = || self.pending_in.values().filter(|other| **other == host).count();
        if let Some(addr) = host
            && of_host() >= self.limits.max_pending_per_host
        {
            return Err(ConnectionRefusal::TooManyPendingOfHost {
                addr,
                pending: of_host(),
                limit: self.limits.max_pending_per_host,
            });
        }
        self.pending_in.insert(connection, host);
        Ok(())
    }

    /// Checks a dial before it begins. An address that is a name is checked again once it is resolved.
    pub(super) fn dial(
        &mut self,
        connection: ConnectionId,
        peer_id: Option<PeerId>,
        addrs: &[Multiaddr],
        now: UnixSeconds,
    ) -> Result<(), ConnectionRefusal> {
        if let Some(peer_id) = peer_id {
            self.check_peer(peer_id, now)?;
        }
        addrs.iter().try_for_each(|addr| self.block_list.check_multiaddr(addr))?;
        if !peer_id.is_some_and(|peer_id| self.is_exempt(&peer_id)) {
            check_pending(self.pending_out.len(), self.limits.max_pending)?;
        }
        self.pending_out.insert(connection);
        Ok(())
    }

    /// Checks a connection after its handshake, which has proven the peer's id. A peer has one connection of
    /// each direction, since two peers may dial each other at once. A peer that opens another one has lost
    /// the first without this node noticing: gossipsub would continue with the first alone, and send nothing
    /// on the second.
    pub(super) fn establish(
        &mut self,
        connection: ConnectionId,
        peer_id: PeerId,
        (remote, opened_by): (&Multiaddr, Endpoint),
        now: UnixSeconds,
    ) -> Result<(), ConnectionRefusal> {
        self.handshake_ended(connection);
        self.block_list.check_multiaddr(remote)?;
        self.check_peer(peer_id, now)?;
        let held = self.peers.get(&peer_id).into_iter().flat_map(|peer| &peer.connections);
        let stale: Vec<_> = held.filter(|(_, held)| held.opened_by == opened_by).map(|(id, _)| *id).collect();
        if !stale.is_empty() {
            self.stale.extend(stale.into_iter().map(|id| (peer_id, id)));
            return Err(ConnectionRefusal::Reconnecting { peer_id });
        }
        if self.is_exempt(&peer_id) {
            return Ok(());
        }
        let (connections, limit) = (self.connections(|_| true), self.limits.max_connections);
        if connections >= limit {
            return Err(ConnectionRefusal::TooManyConnections { connections, limit });
        }
        let is_inbound = |connection: &Connection| connection.opened_by == Endpoint::Listener;
        let (connections, limit) = (self.connections(is_inbound), self.limits.max_inbound);
        if opened_by == Endpoint::Listener && connections >= limit {
            return Err(ConnectionRefusal::TooManyInbound { connections, limit });
        }
        Ok(())
    }

    /// Takes the next connection that is to be closed, if there is one.
    pub(super) fn take_stale(&mut self) -> Option<(PeerId, ConnectionId)> {
        self.stale.pop_first()
    }

    /// A handshake ended, whatever its outcome.
    pub(super) fn handshake_ended(&mut self, connection: ConnectionId) {
        self.pending_in.remove(&connection);
        self.pending_out.remove(&connection);
    }

    /// A connection was established.
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

    /// Ends expired bans, bans the peers whose score is too low, and returns the peers to disconnect: banned
    /// and blocked ones and, with more than [`GaterLimits::peers_high`], the least useful ones past their
    /// grace, down to [`GaterLimits::peers_low`].
    pub(in crate::network) fn review_peers(
        &mut self,
        now: UnixSeconds,
        value_of: impl Fn(&PeerId) -> PeerValue,
    ) -> Vec<PeerId> {
        self.block_list.expire(now);
        let until = UnixSeconds(now.0.saturating_add(self.limits.ban_duration_secs));
        let hostile: Vec<_> = self
            .peers
            .keys()
            .filter(|peer_id| !self.is_exempt(peer_id) && value_of(peer_id).score < self.limits.ban_below)
            .copied()
            .collect();
        for peer_id in hostile {
            if self.block_list.check_peer(peer_id, now).is_ok() {
                self.banned = self.banned.saturating_add(1);
            }
            self.block_list.ban(peer_id, until);
        }
        let (mut leaving, staying): (Vec<_>, Vec<_>) = self
            .peers
            .iter()
            .map(|(peer_id, peer)| (*peer_id, peer))
            .partition(|(peer_id, peer)| self.is_unwanted(*peer_id, peer, now));
        leaving.extend(self.surplus(staying, now, value_of));
        leaving.into_iter().map(|(peer_id, _)| peer_id).collect()
    }

    /// The peers to prune. A peer in its grace is neither pruned nor counted: otherwise a peer that keeps
    /// reconnecting would displace all others.
    fn surplus<'a>(
        &self,
        peers: Vec<(PeerId, &'a Connected)>,
        now: UnixSeconds,
        value_of: impl Fn(&PeerId) -> PeerValue,
    ) -> Vec<(PeerId, &'a Connected)> {
        let (exempt, others): (Vec<_>, Vec<_>) =
            peers.into_iter().partition(|(peer_id, _)| self.is_exempt(peer_id));
        let mut prunable: Vec<_> =
            others.into_iter().filter(|(_, peer)| self.is_past_grace(peer, now)).collect();
        let counted = exempt.len().saturating_add(prunable.len());
        if counted <= self.limits.peers_high {
            return Vec::new();
        }
        // Of equals the newest is pruned first: the longer a peer has stayed, the less likely it is one of
        // many Sybils.
        prunable.sort_by(|(a, a_peer), (b, b_peer)| {
            let (a, b) = (value_of(a), value_of(b));
            let by_value = a.is_subscribed.cmp(&b.is_subscribed).then(a.score.total_cmp(&b.score));
            by_value.then(b_peer.since.cmp(&a_peer.since))
        });
        prunable.truncate(counted.saturating_sub(self.limits.peers_low));
        prunable
    }

    const fn is_past_grace(&self, peer: &Connected, now: UnixSeconds) -> bool {
        now.0.saturating_sub(peer.since.0) >= self.limits.grace_secs
    }

    fn is_unwanted(&self, peer_id: PeerId, peer: &Connected, now: UnixSeconds) -> bool {
        self.check_peer(peer_id, now).is_err()
            || peer
                .connections
                .values()
                .filter_map(|connection| connection.addr)
                .any(|addr| self.block_list.check_addr(addr).is_err())
    }

    /// An operator's block applies to every peer. A ban, which may be older than the exemption, does not
    /// apply to exempt ones.
    fn check_peer(&self, peer_id: PeerId, now: UnixSeconds) -> Result<(), ConnectionRefusal> {
        match self.block_list.check_peer(peer_id, now) {
            Err(ConnectionRefusal::PeerBanned { .. }) if self.is_exempt(&peer_id) => Ok(()),
            checked => checked,
        }
    }

    /// The number of connections of peers that count against the limits.
    fn connections(&self, of_kind: impl Fn(&Connection) -> bool) -> usize {
        let counted = self.peers.iter().filter(|(peer_id, _)| !self.is_exempt(peer_id));
        counted.flat_map(|(_, peer)| peer.connections.values()).filter(|each| of_kind(each)).count()
    }
}

/// The host that a handshake counts against: an IPv4 address, or the IPv6 /64 that one host has. `None` for
/// loopback, where the address does not tell hosts apart.
fn host_of(addr: IpAddr) -> Option<IpAddr> {
    match addr {
        _ if addr.is_loopback() => None,
        IpAddr::V4(_) => Some(addr),
        IpAddr::V6(addr) => Some(Ipv6Addr::from_bits(addr.to_bits() & (u128::MAX << 64)).into()),
    }
}

fn check_pending(pending: usize, limit: usize) -> Result<(), ConnectionRefusal> {
    if pending >= limit { Err(ConnectionRefusal::TooManyPending { pending, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
