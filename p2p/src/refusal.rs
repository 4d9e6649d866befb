//! [`Refusal`] and [`Judgement`]: how the judging of a frame ends.
//!
//! Values only; acting on them is the network's.

use crate::{PayloadHash, Reason, RefusalVerdict, Topic, ValidBlock};
use alloy_eips::BlockNumHash;
use alloy_primitives::Address;

/// Why a frame was refused, and what was known of it by then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The rule that it broke.
    pub reason: Reason,
    /// The hash of its signed bytes, if it got as far as having some.
    pub payload_hash: Option<PayloadHash>,
    /// Who signed it, if anyone was recovered.
    pub signer: Option<Address>,
    /// The block that it claims to be, if it is long enough to claim one. Nothing of it was checked.
    pub claimed: Option<Box<BlockNumHash>>,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason, payload_hash: None, signer: None, claimed: None }
    }
}

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
