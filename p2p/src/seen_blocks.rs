//! [`SeenBlocks`]: which blocks were accepted on a topic, by height, and whether by an attributable
//! signature.
//!
//! A block may be accepted twice: an attributable attestation is accepted after a replayable one. Blocks are
//! counted, not frames, and replayable ones are not counted against attributable ones.
//!
//! Bounded: the heights that were added to longest ago are forgotten first. Of a height it has at most one
//! block more than the limit by attributable signatures, and as many by others. A check never changes what is
//! remembered.

use crate::{Reason, SigningDomain};
use alloy_primitives::B256;
use lru::LruCache;
use std::num::NonZeroUsize;

/// Another block of the same height that was accepted before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rival {
    /// The hash of the other block.
    pub hash: B256,
    /// Whether a signature of it was seen that can only have been made for the topic.
    pub is_attributable: bool,
}

/// The blocks that were accepted on one topic.
#[derive(Debug)]
pub(crate) struct SeenBlocks {
    heights: LruCache<u64, Vec<Rival>>,
}

impl SeenBlocks {
    /// Remembers up to `heights` heights, at least one.
    pub(crate) fn new(heights: usize) -> Self {
        // The map grows with use: a reservation for twelve hours of blocks would be waste on most nodes.
        let mut cache = LruCache::unbounded();
        cache.resize(NonZeroUsize::new(heights).unwrap_or(NonZeroUsize::MIN));
        Self { heights: cache }
    }

    /// Checks that a block may still be accepted: not more than `max_blocks` of its height were, and the
    /// block itself was not by a signature of the same worth.
    pub(crate) fn check(
        &self,
        max_blocks: usize,
        number: u64,
        hash: B256,
        domain: SigningDomain,
    ) -> Result<(), Reason> {
        let Some(blocks) = self.heights.peek(&number) else { return Ok(()) };
        let is_attributable = domain.is_attributable();
        let seen = blocks.iter().filter(|block| block.is_attributable || !is_attributable).count();
        if seen > max_blocks {
            return Err(Reason::TooManyAtHeight { number, seen });
        }
        let is_seen = |block: &Rival| block.hash == hash && (block.is_attributable || !is_attributable);
        if blocks.iter().any(is_seen) {
            return Err(Reason::AlreadySeen { hash });
        }
        Ok(())
    }

    /// Remembers a block. Returns the other blocks of its height that were accepted before it.
    pub(crate) fn mark(&mut self, number: u64, hash: B256, domain: SigningDomain) -> Vec<Rival> {
        let blocks = self.heights.get_or_insert_mut(number, Vec::new);
        let is_attributable = domain.is_attributable();
        match blocks.iter_mut().find(|block| block.hash == hash) {
            Some(known) => known.is_attributable |= is_attributable,
            None => blocks.push(Rival { hash, is_attributable }),
        }
        blocks.iter().filter(|block| block.hash != hash).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SigningDomain::{CrossSafeBlocksV1 as Own, Zero};
    use proptest::prelude::*;

    fn rival(hash: B256, is_attributable: bool) -> Rival {
        Rival { hash, is_attributable }
    }

    #[test]
    fn the_height_that_was_added_to_longest_ago_is_forgotten() {
        let hash = B256::repeat_byte(1);
        let mut seen = SeenBlocks::new(2);
        for number in [7, 8, 9] {
            assert!(seen.mark(number, hash, Own).is_empty());
        }
        assert_eq!(seen.check(5, 7, hash, Own), Ok(()));
        assert_eq!(seen.check(5, 8, hash, Own), Err(Reason::AlreadySeen { hash }));
        assert_eq!(seen.check(5, 9, hash, Own), Err(Reason::AlreadySeen { hash }));
    }

    #[test]
    fn other_blocks_of_the_height_are_named_with_what_their_signatures_are_worth() {
        let [one, two, three] = [1, 2, 3].map(B256::repeat_byte);
        let mut seen = SeenBlocks::new(2);
        assert!(seen.mark(7, one, Own).is_empty());
        assert!(seen.mark(8, two, Own).is_empty());
        assert_eq!(seen.mark(7, two, Zero), [rival(one, true)]);
        assert_eq!(seen.mark(7, three, Own), [rival(one, true), rival(two, false)]);
        assert_eq!(seen.mark(7, two, Own), [rival(one, true), rival(three, true)]);
        assert_eq!(seen.mark(7, one, Own), [rival(two, true), rival(three, true)]);
    }

    #[test]
    fn a_check_does_not_change_what_is_forgotten() {
        let hash = B256::repeat_byte(1);
        let mut seen = SeenBlocks::new(1);
        assert!(seen.mark(1, hash, Own).is_empty());
        assert!(seen.check(5, 1, hash, Own).is_err());
        assert!(seen.mark(2, hash, Own).is_empty());
        assert_eq!(seen.check(5, 1, hash, Own), Ok(()));
    }

    /// A slow implementation to compare with: it keeps every frame that was accepted, in order.
    struct Reference {
        heights: usize,
        accepted: Vec<(u64, u8, SigningDomain)>,
    }

    impl Reference {
        /// The heights that are remembered: those that were accepted last.
        fn remembered(&self) -> Vec<u64> {
            let mut last = Vec::new();
            for (number, ..) in self.accepted.iter().rev() {
                if !last.contains(number) && last.len() < self.heights {
                    last.push(*number);
                }
            }
            last
        }

        /// The accepted frames of a height since it was last forgotten.
        fn of(&self, number: u64) -> Vec<(u8, SigningDomain)> {
            let mut kept = Vec::new();
            for end in 1..=self.accepted.len() {
                let upto = Self { heights: self.heights, accepted: self.accepted[..end].to_vec() };
                let (of, block, domain) = self.accepted[end - 1];
                if of == number {
                    kept.push((block, domain));
                }
                if !upto.remembered().contains(&number) {
                    kept.clear();
                }
            }
            kept
        }

        fn check(&self, max_blocks: usize, number: u64, block: u8, domain: SigningDomain) -> &'static str {
            let counts = |(_, other): &&(u8, SigningDomain)| *other == Own || domain == Zero;
            let frames = self.of(number);
            let blocks: std::collections::BTreeSet<u8> =
                frames.iter().filter(counts).map(|(block, _)| *block).collect();
            if blocks.len() > max_blocks {
                "too-many-at-height"
            } else if blocks.contains(&block) {
                "already-seen"
            } else {
                "accept"
            }
        }
    }

    proptest! {
        /// Any frames in any order are checked as by the reference, within bounds. An accepted replay of a
        /// block never keeps its genuine attestation from being accepted.
        #[test]
        fn frames_are_checked_as_by_the_slow_reference(
            frames in prop::collection::vec((0..5_u64, 0..6_u8, any::<bool>()), 0..60),
            heights in 1..5_usize,
            max_blocks in 0..4_usize,
        ) {
            let mut seen = SeenBlocks::new(heights);
            let mut reference = Reference { heights, accepted: Vec::new() };
            for (number, block, is_own) in frames {
                let (hash, domain) = (B256::repeat_byte(block), if is_own { Own } else { Zero });
                let checked = seen.check(max_blocks, number, hash, domain);
                let found = checked.as_ref().map_or_else(Reason::code, |()| "accept");
                prop_assert_eq!(found, reference.check(max_blocks, number, block, domain));
                if checked.is_ok() {
                    let before = reference.of(number);
                    let rivals = seen.mark(number, hash, domain);
                    for other in &rivals {
                        let byte = other.hash[0];
                        prop_assert!(before.iter().any(|(block, _)| *block == byte) && byte != block);
                        prop_assert_eq!(other.is_attributable, before.contains(&(byte, Own)));
                    }
                    let others: std::collections::BTreeSet<u8> =
                        before.iter().map(|(other, _)| *other).filter(|other| *other != block).collect();
                    prop_assert_eq!(rivals.len(), others.len());
                    reference.accepted.push((number, block, domain));
                }
                let held = seen.heights.iter().map(|(_, blocks)| blocks);
                for blocks in held.clone() {
                    let own = blocks.iter().filter(|block| block.is_attributable).count();
                    prop_assert!(own <= max_blocks + 1 && blocks.len() <= 2 * (max_blocks + 1));
                }
                prop_assert!(held.count() <= heights);
            }
        }
    }
}
