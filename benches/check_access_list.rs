//! How many `supervisor_checkAccessList` requests of three entries are answered a second, over HTTP, and how
//! long each takes.
//!
//! A real server on loopback, told of real proven blocks; several keep-alive connections, each with one
//! request at a time. Client and server share the machine.
//! `cargo bench --bench check_access_list [-- --seconds N]`; run by `cargo test` it only shows that it works.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a benchmark may fail loudly, like a test, and prints"
)]

#[path = "../core/benches/superchain/receipt.rs"]
mod receipt;

use alloy::consensus::Header;
use alloy::consensus::proofs::calculate_receipt_root;
use alloy::primitives::{Address, B256, Bytes, Log, LogData, keccak256};
use alloy::rpc::types::{Block, BlockTransactions, Header as RpcHeader};
use crosscheck::for_tests::Health;
use crosscheck::for_tests::Ledger;
use crosscheck::for_tests::Metrics;
use crosscheck::for_tests::{
    ChainSources, CrosscheckRpc, Failsafe, RpcMetrics, RpcParts, SuperchainReader, serve,
};
use crosscheck::for_tests::{EndpointLimits, EndpointNames, ExecutionClient};
use crosscheck::for_tests::{GossipHeads, Refusals};
use crosscheck::for_tests::{Heads, NodeDisagreements};
use crosscheck::for_tests::{Suspects, TrackerWriter};
use crosscheck_core::heads::{SafeMeans, SafetyHeads};
use crosscheck_core::message::{BlockKey, Identifier, Message, encode_access_list, payload_hash};
use crosscheck_core::proof::{LogIndex, ProvenLogs, VerifiedBlock};
use crosscheck_core::tracker::{Input, ObservedBlock, Tracker, TrackerLimits};
use crosscheck_core::validity::{DependencySet, Member};
use crosscheck_p2p::{ChainId, SystemClock, UnixSeconds};
use op_alloy::consensus::OpReceiptEnvelope;
use op_alloy::rpc_types::Transaction;
use receipt::receipt;
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const CHAINS: [u64; 4] = [901, 902, 903, 904];
const BLOCKS: u64 = 128;
const LOGS: usize = 200;
const ENTRIES: usize = 3;
const REQUESTS: usize = 1024;

/// A block with its logs proven.
struct Sample {
    logs: Arc<ProvenLogs>,
    observed: ObservedBlock,
    messages: Vec<Message>,
}

impl Sample {
    fn of(chain_id: ChainId, number: u64, parent_hash: B256) -> Self {
        let logs: Vec<Log> = (0..LOGS).map(|place| log(chain_id, number, place)).collect();
        let receipts = vec![receipt(&logs)];
        let envelopes: Vec<OpReceiptEnvelope> = receipts.iter().cloned().map(Into::into).collect();
        let timestamp = 1000 + number;
        let receipts_root = calculate_receipt_root(&envelopes);
        let header =
            RpcHeader::new(Header { number, timestamp, parent_hash, receipts_root, ..Header::default() });
        let block = Block::<Transaction, RpcHeader>::new(header, BlockTransactions::Full(Vec::new()));
        let block = VerifiedBlock::verify(block).unwrap();
        let message = |(log_index, log): (u32, &Log)| Message {
            identifier: Identifier {
                origin: log.address,
                block_number: number,
                log_index,
                timestamp: UnixSeconds(timestamp),
                chain_id,
            },
            payload_hash: payload_hash(&log.data),
        };
        Self {
            logs: Arc::new(ProvenLogs::prove(chain_id, &block, &receipts).unwrap()),
            observed: ObservedBlock {
                transactions: Vec::new(),
                undecodable: Vec::new(),
                key: BlockKey { chain_id, number, hash: block.hash() },
                parent_hash,
                timestamp: UnixSeconds(timestamp),
                executed: Vec::new(),
                undeclared: Vec::new(),
                is_deposits_only: false,
            },
            messages: (0..).zip(&logs).map(message).collect(),
        }
    }
}

fn log(chain_id: ChainId, number: u64, place: usize) -> Log {
    let seed = keccak256([&chain_id.to_be_bytes()[..], &number.to_be_bytes(), &place.to_be_bytes()].concat());
    let topics = vec![keccak256("Transfer(address,address,uint256)"), seed];
    let data = LogData::new_unchecked(topics, Bytes::copy_from_slice(seed.as_slice()));
    Log { address: Address::from_word(seed), data }
}

/// A server that knows every sample, and the requests that it will be sent.
async fn serve_samples(dir: &std::path::Path) -> (SocketAddr, JoinSet<std::io::Result<()>>, Vec<Vec<u8>>) {
    let index = LogIndex::new(1 << 30);
    let member = Member { interop_time: UnixSeconds(0), block_time: 1 };
    let set = DependencySet::new(CHAINS.map(|id| (ChainId::from(id), member)).into(), 604_800);
    let limits = TrackerLimits { max_messages: 1000, retention: u64::MAX, ended_kept: 10 };
    let mut tracker = TrackerWriter::new(Tracker::new(set.clone(), index.clone(), limits));
    let mut messages = Vec::new();
    for chain_id in set.chain_ids() {
        let mut parent_hash = B256::ZERO;
        for number in 1..=BLOCKS {
            let sample = Sample::of(chain_id, number, parent_hash);
            parent_hash = sample.observed.key.hash;
            index.insert(sample.logs);
            assert_eq!(tracker.apply(Input::Block(Arc::new(sample.observed))).refused, None);
            messages.extend(sample.messages);
        }
        let safe_means = SafeMeans::CrossSafe;
        let verified_since = UnixSeconds(0);
        let heads = SafetyHeads {
            local_safe: BLOCKS,
            safe: BLOCKS,
            finalized: BLOCKS / 2,
            safe_means,
            verified_since,
        };
        tracker.apply(Input::Heads { chain_id, heads });
    }
    let limits = EndpointLimits {
        timeout: Duration::from_secs(1),
        max_response_bytes: 1024,
        max_concurrent_requests: 1,
    };
    let nowhere = ["http://127.0.0.1:9".parse().unwrap()];
    let sources = |chain_id| ChainSources {
        execution: ExecutionClient::new(chain_id, &nowhere, 1, limits, index.clone()).unwrap(),
        node: None,
        block_time: 1,
    };
    let ledger = Ledger::open(&dir.join("ledger.sqlite")).await.unwrap();
    let heads = Heads::new(set.chain_ids());
    let shared = Metrics::new(set.clone()).unwrap();
    let metrics = RpcMetrics::register(&shared).unwrap();
    let parts = RpcParts {
        networks: crosscheck::for_tests::NetworkHandles::default(),
        crosscheck: CrosscheckRpc {
            chains: Vec::new(),
            ledger: ledger.clone(),
            refusals: Refusals::new(shared.clone()),
            heads: heads.clone(),
            nodes: BTreeMap::new(),
            disagreements: NodeDisagreements::default(),
            gossiped: GossipHeads::default(),
            health: Health::default(),
            names: EndpointNames::default(),
        },
        superchain: SuperchainReader {
            tracker: tracker.tracker(),
            index: index.clone(),
            heads,
            chains: set.chain_ids().map(|chain_id| (chain_id, sources(chain_id))).collect(),
            l1: None,
            set,
        },
        suspects: Suspects::default(),
        events: tokio::sync::broadcast::channel(1).0,
        failsafe: Failsafe::open(&ledger, metrics.clone()).await.unwrap(),
        admin: false,
        clock: Arc::new(SystemClock),
        metrics: metrics.clone(),
    };
    let any = "127.0.0.1:0".parse().unwrap();
    let chains = parts.superchain.set.chain_ids().collect();
    let methods = parts.module().unwrap();
    let served = serve(any, methods, chains, shared, CancellationToken::new());
    let (addr, server) = served.await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(server);
    (addr, tasks, requests(&messages))
}

/// HTTP requests, each with the entries of three messages that lie far apart.
fn requests(messages: &[Message]) -> Vec<Vec<u8>> {
    let request = |place: usize| {
        let chosen = (0..ENTRIES).map(|entry| &messages[(place * 7919 + entry * 31_337) % messages.len()]);
        let entries: Vec<B256> = chosen.flat_map(encode_access_list).collect();
        let descriptor = json!({ "chainID": "901", "timestamp": "0x2710", "timeout": "0x1c20" });
        let body = json!({
            "jsonrpc": "2.0", "id": 1, "method": "supervisor_checkAccessList",
            "params": [entries, "cross-unsafe", descriptor],
        });
        let body = body.to_string();
        let head = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
        format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    };
    (0..REQUESTS).map(request).collect()
}

/// Sends one request after another until the time is over; how long each took.
async fn ask(addr: SocketAddr, requests: Arc<Vec<Vec<u8>>>, from: usize, until: Instant) -> Vec<Duration> {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut took, mut buffer) = (Vec::new(), vec![0; 4096]);
    for place in from.. {
        let since = Instant::now();
        if since >= until {
            break;
        }
        stream.write_all(&requests[place % requests.len()]).await.unwrap();
        let mut filled = 0;
        // The answer is small and ends with the JSON object.
        while !buffer[..filled].ends_with(b"}") {
            let read = stream.read(&mut buffer[filled..]).await.unwrap();
            assert!(read > 0, "the server hung up: {}", String::from_utf8_lossy(&buffer[..filled]));
            filled += read;
        }
        took.push(since.elapsed());
        let answer = String::from_utf8_lossy(&buffer[..filled]);
        assert!(answer.contains("\"result\":null"), "{answer}");
    }
    took
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let seconds = arguments.iter().position(|argument| argument == "--seconds");
    let seconds = seconds.map_or(5.0, |place| arguments[place + 1].parse().unwrap());
    let is_measured = arguments.iter().any(|argument| argument == "--bench");
    let time = if is_measured { Duration::from_secs_f64(seconds) } else { Duration::from_millis(200) };
    let dir = std::env::temp_dir().join(format!("crosscheck-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let (addr, _server, requests) = serve_samples(&dir).await;
    let requests = Arc::new(requests);
    println!(
        "{:>11} {:>10} {:>12} {:>10} {:>10}",
        "connections", "requests", "requests/s", "p50 us", "p99 us"
    );
    for connections in [1, 4, 16, 64] {
        let (started, mut clients) = (Instant::now(), JoinSet::new());
        for client in 0..connections {
            clients.spawn(ask(addr, Arc::clone(&requests), client * 97, started + time));
        }
        let mut took: Vec<Duration> = clients.join_all().await.into_iter().flatten().collect();
        took.sort_unstable();
        let rate = took.len() as f64 / started.elapsed().as_secs_f64();
        let percentile = |hundredth: usize| took[took.len() * hundredth / 100].as_micros();
        let (p50, p99) = (percentile(50), percentile(99));
        println!("{connections:>11} {:>10} {rate:>12.0} {p50:>10} {p99:>10}", took.len());
    }
    std::fs::remove_dir_all(&dir).unwrap();
}
