//! [`Heads`]: what each chain's rollup node said last of its heads. Written by the head watchers, read by
//! the investigator.

use crate::sources::SyncStatus;
use crosscheck_p2p::ChainId;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// The last known heads of every chain. `None`: the node has not answered yet, or no longer does.
#[derive(Clone, Debug)]
pub struct Heads {
    by_chain: Arc<BTreeMap<ChainId, watch::Sender<Option<SyncStatus>>>>,
}

impl Heads {
    /// Heads of these chains, none of them known.
    pub fn new(chains: impl IntoIterator<Item = ChainId>) -> Self {
        let by_chain = chains.into_iter().map(|chain_id| (chain_id, watch::Sender::new(None))).collect();
        Self { by_chain: Arc::new(by_chain) }
    }

    /// The chain's heads, if they are known.
    pub fn get(&self, chain_id: ChainId) -> Option<SyncStatus> {
        self.by_chain.get(&chain_id).and_then(|heads| *heads.borrow())
    }

    /// Takes in what the chain's node says. `true`: it is something new.
    pub fn set(&self, chain_id: ChainId, status: Option<SyncStatus>) -> bool {
        self.by_chain.get(&chain_id).is_some_and(|heads| {
            heads.send_if_modified(|known| {
                let changed = *known != status;
                *known = status;
                changed
            })
        })
    }
}
