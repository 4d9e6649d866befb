//! Execution clients that lie, fail or lag: what they say is never taken for a fact.

mod advice;
mod clients;
mod nodes;
mod odd;
mod quorum;

use super::*;
use alloy::eips::eip2930::AccessList;
use alloy::primitives::B256;
use crosscheck_core::proof::LogIndex;
use crosscheck_devnet::contracts::{EMITTER, emit_call};
use crosscheck_devnet::fixture::{CHAIN_ID, Fixture};
use crosscheck_devnet::serve::{RunningServer, rpc_block, rpc_receipts, start};
use crosscheck_p2p::ChainId;
use jsonrpsee::RpcModule;
use jsonrpsee::types::ErrorObjectOwned;
use rstest::rstest;
use serde_json::{Value, json};
use std::time::Duration;

/// A block with three logs, as an honest client serves it.
fn honest() -> (Value, Value) {
    let mut fixture = Fixture::new(3);
    let calls = [
        fixture.call(0, EMITTER, emit_call(&[B256::repeat_byte(1)], b"one"), AccessList::default()),
        fixture.call(1, EMITTER, emit_call(&[], b"two"), AccessList::default()),
        fixture.call(2, EMITTER, emit_call(&[B256::repeat_byte(3); 4], b""), AccessList::default()),
    ];
    let block = fixture.extend(&calls);
    let json = |value| serde_json::to_value(value).unwrap();
    (
        json(serde_json::to_value(rpc_block(&block, true)).unwrap()),
        json(serde_json::to_value(rpc_receipts(&block)).unwrap()),
    )
}

type Answer = Result<Value, ErrorObjectOwned>;

/// A server that gives these answers, whatever it is asked.
async fn serve(block: Answer, receipts: Answer) -> RunningServer {
    let mut module = RpcModule::new((block, receipts));
    for method in ["eth_getBlockByNumber", "eth_getBlockByHash"] {
        module.register_method(method, |_, answers, _| answers.0.clone()).unwrap();
    }
    module.register_method("eth_getBlockReceipts", |_, answers, _| answers.1.clone()).unwrap();
    module.register_method("eth_chainId", |_, _, _| "0x385").unwrap();
    start(module).await.unwrap()
}

/// A client of these servers, as many of which must agree.
fn client_of(servers: &[&RunningServer], quorum: usize) -> ExecutionClient {
    let urls: Vec<EndpointUrl> = servers.iter().map(|server| server.url().parse().unwrap()).collect();
    let limits = EndpointLimits {
        timeout: Duration::from_secs(300),
        max_response_bytes: 64 * 1024,
        max_concurrent_requests: 8,
    };
    ExecutionClient::new(ChainId::from(CHAIN_ID), &urls, quorum, limits, LogIndex::new(1 << 20)).unwrap()
}

fn client(servers: &[&RunningServer]) -> ExecutionClient {
    client_of(servers, 1)
}

#[tokio::test]
async fn an_honest_answer_is_proven() {
    let (block, receipts) = honest();
    let server = serve(Ok(block.clone()), Ok(receipts)).await;
    let client = client(&[&server]);
    client.check_chain().await.unwrap();
    let verified = client.block_by_number(1).await.unwrap().unwrap();
    assert_eq!(json!(verified.hash()), block["hash"]);
    assert_eq!(verified.transactions().len(), 4);
    assert_eq!(client.block_by_hash(verified.hash()).await.unwrap().unwrap(), verified);
    let logs = client.logs(&verified).await.unwrap().unwrap();
    assert_eq!((logs.len(), logs.number(), logs.hash()), (3, 1, verified.hash()));
    assert_eq!(logs.log(0).unwrap().origin, EMITTER);
    assert!(logs.log(3).is_none());
}

#[rstest]
#[case::state_root(|block: &mut Value| block["stateRoot"] = json!(B256::repeat_byte(9)))]
#[case::timestamp(|block: &mut Value| block["timestamp"] = json!("0x1"))]
#[case::claimed_hash(|block: &mut Value| block["hash"] = json!(B256::repeat_byte(9)))]
#[case::a_transaction_less(|block: &mut Value| {
    block["transactions"].as_array_mut().unwrap().pop();
})]
#[case::transactions_swapped(|block: &mut Value| block["transactions"].as_array_mut().unwrap().swap(1, 2))]
#[case::hashes_only(|block: &mut Value| block["transactions"] = json!([B256::repeat_byte(9)]))]
#[case::no_block_at_all(|block: &mut Value| *block = json!("soon"))]
#[tokio::test]
async fn a_block_that_is_invalid_is_not_a_block(#[case] lie: fn(&mut Value)) {
    let (mut block, receipts) = honest();
    lie(&mut block);
    let server = serve(Ok(block), Ok(receipts)).await;
    let error = client(&[&server]).block_by_number(1).await.unwrap_err();
    assert!(matches!(error, SourceError::Untrustworthy { .. }), "{error}");
}

#[tokio::test]
async fn another_block_than_the_one_asked_for_is_not_an_answer() {
    let (block, receipts) = honest();
    let server = serve(Ok(block), Ok(receipts)).await;
    let client = client(&[&server]);
    for answer in [client.block_by_number(2).await, client.block_by_hash(B256::repeat_byte(1)).await] {
        assert!(matches!(answer.unwrap_err(), SourceError::Untrustworthy { .. }));
    }
}

#[rstest]
#[case::log_data(|receipts: &mut Value| receipts[1]["logs"][0]["data"] = json!("0x00"))]
#[case::log_topic(|receipts: &mut Value| receipts[1]["logs"][0]["topics"][0] = json!(B256::ZERO))]
#[case::log_origin(|receipts: &mut Value| receipts[1]["logs"][0]["address"] = json!(alloy::primitives::Address::ZERO))]
#[case::a_log_less(|receipts: &mut Value| {
    receipts[1]["logs"].as_array_mut().unwrap().clear();
})]
#[case::receipts_swapped(|receipts: &mut Value| receipts.as_array_mut().unwrap().swap(1, 2))]
#[case::status(|receipts: &mut Value| receipts[1]["status"] = json!("0x0"))]
#[tokio::test]
async fn receipts_that_are_invalid_prove_nothing(#[case] lie: fn(&mut Value)) {
    let (block, mut receipts) = honest();
    lie(&mut receipts);
    let server = serve(Ok(block), Ok(receipts)).await;
    let client = client(&[&server]);
    let block = client.block_by_number(1).await.unwrap().unwrap();
    let error = client.logs(&block).await.unwrap_err();
    assert!(matches!(error, SourceError::Untrustworthy { .. }), "{error}");
}

#[tokio::test]
async fn an_error_and_a_missing_block_are_distinguished() {
    let refusal = ErrorObjectOwned::owned(-32_000, "the node is tired", None::<()>);
    let server = serve(Err(refusal), Ok(Value::Null)).await;
    let error = client(&[&server]).block_by_number(1).await.unwrap_err();
    assert!(matches!(error, SourceError::Refused { code: -32_000, .. }), "{error}");
    let server = serve(Ok(Value::Null), Ok(Value::Null)).await;
    assert_eq!(client(&[&server]).block_by_number(1).await.unwrap(), None);
}

#[tokio::test]
async fn an_answer_beyond_the_bound_is_not_read() {
    let huge = json!("x".repeat(100 * 1024));
    let server = serve(Ok(huge), Ok(Value::Null)).await;
    assert!(client(&[&server]).block_by_number(1).await.is_err());
}

#[tokio::test]
async fn an_endpoint_that_fails_or_answers_invalid_data_is_skipped() {
    let (block, receipts) = honest();
    let mut lie = block.clone();
    lie["stateRoot"] = json!(B256::repeat_byte(9));
    let mut no_logs = receipts.clone();
    no_logs[1]["logs"] = json!([]);
    let liar = serve(Ok(lie), Ok(no_logs)).await;
    let failing = serve(Err(ErrorObjectOwned::owned(-32_000, "no", None::<()>)), Ok(Value::Null)).await;
    let honest = serve(Ok(block), Ok(receipts)).await;
    let client = client(&[&liar, &failing, &honest]);
    let block = client.block_by_number(1).await.unwrap().unwrap();
    assert_eq!(client.block_by_hash(block.hash()).await.unwrap().unwrap(), block);
    assert_eq!(client.logs(&block).await.unwrap().unwrap().len(), 3);
}

#[tokio::test]
async fn a_missing_block_counts_only_if_no_endpoint_failed() {
    let failing = serve(Err(ErrorObjectOwned::owned(-32_000, "no", None::<()>)), Ok(Value::Null)).await;
    let lagging = serve(Ok(Value::Null), Ok(Value::Null)).await;
    let hash = B256::repeat_byte(1);
    assert!(client(&[&failing, &lagging]).block_by_hash(hash).await.is_err());
    assert!(client(&[&lagging, &failing]).block_by_hash(hash).await.is_err());
    assert_eq!(client(&[&lagging]).block_by_hash(hash).await.unwrap(), None);
}

#[tokio::test]
async fn an_endpoint_of_another_chain_is_named() {
    let server = serve(Ok(Value::Null), Ok(Value::Null)).await;
    let urls = [server.url().parse().unwrap()];
    let limits = EndpointLimits {
        timeout: Duration::from_secs(300),
        max_response_bytes: 1024,
        max_concurrent_requests: 1,
    };
    let client = ExecutionClient::new(ChainId::from(902), &urls, 1, limits, LogIndex::new(1 << 20)).unwrap();
    let error = client.check_chain().await.unwrap_err().to_string();
    assert!(error.contains("chain 901, not chain 902") && error.contains(&server.url()), "{error}");
}
