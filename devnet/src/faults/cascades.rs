//! Messages that are only as valid as the block that they cite, and that block is invalid or removed.

use super::companion::Companion;
use super::effects::{Fate, ReplacementCourse, WaitFor};
use super::fault::OpeningAction::{Emit, Execute};
use super::fault::ScriptedFault;
use super::messages::absent_message;
use crate::findings::{ExpectedMessage, ExpectedStatus, SidecarFinding};
use crate::timing::TICKS_PER_L1_BLOCK;

/// The block cites one that executes an invalid message. Both are still attested.
pub(super) static TRANSITIVE_INVALID: ScriptedFault = ScriptedFault {
    name: "transitive-invalid",
    summary: "the block cites an existing log of the next chain's block before it, which executes an invalid message; both are still attested",
    chains: 2,
    companions: |block| vec![Companion { fault: &INVALID_CITED, chain: 1, block: block.saturating_sub(1) }],
    opening: &[Execute { part: 1, place: 0 }],
    expected: |_| SidecarFinding::invalid_message("initiating-block-invalid"),
    expected_message: Some(ExpectedMessage::invalid("initiating-block-invalid")),
    ..ScriptedFault::OF_SEVERAL_BLOCKS
};

static INVALID_CITED: ScriptedFault = ScriptedFault {
    name: "transitive-invalid",
    opening: &[Emit],
    message: Some(absent_message),
    expected: |_| SidecarFinding::invalid_message("log-not-found"),
    expected_message: Some(ExpectedMessage::invalid("log-not-found")),
    ..ScriptedFault::OF_SEVERAL_BLOCKS
};

/// The block cites one that is replaced, and so it must be replaced too.
pub(super) static REMOTE_REPLACEMENT: ScriptedFault = ScriptedFault {
    name: "remote-replacement",
    summary: "the block cites an existing log of the next chain's block before it, which executes an invalid message and is replaced; so is the block",
    chains: 2,
    companions: |block| vec![Companion { fault: &REPLACED_CITED, chain: 1, block: block.saturating_sub(1) }],
    opening: &[Execute { part: 1, place: 0 }],
    fate: Fate::Replaced(ReplacementCourse::AtOnce),
    expected: |_| SidecarFinding::UpheldReplacement,
    expected_message: Some(ExpectedMessage::resolved("initiating-block-invalid")),
    waits_for: WaitFor::Judged,
    ..ScriptedFault::OF_SEVERAL_BLOCKS
};

static REPLACED_CITED: ScriptedFault = ScriptedFault {
    name: "remote-replacement",
    opening: &[Emit],
    message: Some(absent_message),
    fate: Fate::Replaced(ReplacementCourse::AtOnce),
    expected: |_| SidecarFinding::UpheldReplacement,
    expected_message: Some(ExpectedMessage::resolved("log-not-found")),
    waits_for: WaitFor::Judged,
    ..ScriptedFault::OF_SEVERAL_BLOCKS
};

/// The block cites an unsafe one that its chain then builds again without what is cited.
pub(super) static REMOTE_REORG: ScriptedFault = ScriptedFault {
    name: "remote-reorg",
    summary: "the block executes a message of the next chain's unsafe block, which that chain then rebuilds without \
              it; the block is replaced",
    chains: 2,
    companions: |block| vec![Companion { fault: &DROPPED_CITED, chain: 1, block: still_unsafe(block) }],
    opening: &[Execute { part: 1, place: 0 }],
    fate: Fate::Replaced(ReplacementCourse::AtOnce),
    expected: |_| SidecarFinding::UpheldReplacement,
    expected_message: Some(ExpectedMessage {
        status: ExpectedStatus::Invalid("payload-mismatch"),
        undeclared: false,
        flipped: true,
        ending: "resolved",
    }),
    waits_for: WaitFor::Valid,
    ..ScriptedFault::OF_SEVERAL_BLOCKS
};

/// What takes the place of a dropped block is as good as any other.
static DROPPED_CITED: ScriptedFault = ScriptedFault {
    name: "remote-reorg",
    opening: &[Emit],
    fate: Fate::Dropped,
    is_citable: true,
    ..ScriptedFault::OF_SEVERAL_BLOCKS
};

/// The newest height before a block, or else its own, whose batch is in no L1 block when the block has been
/// built: an L1 block comes before the L2 blocks of its tick, and has the batches of all that were built
/// before.
const fn still_unsafe(block: u64) -> u64 {
    if block.is_multiple_of(TICKS_PER_L1_BLOCK) { block } else { block.saturating_sub(1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::built_with_the_l1_block(30, 30)]
    #[case::right_after_it(31, 30)]
    #[case::right_before_the_next(32, 31)]
    fn the_cited_block_is_unsafe_when_it_is_dropped(#[case] block: u64, #[case] cited: u64) {
        assert_eq!(still_unsafe(block), cited);
        // The L1 blocks up to the executing block's tick do not have its batch.
        let derived = block / TICKS_PER_L1_BLOCK * TICKS_PER_L1_BLOCK;
        assert!(cited >= derived);
    }
}
