//! [`Counts`]: how many messages are on the canonical chains, by what is known of them.

use crate::heads::SafetyLevel;
use crate::validity::{MessageStatus, StatusKind};
use alloy::primitives::map::HashMap;
use crosscheck_p2p::ChainId;

/// By what messages are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountKey {
    /// The executing chain.
    pub executing: ChainId,
    /// The chain cited. `None`: the log is malformed, or the chain is not in the dependency set. So the keys
    /// are bounded, no matter what a message cites.
    pub initiating: Option<ChainId>,
    /// The status.
    pub status: StatusKind,
    /// How far the executing block is.
    pub level: SafetyLevel,
}

impl CountKey {
    /// The key of a message with this status and level.
    pub const fn new(
        executing: ChainId,
        initiating: Option<ChainId>,
        status: &MessageStatus,
        level: SafetyLevel,
    ) -> Self {
        Self { executing, initiating, status: status.kind(), level }
    }
}

/// How many open messages of canonical blocks there are. Displaced ones are in no block, and not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(HashMap<CountKey, usize>);

impl Counts {
    /// How many messages there are under this key.
    pub fn get(&self, key: &CountKey) -> usize {
        self.0.get(key).copied().unwrap_or(0)
    }

    /// Every key with messages under it, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&CountKey, usize)> {
        self.0.iter().map(|(key, count)| (key, *count))
    }

    pub(super) fn add(&mut self, key: CountKey) {
        let count = self.0.entry(key).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn remove(&mut self, key: &CountKey) {
        if let Some(count) = self.0.get_mut(key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(key);
            }
        }
    }
}
