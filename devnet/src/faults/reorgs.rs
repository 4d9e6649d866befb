//! Chains that change their minds: L1, a chain's unsafe head, and a node that follows another fork for a while.

use super::{Fault, L1Drop};
use crate::finding::{Finding, HeldUp};

/// How long the chain's nodes stay on the other fork, in ticks.
const FORK_TICKS: u64 = 8;

/// L1 reorgs out its newest blocks.
#[derive(Debug)]
pub(super) struct L1Reorg;

/// L1 reorgs out the origins of blocks that were attested and upheld.
#[derive(Debug)]
pub(super) struct L1ReorgFinal;

/// The block is built twice, and both are gossiped.
#[derive(Debug)]
pub(super) struct UnsafeReorg;

/// The chain's nodes serve another fork for a while.
#[derive(Debug)]
pub(super) struct SiblingWrongFork;

impl Fault for L1Reorg {
    fn name(&self) -> &'static str {
        "l1-reorg"
    }

    fn summary(&self) -> &'static str {
        "L1 drops its last two blocks before any block on them is cross-safe, and every chain is rebuilt from there"
    }

    fn earliest_block(&self) -> u64 {
        // Before this there are no two blocks to drop.
        5
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::Upheld
    }

    fn reorgs_l1(&self) -> Option<L1Drop> {
        Some(L1Drop::BelowCrossSafety)
    }

    fn is_citable(&self) -> bool {
        true
    }
}

impl Fault for L1ReorgFinal {
    fn name(&self) -> &'static str {
        "l1-reorg-final"
    }

    fn summary(&self) -> &'static str {
        "L1 drops all blocks that are not final once the block is attested and upheld, and every chain is rebuilt from there"
    }

    fn earliest_block(&self) -> u64 {
        // Before this not enough is final that stays.
        15
    }

    fn max_block_time(&self) -> u64 {
        // Of the blocks that are built again at once, the oldest must not be too old for gossip.
        4
    }

    fn expected(&self, chain_id: u64) -> Finding {
        Finding::Retracted { chain_id }
    }

    fn reorgs_l1(&self) -> Option<L1Drop> {
        Some(L1Drop::AllButFinal)
    }

    fn is_citable(&self) -> bool {
        true
    }

    /// Every vouched head must be seen to go back, and any lie before it holds one where it is. Besides, all chains wait until
    /// everything cross-safe is vouched for, and each builds a dozen blocks again.
    fn is_drawn(&self) -> bool {
        false
    }
}

impl Fault for UnsafeReorg {
    fn name(&self) -> &'static str {
        "unsafe-reorg"
    }

    fn summary(&self) -> &'static str {
        "the block is gossiped and the tip, and then another with other transactions takes its height"
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::Upheld
    }

    fn is_rebuilt(&self) -> bool {
        true
    }

    fn is_citable(&self) -> bool {
        true
    }
}

impl Fault for SiblingWrongFork {
    fn name(&self) -> &'static str {
        "sibling-wrong-fork"
    }

    fn summary(&self) -> &'static str {
        "for eight blocks' time the chain's nodes serve a fork on L1 blocks that are not L1's; attested are the honest blocks"
    }

    fn earliest_block(&self) -> u64 {
        // The epoch of the block must not be that of genesis.
        3
    }

    fn expected(&self, chain_id: u64) -> Finding {
        Finding::OpenThenUpheld { chain_id, by: HeldUp::OtherFork }
    }

    fn fork_ticks(&self) -> Option<u64> {
        Some(FORK_TICKS)
    }

    fn is_citable(&self) -> bool {
        true
    }
}
