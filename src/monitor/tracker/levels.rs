//! How far blocks have come, and the messages in them.

use super::{Tracker, Work};
use crate::interop::SafetyLevel;
use crate::monitor::{SafetyHeads, Step};
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
            self.relevel(chain_id, between(old, new), work);
        }
        if let Some(view) = self.chains.get(&chain_id) {
            let final_now = view.citations.at_heights(between(old.finalized, heads.finalized));
            work.ripe.extend(final_now);
        }
    }

    /// A chain may be final up to a later timestamp than before: invalid messages that cite it may be at their end.
    pub(super) fn come_final(&mut self, chain_id: ChainId, before: Option<UnixSeconds>, work: &mut Work) {
        let Some(view) = self.chains.get_mut(&chain_id) else { return };
        let Some(now) = view.final_timestamp() else { return };
        let after = before.map_or(Bound::Unbounded, Bound::Excluded);
        work.ripe.extend(view.citations.at_claims((after, Bound::Included(now))));
        view.prune();
        work.moved.insert(chain_id);
    }

    /// Cross-unsafe heads that have moved move their messages' levels.
    pub(super) fn level_out(&mut self, work: &mut Work) {
        while let Some(chain_id) = work.moved.pop_first() {
            let Some(view) = self.chains.get_mut(&chain_id) else { continue };
            let (old, new) = (view.levelled, view.cross_unsafe().unwrap_or(0));
            view.levelled = new;
            self.relevel(chain_id, between(old, new), work);
        }
    }

    fn relevel(&mut self, chain_id: ChainId, heights: RangeInclusive<u64>, work: &mut Work) {
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
