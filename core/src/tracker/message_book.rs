//! [`MessageBook`]: every message kept, open or ended lately, and the one way to change one.

use super::tracked_message::TrackedId;
use super::{
    Change, CountKey, Counts, Ending, ForbiddenStep, HistoryEntry, MessageEvent, MessageKey, ObservedBlock,
    State, Step, TrackedMessage,
};
use crate::heads::SafetyLevel;
use crate::validity::MessageStatus;
use alloy::primitives::B256;
use alloy::primitives::map::{HashMap, HashSet};
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

/// Every message kept, and what is counted of them.
#[derive(Debug)]
pub(super) struct MessageBook {
    members: HashSet<ChainId>,
    messages: HashMap<TrackedId, TrackedMessage>,
    /// Blocks with messages kept. A block that ended and came back has a new entry.
    by_block: HashMap<B256, Kept>,
    by_change: BTreeMap<u64, TrackedId>,
    /// The valid ones that are tracked, by the timestamps of their blocks.
    valid: BTreeSet<(UnixSeconds, TrackedId)>,
    ended: VecDeque<TrackedId>,
    ended_kept: usize,
    /// Messages whose life was over in an earlier run, and whose blocks were not seen since.
    over: HashSet<MessageKey>,
    sequence: u64,
    next: u64,
    open: usize,
    counts: Counts,
    faults: u64,
    /// The steps of them that were not handed out yet.
    refused_steps: Vec<ForbiddenStep>,
}

/// The messages kept of a block: those of consecutive ids, less the forgotten.
#[derive(Debug)]
struct Kept {
    block: Arc<ObservedBlock>,
    first: TrackedId,
    kept: u32,
}

impl MessageBook {
    pub(super) fn new(members: impl Iterator<Item = ChainId>, ended_kept: usize) -> Self {
        Self {
            members: members.collect(),
            messages: HashMap::default(),
            by_block: HashMap::default(),
            by_change: BTreeMap::new(),
            valid: BTreeSet::new(),
            ended: VecDeque::new(),
            ended_kept,
            over: HashSet::default(),
            sequence: 0,
            next: 0,
            open: 0,
            counts: Counts::default(),
            faults: 0,
            refused_steps: Vec::new(),
        }
    }

    /// Numbers changes after this one.
    pub(super) const fn count_from(&mut self, sequence: u64) {
        self.sequence = sequence;
    }

    /// The number of the last change.
    pub(super) const fn last_number(&self) -> u64 {
        self.sequence
    }

    /// The ledger lists these messages from now on; this many numbers were given to what it lists.
    pub(super) fn file(&mut self, keys: &[MessageKey], numbers: u64) {
        self.sequence = self.sequence.saturating_add(numbers);
        for key in keys {
            if let Some(id) = self.find(key).map(|message| message.id)
                && let Some(message) = self.messages.get_mut(&id)
            {
                message.is_filed = true;
            }
        }
    }

    /// Its life ended permanently in an earlier run: it is read again, and not reported again.
    pub(super) fn recall(&mut self, key: MessageKey) {
        self.over.insert(key);
    }

    pub(super) fn get(&self, id: TrackedId) -> Option<&TrackedMessage> {
        self.messages.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: TrackedId) -> Option<&mut TrackedMessage> {
        self.messages.get_mut(&id)
    }

    pub(super) fn find(&self, key: &MessageKey) -> Option<&TrackedMessage> {
        let kept = self.by_block.get(&key.block.hash).filter(|kept| kept.block.key == key.block)?;
        let executed = &kept.block.executed;
        let position = executed.binary_search_by_key(&key.log_index, |executed| executed.log_index).ok()?;
        self.get(TrackedId(kept.first.0.checked_add(u64::try_from(position).ok()?)?))
    }

    pub(super) fn changed_after(&self, sequence: u64) -> impl DoubleEndedIterator<Item = &TrackedMessage> {
        let range = self.by_change.range((Bound::Excluded(sequence), Bound::Unbounded));
        range.filter_map(|(_, id)| self.messages.get(id))
    }

    pub(super) const fn open(&self) -> usize {
        self.open
    }

    pub(super) const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The oldest message that is tracked and valid.
    pub(super) fn oldest_valid(&self) -> Option<TrackedId> {
        self.valid.first().map(|(_, id)| *id)
    }

    /// How many steps were refused. Anything but 0 is a fault of the tracker.
    pub(super) const fn faults(&self) -> u64 {
        self.faults
    }

    /// The steps that were refused since this was asked last.
    pub(super) fn take_refused_steps(&mut self) -> Vec<ForbiddenStep> {
        std::mem::take(&mut self.refused_steps)
    }

    /// Tracks the first `tracked` messages of a block from now on. The id of the first.
    pub(super) fn discover(
        &mut self,
        block: &Arc<ObservedBlock>,
        tracked: u32,
        level: SafetyLevel,
        events: &mut Vec<MessageEvent>,
    ) -> TrackedId {
        let first = TrackedId(self.next);
        for position in 0..tracked {
            let id = TrackedId(self.next);
            let Some(mut message) = TrackedMessage::new(id, block, position, level) else { break };
            message.is_filed = self.over.remove(&message.key());
            self.next = self.next.saturating_add(1);
            self.open = self.open.saturating_add(1);
            self.counts.add(count_key(&self.members, &message));
            events.push(message.event(Change::Discovered));
            if message.is_undeclared() {
                events.push(message.event(Change::Undeclared));
            }
            self.messages.insert(id, message);
            self.file_change(id);
        }
        if tracked > 0 {
            self.by_block.insert(block.key.hash, Kept { block: Arc::clone(block), first, kept: tracked });
        }
        first
    }

    /// Takes a step in a message's life. `None`: nothing has changed.
    pub(super) fn step(
        &mut self,
        id: TrackedId,
        step: Step,
        events: &mut Vec<MessageEvent>,
    ) -> Option<Change> {
        let message = self.messages.get_mut(&id)?;
        let counted = (message.state() == State::Tracked).then(|| count_key(&self.members, message));
        let change = match message.life.apply(step) {
            Ok(change) => change?,
            Err(step) => {
                self.faults = self.faults.saturating_add(1);
                self.refused_steps.push(*step);
                return None;
            }
        };
        // What was over may yet go: that is news.
        message.is_filed &= change != Change::Displaced;
        if let Change::Status { from, to, cause, .. } = change {
            message.history.push(HistoryEntry { from, to, cause });
        }
        if let Some(key) = counted {
            self.counts.remove(&key);
        }
        let place = (message.timestamp(), id);
        if message.state() == State::Tracked && message.status() == MessageStatus::Valid {
            self.valid.insert(place);
        } else {
            self.valid.remove(&place);
        }
        if message.state() == State::Tracked {
            self.counts.add(count_key(&self.members, message));
        }
        events.push(message.event(change));
        self.file_change(id);
        if matches!(change, Change::Ended(_)) {
            self.retire(id);
        }
        Some(change)
    }

    fn file_change(&mut self, id: TrackedId) {
        let Some(message) = self.messages.get_mut(&id) else { return };
        self.sequence = self.sequence.saturating_add(1);
        self.by_change.remove(&message.sequence);
        message.sequence = self.sequence;
        self.by_change.insert(self.sequence, id);
    }

    fn retire(&mut self, id: TrackedId) {
        self.open = self.open.saturating_sub(1);
        self.ended.push_back(id);
        while self.ended.len() > self.ended_kept {
            let Some(id) = self.ended.pop_front() else { return };
            self.forget(id);
        }
    }

    fn forget(&mut self, id: TrackedId) {
        let Some(message) = self.messages.remove(&id) else { return };
        self.by_change.remove(&message.sequence);
        let hash = &message.block.key.hash;
        let Some(kept) = self.by_block.get_mut(hash) else { return };
        let ids =
            kept.first.0..kept.first.0.saturating_add(u64::try_from(kept.block.executed.len()).unwrap_or(0));
        if !ids.contains(&id.0) {
            return;
        }
        kept.kept = kept.kept.saturating_sub(1);
        if kept.kept == 0 {
            self.by_block.remove(hash);
        }
    }
}

fn count_key(members: &HashSet<ChainId>, message: &TrackedMessage) -> CountKey {
    let initiating = message.initiating().filter(|chain_id| members.contains(chain_id));
    CountKey::new(message.block.key.chain_id, initiating, &message.status(), message.level())
}

impl Ending {
    /// How a displaced message ends when another block comes in its block's place.
    pub(super) const fn displaced(decided: Option<bool>, by: B256, by_is_deposits_only: bool) -> Self {
        match decided {
            Some(false) if by_is_deposits_only => Self::Resolved { by },
            _ => Self::Orphaned { by },
        }
    }
}
