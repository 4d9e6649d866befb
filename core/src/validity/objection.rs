//! [`Objection`]: why a claim is not simply granted. Only one that breaks a clause is invalid.

use super::InvalidReason;
use crosscheck_p2p::ChainId;

/// Why a claim is not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Objection {
    /// It breaks a clause: it is invalid.
    #[error(transparent)]
    Broken(#[from] InvalidReason),
    /// The known rules do not decide: it is unknown.
    #[error(transparent)]
    Unclear(#[from] Unclear),
}

/// What is not known of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// When interop activates on a chain.
    #[error(
        "the interop activation time of chain {chain_id} is not known; set chains.{chain_id}.interop_time, or use a \
         rollup node that reports it"
    )]
    InteropTime {
        /// The chain.
        chain_id: ChainId,
    },
    /// Which chains' messages a chain may execute.
    #[error(
        "the dependency set of chain {chain_id} is not known; set chains.{chain_id}.dependency_set, or use a rollup node that answers optimism_dependencySet"
    )]
    Dependencies {
        /// The chain.
        chain_id: ChainId,
    },
    /// Whether the chain's rollup node works by the rules that were configured.
    #[error("the rollup node of chain {chain_id} has not reported its configuration yet")]
    Unasked {
        /// The chain.
        chain_id: ChainId,
    },
    /// The chain's rollup node works by other rules than those that were configured.
    #[error(
        "the configuration of the rollup node of chain {chain_id} differs from Crosscheck's; correct one of them"
    )]
    Disputed {
        /// The chain.
        chain_id: ChainId,
    },
    /// A chain of a chain's set has another set.
    #[error(
        "chain {member} is in the dependency set of chain {chain_id} and has a different dependency set; correct one of them"
    )]
    OtherSet {
        /// The chain.
        chain_id: ChainId,
        /// The one with another set.
        member: ChainId,
    },
    /// The chain may be cited, but is not watched.
    #[error("chain {chain_id} is not watched; add a [chains.{chain_id}] section with an execution client")]
    NotWatched {
        /// The chain.
        chain_id: ChainId,
    },
}

impl Unclear {
    /// What is not known, in words.
    pub fn unknown_part(&self) -> String {
        match self {
            Self::InteropTime { chain_id } => format!("the interop activation time of chain {chain_id}"),
            Self::Dependencies { chain_id } => format!("the dependency set of chain {chain_id}"),
            Self::Unasked { chain_id } | Self::Disputed { chain_id } => {
                format!("the rules of chain {chain_id}")
            }
            Self::OtherSet { chain_id, member } => {
                format!("the common dependency set of chains {chain_id} and {member}")
            }
            Self::NotWatched { chain_id } => format!("chain {chain_id}, which is not watched,"),
        }
    }
}

impl Objection {
    /// Its stable name: that of the clause, or `unclear`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Broken(reason) => reason.code(),
            Self::Unclear(_) => "unclear",
        }
    }
}
