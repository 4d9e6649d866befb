//! [`NetworkName`]: the name of a network that is compiled in. Anyone who has one can load the network.

use super::{KnownNetwork, NetworkError};
use core::fmt;
use core::str::FromStr;
use crosscheck_p2p::ChainId;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How like a known name an unknown one must be to be offered in its place.
const LIKE: f64 = 0.8;

macro_rules! file {
    ($name:literal) => {
        ($name, include_str!(concat!("registry/", $name, ".toml")))
    };
}

/// Every network, with its file's text: Ethereum's first, then Sepolia's.
const FILES: &[(&str, &str)] = &[
    file!("op-mainnet"),
    file!("unichain"),
    file!("ink"),
    file!("soneium"),
    file!("mode"),
    file!("zora"),
    file!("worldchain"),
    file!("metal"),
    file!("bob"),
    file!("ethernity"),
    file!("binary"),
    file!("op-sepolia"),
    file!("unichain-sepolia"),
    file!("ink-sepolia"),
    file!("soneium-minato"),
    file!("mode-sepolia"),
    file!("zora-sepolia"),
    file!("worldchain-sepolia"),
    file!("metal-sepolia"),
    file!("ethernity-sepolia"),
    file!("creator-chain-testnet"),
];

/// The name of a network that is compiled in, such as `op-mainnet`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkName(&'static str);

/// A text that names no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a known network{}; known networks are {}", suggestion(.like), known())]
pub struct UnknownNetwork {
    /// What was given.
    pub text: String,
    /// The name that is most like it, if one is.
    pub like: Option<NetworkName>,
}

impl NetworkName {
    /// Every name.
    pub fn all() -> impl Iterator<Item = Self> {
        FILES.iter().map(|(name, _)| Self(name))
    }

    /// The name.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The network of this name.
    ///
    /// # Errors
    /// `NetworkError::Malformed` if its file is wrong, which is a fault of this program.
    pub fn network(self) -> Result<KnownNetwork, NetworkError> {
        let text = FILES.iter().find(|(name, _)| *name == self.0).map_or("", |(_, text)| text);
        KnownNetwork::parse(self, text)
    }

    /// The network with this chain id, if there is one.
    pub fn of_chain(chain_id: ChainId) -> Option<Self> {
        Self::all().find(|name| name.network().is_ok_and(|network| network.chain_id == chain_id))
    }
}

impl fmt::Display for NetworkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl FromStr for NetworkName {
    type Err = UnknownNetwork;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::all().find(|name| name.0 == text).ok_or_else(|| {
            let likeness = |name: &Self| strsim::jaro_winkler(name.0, text);
            let most_alike = Self::all().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            let like = most_alike.filter(|name| likeness(name) > LIKE);
            UnknownNetwork { text: text.to_owned(), like }
        })
    }
}

impl<'de> Deserialize<'de> for NetworkName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl Serialize for NetworkName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

fn suggestion(like: &Option<NetworkName>) -> String {
    like.map_or_else(String::new, |name| format!(" (did you mean {name}?)"))
}

fn known() -> String {
    NetworkName::all().map(NetworkName::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_file_is_compiled_in() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/networks/registry");
        let files: BTreeSet<String> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .filter(|name| name != "bootnodes")
            .collect();
        assert_eq!(files, NetworkName::all().map(|name| name.to_string()).collect());
    }

    #[test]
    fn a_network_name_is_read_as_written() {
        for name in NetworkName::all() {
            assert_eq!(name.to_string().parse(), Ok(name));
            assert_eq!(serde_json::from_value::<NetworkName>(name.as_str().into()).unwrap(), name);
        }
    }

    #[test]
    fn a_network_is_found_by_its_chain() {
        assert_eq!(NetworkName::of_chain(ChainId::from(130)), "unichain".parse().ok());
        assert_eq!(NetworkName::of_chain(ChainId::from(901)), None);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = "op-mainet".parse::<NetworkName>().unwrap_err().to_string();
        assert!(error.starts_with("\"op-mainet\" is not a known network"), "{error}");
        assert!(error.contains("did you mean op-mainnet?") && error.contains("soneium-minato"), "{error}");
        assert_eq!("901".parse::<NetworkName>().unwrap_err().like, None);
    }
}
