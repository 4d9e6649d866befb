//! [`Fork`]: what a chain's nodes take for the chain while they follow an L1 that is not the L1.

use super::{Sequencer, SequencerError, siblings::SIBLING_SALT};
use crate::devnet::{
    block::L2Block,
    faults::FaultPlan,
    l1::L1,
    schedule::{Schedule, TICKS_PER_L1_BLOCK},
    superchain::SuperchainError,
    traffic::Traffic,
};
use std::sync::Arc;

/// A branch of a chain on another L1.
#[derive(Debug)]
pub(super) struct Fork {
    l1: L1,
    blocks: Vec<Arc<L2Block>>,
}

impl Sequencer {
    /// What the chain's nodes serve in place of its blocks in a tick, up to the height of its head. `None`: nothing.
    ///
    /// # Errors
    /// When a block of the fork cannot be built.
    pub fn fork(
        &mut self,
        tick: u64,
        l1: &L1,
        plan: &FaultPlan,
    ) -> Result<Option<Vec<Arc<L2Block>>>, SuperchainError> {
        let Some(planned) = plan.fork(self.chain_id(), tick) else {
            self.fork = None;
            return Ok(None);
        };
        let mut fork = match self.fork.take() {
            Some(fork) => fork,
            None => Fork { l1: other_l1(l1, planned.block), blocks: Vec::new() },
        };
        fork.follow(l1, &self.schedule)?;
        let first = first_height(planned.block);
        while self.fork_tip(&fork, first)?.number() < self.chain.head().number() {
            let block = self.build_fork(&fork, first)?;
            fork.blocks.push(block);
        }
        let blocks = fork.blocks.clone();
        self.fork = Some(fork);
        Ok(Some(blocks))
    }

    fn fork_tip(&self, fork: &Fork, first: u64) -> Result<Arc<L2Block>, SequencerError> {
        fork.blocks.last().map_or_else(|| self.canonical(first.saturating_sub(1)), |tip| Ok(Arc::clone(tip)))
    }

    fn build_fork(&mut self, fork: &Fork, first: u64) -> Result<Arc<L2Block>, SequencerError> {
        let parent = self.fork_tip(fork, first)?;
        let mut traffic = Traffic::new(self.seed ^ SIBLING_SALT, self.chain_id(), parent.hash);
        let intents = traffic.private_intents();
        let transactions = self.sign(&parent, &intents, &mut traffic)?;
        let origin = self.origin(&fork.l1, parent.number().saturating_add(1))?;
        self.chain.build(parent.hash, &origin, &transactions).map_err(|source| self.chain_error(source))
    }
}

impl Fork {
    /// Its L1 grows as the real one does.
    fn follow(&mut self, l1: &L1, schedule: &Schedule) -> Result<(), SuperchainError> {
        while self.l1.head().number() < l1.head().number() {
            let number = self.l1.head().number().saturating_add(1);
            self.l1.produce(schedule.time_of(number.saturating_mul(TICKS_PER_L1_BLOCK)))?;
        }
        Ok(())
    }
}

/// The first height of the fork: where the epoch of a block begins, so that the block's own origin is another.
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
