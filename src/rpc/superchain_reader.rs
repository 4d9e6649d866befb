//! [`SuperchainReader`]: what the methods read of the chains: the monitor's tracker, and the sources where a
//! proof has to be fetched.
//!
//! A hash leaves here only as that of a block that the chain's endpoints agree on; a head only as far as the
//! tracker has verified the messages below it.

use super::SupervisorError;
use super::front::PathChain;
use super::level_heads::LevelHeads;
use super::supervisor_types::BlockRef;
use crate::audit::Heads;
use crate::follow::L1Ref;
use crate::shared_tracker::SharedTracker;
use crate::sources::{ExecutionClient, L1Client, RollupNodes, StatusDocument};
use alloy::primitives::B256;
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::proof::{LogIndex, VerifiedBlock};
use crosscheck_core::tracker::ObservedBlock;
use crosscheck_core::validity::DependencySet;
use crosscheck_p2p::ChainId;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Where one chain is read from.
#[derive(Clone, Debug)]
pub struct ChainSources {
    /// Its execution clients.
    pub execution: ExecutionClient,
    /// Its rollup nodes. `None`: the chain is monitored only.
    pub node: Option<RollupNodes>,
    /// Seconds between two blocks.
    pub block_time: u64,
}

/// What the methods read of the chains. Clones share it.
#[derive(Clone, Debug)]
pub struct SuperchainReader {
    /// The dependency set.
    pub set: DependencySet,
    /// What the monitor knows.
    pub tracker: SharedTracker,
    /// Proven logs.
    pub index: LogIndex,
    /// What the rollup nodes said last.
    pub heads: Heads,
    /// The chains' sources: those of the dependency set.
    pub chains: BTreeMap<ChainId, ChainSources>,
    /// L1, if it is configured.
    pub l1: Option<L1Client>,
}

impl SuperchainReader {
    /// Where the chain is read from.
    ///
    /// # Errors
    /// If it is not in the dependency set.
    pub(super) fn sources(&self, chain_id: ChainId) -> Result<&ChainSources, SupervisorError> {
        let sources = self.chains.get(&chain_id).filter(|_| self.set.contains(chain_id));
        sources.ok_or(SupervisorError::UnknownChain { chain_id })
    }

    /// The chains of one dependency set: that of the chain which a path names, else the only one that has
    /// several chains, or the only one there is.
    ///
    /// # Errors
    /// If a set or one of its chains is not known, or several sets may be meant.
    pub(super) fn set_at(&self, path: Option<PathChain>) -> Result<BTreeSet<ChainId>, SupervisorError> {
        if let Some(PathChain(chain_id)) = path {
            return Ok(self.set.set_of(chain_id)?);
        }
        let sets = self.set.chain_ids().map(|chain_id| self.set.set_of(chain_id));
        let sets = sets.collect::<Result<BTreeSet<_>, _>>()?;
        let mut of_several = sets.iter().filter(|set| set.len() > 1);
        match (of_several.next(), of_several.next(), sets.first()) {
            (Some(set), None, _) => Ok(set.clone()),
            (None, None, Some(set)) if sets.len() == 1 => Ok(set.clone()),
            (None, None, None) => Err(SupervisorError::Uninitialized { what: "every chain".to_owned() }),
            _ => Err(SupervisorError::Params {
                problem:
                    "several dependency sets are watched; ask at /<chain id>/ of a chain in the intended set"
                        .to_owned(),
            }),
        }
    }

    /// The heads of the chain.
    ///
    /// # Errors
    /// If it is unknown, or nothing is known of it yet.
    pub(super) fn level_heads(&self, chain_id: ChainId) -> Result<LevelHeads, SupervisorError> {
        let tracker = self.tracker.read();
        let view = tracker.chain(chain_id).ok_or(SupervisorError::UnknownChain { chain_id })?;
        LevelHeads::of(view)
            .ok_or_else(|| SupervisorError::Uninitialized { what: format!("the view of chain {chain_id}") })
    }

    /// The canonical block at a height: of the view, or fetched if it is below.
    ///
    /// # Errors
    /// If it is above the tip, or no endpoint proves it.
    pub(super) async fn canonical(
        &self,
        chain_id: ChainId,
        number: u64,
    ) -> Result<BlockRef, SupervisorError> {
        let sources = self.sources(chain_id)?;
        if let Some(block) = self.in_view(chain_id, number)? {
            return Ok(block);
        }
        let what = || format!("block {number} of chain {chain_id}");
        let block = sources.execution.known_block_by_number(number).await;
        let block = block.map_err(|error| SupervisorError::unproven(what(), &error))?;
        let block = block.ok_or_else(|| SupervisorError::Absent { what: what() })?;
        Ok(BlockRef {
            hash: block.hash(),
            number,
            parent_hash: block.header().parent_hash,
            timestamp: block.timestamp().0,
        })
    }

    /// The block of the view at a height. `None`: it is below the view.
    ///
    /// # Errors
    /// If it is above the tip, or there is no view.
    pub(super) fn in_view(
        &self,
        chain_id: ChainId,
        number: u64,
    ) -> Result<Option<BlockRef>, SupervisorError> {
        let tracker = self.tracker.read();
        let view = tracker.chain(chain_id).ok_or(SupervisorError::UnknownChain { chain_id })?;
        let tip = view.tip().map(|tip| tip.key.number);
        let tip = tip.ok_or_else(|| SupervisorError::Uninitialized {
            what: format!("the view of chain {chain_id}"),
        })?;
        if number > tip {
            return Err(SupervisorError::Future { what: format!("block {number} of chain {chain_id}") });
        }
        Ok(view.block(number).map(|block| block_ref(block)))
    }

    /// A block by its hash, with its header and transactions.
    ///
    /// # Errors
    /// If no endpoint proves it.
    pub(super) async fn block(
        &self,
        chain_id: ChainId,
        hash: B256,
    ) -> Result<VerifiedBlock, SupervisorError> {
        let what = || format!("block {hash} of chain {chain_id}");
        let block = self.sources(chain_id)?.execution.block_by_hash(hash).await;
        let block = block.map_err(|error| SupervisorError::unproven(what(), &error))?;
        block.ok_or_else(|| SupervisorError::Absent { what: what() })
    }

    /// Whether the chain's node does not know its head of this level: it has just started, or was reset. A
    /// node that does not answer is another matter: its last answer remains.
    pub(super) fn is_unnamed(&self, chain_id: ChainId, level: SafetyLevel) -> bool {
        let Some(heads) = self.heads.get(chain_id) else { return false };
        match level {
            SafetyLevel::Unsafe | SafetyLevel::CrossUnsafe => false,
            SafetyLevel::LocalSafe => heads.local_safe_l2.is_none(),
            SafetyLevel::Safe => heads.safe_l2.is_none(),
            SafetyLevel::Finalized => heads.finalized_l2.is_none(),
        }
    }

    /// The last answer of the chain's node.
    pub(super) fn last_status(&self, chain_id: ChainId) -> Option<StatusDocument> {
        let answers = self.heads.answers(chain_id)?;
        let answer = answers.borrow();
        Some(answer.as_ref()?.document.clone())
    }

    /// A field of the chain's node's last status that names an L1 block.
    pub(super) fn node_l1(&self, chain_id: ChainId, field: &str) -> Option<L1Ref> {
        Self::l1_in(&self.last_status(chain_id)?, field)
    }

    /// A field of a status that names an L1 block.
    pub(super) fn l1_in(status: &StatusDocument, field: &str) -> Option<L1Ref> {
        L1Ref::deserialize(status.fields().get(field)?).ok().filter(|block| !block.hash.is_zero())
    }

    /// The lowest of a field of these chains' nodes' last statuses that names an L1 block. `None`: a node has
    /// not said it.
    pub(super) fn lowest_node_l1(&self, is_of: impl Fn(ChainId) -> bool, field: &str) -> Option<L1Ref> {
        let nodes = self.chains.iter().filter(|(chain_id, node)| is_of(**chain_id) && node.node.is_some());
        let said = nodes.map(|(chain_id, _)| self.node_l1(*chain_id, field));
        said.collect::<Option<Vec<_>>>()?.into_iter().min_by_key(|block| block.number)
    }
}

/// A block of the view.
pub(super) fn block_ref(block: &ObservedBlock) -> BlockRef {
    BlockRef {
        hash: block.key.hash,
        number: block.key.number,
        parent_hash: block.parent_hash,
        timestamp: block.timestamp.0,
    }
}

impl From<L1Ref> for BlockRef {
    fn from(block: L1Ref) -> Self {
        let L1Ref { hash, number, parent_hash, timestamp } = block;
        Self { hash, number, parent_hash, timestamp }
    }
}
