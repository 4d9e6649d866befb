//! [`SharedTracker`]: the tracker as other tasks see it. One task writes it, through the only
//! [`TrackerWriter`]; everybody reads.

use crosscheck_core::tracker::{Input, MessageKey, Tracker, TrackerOutcome};
use parking_lot::{RwLock, RwLockReadGuard};
use std::sync::Arc;

/// The tracker, to read. Clones share it.
#[derive(Clone, Debug)]
pub struct SharedTracker(Arc<RwLock<Tracker>>);

/// A read lock on the tracker. Nothing is tracked while it is locked: use it for lookups only, never across
/// an await.
pub type TrackerReader<'a> = RwLockReadGuard<'a, Tracker>;

impl SharedTracker {
    /// Looks at the tracker.
    pub fn read(&self) -> TrackerReader<'_> {
        self.0.read()
    }
}

/// The only writer of a tracker.
#[derive(Debug)]
pub struct TrackerWriter(Arc<RwLock<Tracker>>);

impl TrackerWriter {
    /// Shares a tracker.
    pub fn new(tracker: Tracker) -> Self {
        Self(Arc::new(RwLock::new(tracker)))
    }

    /// The tracker, to be read.
    pub fn tracker(&self) -> SharedTracker {
        SharedTracker(Arc::clone(&self.0))
    }

    /// Notes that the ledger lists these messages; this many numbers were given to what it lists.
    pub fn file(&mut self, keys: &[MessageKey], numbers: u64) {
        self.0.write().file(keys, numbers);
    }

    /// Notes that the life of a message ended permanently in an earlier run.
    pub fn recall(&mut self, key: MessageKey) {
        self.0.write().recall(key);
    }

    /// Applies an input to the tracker.
    pub fn apply(&mut self, input: Input) -> TrackerOutcome {
        self.0.write().apply(input)
    }
}
