//! [`Bootnode`]: a node that discovery asks first, as `enode://` URL or as node record (EIP-778).
//!
//! Only the form is checked here. A record's signature is checked where it is used.

use alloy::primitives::B512;
use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// The most characters that a record has after `enr:`: 300 bytes (EIP-778) in base64.
const MAX_RECORD: usize = 400;

/// A node that discovery asks first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Bootnode {
    /// A signed node record: `enr:` and base64url, without padding.
    Record(String),
    /// A public key and where the node is.
    Node {
        /// Its secp256k1 key, uncompressed, without the leading byte.
        key: B512,
        /// Where it is reached over TCP.
        tcp: SocketAddr,
        /// The UDP port of discovery.
        udp_port: u16,
    },
}

/// A text that is no bootnode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no bootnode ({reason}): write enr:… or enode://<key>@<ip>:<port>[?discport=<port>]")]
pub struct ParseBootnodeError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl FromStr for Bootnode {
    type Err = ParseBootnodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = match text.split_once(':') {
            Some(("enr", record)) => check_record(record).map(|()| Self::Record(text.to_owned())),
            Some(("enode", rest)) => parse_node(rest),
            _ => Err("neither enr: nor enode:"),
        };
        parsed.map_err(|reason| ParseBootnodeError { text: text.to_owned(), reason })
    }
}

fn check_record(record: &str) -> Result<(), &'static str> {
    let is_base64url = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match record.len() {
        0 => Err("an empty record"),
        length if length > MAX_RECORD => Err("a record longer than 300 bytes"),
        _ if !record.chars().all(is_base64url) => Err("a record that is not base64url"),
        _ => Ok(()),
    }
}

fn parse_node(rest: &str) -> Result<Bootnode, &'static str> {
    let (key, place) =
        rest.strip_prefix("//").and_then(|rest| rest.split_once('@')).ok_or("no key before an @")?;
    let key = key.parse().map_err(|_| "the key is not 64 bytes in hex")?;
    let (tcp, query) = place.split_once('?').unwrap_or((place, ""));
    let tcp: SocketAddr = tcp.parse().map_err(|_| "no IP address and port")?;
    let udp_port = match query.strip_prefix("discport=") {
        Some(port) => port.parse().map_err(|_| "discport is no port")?,
        None if query.is_empty() => tcp.port(),
        None => return Err("an unknown parameter"),
    };
    if udp_port == 0 { Err("no port for discovery") } else { Ok(Bootnode::Node { key, tcp, udp_port }) }
}

impl fmt::Display for Bootnode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(record) => f.write_str(record),
            Self::Node { key, tcp, udp_port } => {
                write!(f, "enode://{}@{tcp}", alloy::hex::encode(key))?;
                if *udp_port == tcp.port() { Ok(()) } else { write!(f, "?discport={udp_port}") }
            }
        }
    }
}

impl TryFrom<String> for Bootnode {
    type Error = ParseBootnodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Bootnode> for String {
    fn from(bootnode: Bootnode) -> Self {
        bootnode.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const KEY: &str = "2d4e7e9d48f4dd4efe9342706dd1b0024681bd4c3300d021f86fc75eab7865d4e0cbec6fbc883f011cfd6a57423e7e2f6e104baad2b744c3cafaec6bc7dc92c1";

    #[rstest]
    #[case::one_port("@34.65.43.171:30305", 30305)]
    #[case::apart("@34.65.43.171:0?discport=30301", 30301)]
    #[case::ipv6("@[2001:db8::1]:9222", 9222)]
    fn a_node_is_read_as_it_is_written(#[case] place: &str, #[case] port: u16) {
        let text = format!("enode://{KEY}{place}");
        let node: Bootnode = text.parse().unwrap();
        assert!(matches!(&node, Bootnode::Node { udp_port, .. } if *udp_port == port));
        assert_eq!(node.to_string(), text);
    }

    #[rstest]
    #[case::no_scheme("34.65.43.171:30305", "neither enr: nor enode:")]
    #[case::empty_record("enr:", "an empty record")]
    #[case::long_record(&format!("enr:{}", "a".repeat(401)), "longer than 300 bytes")]
    #[case::padded_record("enr:-J64Q==", "not base64url")]
    #[case::no_key("enode://34.65.43.171:30305", "no key")]
    #[case::short_key("enode://2d4e@34.65.43.171:30305", "64 bytes")]
    #[case::a_name(&format!("enode://{KEY}@bootnode.example:30305"), "no IP address")]
    #[case::no_port(&format!("enode://{KEY}@34.65.43.171:0"), "no port for discovery")]
    #[case::bad_discport(&format!("enode://{KEY}@34.65.43.171:1?discport=x"), "discport")]
    #[case::unknown_parameter(&format!("enode://{KEY}@34.65.43.171:1?color=red"), "unknown parameter")]
    fn what_is_no_bootnode_says_why(#[case] text: &str, #[case] reason: &str) {
        let error = text.parse::<Bootnode>().unwrap_err();
        assert!(error.reason.contains(reason), "{error}");
    }
}
