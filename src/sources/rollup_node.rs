//! [`RollupNode`]: what a chain's rollup node says of its heads.
//!
//! Served by op-node, kona-node and op-supernode; fields that only some of them send are optional.

use super::{Endpoint, EndpointLimits, EndpointUrl, SourceError, StatusDocument};
use crate::consolidation::RollupConfig;
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, UnixSeconds};
use jsonrpsee::rpc_params;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The longest rollup configuration that is taken in, in bytes: what nodes send has about 3 KiB.
pub const MAX_ROLLUP_CONFIG_BYTES: usize = 256 * 1024;

/// A reference to an L2 block, as `optimism_syncStatus` gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct L2BlockRef {
    /// The block's hash. All zero: there is none yet.
    pub hash: B256,
    /// Its height.
    pub number: u64,
    /// Its timestamp.
    pub timestamp: UnixSeconds,
}

impl L2BlockRef {
    /// Where it stands.
    pub const fn position(&self) -> BlockNumHash {
        BlockNumHash { number: self.number, hash: self.hash }
    }
}

/// The heads that a rollup node knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct SyncStatus {
    /// The tip of the chain, not yet derived.
    pub unsafe_l2: L2BlockRef,
    /// The cross-safe head; on a node that does not verify messages, the same as local-safe.
    pub safe_l2: L2BlockRef,
    /// The head of what L1 says.
    pub local_safe_l2: Option<L2BlockRef>,
    /// The head of what finalized L1 says.
    pub finalized_l2: L2BlockRef,
}

impl SyncStatus {
    /// The head of what L1 says: nodes from before interop call it safe.
    pub fn local_safe(&self) -> L2BlockRef {
        self.local_safe_l2.unwrap_or(self.safe_l2)
    }
}

#[derive(Deserialize)]
struct FollowedChain {
    l2_chain_id: ChainId,
}

#[derive(Deserialize)]
struct DependencySetAnswer {
    dependencies: BTreeMap<ChainId, serde_json::Value>,
    #[serde(rename = "overrideMessageExpiryWindow")]
    expiry_window: Option<u64>,
}

/// A chain's rollup node.
#[derive(Clone, Debug)]
pub struct RollupNode {
    endpoint: Endpoint,
}

impl RollupNode {
    /// A client of the node at `url`.
    ///
    /// # Errors
    /// If no HTTP client can be made.
    pub fn new(url: EndpointUrl, limits: EndpointLimits) -> Result<Self, SourceError> {
        Ok(Self { endpoint: Endpoint::new(url, limits)? })
    }

    /// Its heads, and all else that it says of them.
    ///
    /// # Errors
    /// If the node does not answer, or with no status.
    pub async fn status(&self) -> Result<StatusDocument, SourceError> {
        const METHOD: &str = "optimism_syncStatus";
        let answer: Box<RawValue> = self.endpoint.call(METHOD, rpc_params![]).await?;
        StatusDocument::read(&answer).map_err(|error| self.endpoint.untrustworthy(METHOD, &error))
    }

    /// The chain's rollup configuration, as the node gives it.
    ///
    /// # Errors
    /// If the node does not answer, or with more than [`MAX_ROLLUP_CONFIG_BYTES`].
    pub async fn rollup_config_document(&self) -> Result<Box<RawValue>, SourceError> {
        const METHOD: &str = "optimism_rollupConfig";
        let config: Box<RawValue> = self.endpoint.call(METHOD, rpc_params![]).await?;
        let length = config.get().len();
        if length > MAX_ROLLUP_CONFIG_BYTES {
            let reason = format!("the configuration has {length} bytes, more than {MAX_ROLLUP_CONFIG_BYTES}");
            return Err(self.endpoint.untrustworthy(METHOD, &reason));
        }
        Ok(config)
    }

    /// Checks that the node follows this chain.
    ///
    /// # Errors
    /// If it does not answer or follows another.
    pub async fn check_chain(&self, chain_id: ChainId) -> Result<(), SourceError> {
        const METHOD: &str = "optimism_rollupConfig";
        let config: FollowedChain = self.endpoint.call(METHOD, rpc_params![]).await?;
        if config.l2_chain_id == chain_id {
            return Ok(());
        }
        let reason = format!("it follows chain {}, not chain {chain_id}", config.l2_chain_id);
        Err(self.endpoint.untrustworthy(METHOD, &reason))
    }

    /// The rollup configuration that it was given.
    ///
    /// # Errors
    /// If the node does not answer, or with a configuration that no chain can have.
    pub async fn rollup_config(&self) -> Result<RollupConfig, SourceError> {
        self.endpoint.call("optimism_rollupConfig", rpc_params![]).await
    }

    /// The dependency set that it was configured with: its chains and its expiry window, if it overrides that.
    ///
    /// # Errors
    /// If the node does not answer; kona-node has no such method.
    pub async fn dependency_set(&self) -> Result<(Vec<ChainId>, Option<u64>), SourceError> {
        let answer: DependencySetAnswer = self.endpoint.call("optimism_dependencySet", rpc_params![]).await?;
        Ok((answer.dependencies.into_keys().collect(), answer.expiry_window))
    }
}
