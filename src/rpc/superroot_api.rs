//! `superroot_atTimestamp`, as op-supernode serves it and op-challenger, op-dispute-mon and kona read it.
//!
//! | member | what it says |
//! | --- | --- |
//! | `current_l1` | every L1 block below it is derived and verified: what is missing and not safe with those never will be |
//! | `optimistic_at_timestamp` | each chain that L1 leads to the timestamp, verified or not; of a replaced block the original |
//! | `data` | the super root, once every chain is verified; before interop is active, once every chain is derived |
//!
//! A chain is left out of the map only if L1 does not lead it that far. What cannot be proven is an error for
//! the whole answer: a reader takes a chain that is left out for proof.

use super::SupervisorError;
use super::front::PathChain;
use super::l1_progress::L1Progress;
use super::params::{DecimalChainId, Quantity};
use super::super_root::super_root;
use super::super_roots::{ChainOutput, SuperRoots, decimal, roots};
use super::superchain_reader::SuperchainReader;
use super::supervisor_types::{BlockId, HexNumber};
use alloy::primitives::B256;
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::proof::OutputV0;
use crosscheck_p2p::{ChainId, UnixSeconds};
use futures::future::try_join_all;
use jsonrpsee::Extensions;
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::proc_macros::rpc;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The `superroot_*` method.
#[rpc(server, namespace = "superroot")]
pub(super) trait SuperRootApi {
    /// The super root at a timestamp, and what it is made of.
    #[method(name = "atTimestamp", with_extensions)]
    async fn at_timestamp(&self, timestamp: Quantity) -> RpcResult<SuperRootAtTimestamp>;
}

/// What the method reads.
#[derive(Clone, Debug)]
pub(super) struct SuperRootRpc {
    /// The chains.
    pub superchain: SuperchainReader,
    /// Super roots.
    pub super_roots: SuperRoots,
    /// How far the chains are on L1.
    pub progress: L1Progress,
}

/// The answer: op-service `eth.SuperRootAtTimestampResponse`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SuperRootAtTimestamp {
    current_l1: BlockId,
    #[serde(flatten)]
    timestamps: LowestTimestamps,
    optimistic_at_timestamp: BTreeMap<DecimalChainId, OutputWithRequiredL1>,
    chain_ids: Vec<DecimalChainId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<SuperRootData>,
}

/// The lowest timestamp of any chain's head of each level; 0 if a chain has none yet.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct LowestTimestamps {
    safe_timestamp: u64,
    local_safe_timestamp: u64,
    finalized_timestamp: u64,
}

#[derive(Clone, Debug, Serialize)]
struct OutputWithRequiredL1 {
    output: OutputPreimage,
    output_root: B256,
    required_l1: BlockId,
}

/// What an output root is the hash of: op-service `eth.OutputV0`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputPreimage {
    state_root: B256,
    message_passer_storage_root: B256,
    block_hash: B256,
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
    timestamp: HexNumber,
    chains: Vec<ChainIdAndOutput>,
}

#[derive(Clone, Debug, Serialize)]
struct ChainIdAndOutput {
    #[serde(rename = "ChainID")]
    chain_id: DecimalChainId,
    #[serde(rename = "Output")]
    output: B256,
}

#[async_trait]
impl SuperRootApiServer for SuperRootRpc {
    async fn at_timestamp(&self, path: &Extensions, timestamp: Quantity) -> RpcResult<SuperRootAtTimestamp> {
        let chains = self.superchain.set_at(path.get::<PathChain>().copied())?;
        Ok(self.answer(&chains, UnixSeconds(timestamp.0)).await?)
    }
}

impl SuperRootRpc {
    async fn answer(
        &self,
        chains: &BTreeSet<ChainId>,
        timestamp: UnixSeconds,
    ) -> Result<SuperRootAtTimestamp, SupervisorError> {
        // First: what becomes safe meanwhile must not be missing below a newer L1 block.
        let current_l1 = self.progress.of(chains).await?;
        let timestamps = LowestTimestamps::of(&self.superchain, chains).await?;
        let derived = self.derived(chains, timestamp).await?;
        let is_whole = self.is_whole(chains, timestamp, &derived);
        let optimistic = derived.iter().map(|chain| {
            let required = OutputWithRequiredL1::of(&chain.original, chain.source);
            (DecimalChainId(chain.chain_id), required)
        });
        Ok(SuperRootAtTimestamp {
            current_l1,
            timestamps,
            optimistic_at_timestamp: optimistic.collect(),
            chain_ids: decimal(chains),
            data: if is_whole { data(timestamp, &derived) } else { None },
        })
    }

    /// The chains that L1 leads to the timestamp.
    async fn derived(
        &self,
        chains: &BTreeSet<ChainId>,
        timestamp: UnixSeconds,
    ) -> Result<Vec<ChainOutput>, SupervisorError> {
        let outputs = chains.iter().map(|chain_id| self.super_roots.derived_at(*chain_id, timestamp));
        Ok(try_join_all(outputs).await?.into_iter().flatten().collect())
    }

    /// Whether there is a super root of these.
    fn is_whole(&self, chains: &BTreeSet<ChainId>, timestamp: UnixSeconds, derived: &[ChainOutput]) -> bool {
        derived.len() == chains.len()
            && (self.is_before_interop(chains, timestamp) || derived.iter().all(|chain| chain.is_safe))
    }

    /// What the super root at a timestamp is made of, where the answer has one. `None`: it has none yet.
    ///
    /// # Errors
    /// If a part cannot be proven.
    pub(super) async fn outputs(
        &self,
        chains: &BTreeSet<ChainId>,
        timestamp: UnixSeconds,
    ) -> Result<Option<Vec<ChainOutput>>, SupervisorError> {
        let derived = self.derived(chains, timestamp).await?;
        Ok(self.is_whole(chains, timestamp, &derived).then_some(derived))
    }

    /// The timestamp up to which every one of the chains is final. 0: one of them has no final block yet.
    ///
    /// # Errors
    /// If a head cannot be proven.
    pub(super) async fn finalized(&self, chains: &BTreeSet<ChainId>) -> Result<UnixSeconds, SupervisorError> {
        lowest(&self.superchain, chains, SafetyLevel::Finalized).await.map(UnixSeconds)
    }

    /// Whether interop is active on none of the chains: then what L1 says is all there is to verify.
    fn is_before_interop(&self, chains: &BTreeSet<ChainId>, timestamp: UnixSeconds) -> bool {
        let activations = chains.iter().map(|chain_id| self.superchain.set.rules(*chain_id)?.interop_time);
        activations.into_iter().all(|activation| activation.is_some_and(|at| timestamp.0 < at.0))
    }
}

impl LowestTimestamps {
    /// Of these chains.
    ///
    /// # Errors
    /// If a head cannot be proven.
    pub(super) async fn of(
        superchain: &SuperchainReader,
        chains: &BTreeSet<ChainId>,
    ) -> Result<Self, SupervisorError> {
        Ok(Self {
            safe_timestamp: lowest(superchain, chains, SafetyLevel::Safe).await?,
            local_safe_timestamp: lowest(superchain, chains, SafetyLevel::LocalSafe).await?,
            finalized_timestamp: lowest(superchain, chains, SafetyLevel::Finalized).await?,
        })
    }
}

async fn lowest(
    superchain: &SuperchainReader,
    chains: &BTreeSet<ChainId>,
    level: SafetyLevel,
) -> Result<u64, SupervisorError> {
    let mut lowest: Option<u64> = None;
    for chain_id in chains {
        let at = match superchain.level_heads(*chain_id)?.head(level) {
            Some(number) => superchain.canonical(*chain_id, number).await?.timestamp,
            None => 0,
        };
        lowest = Some(lowest.map_or(at, |lowest| lowest.min(at)));
    }
    Ok(lowest.unwrap_or_default())
}

fn data(timestamp: UnixSeconds, outputs: &[ChainOutput]) -> Option<SuperRootData> {
    let roots = roots(outputs);
    Some(SuperRootData {
        verified_required_l1: outputs.iter().map(|chain| chain.source).max_by_key(|source| source.number)?,
        super_root: super_root(timestamp, &roots),
        preimage: SuperV1 {
            timestamp: HexNumber(timestamp.0),
            chains: roots
                .into_iter()
                .map(|(chain_id, output)| ChainIdAndOutput { chain_id: DecimalChainId(chain_id), output })
                .collect(),
        },
    })
}

impl OutputWithRequiredL1 {
    fn of(output: &OutputV0, required_l1: BlockId) -> Self {
        Self {
            output: OutputPreimage {
                state_root: output.state_root,
                message_passer_storage_root: output.withdrawals_root,
                block_hash: output.block_hash,
            },
            output_root: output.root(),
            required_l1,
        }
    }
}
