//! [`Gates`]: the addresses, subnets and peers that are shut out, and until when.
//!
//! An IPv4 address in IPv6 clothes counts as the IPv4 address that it is.

use crate::UnixSeconds;
use ipnet::IpNet;
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

/// A range of IP addresses, as CIDR notation writes it.
pub type Subnet = IpNet;

/// How many peers, addresses or subnets may each be blocked.
const MAX_BLOCKS: usize = 10_000;
/// How many bans are remembered; one more takes the place of the one that expires first.
const MAX_BANS: usize = 10_000;

/// Why a connection is not wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Gated {
    /// The address is blocked.
    #[error("address {addr} is blocked")]
    Addr {
        /// The address.
        addr: IpAddr,
    },
    /// The address lies in a blocked subnet.
    #[error("address {addr} is in subnet {subnet}, which is blocked")]
    Subnet {
        /// The address.
        addr: IpAddr,
        /// The subnet.
        subnet: Subnet,
    },
    /// The peer is blocked.
    #[error("peer {peer_id} is blocked")]
    Peer {
        /// The peer.
        peer_id: PeerId,
    },
    /// The peer is banned.
    #[error("peer {peer_id} is banned until {until} for its score")]
    Banned {
        /// The peer.
        peer_id: PeerId,
        /// Until when.
        until: UnixSeconds,
    },
    /// There are enough handshakes.
    #[error("{pending} handshakes are in progress: at most {limit} are accepted")]
    Pending {
        /// How many.
        pending: usize,
        /// The most.
        limit: usize,
    },
    /// There are enough handshakes from there.
    #[error("{pending} handshakes with {addr} are in progress: at most {limit} are accepted")]
    PendingOfHost {
        /// The address, or the /64 that it lies in.
        addr: IpAddr,
        /// How many.
        pending: usize,
        /// The most.
        limit: usize,
    },
    /// Others opened enough connections.
    #[error("{connections} inbound connections are open: at most {limit} are accepted")]
    Inbound {
        /// How many.
        connections: usize,
        /// The most.
        limit: usize,
    },
    /// There are enough connections.
    #[error("{connections} connections are open: at most {limit} are allowed")]
    Connections {
        /// How many.
        connections: usize,
        /// The most.
        limit: usize,
    },
    /// The peer has a connection of this direction: it does not know of it any more, and has to come again.
    #[error("peer {peer_id} opened a second connection: the first one is closed, and the peer may reconnect")]
    Reconnecting {
        /// The peer.
        peer_id: PeerId,
    },
}

impl Gated {
    /// Whether there was no room, and nothing was used against who was refused.
    pub const fn is_for_want_of_room(&self) -> bool {
        match self {
            Self::Pending { .. }
            | Self::PendingOfHost { .. }
            | Self::Inbound { .. }
            | Self::Connections { .. } => true,
            Self::Addr { .. }
            | Self::Subnet { .. }
            | Self::Peer { .. }
            | Self::Banned { .. }
            | Self::Reconnecting { .. } => false,
        }
    }
}

/// There is no room to block more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{limit} are blocked already: unblock some, or block a subnet")]
pub struct GatesFull {
    /// The most.
    pub limit: usize,
}

/// What is shut out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gates {
    /// Blocked peers.
    pub peers: BTreeSet<PeerId>,
    /// Blocked addresses, IPv4 ones as such.
    pub addrs: BTreeSet<IpAddr>,
    /// Blocked subnets.
    pub subnets: BTreeSet<Subnet>,
    /// Banned peers, and until when.
    pub bans: BTreeMap<PeerId, UnixSeconds>,
}

impl Gates {
    /// Blocks a peer. Blocked ones may be blocked again.
    ///
    /// # Errors
    /// [`GatesFull`].
    pub fn block_peer(&mut self, peer_id: PeerId) -> Result<(), GatesFull> {
        block(&mut self.peers, peer_id)
    }

    /// Blocks an address.
    ///
    /// # Errors
    /// [`GatesFull`].
    pub fn block_addr(&mut self, addr: IpAddr) -> Result<(), GatesFull> {
        block(&mut self.addrs, addr.to_canonical())
    }

    /// Blocks a subnet.
    ///
    /// # Errors
    /// [`GatesFull`].
    pub fn block_subnet(&mut self, subnet: Subnet) -> Result<(), GatesFull> {
        block(&mut self.subnets, subnet.trunc())
    }

    /// Both: what the one or the other shuts out, as far as there is room.
    pub(in crate::network) fn joined(mut self, other: Self) -> Self {
        for peer_id in other.peers {
            let _full = self.block_peer(peer_id);
        }
        for addr in other.addrs {
            let _full = self.block_addr(addr);
        }
        for subnet in other.subnets {
            let _full = self.block_subnet(subnet);
        }
        other.bans.into_iter().for_each(|(peer_id, until)| self.ban(peer_id, until));
        self
    }

    /// Unblocks an address.
    pub fn unblock_addr(&mut self, addr: IpAddr) {
        self.addrs.remove(&addr.to_canonical());
    }

    /// Unblocks a subnet.
    pub fn unblock_subnet(&mut self, subnet: Subnet) {
        self.subnets.remove(&subnet.trunc());
    }

    /// Bans a peer; when there are too many bans, the one that would end first ends now.
    pub(in crate::network) fn ban(&mut self, peer_id: PeerId, until: UnixSeconds) {
        if self.bans.len() >= MAX_BANS && !self.bans.contains_key(&peer_id) {
            let first = self.bans.iter().min_by_key(|(_, until)| **until).map(|(peer, _)| *peer);
            first.map(|peer| self.bans.remove(&peer));
        }
        self.bans.insert(peer_id, until);
    }

    /// Forgets bans that are over.
    pub(super) fn expire(&mut self, now: UnixSeconds) {
        self.bans.retain(|_, until| *until > now);
    }

    /// Why this address is shut out, if it is.
    pub fn check_addr(&self, addr: IpAddr) -> Result<(), Gated> {
        let addr = addr.to_canonical();
        if self.addrs.contains(&addr) {
            return Err(Gated::Addr { addr });
        }
        match self.subnets.iter().find(|subnet| subnet.contains(&addr)) {
            Some(subnet) => Err(Gated::Subnet { addr, subnet: *subnet }),
            None => Ok(()),
        }
    }

    /// Why the address of this multiaddress is shut out, if it has one that is.
    pub fn check_multiaddr(&self, addr: &Multiaddr) -> Result<(), Gated> {
        ip_of(addr).map_or(Ok(()), |addr| self.check_addr(addr))
    }

    /// Why this peer is shut out, if it is.
    pub fn check_peer(&self, peer_id: PeerId, now: UnixSeconds) -> Result<(), Gated> {
        if self.peers.contains(&peer_id) {
            return Err(Gated::Peer { peer_id });
        }
        match self.bans.get(&peer_id) {
            Some(until) if *until > now => Err(Gated::Banned { peer_id, until: *until }),
            Some(_) | None => Ok(()),
        }
    }
}

/// Adds to a list, if it is there already or there is room.
pub(super) fn block<T: Ord>(blocked: &mut BTreeSet<T>, item: T) -> Result<(), GatesFull> {
    if blocked.len() >= MAX_BLOCKS && !blocked.contains(&item) {
        return Err(GatesFull { limit: MAX_BLOCKS });
    }
    blocked.insert(item);
    Ok(())
}

/// The IP address that a multiaddress begins with.
#[allow(clippy::wildcard_enum_match_arm)] // every other protocol
pub(in crate::network) fn ip_of(addr: &Multiaddr) -> Option<IpAddr> {
    addr.iter().find_map(|protocol| match protocol {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(IpAddr::V6(ip).to_canonical()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::inside("10.0.0.0/8", "10.255.255.255", true)]
    #[case::outside("10.0.0.0/8", "11.0.0.0", false)]
    #[case::host_bits_do_not_count("10.1.2.3/8", "10.9.9.9", true)]
    #[case::mapped("10.0.0.0/8", "::ffff:10.1.1.1", true)]
    #[case::one_address("2001:db8::1/128", "2001:db8::1", true)]
    #[case::ipv6("2001:db8::/32", "2001:db9::1", false)]
    #[case::everything("0.0.0.0/0", "203.0.113.7", true)]
    #[case::not_the_other_family("0.0.0.0/0", "2001:db8::1", false)]
    fn subnets(#[case] subnet: &str, #[case] addr: IpAddr, #[case] blocked: bool) {
        let mut gates = Gates::default();
        gates.block_subnet(subnet.parse().unwrap()).unwrap();
        assert_eq!(gates.check_addr(addr).is_err(), blocked);
        gates.unblock_subnet(subnet.parse().unwrap());
        assert_eq!(gates.check_addr(addr), Ok(()));
    }

    #[rstest]
    #[case::plain("/ip4/10.0.0.7/tcp/9222", true)]
    #[case::mapped("/ip6/::ffff:10.0.0.7/tcp/9222", true)]
    #[case::another("/ip4/10.0.0.8/tcp/9222", false)]
    #[case::a_name_is_looked_at_once_it_is_resolved("/dns4/example.org/tcp/9222", false)]
    fn addresses(#[case] addr: Multiaddr, #[case] blocked: bool) {
        let mut gates = Gates::default();
        gates.block_addr("::ffff:10.0.0.7".parse().unwrap()).unwrap();
        assert_eq!(gates.check_multiaddr(&addr).is_err(), blocked);
    }

    #[test]
    fn a_ban_ends_when_it_is_over() {
        let (mut gates, peer_id) = (Gates::default(), PeerId::random());
        gates.ban(peer_id, UnixSeconds(100));
        assert!(gates.check_peer(peer_id, UnixSeconds(99)).is_err());
        assert!(gates.check_peer(peer_id, UnixSeconds(100)).is_ok());
        gates.expire(UnixSeconds(100));
        assert!(gates.bans.is_empty());
    }

    #[test]
    fn lists_are_bounded() {
        let mut gates = Gates::default();
        for _ in 0..=MAX_BLOCKS {
            let _full = gates.block_peer(PeerId::random());
        }
        assert_eq!(gates.peers.len(), MAX_BLOCKS);
        let blocked = *gates.peers.first().unwrap();
        assert_eq!(gates.block_peer(blocked), Ok(()));
        assert_eq!(gates.block_peer(PeerId::random()), Err(GatesFull { limit: MAX_BLOCKS }));
        let soonest = PeerId::random();
        gates.ban(soonest, UnixSeconds(1));
        (0..MAX_BANS).for_each(|_| gates.ban(PeerId::random(), UnixSeconds(2)));
        assert_eq!((gates.bans.len(), gates.bans.contains_key(&soonest)), (MAX_BANS, false));
    }
}
