//! [`SettledBlocks`]: the blocks whose attestations are ignored, because they are known to be valid and
//! final.
//!
//! By hash, not by height: another block of the same height is still judged, since two attested blocks of one
//! height must be noticed.
//!
//! Bounded: the lowest heights are forgotten first. Their attestations are then judged like any other.

use alloy_primitives::B256;
use std::collections::BTreeSet;

/// How many blocks are remembered: 12 h of one block a second, and some more.
pub const MAX_SETTLED_BLOCKS: usize = 65_536;

/// The blocks whose attestations are ignored, by height and hash. At most [`MAX_SETTLED_BLOCKS`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettledBlocks {
    blocks: BTreeSet<(u64, B256)>,
}

impl SettledBlocks {
    /// Adds a block. If there are too many, the lowest one is forgotten.
    pub fn insert(&mut self, number: u64, hash: B256) {
        self.blocks.insert((number, hash));
        if self.blocks.len() > MAX_SETTLED_BLOCKS {
            self.blocks.pop_first();
        }
    }

    /// Whether a block is one of them.
    pub fn contains(&self, number: u64, hash: B256) -> bool {
        self.blocks.contains(&(number, hash))
    }
}

impl FromIterator<(u64, B256)> for SettledBlocks {
    fn from_iter<I: IntoIterator<Item = (u64, B256)>>(blocks: I) -> Self {
        let mut settled = Self::default();
        blocks.into_iter().for_each(|(number, hash)| settled.insert(number, hash));
        settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_heights_are_forgotten_first() {
        let most = u64::try_from(MAX_SETTLED_BLOCKS).unwrap();
        let hash = B256::repeat_byte(1);
        let settled: SettledBlocks = (0..=most).rev().map(|number| (number, hash)).collect();
        assert!(!settled.contains(0, hash));
        assert!(settled.contains(1, hash) && settled.contains(most, hash));
        assert!(!settled.contains(1, B256::ZERO), "another block of the height");
    }
}
