//! [`BlockTree`]: every block of a chain that was built, the states they left, and which blocks are
//! canonical.
//!
//! Bounded: states are kept for [`STATE_HISTORY`] heights, blocks for [`BLOCK_HISTORY`] if not for fewer. It
//! executes nothing.

use super::block::L2Block;
use super::state::WorldState;
use crate::l1::L1Block;
use alloy::primitives::B256;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// How many heights below the highest block the states of blocks are kept: nothing can be built deeper.
pub(crate) const STATE_HISTORY: u64 = 256;

/// How many heights below the highest block blocks are kept, unless it is configured to keep fewer. Genesis
/// is always kept.
pub const BLOCK_HISTORY: u64 = 65_536;

/// Why a tree refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// There is no such block.
    #[error("block {hash} is unknown: it never existed, or is older than the kept history")]
    UnknownBlock {
        /// The hash that was asked for.
        hash: B256,
    },
    /// The block's state is no longer kept.
    #[error(
        "the state of block {number} ({hash}) is no longer available: states are kept for {STATE_HISTORY} heights"
    )]
    StateGone {
        /// The block's height.
        number: u64,
        /// The block's hash.
        hash: B256,
    },
}

#[derive(Clone, Debug)]
struct Node {
    block: Arc<L2Block>,
    /// What the block derives from; genesis derives from nothing.
    origin: Option<Arc<L1Block>>,
}

/// The blocks of a chain, by hash and, where canonical, by height.
#[derive(Clone, Debug)]
pub(crate) struct BlockTree {
    genesis: Arc<L2Block>,
    head: Arc<L2Block>,
    nodes: HashMap<B256, Node>,
    heights: BTreeMap<u64, Vec<B256>>,
    states: HashMap<B256, WorldState>,
    canonical: BTreeMap<u64, Arc<L2Block>>,
    history: u64,
}

impl BlockTree {
    /// A tree of block 0 alone.
    pub(crate) fn new(genesis: Arc<L2Block>, state: WorldState) -> Self {
        let mut tree = Self {
            genesis: Arc::clone(&genesis),
            head: Arc::clone(&genesis),
            nodes: HashMap::new(),
            heights: BTreeMap::new(),
            states: HashMap::new(),
            canonical: BTreeMap::from([(genesis.number(), Arc::clone(&genesis))]),
            history: BLOCK_HISTORY,
        };
        tree.place(Node { block: genesis, origin: None }, state);
        tree
    }

    /// Keeps blocks for this many heights from now on. States need their blocks: it is never fewer than
    /// theirs.
    pub(crate) fn keep(&mut self, history: u64) {
        self.history = history.max(STATE_HISTORY);
    }

    /// Block 0.
    pub(crate) const fn genesis(&self) -> &Arc<L2Block> {
        &self.genesis
    }

    /// The canonical head.
    pub(crate) const fn head(&self) -> &Arc<L2Block> {
        &self.head
    }

    /// The canonical block at a height.
    pub(crate) fn canonical(&self, number: u64) -> Option<&Arc<L2Block>> {
        self.canonical.get(&number)
    }

    /// The block with a hash, canonical or not.
    pub(crate) fn get(&self, hash: B256) -> Option<&Arc<L2Block>> {
        self.nodes.get(&hash).map(|node| &node.block)
    }

    /// The block with a hash, canonical or not.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn block(&self, hash: B256) -> Result<&Arc<L2Block>, TreeError> {
        self.get(hash).ok_or(TreeError::UnknownBlock { hash })
    }

    /// The L1 origin of a block: `None` for genesis.
    ///
    /// # Errors
    /// When there is no such block.
    pub(crate) fn origin(&self, hash: B256) -> Result<Option<&Arc<L1Block>>, TreeError> {
        let node = self.nodes.get(&hash).ok_or(TreeError::UnknownBlock { hash })?;
        Ok(node.origin.as_ref())
    }

    /// The state that a block left.
    ///
    /// # Errors
    /// When there is no such block, or its state is no longer kept.
    pub(crate) fn state(&self, hash: B256) -> Result<&WorldState, TreeError> {
        let number = self.block(hash)?.number();
        self.states.get(&hash).ok_or(TreeError::StateGone { number, hash })
    }

    /// The hashes of a block and its ancestors, `count` of them at most, by height.
    pub(crate) fn lineage(&self, hash: B256, count: usize) -> BTreeMap<u64, B256> {
        core::iter::successors(self.get(hash), |block| self.get(block.header.parent_hash))
            .take(count)
            .map(|block| (block.number(), block.hash))
            .collect()
    }

    /// Keeps a block and the state that it left. It does not become canonical.
    pub(crate) fn insert(&mut self, block: Arc<L2Block>, origin: Arc<L1Block>, state: WorldState) {
        self.place(Node { block, origin: Some(origin) }, state);
    }

    /// Makes a block the head: the canonical chain is then its ancestors and itself.
    ///
    /// # Errors
    /// When there is no such block, or its branch leaves the canonical chain below the blocks that are kept;
    /// nothing changes then.
    pub(crate) fn adopt(&mut self, hash: B256) -> Result<(), TreeError> {
        let head = Arc::clone(self.block(hash)?);
        let mut branch = Vec::new();
        let mut block = Arc::clone(&head);
        while self.canonical(block.number()).is_none_or(|canonical| canonical.hash != block.hash) {
            let parent = Arc::clone(self.block(block.header.parent_hash)?);
            branch.push(core::mem::replace(&mut block, parent));
        }
        drop(self.canonical.split_off(&block.number().saturating_add(1)));
        self.canonical.extend(branch.into_iter().map(|block| (block.number(), block)));
        self.head = head;
        Ok(())
    }

    fn place(&mut self, node: Node, state: WorldState) {
        let (number, hash) = (node.block.number(), node.block.hash);
        if self.nodes.insert(hash, node).is_none() {
            self.heights.entry(number).or_default().push(hash);
        }
        self.states.insert(hash, state);
        self.prune();
    }

    /// Forgets what is too far below the highest block. Heights grow one by one, so one height is due at
    /// most.
    fn prune(&mut self) {
        let highest = self.heights.last_key_value().map_or(0, |(number, _)| *number);
        let stale = highest.checked_sub(STATE_HISTORY);
        for hash in stale.and_then(|number| self.heights.get(&number)).into_iter().flatten() {
            self.states.remove(hash);
        }
        let stale = highest.checked_sub(self.history).filter(|number| *number > 0);
        if let Some((stale, hashes)) = stale.and_then(|number| self.heights.remove_entry(&number)) {
            self.canonical.remove(&stale);
            for hash in hashes {
                self.nodes.remove(&hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::{consensus::Header, eips::BlockNumHash, primitives::Bytes};

    fn block(number: u64, parent_hash: B256, branch: u8) -> Arc<L2Block> {
        let header = Header {
            number,
            parent_hash,
            extra_data: Bytes::copy_from_slice(&[branch]),
            ..Header::default()
        };
        Arc::new(L2Block {
            hash: header.hash_slow(),
            header,
            transactions: vec![],
            raw_transactions: vec![],
            senders: vec![],
            receipts: vec![],
            l1_origin: BlockNumHash::default(),
            sequence_number: 0,
        })
    }

    fn grow(tree: &mut BlockTree, parent: B256, count: u64, branch: u8) -> B256 {
        let origin = L1Block::seal(Header::default(), Vec::new(), Arc::default());
        let first = tree.block(parent).unwrap().number() + 1;
        (first..first + count).fold(parent, |parent, number| {
            let block = block(number, parent, branch);
            let hash = block.hash;
            tree.insert(block, Arc::clone(&origin), WorldState::default());
            hash
        })
    }

    fn tree() -> (BlockTree, B256) {
        let genesis = block(0, B256::ZERO, 0);
        let hash = genesis.hash;
        (BlockTree::new(genesis, WorldState::default()), hash)
    }

    #[test]
    fn a_block_that_was_built_is_not_canonical_until_adopted() {
        let (mut tree, genesis) = tree();
        let tip = grow(&mut tree, genesis, 3, 1);
        assert_eq!(tree.head().hash, genesis);
        assert!(tree.canonical(1).is_none());
        tree.adopt(tip).unwrap();
        assert_eq!(tree.head().hash, tip);
        assert_eq!(tree.canonical(3).unwrap().hash, tip);
        assert_eq!(tree.canonical(1).unwrap().hash, tree.canonical(2).unwrap().header.parent_hash);
    }

    #[test]
    fn adopting_a_shorter_branch_takes_the_longer_one_back() {
        let (mut tree, genesis) = tree();
        let long = grow(&mut tree, genesis, 5, 1);
        tree.adopt(long).unwrap();
        let fork = tree.canonical(2).unwrap().hash;
        let short = grow(&mut tree, fork, 1, 2);
        tree.adopt(short).unwrap();
        assert_eq!(tree.head().number(), 3);
        assert_eq!(tree.canonical(3).unwrap().hash, short);
        assert!(tree.canonical(4).is_none());
        assert_eq!(tree.get(long).unwrap().number(), 5, "orphans stay");
        tree.adopt(fork).unwrap();
        assert!(tree.canonical(3).is_none(), "an ancestor may be adopted");
        tree.adopt(long).unwrap();
        assert_eq!(tree.canonical(5).unwrap().hash, long);
    }

    #[test]
    fn an_unknown_block_changes_nothing() {
        let (mut tree, genesis) = tree();
        let hash = B256::repeat_byte(1);
        assert_eq!(tree.adopt(hash), Err(TreeError::UnknownBlock { hash }));
        assert_eq!(tree.head().hash, genesis);
    }

    #[test]
    fn states_are_kept_for_a_bounded_number_of_heights() {
        let (mut tree, genesis) = tree();
        let first = grow(&mut tree, genesis, 1, 1);
        let tip = grow(&mut tree, first, STATE_HISTORY, 1);
        assert!(tree.state(tip).is_ok());
        let gone = TreeError::StateGone { number: 1, hash: first };
        assert_eq!(tree.state(first).unwrap_err(), gone);
        assert_eq!(u64::try_from(tree.states.len()).unwrap(), STATE_HISTORY);
    }

    #[test]
    fn blocks_are_kept_for_a_bounded_number_of_heights_but_genesis_always() {
        let (mut tree, genesis) = tree();
        let first = grow(&mut tree, genesis, 1, 1);
        let tip = grow(&mut tree, first, BLOCK_HISTORY, 1);
        assert!(tree.get(first).is_none());
        assert!(tree.get(genesis).is_some());
        assert_eq!(tree.adopt(tip), Err(TreeError::UnknownBlock { hash: first }), "its branch is cut off");
        assert_eq!(u64::try_from(tree.nodes.len()).unwrap(), BLOCK_HISTORY + 1);
    }

    #[test]
    fn fewer_blocks_are_kept_if_configured_so() {
        let (mut tree, genesis) = tree();
        tree.keep(300);
        let tip = grow(&mut tree, genesis, 1_000, 1);
        assert!(tree.get(genesis).is_some() && tree.get(tip).is_some());
        assert_eq!((tree.nodes.len(), tree.heights.len()), (301, 301));
        tree.keep(0);
        let tip = grow(&mut tree, tip, 100, 1);
        assert!(tree.state(tip).is_ok());
    }

    #[test]
    fn lineage_follows_parents_not_the_canonical_chain() {
        let (mut tree, genesis) = tree();
        let canonical = grow(&mut tree, genesis, 2, 1);
        tree.adopt(canonical).unwrap();
        let other = grow(&mut tree, genesis, 2, 2);
        let lineage = tree.lineage(other, 256);
        assert_eq!(lineage.len(), 3);
        assert_eq!(lineage[&2], other);
        assert_eq!(lineage[&0], genesis);
        assert_eq!(tree.lineage(other, 1).len(), 1);
    }
}
