//! [`Fact`]: an answer to a [`Need`](super::Need). A failure is never a fact.

use super::{Candidate, L1Contradiction};
use crate::consolidation::BlockAttributes;
use crate::consolidation::deposits::TakenFromNode;
use crate::message::BlockKey;
use crate::proof::{OutputV0, ProvenLogs};
use crate::validity::SameTimestamp;
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::sync::Arc;

/// The derived block at a case's height.
#[derive(Clone, Debug)]
pub struct DerivedBlock {
    /// Its hash.
    pub hash: B256,
    /// Its attributes.
    pub attributes: BlockAttributes,
    /// What its output root is the hash of.
    pub output: OutputV0,
    /// Blocks that the case's block may replace.
    pub candidates: Vec<Candidate>,
    /// Whether it is another node's claim: the chain's node has not derived it itself.
    pub is_second_hand: bool,
}

/// An answer to a need.
#[derive(Clone, Debug)]
pub enum Fact {
    /// The derived block, and the other blocks with user transactions seen at its height.
    Derived(Box<DerivedBlock>),
    /// Another node that has derived the chain has this block at the height, too.
    Corroborated {
        /// The block.
        derived: B256,
    },
    /// The chain's node no longer has the block that it had at the height.
    DerivedOther,
    /// L1 alone does not contradict the block.
    L1Agrees {
        /// What was not checked against L1, but taken from the rollup node.
        taken: Option<TakenFromNode>,
    },
    /// L1 alone contradicts the block.
    L1Contradicts(Box<L1Contradiction>),
    /// What L1 says is at the block's height is final.
    Final,
    /// L1 has reorged out the block's L1 origin permanently.
    OriginDropped(BlockNumHash),
    /// The branch that the block is built on was left permanently; this is its parent.
    BranchLeft {
        /// The parent.
        parent: B256,
    },
    /// The proven logs of the block asked for.
    Logs(Arc<ProvenLogs>),
    /// The chain's own client no longer has the block asked for.
    LogsGone,
    /// The initiating block's proven logs.
    Initiating {
        /// The logs.
        logs: Arc<ProvenLogs>,
        /// Whether the block is known to be valid, through everything that it cites.
        is_valid: bool,
    },
    /// The initiating chain is past the claimed timestamp: one of its local-safe blocks.
    InitiatingTip {
        /// The initiating chain.
        chain_id: ChainId,
        /// The block's height.
        number: u64,
        /// The block's timestamp.
        timestamp: UnixSeconds,
    },
    /// A cited block is proven to be valid itself, or proven not to be.
    CitedBlock {
        /// Which block is at the cited height.
        key: BlockKey,
        /// Whether it is valid.
        is_valid: bool,
    },
    /// Messages that are initiated and executed at the examined block's timestamp.
    SameTimestamp {
        /// All that are known, of every chain.
        messages: Vec<SameTimestamp>,
        /// Whether there can be no others.
        is_complete: bool,
    },
}
