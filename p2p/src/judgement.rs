//! [`Judgement`]: the validator's decision on a frame.
//!
//! A value. Acting on it is the network's.

use crate::{Refusal, RefusalVerdict, Topic, ValidBlock};

/// The validator's decision on a frame, in the terms of gossipsub: the result of a message's validation.
#[derive(Clone, Debug)]
pub enum Judgement {
    /// The block is valid by every rule: it is passed on.
    Accept(ValidBlock),
    /// The frame is not passed on, and its sender is not blamed.
    Ignore(Refusal),
    /// The frame is not passed on. It breaks a rule that its sender could have checked.
    Reject(Refusal),
}

impl Judgement {
    /// The judgement that a refusal leads to on a topic.
    pub fn refused(topic: Topic, refusal: Refusal) -> Self {
        match refusal.reason.verdict(topic) {
            RefusalVerdict::Ignore => Self::Ignore(refusal),
            RefusalVerdict::Reject => Self::Reject(refusal),
        }
    }

    /// The judgement's name: `accept`, `ignore` or `reject`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Accept(_) => "accept",
            Self::Ignore(_) => RefusalVerdict::Ignore.name(),
            Self::Reject(_) => RefusalVerdict::Reject.name(),
        }
    }

    /// The refusal, unless the frame was accepted.
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Accept(_) => None,
            Self::Ignore(refusal) | Self::Reject(refusal) => Some(refusal),
        }
    }
}
