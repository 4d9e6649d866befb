//! [`BlockList`]: the peers, addresses and subnets that may not connect, and the peers that are banned for a
//! time.
//!
//! An IPv4 address that is mapped into IPv6 (`::ffff:10.0.0.1`) counts as the IPv4 address.

use crate::UnixSeconds;
use ipnet::IpNet;
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

/// A range of IP addresses, written in CIDR notation.
pub type Subnet = IpNet;

/// How many peers, addresses or subnets may each be blocked.
const MAX_BLOCKS: usize = 10_000;
/// How many bans are kept. One more replaces the ban that expires first.
const MAX_BANS: usize = 10_000;

/// Why a connection is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionRefusal {
    /// The address is blocked.
    #[error("address {addr} is blocked")]
    AddrBlocked {
        /// The address.
        addr: IpAddr,
    },
    /// The address lies in a blocked subnet.
    #[error("address {addr} is in subnet {subnet}, which is blocked")]
    SubnetBlocked {
        /// The address.
        addr: IpAddr,
        /// The subnet.
        subnet: Subnet,
    },
    /// The peer is blocked.
    #[error("peer {peer_id} is blocked")]
    PeerBlocked {
        /// The peer.
        peer_id: PeerId,
    },
    /// The peer is banned.
    #[error("peer {peer_id} is banned until {until} for its score")]
    PeerBanned {
        /// The peer.
        peer_id: PeerId,
        /// Until when.
        until: UnixSeconds,
    },
    /// Too many handshakes are in progress.
    #[error("{pending} handshakes are in progress: at most {limit} are accepted")]
    TooManyPending {
        /// How many there are.
        pending: usize,
        /// The most that are allowed.
        limit: usize,
    },
    /// Too many handshakes with this host are in progress.
    #[error("{pending} handshakes with {addr} are in progress: at most {limit} are accepted")]
    TooManyPendingOfHost {
        /// The address, or the /64 that it lies in.
        addr: IpAddr,
        /// How many there are.
        pending: usize,
        /// The most that are allowed.
        limit: usize,
    },
    /// Too many inbound connections are open.
    #[error("{connections} inbound connections are open: at most {limit} are accepted")]
    TooManyInbound {
        /// How many there are.
        connections: usize,
        /// The most that are allowed.
        limit: usize,
    },
    /// Too many connections are open.
    #[error("{connections} connections are open: at most {limit} are allowed")]
    TooManyConnections {
        /// How many there are.
        connections: usize,
        /// The most that are allowed.
        limit: usize,
    },
    /// The peer already has a connection of this direction, which it has lost without this node noticing.
    /// That one is closed, and the peer has to connect again.
    #[error("peer {peer_id} opened a second connection: the first one is closed, and the peer may reconnect")]
    Reconnecting {
        /// The peer.
        peer_id: PeerId,
    },
}

impl ConnectionRefusal {
    /// Whether a limit was the reason, so that the peer is not blamed.
    pub const fn is_limit_reached(&self) -> bool {
        match self {
            Self::TooManyPending { .. }
            | Self::TooManyPendingOfHost { .. }
            | Self::TooManyInbound { .. }
            | Self::TooManyConnections { .. } => true,
            Self::AddrBlocked { .. }
            | Self::SubnetBlocked { .. }
            | Self::PeerBlocked { .. }
            | Self::PeerBanned { .. }
            | Self::Reconnecting { .. } => false,
        }
    }
}

/// The list is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{limit} are blocked already: unblock some, or block a subnet")]
pub struct BlockListFull {
    /// The most peers, addresses or subnets that may each be blocked.
    pub limit: usize,
}

/// Who may not connect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockList {
    /// Blocked peers.
    pub peers: BTreeSet<PeerId>,
    /// Blocked addresses. A mapped IPv4 address is kept as IPv4.
    pub addrs: BTreeSet<IpAddr>,
    /// Blocked subnets.
    pub subnets: BTreeSet<Subnet>,
    /// Banned peers, each with the end of its ban, exclusive.
    pub bans: BTreeMap<PeerId, UnixSeconds>,
}

impl BlockList {
    /// Blocks a peer. It may be blocked already.
    ///
    /// # Errors
    /// [`BlockListFull`].
    pub fn block_peer(&mut self, peer_id: PeerId) -> Result<(), BlockListFull> {
        insert_bounded(&mut self.peers, peer_id)
    }

    /// Blocks an address.
    ///
    /// # Errors
    /// [`BlockListFull`].
    pub fn block_addr(&mut self, addr: IpAddr) -> Result<(), BlockListFull> {
        insert_bounded(&mut self.addrs, addr.to_canonical())
    }

    /// Blocks a subnet.
    ///
    /// # Errors
    /// [`BlockListFull`].
    pub fn block_subnet(&mut self, subnet: Subnet) -> Result<(), BlockListFull> {
        insert_bounded(&mut self.subnets, subnet.trunc())
    }

    /// This list with the entries of another one. What does not fit is left out.
    pub(in crate::network) fn merged(mut self, other: Self) -> Self {
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

    /// Bans a peer. If there are too many bans, the one that expires first ends now.
    pub(in crate::network) fn ban(&mut self, peer_id: PeerId, until: UnixSeconds) {
        if self.bans.len() >= MAX_BANS && !self.bans.contains_key(&peer_id) {
            let first = self.bans.iter().min_by_key(|(_, until)| **until).map(|(peer, _)| *peer);
            first.map(|peer| self.bans.remove(&peer));
        }
        self.bans.insert(peer_id, until);
    }

    /// Removes expired bans.
    pub(super) fn expire(&mut self, now: UnixSeconds) {
        self.bans.retain(|_, until| *until > now);
    }

    /// Checks an IP address.
    ///
    /// # Errors
    /// [`ConnectionRefusal::AddrBlocked`] or [`ConnectionRefusal::SubnetBlocked`].
    pub fn check_addr(&self, addr: IpAddr) -> Result<(), ConnectionRefusal> {
        let addr = addr.to_canonical();
        if self.addrs.contains(&addr) {
            return Err(ConnectionRefusal::AddrBlocked { addr });
        }
        match self.subnets.iter().find(|subnet| subnet.contains(&addr)) {
            Some(subnet) => Err(ConnectionRefusal::SubnetBlocked { addr, subnet: *subnet }),
            None => Ok(()),
        }
    }

    /// Checks the IP address of a multiaddress. One without an IP address, such as a name, passes.
    ///
    /// # Errors
    /// As [`BlockList::check_addr`].
    pub fn check_multiaddr(&self, addr: &Multiaddr) -> Result<(), ConnectionRefusal> {
        ip_of(addr).map_or(Ok(()), |addr| self.check_addr(addr))
    }

    /// Checks a peer at a time.
    ///
    /// # Errors
    /// [`ConnectionRefusal::PeerBlocked`] or [`ConnectionRefusal::PeerBanned`].
    pub fn check_peer(&self, peer_id: PeerId, now: UnixSeconds) -> Result<(), ConnectionRefusal> {
        if self.peers.contains(&peer_id) {
            return Err(ConnectionRefusal::PeerBlocked { peer_id });
        }
        match self.bans.get(&peer_id) {
            Some(until) if *until > now => Err(ConnectionRefusal::PeerBanned { peer_id, until: *until }),
            Some(_) | None => Ok(()),
        }
    }
}

/// Adds an item to a list that has room, or has it already.
fn insert_bounded<T: Ord>(blocked: &mut BTreeSet<T>, item: T) -> Result<(), BlockListFull> {
    if blocked.len() >= MAX_BLOCKS && !blocked.contains(&item) {
        return Err(BlockListFull { limit: MAX_BLOCKS });
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
    fn an_address_in_a_blocked_subnet_is_refused(
        #[case] subnet: &str,
        #[case] addr: IpAddr,
        #[case] blocked: bool,
    ) {
        let mut block_list = BlockList::default();
        block_list.block_subnet(subnet.parse().unwrap()).unwrap();
        assert_eq!(block_list.check_addr(addr).is_err(), blocked);
        block_list.unblock_subnet(subnet.parse().unwrap());
        assert_eq!(block_list.check_addr(addr), Ok(()));
    }

    #[rstest]
    #[case::plain("/ip4/10.0.0.7/tcp/9222", true)]
    #[case::mapped("/ip6/::ffff:10.0.0.7/tcp/9222", true)]
    #[case::another("/ip4/10.0.0.8/tcp/9222", false)]
    #[case::a_name_is_checked_once_it_is_resolved("/dns4/example.org/tcp/9222", false)]
    fn a_blocked_address_is_refused_in_every_notation(#[case] addr: Multiaddr, #[case] blocked: bool) {
        let mut block_list = BlockList::default();
        block_list.block_addr("::ffff:10.0.0.7".parse().unwrap()).unwrap();
        assert_eq!(block_list.check_multiaddr(&addr).is_err(), blocked);
    }

    #[test]
    fn a_ban_ends_when_it_is_over() {
        let (mut block_list, peer_id) = (BlockList::default(), PeerId::random());
        block_list.ban(peer_id, UnixSeconds(100));
        assert!(block_list.check_peer(peer_id, UnixSeconds(99)).is_err());
        assert!(block_list.check_peer(peer_id, UnixSeconds(100)).is_ok());
        block_list.expire(UnixSeconds(100));
        assert!(block_list.bans.is_empty());
    }

    #[test]
    fn lists_are_bounded() {
        let mut block_list = BlockList::default();
        for _ in 0..=MAX_BLOCKS {
            let _full = block_list.block_peer(PeerId::random());
        }
        assert_eq!(block_list.peers.len(), MAX_BLOCKS);
        let blocked = *block_list.peers.first().unwrap();
        assert_eq!(block_list.block_peer(blocked), Ok(()));
        assert_eq!(block_list.block_peer(PeerId::random()), Err(BlockListFull { limit: MAX_BLOCKS }));
        let soonest = PeerId::random();
        block_list.ban(soonest, UnixSeconds(1));
        (0..MAX_BANS).for_each(|_| block_list.ban(PeerId::random(), UnixSeconds(2)));
        assert_eq!((block_list.bans.len(), block_list.bans.contains_key(&soonest)), (MAX_BANS, false));
    }
}
