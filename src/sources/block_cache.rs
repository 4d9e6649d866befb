//! [`BlockCache`]: the whole blocks that were checked last, of every chain, within a byte budget.
//!
//! A block is checked against its hash before it is kept, so nothing in it is ever wrong; which block is
//! canonical it never says. It fetches nothing itself.

use alloy::primitives::B256;
use crosscheck_core::proof::{ByteCache, VerifiedBlock};
use crosscheck_p2p::ChainId;
use parking_lot::Mutex;
use std::sync::Arc;

type Blocks = ByteCache<(ChainId, B256), VerifiedBlock>;

/// Blocks by chain and hash: a header does not name its chain. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct BlockCache(Arc<Mutex<Blocks>>);

impl BlockCache {
    /// How many bytes are kept, all chains together.
    const BUDGET: usize = 64 << 20;

    /// An empty one that keeps at most this many bytes.
    fn new(budget: usize) -> Self {
        Self(Arc::new(Mutex::new(Blocks::new(budget))))
    }

    /// A block, if it is kept.
    pub(super) fn get(&self, chain_id: ChainId, hash: B256) -> Option<VerifiedBlock> {
        self.0.lock().get(&(chain_id, hash))
    }

    /// Keeps a block.
    pub(super) fn insert(&self, chain_id: ChainId, block: VerifiedBlock) {
        let (key, bytes) = ((chain_id, block.hash()), block.bytes());
        // Freed after the lock is released: a block may have a great many transactions.
        let dropped = self.0.lock().insert(key, block, bytes);
        drop(dropped);
    }
}

impl Default for BlockCache {
    fn default() -> Self {
        Self::new(Self::BUDGET)
    }
}
