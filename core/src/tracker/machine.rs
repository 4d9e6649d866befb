//! [`Tracker`]: every executing message of every chain of the dependency set, from the first sight of its
//! block until it is final. Pure: no I/O, no clock; what it lacks it asks for, what happens it hands out.
//!
//! A message's status follows from the chains' views as they are now. First its own clauses: the rules that
//! need nothing else, then what its cited block's proven logs say. Then the messages of its own timestamp:
//! none may be in a cycle, and each chain must have come so far. Then the cited block, which must be valid
//! itself. An input touches what it is about (the messages that cite this height, claim this timestamp, are
//! in these blocks), and what is touched is settled in the order of timestamps, because no message cites a
//! later block. Nothing ever walks all messages.
//!
//! What is bounded: open messages (`max_messages`: beyond it the oldest valid ones make room, and of the
//! others all are checked by themselves, and those that are wrong are tracked, up to twice as many), ended
//! ones (`ended_kept`), the views (from 64 below the finalized block on), heights asked for (one request
//! each), status history (8 each), hashes of old cited blocks (4,096).

mod arrival;
mod ending;
mod judgement;
mod levels;
mod message_check;
mod rewind;
mod round;
mod settle;

use super::message_book::MessageBook;
use super::same_timestamp::SameTimestampGroups;
use super::tracked_message::TrackedId;
use super::{
    ChainView, Counts, Input, MessageEvent, MessageKey, RefusedInput, Request, TrackedMessage, TrackerLimits,
    TrackerOutcome,
};
use crate::proof::LogIndex;
use crate::validity::DependencySet;
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, UnixSeconds};
use lru::LruCache;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

/// How many blocks below the finalized one stay in a view.
const KEPT_BELOW_FINALIZED: u64 = 64;

/// How many hashes of cited blocks below the views are kept.
const SETTLED_KEPT: NonZeroUsize = match NonZeroUsize::new(4096) {
    Some(kept) => kept,
    None => NonZeroUsize::MIN,
};

/// Every executing message of every chain of the dependency set.
#[derive(Debug)]
pub struct Tracker {
    set: DependencySet,
    index: LogIndex,
    limits: TrackerLimits,
    chains: BTreeMap<ChainId, ChainView>,
    /// How far each chain is. The first is the last: the horizon up to which every chain is known.
    tips: BTreeSet<(Option<UnixSeconds>, ChainId)>,
    /// How far each chain is final. The first is the last.
    finals: BTreeSet<(Option<UnixSeconds>, ChainId)>,
    groups: SameTimestampGroups,
    book: MessageBook,
    /// Canonical blocks below the views that were asked for.
    settled: LruCache<(ChainId, u64), B256>,
    /// Messages that cannot be judged by what is known of the rules.
    unclear: BTreeSet<TrackedId>,
    dropped: u64,
    kept_below_finalized: u64,
}

/// What an input has touched and is not settled yet.
#[derive(Debug, Default)]
struct Work {
    events: Vec<MessageEvent>,
    requests: Vec<Request>,
    /// Messages whose status may be another now.
    dirty: BTreeSet<(UnixSeconds, TrackedId)>,
    /// Timestamps whose same-timestamp messages may be.
    dirty_groups: BTreeSet<UnixSeconds>,
    /// Messages that may be at their end.
    ripe: BTreeSet<TrackedId>,
    /// Chains whose cross-unsafe head may be another.
    moved: BTreeSet<ChainId>,
}

impl Tracker {
    /// A tracker that knows nothing yet.
    pub fn new(set: DependencySet, index: LogIndex, limits: TrackerLimits) -> Self {
        Self {
            chains: set.chain_ids().map(|chain_id| (chain_id, ChainView::default())).collect(),
            tips: set.chain_ids().map(|chain_id| (None, chain_id)).collect(),
            finals: set.chain_ids().map(|chain_id| (None, chain_id)).collect(),
            book: MessageBook::new(set.chain_ids(), limits.ended_kept),
            groups: SameTimestampGroups::new(set.cycle_rule()),
            settled: LruCache::new(SETTLED_KEPT),
            unclear: BTreeSet::new(),
            dropped: 0,
            kept_below_finalized: KEPT_BELOW_FINALIZED,
            set,
            index,
            limits,
        }
    }

    /// The same tracker, which numbers changes after this: with greater numbers than any run before gave.
    #[must_use]
    pub fn after_number(mut self, number: u64) -> Self {
        self.book.count_from(number);
        self
    }

    /// The number of the last change.
    pub const fn last_number(&self) -> u64 {
        self.book.last_number()
    }

    /// The ledger lists these messages, whose life is over; this many numbers were given to what it lists.
    pub fn file(&mut self, keys: &[MessageKey], numbers: u64) {
        self.book.file(keys, numbers);
    }

    /// The life of a message ended permanently in an earlier run. When its block is read again, the message
    /// is not reported again.
    pub fn recall(&mut self, key: MessageKey) {
        self.book.recall(key);
    }

    /// Takes in a fact, and says what follows from it. What cannot be is refused and changes nothing.
    pub fn apply(&mut self, input: Input) -> TrackerOutcome {
        let mut work = Work::default();
        let taken = self.apply_input(input, &mut work);
        let refused_steps = self.book.take_refused_steps();
        match taken {
            Ok(()) => {
                TrackerOutcome { events: work.events, requests: work.requests, refused: None, refused_steps }
            }
            Err(refused) => {
                TrackerOutcome { refused: Some(refused), refused_steps, ..TrackerOutcome::default() }
            }
        }
    }

    fn apply_input(&mut self, input: Input, work: &mut Work) -> Result<(), RefusedInput> {
        match input {
            Input::Block(block) => {
                let chain_id = block.key.chain_id;
                self.arrive(&block, work)?;
                self.end_supplanted(chain_id, work);
                self.settle(work);
                self.on_finality(chain_id, work);
            }
            Input::Rewound { chain_id, kept } => {
                self.known(chain_id)?;
                self.rewind(chain_id, kept, work);
                self.settle(work);
                self.on_finality(chain_id, work);
            }
            Input::Heads { chain_id, heads } => {
                self.known(chain_id)?;
                self.head(chain_id, heads, work);
                self.end_supplanted(chain_id, work);
                self.on_finality(chain_id, work);
            }
            Input::Answer { request, logs } => {
                self.known(request.place().0)?;
                self.answer(&request, &logs, work);
                self.settle(work);
            }
            Input::Time(now) => {
                self.recheck_unclear(work);
                self.settle(work);
                self.expire(now, work);
            }
        }
        self.update_levels(work);
        self.finish_ripe(work);
        Ok(())
    }

    /// The chains and their rules.
    pub const fn set(&self) -> &DependencySet {
        &self.set
    }

    /// One chain's view, perhaps empty. `None`: the chain is not in the dependency set.
    pub fn chain(&self, chain_id: ChainId) -> Option<&ChainView> {
        self.chains.get(&chain_id)
    }

    /// A message that is open, or among the last `ended_kept` that ended.
    pub fn message(&self, key: &MessageKey) -> Option<&TrackedMessage> {
        self.book.find(key)
    }

    /// The messages kept that changed after `sequence`, by their last change. Each change gives a message a
    /// new, higher sequence, so a poller misses nothing as long as it polls before `ended_kept` more have
    /// ended.
    pub fn changed_after(&self, sequence: u64) -> impl DoubleEndedIterator<Item = &TrackedMessage> {
        self.book.changed_after(sequence)
    }

    /// How many messages are open.
    pub const fn open(&self) -> usize {
        self.book.open()
    }

    /// How many messages were not tracked, or no longer, because too many were open.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How many steps the messages' state machine refused. Anything but 0 is a fault of the tracker.
    pub const fn faults(&self) -> u64 {
        self.book.faults()
    }

    /// How many messages there are, by what is known of them.
    pub const fn counts(&self) -> &Counts {
        self.book.counts()
    }

    fn known(&self, chain_id: ChainId) -> Result<&ChainView, RefusedInput> {
        self.chains.get(&chain_id).ok_or(RefusedInput::UnknownChain { chain_id })
    }

    /// The timestamp that every chain has reached. `None`: one has no block yet.
    fn horizon(&self) -> Option<UnixSeconds> {
        self.tips.first().and_then(|(tip, _)| *tip)
    }

    /// A chain's tip is another now: same-timestamp messages between the old and the new horizon are touched.
    fn move_tip(&mut self, chain_id: ChainId, from: Option<UnixSeconds>, work: &mut Work) {
        let old = self.horizon();
        let to = self.chains.get(&chain_id).and_then(ChainView::tip).map(|tip| tip.timestamp);
        self.tips.remove(&(from, chain_id));
        self.tips.insert((to, chain_id));
        let new = self.horizon();
        let (low, high) = (old.min(new), old.max(new));
        if let Some(high) = high.filter(|_| low != high) {
            let low = low.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
            work.dirty_groups.extend(self.groups.timestamps((low, std::ops::Bound::Included(high))));
        }
    }
}

#[cfg(test)]
mod tests;
