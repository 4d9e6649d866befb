//! How far a [`Case`](super::Case) is, and which gates the messages of its examined block have passed. Data
//! alone: the rules are the case's.

use crate::case::Verdict;
use crate::proof::ProvenLogs;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How far a case is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// What L1 says is at the height is wanted.
    Derivation,
    /// What L1 alone says is wanted; then the case continues.
    L1 {
        then: Box<Stage>,
    },
    /// The logs of the block under examination are wanted, then its messages are checked.
    Messages {
        examined: B256,
        /// `Some`: the block examined is one that the case's block replaces.
        replaces: Option<Replaces>,
        known: bool,
    },
    /// The case's block may have replaced this one correctly, as L1 was then. L1 has reorged that out, which
    /// is not final yet.
    Undone {
        original: B256,
    },
    /// The case's block differs from what the chain's node has at the height, and that node has not derived
    /// it itself.
    SecondHand {
        derived: B256,
        accusation: Verdict,
    },
    Decided(Verdict),
}

/// How the examined block relates to the height of the case's block, which may be in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replaces {
    /// It was seen there. The chain's node has the case's block.
    Seen,
    /// L1 derives it there.
    Derived,
    /// It was seen there, and L1 says another.
    Former,
}

/// Which gates the messages of the examined block have passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Gates {
    /// The logs of the examined block.
    pub(super) logs: Option<Arc<ProvenLogs>>,
    /// By log index: the messages whose cited log is there.
    pub(super) held: BTreeMap<u32, Held>,
    /// By height: the cited blocks of which it is known whether they are valid themselves.
    pub(super) cited: BTreeMap<(ChainId, u64), Cited>,
    /// Whether it is known that no cycle holds the chain at the examined block's timestamp.
    pub(super) is_acyclic: bool,
}

/// Where a message's cited log was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// The block.
    pub(super) block: B256,
    /// Whether a deposit emitted it, so that it is in every replacement of the block.
    pub(super) lasts: bool,
}

/// What is known of a cited block's own validity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cited {
    pub(super) block: B256,
    pub(super) is_valid: bool,
}
