//! The JSON of each kind of rollup node, by what is known of it in public: what Crosscheck does not read may
//! be of any shape, what it reads is refused by its name where it cannot be read.

use crate::sources::{EndpointLimits, RollupNode, SourceError, SyncStatus};
use alloy::primitives::B256;
use crosscheck_core::consolidation::RollupConfig;
use crosscheck_core::heads::SafeMeans;
use crosscheck_devnet::serve::{RunningServer, start};
use crosscheck_p2p::ChainId;
use jsonrpsee::RpcModule;
use jsonrpsee::types::ErrorObjectOwned;
use rstest::rstest;
use serde_json::{Value, json};
use std::time::Duration;

const STATUS: &str = "optimism_syncStatus";
const CONFIG: &str = "optimism_rollupConfig";
const SET: &str = "optimism_dependencySet";
const SUPERNODE: &str = "supernode_syncStatus";

/// A node that answers these methods so, and no others.
async fn node(answers: &[(&'static str, Value)]) -> (RollupNode, RunningServer) {
    let mut module = RpcModule::new(());
    for (method, answer) in answers.iter().cloned() {
        module.register_method(method, move |_, (), _| Ok::<_, ErrorObjectOwned>(answer.clone())).unwrap();
    }
    let server = start(module).await.unwrap();
    let limits = EndpointLimits {
        timeout: Duration::from_secs(300),
        max_response_bytes: 1 << 20,
        max_concurrent_requests: 1,
    };
    (RollupNode::new(server.url().parse().unwrap(), limits).unwrap(), server)
}

fn l1(number: u64) -> Value {
    json!({ "hash": B256::repeat_byte(1), "number": number, "parentHash": B256::ZERO, "timestamp": 12 * number })
}

fn l2(number: u64) -> Value {
    json!({
        "hash": B256::with_last_byte(u8::try_from(number).unwrap()), "number": number, "parentHash": B256::ZERO,
        "timestamp": 2 * number, "l1origin": { "hash": B256::ZERO, "number": 1 }, "sequenceNumber": 0,
    })
}

/// What all nodes send.
fn status() -> Value {
    json!({
        "current_l1": l1(7), "head_l1": l1(9), "safe_l1": l1(8), "finalized_l1": l1(6),
        "unsafe_l2": l2(40), "safe_l2": l2(30), "finalized_l2": l2(20), "local_safe_l2": l2(35),
    })
}

fn op_node() -> Value {
    let mut status = status();
    status["current_l1_finalized"] = l1(6);
    status["queued_unsafe_l2"] = l2(0);
    status["pending_safe_l2"] = l2(35);
    status["cross_unsafe_l2"] = l2(40);
    status
}

fn kona_node() -> Value {
    let mut status = status();
    status["cross_unsafe_l2"] = l2(40);
    status
}

/// Its L1 references are of a later kind.
fn op_supernode() -> Value {
    let mut status = op_node();
    status["current_l1"] = json!({ "hash": B256::repeat_byte(1), "number": 7 });
    status["engine_sync_target"] = Value::Null;
    status
}

fn shapes() -> [Value; 5] {
    [Value::Null, json!(true), json!("ab3"), json!([{}]), json!({ "a": 1 })]
}

async fn heads(status: Value) -> Result<SyncStatus, SourceError> {
    let (node, _server) = node(&[(STATUS, status)]).await;
    Ok(node.status().await?.heads())
}

#[rstest]
#[case::op_node(op_node())]
#[case::kona_node(kona_node())]
#[case::op_supernode(op_supernode())]
#[tokio::test]
async fn the_heads_of_every_node_are_read_the_same_way(#[case] status: Value) {
    let expected = heads(self::status()).await.unwrap();
    assert_eq!(expected.by_level().map(|(_, head)| head.unwrap().number), [40, 35, 30, 20]);
    assert_eq!(heads(status.clone()).await.unwrap(), expected);
    let read = ["unsafe_l2", "safe_l2", "finalized_l2", "local_safe_l2"];
    let others = status.as_object().unwrap().keys().filter(|name| !read.contains(&name.as_str()));
    let places = others.map(|name| format!("/{name}"));
    for place in
        places.chain(["parentHash", "l1origin", "sequenceNumber"].map(|name| format!("/safe_l2/{name}")))
    {
        for shape in shapes() {
            let mut varied = status.clone();
            *varied.pointer_mut(&place).unwrap() = shape.clone();
            assert_eq!(heads(varied).await.unwrap(), expected, "{place}: {shape}");
        }
    }
}

#[tokio::test]
async fn an_invalid_status_field_is_refused_by_its_name() {
    for head in ["unsafe_l2", "safe_l2", "finalized_l2", "local_safe_l2"] {
        for field in ["hash", "number", "timestamp"] {
            for shape in shapes() {
                let mut status = status();
                status[head][field] = shape.clone();
                let error = heads(status).await.unwrap_err().to_string();
                assert!(error.contains(&format!("{head}.{field}")), "{head}.{field}: {shape}: {error}");
            }
        }
    }
}

#[rstest]
#[case::op_node(json!({ "dependencies": { "10": {}, "130": {} } }), None)]
#[case::a_window_of_none(json!({ "dependencies": { "10": {}, "130": {} }, "overrideMessageExpiryWindow": null }), None)]
#[case::a_window(json!({ "dependencies": { "10": {}, "130": {} }, "overrideMessageExpiryWindow": 7 }), Some(7))]
#[case::a_window_of_zero(json!({ "dependencies": { "10": {}, "130": {} }, "overrideMessageExpiryWindow": 0 }), None)]
#[case::keys_in_hex(json!({ "dependencies": { "0xa": {}, "0x82": {} } }), None)]
#[case::members_of_any_kind(json!({ "dependencies": { "10": { "chainIndex": 1 }, "130": null }, "more": [] }), None)]
#[tokio::test]
async fn dependency_sets_are_read_the_same_way(#[case] answer: Value, #[case] window: Option<u64>) {
    let (node, _server) = node(&[(SET, answer)]).await;
    assert_eq!(node.dependency_set().await.unwrap(), (vec![10.into(), 130.into()], window));
}

#[rstest]
#[case::a_chain(json!({ "dependencies": { "ten": {} } }), "dependencies")]
#[case::the_chains(json!({ "dependencies": [] }), "dependencies")]
#[case::no_chains(json!({}), "dependencies")]
#[case::the_window(json!({ "dependencies": {}, "overrideMessageExpiryWindow": "7" }), "overrideMessageExpiryWindow")]
#[tokio::test]
async fn an_invalid_dependency_set_field_is_refused_by_its_name(#[case] answer: Value, #[case] name: &str) {
    let (node, _server) = node(&[(SET, answer)]).await;
    let error = node.dependency_set().await.unwrap_err().to_string();
    assert!(error.contains(name), "{error}");
}

#[rstest]
#[case::as_text(json!({ "chain_ids": ["10", "130"] }), Ok(SafeMeans::CrossSafe))]
#[case::as_numbers(json!({ "chain_ids": [10, 130] }), Ok(SafeMeans::CrossSafe))]
#[case::the_rest_of_any_shape(json!({ "chain_ids": ["0xa"], "chains": 7, "current_l1": null }), Ok(SafeMeans::CrossSafe))]
#[case::of_others(json!({ "chain_ids": ["130"], "chains": {} }), Ok(SafeMeans::LocalSafe))]
#[case::unreadable(json!({ "chain_ids": [{}] }), Err("chain_ids[0]"))]
#[case::none(json!({ "chains": {} }), Err("chain_ids"))]
#[tokio::test]
async fn supernodes_are_read_the_same_way(#[case] answer: Value, #[case] expected: Result<SafeMeans, &str>) {
    let (node, _server) = node(&[(SUPERNODE, answer)]).await;
    match (node.safe_means(ChainId::from(10)).await, expected) {
        (Ok(means), Ok(expected)) => assert_eq!(means, expected),
        (Err(error), Err(name)) => assert!(error.to_string().contains(name), "{error}"),
        (found, _) => panic!("{found:?}"),
    }
}

/// What op-node serves of a chain, as far as every node does.
fn op_nodes_config() -> Value {
    let id = |byte: u8| json!({ "hash": B256::repeat_byte(byte), "number": byte });
    json!({
        "genesis": {
            "l1": id(1), "l2": id(2), "l2_time": 1000,
            "system_config": {
                "batcherAddr": "0x6887246668a3b87f54deb3b94ba47a6f63f32985", "overhead": B256::ZERO,
                "scalar": B256::ZERO, "gasLimit": 30_000_000, "eip1559Params": "0x0000000000000000",
                "operatorFeeParams": B256::ZERO,
            },
        },
        "block_time": 2, "max_sequencer_drift": 600, "seq_window_size": 3600, "channel_timeout": 300,
        "l1_chain_id": 1, "l2_chain_id": 10, "regolith_time": 0, "canyon_time": 0, "delta_time": 0, "ecotone_time": 0,
        "fjord_time": 0, "granite_time": 0, "holocene_time": 0, "isthmus_time": 0, "jovian_time": 0,
        "batch_inbox_address": "0xff00000000000000000000000000000000000010",
        "deposit_contract_address": "0xbeb5fc579115071764c7423a4f12edde41f106ed",
        "l1_system_config_address": "0x229047fed2591dbec1ef1118d64f7af3db9eb290",
        "protocol_versions_address": "0x0000000000000000000000000000000000000000",
        "chain_op_config": { "eip1559Elasticity": 6, "eip1559Denominator": 50, "eip1559DenominatorCanyon": 250 },
    })
}

async fn config(answer: Value) -> Result<RollupConfig, SourceError> {
    let (node, _server) = node(&[(CONFIG, answer)]).await;
    node.check_chain(ChainId::from(10)).await?;
    node.rollup_config().await
}

/// kona names the chain and leaves out what every chain has (Regolith at its genesis).
#[tokio::test]
async fn configurations_are_read_the_same_way() {
    let expected = config(op_nodes_config()).await.unwrap();
    let mut konas = op_nodes_config();
    konas["l2_chain_id"] = json!("optimism");
    konas.as_object_mut().unwrap().remove("regolith_time");
    konas["granite_channel_timeout"] = json!(50);
    konas["hardforks"] = json!({});
    konas["interop_message_expiry_window"] = json!(604_800);
    konas["fjord_max_sequencer_drift"] = json!(1800);
    assert_eq!(config(konas).await.unwrap(), expected);
    for name in ["max_sequencer_drift", "seq_window_size", "batch_inbox_address", "protocol_versions_address"]
    {
        for shape in shapes() {
            let mut varied = op_nodes_config();
            varied[name] = shape.clone();
            assert_eq!(config(varied).await.unwrap(), expected, "{name}: {shape}");
        }
    }
}

#[tokio::test]
async fn an_invalid_configuration_field_is_refused_by_its_name() {
    let places =
        ["block_time", "l1_chain_id", "l2_chain_id", "deposit_contract_address", "l1_system_config_address"];
    let places = places.map(|name| format!("/{name}"));
    let genesis = ["l1/hash", "l2/number", "l2_time", "system_config/gasLimit", "system_config/batcherAddr"];
    for place in places.into_iter().chain(genesis.map(|name| format!("/genesis/{name}"))) {
        for shape in shapes() {
            let mut varied = op_nodes_config();
            *varied.pointer_mut(&place).unwrap() = shape.clone();
            let error = config(varied).await.unwrap_err();
            assert!(matches!(error, SourceError::Untrustworthy { .. }), "{place}: {shape}: {error}");
            let name = place.rsplit('/').next().unwrap();
            assert!(error.to_string().contains(name), "{place}: {shape}: {error}");
        }
    }
}
