//! [`FollowError`]: why there is no new status to serve.

use super::{BlockRefError, Keep, Upstream, UpstreamStatusError};
use crate::audit::{HeadWatcher, SecondOpinion};
use crate::health::Health;
use crate::ledger::LedgerError;
use crate::sources::SourceError;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;

/// Why there is no new status to serve. What was served last is served on.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The audit has no starting point yet.
    #[error("no block is vouched for yet: the rollup node has not reported a finalized block")]
    NothingVouched,
    /// The upstream has not answered yet.
    #[error("the upstream has not answered yet")]
    NoUpstream,
    /// The chain's own rollup node is not asked for its heads.
    #[error("the rollup node's heads are not used: {reason}")]
    NotTaken {
        /// Why not.
        reason: String,
    },
    /// A node gave no usable answer.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The rollup configuration names no genesis block.
    #[error("the rollup node's configuration has no genesis: {reason}; check the node")]
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
    /// The rollup node is not known to have derived its local-safe head.
    #[error("block {number}, the rollup node's local-safe head, is not audited: {}", opinion.in_words().unwrap_or_default())]
    NotDerived {
        /// Its height.
        number: u64,
        /// What is known of the node's derivation.
        opinion: SecondOpinion,
    },
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(LedgerError),
    /// The facts give no status that may be served.
    #[error(transparent)]
    Keep(#[from] Keep),
}

impl FollowError {
    /// Every name that [`FollowError::name`] gives.
    pub const NAMES: [&str; 20] = [
        "nothing-vouched",
        "no-answer",
        "no-genesis",
        "unreadable-status",
        "vouched-missing",
        "vouched-unreadable",
        "not-derived",
        "ledger",
        "no-current-l1",
        "no-head",
        "disordered",
        "behind",
        "other-fork",
        "replaced",
        "unconfirmed",
        "dependency-unknown",
        "dependency-behind",
        "finality-unknown",
        "retraction",
        "conflict",
    ];

    /// Why an upstream has said nothing. The chain's own node is not asked for its heads while something is
    /// wrong with it.
    pub(super) fn unanswered(upstream: &Upstream, health: &Health, chain_id: ChainId) -> Self {
        let parts = upstream.is_sibling().then(|| HeadWatcher::health_parts(chain_id));
        let reason = parts.iter().flatten().find_map(|part| health.reason(part));
        reason.map_or(Self::NoUpstream, |reason| Self::NotTaken { reason })
    }

    /// The stable name of the reason.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NothingVouched => "nothing-vouched",
            Self::NoUpstream | Self::NotTaken { .. } | Self::Source(_) => "no-answer",
            Self::Genesis { .. } => "no-genesis",
            Self::Upstream(_) => "unreadable-status",
            Self::VouchedMissing { .. } => "vouched-missing",
            Self::BlockRef(_) => "vouched-unreadable",
            Self::NotDerived { .. } => "not-derived",
            Self::Ledger(_) => "ledger",
            Self::Keep(keep) => keep.name(),
        }
    }

    /// Whether a node failed to answer: then it is not asked again at once.
    pub const fn is_source_failure(&self) -> bool {
        matches!(self, Self::Source(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Assumed, Heads};
    use crate::sources::{EndpointLimits, RollupNode};
    use crosscheck_p2p::UnixSeconds;
    use rstest::rstest;
    use std::time::Duration;

    const WRONG: &str = "its rollup node's dependency set is 901, 902, the configured one is 901";

    fn upstream(is_sibling: bool) -> Upstream {
        let limits = EndpointLimits {
            timeout: Duration::from_secs(1),
            max_response_bytes: 1,
            max_concurrent_requests: 1,
        };
        let other = || RollupNode::new("http://127.0.0.1:1".parse().unwrap(), limits).unwrap();
        match is_sibling {
            true => Upstream::sibling(&Heads::new([ChainId::from(901)]), ChainId::from(901), Vec::new()),
            false => Upstream::other(other(), Duration::from_secs(1), String::new()),
        }
    }

    /// Unknown is not the same as not derived: an operator is not sent to look for another node.
    #[rstest]
    #[case::unknown(SecondOpinion::Unknown, "did not answer whether it derives the chain")]
    #[case::repeated(SecondOpinion::Repeated, "follows a source and does not derive the chain from L1")]
    #[case::assumed(
        SecondOpinion::Own { assumed: Some(Assumed { number: 9, timestamp: UnixSeconds(1) }) },
        "did not derive the chain up to block 9"
    )]
    fn a_block_that_is_not_claimed_is_explained_by_what_is_known(
        #[case] opinion: SecondOpinion,
        #[case] expected: &str,
    ) {
        let error = FollowError::NotDerived { number: 7, opinion }.to_string();
        assert!(error.contains("block 7") && error.contains(expected), "{error}");
    }

    /// What followers are answered before there is a status.
    #[rstest]
    #[case::nothing_is_wrong(true, None, "the upstream has not answered yet")]
    #[case::the_node_has_other_rules(true, Some(901), WRONG)]
    #[case::that_of_another_chain_has(true, Some(902), "the upstream has not answered yet")]
    #[case::another_upstream_is_asked_all_the_same(false, Some(901), "the upstream has not answered yet")]
    fn an_error_has_the_same_reason_as_readiness(
        #[case] is_sibling: bool,
        #[case] wrong: Option<u64>,
        #[case] expected: &str,
    ) {
        let (health, chain_id) = (Health::default(), ChainId::from(901));
        for part in HeadWatcher::health_parts(chain_id) {
            health.expect(&part);
        }
        if let Some(wrong) = wrong {
            let [endpoints, _] = HeadWatcher::health_parts(ChainId::from(wrong));
            health.set_not_ready(&endpoints, WRONG.to_owned());
        }
        let error = FollowError::unanswered(&upstream(is_sibling), &health, chain_id);
        assert!(error.to_string().ends_with(expected), "{error}");
        assert_eq!(error.name(), "no-answer");
    }
}
