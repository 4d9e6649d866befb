//! [`ChainView`]: one chain as its endpoints agree on it now, as far back as is needed.

use super::block_node::BlockNode;
use super::citations::Citations;
use super::tracked_message::TrackedId;
use super::{ObservedBlock, Request};
use crate::heads::{SafetyHeads, SafetyLevel};
use crate::message::BlockKey;
use crate::validity::{MessageStatus, Validity};
use crosscheck_p2p::UnixSeconds;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// How many blocks below the view are remembered for an invalid or unknown message alone, all their messages'
/// lives being over.
const CLOSED_REMAINS: usize = 4096;

/// One chain as its endpoints agree on it now: consecutive blocks from shortly below its finalized one to its
/// tip.
#[derive(Clone, Debug, Default)]
pub struct ChainView {
    blocks: VecDeque<BlockNode>,
    /// Heights of the view whose blocks are not valid.
    not_valid: BTreeSet<u64>,
    /// Blocks below the view that have open messages, or are not valid.
    remains: BTreeMap<u64, BlockNode>,
    /// Blocks with open messages that were dropped and have no successor yet.
    pub(super) displaced: BTreeMap<u64, BlockNode>,
    /// Dropped blocks with open messages, one of them invalid, at heights where another block with
    /// transactions of users is by now: until the height is final, deposits alone may yet take their place.
    pub(super) supplanted: BTreeMap<u64, Vec<BlockNode>>,
    pub(super) heads: SafetyHeads,
    /// The timestamp up to which the chain was final when it was checked last.
    pub(super) final_at: Option<UnixSeconds>,
    /// The cross-unsafe height that the messages' levels follow.
    pub(super) levelled: u64,
    /// Who cites this chain.
    pub(super) citations: Citations,
    /// The open messages that this chain executed, by their blocks' timestamps.
    pub(super) open: BTreeSet<(UnixSeconds, TrackedId)>,
    /// What was requested and has not arrived, by height.
    requested: BTreeMap<u64, Request>,
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
        let (first, tip) = (self.first()?, self.tip()?.key.number);
        match self.not_valid.first() {
            Some(stop) => stop.checked_sub(1).filter(|number| *number >= first),
            None => Some(tip),
        }
    }

    /// The lowest block at this height or above that nothing may rest on: one of the view with a message that
    /// is not valid, or an invalid one that is remembered from below it. A node that does not verify messages
    /// calls such a block final, too.
    pub fn first_not_valid(&self, from: u64) -> Option<&Arc<ObservedBlock>> {
        let is_invalid = |node: &&BlockNode| node.validity() == Validity::Invalid;
        let below = self.remains.range(from..).map(|(_, node)| node).find(is_invalid);
        let within = || self.not_valid.range(from..).next().and_then(|number| self.block(*number));
        below.map(|node| &node.block).or_else(within)
    }

    /// How far the block at this height is. `None`: it is above the tip, or there is no view.
    pub fn level_of(&self, number: u64) -> Option<SafetyLevel> {
        self.tip().filter(|tip| number <= tip.key.number)?;
        Some(self.level(number))
    }

    /// What is known of the messages of the block at this height. `None`: it is not in the view.
    pub fn validity_of(&self, number: u64) -> Option<Validity> {
        self.node(number).map(BlockNode::validity)
    }

    /// The timestamp of the oldest block that has an open message.
    pub fn oldest_open(&self) -> Option<UnixSeconds> {
        self.open.first().map(|(timestamp, _)| *timestamp)
    }

    /// The timestamp of the newest block that has an open message.
    pub fn newest_open(&self) -> Option<UnixSeconds> {
        self.open.last().map(|(timestamp, _)| *timestamp)
    }

    /// Whether this was requested, has not arrived, and is needed.
    pub fn awaits(&self, request: &Request) -> bool {
        let (_, number) = request.place();
        self.requested.get(&number) == Some(request)
    }

    /// How many blocks are in the view.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Whether no block is known.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// How far a block at this height is.
    pub(super) fn level(&self, number: u64) -> SafetyLevel {
        self.heads.level_of(number, self.cross_unsafe().unwrap_or(0))
    }

    /// The timestamp of the highest block that is final.
    pub(super) fn final_timestamp(&self) -> Option<UnixSeconds> {
        let highest = self.heads.finalized.min(self.tip()?.key.number);
        self.block(highest).map(|block| block.timestamp)
    }

    /// The canonical block at this height, in the view or remembered from below it.
    pub(super) fn canonical(&self, number: u64) -> Option<&BlockNode> {
        self.node(number).or_else(|| self.remains.get(&number))
    }

    /// Asks for logs, unless logs of that height are awaited.
    pub(super) fn request(&mut self, request: Request) -> Option<Request> {
        let (_, number) = request.place();
        match self.requested.entry(number) {
            Entry::Vacant(entry) => Some(*entry.insert(request)),
            Entry::Occupied(_) => None,
        }
    }

    /// What was asked for has come.
    pub(super) fn fulfil(&mut self, request: &Request) {
        let (_, number) = request.place();
        self.requested.remove(&number);
    }

    /// Puts a block on top.
    pub(super) fn push(&mut self, node: BlockNode) {
        if node.validity() != Validity::Valid {
            self.not_valid.insert(node.block.key.number);
        }
        self.blocks.push_back(node);
    }

    /// Takes away the blocks above a height, and what was asked of them. They come lowest first.
    pub(super) fn truncate(&mut self, kept: u64) -> Vec<BlockNode> {
        let Some(above) = kept.checked_add(1) else { return Vec::new() };
        self.not_valid.split_off(&above);
        self.requested.split_off(&above);
        let mut dropped: Vec<BlockNode> = self.remains.split_off(&above).into_values().collect();
        let stay = self.blocks.partition_point(|node| node.block.key.number <= kept);
        dropped.extend(self.blocks.split_off(stay));
        self.levelled = self.levelled.min(kept);
        dropped
    }

    /// Takes a block out of what is remembered from below the view.
    pub(super) fn take_below_view(&mut self, number: u64) -> Option<BlockNode> {
        self.remains.remove(&number)
    }

    /// A message of this block has another status. The block's own status before and now; `None`: it is not
    /// canonical.
    pub(super) fn recount(
        &mut self,
        key: &BlockKey,
        from: &MessageStatus,
        to: &MessageStatus,
    ) -> Option<(Validity, Validity)> {
        let node = self.canonical_mut(key)?;
        let before = node.validity();
        node.recount(from, to);
        let after = node.validity();
        if self.node(key.number).is_some() {
            if after == Validity::Valid {
                self.not_valid.remove(&key.number);
            } else {
                self.not_valid.insert(key.number);
            }
        }
        Some((before, after))
    }

    /// A message of this block has ended.
    pub(super) fn close_one(&mut self, key: &BlockKey) {
        if let Some(node) = self.canonical_mut(key) {
            node.close_one();
            let useless = !node.is_open() && node.validity() == Validity::Valid;
            if useless {
                self.remains.remove(&key.number);
            }
        } else if let Some(node) = self.displaced.get_mut(&key.number).filter(|node| node.block.key == *key) {
            node.close_one();
            if !node.is_open() {
                self.displaced.remove(&key.number);
            }
        } else if let Entry::Occupied(mut nodes) = self.supplanted.entry(key.number) {
            nodes.get_mut().iter_mut().filter(|node| node.block.key == *key).for_each(BlockNode::close_one);
            nodes.get_mut().retain(BlockNode::is_open);
            if nodes.get().is_empty() {
                nodes.remove();
            }
        }
    }

    /// Takes a dropped block that is canonical again out of what waits for a successor, or for the final
    /// block.
    pub(super) fn take_returned(&mut self, key: &BlockKey) -> Option<BlockNode> {
        if let Entry::Occupied(node) = self.displaced.entry(key.number)
            && node.get().block.key == *key
        {
            return Some(node.remove());
        }
        let Entry::Occupied(mut nodes) = self.supplanted.entry(key.number) else { return None };
        let place = nodes.get().iter().position(|node| node.block.key == *key)?;
        let node = nodes.get_mut().swap_remove(place);
        if nodes.get().is_empty() {
            nodes.remove();
        }
        Some(node)
    }

    /// Takes away what is final for long. A block that has open messages, or is not valid, is remembered.
    pub(super) fn prune(&mut self, kept_below_finalized: u64) {
        let Some(tip) = self.tip() else { return };
        let keep = self.heads.finalized.min(tip.key.number).saturating_sub(kept_below_finalized);
        while self.first().is_some_and(|first| first < keep) {
            let Some(node) = self.blocks.pop_front() else { return };
            let number = node.block.key.number;
            self.not_valid.remove(&number);
            if node.is_open() || node.validity() != Validity::Valid {
                self.remains.insert(number, node);
            }
        }
        if self.remains.len() > CLOSED_REMAINS {
            self.forget_below_view();
        }
    }

    /// The open messages of canonical blocks at these heights, each with its block's height.
    pub(super) fn open_at(&self, heights: RangeInclusive<u64>) -> Vec<(u64, TrackedId)> {
        let (low, high) = (*heights.start(), *heights.end());
        if low > high {
            return Vec::new();
        }
        let start = self.blocks.partition_point(|node| node.block.key.number < low);
        let end = self.blocks.partition_point(|node| node.block.key.number <= high);
        let nodes = self.remains.range(heights).map(|(_, node)| node).chain(self.blocks.range(start..end));
        let open = nodes.filter(|node| node.is_open());
        open.flat_map(|node| node.ids().map(|id| (node.block.key.number, id))).collect()
    }

    fn node(&self, number: u64) -> Option<&BlockNode> {
        self.blocks.get(usize::try_from(number.checked_sub(self.first()?)?).ok()?)
    }

    fn canonical_mut(&mut self, key: &BlockKey) -> Option<&mut BlockNode> {
        let index = self.first().and_then(|first| usize::try_from(key.number.checked_sub(first)?).ok());
        let node = match index {
            Some(index) => self.blocks.get_mut(index),
            None => self.remains.get_mut(&key.number),
        };
        node.filter(|node| node.block.key.hash == key.hash)
    }

    /// Forgets the lowest blocks that only their status is remembered for, down to half of what is allowed.
    fn forget_below_view(&mut self) {
        let closed = self.remains.iter().filter(|(_, node)| !node.is_open()).map(|(number, _)| *number);
        let closed: Vec<u64> = closed.collect();
        let surplus = closed.len().saturating_sub(CLOSED_REMAINS.div_euclid(2));
        for number in closed.iter().take(surplus) {
            self.remains.remove(number);
        }
    }
}
