//! [`GossipHeads`]: the highest block gossiped on each chain.

use crosscheck_p2p::ChainId;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The highest block gossiped on each chain, on any topic. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct GossipHeads {
    highest: Arc<Mutex<BTreeMap<ChainId, u64>>>,
}

impl GossipHeads {
    /// A block came in.
    pub fn note(&self, chain_id: ChainId, number: u64) {
        let mut highest = self.highest.lock();
        let known = highest.entry(chain_id).or_default();
        *known = number.max(*known);
    }

    /// The highest block so far.
    pub fn highest(&self, chain_id: ChainId) -> Option<u64> {
        self.highest.lock().get(&chain_id).copied()
    }
}
