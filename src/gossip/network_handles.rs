//! [`NetworkHandles`]: the network of each chain whose gossip is joined, to be asked for its peers.

use crosscheck_p2p::{ChainId, NetworkHandle};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The handles of the networks that run. Clones share them. One for each configured chain at most.
#[derive(Clone, Debug, Default)]
pub struct NetworkHandles {
    handles: Arc<Mutex<BTreeMap<ChainId, NetworkHandle>>>,
}

impl NetworkHandles {
    /// A chain's gossip is joined.
    pub fn insert(&self, chain_id: ChainId, handle: NetworkHandle) {
        self.handles.lock().insert(chain_id, handle);
    }

    /// The handles of all chains, or of one, by chain.
    pub fn of(&self, chain_id: Option<ChainId>) -> Vec<(ChainId, NetworkHandle)> {
        let handles = self.handles.lock();
        let wanted = handles.iter().filter(|(id, _)| chain_id.is_none_or(|chain_id| chain_id == **id));
        wanted.map(|(id, handle)| (*id, handle.clone())).collect()
    }
}
