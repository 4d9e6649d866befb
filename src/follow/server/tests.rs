//! The server over real sockets.

use super::*;
use crate::audit::{LongOpenCase, LongOpenCases};
use crate::follow::sample::upstream;
use crate::follow::{Draft, ServedStatus};
use crate::invalid_blocks::{InvalidBlocks, Prover};
use crosscheck_core::message::BlockKey;
use crosscheck_core::validity::DependencySet;
use http_body_util::{BodyExt, Full};
use hyper::{Method, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

struct Running {
    addr: SocketAddr,
    served: Served,
    invalid: InvalidBlocks,
    long_open: LongOpenCases,
    metrics: Metrics,
    cancel: CancellationToken,
    task: JoinSet<std::io::Result<()>>,
}

async fn start() -> Running {
    start_within(FollowLimits::STANDARD).await
}

async fn start_within(limits: FollowLimits) -> Running {
    let chains = [901, 902].map(ChainId::from);
    let (invalid, long_open) = (InvalidBlocks::new(chains).followed(chains), LongOpenCases::default());
    let served = Served::new(chains, invalid.clone(), long_open.clone());
    let cancel = CancellationToken::new();
    let metrics = Metrics::new(DependencySet::new([].into(), 1)).unwrap();
    let addr = "127.0.0.1:0".parse().unwrap();
    let server = serve_within(limits, addr, served.clone(), metrics.clone(), cancel.clone()).await;
    let (addr, server) = server.unwrap();
    let mut task = JoinSet::new();
    task.spawn(server);
    Running { addr, served, invalid, long_open, metrics, cancel, task }
}

impl Running {
    async fn send(&self, method: Method, path: &str, body: String) -> (StatusCode, Value) {
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<bytes::Bytes>>();
        let request = hyper::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.addr))
            .header("content-type", "application/json")
            .body(Full::from(body))
            .unwrap();
        let response = client.request(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    async fn call(&self, path: &str, method: &str) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": [] });
        let (status, answer) = self.send(Method::POST, path, body.to_string()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }
}

fn status() -> ServedStatus {
    let upstream = upstream([30, 20, 12, 5]);
    ServedStatus {
        l1: upstream.l1,
        unsafe_l2: upstream.unsafe_l2.unwrap(),
        cross_unsafe_l2: upstream.unsafe_l2.unwrap(),
        local_safe_l2: upstream.local_safe_l2.unwrap(),
        pending_safe_l2: upstream.local_safe_l2.unwrap(),
        safe_l2: upstream.safe_l2.unwrap(),
        finalized_l2: upstream.finalized_l2.unwrap(),
        crosscheck_hold: None,
        crosscheck_open: None,
        others: serde_json::Map::new(),
    }
}

fn draft() -> Draft {
    let status = status();
    Draft { floor: status.safe_l2, status, elsewhere: [].into(), passed: None }
}

#[tokio::test]
async fn each_chain_has_its_path() {
    let server = start().await;
    server.served.set(ChainId::from(901), draft());
    for path in ["/901", "/901/", "/0x385/"] {
        let answer = server.call(path, "optimism_syncStatus").await;
        assert_eq!(answer["result"], serde_json::to_value(status()).unwrap(), "{path}");
    }
    let answer = server.call("/902/", "optimism_syncStatus").await;
    assert_eq!(answer["error"]["code"], NOT_READY, "{answer}");
}

#[tokio::test]
async fn without_a_status_the_server_answers_not_ready() {
    let server = start().await;
    server.served.keep_safe(ChainId::from(901), "the upstream has not answered yet".to_owned(), None, None);
    let answer = server.call("/901/", "optimism_syncStatus").await;
    assert_eq!(answer["error"]["code"], NOT_READY);
    assert_eq!(answer["error"]["message"], "not ready: the upstream has not answered yet");
    assert_eq!(server.call("/901/", "optimism_rollupConfig").await["error"]["code"], NOT_READY);
    let config = to_raw_value(&json!({ "l2_chain_id": 901, "of_tomorrow": 1.5 })).unwrap();
    server.served.set_rollup_config(ChainId::from(901), config);
    let answer = server.call("/901/", "optimism_rollupConfig").await;
    assert_eq!(answer["result"], json!({ "l2_chain_id": 901, "of_tomorrow": 1.5 }));
    assert_eq!(server.call("/901/", "optimism_version").await["result"], VERSION);
}

#[tokio::test]
async fn a_hold_is_shown_on_the_kept_status() {
    let server = start().await;
    server.served.set(ChainId::from(901), draft());
    let hold = crate::ledger::Hold {
        number: 13,
        hash: alloy::primitives::B256::ZERO,
        verdict: "discarded".to_owned(),
        reason: None,
        detail: None,
        attributable: Some(true),
        ancestor_of: None,
        claimants: Vec::new(),
    };
    server.served.keep_safe(ChainId::from(901), "a fork".to_owned(), None, Some(&hold));
    let answer = server.call("/901/", "optimism_syncStatus").await;
    assert_eq!(answer["result"]["crosscheck_hold"]["verdict"], "discarded");
}

#[tokio::test]
async fn a_block_is_no_longer_served_once_it_is_proven_invalid() {
    let (server, chain_id) = (start().await, ChainId::from(901));
    server.served.set(chain_id, draft());
    let block = BlockKey { chain_id, number: 20, hash: status().local_safe_l2.hash };
    server.invalid.prove(&block, Prover::Monitor);
    let heads = |answer: Value| {
        let heads =
            ["unsafe_l2", "local_safe_l2", "safe_l2"].map(|head| answer["result"][head]["number"].as_u64());
        heads.map(Option::unwrap)
    };
    assert_eq!(heads(server.call("/901/", "optimism_syncStatus").await), [12, 12, 12]);
    server.invalid.withdraw_proof(&block, Prover::Monitor);
    assert_eq!(heads(server.call("/901/", "optimism_syncStatus").await), [30, 20, 12]);
}

/// The vouched head has passed the height; what is served was made before.
#[tokio::test]
async fn a_replaced_block_is_not_served_before_the_served_head_has_passed_it() {
    let (server, chain_id) = (start().await, ChainId::from(901));
    server.served.set(chain_id, draft());
    let block = BlockKey { chain_id, number: 16, hash: alloy::primitives::B256::ZERO };
    server.invalid.prove(&block, Prover::Monitor);
    server.invalid.settle(chain_id, 17, &[block]);
    let local_safe = |answer: Value| answer["result"]["local_safe_l2"]["number"].as_u64();
    assert_eq!(local_safe(server.call("/901/", "optimism_syncStatus").await), Some(12));
    server.invalid.pass(chain_id, 16);
    assert_eq!(local_safe(server.call("/901/", "optimism_syncStatus").await), Some(20));
}

#[tokio::test]
async fn a_block_that_remains_without_a_verdict_is_shown_on_the_status() {
    let server = start().await;
    server.served.set(ChainId::from(901), draft());
    let reason = "the L1 data of a block of chain 901 (this build does not support it)".to_owned();
    let hash = alloy::primitives::B256::ZERO;
    let case = LongOpenCase { number: 13, hash, open_seconds: 901, reason: reason.clone() };
    server.long_open.set(ChainId::from(901), Some(case));
    let answer = server.call("/901/", "optimism_syncStatus").await;
    let open = &answer["result"]["crosscheck_open"];
    assert_eq!(
        (&open["number"], &open["open_seconds"], &open["reason"]),
        (&json!(13), &json!(901), &json!(reason))
    );
    server.long_open.set(ChainId::from(901), None);
    let answer = server.call("/901/", "optimism_syncStatus").await;
    assert_eq!(answer["result"], serde_json::to_value(status()).unwrap());
}

#[tokio::test]
async fn a_method_that_is_not_served_is_refused() {
    let server = start().await;
    for method in NOT_SERVED.into_iter().chain(["optimism_none"]) {
        let error = &server.call("/901/", method).await["error"];
        assert_eq!(error["code"], -32_601, "{method}");
        // op-node's client reads that as an answer.
        let is_no_answer = !error["message"].as_str().unwrap().contains("not found");
        assert!(is_no_answer || method == "optimism_none", "{error}");
    }
    for path in ["/", "/903/", "/901/more", "//901", "/supernode"] {
        let (status, _) = server.send(Method::POST, path, String::new()).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
    let (status, _) = server.send(Method::GET, "/901/", String::new()).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    let too_long = "x".repeat(usize::try_from(MAX_REQUEST).unwrap() + 1);
    let (status, _) = server.send(Method::POST, "/901/", too_long).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn batches_are_answered_up_to_their_bound() {
    let server = start().await;
    let one = json!({ "jsonrpc": "2.0", "id": 1, "method": "optimism_version" });
    let (_, answers) = server.send(Method::POST, "/901/", json!([one, one]).to_string()).await;
    assert_eq!(answers.as_array().unwrap().len(), 2);
    let many = vec![one; usize::try_from(MAX_BATCH).unwrap() + 1];
    let (_, answer) = server.send(Method::POST, "/901/", json!(many).to_string()).await;
    assert!(answer["error"].is_object(), "{answer}");
}

#[tokio::test]
async fn the_server_ends_when_cancelled() {
    let mut server = start().await;
    server.cancel.cancel();
    let ended = tokio::time::timeout(std::time::Duration::from_secs(300), server.task.join_next()).await;
    assert!(ended.unwrap().unwrap().unwrap().is_ok());
}

/// Callers that hold a connection, and anyone who comes beside them.
#[tokio::test]
async fn a_full_server_says_that_it_is_busy() {
    let connections = ConnectionLimits { connections: 2, ..FollowLimits::STANDARD.connections };
    let server = start_within(FollowLimits { connections, ..FollowLimits::STANDARD }).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut socket = TcpStream::connect(server.addr).await.unwrap();
        // An answer shows that the connection has its place.
        socket.write_all(b"GET /7/ HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        assert!(socket.read(&mut [0; 1024]).await.unwrap() > 0);
        held.push(socket);
    }
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "optimism_version", "params": [] });
    let (status, answer) = server.send(Method::POST, "/901/", body.to_string()).await;
    assert_eq!((status, &answer["error"]["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(-32_603)));
    let counted = "crosscheck_limit_reached_total{limit=\"follow-connections\"} 1";
    assert!(server.metrics.render().unwrap().contains(counted));
}

#[tokio::test]
async fn an_incomplete_request_times_out_and_blocks_no_other_request() {
    let bodies = BodyLimits { within: Duration::from_millis(50), ..FollowLimits::STANDARD.bodies };
    let server = start_within(FollowLimits { bodies, ..FollowLimits::STANDARD }).await;
    let mut half = TcpStream::connect(server.addr).await.unwrap();
    let head =
        "POST /901/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";
    half.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(server.call("/901/", "optimism_version").await["result"], VERSION);
    let mut said = vec![0; 1024];
    let read = half.read(&mut said).await.unwrap();
    let said = String::from_utf8_lossy(&said[..read]).into_owned();
    assert!(said.contains("503") && said.contains("-32603"), "{said}");
}
