//! [`GossipedTransactions`]: the encodings of transactions of types that this version does not know, from
//! blocks that were gossiped and signed.
//!
//! A payload holds the very bytes that its block's transactions root covers, whatever they mean. Transactions
//! of known types are not kept: an execution client's JSON gives them. Nothing is trusted: every use is
//! checked against the root. Bounded.

use alloy::primitives::{B256, Bytes, keccak256};
use lru::LruCache;
use op_alloy::consensus::OpTxType;
use parking_lot::Mutex;
use std::sync::Arc;

/// How many bytes are kept. Beyond it the least used go, and are asked of the endpoints.
const BUDGET: usize = 16 * 1024 * 1024;

/// The lowest first byte of an untyped transaction, an RLP list.
const FIRST_LEGACY_BYTE: u8 = 0xc0;

/// Encodings by transaction hash. Clones share them.
#[derive(Clone, Debug)]
pub struct GossipedTransactions(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    encodings: LruCache<B256, Bytes>,
    bytes: usize,
}

impl Default for GossipedTransactions {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Inner { encodings: LruCache::unbounded(), bytes: 0 })))
    }
}

impl GossipedTransactions {
    /// Keeps those of a block's transactions whose types are not known.
    pub fn note(&self, transactions: &[Bytes]) {
        for encoding in transactions.iter().filter(|encoding| is_of_unknown_type(encoding)) {
            // A copy: a slice of a payload would keep all of it.
            let copy = Bytes::copy_from_slice(encoding);
            let mut inner = self.0.lock();
            inner.bytes = inner.bytes.saturating_add(copy.len());
            if let Some(known) = inner.encodings.put(keccak256(encoding), copy) {
                inner.bytes = inner.bytes.saturating_sub(known.len());
            }
            while inner.bytes > BUDGET {
                let Some((_, least_used)) = inner.encodings.pop_lru() else { break };
                inner.bytes = inner.bytes.saturating_sub(least_used.len());
            }
        }
    }

    /// The encoding of the transaction with this hash.
    pub(super) fn get(&self, hash: B256) -> Option<Bytes> {
        self.0.lock().encodings.get(&hash).cloned()
    }
}

fn is_of_unknown_type(encoding: &[u8]) -> bool {
    let tx_type = encoding.first().copied().filter(|first| *first < FIRST_LEGACY_BYTE);
    tx_type.is_some_and(|tx_type| OpTxType::try_from(tx_type).is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction(tx_type: u8, size: usize) -> Bytes {
        let mut encoding = vec![1; size];
        encoding[0] = tx_type;
        encoding.into()
    }

    #[test]
    fn only_unknown_types_are_kept() {
        let gossiped = GossipedTransactions::default();
        let known = [0x01, 0x02, 0x04, 0x7d, 0x7e, 0xc0, 0xf8].map(|tx_type| transaction(tx_type, 9));
        let unknown = [0x03, 0x7b, 0x7f].map(|tx_type| transaction(tx_type, 9));
        gossiped.note(&[&known[..], &unknown, &[Bytes::new()]].concat());
        assert!(known.iter().all(|one| gossiped.get(keccak256(one)).is_none()));
        assert!(unknown.iter().all(|one| gossiped.get(keccak256(one)).as_ref() == Some(one)));
        assert_eq!(gossiped.0.lock().bytes, 27);
        gossiped.note(&unknown);
        assert_eq!(gossiped.0.lock().bytes, 27, "what is known is not counted again");
    }

    #[test]
    fn the_least_recently_used_transactions_are_removed() {
        let gossiped = GossipedTransactions::default();
        let half = BUDGET / 2;
        let sized = [half, half - 1, half - 2].map(|size| transaction(0x7b, size));
        gossiped.note(&sized[..2]);
        assert!(gossiped.get(keccak256(&sized[0])).is_some());
        gossiped.note(&sized[2..]);
        let kept = sized.map(|one| gossiped.get(keccak256(one)).is_some());
        assert_eq!(kept, [true, false, true]);
        assert!(gossiped.0.lock().bytes <= BUDGET);
    }
}
