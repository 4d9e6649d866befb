//! [`Notice`]: something about a message that must not be lost: it is written to the ledger before it is
//! reported.

use crate::events::{Event, EventCause, EventMessage, ExecutingBlock, InvalidPromotion, StatusChange};
use crate::heads::SafetyLevel;
use crate::message::DecodeError;
use crate::proof::Undecodable;
use crate::tracker::{Ending, MessageEvent, MessageKey, ObservedBlock, StatusCause};
use crate::validity::{InvalidReason, MessageStatus, StatusKind};
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::str::FromStr;

/// What is noted of a message, once for each [`MessageKey`], kind and ordinal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The message.
    pub key: MessageKey,
    /// The chain that it cites. `None`: its log cannot be decoded.
    pub initiating: Option<ChainId>,
    /// The executing block's timestamp.
    pub timestamp: UnixSeconds,
    /// The transaction that executed it. `None`: it is not known, as of what an earlier run noted.
    pub transaction_hash: Option<B256>,
    /// How far the executing block was.
    pub level: SafetyLevel,
    /// What there is to say.
    pub content: NoticeContent,
    /// Which of the notes of this kind on this message: what was noted is not noted again.
    pub ordinal: u32,
    /// The highest level at which it had been noted as invalid before. `None`: it had not been.
    pub invalid_before: Option<SafetyLevel>,
}

/// The kinds of notices, without what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// A message is invalid.
    Invalid,
    /// A message was valid and is invalid, or the other way round.
    Flip,
    /// A message's own transaction did not declare it.
    Undeclared,
    /// A log of the inbox cannot be decoded.
    Undecodable,
    /// A message is no longer tracked.
    Ended,
}

/// A text that names no kind of notice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a kind of notice; is the ledger of a newer version?")]
pub struct NoSuchNotice(String);

impl NoticeKind {
    const ALL: [Self; 5] = [Self::Invalid, Self::Flip, Self::Undeclared, Self::Undecodable, Self::Ended];

    /// Its text in the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Flip => "flip",
            Self::Undeclared => "undeclared",
            Self::Undecodable => "undecodable",
            Self::Ended => "ended",
        }
    }
}

impl FromStr for NoticeKind {
    type Err = NoSuchNotice;

    fn from_str(text: &str) -> Result<Self, NoSuchNotice> {
        Self::ALL.into_iter().find(|name| name.as_str() == text).ok_or_else(|| NoSuchNotice(text.to_owned()))
    }
}

/// What there is to say of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeContent {
    /// It is invalid: found so for the first time, or its block has reached a higher level nevertheless, see
    /// [`Notice::invalid_before`].
    Invalid {
        /// The rule that it breaks.
        reason: InvalidReason,
        /// Why that is known now.
        cause: StatusCause,
    },
    /// It was valid and is invalid, or the other way round.
    Flip {
        /// What it is now: valid or invalid.
        to: MessageStatus,
        /// Why.
        cause: StatusCause,
    },
    /// Its own transaction did not declare it.
    Undeclared,
    /// It is not a message, though the inbox emitted a log that looks like one: no one is at fault, and every
    /// verifier skips it. Or it is an event of the inbox that is not known here, which may be a message.
    Undecodable {
        /// What is wrong with the log.
        error: DecodeError,
    },
    /// Its life is over.
    Ended {
        /// How.
        ending: Ending,
        /// Its last status.
        status: StatusKind,
    },
}

impl NoticeContent {
    /// Which kind it is.
    pub const fn kind(&self) -> NoticeKind {
        match self {
            Self::Invalid { .. } => NoticeKind::Invalid,
            Self::Flip { .. } => NoticeKind::Flip,
            Self::Undeclared => NoticeKind::Undeclared,
            Self::Undecodable { .. } => NoticeKind::Undecodable,
            Self::Ended { .. } => NoticeKind::Ended,
        }
    }

    /// What is known of the message now, if this says so.
    pub const fn status(&self) -> Option<StatusKind> {
        match self {
            Self::Invalid { .. } => Some(StatusKind::Invalid),
            Self::Flip { to, .. } => Some(to.kind()),
            Self::Ended { status, .. } => Some(*status),
            Self::Undeclared | Self::Undecodable { .. } => None,
        }
    }

    /// The rule that is broken now.
    pub const fn reason(&self) -> Option<&InvalidReason> {
        match self {
            Self::Invalid { reason, .. } | Self::Flip { to: MessageStatus::Invalid(reason), .. } => {
                Some(reason)
            }
            Self::Flip { .. } | Self::Undeclared | Self::Undecodable { .. } | Self::Ended { .. } => None,
        }
    }

    /// What is wrong, for people.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Undecodable { error } => Some(error.to_string()),
            _ => self.reason().map(ToString::to_string),
        }
    }

    /// Why the status is what it is now.
    pub const fn cause(&self) -> Option<&StatusCause> {
        match self {
            Self::Invalid { cause, .. } | Self::Flip { cause, .. } => Some(cause),
            Self::Undeclared | Self::Undecodable { .. } | Self::Ended { .. } => None,
        }
    }

    /// How the message ended.
    pub const fn ending(&self) -> Option<&Ending> {
        match self {
            Self::Ended { ending, .. } => Some(ending),
            Self::Invalid { .. } | Self::Flip { .. } | Self::Undeclared | Self::Undecodable { .. } => None,
        }
    }

    /// The block in the place of the executing one.
    pub const fn ended_by(&self) -> Option<B256> {
        match self.ending() {
            Some(Ending::Resolved { by } | Ending::Orphaned { by }) => Some(*by),
            Some(Ending::Finalized | Ending::Expired | Ending::CrowdedOut) | None => None,
        }
    }
}

impl Notice {
    /// A note on each log of a block that looks like a message and is none, or is of an event that is not
    /// known here.
    pub fn undecodable(block: &ObservedBlock) -> impl Iterator<Item = Self> {
        let (timestamp, level) = (block.timestamp, SafetyLevel::Unsafe);
        block.undecodable.iter().map(move |Undecodable { log_index, error }| Self {
            key: MessageKey { block: block.key, log_index: *log_index },
            initiating: None,
            timestamp,
            transaction_hash: None,
            level,
            content: NoticeContent::Undecodable { error: *error },
            ordinal: 0,
            invalid_before: None,
        })
    }

    /// A note on the message of an event.
    pub const fn on(
        event: &MessageEvent,
        content: NoticeContent,
        ordinal: u32,
        invalid_before: Option<SafetyLevel>,
    ) -> Self {
        let MessageEvent { key, initiating, timestamp, transaction_hash, level, .. } = *event;
        Self { key, initiating, timestamp, transaction_hash, level, content, ordinal, invalid_before }
    }

    /// Whether this says that the message is invalid, and its block is on the chain.
    fn is_invalid_on_chain(&self) -> bool {
        match &self.content {
            NoticeContent::Invalid { .. } | NoticeContent::Flip { to: MessageStatus::Invalid(_), .. } => true,
            NoticeContent::Ended { ending: Ending::Finalized, status } => *status == StatusKind::Invalid,
            NoticeContent::Flip { .. }
            | NoticeContent::Undeclared
            | NoticeContent::Undecodable { .. }
            | NoticeContent::Ended { .. } => false,
        }
    }

    /// Whether this is the first notice that an invalid message's block is at this level, or above it.
    pub fn is_first_at(&self, level: SafetyLevel) -> bool {
        self.is_invalid_on_chain() && self.level >= level && self.invalid_before < Some(level)
    }

    /// Whether this must never happen: an invalid message that became cross-safe or final.
    pub fn is_consensus_failure(&self) -> bool {
        self.is_invalid_on_chain() && self.level >= SafetyLevel::Safe
    }

    /// What subscribers get about it, in this order. A message is reported as invalid once, and once each
    /// that its block has become cross-safe and final nevertheless.
    pub fn events(&self) -> Vec<Event> {
        let is_first =
            self.invalid_before.is_none() || !matches!(self.content, NoticeContent::Invalid { .. });
        let content = is_first.then(|| self.event());
        let safe = self.is_first_at(SafetyLevel::Safe).then(|| Event::MessageInvalidSafe(self.promotion()));
        let is_final = self.is_first_at(SafetyLevel::Finalized);
        let finalized = is_final.then(|| Event::MessageInvalidFinal(self.promotion()));
        [content, safe, finalized].into_iter().flatten().collect()
    }

    fn event(&self) -> Event {
        let message = self.event_message();
        let status = |message, from, to, cause: &StatusCause| StatusChange {
            message,
            from,
            to,
            reason: self.content.reason().map(InvalidReason::code),
            detail: self.content.reason().map(ToString::to_string),
            cause: EventCause(*cause),
        };
        match &self.content {
            NoticeContent::Invalid { cause, .. } => {
                Event::MessageInvalid(status(message, StatusKind::Unknown, StatusKind::Invalid, cause))
            }
            NoticeContent::Flip { to, cause } => {
                let is_valid = matches!(to, MessageStatus::Valid);
                let from = if is_valid { StatusKind::Invalid } else { StatusKind::Valid };
                Event::Flip(status(message, from, to.kind(), cause))
            }
            NoticeContent::Undeclared => Event::Undeclared(message),
            NoticeContent::Undecodable { error } => Event::Undecodable { message, detail: error.to_string() },
            NoticeContent::Ended { ending, status } => Event::Ended {
                message,
                status: *status,
                state: ending.name(),
                ended_by: self.content.ended_by(),
            },
        }
    }

    fn promotion(&self) -> InvalidPromotion {
        InvalidPromotion {
            message: self.event_message(),
            reason: self.content.reason().map(InvalidReason::code),
            detail: self.content.reason().map(ToString::to_string),
        }
    }

    fn event_message(&self) -> EventMessage {
        EventMessage {
            executing: ExecutingBlock { key: self.key.block, timestamp: self.timestamp },
            log_index: self.key.log_index,
            transaction_hash: self.transaction_hash,
            initiating_chain: self.initiating,
            level: self.level,
        }
    }
}

#[cfg(test)]
mod tests;
