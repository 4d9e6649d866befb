//! [`LeftBlocks`]: how often a chain has left the same block. Pure, bounded.
//!
//! A client that is sent to another branch again and again alternates for hours. That is reported twice; the
//! rest is counted.

use alloy::primitives::B256;
use lru::LruCache;
use std::num::NonZeroUsize;

/// How many left blocks are remembered. The one that was left longest ago makes room.
const REMEMBERED: NonZeroUsize = match NonZeroUsize::new(64) {
    Some(remembered) => remembered,
    None => NonZeroUsize::MIN,
};

/// How often a block must be left until that is reported as going back and forth.
const BACK_AND_FORTH: u32 = 2;

/// The blocks that a chain has left, each the lowest of its branch.
#[derive(Debug)]
pub(super) struct LeftBlocks(LruCache<B256, u32>);

/// What is reported of a reorg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReorgReport {
    /// The reorg.
    Reorg,
    /// That the chain alternates between branches.
    BackAndForth,
    /// Nothing more.
    Nothing,
}

impl Default for LeftBlocks {
    fn default() -> Self {
        Self(LruCache::new(REMEMBERED))
    }
}

impl LeftBlocks {
    /// Records that the chain has left this block. Returns what to report.
    pub(super) fn record(&mut self, block: B256) -> ReorgReport {
        let times = self.0.get_or_insert_mut(block, || 0);
        *times = times.saturating_add(1);
        match *times {
            1 => ReorgReport::Reorg,
            BACK_AND_FORTH => ReorgReport::BackAndForth,
            _ => ReorgReport::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReorgReport::{BackAndForth, Nothing, Reorg};
    use rstest::rstest;

    #[rstest]
    #[case::other_blocks(&[1, 2, 3], &[Reorg, Reorg, Reorg])]
    #[case::one_block(&[1, 1, 1, 1], &[Reorg, BackAndForth, Nothing, Nothing])]
    #[case::two_branches(&[1, 2, 1, 2, 1, 2], &[Reorg, Reorg, BackAndForth, BackAndForth, Nothing, Nothing])]
    fn the_same_reorg_is_reported_twice(#[case] left: &[u8], #[case] expected: &[ReorgReport]) {
        let mut blocks = LeftBlocks::default();
        let reported: Vec<ReorgReport> =
            left.iter().map(|block| blocks.record(B256::repeat_byte(*block))).collect();
        assert_eq!(reported, expected);
    }

    #[test]
    fn the_oldest_reorged_block_is_forgotten_first() {
        let mut blocks = LeftBlocks::default();
        for block in 0..=64 {
            assert_eq!(blocks.record(B256::repeat_byte(block)), Reorg);
        }
        assert_eq!(blocks.record(B256::repeat_byte(0)), Reorg);
        assert_eq!(blocks.record(B256::repeat_byte(64)), BackAndForth);
    }
}
