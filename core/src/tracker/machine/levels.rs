//! How far blocks have come, and the messages in them.

use super::{Tracker, Work};
use crate::heads::{SafetyHeads, SafetyLevel};
use crate::tracker::Step;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::ops::{Bound, RangeInclusive};

impl Tracker {
    /// A chain's heads are these now.
    pub(super) fn head(&mut self, chain_id: ChainId, heads: SafetyHeads, work: &mut Work) {
        let Some(view) = self.chains.get_mut(&chain_id) else { return };
        let old = view.heads;
        view.heads = heads;
        for (old, new) in
            [(old.local_safe, heads.local_safe), (old.safe, heads.safe), (old.finalized, heads.finalized)]
        {
            self.set_levels(chain_id, between(old, new), work);
        }
        if let Some(view) = self.chains.get(&chain_id) {
            let final_now = view.citations.at_heights(between(old.finalized, heads.finalized));
            work.ripe.extend(final_now);
        }
    }

    /// A chain may be final up to another timestamp than before: invalid messages that cite it may be at
    /// their end, and what is final for long is removed.
    pub(super) fn on_finality(&mut self, chain_id: ChainId, work: &mut Work) {
        let Some(view) = self.chains.get_mut(&chain_id) else { return };
        let (before, now) = (view.final_at, view.final_timestamp());
        view.final_at = now;
        view.prune(self.kept_below_finalized);
        work.moved.insert(chain_id);
        if before == now {
            return;
        }
        work.ripe.extend(view.citations.at_claims(later(before, now)));
        let all_before = self.all_final();
        self.finals.remove(&(before, chain_id));
        self.finals.insert((now, chain_id));
        let closed: Vec<UnixSeconds> = self.groups.timestamps(later(all_before, self.all_final())).collect();
        for timestamp in closed {
            self.groups.forget_closed(timestamp);
        }
    }

    /// The timestamp up to which every chain is final.
    pub(super) fn all_final(&self) -> Option<UnixSeconds> {
        self.finals.first().and_then(|(timestamp, _)| *timestamp)
    }

    /// Cross-unsafe heads that have moved move their messages' levels.
    pub(super) fn update_levels(&mut self, work: &mut Work) {
        while let Some(chain_id) = work.moved.pop_first() {
            let Some(view) = self.chains.get_mut(&chain_id) else { continue };
            let (old, new) = (view.levelled, view.cross_unsafe().unwrap_or(0));
            view.levelled = new;
            self.set_levels(chain_id, between(old, new), work);
        }
    }

    fn set_levels(&mut self, chain_id: ChainId, heights: RangeInclusive<u64>, work: &mut Work) {
        let Some(view) = self.chains.get(&chain_id) else { return };
        for (number, id) in view.open_at(heights) {
            let level = view.level(number);
            if !self.book.get(id).is_some_and(|message| message.state().is_open()) {
                continue;
            }
            self.book.step(id, Step::Level(level), &mut work.events);
            if level == SafetyLevel::Finalized {
                work.ripe.insert(id);
            }
        }
    }
}

/// The heights between two heads: above the lower, up to the higher.
const fn between(one: u64, other: u64) -> RangeInclusive<u64> {
    let (low, high) = if one < other { (one, other) } else { (other, one) };
    low.saturating_add(1)..=high
}

/// The timestamps after the one and up to the other; none if that is not later.
fn later(before: Option<UnixSeconds>, now: Option<UnixSeconds>) -> (Bound<UnixSeconds>, Bound<UnixSeconds>) {
    let nothing = (Bound::Included(UnixSeconds(0)), Bound::Excluded(UnixSeconds(0)));
    match now.filter(|_| before < now) {
        Some(now) => (before.map_or(Bound::Unbounded, Bound::Excluded), Bound::Included(now)),
        None => nothing,
    }
}
