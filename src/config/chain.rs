//! [`ChainConfig`]: one chain, its endpoints and who speaks for it.

use super::{NodeList, P2pConfig, Seconds};
use crate::sources::EndpointUrl;
use alloy::primitives::Address;
use crosscheck_core::consolidation::ReplacementRule;
use crosscheck_core::heads::SafeMeans;
use crosscheck_core::validity::ChainRules;
use crosscheck_p2p::{ChainId, UnixSeconds};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

/// One chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainConfig {
    /// Its execution clients.
    pub execution: Vec<EndpointUrl>,
    /// How many execution clients must agree on which block is canonical. Unset: more than half of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<usize>,
    /// Its rollup nodes, which derive the chain from L1. Unset: the chain is only monitored.
    #[serde(default, skip_serializing_if = "NodeList::is_empty")]
    pub rollup_node: NodeList,
    /// What it means that the rollup nodes, or without one an execution client's label, call a block safe. Unset: it is
    /// learnt from the rollup node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safe_means: Option<SafeMeans>,
    /// Seconds between two blocks.
    pub block_time: u64,
    /// When interop activates, in seconds since 1970. Unset: what the rollup node says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interop_time: Option<u64>,
    /// The chains whose messages it may execute; itself always is one. Unset: what the rollup node says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependency_set: Option<BTreeSet<ChainId>>,
    /// Its SystemConfig on L1, which names the unsafe block signer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_config: Option<Address>,
    /// The unsafe block signer, in place of what L1 names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsafe_block_signer: Option<Address>,
    /// Who signs cross-safe attestations. Unset: the unsafe block signer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attester: Option<Address>,
    /// What takes the place of an invalid block.
    #[serde(default)]
    pub replacement: ReplacementRule,
    /// Whose status is clamped for followers. Unset: the rollup node's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_upstream: Option<EndpointUrl>,
    /// How long its unsafe head and its execution clients' latest block may be stalled.
    #[serde(default = "unsafe_stall")]
    pub unsafe_stall: Seconds,
    /// How long its local-safe and its safe head may be stalled.
    #[serde(default = "safe_stall")]
    pub safe_stall: Seconds,
    /// How long L1 may be stalled, as its rollup node and `l1.execution` have it.
    #[serde(default = "l1_stall")]
    pub l1_stall: Seconds,
    /// How long its vouched head may be stalled below its local-safe head, once anything was attested.
    #[serde(default = "vouched_stall")]
    pub vouched_stall: Seconds,
    /// Its gossip.
    #[serde(default)]
    pub p2p: P2pConfig,
}

/// Thirty blocks of two seconds.
const fn unsafe_stall() -> Seconds {
    Seconds(Duration::from_secs(60))
}

/// Chains with little traffic post batches rarely.
const fn safe_stall() -> Seconds {
    Seconds(Duration::from_secs(60 * 60))
}

/// Fifteen slots.
const fn l1_stall() -> Seconds {
    Seconds(Duration::from_secs(3 * 60))
}

/// Longer than what one chain's batches are usually held up by another's.
const fn vouched_stall() -> Seconds {
    Seconds(Duration::from_secs(10 * 60))
}

impl ChainConfig {
    /// How many execution clients must agree on which block is canonical.
    pub fn quorum(&self) -> usize {
        let majority = (self.execution.len() / 2).saturating_add(1);
        self.quorum.unwrap_or(majority)
    }

    /// What is set of its interop rules.
    pub(super) fn rules(&self, chain_id: ChainId) -> ChainRules {
        let with_itself = |set: &BTreeSet<ChainId>| set.iter().copied().chain([chain_id]).collect();
        ChainRules {
            block_time: self.block_time,
            interop_time: self.interop_time.map(UnixSeconds),
            dependencies: self.dependency_set.as_ref().map(with_itself),
        }
    }

    /// Whether only its messages are tracked, from its execution clients: there is no gossip, no audit and nothing
    /// to follow.
    pub const fn is_monitored_only(&self) -> bool {
        self.rollup_node.is_empty()
    }
}
