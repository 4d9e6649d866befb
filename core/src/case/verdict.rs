//! [`Verdict`]: how a case ends.

use super::VerdictKind;
use crate::consolidation::Mismatch;
use crate::consolidation::deposits::{DepositsError, L1InfoError};
use crate::validity::InvalidReason;
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;

/// What was found out about a block, on the branch of L1 that it rests on. Only if L1 reorgs out that is one
/// against a block taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is what L1 says, and every message in it is valid.
    Upheld,
    /// It correctly replaces a block that executed an invalid message.
    UpheldReplacement {
        /// The block that it replaces.
        original: B256,
        /// The message that made the replacement right.
        invalid: InvalidMessage,
    },
    /// What was attested is not so.
    Violated(Violation),
    /// It is not what L1 says.
    Discarded(Discard),
    /// Its branch is removed permanently.
    Superseded(Superseding),
}

/// Why a block's branch was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Superseding {
    /// L1 has reorged out the L1 block that it was built on.
    Origin(BlockNumHash),
    /// Its parent's branch was left.
    Branch {
        /// The parent.
        parent: B256,
    },
    /// It replaces a block that is not known to be valid, and that L1 has reorged out.
    Undone {
        /// The block that it replaces.
        original: B256,
    },
}

/// How an attested block fails to be what L1 says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discard {
    /// It does not have the derived attributes, not even with deposits only.
    NotDerived {
        /// The first difference from the derived block.
        derived: Mismatch,
        /// The first difference from its deposits-only reduction.
        deposits_only: Mismatch,
    },
    /// L1 alone contradicts it, regardless of what the chain's own node derived.
    ContradictsL1(L1Contradiction),
    /// It has the derived attributes but another hash: two execution clients disagree.
    ExecutionDivergence {
        /// The block that the own execution client made of the same attributes.
        derived: B256,
    },
}

/// How a block contradicts what L1 alone says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum L1Contradiction {
    /// Its first transaction does not contain an L1 origin.
    NoOrigin(L1InfoError),
    /// It can have no such L1 origin.
    Origin(DepositsError),
    /// One of its attributes is another: mostly, a deposit.
    Attribute(Mismatch),
}

impl core::fmt::Display for L1Contradiction {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NoOrigin(error) => error.fmt(f),
            Self::Origin(error) => error.fmt(f),
            Self::Attribute(mismatch) => mismatch.fmt(f),
        }
    }
}

/// How an attested block breaks the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// It executes a message that is invalid.
    InvalidMessage(InvalidMessage),
    /// It replaces a block whose messages are all valid.
    UnjustifiedReplacement {
        /// The block that needed no replacement.
        original: B256,
    },
}

impl Violation {
    /// The reason, by [`Verdict::reason`], of a block that the chain replaces.
    pub const INVALID_MESSAGE: &str = "invalid-message";
}

/// An executed message that is invalid, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidMessage {
    /// The place of the inbox's log in the executing block.
    pub log_index: u32,
    /// The rule that it breaks.
    pub reason: InvalidReason,
}

impl Verdict {
    /// Every kind, with each reason that [`Verdict::reason`] gives for it.
    pub const REASONS: [(VerdictKind, &str); 9] = [
        (VerdictKind::Upheld, ""),
        (VerdictKind::UpheldReplacement, ""),
        (VerdictKind::Violated, Violation::INVALID_MESSAGE),
        (VerdictKind::Violated, "unjustified-replacement"),
        (VerdictKind::Discarded, "not-derived"),
        (VerdictKind::Discarded, "forged-deposits"),
        (VerdictKind::Discarded, "contradicts-l1"),
        (VerdictKind::Discarded, "execution-divergence"),
        (VerdictKind::Superseded, ""),
    ];

    /// What it says, without the reason.
    pub const fn kind(&self) -> VerdictKind {
        match self {
            Self::Upheld => VerdictKind::Upheld,
            Self::UpheldReplacement { .. } => VerdictKind::UpheldReplacement,
            Self::Violated(_) => VerdictKind::Violated,
            Self::Discarded(_) => VerdictKind::Discarded,
            Self::Superseded(_) => VerdictKind::Superseded,
        }
    }

    /// Its stable name.
    pub const fn name(&self) -> &'static str {
        self.kind().name()
    }

    /// The stable name of the reason for which a block is invalid.
    pub const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Violated(Violation::InvalidMessage(_)) => Some(Violation::INVALID_MESSAGE),
            Self::Violated(Violation::UnjustifiedReplacement { .. }) => Some("unjustified-replacement"),
            Self::Discarded(Discard::NotDerived { .. }) => Some("not-derived"),
            Self::Discarded(Discard::ExecutionDivergence { .. }) => Some("execution-divergence"),
            Self::Discarded(Discard::ContradictsL1(L1Contradiction::Attribute(Mismatch::Deposit {
                ..
            }))) => Some("forged-deposits"),
            Self::Discarded(Discard::ContradictsL1(_)) => Some("contradicts-l1"),
            Self::Upheld | Self::UpheldReplacement { .. } | Self::Superseded(_) => None,
        }
    }

    /// Whether the block may carry the vouched head.
    pub const fn is_upheld(&self) -> bool {
        self.kind().is_upheld()
    }

    /// Whether it says that the block is not what was attested.
    pub const fn is_wrong(&self) -> bool {
        self.kind().is_wrong()
    }

    /// What was found, for people.
    pub fn detail(&self) -> String {
        match self {
            Self::Upheld => "matches L1, and every executed message is valid".to_owned(),
            Self::UpheldReplacement { original, invalid } => {
                format!("correctly replaces {original}, whose {invalid}")
            }
            Self::Violated(Violation::InvalidMessage(invalid)) => format!("its {invalid}"),
            Self::Violated(Violation::UnjustifiedReplacement { original }) => {
                format!("replaces {original}, whose executed messages are all valid")
            }
            Self::Discarded(Discard::NotDerived { derived, deposits_only }) => {
                format!("does not match L1 ({derived}), nor with deposits only ({deposits_only})")
            }
            Self::Discarded(Discard::ContradictsL1(contradiction)) => {
                format!("contradicts L1 data: {contradiction}")
            }
            Self::Discarded(Discard::ExecutionDivergence { derived }) => {
                format!("has the attributes of {derived} but another hash: two execution clients disagree")
            }
            Self::Superseded(Superseding::Origin(origin)) => {
                format!("was built on L1 block {} ({}), which L1 reorged out", origin.number, origin.hash)
            }
            Self::Superseded(Superseding::Branch { parent }) => {
                format!("was built on {parent}, whose branch was reorged out")
            }
            Self::Superseded(Superseding::Undone { original }) => {
                format!(
                    "replaces {original}, which was seen at this height, is not known to be valid, and does not match L1 after all"
                )
            }
        }
    }
}

impl core::fmt::Display for InvalidMessage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "message at log {} is invalid: {}", self.log_index, self.reason)
    }
}
