//! Messages that are as good as the block that they cite: and that block is bad, or goes.

use super::role::{Act, Fate, Role};
use super::{Companion, Hold};
use crate::finding::Finding;
use crate::message_finding::{ExpectedMessage, ExpectedStatus};
use crate::schedule::TICKS_PER_L1_BLOCK;

/// The block cites one that executes an invalid message. Both are attested all the same.
pub(super) static TRANSITIVE_INVALID: Role = Role {
    name: "transitive-invalid",
    summary: "the block cites a good log of the next chain's block before it, which executes an invalid message; both are still attested",
    chains: 2,
    companions: |block| vec![Companion { fault: &TAINTED, chain: 1, block: block.saturating_sub(1) }],
    acts: &[Act::Execute { part: 1, place: 0 }],
    finding: || Finding::invalid_message("initiating-block-invalid"),
    message: Some(ExpectedMessage::invalid("initiating-block-invalid")),
    ..Role::FINE
};

static TAINTED: Role = Role {
    name: "transitive-invalid",
    acts: &[Act::Emit],
    executes_absent: true,
    finding: || Finding::invalid_message("log-not-found"),
    message: Some(ExpectedMessage::invalid("log-not-found")),
    ..Role::FINE
};

/// The block cites one that is replaced, and so it must be replaced too.
pub(super) static REMOTE_REPLACEMENT: Role = Role {
    name: "remote-replacement",
    summary: "the block cites a good log of the next chain's block before it, which executes an invalid message and is replaced; so is the block",
    chains: 2,
    companions: |block| vec![Companion { fault: &REPLACED, chain: 1, block: block.saturating_sub(1) }],
    acts: &[Act::Execute { part: 1, place: 0 }],
    fate: Fate::Replaced,
    finding: || Finding::UpheldReplacement,
    message: Some(ExpectedMessage::resolved("initiating-block-invalid")),
    hold: Hold::Judged,
    ..Role::FINE
};

static REPLACED: Role = Role {
    name: "remote-replacement",
    acts: &[Act::Emit],
    executes_absent: true,
    fate: Fate::Replaced,
    finding: || Finding::UpheldReplacement,
    message: Some(ExpectedMessage::resolved("log-not-found")),
    hold: Hold::Judged,
    ..Role::FINE
};

/// The block cites an unsafe one that its chain then builds again without what is cited.
pub(super) static REMOTE_REORG: Role = Role {
    name: "remote-reorg",
    summary: "the block executes a message of the next chain's unsafe block, which that chain then rebuilds without \
              it; the block is replaced",
    chains: 2,
    companions: |block| vec![Companion { fault: &DROPPED, chain: 1, block: still_unsafe(block) }],
    acts: &[Act::Execute { part: 1, place: 0 }],
    fate: Fate::Replaced,
    finding: || Finding::UpheldReplacement,
    message: Some(ExpectedMessage {
        status: ExpectedStatus::Invalid("payload-mismatch"),
        undeclared: false,
        flipped: true,
        ending: "resolved",
    }),
    hold: Hold::Valid,
    ..Role::FINE
};

static DROPPED: Role = Role { name: "remote-reorg", acts: &[Act::Emit], fate: Fate::Dropped, ..Role::FINE };

/// The newest height before a block, or else its own, that no L1 block has brought when the block has been built: an L1
/// block comes before the L2 blocks of its tick, and brings all that were built before.
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
    fn what_is_cited_is_unsafe_when_it_goes(#[case] block: u64, #[case] cited: u64) {
        assert_eq!(still_unsafe(block), cited);
        // The L1 blocks of the ticks up to the executing block's have not brought it.
        let brought = block / TICKS_PER_L1_BLOCK * TICKS_PER_L1_BLOCK;
        assert!(cited >= brought);
    }
}
