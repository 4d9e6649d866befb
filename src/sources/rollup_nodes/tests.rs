//! Lists of nodes that answer what the test lets them.

use super::*;
use crate::sources::scripted_node::{CHAIN, ScriptedNode, at, other_branch, status};
use jsonrpsee::RpcModule;
use serde_json::json;

const LIMITS: EndpointLimits = EndpointLimits {
    timeout: Duration::from_secs(60),
    max_response_bytes: 65_536,
    max_concurrent_requests: 4,
};

fn list(urls: &[EndpointUrl]) -> RollupNodes {
    RollupNodes::new(CHAIN.into(), urls, LIMITS).unwrap()
}

async fn two(
    first: Option<serde_json::Value>,
    second: Option<serde_json::Value>,
) -> (ScriptedNode, ScriptedNode) {
    (ScriptedNode::start(first).await, ScriptedNode::start(second).await)
}

#[tokio::test]
async fn a_status_comes_from_one_node_only() {
    let (a, b) = two(Some(status([Some(9), None, None, None], true)), Some(at([8, 7, 6, 5]))).await;
    let nodes = list(&[a.url(), b.url()]);
    let answer = nodes.status().await.unwrap();
    assert_eq!((answer.place, answer.shortfall), (1, None));
    assert_eq!(answer.document.heads().unsafe_l2.unwrap().number, 8, "no head of the first is mixed in");
}

#[tokio::test]
async fn among_incomplete_nodes_the_most_complete_is_used() {
    let (a, b) = two(Some(status([None; 4], true)), Some(status([9, 8, 7, 6].map(Some), false))).await;
    let answer = list(&[a.url(), b.url()]).status().await.unwrap();
    assert_eq!(answer.place, 1);
    assert!(matches!(answer.shortfall, Some(Shortfall::L1(_))));
}

#[tokio::test]
async fn a_node_of_another_chain_is_never_used() {
    let (a, b) = two(Some(at([9, 8, 7, 6])), Some(at([8, 7, 6, 5]))).await;
    a.change(|conduct| conduct.config = json!({ "l2_chain_id": 902 }));
    let nodes = list(&[a.url(), b.url()]);
    assert_eq!(nodes.status().await.unwrap().place, 1);
    let health = nodes.health();
    assert!(health.borrow()[0].detail.contains("it follows chain 902, not chain 901"));
    b.set(None);
    let error = nodes.status().await.unwrap_err().to_string();
    assert!(error.contains("it follows chain 902"), "{error}");
    assert!(list(&[a.url()]).check_chain().await.is_err());
}

#[tokio::test]
async fn a_node_that_hangs_is_not_waited_for_while_another_answers() {
    let mut module = RpcModule::new(());
    let hangs = |_: jsonrpsee::types::Params<'static>, _: Arc<()>, _: jsonrpsee::Extensions| {
        std::future::pending::<serde_json::Value>()
    };
    module.register_async_method("optimism_rollupConfig", hangs).unwrap();
    let hanging = crosscheck_devnet::serve::start(module).await.unwrap();
    let b = ScriptedNode::start(Some(at([8, 7, 6, 5]))).await;
    let nodes = list(&[hanging.url().parse().unwrap(), b.url()]);
    let asked = std::time::Instant::now();
    assert_eq!(nodes.status().await.unwrap().place, 1);
    assert!(asked.elapsed() < LIMITS.timeout, "not before its request timed out");
    assert_eq!(nodes.health().borrow()[0].state, NodeState::Failing);
}

#[tokio::test]
async fn other_requests_go_to_the_node_in_use_first() {
    let (a, b) = two(None, Some(at([8, 7, 6, 5]))).await;
    b.change(|conduct| conduct.config = json!({ "l2_chain_id": CHAIN, "of": "b" }));
    let nodes = list(&[a.url(), b.url()]);
    nodes.status().await.unwrap();
    assert!(nodes.rollup_config_document().await.unwrap().get().contains("\"b\""));
    // Only the other one says it.
    a.change(|conduct| conduct.dependencies = Some(json!({ "dependencies": { "901": {} } })));
    assert_eq!(nodes.dependency_set().await.unwrap(), (vec![CHAIN.into()], None));
}

#[tokio::test]
async fn asking_another_node_changes_nothing() {
    let (a, b) = two(Some(at([9, 8, 7, 6])), Some(other_branch([9, 8, 7, 6]))).await;
    let nodes = list(&[a.url(), b.url()]);
    nodes.status().await.unwrap();
    let answer = nodes.status_of(1).await.unwrap();
    assert_eq!(nodes.in_use(), Some(0));
    let (level, number, ..) = nodes.conflict(&answer.document.heads()).unwrap();
    assert_eq!((level, number), (SafetyLevel::Unsafe, 9));
}
