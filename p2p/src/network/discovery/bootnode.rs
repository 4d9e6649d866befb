//! [`Bootnode`]: a node to begin discovery with.
//!
//! Written as a node record (`enr:…`), or as op-node's lists still have some:
//! `enode://<public key>@<host>:<port>`, whose record is then asked for. A host name is looked up each time
//! that the node is asked. Their chain does not matter: all chains share one network.

use super::{NodeRecord, node_record::udp_of};
use alloy_primitives::hex as primitives_hex;
use core::{fmt, str::FromStr};
use libp2p::{Multiaddr, PeerId, identity, multiaddr::Protocol};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// Longer than a record of 300 bytes as text.
const MAX_TEXT: usize = 512;

/// A bootnode. Its text is kept as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bootnode {
    text: String,
    pub(super) contact: Contact,
}

/// How a bootnode is contacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Contact {
    /// By its record.
    NodeRecord(Box<NodeRecord>),
    /// By its key, and its address or name, to be asked for its record.
    Address(Multiaddr),
}

/// A text that names no bootnode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a bootnode: {reason}; write enr:… or enode://<public key>@<host>:<port>")]
pub struct ParseBootnodeError {
    /// What was given, cut if it is long.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl FromStr for Bootnode {
    type Err = ParseBootnodeError;

    fn from_str(text: &str) -> Result<Self, ParseBootnodeError> {
        let shown = || text.chars().take(MAX_TEXT).collect::<String>();
        let refuse = |reason: String| ParseBootnodeError { text: shown(), reason };
        if text.len() > MAX_TEXT {
            return Err(refuse(format!("it has {} bytes", text.len())));
        }
        let contact = if let Some(rest) = text.strip_prefix("enode://") {
            Contact::Address(enode(rest).map_err(|reason| refuse(reason.to_owned()))?)
        } else if text.starts_with("enr:") {
            let record: NodeRecord = text.parse().map_err(refuse)?;
            if udp_of(&record).is_none() {
                return Err(refuse("its record has no UDP address".to_owned()));
            }
            Contact::NodeRecord(Box::new(record))
        } else {
            return Err(refuse("it begins with neither".to_owned()));
        };
        Ok(Self { text: text.to_owned(), contact })
    }
}

/// `<128 hex digits>@<ip or name>:<tcp port>[?discport=<udp port>]`. `Err`: what is wrong with it.
fn enode(text: &str) -> Result<Multiaddr, &'static str> {
    let (key, rest) = text.split_once('@').ok_or("no @ follows its key")?;
    let (socket, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, tcp) =
        host_and_port(socket).ok_or("no host and port follow its @: write an IPv6 address in brackets")?;
    let udp = match query.strip_prefix("discport=") {
        Some(port) => port.parse().map_err(|_| "its discport is not a port")?,
        None if query.is_empty() => tcp,
        None => return Err("the text after its port is not a discport"),
    };
    let peer_id = peer_id_of(key).ok_or("its key is not a public key of 128 hex digits")?;
    Ok(Multiaddr::empty().with(host).with(Protocol::Udp(udp)).with(Protocol::P2p(peer_id)))
}

/// The id of the node with this public key: 128 hex digits.
fn peer_id_of(key: &str) -> Option<PeerId> {
    let mut point = vec![4];
    point.extend(primitives_hex::decode(key).ok().filter(|key| key.len() == 64)?);
    let key = k256::PublicKey::from_sec1_bytes(&point).ok()?;
    let compressed = k256::elliptic_curve::sec1::ToEncodedPoint::to_encoded_point(&key, true);
    let key = identity::secp256k1::PublicKey::try_from_bytes(compressed.as_bytes()).ok()?;
    Some(identity::PublicKey::from(key).to_peer_id())
}

/// An IP address or a host name, and a port.
fn host_and_port(text: &str) -> Option<(Protocol<'static>, u16)> {
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Some((socket.ip().into(), socket.port()));
    }
    let (name, port) = text.rsplit_once(':')?;
    is_host_name(name).then(|| Some((Protocol::Dns(name.to_owned().into()), port.parse().ok()?)))?
}

/// Whether a text is a host name: labels of letters, digits and hyphens, the last of which is not a number.
fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253
        && text.split('.').all(is_label)
        && text.rsplit('.').next().is_some_and(|last| last.bytes().any(|byte| !byte.is_ascii_digit()))
}

impl fmt::Display for Bootnode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Bootnode {
    type Error = ParseBootnodeError;

    fn try_from(text: String) -> Result<Self, ParseBootnodeError> {
        text.parse()
    }
}

impl From<Bootnode> for String {
    fn from(bootnode: Bootnode) -> Self {
        bootnode.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const KEY: &str = "ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138\
        7574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f";

    #[rstest]
    #[case::one_port("@10.3.58.6:30303", "/ip4/10.3.58.6/udp/30303")]
    #[case::two_ports("@10.3.58.6:30303?discport=30301", "/ip4/10.3.58.6/udp/30301")]
    #[case::ipv6("@[2001:db8::1]:30303", "/ip6/2001:db8::1/udp/30303")]
    #[case::a_name("@boot.example.org:0?discport=30301", "/dns/boot.example.org/udp/30301")]
    fn an_enode_is_read(#[case] rest: &str, #[case] addr: &str) {
        let text = format!("enode://{KEY}{rest}");
        let bootnode: Bootnode = text.parse().unwrap();
        let Contact::Address(mut contact) = bootnode.contact.clone() else { panic!("{bootnode:?}") };
        assert!(matches!(contact.pop(), Some(Protocol::P2p(_))));
        assert_eq!(contact.to_string(), addr);
        assert_eq!(bootnode.to_string(), text);
    }

    /// The example of EIP-778.
    #[test]
    fn a_record_is_read() {
        let text = "enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33Ls8RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_QAdpzBQA8yWM0xOIN1ZHCCdl8";
        let bootnode: Bootnode = text.parse().unwrap();
        let Contact::NodeRecord(record) = bootnode.contact else { panic!("no record") };
        assert_eq!(udp_of(&record), Some("127.0.0.1:30303".parse().unwrap()));
    }

    #[rstest]
    #[case::empty("")]
    #[case::a_cut_record("enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4")]
    #[case::a_multiaddress("/ip4/10.0.0.1/udp/9222")]
    #[case::a_short_key("enode://ca634cae@10.3.58.6:30303")]
    #[case::an_address_of_five_parts(&format!("enode://{KEY}@10.0.0.0.1:30303"))]
    #[case::a_name_with_a_space(&format!("enode://{KEY}@boot example.org:30303"))]
    #[case::no_host(&format!("enode://{KEY}@:30303"))]
    #[case::no_point(&format!("enode://{}@10.3.58.6:30303", "11".repeat(64)))]
    #[case::long(&"enr:".repeat(1_000))]
    fn others_are_refused(#[case] text: &str) {
        let error = text.parse::<Bootnode>().unwrap_err();
        assert!(error.text.len() <= MAX_TEXT && error.to_string().contains("enr:…"), "{error}");
    }
}
