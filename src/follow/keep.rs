//! [`Keep`]: why the safe head that was served last stays, or why there is none yet.

use alloy::primitives::B256;
use crosscheck_p2p::ChainId;

/// Why the safe head that was served last stays, or why there is none yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Keep {
    /// The upstream does not say how far it has read L1.
    #[error("the upstream has not reported current_l1 yet")]
    NoCurrentL1,
    /// The upstream has no such head yet.
    #[error("the upstream has no {level} head yet")]
    NoHead {
        /// Which head.
        level: &'static str,
    },
    /// The upstream's cross-safe head is above its local-safe head.
    #[error("the upstream's safe head {safe} is above its local-safe head {local_safe}")]
    Disordered {
        /// Its cross-safe height.
        safe: u64,
        /// Its local-safe height.
        local_safe: u64,
    },
    /// The upstream has not reached the vouched height.
    #[error("the upstream is at {upstream}, below the vouched head {vouched}")]
    Behind {
        /// Its local-safe height.
        upstream: u64,
        /// The vouched height.
        vouched: u64,
    },
    /// The upstream, the execution client and the vouched head are not on one chain.
    #[error(
        "at height {number} the execution client has {canonical}, not {expected}: they are on different branches"
    )]
    Elsewhere {
        /// The height.
        number: u64,
        /// The execution client's block.
        canonical: B256,
        /// The block that is expected there.
        expected: B256,
    },
    /// The execution client has a block below the vouched head that another took the place of.
    #[error(
        "at height {number} the execution client has {hash}, an invalid block that was replaced, below the vouched head {vouched}"
    )]
    Replaced {
        /// The height.
        number: u64,
        /// The replaced block.
        hash: B256,
        /// The vouched height.
        vouched: u64,
    },
    /// The execution client does not know a block that would be served.
    #[error("the execution client does not have block {number}, the upstream's {level} head, yet")]
    Unconfirmed {
        /// The height.
        number: u64,
        /// Which head.
        level: &'static str,
    },
    /// It is not known how far a chain is that this one depends on.
    #[error(
        "it is not known up to which block chain {chain_id}, whose messages count here, is derived and its messages are valid"
    )]
    DependencyUnknown {
        /// That chain.
        chain_id: ChainId,
    },
    /// It is not known up to where the chains that this one depends on are final.
    #[error("it is not known up to which block the chains are final whose messages this chain may execute")]
    FinalityUnknown,
    /// The chains that this one depends on are behind it, and the highest block that they allow is not known
    /// to be right.
    #[error(
        "the chains that this one depends on allow block {number} of it only, {vouched} is vouched for, and the execution client's \
         block {number} was not upheld, or is later than they allow"
    )]
    DependencyBehind {
        /// The height that their heads allow.
        number: u64,
        /// The vouched height.
        vouched: u64,
    },
    /// The safe head would go back.
    #[error("the safe head would go back from {last} to {next}")]
    Retraction {
        /// The height served last.
        last: u64,
        /// The height that would be served.
        next: u64,
    },
    /// The safe head's height would change its block.
    #[error("the safe head at {number} would change from {last} to {next}")]
    Conflict {
        /// The height.
        number: u64,
        /// The block served last.
        last: B256,
        /// The block that would be served.
        next: B256,
    },
}

impl Keep {
    /// Its stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NoCurrentL1 => "no-current-l1",
            Self::NoHead { .. } => "no-head",
            Self::Disordered { .. } => "disordered",
            Self::Behind { .. } => "behind",
            Self::Elsewhere { .. } => "other-fork",
            Self::Replaced { .. } => "replaced",
            Self::Unconfirmed { .. } => "unconfirmed",
            Self::DependencyUnknown { .. } => "dependency-unknown",
            Self::DependencyBehind { .. } => "dependency-behind",
            Self::FinalityUnknown => "finality-unknown",
            Self::Retraction { .. } => "retraction",
            Self::Conflict { .. } => "conflict",
        }
    }
}
