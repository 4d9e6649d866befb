//! [`NetworkCounters`]: how often a bound of the network was reached, and how its frames were judged.
//!
//! Counts since the task was made; no labels, no clock.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counts at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetworkCounters {
    /// Frames accepted.
    pub accepted: u64,
    /// Frames ignored, those that found the queue full not counted.
    pub ignored: u64,
    /// Frames rejected.
    pub rejected: u64,
    /// Frames ignored unjudged, because the queue in front of the validator was full.
    pub queue_full: u64,
    /// Blocks by number that peers were served.
    pub served: u64,
    /// Missed blocks that peers filled in.
    pub filled: u64,
    /// Peers banned for their score.
    pub banned: u64,
    /// Events other than blocks that were dropped, because nobody took them in time.
    pub events_dropped: u64,
}

impl NetworkCounters {
    /// What came on top since an earlier moment.
    #[must_use]
    pub const fn since(&self, earlier: &Self) -> Self {
        Self {
            accepted: self.accepted.saturating_sub(earlier.accepted),
            ignored: self.ignored.saturating_sub(earlier.ignored),
            rejected: self.rejected.saturating_sub(earlier.rejected),
            queue_full: self.queue_full.saturating_sub(earlier.queue_full),
            served: self.served.saturating_sub(earlier.served),
            filled: self.filled.saturating_sub(earlier.filled),
            banned: self.banned.saturating_sub(earlier.banned),
            events_dropped: self.events_dropped.saturating_sub(earlier.events_dropped),
        }
    }
}

/// The live counts.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) accepted: Counter,
    pub(super) ignored: Counter,
    pub(super) rejected: Counter,
    pub(super) queue_full: Counter,
    pub(super) served: Counter,
    pub(super) filled: Counter,
    pub(super) banned: Counter,
    pub(super) events_dropped: Counter,
}

impl Counters {
    pub(super) fn snapshot(&self) -> NetworkCounters {
        NetworkCounters {
            accepted: self.accepted.get(),
            ignored: self.ignored.get(),
            rejected: self.rejected.get(),
            queue_full: self.queue_full.get(),
            served: self.served.get(),
            filled: self.filled.get(),
            banned: self.banned.get(),
            events_dropped: self.events_dropped.get(),
        }
    }
}

/// One count.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes over a count that is kept elsewhere.
    pub(super) fn raise(&self, count: u64) {
        self.0.fetch_max(count, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
