//! [`Nudges`]: word to a chain's reader that there may be something new.

use crosscheck_p2p::ChainId;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Notify;

/// Word to the chains' readers. Clones share it.
#[derive(Clone, Debug)]
pub struct Nudges(Arc<BTreeMap<ChainId, Notify>>);

impl Nudges {
    /// For the readers of these chains.
    pub fn new(chains: impl IntoIterator<Item = ChainId>) -> Self {
        Self(Arc::new(chains.into_iter().map(|chain_id| (chain_id, Notify::new())).collect()))
    }

    /// There may be something new. It is remembered until the reader looks, once.
    pub fn nudge(&self, chain_id: ChainId) {
        if let Some(notify) = self.0.get(&chain_id) {
            notify.notify_one();
        }
    }

    /// Waits for word.
    pub(super) async fn wait(&self, chain_id: ChainId) {
        match self.0.get(&chain_id) {
            Some(notify) => notify.notified().await,
            None => std::future::pending().await,
        }
    }
}
