//! Node records (ENR, EIP-778): ours, and how those of others are read.
//!
//! A node has one key for discv5 and libp2p. Besides `opstack` our record may have [`CROSS_SAFE`], so that
//! subscribers of the cross-safe topic find each other. Other nodes ignore that entry.

use super::ChainEntry;
use discv5::Enr;
use enr::{CombinedKey, CombinedPublicKey, EnrPublicKey as _};
use libp2p::{Multiaddr, PeerId, identity, multiaddr::Protocol};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The key of a subscriber of the cross-safe topic; its value is the topic's version, 1.
const CROSS_SAFE: &str = "crosssafe";
const CROSS_SAFE_VERSION: u8 = 1;

/// A record of a node.
pub(in crate::network) type NodeRecord = Enr;

/// Which addresses of other nodes' records are dialled: those that can be reached from this node's network. A
/// record may name any address, and must not make a node of the public network dial addresses of its own
/// private network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::network) enum DialScope {
    /// This machine: all nodes are on it.
    Machine,
    /// A private network, or not known: every address except those of this machine.
    Private,
    /// The public network: public addresses only.
    Public,
}

impl DialScope {
    /// Our scope, by the address in our own record.
    pub(in crate::network) fn of(own: &NodeRecord) -> Self {
        match own.ip4().map(IpAddr::from).or_else(|| own.ip6().map(IpAddr::from)) {
            Some(ip) if ip.is_loopback() => Self::Machine,
            Some(ip) if !is_private(ip) => Self::Public,
            Some(_) | None => Self::Private,
        }
    }

    fn includes(self, ip: IpAddr) -> bool {
        // Addresses that are not of one node are not dialled.
        let names_a_node =
            !(ip.is_unspecified() || ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST));
        names_a_node
            && match self {
                Self::Machine => true,
                Self::Private => !ip.is_loopback() && !is_link_local(ip),
                Self::Public => !ip.is_loopback() && !is_link_local(ip) && !is_private(ip),
            }
    }
}

/// Whether an address is one of a private network. Those of carrier-grade NAT are.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            ip.is_private() || (ip.to_bits() >> 22) == (Ipv4Addr::new(100, 64, 0, 0).to_bits() >> 22)
        }
        IpAddr::V6(ip) => ip.is_unique_local(),
    }
}

/// Link-local addresses, among them the metadata services of clouds.
const fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

/// A node of our chain that discovery found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::network) struct DiscoveredNode {
    /// Its libp2p id.
    pub(in crate::network) peer_id: PeerId,
    /// The address at which it is dialled.
    pub(in crate::network) addr: Multiaddr,
    /// The chain id in its record.
    pub(in crate::network) chain_id: u64,
    /// Whether it is a subscriber of the cross-safe topic.
    pub(in crate::network) is_cross_safe: bool,
    /// The record as text.
    pub(in crate::network) record: String,
}

impl DiscoveredNode {
    /// Reads a record. `None`: it is of another chain, or has no address in scope.
    pub(in crate::network) fn read(record: &NodeRecord, ours: ChainEntry, scope: DialScope) -> Option<Self> {
        let entry = ChainEntry::from_rlp(record.get_raw_rlp(ChainEntry::KEY)?)?;
        if entry != ours {
            return None;
        }
        let ipv4 = record.ip4().map(IpAddr::from).zip(record.tcp4());
        // As EIP-778 has it: one port for both families is written once.
        let tcp6 = record.tcp6().or_else(|| record.tcp4());
        let ipv6 = record.ip6().map(|ip| ip.to_canonical()).zip(tcp6);
        let can_be_dialled = |(ip, port): &(IpAddr, u16)| *port != 0 && scope.includes(*ip);
        let (ip, port) = [ipv4, ipv6].into_iter().flatten().find(can_be_dialled)?;
        Some(Self {
            peer_id: peer_id_of(&record.public_key())?,
            addr: Multiaddr::from(ip).with(Protocol::Tcp(port)),
            chain_id: entry.chain_id,
            is_cross_safe: is_cross_safe(record),
            record: record.to_base64(),
        })
    }
}

/// Whether a record is of a subscriber of the cross-safe topic.
fn is_cross_safe(record: &NodeRecord) -> bool {
    record.get_decodable::<u8>(CROSS_SAFE).is_some_and(|version| version == Ok(CROSS_SAFE_VERSION))
}

/// The libp2p id of a record's node.
fn peer_id_of(key: &CombinedPublicKey) -> Option<PeerId> {
    let CombinedPublicKey::Secp256k1(_) = key else { return None };
    let key = identity::secp256k1::PublicKey::try_from_bytes(&key.encode()).ok()?;
    Some(identity::PublicKey::from(key).to_peer_id())
}

/// The node's key, as discv5 needs it.
pub(in crate::network) fn combined_key(keypair: &identity::Keypair) -> Option<CombinedKey> {
    let mut secret = keypair.clone().try_into_secp256k1().ok()?.secret().to_bytes();
    CombinedKey::secp256k1_from_bytes(&mut secret).ok()
}

/// The addresses in our record.
#[derive(Clone, Copy, Debug)]
pub(super) struct AdvertisedAddress {
    /// Our IP address. `None`: it is determined from what other nodes see.
    pub(super) ip: Option<IpAddr>,
    /// Whether it is one of IPv6, or is going to be.
    pub(super) is_ipv6: bool,
    /// The TCP port, if we can be dialled.
    pub(super) tcp: Option<u16>,
    /// The UDP port.
    pub(super) udp: u16,
    /// The record's sequence number: of two records of one node others keep the one with the larger.
    pub(super) seq: u64,
}

/// Our record.
pub(super) fn local_record(
    key: &CombinedKey,
    entry: ChainEntry,
    is_cross_safe: bool,
    AdvertisedAddress { ip, is_ipv6, tcp, udp, seq }: AdvertisedAddress,
) -> Result<NodeRecord, enr::Error> {
    let mut builder = Enr::builder();
    builder.seq(seq);
    builder.add_value_rlp(ChainEntry::KEY, entry.to_rlp().into());
    if is_cross_safe {
        builder.add_value(CROSS_SAFE, &CROSS_SAFE_VERSION);
    }
    if let Some(ip) = ip {
        builder.ip(ip);
    }
    match (is_ipv6, tcp) {
        (true, Some(tcp)) => builder.tcp6(tcp).udp6(udp),
        (true, None) => builder.udp6(udp),
        (false, Some(tcp)) => builder.tcp4(tcp).udp4(udp),
        (false, None) => builder.udp4(udp),
    };
    builder.build(key)
}

/// The UDP socket of a record.
pub(super) fn udp_of(record: &NodeRecord) -> Option<SocketAddr> {
    record.udp4_socket().map(Into::into).or_else(|| record.udp6_socket().map(Into::into))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeIdentity;
    use rstest::rstest;

    const OURS: ChainEntry = ChainEntry { chain_id: 901 };

    fn record(entry: ChainEntry, is_cross_safe: bool, ip: Option<&str>, tcp: u16) -> (NodeRecord, PeerId) {
        let identity = NodeIdentity::generate();
        let peer_id = identity.peer_id();
        let key = combined_key(&identity.into_keypair()).unwrap();
        let ip: Option<IpAddr> = ip.map(|ip| ip.parse().unwrap());
        let is_ipv6 = ip.is_some_and(|ip| ip.is_ipv6());
        let advertised = AdvertisedAddress { ip, is_ipv6, tcp: Some(tcp), udp: 9223, seq: 7 };
        (local_record(&key, entry, is_cross_safe, advertised).unwrap(), peer_id)
    }

    #[rstest]
    #[case::ipv4("203.0.113.7", "/ip4/203.0.113.7/tcp/9222", false)]
    #[case::ipv6("2001:db8::7", "/ip6/2001:db8::7/tcp/9222", true)]
    fn our_record_is_read_by_other_nodes(#[case] ip: &str, #[case] addr: &str, #[case] is_cross_safe: bool) {
        let (record, peer_id) = record(OURS, is_cross_safe, Some(ip), 9222);
        let text = record.to_base64();
        let read: NodeRecord = text.parse().unwrap();
        let addr = addr.parse().unwrap();
        let found = DiscoveredNode { peer_id, addr, chain_id: 901, is_cross_safe, record: text };
        assert_eq!(DiscoveredNode::read(&read, OURS, DialScope::Public), Some(found));
    }

    #[rstest]
    #[case::of_another_chain(ChainEntry { chain_id: 902 }, Some("203.0.113.7"), 9222)]
    #[case::without_address(OURS, None, 9222)]
    #[case::without_port(OURS, Some("203.0.113.7"), 0)]
    #[case::of_the_unspecified_address(OURS, Some("0.0.0.0"), 9222)]
    #[case::of_a_multicast_address(OURS, Some("224.0.0.1"), 9222)]
    fn a_record_without_an_address_to_dial_is_not_read(
        #[case] entry: ChainEntry,
        #[case] ip: Option<&str>,
        #[case] tcp: u16,
    ) {
        assert_eq!(DiscoveredNode::read(&record(entry, true, ip, tcp).0, OURS, DialScope::Machine), None);
    }

    #[rstest]
    #[case::public("203.0.113.7", [true, true, true])]
    #[case::private("10.0.0.7", [true, true, false])]
    #[case::in_the_range_of_carrier_grade_nat("100.127.0.7", [true, true, false])]
    #[case::beside_the_range_of_carrier_grade_nat("100.128.0.7", [true, true, true])]
    #[case::unique_local("fd00::7", [true, true, false])]
    #[case::link_local_ipv4("169.254.169.254", [true, false, false])]
    #[case::link_local_ipv6("fe80::7", [true, false, false])]
    #[case::this_machine("127.0.0.1", [true, false, false])]
    #[case::mapped_loopback("::ffff:127.0.0.1", [true, false, false])]
    #[case::broadcast("255.255.255.255", [false, false, false])]
    fn only_addresses_in_scope_are_dialled(#[case] ip: &str, #[case] dialled: [bool; 3]) {
        let (record, _) = record(OURS, true, Some(ip), 9222);
        let scopes = [DialScope::Machine, DialScope::Private, DialScope::Public];
        assert_eq!(scopes.map(|scope| DiscoveredNode::read(&record, OURS, scope).is_some()), dialled);
    }

    #[rstest]
    #[case::this_machine(Some("127.0.0.1"), DialScope::Machine)]
    #[case::private(Some("192.168.1.7"), DialScope::Private)]
    #[case::not_known_yet(None, DialScope::Private)]
    #[case::public(Some("203.0.113.7"), DialScope::Public)]
    #[case::public_ipv6(Some("2001:db8::7"), DialScope::Public)]
    fn our_scope_is_that_of_our_address(#[case] ip: Option<&str>, #[case] scope: DialScope) {
        assert_eq!(DialScope::of(&record(OURS, true, ip, 9222).0), scope);
    }

    #[test]
    fn without_an_address_the_ports_are_of_the_sockets_family() {
        let key = CombinedKey::generate_secp256k1();
        let of = |is_ipv6, tcp| {
            let advertised = AdvertisedAddress { ip: None, is_ipv6, tcp, udp: 9223, seq: 7 };
            let record = local_record(&key, OURS, false, advertised).unwrap();
            [record.tcp4(), record.udp4(), record.tcp6(), record.udp6()]
        };
        assert_eq!(of(true, Some(9222)), [None, None, Some(9222), Some(9223)]);
        assert_eq!(of(false, Some(9222)), [Some(9222), Some(9223), None, None]);
        assert_eq!(of(false, None), [None, Some(9223), None, None], "nobody can dial us");
    }

    #[test]
    fn of_two_addresses_the_one_in_scope_is_dialled() {
        let key = CombinedKey::generate_secp256k1();
        let mut builder = Enr::builder();
        builder.add_value_rlp(ChainEntry::KEY, OURS.to_rlp().into());
        builder.ip4([10, 0, 0, 7].into()).tcp4(1).ip6("2001:db8::7".parse().unwrap()).tcp6(2);
        let record = builder.build(&key).unwrap();
        let addr = |scope| DiscoveredNode::read(&record, OURS, scope).unwrap().addr.to_string();
        assert_eq!(addr(DialScope::Private), "/ip4/10.0.0.7/tcp/1");
        assert_eq!(addr(DialScope::Public), "/ip6/2001:db8::7/tcp/2");
    }

    #[rstest]
    #[case::one_port_for_both(Some(1), None, Some("/ip6/2001:db8::7/tcp/1"))]
    #[case::a_port_of_its_own(Some(1), Some(2), Some("/ip6/2001:db8::7/tcp/2"))]
    #[case::no_port(None, None, None)]
    fn without_a_port_of_its_own_ipv6_has_that_of_ipv4(
        #[case] tcp: Option<u16>,
        #[case] tcp6: Option<u16>,
        #[case] addr: Option<&str>,
    ) {
        let key = CombinedKey::generate_secp256k1();
        let mut builder = Enr::builder();
        builder.add_value_rlp(ChainEntry::KEY, OURS.to_rlp().into());
        builder.ip6("2001:db8::7".parse().unwrap());
        if let Some(port) = tcp {
            builder.tcp4(port);
        }
        if let Some(port) = tcp6 {
            builder.tcp6(port);
        }
        let found = DiscoveredNode::read(&builder.build(&key).unwrap(), OURS, DialScope::Public);
        assert_eq!(found.map(|found| found.addr.to_string()).as_deref(), addr);
    }

    #[test]
    fn a_record_of_another_network_is_skipped() {
        let key = CombinedKey::generate_secp256k1();
        let beacon = Enr::builder().ip4([203, 0, 113, 7].into()).tcp4(9000).build(&key).unwrap();
        assert_eq!(DiscoveredNode::read(&beacon, OURS, DialScope::Public), None);
    }
}
