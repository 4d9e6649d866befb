//! [`RecentBlocks`]: the heights and hashes of the chain that was last followed. Pure, and bounded.

use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use std::collections::VecDeque;

/// How many heights are remembered: a sequencing window of one-second blocks, and more.
const MAX_HEIGHTS: usize = 65_536;

/// Consecutive blocks, the tip last. Beyond the bound the lowest is forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecentBlocks {
    first: u64,
    hashes: VecDeque<B256>,
}

impl RecentBlocks {
    /// The highest block.
    pub fn tip(&self) -> Option<BlockNumHash> {
        let hash = *self.hashes.back()?;
        Some(BlockNumHash { number: self.next()?.checked_sub(1)?, hash })
    }

    /// The height after the tip. `None`: nothing is remembered.
    pub fn next(&self) -> Option<u64> {
        if self.hashes.is_empty() {
            return None;
        }
        self.first.checked_add(u64::try_from(self.hashes.len()).ok()?)
    }

    /// The lowest height remembered.
    pub fn first(&self) -> Option<u64> {
        (!self.hashes.is_empty()).then_some(self.first)
    }

    /// The hash at a height.
    pub fn hash_at(&self, number: u64) -> Option<B256> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.hashes.get(at).copied()
    }

    /// Adds the first block, or the child of the tip. `false`: it is neither, and nothing was added.
    pub fn push(&mut self, block: BlockNumHash, parent_hash: B256) -> bool {
        match self.tip() {
            None => self.first = block.number,
            Some(tip) if Some(block.number) == self.next() && parent_hash == tip.hash => {}
            Some(_) => return false,
        }
        self.hashes.push_back(block.hash);
        if self.hashes.len() > MAX_HEIGHTS {
            self.hashes.pop_front();
            self.first = self.first.saturating_add(1);
        }
        true
    }

    /// Forgets what is above a height.
    pub fn rewind(&mut self, kept: u64) {
        let kept = kept.checked_add(1).and_then(|end| end.checked_sub(self.first));
        self.hashes.truncate(kept.map_or(0, |count| usize::try_from(count).unwrap_or(usize::MAX)));
    }

    /// Forgets what is below a height; the tip always stays.
    pub fn forget_below(&mut self, number: u64) {
        while self.first < number && self.hashes.len() > 1 {
            self.hashes.pop_front();
            self.first = self.first.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(number: u64) -> BlockNumHash {
        BlockNumHash { number, hash: B256::repeat_byte(u8::try_from(number % 256).unwrap()) }
    }

    fn chain(from: u64, to: u64) -> RecentBlocks {
        let mut recent = RecentBlocks::default();
        for number in from..=to {
            assert!(recent.push(block(number), block(number.saturating_sub(1)).hash));
        }
        recent
    }

    #[test]
    fn only_the_child_of_the_tip_is_added() {
        let mut recent = chain(5, 7);
        assert!(!recent.push(block(9), block(8).hash), "a gap");
        assert!(!recent.push(block(8), B256::ZERO), "another parent");
        assert!(!recent.push(block(7), block(6).hash), "not above the tip");
        assert_eq!(recent, chain(5, 7));
        assert_eq!((recent.tip(), recent.next(), recent.first()), (Some(block(7)), Some(8), Some(5)));
    }

    #[test]
    fn hashes_by_height() {
        let recent = chain(5, 7);
        assert_eq!([4, 5, 7, 8].map(|number| recent.hash_at(number).is_some()), [false, true, true, false]);
        assert_eq!(recent.hash_at(6), Some(block(6).hash));
    }

    #[test]
    fn a_rewind_forgets_the_blocks_above_it() {
        let mut recent = chain(5, 9);
        recent.rewind(6);
        assert_eq!(recent, chain(5, 6));
        recent.rewind(20);
        assert_eq!(recent, chain(5, 6));
        recent.rewind(4);
        assert_eq!((recent.tip(), recent.next()), (None, None));
        assert!(recent.push(block(2), B256::ZERO), "anything may come first again");
    }

    #[test]
    fn settled_blocks_except_the_tip_are_forgotten() {
        let mut recent = chain(5, 9);
        recent.forget_below(8);
        assert_eq!(recent, chain(8, 9));
        recent.forget_below(100);
        assert_eq!(recent, chain(9, 9));
    }

    #[test]
    fn heights_are_bounded() {
        let recent = chain(1, MAX_HEIGHTS as u64 + 2);
        assert_eq!(recent.first(), Some(3));
        assert_eq!(recent.tip(), Some(block(MAX_HEIGHTS as u64 + 2)));
    }
}
