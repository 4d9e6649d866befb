//! [`FollowerStore`]: the chain of a follower's execution client: the blocks that it received, and which of
//! them are canonical. Pure.
//!
//! It keeps references, not blocks: it executes nothing. It holds at most [`MAX_HEIGHTS`] heights, the
//! newest.

use super::ServedL2Ref;
use alloy::primitives::B256;
use std::collections::{BTreeMap, HashMap};

/// The most heights that are kept.
const MAX_HEIGHTS: usize = 8_192;

/// A block that the client would have to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the follower's execution client has no block {hash}: fetch it from the chain's")]
pub(crate) struct MissingBlock {
    /// Its hash.
    pub(crate) hash: B256,
}

/// The blocks that a follower has.
#[derive(Clone, Debug)]
pub(crate) struct FollowerStore {
    blocks: HashMap<B256, ServedL2Ref>,
    heights: BTreeMap<u64, Vec<B256>>,
    canonical: BTreeMap<u64, B256>,
    head: ServedL2Ref,
}

impl FollowerStore {
    /// A client that has the genesis block only.
    pub(crate) fn new(genesis: ServedL2Ref) -> Self {
        let canonical = BTreeMap::from([(genesis.number, genesis.hash)]);
        let mut store = Self { blocks: HashMap::new(), heights: BTreeMap::new(), canonical, head: genesis };
        store.insert(genesis);
        store
    }

    /// The unsafe head.
    pub(crate) const fn head(&self) -> ServedL2Ref {
        self.head
    }

    /// The canonical block at a height.
    pub(crate) fn canonical(&self, number: u64) -> Option<ServedL2Ref> {
        self.blocks.get(self.canonical.get(&number)?).copied()
    }

    /// Whether a block is canonical.
    pub(crate) fn is_canonical(&self, block: &ServedL2Ref) -> bool {
        self.canonical.get(&block.number) == Some(&block.hash)
    }

    /// The newest ancestor of a block, itself included, that fulfils a condition.
    pub(crate) fn ancestor(
        &self,
        block: ServedL2Ref,
        is_met: impl Fn(&ServedL2Ref) -> bool,
    ) -> Option<ServedL2Ref> {
        let mut block = block;
        while !is_met(&block) {
            block = self.blocks.get(&block.parent_hash).copied()?;
        }
        Some(block)
    }

    /// Keeps a block. It does not become canonical.
    pub(crate) fn insert(&mut self, block: ServedL2Ref) {
        if self.blocks.insert(block.hash, block).is_none() {
            self.heights.entry(block.number).or_default().push(block.hash);
        }
        while self.heights.len() > MAX_HEIGHTS {
            let Some((number, hashes)) = self.heights.pop_first() else { return };
            self.canonical.remove(&number);
            for hash in hashes {
                self.blocks.remove(&hash);
            }
        }
    }

    /// Makes a block the head: the canonical chain is then its ancestors and itself.
    ///
    /// # Errors
    /// When it or an ancestor is not there; nothing changes then.
    pub(crate) fn adopt(&mut self, hash: B256) -> Result<(), MissingBlock> {
        let get = |hash: B256| self.blocks.get(&hash).copied().ok_or(MissingBlock { hash });
        let head = get(hash)?;
        let (mut block, mut branch) = (head, Vec::new());
        while !self.is_canonical(&block) {
            branch.push((block.number, block.hash));
            block = get(block.parent_hash)?;
        }
        drop(self.canonical.split_off(&block.number.saturating_add(1)));
        self.canonical.extend(branch);
        self.head = head;
        Ok(())
    }

    /// Goes on from the head over the blocks that follow it, as far as they are there.
    pub(crate) fn extend(&mut self) {
        while let Some(child) = self.child_of_head() {
            self.canonical.insert(child.number, child.hash);
            self.head = child;
        }
    }

    /// The first received block that follows the head.
    fn child_of_head(&self) -> Option<ServedL2Ref> {
        let above = self.heights.get(&self.head.number.checked_add(1)?)?;
        let blocks = above.iter().filter_map(|hash| self.blocks.get(hash));
        blocks.copied().find(|block| block.parent_hash == self.head.hash)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use alloy::eips::BlockNumHash;

    pub(in crate::follower) fn block(number: u64, fork: u8, parent_fork: u8) -> ServedL2Ref {
        let hash = |number: u64, fork: u8| {
            B256::with_last_byte(fork) | B256::left_padding_from(&(number << 8).to_be_bytes())
        };
        ServedL2Ref {
            hash: hash(number, fork),
            number,
            parent_hash: number.checked_sub(1).map_or(B256::ZERO, |parent| hash(parent, parent_fork)),
            timestamp: 1_000 + 2 * number,
            l1_origin: BlockNumHash { hash: B256::repeat_byte(fork), number: number / 3 },
            sequence_number: number % 3,
        }
    }

    fn store() -> FollowerStore {
        FollowerStore::new(block(0, 1, 1))
    }

    #[test]
    fn blocks_that_come_in_any_order_extend_the_head() {
        let mut store = store();
        for number in [2, 3, 1, 5] {
            store.insert(block(number, 1, 1));
            store.extend();
        }
        assert_eq!(store.head(), block(3, 1, 1));
        assert_eq!(store.canonical(2), Some(block(2, 1, 1)));
        assert_eq!(store.canonical(5), None);
    }

    #[test]
    fn a_second_block_of_a_height_is_kept_and_may_be_adopted() {
        let mut store = store();
        for block in [block(1, 1, 1), block(2, 1, 1), block(2, 2, 1), block(3, 2, 2)] {
            store.insert(block);
            store.extend();
        }
        assert_eq!(store.head(), block(2, 1, 1));
        store.adopt(block(2, 2, 1).hash).unwrap();
        store.extend();
        assert_eq!(store.head(), block(3, 2, 2));
        assert!(store.is_canonical(&block(2, 2, 1)) && !store.is_canonical(&block(2, 1, 1)));
    }

    #[test]
    fn a_missing_block_is_named_and_nothing_changes() {
        let mut store = store();
        store.insert(block(3, 1, 1));
        assert_eq!(store.adopt(block(3, 1, 1).hash), Err(MissingBlock { hash: block(2, 1, 1).hash }));
        assert_eq!(store.adopt(B256::ZERO), Err(MissingBlock { hash: B256::ZERO }));
        assert_eq!(store.head(), block(0, 1, 1));
    }

    #[test]
    fn the_store_is_bounded() {
        let mut store = store();
        for number in 1..=MAX_HEIGHTS as u64 {
            store.insert(block(number, 1, 1));
        }
        assert_eq!((store.heights.len(), store.blocks.len()), (MAX_HEIGHTS, MAX_HEIGHTS));
        assert_eq!(store.canonical(0), None);
    }
}
