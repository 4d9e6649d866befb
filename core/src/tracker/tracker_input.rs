//! What a [`Tracker`](super::Tracker) is sent, and what it answers.

use super::{ForbiddenStep, MessageEvent, ObservedBlock};
use crate::heads::SafetyHeads;
use crate::message::BlockKey;
use crate::proof::ProvenLogs;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::sync::Arc;

/// How much a tracker keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackerLimits {
    /// Open messages. What is discovered beyond them is not tracked, and counted.
    pub max_messages: usize,
    /// Seconds from a block's timestamp until its open messages end as expired.
    pub retention: u64,
    /// Ended messages that can still be asked for.
    pub ended_kept: usize,
}

/// Something that a tracker is sent.
#[derive(Clone, Debug)]
pub enum Input {
    /// The first block of a chain's view, or the child of its tip.
    Block(Arc<ObservedBlock>),
    /// Blocks above this height are canonical no longer.
    Rewound {
        /// The chain.
        chain_id: ChainId,
        /// The highest height that stays.
        kept: u64,
    },
    /// How far a chain is.
    Heads {
        /// The chain.
        chain_id: ChainId,
        /// Its heads.
        heads: SafetyHeads,
    },
    /// What was asked for. One that is awaited no longer changes nothing.
    Answer {
        /// What was asked for.
        request: Request,
        /// The proven logs of that block.
        logs: Arc<ProvenLogs>,
    },
    /// The time now, by the service's clock: what is older than the retention ends as expired.
    Time(UnixSeconds),
}

/// Proven logs that a tracker lacks. It asks once, until [`Input::Answer`] comes or the block is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Request {
    /// Of this canonical block of the view, which the log index keeps no longer.
    Logs(BlockKey),
    /// Of the canonical (final) block at this height, which lies below the view.
    Canonical {
        /// The chain.
        chain_id: ChainId,
        /// The height.
        number: u64,
    },
}

impl Request {
    /// The chain and the height.
    pub const fn place(&self) -> (ChainId, u64) {
        match *self {
            Self::Logs(BlockKey { chain_id, number, .. }) | Self::Canonical { chain_id, number } => {
                (chain_id, number)
            }
        }
    }
}

/// What an input led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackerOutcome {
    /// What happened to messages, in order.
    pub events: Vec<MessageEvent>,
    /// What is wanted now.
    pub requests: Vec<Request>,
    /// Why the input was not taken in. Nothing has changed then.
    pub refused: Option<RefusedInput>,
    /// Steps that the life of a message does not allow: faults of the tracker. The message remains as it was.
    pub refused_steps: Vec<ForbiddenStep>,
}

/// Why an input was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefusedInput {
    /// The chain has no view.
    #[error(
        "chain {chain_id} is not watched: name it in chains.<id>.dependency_set of the chains that execute its messages, and add a [chains.{chain_id}] section"
    )]
    UnknownChain {
        /// The chain.
        chain_id: ChainId,
    },
    /// The block is not a child of the tip.
    #[error(
        "block {number} ({hash}) of chain {chain_id} on {parent_hash} is not a child of its tip, block {tip}: rewind \
         the view to the common ancestor first"
    )]
    NoChild {
        /// The chain.
        chain_id: ChainId,
        /// The block's height.
        number: u64,
        /// The block.
        hash: alloy::primitives::B256,
        /// The block below it.
        parent_hash: alloy::primitives::B256,
        /// The tip's height.
        tip: u64,
    },
    /// The block is not later than its parent: no such block can be derived.
    #[error("block {number} of chain {chain_id} at {timestamp} is not later than its parent at {parent}")]
    NotLater {
        /// The chain.
        chain_id: ChainId,
        /// The block's height.
        number: u64,
        /// The block's timestamp.
        timestamp: UnixSeconds,
        /// Its parent's timestamp.
        parent: UnixSeconds,
    },
}
