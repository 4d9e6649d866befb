//! [`Outcome`]: the result of asking an endpoint and Crosscheck the same question. Pure.

use crosscheck_p2p::ChainId;
use std::collections::BTreeSet;

/// The name of the own answers in events.
pub(super) const CROSSCHECK: &str = "crosscheck";

/// The result of asking an endpoint and Crosscheck the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome<A> {
    /// Both say the same.
    Agrees,
    /// They contradict each other.
    Differs(A),
    /// One of them has no opinion.
    None(NoOpinion),
}

/// Why one of them has no opinion.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoOpinion {
    /// The endpoint did not answer, or not as it should.
    #[error("{0}")]
    Failed(String),
    /// The endpoint is another program, whose super roots are of blocks that it has not verified.
    #[error(
        "it is not an op-supernode: it does not serve supernode_syncStatus, and does not verify what its super roots are of"
    )]
    NotSupernode,
    /// The endpoint runs other chains.
    #[error("it runs {}, which is not a dependency set that is watched here", in_words(.0))]
    OtherChains(BTreeSet<ChainId>),
    /// The super root is not that of the output roots that the endpoint names.
    #[error("its super root is not that of the output roots which it names")]
    Inconsistent,
    /// The endpoint accepts every access list.
    #[error("it accepts every access list (--dangerously-enable-passthrough)")]
    Passthrough,
    /// The endpoint follows other blocks.
    #[error("it is on another branch of chain {0}")]
    AnotherBranch(ChainId),
    /// The endpoint has none yet.
    #[error("it has no super root at the timestamp yet")]
    NotYet,
    /// The endpoint answers, and has not verified what it answers.
    #[error("it does not say that it has verified chain {0} at the timestamp")]
    NotVerified(ChainId),
    /// Interop is not active at the timestamp, so nobody verifies it.
    #[error("interop is not active on every chain at the timestamp")]
    NotActive,
    /// The endpoint has decided nothing.
    #[error("it decided nothing: {message} (code {code})")]
    Undecided {
        /// Its code.
        code: i32,
        /// Its words.
        message: String,
    },
    /// The own answer is not known.
    #[error("the own answer is not known: {0}")]
    OwnUnknown(String),
}

impl NoOpinion {
    /// Whether an operator has to act.
    pub(super) const fn needs_fix(&self) -> bool {
        match self {
            Self::Failed(_)
            | Self::NotSupernode
            | Self::OtherChains(_)
            | Self::Inconsistent
            | Self::Passthrough => true,
            Self::AnotherBranch(_)
            | Self::NotYet
            | Self::NotVerified(_)
            | Self::NotActive
            | Self::Undecided { .. }
            | Self::OwnUnknown(_) => false,
        }
    }
}

impl<A> Outcome<A> {
    /// Every name that [`Outcome::name`] gives.
    pub(super) const NAMES: [&str; 3] = ["agrees", "differs", "none"];

    /// Its stable name, for metrics.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Differs(_) => "differs",
            Self::None(_) => "none",
        }
    }
}

fn in_words(chains: &BTreeSet<ChainId>) -> String {
    let ids: Vec<String> = chains.iter().map(ToString::to_string).collect();
    if ids.is_empty() { "no chain".to_owned() } else { format!("chains {}", ids.join(", ")) }
}
