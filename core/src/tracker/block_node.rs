//! [`BlockNode`]: a block and a tally of its messages.

use super::ObservedBlock;
use super::tracked_message::TrackedId;
use crate::validity::{MessageStatus, Validity};
use std::sync::Arc;

/// How many messages of a block are not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MessageTally {
    invalid: u32,
    unknown: u32,
}

impl MessageTally {
    /// What the block is.
    pub(super) const fn validity(self) -> Validity {
        match self {
            Self { invalid: 0, unknown: 0 } => Validity::Valid,
            Self { invalid: 0, .. } => Validity::Unknown,
            Self { .. } => Validity::Invalid,
        }
    }

    /// One message less of this status.
    pub(super) const fn remove(&mut self, status: &MessageStatus) {
        match status {
            MessageStatus::Unknown => self.unknown = self.unknown.saturating_sub(1),
            MessageStatus::Invalid(_) => self.invalid = self.invalid.saturating_sub(1),
            MessageStatus::Valid => {}
        }
    }

    /// One message more of this status.
    const fn add(&mut self, status: &MessageStatus) {
        match status {
            MessageStatus::Unknown => self.unknown = self.unknown.saturating_add(1),
            MessageStatus::Invalid(_) => self.invalid = self.invalid.saturating_add(1),
            MessageStatus::Valid => {}
        }
    }
}

/// A block and a tally of its messages.
#[derive(Clone, Debug)]
pub(super) struct BlockNode {
    pub(super) block: Arc<ObservedBlock>,
    /// Its tracked messages have consecutive ids from here on, in log order.
    first: TrackedId,
    tracked: u32,
    open: u32,
    tally: MessageTally,
    /// Whether one of its messages was last found invalid when it was dropped.
    pub(super) was_invalid: bool,
}

impl BlockNode {
    /// A block whose first `tracked` messages are tracked from now on. The others (beyond the tracker's
    /// bound) nobody checks: they stay unknown, and the block is never valid.
    pub(super) fn new(block: Arc<ObservedBlock>, first: TrackedId, tracked: u32) -> Self {
        let unknown = u32::try_from(block.executed.len()).unwrap_or(u32::MAX);
        let tally = MessageTally { invalid: 0, unknown };
        Self { block, first, tracked, open: tracked, tally, was_invalid: false }
    }

    /// How many of its messages are not valid.
    pub(super) const fn tally(&self) -> MessageTally {
        self.tally
    }

    /// What is known of it.
    pub(super) const fn validity(&self) -> Validity {
        self.tally.validity()
    }

    /// The ids of its tracked messages, in log order.
    pub(super) fn ids(&self) -> impl Iterator<Item = TrackedId> + use<> {
        let first = self.first.0;
        (first..first.saturating_add(u64::from(self.tracked))).map(TrackedId)
    }

    /// Whether one of its messages is open.
    pub(super) const fn is_open(&self) -> bool {
        self.open > 0
    }

    /// A message's status has changed.
    pub(super) const fn recount(&mut self, from: &MessageStatus, to: &MessageStatus) {
        self.tally.remove(from);
        self.tally.add(to);
    }

    /// A message's life is over. Its last status stays in the tally.
    pub(super) const fn close_one(&mut self) {
        self.open = self.open.saturating_sub(1);
    }
}
