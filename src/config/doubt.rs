//! [`Doubt`]: what is sound in a configuration, and probably not meant. `check` tells of it, and so does each start.

use super::Config;
use crosscheck_p2p::ChainId;

/// Something that is probably not meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// A chain whose gossip is joined, and that looks for nobody.
    #[error(
        "chain {chain_id} has neither static peers nor discovery: its gossip is not heard unless a peer dials this node; set \
         chains.{chain_id}.p2p.static_peers or chains.{chain_id}.p2p.discovery"
    )]
    NobodyIsHeard {
        /// The chain.
        chain_id: ChainId,
    },
}

impl Config {
    /// What is probably not meant.
    pub fn doubts(&self) -> Vec<Doubt> {
        let joined = self.chains.iter().filter(|(_, chain)| !chain.is_monitored_only());
        let alone =
            joined.filter(|(_, chain)| chain.p2p.static_peers.is_empty() && chain.p2p.discovery.is_none());
        alone.map(|(chain_id, _)| Doubt::NobodyIsHeard { chain_id: *chain_id }).collect()
    }
}
