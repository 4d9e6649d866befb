//! Node records: ours, and what those of others say.
//!
//! One key names a node to discv5 and to libp2p. Besides `opstack` our record may carry [`CROSS_SAFE`], so that
//! those who want attestations find each other among the many who do not; who does not know it passes over it.

use super::ChainEntry;
use discv5::Enr;
use enr::{CombinedKey, CombinedPublicKey, EnrPublicKey as _};
use libp2p::{Multiaddr, PeerId, identity, multiaddr::Protocol};
use std::net::{IpAddr, SocketAddr};

/// The key of a subscriber of the cross-safe topic; its value is the topic's version, 1.
const CROSS_SAFE: &str = "crosssafe";
const CROSS_SAFE_VERSION: u8 = 1;

/// A record of a node.
pub(in crate::network) type Record = Enr;

/// What a record of a node of our chain says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::network) struct Found {
    /// The peer.
    pub(in crate::network) peer_id: PeerId,
    /// Where it can be dialled.
    pub(in crate::network) addr: Multiaddr,
    /// The chain that it is on.
    pub(in crate::network) chain_id: u64,
    /// Whether it wants attestations.
    pub(in crate::network) is_cross_safe: bool,
    /// The record as text.
    pub(in crate::network) record: String,
}

impl Found {
    /// Reads a record. `None`: it is of another chain, or of a node that cannot be dialled.
    pub(in crate::network) fn read(record: &Record, ours: ChainEntry) -> Option<Self> {
        let entry = ChainEntry::from_rlp(record.get_raw_rlp(ChainEntry::KEY)?)?;
        if entry != ours {
            return None;
        }
        let (ip, port) = match (record.ip4().zip(record.tcp4()), record.ip6().zip(record.tcp6())) {
            (Some((ip, port)), _) => (IpAddr::from(ip), port),
            (None, Some((ip, port))) => (IpAddr::from(ip), port),
            (None, None) => return None,
        };
        // Port 0, and addresses that name no one node, are nothing to dial.
        if port == 0 || ip.is_unspecified() || ip.is_multicast() {
            return None;
        }
        Some(Self {
            peer_id: peer_id_of(&record.public_key())?,
            addr: Multiaddr::from(ip).with(Protocol::Tcp(port)),
            chain_id: entry.chain_id,
            is_cross_safe: is_cross_safe(record),
            record: record.to_base64(),
        })
    }
}

/// Whether a record is of a node that wants attestations.
fn is_cross_safe(record: &Record) -> bool {
    record.get_decodable::<u8>(CROSS_SAFE).is_some_and(|version| version == Ok(CROSS_SAFE_VERSION))
}

/// The id that libp2p knows a record's node by.
fn peer_id_of(key: &CombinedPublicKey) -> Option<PeerId> {
    let CombinedPublicKey::Secp256k1(_) = key else { return None };
    let key = identity::secp256k1::PublicKey::try_from_bytes(&key.encode()).ok()?;
    Some(identity::PublicKey::from(key).to_peer_id())
}

/// The node's key, in discv5's words.
pub(in crate::network) fn combined_key(keypair: &identity::Keypair) -> Option<CombinedKey> {
    let mut secret = keypair.clone().try_into_secp256k1().ok()?.secret().to_bytes();
    CombinedKey::secp256k1_from_bytes(&mut secret).ok()
}

/// Our record. Without an address others find out where we are, and tell us.
pub(in crate::network) fn local_record(
    key: &CombinedKey,
    entry: ChainEntry,
    is_cross_safe: bool,
    (ip, tcp, udp): (Option<IpAddr>, u16, u16),
) -> Result<Record, enr::Error> {
    let mut builder = Enr::builder();
    builder.add_value_rlp(ChainEntry::KEY, entry.to_rlp().into());
    if is_cross_safe {
        builder.add_value(CROSS_SAFE, &CROSS_SAFE_VERSION);
    }
    if let Some(ip) = ip {
        builder.ip(ip);
    }
    match ip {
        Some(IpAddr::V6(_)) => builder.tcp6(tcp).udp6(udp),
        Some(IpAddr::V4(_)) | None => builder.tcp4(tcp).udp4(udp),
    };
    builder.build(key)
}

/// The UDP socket of a record.
pub(super) fn udp_of(record: &Record) -> Option<SocketAddr> {
    record.udp4_socket().map(Into::into).or_else(|| record.udp6_socket().map(Into::into))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeIdentity;
    use rstest::rstest;

    const OURS: ChainEntry = ChainEntry { chain_id: 901 };

    fn record(entry: ChainEntry, is_cross_safe: bool, ip: Option<&str>, tcp: u16) -> (Record, PeerId) {
        let identity = NodeIdentity::generate();
        let peer_id = identity.peer_id();
        let key = combined_key(&identity.into_keypair()).unwrap();
        let ip = ip.map(|ip| ip.parse().unwrap());
        (local_record(&key, entry, is_cross_safe, (ip, tcp, 9223)).unwrap(), peer_id)
    }

    #[rstest]
    #[case::ipv4("203.0.113.7", "/ip4/203.0.113.7/tcp/9222", false)]
    #[case::ipv6("2001:db8::7", "/ip6/2001:db8::7/tcp/9222", true)]
    fn our_record_is_read_by_our_like(#[case] ip: &str, #[case] addr: &str, #[case] is_cross_safe: bool) {
        let (record, peer_id) = record(OURS, is_cross_safe, Some(ip), 9222);
        let text = record.to_base64();
        let read: Record = text.parse().unwrap();
        let addr = addr.parse().unwrap();
        let found = Found { peer_id, addr, chain_id: 901, is_cross_safe, record: text };
        assert_eq!(Found::read(&read, OURS), Some(found));
    }

    #[rstest]
    #[case::of_another_chain(ChainEntry { chain_id: 902 }, Some("203.0.113.7"), 9222)]
    #[case::without_address(OURS, None, 9222)]
    #[case::without_port(OURS, Some("203.0.113.7"), 0)]
    #[case::of_everybody(OURS, Some("0.0.0.0"), 9222)]
    #[case::of_a_group(OURS, Some("224.0.0.1"), 9222)]
    fn a_record_of_nobody_to_dial(#[case] entry: ChainEntry, #[case] ip: Option<&str>, #[case] tcp: u16) {
        assert_eq!(Found::read(&record(entry, true, ip, tcp).0, OURS), None);
    }

    #[test]
    fn a_record_of_another_network_is_passed_over() {
        let key = CombinedKey::generate_secp256k1();
        let beacon = Enr::builder().ip4([203, 0, 113, 7].into()).tcp4(9000).build(&key).unwrap();
        assert_eq!(Found::read(&beacon, OURS), None);
    }
}
