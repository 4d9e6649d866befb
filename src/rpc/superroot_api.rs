//! `superroot_atTimestamp`, in the shape that op-supernode serves today and op-challenger and op-dispute-mon read.
//!
//! Where op-supernode answers without `data`, so does this: some chain is not verified at the timestamp yet. A chain
//! stands in `optimistic_at_timestamp` only if its output is proven.

use super::SupervisorError;
use super::params::{DecimalChainId, Quantity};
use super::super_root::super_root;
use super::super_roots::{ChainOutput, SuperRoots, decimal, roots};
use super::superchain_reader::SuperchainReader;
use super::supervisor_types::BlockId;
use crate::follow::{L1Origin, L2Ref};
use crate::interop::SafetyLevel;
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, UnixSeconds};
use futures::future::join_all;
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::proc_macros::rpc;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// The `superroot_*` method.
#[rpc(server, namespace = "superroot")]
pub(super) trait SuperRootApi {
    /// The super root at a timestamp, and what it is made of.
    #[method(name = "atTimestamp")]
    async fn at_timestamp(&self, timestamp: Quantity) -> RpcResult<SuperRootAtTimestamp>;
}

/// What the method reads.
#[derive(Clone, Debug)]
pub(super) struct SuperRootRpc {
    /// The chains.
    pub superchain: SuperchainReader,
    /// Super roots.
    pub super_roots: SuperRoots,
}

/// The answer: op-service `eth.SuperRootAtTimestampResponse`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SuperRootAtTimestamp {
    /// The lowest L1 block that any chain's node has come to.
    current_l1: BlockId,
    /// The lowest timestamp of any chain's cross-safe head.
    safe_timestamp: u64,
    /// The lowest timestamp of any chain's local-safe head.
    local_safe_timestamp: u64,
    /// The lowest timestamp of any chain's finalized head.
    finalized_timestamp: u64,
    /// Each chain's output at the timestamp, and the L1 block that it needs.
    optimistic_at_timestamp: BTreeMap<DecimalChainId, OutputWithRequiredL1>,
    /// The chains, ascending.
    chain_ids: Vec<DecimalChainId>,
    /// The super root, once every chain is verified at the timestamp.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<SuperRootData>,
}

#[derive(Clone, Debug, Serialize)]
struct OutputWithRequiredL1 {
    output: OutputResponse,
    required_l1: BlockId,
}

/// An output: op-service `eth.OutputResponse`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputResponse {
    version: B256,
    output_root: B256,
    block_ref: L2Ref,
    withdrawal_storage_root: B256,
    state_root: B256,
    /// The node's status is told by `optimism_syncStatus`, not here.
    sync_status: Option<()>,
}

#[derive(Clone, Debug, Serialize)]
struct SuperRootData {
    /// The L1 block with which every chain is verified.
    verified_required_l1: BlockId,
    #[serde(rename = "super")]
    preimage: SuperV1,
    super_root: B256,
}

#[derive(Clone, Debug, Serialize)]
struct SuperV1 {
    #[serde(serialize_with = "hex_number")]
    timestamp: u64,
    chains: Vec<ChainIdAndOutput>,
}

#[derive(Clone, Debug, Serialize)]
struct ChainIdAndOutput {
    #[serde(rename = "ChainID")]
    chain_id: DecimalChainId,
    #[serde(rename = "Output")]
    output: B256,
}

fn hex_number<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{number:#x}"))
}

#[async_trait]
impl SuperRootApiServer for SuperRootRpc {
    async fn at_timestamp(&self, timestamp: Quantity) -> RpcResult<SuperRootAtTimestamp> {
        Ok(self.answer(UnixSeconds(timestamp.0)).await?)
    }
}

impl SuperRootRpc {
    async fn answer(&self, timestamp: UnixSeconds) -> Result<SuperRootAtTimestamp, SupervisorError> {
        let current_l1 = self.superchain.lowest_node_l1("current_l1");
        let current_l1 = current_l1.ok_or_else(|| SupervisorError::Uninitialized {
            what: "the L1 block that every chain's node has come to".to_owned(),
        })?;
        let chains: Vec<ChainId> = self.superchain.set.chain_ids().collect();
        let outputs = chains.iter().map(|chain_id| self.super_roots.output_at(*chain_id, timestamp));
        let mut proven = Vec::with_capacity(chains.len());
        for output in join_all(outputs).await {
            match output {
                Ok(output) => proven.push(output),
                // Not that far yet is an answer; what cannot be proven is none.
                Err(SupervisorError::Future { .. } | SupervisorError::NotAsSafe { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let data = (proven.len() == chains.len()).then(|| data(timestamp, &proven)).flatten();
        let optimistic = proven
            .iter()
            .filter_map(|chain| Some((DecimalChainId(chain.chain_id), OutputWithRequiredL1::of(chain)?)));
        Ok(SuperRootAtTimestamp {
            current_l1: BlockId { hash: current_l1.hash, number: current_l1.number },
            safe_timestamp: self.lowest(&chains, SafetyLevel::Safe).await?,
            local_safe_timestamp: self.lowest(&chains, SafetyLevel::LocalSafe).await?,
            finalized_timestamp: self.lowest(&chains, SafetyLevel::Finalized).await?,
            optimistic_at_timestamp: optimistic.collect(),
            chain_ids: decimal(chains.iter().copied()),
            data,
        })
    }

    /// The lowest timestamp of any chain's head of this level; 0 if a chain has none yet.
    async fn lowest(&self, chains: &[ChainId], level: SafetyLevel) -> Result<u64, SupervisorError> {
        let mut lowest = None;
        for chain_id in chains {
            let at = match self.superchain.standing(*chain_id)?.head(level) {
                Some(number) => self.superchain.canonical(*chain_id, number).await?.timestamp,
                None => 0,
            };
            lowest = Some(lowest.map_or(at, |lowest: u64| lowest.min(at)));
        }
        Ok(lowest.unwrap_or_default())
    }
}

fn data(timestamp: UnixSeconds, outputs: &[ChainOutput]) -> Option<SuperRootData> {
    let roots = roots(outputs);
    Some(SuperRootData {
        verified_required_l1: outputs.iter().map(|chain| chain.source).max_by_key(|source| source.number)?,
        super_root: super_root(timestamp, &roots),
        preimage: SuperV1 {
            timestamp: timestamp.0,
            chains: roots
                .into_iter()
                .map(|(chain_id, output)| ChainIdAndOutput { chain_id: DecimalChainId(chain_id), output })
                .collect(),
        },
    })
}

impl OutputWithRequiredL1 {
    /// `None`: the block does not tell its L1 origin, without which a client cannot read it.
    fn of(chain: &ChainOutput) -> Option<Self> {
        let (l1_origin, sequence_number): (L1Origin, u64) = chain.origin?;
        let block = &chain.block;
        Some(Self {
            output: OutputResponse {
                version: B256::ZERO,
                output_root: chain.output.root(),
                block_ref: L2Ref {
                    hash: block.hash,
                    number: block.number,
                    parent_hash: block.parent_hash,
                    timestamp: block.timestamp,
                    l1_origin,
                    sequence_number,
                },
                withdrawal_storage_root: chain.output.withdrawals_root,
                state_root: chain.output.state_root,
                sync_status: None,
            },
            required_l1: chain.source,
        })
    }
}
