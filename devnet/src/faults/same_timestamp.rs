//! Blocks of one timestamp that cite each other: lawfully, or in a cycle.
//!
//! A cycle is one of logs: a message is executed before the log is written that, on the other chain, must have been
//! written before the one that is executed. Blocks that cite each other's earlier logs are not a cycle.

use super::role::{Act, Fate, Role};
use super::{Companion, Fault, Hold};
use crate::finding::Finding;
use crate::message_finding::ExpectedMessage;

/// A block executes a message of another chain's block of the same timestamp.
pub(super) static SAME_TIMESTAMP: Role = Role {
    name: "same-timestamp-message",
    summary: "the block executes a message of the next chain's block at the same timestamp, which is valid",
    chains: 2,
    companions: |block| vec![beside(&CITED, 1, block)],
    acts: &[Act::Execute { part: 1, place: 0 }],
    message: Some(ExpectedMessage::VALID),
    ..Role::FINE
};

static CITED: Role = Role { name: "same-timestamp-message", acts: &[Act::Emit], ..Role::FINE };

/// Two blocks of a timestamp execute a message of each other, each after it was initiated.
pub(super) static SAME_TIMESTAMP_MUTUAL: Role = Role {
    name: "same-timestamp-mutual",
    summary: "the block and the next chain's at the same timestamp each execute a message that the other initiated before; both are valid",
    chains: 2,
    companions: |block| vec![beside(&MUTUAL, 1, block)],
    acts: &[Act::Emit, Act::Execute { part: 1, place: 0 }],
    message: Some(ExpectedMessage::VALID),
    ..Role::FINE
};

static MUTUAL: Role = Role {
    name: "same-timestamp-mutual",
    acts: &[Act::Emit, Act::Execute { part: 0, place: 0 }],
    message: Some(ExpectedMessage::VALID),
    ..Role::FINE
};

const IN_CYCLE: Role = Role {
    fate: Fate::Replaced,
    finding: || Finding::UpheldReplacement,
    message: Some(ExpectedMessage::resolved("cycle")),
    hold: Hold::Judged,
    ..Role::FINE
};

/// Two blocks of a timestamp in a cycle. Both are replaced.
pub(super) static CYCLE_TWO: Role = Role {
    name: "message-cycle-two",
    summary: "the block and the next chain's at the same timestamp each execute a message that the other initiates after its own execution; both are replaced",
    chains: 2,
    companions: |block| vec![beside(&CYCLE_TWO_OTHER, 1, block)],
    acts: &[Act::Execute { part: 1, place: 1 }, Act::Emit],
    ..IN_CYCLE
};

static CYCLE_TWO_OTHER: Role =
    Role { name: "message-cycle-two", acts: &[Act::Execute { part: 0, place: 1 }, Act::Emit], ..IN_CYCLE };

/// Three blocks of a timestamp in a cycle. All are replaced.
pub(super) static CYCLE_THREE: Role = Role {
    name: "message-cycle-three",
    summary: "as message-cycle-two, but around three chains; all three blocks are replaced",
    chains: 3,
    companions: |block| vec![beside(&CYCLE_THREE_SECOND, 1, block), beside(&CYCLE_THREE_THIRD, 2, block)],
    acts: &[Act::Execute { part: 1, place: 1 }, Act::Emit],
    ..IN_CYCLE
};

static CYCLE_THREE_SECOND: Role =
    Role { name: "message-cycle-three", acts: &[Act::Execute { part: 2, place: 1 }, Act::Emit], ..IN_CYCLE };

static CYCLE_THREE_THIRD: Role =
    Role { name: "message-cycle-three", acts: &[Act::Execute { part: 0, place: 1 }, Act::Emit], ..IN_CYCLE };

const ATTESTED_IN_CYCLE: Role = Role {
    finding: || Finding::invalid_message("cycle"),
    message: Some(ExpectedMessage::invalid("cycle")),
    ..Role::FINE
};

/// Two blocks of a timestamp in a cycle, attested all the same.
pub(super) static CYCLE_ATTESTED: Role = Role {
    name: "message-cycle-attested",
    summary: "as message-cycle-two, but both blocks stay and are still attested",
    chains: 2,
    companions: |block| vec![beside(&CYCLE_ATTESTED_OTHER, 1, block)],
    acts: &[Act::Execute { part: 1, place: 1 }, Act::Emit],
    ..ATTESTED_IN_CYCLE
};

static CYCLE_ATTESTED_OTHER: Role = Role {
    name: "message-cycle-attested",
    acts: &[Act::Execute { part: 0, place: 1 }, Act::Emit],
    ..ATTESTED_IN_CYCLE
};

/// Another chain's block at the same height, which has the same timestamp.
fn beside(fault: &'static dyn Fault, chain: usize, block: u64) -> Companion {
    Companion { fault, chain, block }
}
