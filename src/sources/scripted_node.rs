//! A rollup node for tests, which answers what a test lets it.

use super::{EndpointUrl, SafeHeadAtL1};
use alloy::eips::BlockNumHash;
use alloy::primitives::{B256, U64, keccak256};
use crosscheck_core::consolidation::Fork;
use crosscheck_devnet::serve::{RunningServer, start};
use jsonrpsee::RpcModule;
use jsonrpsee::types::ErrorObjectOwned;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The chain that it follows unless told otherwise.
pub(crate) const CHAIN: u64 = 901;

/// What a node answers. `None`: an error.
#[derive(Clone, Debug)]
pub(crate) struct NodeBehaviour {
    /// To `optimism_syncStatus`.
    pub(crate) status: Option<Value>,
    /// To `optimism_rollupConfig`.
    pub(crate) config: Value,
    /// To `optimism_dependencySet`.
    pub(crate) dependencies: Option<Value>,
    /// By L1 block: the safe head that `optimism_safeHeadAtL1Block` has for it. `None`: no record is kept.
    pub(crate) safe_heads: Option<BTreeMap<u64, u64>>,
    /// Whether it follows a source: its record has an entry for L1 block 0, of no hash.
    pub(crate) repeats: bool,
    /// Whether it never answers what its safe heads were.
    pub(crate) is_silent_on_safe_heads: bool,
    /// Whether it is an op-supernode.
    pub(crate) is_supernode: bool,
}

impl NodeBehaviour {
    fn safe_head_at_l1(&self, l1: u64) -> Result<Value, ErrorObjectOwned> {
        let refusal = |message| ErrorObjectOwned::owned(-32_000, message, None::<()>);
        let record = self.safe_heads.as_ref().ok_or_else(|| refusal("safe head database not enabled"))?;
        let id = |id: BlockNumHash| json!({ "hash": id.hash, "number": id.number });
        let found = record.range(..=l1).next_back().map(|(l1, l2)| safe_head(*l1, *l2));
        let repeated = || {
            let l1_block = BlockNumHash { number: 0, hash: B256::ZERO };
            SafeHeadAtL1 { l1_block, ..safe_head(0, 7) }
        };
        let found =
            found.or_else(|| self.repeats.then(repeated)).ok_or_else(|| refusal("safe head not found"))?;
        Ok(json!({ "l1Block": id(found.l1_block), "safeHead": id(found.safe_head) }))
    }
}

/// What a scripted node has for this L1 block: that this L2 block became safe by it.
pub(crate) fn safe_head(l1: u64, l2: u64) -> SafeHeadAtL1 {
    let id = |branch: &str, number| {
        let hash = keccak256(format!("{branch} {number}"));
        BlockNumHash { number, hash }
    };
    SafeHeadAtL1 { l1_block: id("l1", l1), safe_head: id("main", l2) }
}

/// A node, served.
pub(crate) struct ScriptedNode {
    conduct: Arc<Mutex<NodeBehaviour>>,
    server: RunningServer,
}

impl ScriptedNode {
    /// A node of [`CHAIN`] that answers this status.
    pub(crate) async fn start(status: Option<Value>) -> Self {
        let mut config = json!({ "l2_chain_id": CHAIN });
        // Bedrock has no key.
        for fork in Fork::ALL.into_iter().filter(|fork| *fork != Fork::Bedrock) {
            config[format!("{fork}_time")] = json!(0);
        }
        let conduct = Arc::new(Mutex::new(NodeBehaviour {
            status,
            config,
            dependencies: None,
            safe_heads: None,
            repeats: false,
            is_silent_on_safe_heads: false,
            is_supernode: false,
        }));
        let refusal = || ErrorObjectOwned::owned(-32_000, "down", None::<()>);
        let mut module = RpcModule::new(Arc::clone(&conduct));
        module
            .register_method("optimism_syncStatus", move |_, conduct, _| {
                conduct.lock().status.clone().ok_or_else(refusal)
            })
            .unwrap();
        module
            .register_method("optimism_dependencySet", move |_, conduct, _| {
                conduct.lock().dependencies.clone().ok_or_else(refusal)
            })
            .unwrap();
        module
            .register_method("optimism_rollupConfig", |_, conduct, _| conduct.lock().config.clone())
            .unwrap();
        module
            .register_async_method("optimism_safeHeadAtL1Block", |params, conduct, _| async move {
                let [l1] = params.parse::<[U64; 1]>().unwrap();
                let conduct = conduct.lock().clone();
                if conduct.is_silent_on_safe_heads {
                    std::future::pending::<()>().await;
                }
                conduct.safe_head_at_l1(l1.to())
            })
            .unwrap();
        module
            .register_method("supernode_syncStatus", |_, conduct, _| {
                let refusal = || ErrorObjectOwned::owned(-32_601, "method not found", None::<()>);
                let is_supernode = conduct.lock().is_supernode;
                is_supernode.then(|| json!({ "chain_ids": [CHAIN.to_string()] })).ok_or_else(refusal)
            })
            .unwrap();
        module.register_method("eth_chainId", |_, _, _| json!(U64::from(CHAIN))).unwrap();
        Self { conduct, server: start(module).await.unwrap() }
    }

    pub(crate) fn url(&self) -> EndpointUrl {
        self.server.url().parse().unwrap()
    }

    /// It answers otherwise from now on.
    pub(crate) fn change(&self, change: impl FnOnce(&mut NodeBehaviour)) {
        change(&mut self.conduct.lock());
    }

    /// It answers this status from now on.
    pub(crate) fn set(&self, status: Option<Value>) {
        self.change(|conduct| conduct.status = status);
    }
}

/// A reference to a block of a branch; all zero where there is none.
fn block(branch: &str, number: Option<u64>) -> Value {
    let hash = number.map_or(B256::ZERO, |number| keccak256(format!("{branch} {number}")));
    json!({ "hash": hash, "number": number.unwrap_or_default(), "timestamp": number.unwrap_or_default() })
}

/// A status with these heads (unsafe, local-safe, safe, finalized), of a node that sees L1 or has lost it.
pub(crate) fn status(heads: [Option<u64>; 4], sees_l1: bool) -> Value {
    on_branch("main", heads, sees_l1)
}

/// The same of a node that sees L1 and has another chain.
pub(crate) fn other_branch(heads: [u64; 4]) -> Value {
    on_branch("other", heads.map(Some), true)
}

fn on_branch(branch: &str, heads: [Option<u64>; 4], sees_l1: bool) -> Value {
    let [tip, local_safe, safe, finalized] = heads.map(|head| block(branch, head));
    let l1 = block("l1", sees_l1.then_some(40));
    json!({
        "unsafe_l2": tip, "local_safe_l2": local_safe, "safe_l2": safe, "finalized_l2": finalized,
        "head_l1": l1, "safe_l1": l1, "finalized_l1": l1, "current_l1": block("l1", Some(39)),
    })
}

/// A status of a node that knows everything.
pub(crate) fn at(heads: [u64; 4]) -> Value {
    status(heads.map(Some), true)
}
