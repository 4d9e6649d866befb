//! [`SeenBlocks`]: which blocks a topic has let through, by height.
//!
//! Bounded: the heights that were added to longest ago are forgotten first, and a height holds at most one
//! block more than its limit. Looking never changes what is remembered.

use crate::{Reason, ValidationRules};
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

    /// Checks that a block may still be let through.
    pub(crate) fn check(&self, rules: &ValidationRules, number: u64, hash: B256) -> Result<(), Reason> {
        let Some(blocks) = self.heights.peek(&number) else { return Ok(()) };
        if blocks.len() > rules.max_blocks_per_height {
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
    use crate::ChainId;

    #[test]
    fn forgets_the_height_marked_longest_ago() {
        let rules = ValidationRules::new(ChainId::from(901));
        let hash = B256::repeat_byte(1);
        let mut seen = SeenBlocks::new(2);
        for number in [7, 8, 9] {
            assert!(seen.mark(number, hash).is_empty());
        }
        assert_eq!(seen.check(&rules, 7, hash), Ok(()));
        assert_eq!(seen.check(&rules, 8, hash), Err(Reason::AlreadySeen { hash }));
        assert_eq!(seen.check(&rules, 9, hash), Err(Reason::AlreadySeen { hash }));
    }

    #[test]
    fn looking_keeps_nothing_alive() {
        let rules = ValidationRules::new(ChainId::from(901));
        let hash = B256::repeat_byte(1);
        let mut seen = SeenBlocks::new(1);
        assert!(seen.mark(1, hash).is_empty());
        assert!(seen.check(&rules, 1, hash).is_err());
        assert!(seen.mark(2, hash).is_empty());
        assert_eq!(seen.check(&rules, 1, hash), Ok(()));
    }
}
