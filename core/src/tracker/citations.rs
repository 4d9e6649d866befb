//! [`Citations`]: which messages cite which heights of one chain.

use super::tracked_message::TrackedId;
use crosscheck_p2p::UnixSeconds;
use std::collections::BTreeSet;
use std::ops::{Bound, RangeBounds};

/// The open messages of canonical blocks that cite one chain, by height and by claimed timestamp.
#[derive(Clone, Debug, Default)]
pub(super) struct Citations {
    by_height: BTreeSet<(u64, TrackedId)>,
    /// Those whose status depends on how late the chain is: they cite a height beyond its tip, or wait,
    /// invalid, for the chain to be final at the claimed timestamp.
    by_claim: BTreeSet<(UnixSeconds, TrackedId)>,
}

impl Citations {
    /// A message cites this height.
    pub(super) fn insert(&mut self, number: u64, id: TrackedId) {
        self.by_height.insert((number, id));
    }

    /// The message is no longer of interest.
    pub(super) fn remove(&mut self, number: u64, claimed: UnixSeconds, id: TrackedId) {
        self.by_height.remove(&(number, id));
        self.by_claim.remove(&(claimed, id));
    }

    /// Whether the message is to be found by its claimed timestamp.
    pub(super) fn set_by_claim(&mut self, claimed: UnixSeconds, id: TrackedId, wanted: bool) {
        if wanted {
            self.by_claim.insert((claimed, id));
        } else {
            self.by_claim.remove(&(claimed, id));
        }
    }

    /// The messages that cite these heights, from the lowest height.
    pub(super) fn at_heights(&self, heights: impl RangeBounds<u64>) -> impl Iterator<Item = TrackedId> {
        within(&self.by_height, heights)
    }

    /// The messages kept by claim that claim these timestamps, from the earliest.
    pub(super) fn at_claims(&self, claims: impl RangeBounds<UnixSeconds>) -> impl Iterator<Item = TrackedId> {
        within(&self.by_claim, claims)
    }
}

/// The ids under these keys; none for a range that ends before it starts.
fn within<K: Ord + Copy>(
    set: &BTreeSet<(K, TrackedId)>,
    keys: impl RangeBounds<K>,
) -> impl Iterator<Item = TrackedId> {
    let start = match keys.start_bound() {
        Bound::Included(key) => Bound::Included((*key, TrackedId(0))),
        Bound::Excluded(key) => Bound::Excluded((*key, TrackedId(u64::MAX))),
        Bound::Unbounded => Bound::Unbounded,
    };
    let end = match keys.end_bound() {
        Bound::Included(key) => Bound::Included((*key, TrackedId(u64::MAX))),
        Bound::Excluded(key) => Bound::Excluded((*key, TrackedId(0))),
        Bound::Unbounded => Bound::Unbounded,
    };
    let is_empty = match (&start, &end) {
        (Bound::Included(low) | Bound::Excluded(low), Bound::Included(high) | Bound::Excluded(high)) => {
            low >= high
        }
        _ => false,
    };
    (!is_empty).then(|| set.range((start, end)).map(|(_, id)| *id)).into_iter().flatten()
}
