//! A small superchain behind a served RPC: real blocks and receipts, a tracker that knows them, endpoints
//! that answer.

use crate::audit::{Heads, NodeDisagreements, StatusAnswer};
use crate::event_sender::{EVENT_CAPACITY, EventSender};
use crate::gossip::{GossipHeads, NetworkHandles, Refusals};
use crate::health::Health;
use crate::ledger::{Ledger, StoredEvent};
use crate::metrics::{EndpointKind, Metrics};
use crate::monitor::Suspects;
use crate::rpc::RpcMetrics;
use crate::rpc::server::{RpcLimits, serve_within};
use crate::rpc::{ChainSources, CrosscheckRpc, Failsafe, OwnAnswers, RpcParts, SuperchainReader};
use crate::shared_tracker::TrackerWriter;
use crate::sources::{
    EndpointLimits, EndpointNames, EndpointUrl, ExecutionClient, L1Client, RollupNodes, StatusDocument,
};
use alloy::eips::eip2930::AccessList;
use alloy::primitives::{B256, U64};
use crosscheck_core::heads::{SafeMeans, SafetyHeads};
use crosscheck_core::message::{
    BlockKey, ExecutingMessage, Identifier, Message, encode_access_list, payload_hash,
};
use crosscheck_core::proof::{Executed, LogIndex};
use crosscheck_core::tracker::{Input, ObservedBlock, Tracker, TrackerLimits};
use crosscheck_core::validity::{ChainRules, DependencySet, Member};
use crosscheck_devnet::chain::L2Block;
use crosscheck_devnet::contracts::{EMITTER, emit_call};
use crosscheck_devnet::fixture::{CHAIN_ID, Fixture, GENESIS_TIME};
use crosscheck_devnet::serve::{RunningServer, l1_module, rpc_block, rpc_receipts, start};
use crosscheck_p2p::{ChainId, SystemClock, UnixSeconds};
use jsonrpsee::RpcModule;
use jsonrpsee::core::ClientError;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::http_client::HttpClientBuilder;
use jsonrpsee::types::ErrorObjectOwned;
use parking_lot::RwLock;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The chain that has blocks.
pub(super) const CHAIN: u64 = CHAIN_ID;
/// A chain of the dependency set of which nothing is known.
pub(super) const SILENT: u64 = 902;
/// The tip.
pub(super) const TIP: u64 = 20;
/// The first block of the view.
pub(super) const FIRST: u64 = 8;
/// How far the chain is.
pub(super) const HEADS: SafetyHeads = SafetyHeads {
    local_safe: 16,
    safe: 14,
    finalized: 10,
    safe_means: SafeMeans::CrossSafe,
    verified_since: UnixSeconds(0),
};
/// The block that executes a valid message, and the one that executes an invalid one.
pub(super) const VALID_IN: u64 = 15;
pub(super) const INVALID_IN: u64 = 18;
/// A block of deposits alone, in the place of another one.
pub(super) const REPLACEMENT: u64 = 13;
/// The node's record: from which L1 block on which L2 block was safe.
const RECORD: [(u64, u64); 3] = [(3, 4), (5, 9), (6, 14)];
/// Seconds between two blocks.
const BLOCK_TIME: u64 = 2;

const LIMITS: EndpointLimits = EndpointLimits {
    timeout: Duration::from_secs(300),
    max_response_bytes: 16 * 1024 * 1024,
    max_concurrent_requests: 16,
};

/// What is different in a test's world.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    /// Whether [`SILENT`] is watched, too.
    pub silent: bool,
    /// Whether each chain has a dependency set of its own.
    pub apart: bool,
    /// When interop activates.
    pub interop_time: u64,
    /// How far the tracker takes the chain to be.
    pub heads: SafetyHeads,
    /// Whether methods that change something are served.
    pub admin: bool,
    /// Whether the node keeps a record of safe heads.
    pub record: bool,
    /// Whether that record is of local-safe heads.
    pub local_record: bool,
    /// Whether L1 is configured.
    pub l1: bool,
    /// Whether the tracker got any input.
    pub blocks: bool,
    /// How many requests for blocks must wait at once before the endpoint answers any.
    pub together: usize,
    /// What callers may take of the server.
    pub limits: RpcLimits,
    /// What the endpoint answers `null` for.
    pub lost: Lost,
}

/// What an endpoint answers `null` for, as one does that is pruned or behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    Nothing,
    /// Blocks below the view, asked for by their number.
    Below,
    /// Blocks, asked for by their hash.
    ByHash,
    /// Receipts.
    Receipts,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            silent: false,
            apart: false,
            interop_time: GENESIS_TIME,
            heads: HEADS,
            admin: false,
            record: true,
            local_record: false,
            l1: true,
            blocks: true,
            together: 1,
            limits: RpcLimits::STANDARD,
            lost: Lost::Nothing,
        }
    }
}

/// Everything that a test talks to, or looks into.
pub(super) struct World {
    pub fixture: Fixture,
    pub blocks: Vec<Arc<L2Block>>,
    /// What [`REPLACEMENT`] replaced.
    pub replaced: Arc<L2Block>,
    pub addr: SocketAddr,
    /// Every method that is served, subscriptions and their ends included.
    pub methods: Vec<&'static str>,
    pub events: broadcast::Sender<StoredEvent>,
    pub suspects: Suspects,
    pub failsafe: Failsafe,
    pub ledger: Ledger,
    pub metrics: RpcMetrics,
    pub health: Health,
    pub superchain: SuperchainReader,
    /// What it answers itself.
    pub own: OwnAnswers,
    /// How often the endpoint was asked for a block.
    pub asked: Arc<AtomicUsize>,
    /// The last answer of the chain's node.
    pub heads: Heads,
    /// The chain's endpoint, until the test stops it.
    pub execution: Option<RunningServer>,
    servers: Vec<RunningServer>,
    _dir: tempfile::TempDir,
    _tasks: JoinSet<std::io::Result<()>>,
}

pub(super) fn chain() -> ChainId {
    ChainId::from(CHAIN)
}

/// The timestamp of the block at a height.
pub(super) const fn time_of(number: u64) -> u64 {
    GENESIS_TIME + number * BLOCK_TIME
}

impl World {
    pub(super) async fn start(setup: Setup) -> Self {
        let (fixture, blocks, replaced) = build();
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&dir.path().join("ledger.sqlite")).await.unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let lost = Arc::new(RwLock::new(Lost::Nothing));
        let double = Execution {
            blocks: blocks.clone(),
            replaced: Arc::clone(&replaced),
            asked: Arc::clone(&asked),
            together: Arc::new(tokio::sync::Barrier::new(setup.together)),
            lost: Arc::clone(&lost),
        };
        let execution = start(execution_module(double)).await.unwrap();
        let node = start(node_module(&fixture, &blocks, setup)).await.unwrap();
        let l1 = start(l1_module(Arc::new(RwLock::new(fixture.l1.clone()))).unwrap()).await.unwrap();
        let superchain = reader(&fixture, &blocks, setup, [&execution, &node, &l1]).await;
        // What the tracker knows it has read by now.
        *lost.write() = setup.lost;
        let nodes = superchain.chains.iter().filter_map(|(id, chain)| Some((*id, chain.node.clone()?)));
        let (events, _) = broadcast::channel(EVENT_CAPACITY);
        let metrics = RpcMetrics::register(&Metrics::new(superchain.set.clone()).unwrap()).unwrap();
        let failsafe = Failsafe::open(&ledger, metrics.clone()).await.unwrap();
        let suspects = Suspects::default();
        let health = Health::default();
        let parts = RpcParts {
            crosscheck: CrosscheckRpc {
                chains: vec![chain()],
                ledger: ledger.clone(),
                refusals: Refusals::new(metrics.shared().clone()),
                heads: superchain.heads.clone(),
                nodes: nodes.collect(),
                disagreements: NodeDisagreements::default(),
                gossiped: GossipHeads::default(),
                health: health.clone(),
                names: names([&execution, &node, &l1]),
            },
            networks: NetworkHandles::default(),
            superchain: superchain.clone(),
            suspects: suspects.clone(),
            events: events.clone(),
            failsafe: failsafe.clone(),
            admin: setup.admin,
            clock: Arc::new(SystemClock),
            metrics: metrics.clone(),
        };
        let mut tasks = JoinSet::new();
        let event_sender = EventSender::begin(ledger.clone(), events.clone()).await.unwrap();
        tasks.spawn(async move {
            event_sender.run(CancellationToken::new()).await.unwrap();
            Ok(())
        });
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let own = parts.own_answers();
        let module = parts.module().unwrap();
        let methods = module.method_names().collect();
        let chains = superchain.set.chain_ids().collect();
        let served = serve_within(
            setup.limits,
            any,
            module,
            chains,
            metrics.shared().clone(),
            CancellationToken::new(),
        );
        let (addr, server) = served.await.unwrap();
        tasks.spawn(server);
        Self {
            fixture,
            blocks,
            replaced,
            addr,
            methods,
            events,
            suspects,
            failsafe,
            ledger,
            heads: superchain.heads.clone(),
            metrics,
            health,
            superchain,
            own,
            asked,
            execution: Some(execution),
            servers: vec![node, l1],
            _dir: dir,
            _tasks: tasks,
        }
    }

    /// Stops every endpoint that is left. Where they were.
    pub(super) async fn silence(&mut self) -> Vec<SocketAddr> {
        let mut addrs = Vec::new();
        for server in self.execution.take().into_iter().chain(std::mem::take(&mut self.servers)) {
            addrs.push(server.addr);
            server.stop().await;
        }
        addrs
    }

    /// Calls a method over HTTP. `Err`: the code and the words.
    pub(super) async fn call(&self, method: &str, params: &[Value]) -> Result<Value, (i32, String)> {
        self.call_at("", method, params).await
    }

    /// The same at a path.
    pub(super) async fn call_at(
        &self,
        path: &str,
        method: &str,
        params: &[Value],
    ) -> Result<Value, (i32, String)> {
        let url = format!("http://{}/{path}", self.addr);
        let client = HttpClientBuilder::default().build(url).unwrap();
        let mut array = ArrayParams::new();
        for param in params {
            array.insert(param).unwrap();
        }
        match client.request(method, array).await {
            Ok(answer) => Ok(answer),
            Err(ClientError::Call(error)) => Err((error.code(), error.message().to_owned())),
            Err(error) => panic!("{method}: {error}"),
        }
    }

    pub(super) fn id(&self, number: u64) -> Value {
        json!({ "hash": self.blocks[at(number)].hash, "number": number })
    }

    pub(super) fn l1_id(&self, number: u64) -> Value {
        let block = self.fixture.l1.block_by_number(number).unwrap();
        json!({ "hash": block.hash, "number": number })
    }

    pub(super) fn l1_ref(&self, number: u64) -> Value {
        let block = self.fixture.l1.block_by_number(number).unwrap();
        json!({
            "hash": block.hash, "number": number, "parentHash": block.header.parent_hash,
            "timestamp": block.header.timestamp,
        })
    }

    /// The message that the first log of a block is.
    pub(super) fn message(&self, number: u64) -> Message {
        message_of(&self.blocks[at(number)])
    }

    /// The access list that declares the first log of each of these blocks.
    pub(super) fn entries(&self, numbers: &[u64]) -> Vec<B256> {
        numbers.iter().flat_map(|number| encode_access_list(&self.message(*number))).collect()
    }
}

/// What the chain's endpoints and L1's are called.
fn names([execution, node, l1]: [&RunningServer; 3]) -> EndpointNames {
    let url = |server: &RunningServer| server.url().parse::<EndpointUrl>().unwrap();
    let [execution, node, l1] = [execution, node, l1].map(url);
    let of_chain = |kind: EndpointKind, url| EndpointNames::of_chain(kind.name(), chain(), [url]);
    let known =
        of_chain(EndpointKind::Execution, &execution).chain(of_chain(EndpointKind::RollupNode, &node));
    EndpointNames::new(known.chain([("l1".to_owned(), &l1)]))
}

fn at(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

/// Twenty blocks with a log each, but for the replacement; L1 has a new block every third.
fn build() -> (Fixture, Vec<Arc<L2Block>>, Arc<L2Block>) {
    let mut fixture = Fixture::new(3);
    let mut replaced = Arc::clone(fixture.chain.head());
    let mut blocks = vec![Arc::clone(fixture.chain.head())];
    for number in 1..=TIP {
        if number % 3 == 0 {
            fixture.l1.produce(UnixSeconds(time_of(number))).unwrap();
        }
        let topic = B256::with_last_byte(u8::try_from(number).unwrap());
        let call = fixture.call(0, EMITTER, emit_call(&[topic], b"payload"), AccessList::default());
        if number == REPLACEMENT {
            replaced = fixture.clone().extend(&[call]);
            blocks.push(fixture.extend(&[]));
        } else {
            blocks.push(fixture.extend(&[call]));
        }
    }
    (fixture, blocks, replaced)
}

fn message_of(block: &L2Block) -> Message {
    let (log_index, _, log) = block.logs().next().unwrap();
    let identifier = Identifier {
        origin: log.address,
        block_number: block.number(),
        log_index,
        timestamp: block.timestamp(),
        chain_id: chain(),
    };
    Message { identifier, payload_hash: payload_hash(&log.data) }
}

async fn reader(
    fixture: &Fixture,
    blocks: &[Arc<L2Block>],
    setup: Setup,
    [execution, node, l1]: [&RunningServer; 3],
) -> SuperchainReader {
    let index = LogIndex::new(64 * 1024 * 1024);
    let member = Member { interop_time: UnixSeconds(setup.interop_time), block_time: BLOCK_TIME };
    let mut members = BTreeMap::from([(chain(), member)]);
    if setup.silent {
        members.insert(ChainId::from(SILENT), member);
    }
    let set = if setup.apart { apart(&members) } else { DependencySet::new(members, 3600) };
    let url = |server: &RunningServer| server.url().parse().unwrap();
    let client =
        |chain_id| ExecutionClient::new(chain_id, &[url(execution)], 1, LIMITS, index.clone()).unwrap();
    let limits = TrackerLimits { max_messages: 1000, retention: 1_000_000_000, ended_kept: 100 };
    let mut tracker = TrackerWriter::new(Tracker::new(set.clone(), index.clone(), limits));
    let heads = Heads::new(set.chain_ids());
    if setup.blocks {
        for block in blocks.iter().skip(at(FIRST)) {
            let verified = client(chain()).block_by_hash(block.hash).await.unwrap().unwrap();
            client(chain()).logs(&verified).await.unwrap().unwrap();
            let outcome = tracker.apply(Input::Block(Arc::new(observed(block, blocks))));
            assert_eq!((outcome.refused, outcome.requests), (None, vec![]));
        }
        tracker.apply(Input::Heads { chain_id: chain(), heads: setup.heads });
        heads.set_answer(
            chain(),
            StatusAnswer {
                document: status(fixture, blocks),
                at: tokio::time::Instant::now(),
                place: 0,
                safe_means: SafeMeans::default(),
            },
        );
    }
    let sources = |chain_id: ChainId| ChainSources {
        execution: client(chain_id),
        node: (chain_id == chain()).then(|| RollupNodes::new(chain_id, &[url(node)], LIMITS).unwrap()),
        block_time: BLOCK_TIME,
    };
    SuperchainReader {
        tracker: tracker.tracker(),
        index: index.clone(),
        heads,
        chains: set.chain_ids().map(|chain_id| (chain_id, sources(chain_id))).collect(),
        l1: setup.l1.then(|| L1Client::new(url(l1), LIMITS).unwrap()),
        set,
    }
}

/// These chains, each with a set of its own.
fn apart(members: &BTreeMap<ChainId, Member>) -> DependencySet {
    let rules = members.iter().map(|(chain_id, member)| {
        let dependencies = Some([*chain_id].into());
        let interop_time = Some(member.interop_time);
        (*chain_id, ChainRules { block_time: member.block_time, interop_time, dependencies })
    });
    DependencySet::of_chains(rules.collect(), 3600)
}

/// The transaction that executes each message.
pub(super) const EXECUTING_TRANSACTION: B256 = B256::repeat_byte(0x7a);

/// A block as the monitor reads it. Two of them execute a message each.
fn observed(block: &L2Block, blocks: &[Arc<L2Block>]) -> ObservedBlock {
    let executed = |message| Executed {
        log_index: 1,
        transaction_index: 1,
        by_deposit: false,
        message: ExecutingMessage { log_index: 1, message },
    };
    let cited = message_of(&blocks[at(9)]);
    let executed = match block.number() {
        VALID_IN => vec![executed(cited)],
        INVALID_IN => vec![executed(Message { payload_hash: B256::ZERO, ..cited })],
        _ => Vec::new(),
    };
    ObservedBlock {
        transactions: executed.iter().map(|_| EXECUTING_TRANSACTION).collect(),
        key: BlockKey { chain_id: chain(), number: block.number(), hash: block.hash },
        parent_hash: block.header.parent_hash,
        timestamp: block.timestamp(),
        undeclared: if block.number() == VALID_IN { vec![1] } else { Vec::new() },
        executed,
        undecodable: Vec::new(),
        is_deposits_only: false,
    }
}

/// A block as a node names it.
pub(super) fn l2_ref(block: &L2Block) -> Value {
    json!({
        "hash": block.hash, "number": block.number(), "parentHash": block.header.parent_hash,
        "timestamp": block.header.timestamp,
        "l1origin": { "hash": block.l1_origin.hash, "number": block.l1_origin.number },
        "sequenceNumber": block.sequence_number,
    })
}

fn status(fixture: &Fixture, blocks: &[Arc<L2Block>]) -> StatusDocument {
    let head = |number: u64| l2_ref(&blocks[at(number)]);
    let l1 = |number: u64| {
        let block = fixture.l1.block_by_number(number).unwrap();
        json!({
            "hash": block.hash, "number": number, "parentHash": block.header.parent_hash,
            "timestamp": block.header.timestamp,
        })
    };
    let status = json!({
        "unsafe_l2": head(TIP), "local_safe_l2": head(HEADS.local_safe), "safe_l2": head(HEADS.safe),
        "finalized_l2": head(HEADS.finalized), "current_l1": l1(6), "finalized_l1": l1(2),
    });
    StatusDocument::read(&serde_json::value::to_raw_value(&status).unwrap()).unwrap()
}

/// An execution client.
struct Execution {
    blocks: Vec<Arc<L2Block>>,
    replaced: Arc<L2Block>,
    asked: Arc<AtomicUsize>,
    together: Arc<tokio::sync::Barrier>,
    lost: Arc<RwLock<Lost>>,
}

fn execution_module(double: Execution) -> RpcModule<Execution> {
    let mut module = RpcModule::new(double);
    module
        .register_async_method("eth_getBlockByNumber", |params, double, _| async move {
            let (number, full): (U64, bool) = params.parse().unwrap();
            double.asked.fetch_add(1, Ordering::Relaxed);
            double.together.wait().await;
            let is_there = *double.lost.read() != Lost::Below || number.to::<u64>() >= FIRST;
            let block = double.blocks.get(at(number.to())).filter(|_| is_there);
            block.map(|block| rpc_block(block, full))
        })
        .unwrap();
    module
        .register_method("eth_getBlockByHash", |params, double, _| {
            let (hash, full): (B256, bool) = params.parse().unwrap();
            let mut known = double.blocks.iter().chain([&double.replaced]);
            let block =
                known.find(|block| block.hash == hash).filter(|_| *double.lost.read() != Lost::ByHash);
            block.map(|block| rpc_block(block, full))
        })
        .unwrap();
    module
        .register_method("eth_getBlockReceipts", |params, double, _| {
            let [hash]: [B256; 1] = params.parse().unwrap();
            let block = double.blocks.iter().find(|block| block.hash == hash);
            block.filter(|_| *double.lost.read() != Lost::Receipts).map(|block| rpc_receipts(block))
        })
        .unwrap();
    module
}

/// A node that answers from [`RECORD`] as op-node does, or has no such method.
fn node_module(fixture: &Fixture, blocks: &[Arc<L2Block>], setup: Setup) -> RpcModule<()> {
    let mut module = RpcModule::new(());
    let config = json!({ "l2_chain_id": CHAIN, "genesis": {
        "l1": { "hash": fixture.l1.block_by_number(0).unwrap().hash, "number": 0 },
        "l2": { "hash": blocks[0].hash, "number": 0 },
        "l2_time": GENESIS_TIME,
    } });
    module.register_method("optimism_rollupConfig", move |_, (), _| config.clone()).unwrap();
    let steps = RECORD.map(|(l1, l2)| {
        let l2 = if setup.local_record && l2 == HEADS.safe { HEADS.local_safe } else { l2 };
        let source = fixture.l1.block_by_number(l1).unwrap().hash;
        (
            l1,
            json!({
                "l1Block": { "hash": source, "number": l1 },
                "safeHead": { "hash": blocks[at(l2)].hash, "number": l2 },
            }),
        )
    });
    if setup.record {
        module
            .register_method("optimism_safeHeadAtL1Block", move |params, (), _| {
                let [asked]: [U64; 1] = params.parse().unwrap();
                let step = steps.iter().rev().find(|(l1, _)| *l1 <= asked.to::<u64>());
                step.map(|(_, answer)| answer.clone())
                    .ok_or_else(|| ErrorObjectOwned::owned(-32_000, "safe head not found", None::<()>))
            })
            .unwrap();
    }
    module
}
