//! [`PollHints`]: hints to a chain's reader that there may be something new.

use alloy::eips::BlockNumHash;
use crosscheck_p2p::ChainId;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Notify;

/// Hints for the chains' readers to poll. Clones share them.
#[derive(Clone, Debug)]
pub struct PollHints(Arc<BTreeMap<ChainId, Hint>>);

#[derive(Debug, Default)]
struct Hint {
    notify: Notify,
    /// The block that was gossiped last.
    gossiped: Mutex<Option<BlockNumHash>>,
}

impl PollHints {
    /// For the readers of these chains.
    pub fn new(chains: impl IntoIterator<Item = ChainId>) -> Self {
        Self(Arc::new(chains.into_iter().map(|chain_id| (chain_id, Hint::default())).collect()))
    }

    /// There may be something new. It is remembered until the reader looks, once.
    pub fn wake(&self, chain_id: ChainId) {
        if let Some(hint) = self.0.get(&chain_id) {
            hint.notify.notify_one();
        }
    }

    /// A block was gossiped: the chain's clients have it by now, or will have it soon.
    pub fn announce(&self, chain_id: ChainId, block: BlockNumHash) {
        if let Some(hint) = self.0.get(&chain_id) {
            *hint.gossiped.lock() = Some(block);
            hint.notify.notify_one();
        }
    }

    /// The block that was gossiped last.
    pub(super) fn gossiped(&self, chain_id: ChainId) -> Option<BlockNumHash> {
        *self.0.get(&chain_id)?.gossiped.lock()
    }

    /// Waits for a hint.
    pub(super) async fn wait(&self, chain_id: ChainId) {
        match self.0.get(&chain_id) {
            Some(hint) => hint.notify.notified().await,
            None => std::future::pending().await,
        }
    }
}
