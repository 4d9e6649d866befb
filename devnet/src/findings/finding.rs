//! [`SidecarFinding`]: what a sidecar makes of one attestation, in the terms of the report.

use core::fmt;
use serde::{Serialize, Serializer};

/// What was found, or was to be found. Its text form is that of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SidecarFinding {
    /// The attestation is valid.
    Upheld,
    /// The attestation names the deposits-only block that rightly replaced another.
    UpheldReplacement,
    /// The attestation is invalid.
    Violated {
        /// The verdict's reason.
        reason: String,
        /// For an invalid message: the rule that it breaks.
        detail: Option<String>,
    },
    /// The block itself was not attested, but a descendant was; it is valid.
    UpheldAsAncestor,
    /// The attested block is not the one that L1 gives, not even as deposits only.
    Discarded {
        /// How it differs.
        reason: String,
    },
    /// The attested block's branch was reorged out.
    Superseded,
    /// The attestation is valid, and only a replay of the unsafe block is kept of it.
    UpheldReplay,
    /// There is no verdict yet.
    Open,
    /// The frame was rejected on gossip.
    Rejected {
        /// Why.
        reason: String,
    },
    /// The frame was ignored on gossip.
    Ignored {
        /// Why.
        reason: String,
    },
    /// The verdict had to wait for a chain's nodes, and then was upheld.
    OpenThenUpheld {
        /// The chain.
        chain_id: u64,
        /// What was wrong with its nodes.
        by: NodeProblem,
    },
    /// One of the chain's endpoints was found to differ from the others.
    Outvoted {
        /// The chain.
        chain_id: u64,
        /// What is wrong with the endpoint.
        oddity: EndpointOddity,
    },
    /// The chain's execution client was said to contradict itself, once, and no longer when its blocks linked
    /// up.
    Unlinked {
        /// The chain.
        chain_id: u64,
    },
    /// The chain's rollup node named no heads for a while: they were reported as unknown, and known again
    /// afterwards.
    HeadsUnknown {
        /// The chain.
        chain_id: u64,
    },
    /// The chain's rollup node had other rules for a while: that was reported, its heads were unknown, and
    /// known again afterwards.
    RulesDiffer {
        /// The chain.
        chain_id: u64,
    },
    /// The chain's rollup node called genesis final for a while: no head moved back, and all continued
    /// afterwards.
    GenesisFinal {
        /// The chain.
        chain_id: u64,
    },
    /// Two blocks of a height were attested and upheld, one after the other: L1 reorged out the origin of the
    /// first, and the vouched head left it.
    Retracted {
        /// The chain.
        chain_id: u64,
    },
    /// The chain's nodes remained on a replaced block: the replacement was upheld, both blocks were named as
    /// what blocks readiness, and readiness came back once the nodes had left the block.
    StayedBehind {
        /// The chain.
        chain_id: u64,
    },
    /// The chain's nodes remained on a replaced block, and nobody attested the replacement: the block held
    /// the vouched head until the nodes had left it, and then the replacement was upheld.
    HeldUntilReplaced {
        /// The chain.
        chain_id: u64,
    },
    /// The chain's execution client was rewound while its rollup node was stopped: no block was treated as
    /// final because of it, and the replacement was upheld.
    Rewound {
        /// The chain.
        chain_id: u64,
    },
    /// L1 reorged out what brought a block that the chain had replaced: the replacement and the block in its
    /// place were both upheld, and the vouched head moved over; or the replacement came too late for that.
    Unreplaced {
        /// The chain.
        chain_id: u64,
        /// Whether the replacement's attestation came after that.
        is_unseen: bool,
    },
    /// The attested block was found to replace a block without reason; then L1 reorged out that one, the
    /// verdict was withdrawn, once, the attested block was upheld, and its signer was no longer accused.
    VerdictWithdrawn {
        /// The chain.
        chain_id: u64,
    },
    /// A block was replaced, and the replacement was upheld; the claim of the endpoint that had called the
    /// block safe was refuted.
    ClaimRefuted {
        /// The chain.
        chain_id: u64,
    },
    /// Two of a chain's claimants were said to call different blocks of one height safe, with what each of
    /// them said.
    ClaimantsDiffer {
        /// The chain.
        chain_id: u64,
    },
    /// Something was reported of claims or signers, and nothing was scripted that explains it.
    Unexplained {
        /// What.
        said: String,
    },
    /// The vouched head moved back, and nothing was scripted that explains it.
    VouchedBack {
        /// The chain.
        chain_id: u64,
    },
    /// All-zero heads were treated as heads at height 0.
    HeadsAtZero {
        /// The chain.
        chain_id: u64,
    },
    /// A message was accused, and nothing was scripted that explains it.
    Message {
        /// What was said of it.
        said: String,
    },
    /// The verdict has to wait for a chain's nodes.
    HeldOpen {
        /// The chain.
        chain_id: u64,
        /// What is wrong with its nodes.
        by: NodeProblem,
    },
}

/// How an endpoint differs from the others of its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EndpointOddity {
    /// It serves other blocks.
    Lies,
    /// It is behind.
    Lags,
}

/// Why nothing could be found out from a chain's nodes for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeProblem {
    /// The execution client answered errors.
    Errors,
    /// They were on another branch.
    OtherBranch,
}

impl SidecarFinding {
    /// A message of the attested block breaks a rule.
    pub(crate) fn invalid_message(rule: &str) -> Self {
        Self::Violated { reason: "invalid-message".to_owned(), detail: Some(rule.to_owned()) }
    }

    /// Whether this is found of a block that no follower may take for safe.
    pub(crate) const fn stops_followers(&self) -> bool {
        matches!(self, Self::Violated { .. } | Self::Discarded { .. })
    }

    /// Whether this says that an attester did wrong: where nothing was scripted, a false alarm.
    pub(crate) const fn is_alarm(&self) -> bool {
        match self {
            Self::Violated { .. }
            | Self::Discarded { .. }
            | Self::Rejected { .. }
            | Self::Unexplained { .. }
            | Self::Message { .. } => true,
            Self::Upheld
            | Self::UpheldReplacement
            | Self::UpheldAsAncestor
            | Self::Superseded
            | Self::UpheldReplay
            | Self::Open
            | Self::Ignored { .. }
            | Self::OpenThenUpheld { .. }
            | Self::Outvoted { .. }
            | Self::Unlinked { .. }
            | Self::HeadsUnknown { .. }
            | Self::RulesDiffer { .. }
            | Self::GenesisFinal { .. }
            | Self::Retracted { .. }
            | Self::StayedBehind { .. }
            | Self::HeldUntilReplaced { .. }
            | Self::Rewound { .. }
            | Self::Unreplaced { .. }
            | Self::VerdictWithdrawn { .. }
            | Self::ClaimRefuted { .. }
            | Self::ClaimantsDiffer { .. }
            | Self::VouchedBack { .. }
            | Self::HeadsAtZero { .. }
            | Self::HeldOpen { .. } => false,
        }
    }
}

impl fmt::Display for SidecarFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upheld => f.write_str("upheld"),
            Self::UpheldReplacement => f.write_str("upheld-replacement"),
            Self::Violated { reason, detail: None } => write!(f, "violated: {reason}"),
            Self::Violated { reason, detail: Some(detail) } => write!(f, "violated: {reason} ({detail})"),
            Self::UpheldAsAncestor => f.write_str("upheld as ancestor"),
            Self::Discarded { reason } => write!(f, "discarded: {reason}"),
            Self::Superseded => f.write_str("superseded"),
            Self::UpheldReplay => f.write_str("upheld, kept as a replay only"),
            Self::Open => f.write_str("open"),
            Self::Rejected { reason } => write!(f, "rejected: {reason}"),
            Self::Ignored { reason } => write!(f, "ignored: {reason}"),
            Self::Outvoted { chain_id, oddity: EndpointOddity::Lies } => {
                write!(f, "outvoted (an endpoint of {chain_id} serves another branch)")
            }
            Self::Outvoted { chain_id, oddity: EndpointOddity::Lags } => {
                write!(f, "outvoted (an endpoint of {chain_id} is behind)")
            }
            Self::Unlinked { chain_id } => {
                write!(
                    f,
                    "not ready, reported once, then ready (the execution client of {chain_id} contradicted itself)"
                )
            }
            Self::HeadsUnknown { chain_id } => {
                write!(f, "heads unknown, then known ({chain_id} rollup node reported none)")
            }
            Self::RulesDiffer { chain_id } => {
                write!(f, "not ready, then ready ({chain_id} rollup node had another configuration)")
            }
            Self::GenesisFinal { chain_id } => {
                write!(f, "no head moved back, then on ({chain_id} rollup node called genesis final)")
            }
            Self::Retracted { chain_id } => {
                write!(f, "upheld, retracted, upheld again (L1 reorged out the origin on {chain_id})")
            }
            Self::StayedBehind { chain_id } => {
                write!(
                    f,
                    "upheld-replacement, not ready, then ready ({chain_id} nodes remained on the replaced block)"
                )
            }
            Self::HeldUntilReplaced { chain_id } => {
                write!(
                    f,
                    "violated, held, then upheld-replacement ({chain_id} nodes remained on the replaced block)"
                )
            }
            Self::Rewound { chain_id } => {
                write!(f, "upheld-replacement, nothing final before its time ({chain_id} client was rewound)")
            }
            Self::Unreplaced { chain_id, is_unseen } => {
                let before = if *is_unseen { "superseded" } else { "upheld-replacement" };
                write!(f, "{before}, then upheld in its place (L1 reorged out what {chain_id} had replaced)")
            }
            Self::VerdictWithdrawn { chain_id } => {
                write!(
                    f,
                    "violated: unjustified-replacement, then withdrawn and upheld (L1 reorged out what {chain_id} had in its place)"
                )
            }
            Self::ClaimRefuted { chain_id } => {
                write!(
                    f,
                    "upheld-replacement, claim refuted (a claimant of {chain_id} called the replaced block safe)"
                )
            }
            Self::ClaimantsDiffer { chain_id } => {
                write!(f, "reported with both answers (claimants of {chain_id} call different blocks safe)")
            }
            Self::Unexplained { said } => f.write_str(said),
            Self::VouchedBack { chain_id } => write!(f, "the vouched head of {chain_id} moved back"),
            Self::HeadsAtZero { chain_id } => {
                write!(f, "unknown heads treated as height 0 ({chain_id} rollup node reported none)")
            }
            Self::Message { said } => write!(f, "message: {said}"),
            Self::OpenThenUpheld { chain_id, by: NodeProblem::Errors } => {
                write!(f, "open, then upheld ({chain_id} execution client answered errors)")
            }
            Self::OpenThenUpheld { chain_id, by: NodeProblem::OtherBranch } => {
                write!(f, "open, then upheld ({chain_id} nodes were on another branch)")
            }
            Self::HeldOpen { chain_id, by: NodeProblem::Errors } => {
                write!(f, "open ({chain_id} execution client answers errors)")
            }
            Self::HeldOpen { chain_id, by: NodeProblem::OtherBranch } => {
                write!(f, "open ({chain_id} nodes were on another branch)")
            }
        }
    }
}

impl Serialize for SidecarFinding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
