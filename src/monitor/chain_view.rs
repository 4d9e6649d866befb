//! [`ChainView`]: one chain as its endpoints agree on it now, as far back as is of use.

use super::block_node::{BlockNode, BlockStatus};
use super::citations::Citations;
use super::tracked_message::MessageId;
use super::{ObservedBlock, SafetyHeads};
use crate::interop::SafetyLevel;
use crosscheck_p2p::UnixSeconds;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// How many blocks below the finalized one stay in a view.
const KEPT_BELOW_FINALIZED: u64 = 64;

/// One chain as its endpoints agree on it now: consecutive blocks from shortly below its finalized one to its tip.
#[derive(Clone, Debug, Default)]
pub struct ChainView {
    /// The height of the first block.
    pub(super) first: u64,
    pub(super) blocks: VecDeque<BlockNode>,
    /// Blocks of the view that are not valid.
    pub(super) not_valid: BTreeSet<u64>,
    /// Blocks below the view that have open messages, or are not valid.
    pub(super) remains: BTreeMap<u64, BlockNode>,
    /// Blocks with open messages that were dropped and have no successor yet.
    pub(super) displaced: BTreeMap<u64, BlockNode>,
    pub(super) heads: SafetyHeads,
    /// Who cites this chain.
    pub(super) citations: Citations,
    /// The open messages that this chain executed, by their blocks' timestamps.
    pub(super) open: BTreeSet<(UnixSeconds, MessageId)>,
    /// Heights of this chain whose logs were asked for.
    pub(super) requested: BTreeSet<u64>,
}

impl ChainView {
    /// The highest block.
    pub fn tip(&self) -> Option<&Arc<ObservedBlock>> {
        self.blocks.back().map(|node| &node.block)
    }

    /// The height of the lowest block.
    pub fn first(&self) -> Option<u64> {
        self.blocks.front().map(|node| node.block.key.number)
    }

    /// The block at this height.
    pub fn block(&self, number: u64) -> Option<&Arc<ObservedBlock>> {
        self.node(number).map(|node| &node.block)
    }

    /// How far the chain is.
    pub const fn heads(&self) -> SafetyHeads {
        self.heads
    }

    /// The highest block up to which every message of the view is valid. `None`: not even the first.
    pub fn cross_unsafe(&self) -> Option<u64> {
        let tip = self.tip()?.key.number;
        match self.not_valid.first() {
            Some(stop) => stop.checked_sub(1).filter(|number| *number >= self.first),
            None => Some(tip),
        }
    }

    /// How far the block at this height is. `None`: it is above the tip, or there is no view.
    pub fn level_of(&self, number: u64) -> Option<SafetyLevel> {
        self.tip().filter(|tip| number <= tip.key.number)?;
        Some(self.level(number))
    }

    /// What is known of the messages of the block at this height. `None`: it is not in the view.
    pub fn status_of(&self, number: u64) -> Option<BlockStatus> {
        self.node(number).map(BlockNode::status)
    }

    /// The timestamp of the oldest block that has an open message.
    pub fn oldest_open(&self) -> Option<UnixSeconds> {
        self.open.first().map(|(timestamp, _)| *timestamp)
    }

    /// The timestamp of the newest block that has an open message.
    pub fn newest_open(&self) -> Option<UnixSeconds> {
        self.open.last().map(|(timestamp, _)| *timestamp)
    }

    /// How many blocks are in the view.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Whether no block is known.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    pub(super) fn level(&self, number: u64) -> SafetyLevel {
        self.heads.level_of(number, self.cross_unsafe().unwrap_or(0))
    }

    pub(super) fn node(&self, number: u64) -> Option<&BlockNode> {
        self.blocks.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }
}
