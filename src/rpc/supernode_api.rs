//! `supernode_syncStatus` and `heartbeat_check`, as op-supernode serves them and op-interop-mon reads them.
//!
//! Each chain's status is what its rollup node said last, but for the safe and the finalized head: these are
//! never above what Crosscheck has verified itself.

use super::SupervisorError;
use super::front::PathChain;
use super::l1_progress::L1Progress;
use super::params::DecimalChainId;
use super::starts::Starts;
use super::super_roots::decimal;
use super::superchain_reader::SuperchainReader;
use super::superroot_api::LowestTimestamps;
use super::supervisor_types::BlockId;
use crate::follow::L2Ref;
use alloy::primitives::{B256, FixedBytes};
use crosscheck_core::heads::SafetyLevel;
use crosscheck_p2p::ChainId;
use futures::future::try_join_all;
use jsonrpsee::Extensions;
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::proc_macros::rpc;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;
use tracing::debug;

/// What Go's `eth.SyncStatus` has.
const FIELDS: [&str; 10] = [
    "current_l1",
    "current_l1_finalized",
    "head_l1",
    "safe_l1",
    "finalized_l1",
    "unsafe_l2",
    "safe_l2",
    "finalized_l2",
    "pending_safe_l2",
    "local_safe_l2",
];

/// The heads that are never above Crosscheck's own.
const OWN_HEADS: [(&str, SafetyLevel); 2] =
    [("safe_l2", SafetyLevel::Safe), ("finalized_l2", SafetyLevel::Finalized)];

/// The `supernode_*` method.
#[rpc(server, namespace = "supernode")]
pub(super) trait SupernodeApi {
    /// The heads of the chains of a dependency set.
    #[method(name = "syncStatus", with_extensions)]
    async fn sync_status(&self) -> RpcResult<SupernodeSyncStatus>;
}

/// The `heartbeat_*` method.
#[rpc(server, namespace = "heartbeat")]
pub(super) trait HeartbeatApi {
    /// Four random bytes: the program lives, and no cache answers in its place.
    #[method(name = "check")]
    fn check(&self) -> RpcResult<FixedBytes<4>>;
}

/// What the methods read.
#[derive(Clone, Debug)]
pub(super) struct SupernodeRpc {
    /// The chains.
    pub superchain: SuperchainReader,
    /// Where they begin.
    pub starts: Starts,
    /// How far they are on L1.
    pub progress: L1Progress,
}

/// The answer: op-service `eth.SuperNodeSyncStatusResponse`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SupernodeSyncStatus {
    chains: BTreeMap<DecimalChainId, Map<String, Value>>,
    chain_ids: Vec<DecimalChainId>,
    current_l1: BlockId,
    #[serde(flatten)]
    timestamps: LowestTimestamps,
}

impl HeartbeatApiServer for SupernodeRpc {
    fn check(&self) -> RpcResult<FixedBytes<4>> {
        // The standard library's own random keys: enough for bytes that only have to differ.
        let [a, b, c, d, ..] = RandomState::new().hash_one(()).to_be_bytes();
        Ok(FixedBytes([a, b, c, d]))
    }
}

#[async_trait]
impl SupernodeApiServer for SupernodeRpc {
    async fn sync_status(&self, path: &Extensions) -> RpcResult<SupernodeSyncStatus> {
        let chains = self.superchain.set_at(path.get::<PathChain>().copied())?;
        Ok(self.status(&chains).await?)
    }
}

impl SupernodeRpc {
    async fn status(&self, chains: &BTreeSet<ChainId>) -> Result<SupernodeSyncStatus, SupervisorError> {
        let current_l1 = self.progress.of(chains).await?;
        let statuses = chains.iter().copied().map(|chain_id| async move {
            Ok::<_, SupervisorError>((DecimalChainId(chain_id), self.chain_status(chain_id).await?))
        });
        Ok(SupernodeSyncStatus {
            chains: try_join_all(statuses).await?.into_iter().collect(),
            chain_ids: decimal(chains),
            current_l1,
            timestamps: LowestTimestamps::of(&self.superchain, chains).await?,
        })
    }

    async fn chain_status(&self, chain_id: ChainId) -> Result<Map<String, Value>, SupervisorError> {
        let said = self.superchain.last_status(chain_id).ok_or_else(|| SupervisorError::Uninitialized {
            what: format!("the status of the node of chain {chain_id}"),
        })?;
        let heads = self.superchain.level_heads(chain_id)?;
        let fields = said.fields().iter().filter(|(name, _)| FIELDS.contains(&name.as_str()));
        let mut status: Map<String, Value> =
            fields.map(|(name, value)| (name.clone(), value.clone())).collect();
        let node_heads = said.heads();
        for (field, level) in OWN_HEADS {
            let node = if level == SafetyLevel::Safe { node_heads.safe_l2 } else { node_heads.finalized_l2 };
            let own = heads.head(level);
            if let Some(node) = node.filter(|node| own.is_none_or(|own| own < node.number)) {
                debug!(%chain_id, %level, node = node.number, ?own, "node's head is not verified yet");
                let own = match own {
                    Some(own) => json!(self.reference(chain_id, own).await?),
                    None => no_block(),
                };
                status.insert(field.to_owned(), own);
            }
        }
        Ok(status)
    }

    async fn reference(&self, chain_id: ChainId, number: u64) -> Result<L2Ref, SupervisorError> {
        let canonical = self.superchain.canonical(chain_id, number).await?;
        let block = self.superchain.block(chain_id, canonical.hash).await?;
        let genesis = self.starts.of(chain_id).await?.genesis;
        L2Ref::of_block(&block, &genesis).map_err(|error| SupervisorError::Skipped {
            what: format!("block {number} of chain {chain_id}"),
            reason: error.to_string(),
        })
    }
}

/// Go's zero: there is none.
fn no_block() -> Value {
    json!({
        "hash": B256::ZERO, "number": 0, "parentHash": B256::ZERO, "timestamp": 0,
        "l1origin": { "hash": B256::ZERO, "number": 0 }, "sequenceNumber": 0,
    })
}
