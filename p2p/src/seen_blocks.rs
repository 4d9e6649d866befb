//! [`SeenBlocks`]: which blocks a topic has let through, by height.
//!
//! Bounded: the heights that were added to longest ago are forgotten first, and a height holds at most one
//! block more than its limit. Looking never changes what is remembered.

use crate::Reason;
use alloy_primitives::B256;
use lru::LruCache;
use std::num::NonZeroUsize;

/// The blocks let through on one topic.
#[derive(Debug)]
pub(crate) struct SeenBlocks {
    heights: LruCache<u64, Vec<B256>>,
}

impl SeenBlocks {
    /// Remembers up to `heights` heights, at least one.
    pub(crate) fn new(heights: usize) -> Self {
        // The map grows with use: a reservation for twelve hours of blocks would be waste on most nodes.
        let mut cache = LruCache::unbounded();
        cache.resize(NonZeroUsize::new(heights).unwrap_or(NonZeroUsize::MIN));
        Self { heights: cache }
    }

    /// Checks that a block may still be let through: no more than `max_blocks` of its height were.
    pub(crate) fn check(&self, max_blocks: usize, number: u64, hash: B256) -> Result<(), Reason> {
        let Some(blocks) = self.heights.peek(&number) else { return Ok(()) };
        if blocks.len() > max_blocks {
            return Err(Reason::TooManyAtHeight { number, seen: blocks.len() });
        }
        if blocks.contains(&hash) {
            return Err(Reason::AlreadySeen { hash });
        }
        Ok(())
    }

    /// Remembers a block. Answers the other blocks of its height that were let through before it.
    pub(crate) fn mark(&mut self, number: u64, hash: B256) -> Vec<B256> {
        let blocks = self.heights.get_or_insert_mut(number, Vec::new);
        let rivals = blocks.clone();
        blocks.push(hash);
        rivals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_the_height_marked_longest_ago() {
        let hash = B256::repeat_byte(1);
        let mut seen = SeenBlocks::new(2);
        for number in [7, 8, 9] {
            assert!(seen.mark(number, hash).is_empty());
        }
        assert_eq!(seen.check(5, 7, hash), Ok(()));
        assert_eq!(seen.check(5, 8, hash), Err(Reason::AlreadySeen { hash }));
        assert_eq!(seen.check(5, 9, hash), Err(Reason::AlreadySeen { hash }));
    }

    #[test]
    fn other_blocks_of_the_height_are_named() {
        let [one, two, three] = [1, 2, 3].map(B256::repeat_byte);
        let mut seen = SeenBlocks::new(2);
        assert!(seen.mark(7, one).is_empty());
        assert!(seen.mark(8, two).is_empty());
        assert_eq!(seen.mark(7, two), [one]);
        assert_eq!(seen.mark(7, three), [one, two]);
    }

    #[test]
    fn looking_keeps_nothing_alive() {
        let hash = B256::repeat_byte(1);
        let mut seen = SeenBlocks::new(1);
        assert!(seen.mark(1, hash).is_empty());
        assert!(seen.check(5, 1, hash).is_err());
        assert!(seen.mark(2, hash).is_empty());
        assert_eq!(seen.check(5, 1, hash), Ok(()));
    }
}
