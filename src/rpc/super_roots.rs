//! [`SuperRoots`]: the state of all chains at one timestamp, from verified headers.
//!
//! A chain's block at a timestamp is its last one at or before it, as op-supernode counts: heights follow from the block
//! time, and the header's timestamp proves the height.

use super::params::{DecimalChainId, HexChainId};
use super::super_root::{SUPER_ROOT_VERSION, output_of, super_root};
use super::superchain_reader::SuperchainReader;
use super::supervisor_types::{BlockId, BlockRef, ChainRootInfo, SuperRootResponse};
use super::{Derivation, SupervisorError};
use crate::consolidation::OutputV0;
use crate::follow::L1Origin;
use crate::interop::SafetyLevel;
use crosscheck_p2p::{ChainId, UnixSeconds};
use futures::future::try_join_all;
use std::collections::BTreeMap;

/// Computes super roots.
#[derive(Clone, Debug)]
pub struct SuperRoots {
    superchain: SuperchainReader,
    derivation: Derivation,
}

/// One chain's block at a timestamp.
#[derive(Clone, Debug)]
pub(super) struct ChainOutput {
    /// The chain.
    pub chain_id: ChainId,
    /// The block.
    pub block: BlockRef,
    /// What its output root is made of.
    pub output: OutputV0,
    /// The L1 block that it became safe with.
    pub source: BlockId,
    /// The block's L1 origin and its place among the blocks of that origin, where it tells them.
    pub origin: Option<(L1Origin, u64)>,
}

impl SuperRoots {
    /// Super roots of this superchain.
    pub const fn new(superchain: SuperchainReader, derivation: Derivation) -> Self {
        Self { superchain, derivation }
    }

    /// The super root at a timestamp at which every chain is cross-safe.
    ///
    /// # Errors
    /// If a chain is not that far, or a part cannot be proven.
    pub async fn cross_safe_at(&self, timestamp: UnixSeconds) -> Result<SuperRootResponse, SupervisorError> {
        let outputs = self.superchain.set.chain_ids().map(|chain_id| self.output_at(chain_id, timestamp));
        let outputs = try_join_all(outputs).await?;
        let source = outputs.iter().map(|output| output.source).max_by_key(|source| source.number);
        let source =
            source.ok_or_else(|| SupervisorError::Uninitialized { what: "every chain".to_owned() })?;
        Ok(SuperRootResponse {
            cross_safe_derived_from: source,
            timestamp: timestamp.0,
            super_root: super_root(timestamp, &roots(&outputs)),
            version: SUPER_ROOT_VERSION,
            chains: outputs
                .iter()
                .map(|chain| ChainRootInfo {
                    chain_id: HexChainId(chain.chain_id),
                    canonical: chain.output.root(),
                    pending: chain.output.preimage().to_vec().into(),
                })
                .collect(),
        })
    }

    /// One chain's output at a timestamp.
    ///
    /// # Errors
    /// If it is not cross-safe there, or cannot be proven.
    pub(super) async fn output_at(
        &self,
        chain_id: ChainId,
        timestamp: UnixSeconds,
    ) -> Result<ChainOutput, SupervisorError> {
        let block = self.block_at(chain_id, timestamp).await?;
        let wanted = SafetyLevel::Safe;
        if !self.superchain.standing(chain_id)?.reaches(block.number, wanted) {
            return Err(SupervisorError::NotAsSafe { chain_id, number: block.number, wanted });
        }
        let source = self.derivation.source_of(chain_id, block.id(), wanted).await?;
        let verified = self.superchain.block(chain_id, block.hash).await?;
        let output = output_of(&verified).ok_or_else(|| SupervisorError::Skipped {
            what: format!("the output root of block {} of chain {chain_id}", block.number),
            reason: "its header is from before Isthmus and holds no withdrawals root".to_owned(),
        })?;
        let info = verified.transactions().first();
        let info = info.and_then(|first| crate::consolidation::deposits::decode_l1_info(first).ok());
        let origin =
            info.map(|info| (L1Origin { hash: info.hash, number: info.number }, info.sequence_number));
        Ok(ChainOutput { chain_id, block, output, source, origin })
    }

    /// The chain's last block at or before a timestamp.
    async fn block_at(&self, chain_id: ChainId, timestamp: UnixSeconds) -> Result<BlockRef, SupervisorError> {
        let what = || format!("the block of chain {chain_id} at {}", timestamp.0);
        let block_time = self.superchain.sources(chain_id)?.block_time.max(1);
        let (tip, at) = self.superchain.standing(chain_id)?.tip;
        let number = match at.0.checked_sub(timestamp.0) {
            Some(before) => tip.checked_sub(before.div_ceil(block_time)),
            None if timestamp.0.saturating_sub(at.0) < block_time => Some(tip),
            None => return Err(SupervisorError::Future { what: what() }),
        };
        let number = number.ok_or_else(|| SupervisorError::Skipped {
            what: what(),
            reason: "the chain did not exist yet".to_owned(),
        })?;
        let block = self.superchain.canonical(chain_id, number).await?;
        if block.timestamp <= timestamp.0 && timestamp.0.saturating_sub(block.timestamp) < block_time {
            return Ok(block);
        }
        Err(SupervisorError::Skipped {
            what: what(),
            reason: format!(
                "block {number} has timestamp {}: the chain's blocks are not {block_time} s apart",
                block.timestamp
            ),
        })
    }
}

/// The output roots by chain.
pub(super) fn roots(outputs: &[ChainOutput]) -> BTreeMap<ChainId, alloy::primitives::B256> {
    outputs.iter().map(|chain| (chain.chain_id, chain.output.root())).collect()
}

/// The ids of these chains as Go writes them.
pub(super) fn decimal(chains: impl Iterator<Item = ChainId>) -> Vec<DecimalChainId> {
    chains.map(DecimalChainId).collect()
}
