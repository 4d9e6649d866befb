//! [`BlockNode`]: a block and a tally of its messages.

use super::ObservedBlock;
use super::tracked_message::MessageId;
use crate::interop::MessageStatus;
use std::sync::Arc;

/// What is known of a block's messages together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockStatus {
    /// None is invalid, and one is unknown.
    Unknown,
    /// Every message is valid, or there are none.
    Valid,
    /// One message is invalid.
    Invalid,
}

/// A block and a tally of its messages.
#[derive(Clone, Debug)]
pub(super) struct BlockNode {
    pub(super) block: Arc<ObservedBlock>,
    /// Its tracked messages have consecutive ids from here on, in log order.
    first: MessageId,
    tracked: u32,
    /// Messages beyond the tracker's bound: nobody checks them, so the block is never valid.
    untracked: u32,
    invalid: u32,
    unknown: u32,
    open: u32,
}

impl BlockNode {
    /// A block whose first `tracked` messages are tracked from now on, and unknown.
    pub(super) fn new(block: Arc<ObservedBlock>, first: MessageId, tracked: u32) -> Self {
        let all = u32::try_from(block.executed.len()).unwrap_or(u32::MAX);
        let untracked = all.saturating_sub(tracked);
        Self { block, first, tracked, untracked, invalid: 0, unknown: tracked, open: tracked }
    }

    /// What is known of it.
    pub(super) const fn status(&self) -> BlockStatus {
        if self.invalid > 0 {
            BlockStatus::Invalid
        } else if self.unknown > 0 || self.untracked > 0 {
            BlockStatus::Unknown
        } else {
            BlockStatus::Valid
        }
    }

    /// The ids of its tracked messages, in log order.
    pub(super) fn ids(&self) -> impl Iterator<Item = MessageId> + use<> {
        let first = self.first.0;
        (first..first.saturating_add(u64::from(self.tracked))).map(MessageId)
    }

    /// Whether one of its messages is open.
    pub(super) const fn is_open(&self) -> bool {
        self.open > 0
    }

    /// A message's status has changed.
    pub(super) const fn recount(&mut self, from: &MessageStatus, to: &MessageStatus) {
        match from {
            MessageStatus::Unknown => self.unknown = self.unknown.saturating_sub(1),
            MessageStatus::Invalid(_) => self.invalid = self.invalid.saturating_sub(1),
            MessageStatus::Valid => {}
        }
        match to {
            MessageStatus::Unknown => self.unknown = self.unknown.saturating_add(1),
            MessageStatus::Invalid(_) => self.invalid = self.invalid.saturating_add(1),
            MessageStatus::Valid => {}
        }
    }

    /// A message's life is over. Its last status stays in the tally.
    pub(super) const fn close_one(&mut self) {
        self.open = self.open.saturating_sub(1);
    }
}
