//! [`Citations`]: which messages cite which heights of one chain.

use super::tracked_message::MessageId;
use crosscheck_p2p::UnixSeconds;
use std::collections::BTreeSet;
use std::ops::RangeBounds;

/// The open messages of canonical blocks that cite one chain, by height and by claimed timestamp.
#[derive(Clone, Debug, Default)]
pub(super) struct Citations {
    by_height: BTreeSet<(u64, MessageId)>,
    /// Those whose status depends on how late the chain is: they cite a height beyond its tip, or wait, invalid, for
    /// the chain to be final at the claimed timestamp.
    by_claim: BTreeSet<(UnixSeconds, MessageId)>,
}

impl Citations {
    pub(super) fn insert(&mut self, number: u64, id: MessageId) {
        self.by_height.insert((number, id));
    }

    pub(super) fn remove(&mut self, number: u64, claimed: UnixSeconds, id: MessageId) {
        self.by_height.remove(&(number, id));
        self.by_claim.remove(&(claimed, id));
    }

    /// Whether the message is to be found by its claimed timestamp.
    pub(super) fn set_by_claim(&mut self, claimed: UnixSeconds, id: MessageId, wanted: bool) {
        if wanted {
            self.by_claim.insert((claimed, id));
        } else {
            self.by_claim.remove(&(claimed, id));
        }
    }

    /// The messages that cite these heights, from the lowest height.
    pub(super) fn at_heights(&self, heights: impl RangeBounds<u64>) -> impl Iterator<Item = MessageId> {
        let start = heights.start_bound().map(|number| (*number, MessageId(0)));
        let end = heights.end_bound().map(|number| (*number, MessageId(u64::MAX)));
        range(&self.by_height, start, end)
    }

    /// The messages kept by claim that claim these timestamps, from the earliest.
    pub(super) fn at_claims(&self, claims: impl RangeBounds<u64>) -> impl Iterator<Item = MessageId> {
        let start = claims.start_bound().map(|at| (UnixSeconds(*at), MessageId(0)));
        let end = claims.end_bound().map(|at| (UnixSeconds(*at), MessageId(u64::MAX)));
        range(&self.by_claim, start, end)
    }
}

/// The ids in a range; nothing for a range that ends before it starts.
fn range<K: Ord + Copy>(
    set: &BTreeSet<(K, MessageId)>,
    start: std::ops::Bound<(K, MessageId)>,
    end: std::ops::Bound<(K, MessageId)>,
) -> impl Iterator<Item = MessageId> {
    use std::ops::Bound::{Excluded, Included};
    // An excluded start must leave out every message of that key.
    let start = match start {
        Excluded((key, _)) => Excluded((key, MessageId(u64::MAX))),
        other => other,
    };
    let end = match end {
        Excluded((key, _)) => Excluded((key, MessageId(0))),
        other => other,
    };
    let is_empty = match (&start, &end) {
        (Included(a) | Excluded(a), Included(b) | Excluded(b)) => a >= b,
        _ => false,
    };
    (!is_empty).then(|| set.range((start, end)).map(|(_, id)| *id)).into_iter().flatten()
}
