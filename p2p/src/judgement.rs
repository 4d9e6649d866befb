//! [`Judgement`]: the validator's decision on a frame.
//!
//! A value. Acting on it is the network's.

use crate::{Refusal, RefusalVerdict, Topic, ValidBlock};

/// The verdict on a frame.
#[derive(Clone, Debug)]
pub enum Judgement {
    /// Holds by every rule: pass it on.
    Accept(ValidBlock),
    /// Of no use here, and nobody's fault.
    Ignore(Refusal),
    /// Breaks a rule that its sender could check too.
    Reject(Refusal),
}

impl Judgement {
    /// The judgement that a refusal means on a topic.
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
