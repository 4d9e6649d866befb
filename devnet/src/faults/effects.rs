//! What a fault changes: in its block, in what is attested, at the chain's nodes, on L1. Pure values.

use crate::timing::L1_FINALITY_DEPTH;

/// What is unusual about the block of a fault, apart from its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockContent {
    /// Nothing.
    Usual,
    /// It is built twice, with different transactions, and the second takes the place of the first.
    BuiltTwice,
    /// It has a deposit that L1 never had.
    ForgedDeposit,
    /// It is the first of a fork that brings a bundle of upgrade deposits.
    FirstOfFork,
}

/// What becomes of the block of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It keeps its place.
    Kept,
    /// It is replaced by its deposits when it would become cross-safe.
    Replaced(ReplacementCourse),
    /// It is dropped, still unsafe, in the tick after the fault's own block is built.
    Dropped,
}

/// How the chain's nodes reach a replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReplacementCourse {
    /// They have it as soon as it is due.
    AtOnce,
    /// First the rollup node names heads far below.
    AfterWithdrawal {
        /// For how many ticks.
        ticks: u64,
    },
    /// First the execution client is rewound, and the rollup node is stopped.
    AfterRewind {
        /// For how many ticks.
        ticks: u64,
    },
    /// They check no messages, and remain on the replaced block.
    IgnoredByNodes {
        /// For how many ticks.
        ticks: u64,
    },
}

/// What is waited for after a block with a scripted message was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitFor {
    /// Nothing.
    Nothing,
    /// That the sidecar has judged the message.
    Judged,
    /// That the sidecar has found the message valid.
    Valid,
}

/// Which of its newest blocks L1 reorgs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum L1Drop {
    /// Those that no cross-safe block is built on.
    BelowCrossSafety,
    /// All that are not final. Blocks that are built on them were attested.
    AllButFinal,
    /// Those with the batch of a block that is replaced, or in whose place another was attested, and what
    /// follows them. The L1 origin of that block remains.
    Batch,
}

impl L1Drop {
    /// How many blocks those are.
    pub(crate) const fn blocks(self) -> u64 {
        match self {
            Self::BelowCrossSafety | Self::Batch => 2,
            Self::AllButFinal => L1_FINALITY_DEPTH,
        }
    }
}

/// One of a chain's claimants, where it has any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claimant {
    /// It calls safe what the chain has.
    Honest,
    /// It calls a block safe that is to be replaced.
    Lying,
    /// It calls a block safe that nobody has.
    Differing,
}

/// The claimants of a chain, in the order of the sidecar's configuration.
pub(crate) const CLAIMANTS: [Claimant; 3] = [Claimant::Honest, Claimant::Lying, Claimant::Differing];

impl Claimant {
    /// Its place in that order.
    pub(crate) const fn place(self) -> usize {
        match self {
            Self::Honest => 0,
            Self::Lying => 1,
            Self::Differing => 2,
        }
    }
}

/// What a chain's nodes or endpoints do, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Disturbance {
    /// What they do.
    pub(crate) kind: DisturbanceKind,
    /// For how many ticks, from the one that builds the block.
    pub(crate) ticks: u64,
}

/// What a chain's nodes or endpoints do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DisturbanceKind {
    /// All execution clients answer errors.
    Errors,
    /// All nodes serve another branch of the chain, on L1 blocks that are not L1's.
    OtherBranch,
    /// The execution client has another branch by number, from the block on. The blocks above it have the
    /// chain's own as parents.
    Unlinked {
        /// How many blocks of the other branch it has, each on the one before.
        blocks: u64,
    },
    /// The rollup node names all-zero heads.
    ZeroHeads,
    /// The rollup node has other rules than the chain.
    OtherRules,
    /// The rollup node calls genesis safe and final.
    GenesisFinal,
    /// One of the chain's claimants remains at the block's height, and calls another block safe there.
    ClaimantDiffers,
    /// One of three endpoints serves another branch, from the block on.
    EndpointLies,
    /// One of three endpoints knows only blocks of a while ago.
    EndpointLags {
        /// How far it is behind, in ticks.
        by: u64,
    },
}

impl DisturbanceKind {
    /// Whether it is about one of three endpoints.
    pub(super) const fn is_of_one_endpoint(self) -> bool {
        matches!(self, Self::EndpointLies | Self::EndpointLags { .. })
    }

    /// Whether it is about nodes from which the sidecar reads the chain.
    pub(super) const fn is_of_chain_nodes(self) -> bool {
        !matches!(self, Self::EndpointLies | Self::EndpointLags { .. } | Self::ClaimantDiffers)
    }

    /// Whether it makes the chain's rollup node unusable.
    pub(super) const fn is_of_rollup_node(self) -> bool {
        matches!(self, Self::ZeroHeads | Self::OtherRules | Self::GenesisFinal)
    }

    /// Whether the execution client has blocks that are not the parents of those above them.
    pub(super) const fn is_unlinked(self) -> bool {
        matches!(self, Self::Unlinked { .. })
    }
}

/// Whether and when an attestation is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Publication {
    /// When the block is promoted.
    AsPromoted,
    /// When the last block of the fault is promoted, the newest first.
    Reversed,
    /// When another block of its height is promoted.
    WithNext,
    /// Never.
    Never,
}

/// What the sequencer attests at a height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attested {
    /// The cross-safe block, signed with its own key.
    Block,
    /// A deposits-only sibling of the cross-safe block.
    DepositsOnlySibling,
    /// A sibling with other user transactions.
    OtherTransactionsSibling,
    /// A sibling with other user transactions, and blocks on top of that.
    OtherBranch,
    /// A sibling with another minimum base fee.
    OtherMinBaseFeeSibling,
    /// A sibling with another state root.
    OtherStateRootSibling,
    /// The cross-safe block, signed with a key that is not the chain's.
    BlockByImpostor,
}
