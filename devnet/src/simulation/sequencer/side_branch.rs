//! [`SideBranch`]: what a chain's nodes serve as the chain while they follow an L1 that is not the L1, and
//! what a lying endpoint serves.

use super::siblings::SIBLING_SALT;
use super::{Sequencer, SequencerError};
use crate::chain::L2Block;
use crate::contracts::EMITTER;
use crate::faults::FaultPlan;
use crate::l1::L1;
use crate::messages::Intent;
use crate::simulation::traffic::Traffic;
use crate::timing::{Schedule, TICKS_PER_L1_BLOCK};
use crosscheck_core::message::{Identifier, Message};
use crosscheck_p2p::ChainId;
use std::sync::Arc;

/// A branch of a chain that is not the chain.
#[derive(Debug)]
pub(super) struct SideBranch {
    /// The L1 that it is built on, if that is not the L1.
    l1: Option<L1>,
    /// Its first height.
    first: u64,
    blocks: Vec<Arc<L2Block>>,
}

impl Sequencer {
    /// What the chain's nodes serve in place of its blocks in a tick, up to the height of its head. `None`:
    /// its own blocks.
    ///
    /// # Errors
    /// When a block of the branch cannot be built.
    pub fn other_branch(
        &mut self,
        tick: u64,
        l1: &L1,
        plan: &FaultPlan,
    ) -> Result<Option<Vec<Arc<L2Block>>>, SequencerError> {
        let Some(planned) = plan.other_branch(self.chain_id(), tick) else {
            self.other_branch = None;
            return Ok(None);
        };
        let mut other_branch = match self.other_branch.take() {
            Some(other_branch) => other_branch,
            None => SideBranch {
                l1: Some(other_l1(l1, planned.block)),
                first: first_height(planned.block),
                blocks: Vec::new(),
            },
        };
        other_branch.follow(l1, &self.schedule)?;
        self.extend_branch(&mut other_branch, l1)?;
        let blocks = other_branch.blocks.clone();
        self.other_branch = Some(other_branch);
        Ok(Some(blocks))
    }

    /// What a lying endpoint serves in place of the chain's blocks from a height on, up to the height of the
    /// head. Each of its blocks executes a message that does not exist.
    ///
    /// # Errors
    /// When a block of the branch cannot be built.
    pub(crate) fn lying_branch(&mut self, first: u64, l1: &L1) -> Result<Vec<Arc<L2Block>>, SequencerError> {
        let current = self.lying_branch.take().filter(|branch| branch.first == first);
        let mut branch = current.unwrap_or(SideBranch { l1: None, first, blocks: Vec::new() });
        self.extend_branch(&mut branch, l1)?;
        let blocks = branch.blocks.clone();
        self.lying_branch = Some(branch);
        Ok(blocks)
    }

    fn extend_branch(&mut self, branch: &mut SideBranch, l1: &L1) -> Result<(), SequencerError> {
        while self.branch_tip_of(branch)?.number() < self.chain.head().number() {
            let block = self.build_on_branch(branch, l1)?;
            branch.blocks.push(block);
        }
        Ok(())
    }

    fn branch_tip_of(&self, branch: &SideBranch) -> Result<Arc<L2Block>, SequencerError> {
        let before = || self.canonical(branch.first.saturating_sub(1));
        branch.blocks.last().map_or_else(before, |tip| Ok(Arc::clone(tip)))
    }

    fn build_on_branch(&mut self, branch: &SideBranch, l1: &L1) -> Result<Arc<L2Block>, SequencerError> {
        let parent = self.branch_tip_of(branch)?;
        let mut traffic = Traffic::new(self.seed ^ SIBLING_SALT, self.chain_id(), parent.hash);
        let mut intents = traffic.private_intents();
        if branch.l1.is_none() {
            intents.push(Intent::Execute(self.absent_message(&parent)));
        }
        let transactions = self.sign(&parent, &intents, &mut traffic)?;
        let origin = self.origin(branch.l1.as_ref().unwrap_or(l1), parent.number().saturating_add(1))?;
        self.chain.build(parent.hash, &origin, &transactions).map_err(|source| self.chain_error(source))
    }

    /// A message past the last log of any block of this chain.
    fn absent_message(&self, block: &L2Block) -> Message {
        let identifier = Identifier {
            origin: EMITTER,
            block_number: block.number(),
            log_index: u32::MAX,
            timestamp: block.timestamp(),
            chain_id: ChainId::from(self.chain_id()),
        };
        Message { identifier, payload_hash: block.hash }
    }
}

impl SideBranch {
    /// Its L1 grows as the real one does.
    fn follow(&mut self, l1: &L1, schedule: &Schedule) -> Result<(), SequencerError> {
        let Some(own) = &mut self.l1 else { return Ok(()) };
        while own.head().number() < l1.head().number() {
            let number = own.head().number().saturating_add(1);
            own.produce(schedule.time_of(number.saturating_mul(TICKS_PER_L1_BLOCK)))?;
        }
        Ok(())
    }
}

/// The first height of the branch: where the epoch of a block begins, so that the block's own origin is
/// another.
fn first_height(block: u64) -> u64 {
    let epoch = block.checked_div(TICKS_PER_L1_BLOCK).unwrap_or_default();
    epoch.saturating_mul(TICKS_PER_L1_BLOCK)
}

/// The L1 without the origin of a block and without what follows it.
fn other_l1(l1: &L1, block: u64) -> L1 {
    let epoch = block.checked_div(TICKS_PER_L1_BLOCK).unwrap_or_default();
    let depth = l1.head().number().saturating_add(1).saturating_sub(epoch);
    l1.other_branch(depth)
}
