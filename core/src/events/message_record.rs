//! [`MessageRecord`]: a tracked message in the form that users see.

use crate::events::ExecutingBlock;
use crate::heads::SafetyLevel;
use crate::message::Identifier;
use crate::tracker::{Ending, HistoryEntry, MessageKey, State, TrackedMessage};
use crate::validity::{MessageStatus, StatusKind};
use alloy::primitives::B256;
use serde::Serialize;

/// A tracked message, and all that is known of it.
#[derive(Clone, Debug, Serialize)]
pub struct MessageRecord {
    /// The number of its last change.
    pub sequence: u64,
    /// The executing block.
    pub executing: ExecutingBlock,
    /// The place of the inbox's log in that block.
    pub log_index: u32,
    /// The place of the executing transaction in that block.
    pub transaction_index: u32,
    /// That transaction.
    pub transaction_hash: Option<B256>,
    /// What it cites. `None`: its log is malformed.
    pub initiating: Option<Identifier>,
    /// The hash of the payload that it claims.
    pub payload_hash: Option<B256>,
    /// What is known of it.
    pub status: StatusKind,
    /// The rule that it breaks.
    pub reason: Option<&'static str>,
    /// What is broken, for people.
    pub detail: Option<String>,
    /// How far the executing block is.
    pub level: SafetyLevel,
    /// Where it is in its life.
    pub state: &'static str,
    /// The block in the place of the executing one, if that ended it.
    pub ended_by: Option<B256>,
    /// Whether its own transaction declared it.
    pub declared: bool,
    /// How often it was decided the other way than before.
    pub flips: u32,
    /// Its last changes of status, oldest first.
    pub history: Vec<HistoryEntry>,
}

impl MessageRecord {
    /// Which message.
    pub const fn key(&self) -> MessageKey {
        MessageKey { block: self.executing.key, log_index: self.log_index }
    }

    /// The message as users get it, until it is read from the ledger.
    pub fn as_reported(message: &TrackedMessage) -> Self {
        let (record, reported) = (Self::of(message), message.reported_state());
        if reported == message.state() {
            record
        } else {
            Self { state: reported.name(), ended_by: None, ..record }
        }
    }

    /// The message in its current state.
    pub fn of(message: &TrackedMessage) -> Self {
        let (status, state, key) = (message.status(), message.state(), message.key());
        let reason = match &status {
            MessageStatus::Invalid(reason) => Some(reason),
            MessageStatus::Unknown | MessageStatus::Valid => None,
        };
        Self {
            sequence: message.sequence(),
            executing: ExecutingBlock { key: key.block, timestamp: message.timestamp() },
            log_index: key.log_index,
            transaction_index: message.transaction_index(),
            transaction_hash: message.transaction_hash(),
            initiating: message.message().map(|message| message.identifier),
            payload_hash: message.message().map(|message| message.payload_hash),
            status: status.kind(),
            reason: reason.map(crate::validity::InvalidReason::code),
            detail: reason.map(ToString::to_string),
            level: message.level(),
            state: state.name(),
            ended_by: match state {
                State::Ended(Ending::Resolved { by } | Ending::Orphaned { by }) => Some(by),
                State::Tracked | State::Displaced | State::Ended(_) => None,
            },
            declared: !message.is_undeclared(),
            flips: message.flips(),
            history: message.history().copied().collect(),
        }
    }
}
