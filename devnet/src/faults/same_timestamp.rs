//! Blocks of one timestamp that cite each other: validly, or in a cycle.
//!
//! A cycle is one of logs: a message is executed before the log is written that, on the other chain, must
//! have been written before the one that is executed. Blocks that cite each other's earlier logs are not a
//! cycle.

use super::companion::Companion;
use super::effects::{Fate, ReplacementCourse, WaitFor};
use super::fault::OpeningAction::{Emit, Execute};
use super::fault::ScriptedFault;
use crate::findings::{ExpectedMessage, SidecarFinding};

/// A block executes a message of another chain's block of the same timestamp.
pub(super) static SAME_TIMESTAMP: ScriptedFault = ScriptedFault {
    name: "same-timestamp-message",
    summary: "the block executes a message of the next chain's block at the same timestamp, which is valid",
    chains: 2,
    companions: |block| vec![beside(&SAME_TIMESTAMP_CITED, 1, block)],
    opening: &[Execute { part: 1, place: 0 }],
    expected_message: Some(ExpectedMessage::VALID),
    is_citable: true,
    ..ScriptedFault::OF_SEVERAL_BLOCKS
};

static SAME_TIMESTAMP_CITED: ScriptedFault = ScriptedFault {
    name: "same-timestamp-message",
    opening: &[Emit],
    is_citable: true,
    ..ScriptedFault::OF_SEVERAL_BLOCKS
};

/// Two blocks of a timestamp execute a message of each other, each after it was initiated.
pub(super) static SAME_TIMESTAMP_MUTUAL: ScriptedFault = ScriptedFault {
    name: "same-timestamp-mutual",
    summary: "the block and the next chain's at the same timestamp each execute a message that the other initiated before; both are valid",
    chains: 2,
    companions: |block| vec![beside(&SAME_TIMESTAMP_MUTUAL_OTHER, 1, block)],
    opening: &[Emit, Execute { part: 1, place: 0 }],
    expected_message: Some(ExpectedMessage::VALID),
    is_citable: true,
    ..ScriptedFault::OF_SEVERAL_BLOCKS
};

static SAME_TIMESTAMP_MUTUAL_OTHER: ScriptedFault = ScriptedFault {
    name: "same-timestamp-mutual",
    opening: &[Emit, Execute { part: 0, place: 0 }],
    expected_message: Some(ExpectedMessage::VALID),
    is_citable: true,
    ..ScriptedFault::OF_SEVERAL_BLOCKS
};

const IN_CYCLE: ScriptedFault = ScriptedFault {
    fate: Fate::Replaced(ReplacementCourse::AtOnce),
    expected: |_| SidecarFinding::UpheldReplacement,
    expected_message: Some(ExpectedMessage::resolved("cycle")),
    waits_for: WaitFor::Judged,
    ..ScriptedFault::OF_SEVERAL_BLOCKS
};

/// Two blocks of a timestamp in a cycle. Both are replaced.
pub(super) static CYCLE_TWO: ScriptedFault = ScriptedFault {
    name: "message-cycle-two",
    summary: "the block and the next chain's at the same timestamp each execute a message that the other initiates after its own execution; both are replaced",
    chains: 2,
    companions: |block| vec![beside(&CYCLE_TWO_OTHER, 1, block)],
    opening: &[Execute { part: 1, place: 1 }, Emit],
    ..IN_CYCLE
};

static CYCLE_TWO_OTHER: ScriptedFault =
    ScriptedFault { name: "message-cycle-two", opening: &[Execute { part: 0, place: 1 }, Emit], ..IN_CYCLE };

/// Three blocks of a timestamp in a cycle. All are replaced.
pub(super) static CYCLE_THREE: ScriptedFault = ScriptedFault {
    name: "message-cycle-three",
    summary: "as message-cycle-two, but around three chains; all three blocks are replaced",
    chains: 3,
    companions: |block| vec![beside(&CYCLE_THREE_SECOND, 1, block), beside(&CYCLE_THREE_THIRD, 2, block)],
    opening: &[Execute { part: 1, place: 1 }, Emit],
    ..IN_CYCLE
};

static CYCLE_THREE_SECOND: ScriptedFault = ScriptedFault {
    name: "message-cycle-three",
    opening: &[Execute { part: 2, place: 1 }, Emit],
    ..IN_CYCLE
};

static CYCLE_THREE_THIRD: ScriptedFault = ScriptedFault {
    name: "message-cycle-three",
    opening: &[Execute { part: 0, place: 1 }, Emit],
    ..IN_CYCLE
};

const ATTESTED_IN_CYCLE: ScriptedFault = ScriptedFault {
    expected: |_| SidecarFinding::invalid_message("cycle"),
    expected_message: Some(ExpectedMessage::invalid("cycle")),
    ..ScriptedFault::OF_SEVERAL_BLOCKS
};

/// Two blocks of a timestamp in a cycle, still attested.
pub(super) static CYCLE_ATTESTED: ScriptedFault = ScriptedFault {
    name: "message-cycle-attested",
    summary: "as message-cycle-two, but both blocks stay and are still attested",
    chains: 2,
    companions: |block| vec![beside(&CYCLE_ATTESTED_OTHER, 1, block)],
    opening: &[Execute { part: 1, place: 1 }, Emit],
    ..ATTESTED_IN_CYCLE
};

static CYCLE_ATTESTED_OTHER: ScriptedFault = ScriptedFault {
    name: "message-cycle-attested",
    opening: &[Execute { part: 0, place: 1 }, Emit],
    ..ATTESTED_IN_CYCLE
};

/// Another chain's block at the same height, which has the same timestamp.
fn beside(fault: &'static ScriptedFault, chain: usize, block: u64) -> Companion {
    Companion { fault, chain, block }
}
