//! [`LogIndex`]: the proven logs of the blocks that were checked last, of every chain, within a byte budget.
//!
//! What is proven stays true, so nothing in it is ever wrong; what does not fit is proven again when it is
//! asked for. It never fetches anything itself.

use super::byte_cache::ByteCache;
use crate::proof::ProvenLogs;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use parking_lot::Mutex;
use std::sync::Arc;

/// The counts of an `Arc`.
const COUNTS: usize = 2 * size_of::<usize>();

/// Which block of which chain. A header does not name its chain: two chains may have the same one, a genesis
/// block's above all.
type Key = (ChainId, B256);
type Blocks = ByteCache<Key, Arc<ProvenLogs>>;

/// Proven logs by chain and block hash. Clones share it.
#[derive(Clone, Debug)]
pub struct LogIndex(Arc<Mutex<Blocks>>);

impl LogIndex {
    /// An empty index that keeps at most this many bytes.
    pub fn new(budget: usize) -> Self {
        Self(Arc::new(Mutex::new(Blocks::new(budget))))
    }

    /// The logs of a block, if they are kept.
    pub fn get(&self, chain_id: ChainId, hash: B256) -> Option<Arc<ProvenLogs>> {
        self.0.lock().get(&(chain_id, hash))
    }

    /// Keeps a block's logs; the least used go when the budget is reached. A block that is too large for the
    /// whole budget is not kept, and drives no other out.
    pub fn insert(&self, logs: Arc<ProvenLogs>) {
        let (key, bytes) = ((logs.chain_id(), logs.hash()), bytes(&logs));
        // Freed after the lock is released: a block may have a great many logs.
        let dropped = self.0.lock().insert(key, logs, bytes);
        drop(dropped);
    }

    /// How many bytes are kept.
    pub fn bytes(&self) -> usize {
        self.0.lock().bytes()
    }

    /// How many bytes may be kept.
    pub fn budget(&self) -> usize {
        self.0.lock().budget()
    }

    /// How many blocks are kept.
    pub fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn bytes(logs: &ProvenLogs) -> usize {
    logs.weight().saturating_add(COUNTS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::ProvenLog;
    use alloy::primitives::Address;
    use crosscheck_p2p::UnixSeconds;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn chain() -> ChainId {
        ChainId::from(901)
    }

    fn logs_of(hash: u8, count: usize) -> Arc<ProvenLogs> {
        let log = ProvenLog { origin: Address::repeat_byte(hash), payload_hash: B256::ZERO };
        let logs = ProvenLogs::for_tests(chain(), 1, UnixSeconds(1), vec![log; count]);
        Arc::new(logs.with_hash(B256::repeat_byte(hash)))
    }

    fn logs(hash: u8) -> Arc<ProvenLogs> {
        logs_of(hash, 0)
    }

    fn weight(logs: &ProvenLogs) -> usize {
        Blocks::weight(bytes(logs))
    }

    fn has(index: &LogIndex, hash: u8) -> bool {
        index.get(chain(), B256::repeat_byte(hash)).is_some()
    }

    #[test]
    fn the_least_recently_used_block_is_removed_when_the_budget_is_reached() {
        let index = LogIndex::new(weight(&logs(1)) * 2);
        index.insert(logs(1));
        index.insert(logs(2));
        assert!(has(&index, 1));
        index.insert(logs(3));
        assert!(!has(&index, 2) && has(&index, 1) && has(&index, 3));
    }

    #[test]
    fn the_budget_is_exact_to_the_byte() {
        let three = [(1, 5), (2, 100), (3, 0)].map(|(hash, count)| logs_of(hash, count));
        let total: usize = three.iter().map(|logs| weight(logs)).sum();
        for (budget, kept) in [(total, 3), (total - 1, 2)] {
            let index = LogIndex::new(budget);
            three.iter().for_each(|logs| index.insert(Arc::clone(logs)));
            assert_eq!(index.len(), kept);
            assert_eq!(has(&index, 1), kept == 3);
        }
        let rest: usize = three[1..].iter().map(|logs| weight(logs)).sum();
        let index = LogIndex::new(total - 1);
        three.iter().for_each(|logs| index.insert(Arc::clone(logs)));
        assert_eq!(index.bytes(), rest);
    }

    #[test]
    fn a_block_is_weighed_once() {
        let index = LogIndex::new(usize::MAX);
        index.insert(logs(1));
        index.insert(logs(1));
        assert_eq!(index.bytes(), weight(&logs(1)));
    }

    #[test]
    fn every_log_counts_towards_the_budget() {
        assert_eq!(weight(&logs_of(1, 1000)) - weight(&logs(1)), 1000 * size_of::<ProvenLog>());
    }

    #[test]
    fn a_block_of_one_hash_on_two_chains_is_two_blocks() {
        let index = LogIndex::new(usize::MAX);
        index.insert(logs(1));
        let other = ChainId::from(902);
        assert_eq!(index.get(other, B256::repeat_byte(1)), None);
        let twin = ProvenLogs::for_tests(other, 1, UnixSeconds(1), vec![]).with_hash(B256::repeat_byte(1));
        index.insert(Arc::new(twin.clone()));
        assert_eq!(index.get(other, B256::repeat_byte(1)).as_deref(), Some(&twin));
        assert!(has(&index, 1));
        assert_eq!(index.len(), 2);
    }

    #[test]
    fn a_block_larger_than_the_budget_removes_nothing() {
        let index = LogIndex::new(weight(&logs_of(1, 10)));
        index.insert(logs_of(1, 10));
        index.insert(logs_of(2, 11));
        assert!(has(&index, 1) && !has(&index, 2));
        LogIndex::new(0).insert(logs(1));
    }

    proptest! {
        #[test]
        fn the_budget_is_never_exceeded_and_never_another_block_returned(
            budget in 0_usize..4_000, steps in prop::collection::vec((0_u8..8, 0_usize..40), 0..64)
        ) {
            let index = LogIndex::new(budget);
            let mut last = BTreeMap::new();
            for (hash, count) in steps {
                let inserted = logs_of(hash, count);
                let fits = weight(&inserted) <= budget;
                index.insert(Arc::clone(&inserted));
                if fits {
                    last.insert(hash, Arc::clone(&inserted));
                    prop_assert_eq!(index.get(chain(), B256::repeat_byte(hash)), Some(inserted));
                }
                prop_assert!(index.bytes() <= budget);
                let kept: Vec<_> = (0..8).filter_map(|hash| index.get(chain(), B256::repeat_byte(hash))).collect();
                prop_assert_eq!(kept.iter().map(|logs| weight(logs)).sum::<usize>(), index.bytes());
                prop_assert_eq!(kept.len(), index.len());
                for logs in kept {
                    prop_assert_eq!(Some(&logs), last.get(&logs.hash().0[0]));
                }
            }
        }
    }
}
