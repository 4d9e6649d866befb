//! L1, or a chain's unsafe head, is reorged.

use super::effects::{Attested, BlockContent, L1Drop};
use super::fault::ScriptedFault;
use crate::findings::SidecarFinding;
use crate::timing::FIRST_EXECUTING_BLOCK;

/// Many blocks are rebuilt at once after a deep reorg of L1. With a longer block time the oldest would be too
/// old for gossip.
const MAX_BLOCK_TIME: u64 = 4;

pub(super) static L1_REORG: ScriptedFault = ScriptedFault {
    name: "l1-reorg",
    summary: "L1 drops its last two blocks before any block on them is cross-safe, and every chain is rebuilt from there",
    // Before this there are no two blocks to drop.
    earliest_block: 5,
    is_citable: true,
    l1_drop: Some(L1Drop::BelowCrossSafety),
    ..ScriptedFault::NONE
};

pub(super) static L1_REORG_FINAL: ScriptedFault = ScriptedFault {
    name: "l1-reorg-final",
    summary: "L1 drops all blocks that are not final once the block is attested and upheld, and every chain is rebuilt from there",
    // Before this too few blocks are final.
    earliest_block: 15,
    max_block_time: MAX_BLOCK_TIME,
    // Every vouched head must be seen to go back, and an invalid block before it holds it where it is.
    // Besides, all chains wait until everything cross-safe is vouched for, and each builds a dozen blocks
    // again.
    is_drawn: false,
    expected: |chain_id| SidecarFinding::Retracted { chain_id },
    is_citable: true,
    l1_drop: Some(L1Drop::AllButFinal),
    ..ScriptedFault::NONE
};

pub(super) static UNSAFE_REORG: ScriptedFault = ScriptedFault {
    name: "unsafe-reorg",
    summary: "the block is gossiped and becomes the tip, and then another with other transactions takes its height",
    content: BlockContent::BuiltTwice,
    is_citable: true,
    ..ScriptedFault::NONE
};

pub(super) static VERDICT_TAKEN_BACK: ScriptedFault = ScriptedFault {
    name: "verdict-taken-back",
    summary: "a deposits-only block is attested where the derived block was fine; then L1 drops the batch of that block, and the attested block becomes the derived one",
    earliest_block: FIRST_EXECUTING_BLOCK,
    max_block_time: MAX_BLOCK_TIME,
    // All chains wait for the verdict, and until it is withdrawn.
    is_drawn: false,
    expected: |chain_id| SidecarFinding::VerdictWithdrawn { chain_id },
    attested: Attested::DepositsOnlySibling,
    l1_drop: Some(L1Drop::Batch),
    ..ScriptedFault::NONE
};
