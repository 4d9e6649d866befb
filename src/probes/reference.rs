//! [`Reference`]: what a chain's endpoints are checked against: built-in facts, or else the rollup node's own
//! configuration. Pure.
//!
//! Built-in facts win. Without them the first rollup node that follows the chain is the measure for the
//! others: it says what the chain is derived from.

use crate::networks::KnownNetwork;
use crate::sources::{EndpointUrl, SourceError};
use alloy::eips::BlockNumHash;
use alloy::primitives::Address;
use crosscheck_core::consolidation::RollupConfig;
use crosscheck_p2p::ChainId;

/// What a chain is known to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Who says so, in words.
    pub(crate) by: String,
    /// The L1 that it is derived from.
    pub(crate) l1_chain_id: ChainId,
    /// The L1 block that it begins at.
    pub(crate) l1: BlockNumHash,
    /// Its first block.
    pub(crate) l2: BlockNumHash,
    /// Its SystemConfig on L1.
    pub(crate) system_config: Address,
}

impl Reference {
    /// By what is built in, or by the first of these rollup nodes that follows the chain.
    pub(crate) fn of<'a>(
        chain_id: ChainId,
        network: Option<&KnownNetwork>,
        nodes: impl IntoIterator<Item = (&'a EndpointUrl, &'a Result<RollupConfig, SourceError>)>,
    ) -> Option<Self> {
        if let Some(network) = network {
            return Some(Self {
                by: format!("the built-in facts of {}", network.name),
                l1_chain_id: ChainId::from(network.l1_chain_id),
                l1: network.genesis.l1,
                l2: network.genesis.l2,
                system_config: network.system_config,
            });
        }
        let mut reported = nodes.into_iter().filter_map(|(url, config)| Some((url, config.as_ref().ok()?)));
        let (url, config) = reported.find(|(_, config)| config.chain_id == chain_id)?;
        Some(Self {
            by: format!("the rollup node {url}"),
            l1_chain_id: ChainId::from(config.l1_chain_id),
            l1: config.genesis.l1,
            l2: config.genesis.l2,
            system_config: config.system_config,
        })
    }
}
