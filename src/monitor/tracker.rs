//! [`Tracker`]: every executing message of every chain of the dependency set, from the first sight of its block until
//! it is final. Pure: no I/O, no clock; what it lacks it asks for, what happens it hands out.

use super::tracked_message::MessageId;
use super::{
    ChainView, Counts, Input, MessageEvent, MessageKey, ObservedBlock, Outcome, RefusedInput, TrackedMessage,
    TrackerLimits,
};
use crate::interop::DependencySet;
use crate::sources::LogIndex;
use alloy::primitives::B256;
use alloy::primitives::map::HashMap;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Every executing message of every chain of the dependency set.
#[derive(Debug)]
pub struct Tracker {
    set: DependencySet,
    index: LogIndex,
    limits: TrackerLimits,
    chains: BTreeMap<ChainId, ChainView>,
    messages: HashMap<MessageId, TrackedMessage>,
    changed: BTreeMap<u64, MessageId>,
    sequence: u64,
    counts: Counts,
    open: usize,
    dropped: u64,
}

impl Tracker {
    /// A tracker that knows nothing yet.
    pub fn new(set: DependencySet, index: LogIndex, limits: TrackerLimits) -> Self {
        let chains = set.chain_ids().map(|chain_id| (chain_id, ChainView::default())).collect();
        Self {
            set,
            index,
            limits,
            chains,
            messages: HashMap::default(),
            changed: BTreeMap::new(),
            sequence: 0,
            counts: Counts::default(),
            open: 0,
            dropped: 0,
        }
    }

    /// Takes in a fact, and says what follows from it. What cannot be is refused and changes nothing.
    pub fn apply(&mut self, _input: Input) -> Outcome {
        Outcome::default()
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
        let _ = key;
        None
    }

    /// The messages kept that changed after `sequence`, by their last change. Each change gives a message a new, higher
    /// sequence, so a poller misses nothing as long as it polls before `ended_kept` more have ended.
    pub fn changed_after(&self, sequence: u64) -> impl Iterator<Item = &TrackedMessage> {
        let after = (std::ops::Bound::Excluded(sequence), std::ops::Bound::Unbounded);
        self.changed.range(after).filter_map(|(_, id)| self.messages.get(id))
    }

    /// How many messages are open.
    pub const fn open(&self) -> usize {
        self.open
    }

    /// How many messages were not tracked, because too many were open.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How many messages there are, by what is known of them.
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }
}
