//! [`CanonicalHashes`]: which blocks are on the execution client's canonical chain, at the heights that
//! matter.

use super::L2Ref;
use alloy::primitives::B256;
use std::collections::BTreeMap;

/// The hashes that the execution client gave for some heights. A height that is missing is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CanonicalHashes {
    by_height: BTreeMap<u64, B256>,
}

impl CanonicalHashes {
    /// Notes which block is at a height.
    pub fn insert(&mut self, number: u64, hash: B256) {
        self.by_height.insert(number, hash);
    }

    /// The block at a height, if it is known.
    pub fn at(&self, number: u64) -> Option<B256> {
        self.by_height.get(&number).copied()
    }

    /// Whether a block is canonical. `None`: unknown.
    pub fn is_canonical(&self, block: &L2Ref) -> Option<bool> {
        self.at(block.number).map(|hash| hash == block.hash)
    }
}
