//! [`Doubt`]: a setting that is valid, and probably not intended. `check` reports it, and so does each start.
//!
//! It rejects nothing: a setting that cannot work is an error.

use super::{Config, FollowMode};
use crate::sources::EndpointUrl;
use alloy::primitives::Address;
use crosscheck_p2p::ChainId;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// A setting that is valid, and probably not intended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// A chain whose gossip is joined, without any way to find peers.
    #[error(
        "chain {chain_id} has neither static peers nor discovery: it receives no gossip unless a peer dials this node; set \
         chains.{chain_id}.p2p.static_peers or chains.{chain_id}.p2p.discovery"
    )]
    NoPeers {
        /// The chain.
        chain_id: ChainId,
    },
    /// Methods that change something, at an address that others can reach.
    #[error(
        "rpc.admin is true and rpc.addr is {addr}, which is not a loopback address: anyone who can reach it can \
         switch the failsafe and block peers without a password; set rpc.addr to a loopback address, or rpc.admin to false"
    )]
    PublicAdmin {
        /// Where it is served.
        addr: SocketAddr,
    },
    /// `~`, which only a shell expands.
    #[error(
        "data_dir begins with \"~\", which only a shell expands: a directory named \"~\" is used; write the full path"
    )]
    HomeDirectory,
    /// One SystemConfig for two chains.
    #[error(
        "chains.{first}.system_config and chains.{second}.system_config are both {address}: each chain has a SystemConfig of its own"
    )]
    SystemConfigTwice {
        /// The chain that comes first.
        first: ChainId,
        /// The other one.
        second: ChainId,
        /// The contract.
        address: Address,
    },
    /// A signer that is set, beside the contract that it would be read from.
    #[error(
        "chains.{chain}.unsafe_block_signer overrides chains.{chain}.system_config: a new signer on L1 is not \
         noticed; remove one of the two"
    )]
    SignerTwice {
        /// The chain, as it is written.
        chain: String,
    },
    /// An address of which the capital letters are not those of its checksum.
    #[error(
        "{key} = {address:?} has a wrong checksum (EIP-55): one of its letters or digits may be mistyped; check it, or write it in \
         lower case"
    )]
    WrongChecksum {
        /// The setting.
        key: String,
        /// What is written.
        address: String,
    },
    /// An address without its usual beginning.
    #[error("{key} = {address:?} does not begin with 0x: it is read as an address; write 0x{address}")]
    WithoutPrefix {
        /// The setting.
        key: String,
        /// What is written.
        address: String,
    },
    /// One server in two places that need different ones.
    #[error("{first} and {second} are both {url}: one of them is probably meant to be another server")]
    ServerTwice {
        /// The setting that comes first.
        first: String,
        /// The other one.
        second: String,
        /// The server.
        url: EndpointUrl,
    },
    /// An upstream that is not used.
    #[error(
        "chains.{chain_id}.follow_upstream is not used: follow.mode is \"off\"; set follow.mode to \"clamp\", or leave it out"
    )]
    UnusedUpstream {
        /// The chain.
        chain_id: ChainId,
    },
    /// Networks of two L1s, and one endpoint of L1.
    #[error(
        "the networks of chains {first} and {second} are on different L1s, and l1.execution is one endpoint: run one crosscheck for each L1"
    )]
    TwoL1s {
        /// A chain.
        first: ChainId,
        /// A chain on another L1.
        second: ChainId,
    },
}

impl Config {
    /// What is probably not intended.
    pub fn doubts(&self) -> Vec<Doubt> {
        let mut doubts = self.written_doubts.clone();
        let admin = self.rpc.admin && !self.rpc.addr.ip().is_loopback();
        doubts.extend(admin.then_some(Doubt::PublicAdmin { addr: self.rpc.addr }));
        doubts.extend(self.data_dir.starts_with("~").then_some(Doubt::HomeDirectory));
        doubts.extend(self.system_configs_twice());
        doubts.extend(self.servers_twice());
        doubts.extend(self.two_l1s());
        for (chain_id, chain) in &self.chains {
            let chain_id = *chain_id;
            let is_idle = self.follow.mode == FollowMode::Off && chain.follow_upstream.is_some();
            doubts.extend(is_idle.then_some(Doubt::UnusedUpstream { chain_id }));
            let is_alone = chain.p2p.static_peers.is_empty() && chain.p2p.discovery.is_none();
            let is_alone = is_alone && !chain.is_monitored_only();
            doubts.extend(is_alone.then_some(Doubt::NoPeers { chain_id }));
        }
        doubts
    }

    fn system_configs_twice(&self) -> Vec<Doubt> {
        let mut seen: BTreeMap<Address, ChainId> = BTreeMap::new();
        let configs =
            self.chains.iter().filter_map(|(chain_id, chain)| Some((*chain_id, chain.system_config?)));
        let twice = configs.filter_map(|(second, address)| {
            let first = *seen.entry(address).or_insert(second);
            (first != second).then_some(Doubt::SystemConfigTwice { first, second, address })
        });
        twice.collect()
    }

    /// One server in two places: an execution client belongs to one chain, and is not a rollup node.
    fn servers_twice(&self) -> Vec<Doubt> {
        let l1 = self.l1.execution.iter().map(|url| ("l1.execution".to_owned(), url));
        let chains = self.chains.iter().flat_map(|(chain_id, chain)| {
            let key = move |name: &str| format!("chains.{chain_id}.{name}");
            let execution = chain.execution.iter().map(move |url| (key("execution"), url));
            execution.chain(chain.rollup_node.urls().iter().map(move |url| (key("rollup_node"), url)))
        });
        let mut seen: Vec<(String, &EndpointUrl)> = Vec::new();
        let mut twice = Vec::new();
        for (second, url) in l1.chain(chains) {
            match seen.iter().find(|(_, known)| *known == url) {
                Some((first, _)) => {
                    twice.push(Doubt::ServerTwice { first: first.clone(), second, url: url.clone() });
                }
                None => seen.push((second, url)),
            }
        }
        twice
    }

    fn two_l1s(&self) -> Option<Doubt> {
        self.l1.execution.as_ref()?;
        let networks = self.chains.iter().filter(|(_, chain)| !chain.is_monitored_only());
        let mut on = networks
            .filter_map(|(chain_id, _)| Some((*chain_id, self.known_network(*chain_id)?.l1_chain_id)));
        let (first, l1) = on.next()?;
        let (second, _) = on.find(|(_, other)| *other != l1)?;
        Some(Doubt::TwoL1s { first, second })
    }
}
