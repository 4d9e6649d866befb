//! A rollup node for tests, which answers what a test lets it.

use super::EndpointUrl;
use crate::consolidation::Fork;
use crate::devnet::serve::{RunningServer, start};
use alloy::primitives::{B256, U64, keccak256};
use jsonrpsee::RpcModule;
use jsonrpsee::types::ErrorObjectOwned;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;

/// The chain that it follows unless told otherwise.
pub(crate) const CHAIN: u64 = 901;

/// What a node answers. `None`: an error.
#[derive(Clone, Debug)]
pub(crate) struct Conduct {
    /// To `optimism_syncStatus`.
    pub(crate) status: Option<Value>,
    /// To `optimism_rollupConfig`.
    pub(crate) config: Value,
    /// To `optimism_dependencySet`.
    pub(crate) dependencies: Option<Value>,
}

/// A node, served.
pub(crate) struct ScriptedNode {
    conduct: Arc<Mutex<Conduct>>,
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
        let conduct = Arc::new(Mutex::new(Conduct { status, config, dependencies: None }));
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
        module.register_method("eth_chainId", |_, _, _| json!(U64::from(CHAIN))).unwrap();
        Self { conduct, server: start(module).await.unwrap() }
    }

    pub(crate) fn url(&self) -> EndpointUrl {
        self.server.url().parse().unwrap()
    }

    /// It answers otherwise from now on.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Conduct)) {
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
