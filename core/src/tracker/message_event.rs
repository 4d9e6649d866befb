//! [`MessageEvent`]: something that happened to a tracked message, with its cause.

use super::MessageKey;
use crate::heads::SafetyLevel;
use crate::message::BlockKey;
use crate::validity::MessageStatus;
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::fmt;

/// Something that happened to a tracked message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageEvent {
    /// The message.
    pub key: MessageKey,
    /// The chain that it cites.
    pub initiating: Option<ChainId>,
    /// The executing block's timestamp.
    pub timestamp: UnixSeconds,
    /// The transaction that executed it. `None`: it is not known.
    pub transaction_hash: Option<B256>,
    /// How far the executing block was.
    pub level: SafetyLevel,
    /// What happened.
    pub change: Change,
}

/// What happened to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "an event is handed on once, and a box would cost each flip an allocation"
)]
pub enum Change {
    /// It is tracked from now on. Its status is unknown.
    Discovered,
    /// The status is another now.
    Status {
        /// What was known before.
        from: MessageStatus,
        /// What is known now.
        to: MessageStatus,
        /// Why.
        cause: StatusCause,
        /// Whether it was decided the other way before: valid to invalid or back, at once or with unknown
        /// between (between the rewinding of a chain and its next block).
        flip: bool,
    },
    /// Its own transaction did not declare it: the inbox was tricked. Reported once.
    Undeclared,
    /// The executing block has reached a higher level (the event's), or fallen back to a lower one.
    Level {
        /// The level before.
        from: SafetyLevel,
    },
    /// The canonical chain no longer has the executing block, and nothing is in its place yet.
    Displaced,
    /// The canonical chain has the executing block again.
    Readopted,
    /// It is tracked no longer.
    Ended(Ending),
}

/// Why a status changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusCause {
    /// What it cites was checked, or found missing, for the first time.
    Checked,
    /// The initiating chain has another block at the cited height, or none any more.
    RemoteReorg {
        /// The initiating chain.
        chain_id: ChainId,
        /// The cited height.
        number: u64,
        /// The block that was there, or the tip that proved that there was none.
        old: B256,
        /// The block that is there now. `None`: none yet. The same as `old`: it is back.
        new: Option<B256>,
    },
    /// The initiating chain replaced the cited block by deposits only.
    RemoteReplacement {
        /// The block that was replaced.
        old: BlockKey,
        /// The block in its place.
        new: B256,
    },
    /// The cited block itself turned out valid or invalid: a cascade.
    CitedBlock {
        /// The cited block.
        block: BlockKey,
    },
    /// A block at the same timestamp closed or broke a cycle.
    SameTimestamp {
        /// The timestamp.
        timestamp: UnixSeconds,
    },
}

impl fmt::Display for StatusCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checked => write!(f, "what it cites was checked for the first time"),
            Self::RemoteReorg { chain_id, number, old, new: Some(new) } => {
                write!(f, "chain {chain_id} has block {number} {new} in place of {old}")
            }
            Self::RemoteReorg { chain_id, number, old, new: None } => {
                write!(f, "chain {chain_id} no longer has block {number}; it was {old}")
            }
            Self::RemoteReplacement { old, new } => write!(f, "block {old} was replaced by {new}"),
            Self::CitedBlock { block } => write!(f, "the cited block {block} was judged"),
            Self::SameTimestamp { timestamp } => {
                write!(f, "a block at timestamp {timestamp} closed or broke a cycle")
            }
        }
    }
}

/// How the life of a message ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ending {
    /// The executing block is cross-safe and final, and so is what it cites.
    Finalized,
    /// The message was invalid, and its block was replaced by deposits only, perhaps after the sequencer had
    /// built the height again.
    Resolved {
        /// The block in its place.
        by: B256,
    },
    /// The executing block was dropped for another, by a reorg or because of the invalid message of another
    /// block.
    Orphaned {
        /// The block in its place.
        by: B256,
    },
    /// It stayed open for longer than messages are kept.
    Expired,
    /// It was the oldest valid one when too many were open: a new one has its room.
    CrowdedOut,
}

impl Ending {
    /// Every name that [`Ending::name`] gives.
    pub const NAMES: [&str; 5] = ["finalized", "resolved", "orphaned", "expired", "crowded-out"];

    /// Its stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Finalized => "finalized",
            Self::Resolved { .. } => "resolved",
            Self::Orphaned { .. } => "orphaned",
            Self::Expired => "expired",
            Self::CrowdedOut => "crowded-out",
        }
    }
}

impl StatusCause {
    /// Its stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Checked => "checked",
            Self::RemoteReorg { .. } => "remote-reorg",
            Self::RemoteReplacement { .. } => "remote-replacement",
            Self::CitedBlock { .. } => "cited-block",
            Self::SameTimestamp { .. } => "same-timestamp",
        }
    }
}
