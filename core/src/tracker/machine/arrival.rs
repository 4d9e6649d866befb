//! A block comes on top of a chain's view.

use super::{Tracker, Work};
use crate::heads::SafetyLevel;
use crate::proof::Executed;
use crate::tracker::block_node::BlockNode;
use crate::tracker::same_timestamp::GroupMember;
use crate::tracker::tracked_message::{Own, TrackedId};
use crate::tracker::{Ending, ObservedBlock, RefusedInput, State, Step};
use crate::validity::{Execution, Objection, SameTimestamp, check_executed};
use crosscheck_p2p::UnixSeconds;
use std::ops::Bound;
use std::sync::Arc;

impl Tracker {
    pub(super) fn arrive(&mut self, block: &Arc<ObservedBlock>, work: &mut Work) -> Result<(), RefusedInput> {
        let key = block.key;
        let parent = self.check_parent(block)?;
        let node = match self.resolve_predecessor(block, work) {
            Some(node) => node,
            None => self.discover(block, work),
        };
        let ids: Vec<TrackedId> = node.ids().collect();
        if let Some(view) = self.chains.get_mut(&key.chain_id) {
            view.push(node);
        }
        work.moved.insert(key.chain_id);
        self.join_group(block, &ids, work);
        self.move_tip(key.chain_id, parent, work);
        for id in ids {
            self.check_message(id, work);
        }
        self.recheck_citers(block, parent, work);
        Ok(())
    }

    /// The tip's timestamp, if the block is its child. `None`: there is no tip.
    fn check_parent(&self, block: &ObservedBlock) -> Result<Option<UnixSeconds>, RefusedInput> {
        let key = block.key;
        let Some(tip) = self.known(key.chain_id)?.tip() else { return Ok(None) };
        if tip.key.number.checked_add(1) != Some(key.number) || block.parent_hash != tip.key.hash {
            return Err(RefusedInput::NoChild {
                chain_id: key.chain_id,
                number: key.number,
                hash: key.hash,
                parent_hash: block.parent_hash,
                tip: tip.key.number,
            });
        }
        if block.timestamp <= tip.timestamp {
            return Err(RefusedInput::NotLater {
                chain_id: key.chain_id,
                number: key.number,
                timestamp: block.timestamp,
                parent: tip.timestamp,
            });
        }
        Ok(Some(tip.timestamp))
    }

    /// Ends what was at the block's height before, or tracks it again if it is the same block.
    fn resolve_predecessor(&mut self, block: &Arc<ObservedBlock>, work: &mut Work) -> Option<BlockNode> {
        let key = block.key;
        let view = self.chains.get_mut(&key.chain_id)?;
        let remains = view.take_below_view(key.number);
        if let Some(node) = view.take_returned(&key) {
            self.readopt(&node, work);
            return Some(node);
        }
        match remains {
            Some(node) if node.block.key == key => return Some(node),
            Some(node) => self.displace(node, work),
            None => {}
        }
        self.end_replaced(block, work);
        None
    }

    fn readopt(&mut self, node: &BlockNode, work: &mut Work) {
        let key = node.block.key;
        let level = self.chains.get(&key.chain_id).map(|view| view.level(key.number));
        for id in node.ids() {
            if !self.book.get(id).is_some_and(|message| message.state() == State::Displaced) {
                continue;
            }
            self.book.step(id, Step::Readopt, &mut work.events);
            if let Some(level) = level {
                self.book.step(id, Step::Level(level), &mut work.events);
            }
            self.revive(id);
        }
    }

    /// Tracks a new block's messages from now on.
    fn discover(&mut self, block: &Arc<ObservedBlock>, work: &mut Work) -> BlockNode {
        let key = block.key;
        self.make_room(block.executed.len(), work);
        let room = self.limits.max_messages.saturating_sub(self.book.open());
        let tracked = self.tracked_of(block, room);
        self.count_dropped(block.executed.len().saturating_sub(tracked));
        let tracked = u32::try_from(tracked).unwrap_or(u32::MAX);
        let level = self.chains.get(&key.chain_id).map_or(SafetyLevel::Unsafe, |view| view.level(key.number));
        let first = self.book.discover(block, tracked, level, &mut work.events);
        let node = BlockNode::new(Arc::clone(block), first, tracked);
        if let Some(view) = self.chains.get_mut(&key.chain_id) {
            view.open.extend(node.ids().map(|id| (block.timestamp, id)));
        }
        node
    }

    /// Ends the oldest valid messages, as far as this many new ones need their room.
    fn make_room(&mut self, wanted: usize, work: &mut Work) {
        let wanted = wanted.min(self.limits.max_messages);
        while self.book.open().saturating_add(wanted) > self.limits.max_messages {
            let Some(oldest) = self.book.oldest_valid() else { return };
            self.end(oldest, Ending::CrowdedOut, work);
            self.count_dropped(1);
        }
    }

    /// How many of a block's messages are tracked where there is room for this many: beyond it all up to the
    /// last that breaks a rule by itself, or that its own transaction did not declare. Twice the bound is
    /// never passed.
    fn tracked_of(&self, block: &ObservedBlock, room: usize) -> usize {
        let execution = Execution { chain_id: block.key.chain_id, timestamp: block.timestamp };
        let is_wrong = |executed: &Executed| {
            block.undeclared.binary_search(&executed.log_index).is_ok()
                || matches!(check_executed(&self.set, execution, executed), Err(Objection::Broken(_)))
        };
        let length = block.executed.len();
        let beyond = block.executed.get(room..).unwrap_or_default();
        let wrong = beyond.iter().rposition(is_wrong).map_or(0, |last| last.saturating_add(1));
        let most = self.limits.max_messages.saturating_mul(2).saturating_sub(self.book.open());
        length.min(room).saturating_add(wrong).min(most)
    }

    fn count_dropped(&mut self, messages: usize) {
        self.dropped = self.dropped.saturating_add(u64::try_from(messages).unwrap_or(u64::MAX));
    }

    /// Puts the block's messages of its own timestamp beside those of the other chains.
    fn join_group(&mut self, block: &ObservedBlock, ids: &[TrackedId], work: &mut Work) {
        let (chain_id, timestamp) = (block.key.chain_id, block.timestamp);
        let ids = ids.iter().copied().map(Some).chain(std::iter::repeat(None));
        let members = block.executed.iter().zip(ids).filter_map(|(executed, id)| {
            let node = SameTimestamp::of(Execution { chain_id, timestamp }, executed)?;
            Some(GroupMember { id, node })
        });
        let members: Vec<GroupMember> = members.collect();
        if members.is_empty() {
            return;
        }
        let tracked = members.iter().filter_map(|member| self.book.get(member.id?));
        let open = tracked.filter(|message| message.state().is_open()).count();
        self.groups.insert(timestamp, (chain_id, block.key.number), members, open);
        work.dirty_groups.insert(timestamp);
    }

    /// Checks again the messages that the new tip affects: those that cite its height, and those that claim a
    /// timestamp before its own for a height beyond it.
    fn recheck_citers(&mut self, block: &ObservedBlock, parent: Option<UnixSeconds>, work: &mut Work) {
        let number = block.key.number;
        let Some(view) = self.chains.get(&block.key.chain_id) else { return };
        let from = parent.map_or(Bound::Unbounded, Bound::Included);
        let late = view.citations.at_claims((from, Bound::Excluded(block.timestamp)));
        let is_beyond = |id: &TrackedId| self.cited_number(*id).is_some_and(|cited| cited > number);
        let mut touched: Vec<TrackedId> = late.filter(is_beyond).collect();
        touched.extend(view.citations.at_heights(number..=number));
        if parent.is_none() {
            // The view starts here: what is below it can be requested from now on.
            let below = view.citations.at_heights(..number);
            touched.extend(below.filter(|id| self.book.get(*id).is_some_and(|m| m.own == Own::Unknown)));
        }
        for id in touched {
            self.check_message(id, work);
        }
    }
}
