//! [`SafeMeaning`]: what the safe head of the rollup node in use means: configured, or learnt from the node.
//! Until it is learnt, safe means local-safe: a node is not blamed for what it does not verify.

use crate::sources::RollupNodes;
use crosscheck_core::heads::SafeMeans;
use crosscheck_p2p::ChainId;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{debug, info};

/// After how long the node is asked again. It may be another program by then.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// What it means that one chain's rollup node calls a block safe.
#[derive(Debug)]
pub(super) struct SafeMeaning {
    chain_id: ChainId,
    configured: Option<SafeMeans>,
    learnt: Option<SafeMeans>,
    /// The place of the node that was asked.
    place: Option<usize>,
    asked_at: Option<Instant>,
}

impl SafeMeaning {
    /// Not known yet, unless it is configured.
    pub(super) const fn new(chain_id: ChainId, configured: Option<SafeMeans>) -> Self {
        Self { chain_id, configured, learnt: None, place: None, asked_at: None }
    }

    /// The node did not answer: it may be another program when it does.
    pub(super) const fn on_no_answer(&mut self) {
        self.asked_at = None;
    }

    /// What it means on the node at this place of the list. Asks it if that was not done lately.
    pub(super) async fn ask(&mut self, nodes: &RollupNodes, place: usize) -> SafeMeans {
        if let Some(configured) = self.configured {
            return configured;
        }
        if self.place.replace(place) != Some(place) {
            (self.learnt, self.asked_at) = (None, None);
        }
        if self.asked_at.is_none_or(|asked_at| asked_at.elapsed() >= ASKED_AGAIN_AFTER) {
            self.asked_at = Some(Instant::now());
            match nodes.safe_means(place).await {
                Ok(meaning) => self.learn(meaning),
                Err(error) => {
                    debug!(chain_id = %self.chain_id, %error, "not known yet what the rollup node means by safe");
                }
            }
        }
        self.learnt.unwrap_or_default()
    }

    fn learn(&mut self, meaning: SafeMeans) {
        if self.learnt.replace(meaning) == Some(meaning) {
            return;
        }
        match meaning {
            SafeMeans::CrossSafe => {
                info!(chain_id = %self.chain_id, "rollup node is an op-supernode; its safe head is cross-safe");
            }
            SafeMeans::LocalSafe => {
                info!(
                    chain_id = %self.chain_id,
                    "rollup node is not known to verify messages, its safe head counts as local-safe; \
                     if it does verify them, set chains.<id>.safe_means = \"cross-safe\""
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::EndpointLimits;
    use crosscheck_devnet::serve::start;
    use jsonrpsee::RpcModule;
    use jsonrpsee::types::ErrorObjectOwned;
    use parking_lot::Mutex;
    use serde_json::{Value, json};
    use std::sync::Arc;

    const CHAIN: u64 = 901;

    /// A node that answers as an op-supernode or not, as configured; and how often it was asked.
    struct Node {
        is_supernode: Mutex<bool>,
        asked: Mutex<u32>,
    }

    async fn served(node: &Arc<Node>) -> (RollupNodes, crosscheck_devnet::serve::RunningServer) {
        let mut module = RpcModule::new(Arc::clone(node));
        let method = |_: jsonrpsee::types::Params<'_>, node: &Arc<Node>, _: &jsonrpsee::Extensions| {
            *node.asked.lock() += 1;
            if *node.is_supernode.lock() {
                Ok(json!({ "chain_ids": [CHAIN.to_string()] }))
            } else {
                Err::<Value, _>(ErrorObjectOwned::owned(-32_601, "method not found", None::<()>))
            }
        };
        module.register_method("supernode_syncStatus", method).unwrap();
        let server = start(module).await.unwrap();
        let limits = EndpointLimits {
            timeout: Duration::from_secs(300),
            max_response_bytes: 4096,
            max_concurrent_requests: 1,
        };
        (RollupNodes::new(ChainId::from(CHAIN), &[server.url().parse().unwrap()], limits).unwrap(), server)
    }

    fn node(is_supernode: bool) -> Arc<Node> {
        Arc::new(Node { is_supernode: Mutex::new(is_supernode), asked: Mutex::new(0) })
    }

    #[tokio::test]
    async fn the_meaning_of_safe_is_learnt_again_when_the_node_returns() {
        let reported = node(true);
        let (client, _server) = served(&reported).await;
        let mut meaning = SafeMeaning::new(ChainId::from(CHAIN), None);
        for _ in 0..3 {
            assert_eq!(meaning.ask(&client, 0).await, SafeMeans::CrossSafe);
        }
        assert_eq!(*reported.asked.lock(), 1);
        *reported.is_supernode.lock() = false;
        assert_eq!(meaning.ask(&client, 0).await, SafeMeans::CrossSafe);
        meaning.on_no_answer();
        assert_eq!(meaning.ask(&client, 0).await, SafeMeans::LocalSafe);
    }

    #[tokio::test]
    async fn a_configured_meaning_of_safe_is_not_requested() {
        let reported = node(false);
        let (client, _server) = served(&reported).await;
        let mut meaning = SafeMeaning::new(ChainId::from(CHAIN), Some(SafeMeans::CrossSafe));
        assert_eq!(meaning.ask(&client, 0).await, SafeMeans::CrossSafe);
        assert_eq!(*reported.asked.lock(), 0);
    }

    #[tokio::test]
    async fn the_learnt_meaning_of_safe_remains_while_the_node_does_not_answer() {
        let reported = node(true);
        let (client, server) = served(&reported).await;
        let mut meaning = SafeMeaning::new(ChainId::from(CHAIN), None);
        assert_eq!(meaning.ask(&client, 0).await, SafeMeans::CrossSafe);
        *reported.is_supernode.lock() = false;
        drop(server);
        meaning.on_no_answer();
        assert_eq!(meaning.ask(&client, 0).await, SafeMeans::CrossSafe);
    }
}
