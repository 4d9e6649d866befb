//! [`AlertKind`]: each condition that an operator must know, as far as events or state show it. The names are
//! those of the rules for Prometheus, so one runbook serves both.

use serde::{Deserialize, Serialize};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// What an alert asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nothing now; it explains other alerts.
    Info,
    /// Act today.
    Warning,
    /// Act now.
    Page,
    /// A consensus failure: call everyone.
    AllHands,
}

impl Severity {
    /// Every severity, from the lowest.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Page, Self::AllHands];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Page => "page",
            Self::AllHands => "all-hands",
        }
    }

    /// After how many seconds an alert that still fires is reported again. `None`: never.
    pub const fn renotify_after(self) -> Option<u64> {
        match self {
            Self::Info => None,
            Self::Warning => Some(6 * HOUR),
            Self::Page => Some(30 * MINUTE),
            Self::AllHands => Some(5 * MINUTE),
        }
    }
}

/// A condition that an operator must know. Within one incident a later kind says more than an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertKind {
    /// An invalid block is known, and no signer is bound to it.
    AttestationViolatedReplayable,
    /// The rollup node derived a block that is invalid, and nobody attested it.
    InvalidBlockDerived,
    /// A block that L1 does not have yet executes an invalid message.
    InvalidMessageUnsafe,
    /// A block that is derived from L1 executes an invalid message.
    InvalidMessageSafe,
    /// An endpoint called an invalid block cross-safe.
    ClaimRefuted,
    /// A signature that binds its signer attests an invalid block.
    AttestationViolated,
    /// A cross-safe or final block executes an invalid message.
    InvalidMessagePromoted,
    /// A message changed its validity.
    MessageFlipped,
    /// A message was executed that its transaction did not declare.
    UndeclaredAccess,
    /// The inbox emitted a log that cannot be decoded.
    UndecodableInboxLog,
    /// A gossiped transaction declares an invalid message.
    SuspectDeclared,
    /// Two endpoints call different blocks of one height cross-safe.
    ClaimantsDiffer,
    /// An op-supernode has another super root.
    SuperRootDiffers,
    /// An interop filter answers an access list differently.
    AccessCheckDiffers,
    /// The vouched head left a branch that is no longer on the chain.
    VouchedHeadMovedBack,
    /// A block that an operator resolved without a verdict is invalid.
    ResolvedBlockInvalid,
    /// L1 reorged out what a verdict rested on.
    VerdictWithdrawn,
    /// L1 cannot be read.
    L1Unreadable,
    /// L1's latest block does not move.
    L1HeadNotMoving,
    /// A chain's endpoints are unusable, or configured differently.
    ChainUnusable,
    /// A head of the rollup node does not move.
    RollupNodeHeadNotMoving,
    /// The execution clients' latest block does not move.
    ExecutionHeadNotMoving,
    /// The vouched head does not move.
    VouchedHeadNotMoving,
    /// A chain's nodes remain on an invalid block.
    NodeOnInvalidBranch,
    /// A block has been without a verdict for too long.
    OldestOpenCase,
    /// The rollup nodes of a chain differ.
    RollupNodesDiffer,
    /// Followers are served an old head.
    ServedHeadStale,
    /// A claimant names no cross-safe block.
    ClaimantUnusable,
    /// An endpoint is slow.
    EndpointSlow,
    /// A chain has no gossip peer.
    NoPeers,
    /// All gossip of one kind is refused.
    GossipRefused,
    /// The machine's clock does not fit a chain's blocks.
    ClockWrong,
    /// The unsafe block signer cannot be read.
    SignerUnreadable,
    /// The ledger cannot be written or read.
    LedgerFailing,
}

impl AlertKind {
    /// Every kind.
    pub const ALL: [Self; 34] = [
        Self::AttestationViolatedReplayable,
        Self::InvalidBlockDerived,
        Self::InvalidMessageUnsafe,
        Self::InvalidMessageSafe,
        Self::ClaimRefuted,
        Self::AttestationViolated,
        Self::InvalidMessagePromoted,
        Self::MessageFlipped,
        Self::UndeclaredAccess,
        Self::UndecodableInboxLog,
        Self::SuspectDeclared,
        Self::ClaimantsDiffer,
        Self::SuperRootDiffers,
        Self::AccessCheckDiffers,
        Self::VouchedHeadMovedBack,
        Self::ResolvedBlockInvalid,
        Self::VerdictWithdrawn,
        Self::L1Unreadable,
        Self::L1HeadNotMoving,
        Self::ChainUnusable,
        Self::RollupNodeHeadNotMoving,
        Self::ExecutionHeadNotMoving,
        Self::VouchedHeadNotMoving,
        Self::NodeOnInvalidBranch,
        Self::OldestOpenCase,
        Self::RollupNodesDiffer,
        Self::ServedHeadStale,
        Self::ClaimantUnusable,
        Self::EndpointSlow,
        Self::NoPeers,
        Self::GossipRefused,
        Self::ClockWrong,
        Self::SignerUnreadable,
        Self::LedgerFailing,
    ];

    /// What it asks for.
    pub const fn severity(self) -> Severity {
        match self {
            Self::InvalidMessagePromoted => Severity::AllHands,
            Self::InvalidBlockDerived
            | Self::InvalidMessageUnsafe
            | Self::InvalidMessageSafe
            | Self::ClaimRefuted
            | Self::AttestationViolated
            | Self::UndeclaredAccess
            | Self::ResolvedBlockInvalid
            | Self::L1Unreadable
            | Self::L1HeadNotMoving
            | Self::NodeOnInvalidBranch
            | Self::LedgerFailing => Severity::Page,
            Self::SuspectDeclared | Self::VouchedHeadMovedBack | Self::VerdictWithdrawn => Severity::Info,
            _ => Severity::Warning,
        }
    }

    /// For how many seconds its fact must last before it is reported.
    pub const fn patience(self) -> u64 {
        match self {
            Self::L1Unreadable
            | Self::ChainUnusable
            | Self::RollupNodesDiffer
            | Self::ServedHeadStale
            | Self::EndpointSlow
            | Self::SignerUnreadable => 5 * MINUTE,
            Self::ClaimantUnusable => 10 * MINUTE,
            Self::ClockWrong => 2 * MINUTE,
            Self::L1HeadNotMoving
            | Self::RollupNodeHeadNotMoving
            | Self::ExecutionHeadNotMoving
            | Self::VouchedHeadNotMoving
            | Self::NodeOnInvalidBranch
            | Self::OldestOpenCase
            | Self::NoPeers
            | Self::GossipRefused
            | Self::LedgerFailing => MINUTE,
            _ => 0,
        }
    }

    /// For how many seconds an event counts as a fact, where nothing reports its end. `None`: its end is
    /// reported.
    pub const fn lasts(self) -> Option<u64> {
        match self {
            Self::SuspectDeclared => Some(15 * MINUTE),
            Self::MessageFlipped => Some(30 * MINUTE),
            Self::VouchedHeadMovedBack | Self::VerdictWithdrawn => Some(HOUR),
            Self::UndeclaredAccess
            | Self::UndecodableInboxLog
            | Self::ClaimantsDiffer
            | Self::SuperRootDiffers
            | Self::AccessCheckDiffers
            | Self::ResolvedBlockInvalid => Some(6 * HOUR),
            _ => None,
        }
    }

    /// Its heading in docs/RUNBOOK.md, which is also the name of the rule for Prometheus.
    pub fn heading(self) -> String {
        format!("Crosscheck{self:?}")
    }

    /// The place of its section: a path in the repository.
    pub fn runbook(self) -> String {
        format!("docs/RUNBOOK.md#{}", self.heading().to_lowercase())
    }
}
