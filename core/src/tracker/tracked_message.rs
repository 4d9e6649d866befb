//! [`TrackedMessage`]: an executing message and everything known of it.

use super::history::{History, HistoryEntry};
use super::{Change, Ending, Lifecycle, MessageEvent, MessageKey, ObservedBlock, State};
use crate::heads::SafetyLevel;
use crate::message::Message;
use crate::proof::Executed;
use crate::validity::MessageStatus;
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::sync::Arc;

/// A message's number inside one tracker. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct TrackedId(pub(super) u64);

/// The block that a message's status rests on: what its next change is checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// None was seen yet, or none is needed.
    None,
    /// The block at the cited height.
    Cited {
        /// The block.
        hash: B256,
    },
    /// The block that was at the cited height when the message was decided last.
    Gone {
        /// The block.
        hash: B256,
        /// Whether it had an invalid message.
        was_invalid: bool,
    },
    /// The tip that proved that there is no such block.
    Tip {
        /// The tip.
        hash: B256,
        /// Its height.
        number: u64,
    },
}

/// What a message's own clauses say, before same-timestamp messages and the cited block's own messages count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// It was not checked yet.
    Unchecked,
    /// What it cites is not there yet, or its logs are awaited.
    Unknown,
    /// A clause is broken: its status is invalid, for that reason.
    Broken,
    /// A clause is broken that needs only the block and the dependency set: no change of another chain makes
    /// it valid.
    BrokenForGood,
    /// Every clause is met.
    Met,
    /// Every clause is met, and the log would be there even if its block gave way to its deposits: what else
    /// that block executes does not matter.
    MetForGood,
}

impl Own {
    /// Whether every clause is met.
    pub(super) const fn is_met(self) -> bool {
        matches!(self, Self::Met | Self::MetForGood)
    }
}

/// What has decided a message's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ground {
    /// Its own clauses.
    Own,
    /// A cycle at its timestamp.
    Cycle,
    /// Not every chain has reached its timestamp.
    Horizon,
    /// The cited block is invalid or unknown.
    CitedBlock,
}

/// An executing message, from the first sight of its block until it is final.
#[derive(Clone, Debug)]
pub struct TrackedMessage {
    pub(super) id: TrackedId,
    pub(super) block: Arc<ObservedBlock>,
    position: u32,
    log_index: u32,
    transaction_index: u32,
    pub(super) undeclared: bool,
    pub(super) own: Own,
    pub(super) ground: Ground,
    pub(super) evidence: Evidence,
    pub(super) life: Lifecycle,
    pub(super) history: History,
    pub(super) sequence: u64,
    /// Whether the ledger lists it: its life is over, in this run or an earlier one.
    pub(super) is_filed: bool,
}

impl TrackedMessage {
    /// The message at this position among the block's executed messages. `None`: there is none.
    pub(super) fn new(
        id: TrackedId,
        block: &Arc<ObservedBlock>,
        position: u32,
        level: SafetyLevel,
    ) -> Option<Self> {
        let executed = block.executed.get(usize::try_from(position).ok()?)?;
        Some(Self {
            id,
            position,
            log_index: executed.log_index,
            transaction_index: executed.transaction_index,
            undeclared: block.undeclared.binary_search(&executed.log_index).is_ok(),
            own: Own::Unchecked,
            ground: Ground::Own,
            evidence: Evidence::None,
            life: Lifecycle::new(level),
            history: History::default(),
            sequence: 0,
            is_filed: false,
            block: Arc::clone(block),
        })
    }

    /// Which message.
    pub fn key(&self) -> MessageKey {
        MessageKey { block: self.block.key, log_index: self.log_index }
    }

    /// The executing block's timestamp.
    pub fn timestamp(&self) -> UnixSeconds {
        self.block.timestamp
    }

    /// The place of the executing transaction in its block.
    pub const fn transaction_index(&self) -> u32 {
        self.transaction_index
    }

    /// The executing transaction. `None`: it is not known.
    pub fn transaction_hash(&self) -> Option<B256> {
        self.block.transactions.get(usize::try_from(self.position).ok()?).copied()
    }

    /// What it claims to execute. Always there: the message was made of one of the block's.
    pub fn message(&self) -> Option<&Message> {
        self.executed().map(|executed| &executed.message.message)
    }

    /// The chain that it cites. Always there, as [`TrackedMessage::message`].
    pub fn initiating(&self) -> Option<ChainId> {
        self.message().map(|message| message.identifier.chain_id)
    }

    /// What is known of it.
    pub const fn status(&self) -> MessageStatus {
        self.life.status()
    }

    /// How far its block is, or was when it was dropped.
    pub const fn level(&self) -> SafetyLevel {
        self.life.level()
    }

    /// Where it is in its life.
    pub const fn state(&self) -> State {
        self.life.state()
    }

    /// Whether its own transaction did not declare it.
    pub const fn is_undeclared(&self) -> bool {
        self.undeclared
    }

    /// How often it was decided the other way than before.
    pub const fn flips(&self) -> u32 {
        self.life.flips()
    }

    /// Its last changes of status (8 at most), oldest first.
    pub fn history(&self) -> impl Iterator<Item = &HistoryEntry> {
        self.history.entries()
    }

    /// The number of its last change, higher than that of every change before it.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether the ledger reports it: its life is over, and it was not plainly valid.
    pub fn belongs_in_ledger(&self) -> bool {
        self.is_filed || (!self.state().is_open() && !self.has_ended_plainly())
    }

    /// Whether the ledger has it.
    pub const fn is_filed(&self) -> bool {
        self.is_filed
    }

    /// Its state, as reported to users: an end that belongs in the ledger is not reported before the ledger
    /// has it.
    pub fn reported_state(&self) -> State {
        if self.belongs_in_ledger() && !self.is_filed { State::Tracked } else { self.state() }
    }

    /// Whether it was found valid, has never been anything else, and made no trouble at its end.
    pub fn has_ended_plainly(&self) -> bool {
        let is_plain = matches!(self.state(), State::Ended(Ending::Finalized | Ending::CrowdedOut));
        is_plain && self.status() == MessageStatus::Valid && !self.undeclared && self.flips() == 0
    }

    /// Which inbox log of the block, and by whom: what the rules check.
    pub(super) fn executed(&self) -> Option<&Executed> {
        self.block.executed.get(usize::try_from(self.position).ok()?)
    }

    /// Reports a change of it.
    pub(super) fn event(&self, change: Change) -> MessageEvent {
        MessageEvent {
            key: self.key(),
            initiating: self.initiating(),
            timestamp: self.timestamp(),
            transaction_hash: self.transaction_hash(),
            level: self.level(),
            change,
        }
    }

    /// Whether it was initiated and executed at one timestamp.
    pub(super) fn is_same_timestamp(&self) -> bool {
        self.message().is_some_and(|message| message.identifier.timestamp == self.block.timestamp)
    }
}
