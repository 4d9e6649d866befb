//! [`FollowError`]: why there is no new status to serve.

use super::{BlockRefError, Keep, UpstreamStatusError};
use crate::sources::SourceError;
use alloy::primitives::B256;

/// Why there is no new status to serve. What was served last is served on.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The audit has no starting point yet.
    #[error("nothing is vouched for yet: the chain's node has not named a finalized block")]
    NothingVouched,
    /// The upstream has not answered yet.
    #[error("the upstream has not answered yet")]
    NoUpstream,
    /// A node gave no usable answer.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The rollup configuration names no genesis block.
    #[error("the rollup node's configuration names no genesis: {reason}; check the node")]
    Genesis {
        /// What the parser said.
        reason: String,
    },
    /// The upstream's status lacks something.
    #[error(transparent)]
    Upstream(#[from] UpstreamStatusError),
    /// The execution client does not have the vouched block.
    #[error("the execution client does not have the vouched block {number} ({hash}) yet")]
    VouchedMissing {
        /// Its height.
        number: u64,
        /// Its hash.
        hash: B256,
    },
    /// The vouched block cannot be named in full.
    #[error(transparent)]
    BlockRef(#[from] BlockRefError),
    /// The facts give no status that may be served.
    #[error(transparent)]
    Keep(#[from] Keep),
}

impl FollowError {
    /// Every name that [`FollowError::name`] gives.
    pub const NAMES: [&str; 14] = [
        "nothing-vouched",
        "no-answer",
        "no-genesis",
        "unreadable-status",
        "vouched-missing",
        "vouched-unreadable",
        "no-current-l1",
        "no-head",
        "disordered",
        "behind",
        "other-fork",
        "unconfirmed",
        "retraction",
        "conflict",
    ];

    /// The stable name of the reason.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NothingVouched => "nothing-vouched",
            Self::NoUpstream | Self::Source(_) => "no-answer",
            Self::Genesis { .. } => "no-genesis",
            Self::Upstream(_) => "unreadable-status",
            Self::VouchedMissing { .. } => "vouched-missing",
            Self::BlockRef(_) => "vouched-unreadable",
            Self::Keep(keep) => keep.name(),
        }
    }

    /// Whether a node failed to answer: then it is not asked again at once.
    pub const fn is_source_failure(&self) -> bool {
        matches!(self, Self::Source(_))
    }
}
