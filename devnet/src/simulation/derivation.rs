//! [`SimulatedDerivation`]: when the blocks of a chain become local-safe, cross-safe and finalized. Pure
//! bookkeeping.
//!
//! A batch is the run of blocks that one L1 block brought. It is promoted as a whole, in order, unless one of
//! its blocks is replaced: then what came after that block is derived again from later L1 blocks.

use crate::timing::CROSS_SAFE_TICKS;
use std::collections::VecDeque;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Batch {
    /// The last height that it brings.
    last: u64,
    /// The L1 block that it came in.
    l1_block: u64,
    /// The tick in which it was derived.
    derived_at: u64,
}

/// How far a chain is derived. Holds only batches that are not final yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct SimulatedDerivation {
    batches: VecDeque<Batch>,
    local_safe: u64,
    safe: u64,
    finalized: u64,
    /// Which L1 block led to which cross-safe head, since it was last asked for.
    safe_at: Vec<(u64, u64)>,
}

impl SimulatedDerivation {
    /// An L1 block brought all blocks up to `head`.
    pub(crate) fn include(&mut self, head: u64, l1_block: u64, tick: u64) {
        if head > self.local_safe {
            self.batches.push_back(Batch { last: head, l1_block, derived_at: tick });
            self.local_safe = head;
        }
    }

    /// The next height that is due to become cross-safe in this tick.
    pub(crate) fn due(&self, tick: u64) -> Option<u64> {
        let next = self.safe.saturating_add(1);
        let batch = self.batches.iter().find(|batch| batch.last >= next)?;
        (batch.derived_at.saturating_add(CROSS_SAFE_TICKS) <= tick).then_some(next)
    }

    /// A height became cross-safe.
    pub(crate) fn promote(&mut self, height: u64) {
        self.safe = height;
        let batch = self.batches.iter().find(|batch| batch.last >= height);
        self.safe_at.extend(batch.map(|batch| (batch.l1_block, height)));
    }

    /// The cross-safe heads that L1 blocks led to since this was last asked.
    pub(crate) fn take_safe_at(&mut self) -> Vec<(u64, u64)> {
        core::mem::take(&mut self.safe_at)
    }

    /// The block of a height gave way to another, which is cross-safe; all above it must be derived again.
    pub(crate) fn replace(&mut self, height: u64) {
        self.cut(height);
        self.local_safe = height;
        self.promote(height);
    }

    /// L1 reorged: blocks above a height are removed and must be derived again. Batches up to that height are
    /// brought again by the L1 blocks of the same heights.
    pub(crate) fn rewind(&mut self, height: u64) {
        self.cut(height);
        self.local_safe = self.local_safe.min(height);
        self.safe = self.safe.min(height);
    }

    fn cut(&mut self, height: u64) {
        let mut last = None;
        self.batches.retain_mut(|batch| {
            batch.last = batch.last.min(height);
            // A later batch that was cut down to the same height brings nothing any more.
            last.replace(batch.last) != Some(batch.last)
        });
    }

    /// L1 is final up to a block.
    pub(crate) fn finalize(&mut self, l1_block: u64) {
        while let Some(batch) = self.batches.front()
            && batch.l1_block <= l1_block
            && batch.last <= self.safe
        {
            self.finalized = batch.last;
            self.batches.pop_front();
        }
    }

    /// The newest derived height.
    pub(crate) const fn local_safe(&self) -> u64 {
        self.local_safe
    }

    /// The newest cross-safe height.
    pub(crate) const fn safe(&self) -> u64 {
        self.safe
    }

    /// The newest finalized height.
    pub(crate) const fn finalized(&self) -> u64 {
        self.finalized
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::just_derived(3, None)]
    #[case::one_tick_early(4, None)]
    #[case::due(5, Some(1))]
    #[case::overdue(9, Some(1))]
    fn blocks_become_cross_safe_two_ticks_after_local_safe(#[case] tick: u64, #[case] due: Option<u64>) {
        let mut derivation = SimulatedDerivation::default();
        derivation.include(2, 1, 3);
        assert_eq!(derivation.due(tick), due);
    }

    #[test]
    fn heights_are_promoted_one_by_one_and_finalized_with_their_l1_block() {
        let mut derivation = SimulatedDerivation::default();
        derivation.include(2, 1, 3);
        derivation.include(5, 2, 6);
        derivation.promote(1);
        assert_eq!(derivation.due(5), Some(2));
        derivation.promote(2);
        assert_eq!((derivation.due(7), derivation.due(8)), (None, Some(3)));
        derivation.finalize(2);
        assert_eq!(derivation.finalized(), 2);
        for height in 3..=5 {
            derivation.promote(height);
        }
        derivation.finalize(2);
        assert_eq!(derivation.finalized(), 5);
    }

    #[test]
    fn each_l1_block_leads_to_the_last_head_that_it_made_cross_safe() {
        let mut derivation = SimulatedDerivation::default();
        derivation.include(2, 1, 3);
        derivation.include(5, 2, 6);
        derivation.promote(1);
        derivation.promote(2);
        assert_eq!(derivation.take_safe_at(), [(1, 1), (1, 2)]);
        derivation.promote(3);
        derivation.replace(4);
        assert_eq!(derivation.take_safe_at(), [(2, 3), (2, 4)]);
        assert!(derivation.take_safe_at().is_empty());
    }

    #[test]
    fn a_rewind_keeps_what_is_below_and_puts_local_safe_back() {
        let mut derivation = SimulatedDerivation::default();
        derivation.include(2, 1, 3);
        derivation.include(5, 2, 6);
        derivation.promote(1);
        derivation.rewind(3);
        assert_eq!((derivation.local_safe(), derivation.safe(), derivation.due(8)), (3, 1, Some(2)));
        derivation.include(7, 3, 9);
        assert_eq!(derivation.local_safe(), 7);
        derivation.rewind(9);
        assert_eq!(derivation.local_safe(), 7, "nothing is derived by a rewind");
    }

    #[test]
    fn a_rewind_below_what_is_cross_safe_has_it_promoted_again() {
        let mut derivation = SimulatedDerivation::default();
        derivation.include(2, 1, 3);
        derivation.include(5, 2, 6);
        (1..=5).for_each(|height| derivation.promote(height));
        derivation.rewind(2);
        assert_eq!((derivation.local_safe(), derivation.safe(), derivation.due(9)), (2, 2, None));
        derivation.include(8, 3, 9);
        assert_eq!(derivation.due(11), Some(3));
    }

    #[rstest]
    #[case::first_of_its_batch(3)]
    #[case::inside_its_batch(4)]
    #[case::last_of_its_batch(5)]
    fn a_replacement_puts_local_safe_back_to_itself(#[case] height: u64) {
        let mut derivation = SimulatedDerivation::default();
        derivation.include(2, 1, 3);
        derivation.include(5, 2, 6);
        derivation.include(8, 3, 9);
        for promoted in 1..height {
            derivation.promote(promoted);
        }
        derivation.replace(height);
        assert_eq!((derivation.local_safe(), derivation.safe()), (height, height));
        assert_eq!(derivation.due(100), None);
        derivation.include(9, 4, 12);
        assert_eq!((derivation.due(13), derivation.due(14)), (None, Some(height + 1)));
        derivation.finalize(2);
        assert_eq!(derivation.finalized(), height);
    }
}
