//! Clients that serve less than others, or otherwise: what they have is taken all the same.

use super::{Answer, client, honest, serve};
use crate::sources::{Endpoint, EndpointLimits, EndpointUrl, GossipedTransactions, SourceError};
use alloy::primitives::{B256, Bytes, keccak256};
use axum::{Json, Router};
use crosscheck_devnet::serve::{RunningServer, start};
use crosscheck_p2p::ChainId;
use hyper::header::{HeaderName, HeaderValue};
use jsonrpsee::RpcModule;
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::rpc_params;
use jsonrpsee::types::ErrorObjectOwned;
use rstest::rstest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

const LIMITS: EndpointLimits = EndpointLimits {
    timeout: Duration::from_secs(300),
    max_response_bytes: 64 * 1024,
    max_concurrent_requests: 8,
};

/// A server of a block that has its receipts one by one, and answers so where all are asked for.
async fn one_by_one(block: Value, receipts: Value, all: Option<i32>) -> RunningServer {
    let mut module = RpcModule::new((block, receipts));
    module.register_method("eth_getBlockByNumber", |_, served, _| served.0.clone()).unwrap();
    if let Some(code) = all {
        let refusal = ErrorObjectOwned::owned(code, "invalid argument 0: hex number > 64 bits", None::<()>);
        module.register_method("eth_getBlockReceipts", move |_, _, _| Answer::Err(refusal.clone())).unwrap();
    }
    module
        .register_method("eth_getTransactionReceipt", |params, served, _| {
            let [hash]: [B256; 1] = params.parse().unwrap();
            let mut receipts = served.1.as_array().unwrap().iter();
            receipts.find(|receipt| receipt["transactionHash"] == json!(hash)).cloned()
        })
        .unwrap();
    start(module).await.unwrap()
}

#[rstest]
#[case::no_such_method(None)]
#[case::by_number_only(Some(-32_602))]
#[tokio::test]
async fn receipts_are_fetched_one_by_one_where_block_receipts_are_not_served(#[case] all: Option<i32>) {
    let (block, receipts) = honest();
    let server = one_by_one(block, receipts, all).await;
    let client = client(&[&server]);
    let verified = client.block_by_number(1).await.unwrap().unwrap();
    assert_eq!(client.logs(&verified).await.unwrap().unwrap().len(), 3);
}

#[tokio::test]
async fn a_missing_receipt_is_neither_a_proof_nor_a_failure() {
    let (block, mut receipts) = honest();
    receipts.as_array_mut().unwrap().pop();
    let server = one_by_one(block, receipts, None).await;
    let client = client(&[&server]);
    let verified = client.block_by_number(1).await.unwrap().unwrap();
    assert_eq!(client.logs(&verified).await.unwrap(), None);
}

#[tokio::test]
async fn an_overloaded_server_is_not_asked_for_receipts_one_by_one() {
    let (block, receipts) = honest();
    let server = one_by_one(block, receipts, Some(-32_005)).await;
    let client = client(&[&server]);
    let verified = client.block_by_number(1).await.unwrap().unwrap();
    let error = client.logs(&verified).await.unwrap_err();
    assert!(matches!(error, SourceError::Refused { code: -32_005, .. }), "{error}");
}

/// A server of a block with transactions of a type that nobody here knows, with these encodings of them.
async fn unread(block: Value, method: &'static str, encodings: BTreeMap<B256, Bytes>) -> RunningServer {
    let mut module = RpcModule::new((block, encodings));
    module.register_method("eth_getBlockByNumber", |_, served, _| served.0.clone()).unwrap();
    module
        .register_method(method, |params, served, _| {
            let [hash]: [B256; 1] = params.parse().unwrap();
            served.1.get(&hash).cloned()
        })
        .unwrap();
    start(module).await.unwrap()
}

/// The honest block with two transactions that cannot be read, and the encodings of all.
async fn of_another_type() -> (Value, BTreeMap<B256, Bytes>) {
    let (mut block, receipts) = honest();
    let server = serve(Ok(block.clone()), Ok(receipts)).await;
    let verified = client(&[&server]).block_by_number(1).await.unwrap().unwrap();
    let encodings = verified.transactions().iter().map(|raw| (keccak256(raw), raw.clone())).collect();
    for index in [1, 3] {
        block["transactions"][index]["type"] = json!("0x7b");
    }
    (block, encodings)
}

#[rstest]
#[case::of_every_client("eth_getRawTransactionByHash")]
#[case::of_the_debug_namespace("debug_getRawTransaction")]
#[tokio::test]
async fn a_transaction_of_an_unknown_type_is_read_if_its_bytes_are_available(#[case] method: &'static str) {
    let (block, encodings) = of_another_type().await;
    let server = unread(block.clone(), method, encodings).await;
    let verified = client(&[&server]).block_by_number(1).await.unwrap().unwrap();
    assert_eq!(json!(verified.hash()), block["hash"]);
}

/// What was gossiped needs no such method of the endpoint.
#[tokio::test]
async fn a_transaction_of_an_unknown_type_is_taken_from_gossip() {
    let (mut block, encodings) = of_another_type().await;
    // Its type is in its bytes, too.
    let mut transactions: Vec<Bytes> =
        block["transactions"].as_array().unwrap().iter().map(|one| encoding_of(one, &encodings)).collect();
    for index in [1, 3] {
        let mut encoding = transactions[index].to_vec();
        encoding[0] = 0x7b;
        transactions[index] = encoding.into();
        block["transactions"][index]["hash"] = json!(keccak256(&transactions[index]));
    }
    block["transactionsRoot"] = json!(alloy::consensus::proofs::ordered_trie_root_encoded(&transactions));
    let header: alloy::consensus::Header = serde_json::from_value(block.clone()).unwrap();
    block["hash"] = json!(header.hash_slow());
    let server = unread(block.clone(), "eth_getRawTransactionByHash", BTreeMap::new()).await;
    let gossiped = GossipedTransactions::default();
    let client = client(&[&server]).with_gossiped(gossiped.clone());
    let error = client.block_by_number(1).await.unwrap_err();
    assert!(matches!(error, SourceError::Unread { .. }), "{error}");
    gossiped.note(&transactions);
    let verified = client.block_by_number(1).await.unwrap().unwrap();
    assert_eq!(verified.transactions(), transactions);
}

fn encoding_of(transaction: &Value, encodings: &BTreeMap<B256, Bytes>) -> Bytes {
    let hash: B256 = serde_json::from_value(transaction["hash"].clone()).unwrap();
    encodings[&hash].clone()
}

#[tokio::test]
async fn a_transaction_of_an_unknown_type_is_named_if_its_bytes_are_unavailable() {
    let (block, mut encodings) = of_another_type().await;
    let last: B256 = block["transactions"][3]["hash"].as_str().unwrap().parse().unwrap();
    encodings.remove(&last);
    let server = unread(block, "eth_getRawTransactionByHash", encodings).await;
    let error = client(&[&server]).block_by_number(1).await.unwrap_err().to_string();
    assert!(error.contains("transaction 3 is of type 0x7b"), "{error}");
}

#[tokio::test]
async fn bytes_of_another_transaction_are_refused() {
    let (block, mut encodings) = of_another_type().await;
    for encoding in encodings.values_mut() {
        *encoding = Bytes::from_static(&[0x7b, 1]);
    }
    let server = unread(block, "debug_getRawTransaction", encodings).await;
    let error = client(&[&server]).block_by_number(1).await.unwrap_err();
    assert!(matches!(error, SourceError::Untrustworthy { .. }), "{error}");
}

/// Serves for as long as it is there.
type Serving = JoinSet<std::io::Result<()>>;

/// A server that spells its answers as JSON-RPC does not allow, and counts the requests.
async fn forbidden(spell: fn(&Value) -> Value) -> (Endpoint, Arc<AtomicUsize>, Serving) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let answer = move |Json(request): Json<Value>| {
        counted.fetch_add(1, Ordering::Relaxed);
        let answer = match request.as_array() {
            Some(batch) => batch.iter().map(spell).collect(),
            None => spell(&request),
        };
        std::future::ready(Json(answer))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let app = Router::new().fallback(answer);
    let mut serving = Serving::new();
    serving.spawn(async move { axum::serve(listener, app).await });
    (Endpoint::new(url, LIMITS).unwrap(), asked, serving)
}

fn params() -> ArrayParams {
    rpc_params![]
}

#[rstest]
#[case::an_error_that_is_none(|request: &Value| json!({ "jsonrpc": "2.0", "id": request["id"], "result": "0x385", "error": null }))]
#[case::an_id_as_text(|request: &Value| json!({ "jsonrpc": "2.0", "id": request["id"].to_string(), "result": "0x385" }))]
#[tokio::test]
async fn nonstandard_answers_are_read(#[case] spell: fn(&Value) -> Value) {
    let (endpoint, asked, _serving) = forbidden(spell).await;
    for _ in 0..3 {
        assert_eq!(endpoint.call::<String>("eth_chainId", params()).await.unwrap(), "0x385");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 4, "the first is asked for again; then it is known");
    let (endpoint, _, _serving) = forbidden(spell).await;
    let answers = endpoint.batch::<String>("eth_chainId", [params(), params()]).await.unwrap();
    assert_eq!(answers, ["0x385", "0x385"]);
}

#[tokio::test]
async fn a_refusal_remains_a_refusal() {
    let refuse =
        |request: &Value| json!({ "id": request["id"], "error": { "code": -32_000, "message": "no" } });
    let (endpoint, _, _serving) = forbidden(refuse).await;
    let error = endpoint.call::<String>("eth_chainId", params()).await.unwrap_err();
    assert!(matches!(error, SourceError::Refused { code: -32_000, .. }), "{error}");
}

#[tokio::test]
async fn headers_go_with_every_request_and_are_shown_nowhere() {
    let answer = |headers: axum::http::HeaderMap, Json(request): Json<Value>| {
        let token = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        std::future::ready(Json(json!({ "jsonrpc": "2.0", "id": request["id"], "result": token })))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut url: EndpointUrl = format!("http://{}/901", listener.local_addr().unwrap()).parse().unwrap();
    let mut serving = Serving::new();
    serving.spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    url.add_header(HeaderName::from_static("authorization"), HeaderValue::from_static("Bearer hunter2"));
    let server = url.server_of(ChainId::from(901)).unwrap();
    for url in [url, server] {
        assert!(!format!("{url:?} {url} {}", String::from(url.clone())).contains("hunter2"));
        let endpoint = Endpoint::new(url, LIMITS).unwrap();
        assert_eq!(endpoint.call::<String>("whoami", params()).await.unwrap(), "Bearer hunter2");
    }
}

/// Anyone who runs an endpoint sees who asks, unless an operator says otherwise.
#[rstest]
#[case::by_itself(None, concat!("crosscheck/", env!("CARGO_PKG_VERSION")))]
#[case::as_configured(Some("ours/1"), "ours/1")]
#[tokio::test]
async fn requests_name_the_client(#[case] configured: Option<&'static str>, #[case] expected: &str) {
    let answer = |headers: axum::http::HeaderMap, Json(request): Json<Value>| {
        let agents: Vec<_> =
            headers.get_all("user-agent").iter().map(|it| it.to_str().unwrap().to_owned()).collect();
        std::future::ready(Json(json!({ "jsonrpc": "2.0", "id": request["id"], "result": agents })))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut url: EndpointUrl = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let mut serving = Serving::new();
    serving.spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    if let Some(agent) = configured {
        url.add_header(HeaderName::from_static("user-agent"), HeaderValue::from_static(agent));
    }
    let endpoint = Endpoint::new(url, LIMITS).unwrap();
    assert_eq!(endpoint.call::<Vec<String>>("whoami", params()).await.unwrap(), [expected]);
}
