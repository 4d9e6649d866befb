//! [`ChainTick`]: what one chain did in a tick, and what its nodes and its attester do about it. Pure data.

use super::heads::ChainHeads;
use crate::chain::L2Block;
use crate::faults::{Claimant, PlannedFault};
use crate::findings::MessagePlace;
use alloy::primitives::B256;
use std::sync::Arc;

/// A sequencer's attestation of a block.
#[derive(Clone, Debug)]
pub struct Attestation {
    /// The block that is attested.
    pub block: Arc<L2Block>,
    /// Whether a key signs that is not the chain's.
    pub by_impostor: bool,
    /// Whether it is published at all.
    pub is_published: bool,
    /// The fault that shows in this attestation.
    pub fault: Option<PlannedFault>,
}

/// What one chain did in a tick.
#[derive(Clone, Debug)]
pub struct ChainTick {
    /// The chain.
    pub chain_id: u64,
    /// The block that took another's height by derivation; it is not gossiped as new.
    pub replacement: Option<Arc<L2Block>>,
    /// The blocks that were built, in order; they follow the replacement.
    pub built: Vec<Arc<L2Block>>,
    /// Those of them whose frames a bystander publishes as attestations, at once.
    pub replayed: Vec<Arc<L2Block>>,
    /// The scripted messages that those blocks execute.
    pub scripted: Vec<ScriptedMessage>,
    /// What is attested, in order.
    pub attestations: Vec<Attestation>,
    /// The heads at the end of the tick.
    pub heads: ChainHeads,
    /// Whether the chain's execution client answers errors in this tick.
    pub outage: bool,
    /// Whether the chain's rollup node names no heads in this tick.
    pub unknown_heads: bool,
    /// Whether the chain's rollup node works by other rules in this tick.
    pub other_rules: bool,
    /// Whether the chain's rollup node calls genesis safe and final in this tick.
    pub genesis_final: bool,
    /// What the chain's nodes serve from a height on in place of its own blocks, if they are on another
    /// branch.
    pub other_branch: Option<Vec<Arc<L2Block>>>,
    /// What the chain's execution client has by number in place of the chain's own blocks of those heights.
    pub unlinked: Vec<Arc<L2Block>>,
    /// Which of the chain's endpoints differs from the others in this tick, and how, if one does.
    pub odd: Option<(usize, OddEndpoint)>,
    /// The cross-safe heads that L1 blocks led to since the tick before: the L1 height, and the chain's.
    pub safe_at: Vec<(u64, u64)>,
    /// What the chain's node does with a local-safe head that it withdraws.
    pub withdrawal: Option<Withdrawal>,
    /// The replaced block that the chain's nodes stay on in this tick, if they do: they know of nothing that
    /// came after.
    pub remains_on: Option<Replaced>,
    /// How the chain's execution client is rewound in this tick, if it is.
    pub rewind: Option<Rewind>,
    /// What claimants of the chain call safe in this tick in place of its own safe head.
    pub odd_claims: Vec<OddClaim>,
}

/// What a claimant calls safe that is not the chain's safe block of that height.
#[derive(Clone, Debug)]
pub struct OddClaim {
    /// The claimant.
    pub(crate) claimant: Claimant,
    /// For which fault.
    pub(crate) fault: PlannedFault,
    /// The block.
    pub(crate) block: Arc<L2Block>,
    /// The chain's own block of that height.
    pub(crate) own: B256,
}

/// An execution client that is rewound to replace a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewind {
    /// The height of its tip: that below the block.
    pub kept: u64,
    /// What it has there first, in place of the chain's block.
    pub sibling: Option<Arc<L2Block>>,
}

/// A block that was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The block.
    pub hash: B256,
    /// The block that took its place.
    pub by: B256,
}

/// What a node does with a local-safe head that it withdraws. With it: the height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// It still names it.
    Named(u64),
    /// It names heads far below.
    Withdrawn(u64),
}

impl ChainTick {
    /// The tick up to a block whose height another takes in it, and the rest. `None`: no height has two
    /// blocks.
    pub fn split(&self) -> Option<(Self, Self)> {
        let is_height_of_both =
            |pair: &[Arc<L2Block>]| matches!(pair, [one, other] if one.number() == other.number());
        let place = self.built.windows(2).position(is_height_of_both)?;
        let (before, after) = self.built.split_at(place.saturating_add(1));
        let tip = before.last()?.number();
        let ChainHeads { local_safe, safe, finalized, .. } = self.heads;
        let first = Self {
            built: before.to_vec(),
            replayed: Vec::new(),
            scripted: Vec::new(),
            attestations: Vec::new(),
            heads: ChainHeads {
                unsafe_head: tip,
                local_safe: local_safe.min(tip),
                safe: safe.min(tip),
                finalized,
            },
            safe_at: Vec::new(),
            ..self.clone()
        };
        Some((first, Self { replacement: None, built: after.to_vec(), ..self.clone() }))
    }

    /// A tick in which a chain did nothing.
    pub fn idle(chain_id: u64) -> Self {
        Self {
            chain_id,
            replacement: None,
            built: Vec::new(),
            replayed: Vec::new(),
            scripted: Vec::new(),
            attestations: Vec::new(),
            heads: ChainHeads::default(),
            outage: false,
            unknown_heads: false,
            other_rules: false,
            genesis_final: false,
            other_branch: None,
            unlinked: Vec::new(),
            odd: None,
            safe_at: Vec::new(),
            withdrawal: None,
            remains_on: None,
            rewind: None,
            odd_claims: Vec::new(),
        }
    }
}

/// What one of a chain's endpoints serves.
#[derive(Clone, Debug)]
pub enum OddEndpoint {
    /// These blocks in place of the chain's own.
    Lies(Vec<Arc<L2Block>>),
    /// The chain as it was this many ticks ago.
    Lags(u64),
}

/// A message that was executed because the script has it.
#[derive(Clone, Copy, Debug)]
pub struct ScriptedMessage {
    /// For which fault.
    pub(crate) fault: PlannedFault,
    /// Where it was executed.
    pub(crate) place: MessagePlace,
}
