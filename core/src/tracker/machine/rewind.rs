//! Blocks of a chain's view are canonical no longer.

use super::{Tracker, Work};
use crate::tracker::block_node::BlockNode;
use crate::tracker::tracked_message::{Own, TrackedId};
use crate::tracker::{State, Step};
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::ops::Bound;

impl Tracker {
    pub(super) fn rewind(&mut self, chain_id: ChainId, kept: u64, work: &mut Work) {
        let Some(view) = self.chains.get_mut(&chain_id) else { return };
        let Some(tip) = view.tip().filter(|tip| tip.key.number > kept).cloned() else { return };
        for node in view.truncate(kept) {
            self.displace(node, work);
        }
        self.forget_settled(chain_id, kept);
        work.moved.insert(chain_id);
        self.move_tip(chain_id, Some(tip.timestamp), work);
        for id in self.orphaned_by_rewind(chain_id, kept, tip.timestamp) {
            self.check_message(id, work);
        }
    }

    /// The messages that may have lost what they depend on: the block that they cite, or the tip that proved
    /// that there is no such block.
    fn orphaned_by_rewind(&self, chain_id: ChainId, kept: u64, old_tip: UnixSeconds) -> Vec<TrackedId> {
        let Some(view) = self.chains.get(&chain_id) else { return Vec::new() };
        let new_tip = view.tip().map(|tip| tip.timestamp);
        let from = new_tip.map_or(Bound::Unbounded, Bound::Included);
        let is_beyond = |id: &TrackedId| self.cited_number(*id).is_some_and(|cited| cited > kept);
        let claims = view.citations.at_claims((from, Bound::Excluded(old_tip))).filter(is_beyond);
        let mut orphaned: Vec<TrackedId> = claims.collect();
        orphaned.extend(view.citations.at_heights((Bound::Excluded(kept), Bound::Unbounded)));
        orphaned.sort_unstable();
        orphaned.dedup();
        orphaned
    }

    /// A block was dropped: its messages wait for what comes in its place.
    pub(super) fn displace(&mut self, mut node: BlockNode, work: &mut Work) {
        let key = node.block.key;
        if self.groups.remove(node.block.timestamp, key.chain_id) {
            work.dirty_groups.insert(node.block.timestamp);
        }
        for id in node.ids() {
            let Some(message) = self.book.get(id).filter(|message| message.state() == State::Tracked) else {
                continue;
            };
            node.was_invalid |= message.life.decided() == Some(false);
            self.book.step(id, Step::Displace, &mut work.events);
            self.uncite(id);
        }
        if node.is_open()
            && let Some(view) = self.chains.get_mut(&key.chain_id)
        {
            view.displaced.insert(key.number, node);
        }
    }

    /// A displaced message's block is canonical again: everything of it is checked again.
    pub(super) fn revive(&mut self, id: TrackedId) {
        let Some(message) = self.book.get_mut(id) else { return };
        if message.own != Own::BrokenForGood {
            message.own = Own::Unknown;
            self.cite(id);
        }
    }

    /// Files a message under what it cites.
    pub(super) fn cite(&mut self, id: TrackedId) {
        let Some(message) = self.book.get(id).and_then(|message| message.message()) else { return };
        let identifier = message.identifier;
        if let Some(view) = self.chains.get_mut(&identifier.chain_id) {
            view.citations.insert(identifier.block_number, id);
        }
    }

    /// Takes a message out from under what it cites.
    pub(super) fn uncite(&mut self, id: TrackedId) {
        let Some(message) = self.book.get(id).and_then(|message| message.message()) else { return };
        let identifier = message.identifier;
        if let Some(view) = self.chains.get_mut(&identifier.chain_id) {
            view.citations.remove(identifier.block_number, identifier.timestamp, id);
        }
    }

    pub(super) fn cited_number(&self, id: TrackedId) -> Option<u64> {
        self.book.get(id)?.message().map(|message| message.identifier.block_number)
    }

    fn forget_settled(&mut self, chain_id: ChainId, kept: u64) {
        let above: Vec<(ChainId, u64)> = self
            .settled
            .iter()
            .map(|(place, _)| *place)
            .filter(|(chain, number)| *chain == chain_id && *number > kept)
            .collect();
        for place in above {
            self.settled.pop(&place);
        }
    }
}
