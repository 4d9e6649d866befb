//! [`Derivation`]: which L1 block an L2 block became safe with, as the chain's own node recorded it.
//!
//! The record is the node's (`optimism_safeHeadAtL1Block`); what it names is checked against the chain and L1
//! as Crosscheck knows them. A node without a record leaves the question open: an error, never a guess.

use super::SupervisorError;
use super::source_search::{SafeHead, first_including};
use super::superchain_reader::SuperchainReader;
use super::supervisor_types::{BlockId, BlockRef};
use crate::sources::{RollupNodes, SourceError};
use crosscheck_core::consolidation::deposits::decode_l1_info;
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::proof::VerifiedBlock;
use crosscheck_p2p::ChainId;

/// JSON-RPC's code of a method that a server does not have.
const METHOD_NOT_FOUND: i32 = -32_601;

/// Answers where blocks were derived from.
#[derive(Clone, Debug)]
pub struct Derivation {
    superchain: SuperchainReader,
}

impl Derivation {
    /// Answers for this superchain.
    pub const fn new(superchain: SuperchainReader) -> Self {
        Self { superchain }
    }

    /// The L1 block that a block of this level, local-safe or safe, became safe with.
    ///
    /// # Errors
    /// If the block is not canonical, not that safe, or its source is not on record.
    pub async fn source_of(
        &self,
        chain_id: ChainId,
        derived: BlockId,
        wanted: SafetyLevel,
    ) -> Result<BlockId, SupervisorError> {
        let what = || format!("the source of block {} of chain {chain_id}", derived.number);
        let canonical = self.superchain.canonical(chain_id, derived.number).await?;
        if canonical.hash != derived.hash {
            let problem = format!(
                "block {} of chain {chain_id} is {}, not {}",
                derived.number, canonical.hash, derived.hash
            );
            return Err(SupervisorError::Conflict { problem });
        }
        if !self.superchain.level_heads(chain_id)?.reaches(derived.number, wanted) {
            return Err(SupervisorError::NotAsSafe { chain_id, number: derived.number, wanted });
        }
        let node = self.node(chain_id)?;
        let synced = self.superchain.node_l1(chain_id, "current_l1");
        let synced = synced.ok_or_else(|| SupervisorError::Uninitialized {
            what: format!("the current L1 block of the node of chain {chain_id}"),
        })?;
        let block = self.superchain.block(chain_id, derived.hash).await?;
        let origin = l1_origin(&block);
        if origin > synced.number {
            return Err(SupervisorError::Future { what: what() });
        }
        let ask = |l1: u64| self.safe_head(node, chain_id, l1);
        let found = first_including(origin..=synced.number, derived.number, ask).await?;
        let found = found.ok_or_else(|| SupervisorError::Skipped {
            what: what(),
            reason: "the node's record of safe heads does not reach back that far".to_owned(),
        })?;
        self.check_head(chain_id, found.safe_head.into()).await?;
        self.check_l1(found.l1_block.into()).await?;
        Ok(found.l1_block.into())
    }

    /// The last block of the chain that was safe with an L1 block.
    ///
    /// # Errors
    /// If the L1 block is not canonical or not synced, or the answer is not on record or not cross-safe.
    pub async fn safe_at(&self, chain_id: ChainId, source: BlockId) -> Result<BlockId, SupervisorError> {
        let node = self.node(chain_id)?;
        let synced = self.superchain.node_l1(chain_id, "current_l1");
        if synced.is_none_or(|synced| synced.number < source.number) {
            let what = format!("what chain {chain_id} derives from L1 block {}", source.number);
            return Err(SupervisorError::Future { what });
        }
        let found = self.safe_head(node, chain_id, source.number).await?;
        let found = found.ok_or_else(|| SupervisorError::Skipped {
            what: format!("the safe head of chain {chain_id} at L1 block {}", source.number),
            reason: "the node's record of safe heads does not reach back that far".to_owned(),
        })?;
        if found.l1_block.number == source.number && found.l1_block.hash != source.hash {
            let problem = format!(
                "L1 block {} is {} to the node of chain {chain_id}, not {}",
                source.number, found.l1_block.hash, source.hash
            );
            return Err(SupervisorError::Conflict { problem });
        }
        let (number, wanted) = (found.safe_head.number, SafetyLevel::Safe);
        self.check_head(chain_id, found.safe_head.into()).await?;
        if !self.superchain.level_heads(chain_id)?.reaches(number, wanted) {
            return Err(SupervisorError::NotAsSafe { chain_id, number, wanted });
        }
        Ok(found.safe_head.into())
    }

    /// An L1 block as L1 itself has it at that height.
    ///
    /// # Errors
    /// If L1 is not configured or does not answer.
    pub async fn l1_block(&self, number: u64) -> Result<BlockRef, SupervisorError> {
        let what = || format!("L1 block {number}");
        let l1 = self.superchain.l1.as_ref().ok_or_else(|| SupervisorError::Skipped {
            what: what(),
            reason: "no L1 endpoint is configured (l1.execution)".to_owned(),
        })?;
        let block = l1.block_by_number(number).await;
        let block = block.map_err(|error| SupervisorError::unproven(what(), &error))?;
        let block = block.ok_or_else(|| SupervisorError::Future { what: what() })?;
        Ok(BlockRef {
            hash: block.hash(),
            number,
            parent_hash: block.header().parent_hash,
            timestamp: block.timestamp().0,
        })
    }

    /// Checks that L1 still has a block, where L1 is configured.
    ///
    /// # Errors
    /// If it has another, or does not answer.
    pub async fn check_l1(&self, named: BlockId) -> Result<(), SupervisorError> {
        if self.superchain.l1.is_none() {
            return Ok(());
        }
        let canonical = self.l1_block(named.number).await?;
        if canonical.hash == named.hash {
            return Ok(());
        }
        Err(SupervisorError::Missed {
            what: format!("L1 block {} ({})", named.number, named.hash),
            reason: format!("L1 has {} at that height", canonical.hash),
        })
    }

    async fn check_head(&self, chain_id: ChainId, head: BlockId) -> Result<(), SupervisorError> {
        let canonical = self.superchain.canonical(chain_id, head.number).await?;
        if canonical.hash == head.hash {
            return Ok(());
        }
        Err(SupervisorError::Missed {
            what: format!("block {} ({}) of chain {chain_id}", head.number, head.hash),
            reason: format!("its endpoints have {} at that height", canonical.hash),
        })
    }

    fn node(&self, chain_id: ChainId) -> Result<&RollupNodes, SupervisorError> {
        let node = self.superchain.sources(chain_id)?.node.as_ref();
        node.ok_or_else(|| SupervisorError::Skipped {
            what: format!("the L1 source of chain {chain_id}"),
            reason: "the chain has no rollup node (rollup_node is not set)".to_owned(),
        })
    }

    async fn safe_head(
        &self,
        node: &RollupNodes,
        chain_id: ChainId,
        l1: u64,
    ) -> Result<Option<SafeHead>, SupervisorError> {
        match node.safe_head_at_l1(l1).await {
            Ok(answer) => Ok(Some(SafeHead { l1_block: answer.l1_block, safe_head: answer.safe_head })),
            // op-node answers so below the first entry of its record.
            Err(SourceError::Refused { code, message, .. })
                if code != METHOD_NOT_FOUND && message.contains("not found") =>
            {
                Ok(None)
            }
            Err(error) => {
                let what = format!("the safe head of chain {chain_id} at L1 block {l1}");
                Err(SupervisorError::unproven(what, &error))
            }
        }
    }
}

/// The height of the L1 block that a block is built on: nothing is derived from below it. A block that names
/// none may come from anywhere.
fn l1_origin(block: &VerifiedBlock) -> u64 {
    let info = block.transactions().first().and_then(|first| decode_l1_info(first).ok());
    info.map_or(0, |info| info.number)
}
