//! [`LogIndex`]: the proven logs of the blocks that were looked at last, of every chain, within a byte budget.
//!
//! What is proven stays true, so nothing in it is ever wrong; what does not fit is proven again when it is asked
//! for. It never fetches anything itself.

use super::ProvenLogs;
use alloy::primitives::B256;
use lru::LruCache;
use parking_lot::Mutex;
use std::sync::Arc;

/// Proven logs by block hash. Clones share it.
#[derive(Clone, Debug)]
pub struct LogIndex(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    blocks: LruCache<B256, Arc<ProvenLogs>>,
    bytes: usize,
    budget: usize,
}

impl LogIndex {
    /// An empty index that keeps at most so many bytes.
    pub fn new(budget: usize) -> Self {
        Self(Arc::new(Mutex::new(Inner { blocks: LruCache::unbounded(), bytes: 0, budget })))
    }

    /// The logs of a block, if they are kept.
    pub fn get(&self, hash: &B256) -> Option<Arc<ProvenLogs>> {
        self.0.lock().blocks.get(hash).cloned()
    }

    /// Keeps a block's logs; the least used go when the budget is reached.
    pub fn insert(&self, logs: Arc<ProvenLogs>) {
        let mut inner = self.0.lock();
        inner.bytes = inner.bytes.saturating_add(logs.weight());
        if let Some(known) = inner.blocks.put(logs.hash(), logs) {
            inner.bytes = inner.bytes.saturating_sub(known.weight());
        }
        while inner.bytes > inner.budget {
            let Some((_, dropped)) = inner.blocks.pop_lru() else { return };
            inner.bytes = inner.bytes.saturating_sub(dropped.weight());
        }
    }

    /// How many bytes are kept.
    pub fn bytes(&self) -> usize {
        self.0.lock().bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosscheck_p2p::{ChainId, UnixSeconds};

    fn logs(hash: u8) -> Arc<ProvenLogs> {
        let logs = ProvenLogs::for_tests(ChainId::from(901), 1, UnixSeconds(1), Vec::new());
        Arc::new(logs.with_hash(B256::repeat_byte(hash)))
    }

    #[test]
    fn the_least_used_goes_when_the_budget_is_reached() {
        let index = LogIndex::new(logs(1).weight() * 2);
        index.insert(logs(1));
        index.insert(logs(2));
        assert!(index.get(&B256::repeat_byte(1)).is_some());
        index.insert(logs(3));
        assert!(index.get(&B256::repeat_byte(2)).is_none());
        assert!(index.get(&B256::repeat_byte(1)).is_some() && index.get(&B256::repeat_byte(3)).is_some());
    }

    #[test]
    fn a_block_is_weighed_once() {
        let index = LogIndex::new(usize::MAX);
        index.insert(logs(1));
        index.insert(logs(1));
        assert_eq!(index.bytes(), logs(1).weight());
    }
}
