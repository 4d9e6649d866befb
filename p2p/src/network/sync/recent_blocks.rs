//! [`RecentBlocks`]: the unsafe blocks that were validated lately, as they came.
//!
//! Bounded in number and in bytes; the lowest go first. Of several at a height the last one counts. Pure.

use super::answer::Kept;
use alloy_primitives::B256;
use std::collections::BTreeMap;

/// Half an hour of two-second blocks.
const MAX_BLOCKS: usize = 1_000;
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The blocks.
#[derive(Debug, Default)]
pub(in crate::network) struct RecentBlocks {
    blocks: BTreeMap<u64, (B256, Kept)>,
    bytes: usize,
}

impl RecentBlocks {
    /// Keeps a block.
    pub(in crate::network) fn keep(&mut self, number: u64, hash: B256, block: Kept) {
        self.bytes = self.bytes.saturating_add(block.compressed.len());
        let replaced = self.blocks.insert(number, (hash, block));
        self.forget(replaced);
        while self.blocks.len() > MAX_BLOCKS || self.bytes > MAX_BYTES {
            let lowest = self.blocks.pop_first().map(|(_, kept)| kept);
            self.forget(lowest);
        }
    }

    /// The block at a height.
    pub(in crate::network) fn at(&self, number: u64) -> Option<&Kept> {
        self.blocks.get(&number).map(|(_, block)| block)
    }

    /// The hash of the block at a height.
    pub(in crate::network) fn hash_at(&self, number: u64) -> Option<B256> {
        self.blocks.get(&number).map(|(hash, _)| *hash)
    }

    /// The highest height below this one at which there is a block.
    pub(in crate::network) fn below(&self, number: u64) -> Option<u64> {
        self.blocks.range(..number).next_back().map(|(number, _)| *number)
    }

    fn forget(&mut self, gone: Option<(B256, Kept)>) {
        let freed = gone.map_or(0, |(_, block)| block.compressed.len());
        self.bytes = self.bytes.saturating_sub(freed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PayloadVersion;

    fn block(size: usize) -> Kept {
        Kept { compressed: vec![0; size].into(), is_signed: true, version: PayloadVersion::V4 }
    }

    #[test]
    fn the_lowest_go_first_by_number_and_by_bytes() {
        let mut recent = RecentBlocks::default();
        (0..1_001).for_each(|number| recent.keep(number, B256::ZERO, block(1)));
        assert_eq!((recent.blocks.len(), recent.at(0), recent.bytes), (1_000, None, 1_000));
        (2_000..2_010).for_each(|number| recent.keep(number, B256::ZERO, block(10 * 1024 * 1024)));
        assert_eq!(recent.blocks.keys().copied().collect::<Vec<_>>(), (2_004..2_010).collect::<Vec<_>>());
        assert_eq!(recent.bytes, 60 * 1024 * 1024);
    }

    #[test]
    fn a_later_block_takes_the_place_of_one_at_its_height() {
        let mut recent = RecentBlocks::default();
        recent.keep(7, B256::ZERO, block(5));
        recent.keep(7, B256::repeat_byte(1), block(3));
        assert_eq!((recent.hash_at(7), recent.bytes), (Some(B256::repeat_byte(1)), 3));
        assert_eq!((recent.below(7), recent.below(8)), (None, Some(7)));
    }
}
