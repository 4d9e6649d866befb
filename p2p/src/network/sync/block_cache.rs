//! [`BlockCache`]: the latest validated unsafe blocks, compressed, to be served by number.
//!
//! Bounded in number and in bytes: the lowest blocks are removed first. Of several blocks at a height the
//! last one is kept. Pure.

use super::payload_response::StoredBlock;
use alloy_primitives::B256;
use std::collections::BTreeMap;

/// Half an hour of two-second blocks.
const MAX_BLOCKS: usize = 1_000;
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The blocks.
#[derive(Debug, Default)]
pub(in crate::network) struct BlockCache {
    blocks: BTreeMap<u64, (B256, StoredBlock)>,
    bytes: usize,
}

impl BlockCache {
    /// Stores a block.
    pub(in crate::network) fn insert(&mut self, number: u64, hash: B256, block: StoredBlock) {
        self.bytes = self.bytes.saturating_add(block.compressed.len());
        let replaced = self.blocks.insert(number, (hash, block));
        self.subtract_size(replaced);
        while self.blocks.len() > MAX_BLOCKS || self.bytes > MAX_BYTES {
            let lowest = self.blocks.pop_first().map(|(_, stored)| stored);
            self.subtract_size(lowest);
        }
    }

    /// The block at a height.
    pub(in crate::network) fn block_at(&self, number: u64) -> Option<&StoredBlock> {
        self.blocks.get(&number).map(|(_, block)| block)
    }

    /// The hash of the block at a height.
    pub(in crate::network) fn hash_at(&self, number: u64) -> Option<B256> {
        self.blocks.get(&number).map(|(hash, _)| *hash)
    }

    /// The highest height below this one at which there is a block.
    pub(in crate::network) fn highest_below(&self, number: u64) -> Option<u64> {
        self.blocks.range(..number).next_back().map(|(number, _)| *number)
    }

    fn subtract_size(&mut self, removed: Option<(B256, StoredBlock)>) {
        let freed = removed.map_or(0, |(_, block)| block.compressed.len());
        self.bytes = self.bytes.saturating_sub(freed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PayloadVersion;

    fn block(size: usize) -> StoredBlock {
        StoredBlock { compressed: vec![0; size].into(), is_signed: true, version: PayloadVersion::V4 }
    }

    #[test]
    fn the_lowest_blocks_are_removed_first_by_number_and_by_bytes() {
        let mut cache = BlockCache::default();
        (0..1_001).for_each(|number| cache.insert(number, B256::ZERO, block(1)));
        assert_eq!((cache.blocks.len(), cache.block_at(0), cache.bytes), (1_000, None, 1_000));
        (2_000..2_010).for_each(|number| cache.insert(number, B256::ZERO, block(10 * 1024 * 1024)));
        assert_eq!(cache.blocks.keys().copied().collect::<Vec<_>>(), (2_004..2_010).collect::<Vec<_>>());
        assert_eq!(cache.bytes, 60 * 1024 * 1024);
    }

    #[test]
    fn a_later_block_replaces_one_at_its_height() {
        let mut cache = BlockCache::default();
        cache.insert(7, B256::ZERO, block(5));
        cache.insert(7, B256::repeat_byte(1), block(3));
        assert_eq!((cache.hash_at(7), cache.bytes), (Some(B256::repeat_byte(1)), 3));
        assert_eq!((cache.highest_below(7), cache.highest_below(8)), (None, Some(7)));
    }
}
