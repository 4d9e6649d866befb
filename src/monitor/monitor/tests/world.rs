//! Two chains whose blocks are executed for real, served over sockets, and the monitor's tasks around them.

use crate::audit::Heads;
use crate::health::{Health, HealthPart};
use crate::incidents::Incidents;
use crate::invalid_blocks::InvalidBlocks;
use crate::ledger::{EventFilter, Ledger};
use crate::metrics::Metrics;
use crate::monitor::MonitorMetrics;
use crate::monitor::Suspects;
use crate::monitor::*;
use crate::shared_tracker::{SharedTracker, TrackerWriter};
use crate::sources::{EndpointLimits, ExecutionClient};
use crate::stale_branches::StaleBranches;
use crate::stalled_heads::StallBounds;
use alloy::eips::eip2930::AccessList;
use alloy::primitives::{Address, B256, Bytes, LogData, U64, U256};
use crosscheck_core::message::{CROSS_L2_INBOX, Identifier, Message, payload_hash};
use crosscheck_core::proof::LogIndex;
use crosscheck_core::tracker::{Tracker, TrackerLimits};
use crosscheck_core::validity::{DependencySet, Member};
use crosscheck_devnet::chain::L2Block;
use crosscheck_devnet::chain::{Chain, ChainParams};
use crosscheck_devnet::contracts::{EMITTER, emit_call, inbox_access_list, validate_message_call};
use crosscheck_devnet::fixture::{DEPOSIT_CONTRACT, Fixture, GENESIS_TIME, SYSTEM_CONFIG};
use crosscheck_devnet::keys::Call;
use crosscheck_devnet::serve::{RunningServer, rpc_block, rpc_receipts, start};
use crosscheck_p2p::{
    BlockSigner, ChainId, Clock, Signers, SigningDomain, Topic, UnixSeconds, ValidationRules, Validator,
};
use jsonrpsee::RpcModule;
use jsonrpsee::types::ErrorObjectOwned;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(super) const A: u64 = 901;
pub(super) const B: u64 = 902;
const TOPIC: B256 = B256::repeat_byte(7);

/// How long anything may take: far more than it ever takes, however busy the machine is.
pub(super) const DEADLINE: Duration = Duration::from_secs(300);

#[derive(Debug)]
struct Now(UnixSeconds);

impl Clock for Now {
    fn now(&self) -> UnixSeconds {
        self.0
    }
}

/// A transaction of a block.
pub(super) enum Step {
    /// Emits the log that every message here is about.
    Emit,
    /// Executes a message.
    Execute(Message),
}

/// The log at this index of block `number`, which an emitter wrote.
pub(super) fn message(chain: u64, number: u64, log_index: u32) -> Message {
    let identifier = Identifier {
        origin: EMITTER,
        block_number: number,
        log_index,
        timestamp: UnixSeconds(GENESIS_TIME + 2 * number),
        chain_id: chain.into(),
    };
    let log = LogData::new_unchecked(vec![TOPIC], Bytes::from_static(b"log"));
    Message { identifier, payload_hash: payload_hash(&log) }
}

struct Served {
    chain: Chain,
    safe: u64,
    finalized: u64,
    is_out: bool,
    /// The block served as the latest, regardless of later ones.
    latest: Option<Arc<L2Block>>,
}

/// Two chains on one L1, with blocks of the same timestamps, and their execution clients.
pub(super) struct World {
    fixture: Fixture,
    chains: Arc<Mutex<BTreeMap<u64, Served>>>,
    servers: BTreeMap<u64, RunningServer>,
}

impl World {
    pub(super) async fn new() -> Self {
        let fixture = Fixture::new(5);
        let served = |chain_id| {
            let params = ChainParams {
                first_number: 0,
                chain_id,
                block_time: 2,
                genesis_time: UnixSeconds(GENESIS_TIME),
                l1_genesis: fixture.l1.head().id(),
                gas_limit: 60_000_000,
                system_config: SYSTEM_CONFIG,
                deposit_contract: DEPOSIT_CONTRACT,
                batcher: Address::repeat_byte(0xba),
                upgrade: None,
            };
            let chain = Chain::new(params, &[fixture.user.address()]).unwrap();
            (chain_id, Served { chain, safe: 0, finalized: 0, is_out: false, latest: None })
        };
        let chains = Arc::new(Mutex::new([A, B].map(served).into()));
        let mut servers = BTreeMap::new();
        for id in [A, B] {
            servers.insert(id, serve(Arc::clone(&chains), id).await);
        }
        Self { fixture, chains, servers }
    }

    /// Builds a block with these transactions on a block of a chain, and makes it the head.
    pub(super) fn build_on(&self, chain_id: u64, parent: B256, steps: &[Step]) -> Arc<L2Block> {
        let mut chains = self.chains.lock();
        let chain = &mut chains.get_mut(&chain_id).unwrap().chain;
        let first = chain.nonce(parent, self.fixture.user.address()).unwrap();
        let transactions = steps.iter().zip(first..).map(|(step, nonce)| {
            let (to, input, access_list) = match step {
                Step::Emit => (EMITTER, emit_call(&[TOPIC], b"log"), AccessList::default()),
                Step::Execute(message) => {
                    (CROSS_L2_INBOX, validate_message_call(message), inbox_access_list(&[*message]))
                }
            };
            let (value, gas_limit, max_fee) = (U256::ZERO, 1_000_000, 10_000_000_000);
            self.fixture.sign(Call { chain_id, nonce, to, input, value, access_list, gas_limit, max_fee })
        });
        let transactions: Vec<Bytes> = transactions.collect();
        let block = chain.build(parent, self.fixture.l1.head(), &transactions).unwrap();
        chain.adopt(block.hash).unwrap();
        block
    }

    pub(super) fn extend(&self, chain_id: u64, steps: &[Step]) -> Arc<L2Block> {
        let parent = self.chains.lock().get(&chain_id).unwrap().chain.head().hash;
        self.build_on(chain_id, parent, steps)
    }

    /// Both chains continue by this many empty blocks.
    pub(super) fn advance(&self, blocks: usize) {
        for _ in 0..blocks {
            self.extend(A, &[]);
            self.extend(B, &[]);
        }
    }

    /// Puts the deposits-only block in a block's place.
    pub(super) fn replace(&self, chain_id: u64, block: &L2Block) -> Arc<L2Block> {
        let mut chains = self.chains.lock();
        let chain = &mut chains.get_mut(&chain_id).unwrap().chain;
        let replacement = chain.deposits_only(block.hash).unwrap();
        chain.adopt(replacement.hash).unwrap();
        replacement
    }

    /// Makes a block the head again.
    pub(super) fn adopt(&self, chain_id: u64, hash: B256) {
        self.chains.lock().get_mut(&chain_id).unwrap().chain.adopt(hash).unwrap();
    }

    pub(super) fn label(&self, chain_id: u64, safe: u64, finalized: u64) {
        let mut chains = self.chains.lock();
        let served = chains.get_mut(&chain_id).unwrap();
        (served.safe, served.finalized) = (safe, finalized);
    }

    pub(super) fn set_out(&self, chain_id: u64, is_out: bool) {
        self.chains.lock().get_mut(&chain_id).unwrap().is_out = is_out;
    }

    /// Calls the chain's head the latest block from now on: readers see no later one, nor a reorg.
    pub(super) fn hold_latest(&self, chain_id: u64) {
        let mut chains = self.chains.lock();
        let served = chains.get_mut(&chain_id).unwrap();
        served.latest = Some(Arc::clone(served.chain.head()));
    }

    /// Calls the chain's head the latest block again.
    pub(super) fn release_latest(&self, chain_id: u64) {
        self.chains.lock().get_mut(&chain_id).unwrap().latest = None;
    }

    /// Starts the monitor's tasks on a ledger in this directory.
    pub(super) async fn watch(&self, dir: &Path) -> Shell {
        let member = Member { interop_time: UnixSeconds(0), block_time: 2 };
        let ids = [A, B].map(ChainId::from);
        let set = DependencySet::new(ids.map(|id| (id, member)).into(), 10_000);
        let index = LogIndex::new(1 << 24);
        let limits =
            EndpointLimits { timeout: DEADLINE, max_response_bytes: 1 << 22, max_concurrent_requests: 64 };
        let client = |id: u64| {
            let urls = [self.servers.get(&id).unwrap().url().parse().unwrap()];
            ExecutionClient::new(id.into(), &urls, 1, limits, index.clone()).unwrap()
        };
        let clients = [A, B].map(|id| (ChainId::from(id), client(id)));
        Shell::start(dir, set, index, clients.into()).await
    }
}

async fn serve(chains: Arc<Mutex<BTreeMap<u64, Served>>>, id: u64) -> RunningServer {
    let mut module = RpcModule::new((chains, id));
    let mut register = |method, answer: fn(&Served, Value) -> Value| {
        module
            .register_method(method, move |params, (chains, id), _| {
                let chains = chains.lock();
                let served = chains.get(id).unwrap();
                if served.is_out {
                    return Err(ErrorObjectOwned::owned(-32_000, "out", None::<()>));
                }
                let first = params.parse::<Vec<Value>>().unwrap().into_iter().next().unwrap_or_default();
                Ok(answer(served, first))
            })
            .unwrap();
    };
    register("eth_getBlockByNumber", |served, tag| {
        let number = match tag.as_str() {
            Some("latest") if served.latest.is_some() => {
                return json!(served.latest.as_ref().map(|block| rpc_block(block, true)));
            }
            Some("latest") => served.chain.head().number(),
            Some("safe") => served.safe,
            Some("finalized") => served.finalized,
            _ => serde_json::from_value::<U64>(tag).unwrap().to(),
        };
        json!(served.chain.canonical(number).map(|block| rpc_block(block, true)))
    });
    register("eth_getBlockByHash", |served, hash| {
        let hash = serde_json::from_value(hash).unwrap();
        json!(served.chain.by_hash(hash).map(|block| rpc_block(block, true)))
    });
    register("eth_getBlockReceipts", |served, hash| {
        let hash = serde_json::from_value(hash).unwrap();
        json!(served.chain.by_hash(hash).map(|block| rpc_receipts(block)))
    });
    module.register_method("eth_chainId", |_, (_, id), _| json!(U64::from(*id))).unwrap();
    start(module).await.unwrap()
}

/// The monitor's tasks.
pub(super) struct Shell {
    pub(super) tracker: SharedTracker,
    pub(super) heads: Heads,
    pub(super) suspects: Suspects,
    pub(super) health: Health,
    pub(super) metrics: MonitorMetrics,
    pub(super) ledger: Ledger,
    pub(super) invalid: InvalidBlocks,
    pub(super) inbox: mpsc::Sender<MonitorMessage>,
    gossip: mpsc::Sender<SuspectMessage>,
    /// The last event that was heard.
    heard: u64,
    cancel: CancellationToken,
    tasks: JoinSet<()>,
}

impl Shell {
    async fn start(
        dir: &Path,
        set: DependencySet,
        index: LogIndex,
        clients: BTreeMap<ChainId, ExecutionClient>,
    ) -> Self {
        let ledger = Ledger::open(&dir.join("ledger.sqlite")).await.unwrap();
        let metrics = MonitorMetrics::register(&Metrics::new(set.clone()).unwrap()).unwrap();
        let health = Health::default();
        let clock: Arc<dyn Clock> = Arc::new(Now(UnixSeconds(GENESIS_TIME + 1000)));
        let limits = TrackerLimits { max_messages: 1000, retention: 100_000, ended_kept: 1000 };
        let tracker = TrackerWriter::new(Tracker::new(set.clone(), index.clone(), limits));
        let heard = ledger.last_event().await.unwrap();
        let (gossip, suspect_inbox) = mpsc::channel(SUSPECT_INBOX);
        let (monitor, inbox) = mpsc::channel(MONITOR_INBOX);
        let monitor_inbox = monitor.clone();
        let cancel = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let heads = Heads::new(set.chain_ids());
        for (chain_id, execution) in &clients {
            health.expect(&HealthPart::Monitor(*chain_id));
            let reader = ChainReader::new(ChainReaderParts {
                chain_id: *chain_id,
                execution: execution.clone(),
                heads: HeadSource::Labels { heads: heads.clone(), metrics: metrics.clone() },
                start: StartPoint::new(ledger.cursor(*chain_id).await.unwrap(), 100_000, 2),
                monitor: monitor.clone(),
                hints: PollHints::new(set.chain_ids()),
                interval: Duration::from_millis(20),
                stall: StallBounds::LONG,
                health: health.clone(),
                metrics: metrics.clone(),
                branches: StaleBranches::default(),
                genesis: None,
                origin: None,
            });
            let cancel = cancel.clone();
            tasks.spawn(async move { reader.run(cancel).await });
        }
        let (shell_tracker, invalid) = (tracker.tracker(), InvalidBlocks::new(set.chain_ids()));
        let suspects = Suspects::default();
        let watcher = SuspectWatcher::new(SuspectWatcherParts {
            inbox: suspect_inbox,
            tracker: tracker.tracker(),
            index: index.clone(),
            clients: clients.clone(),
            ledger: ledger.clone(),
            suspects: suspects.clone(),
            clock: Arc::clone(&clock),
            metrics: metrics.clone(),
        });
        let monitor = Monitor::new(MonitorParts {
            tracker,
            clients,
            index,
            inbox,
            suspects: gossip.clone(),
            ledger: ledger.clone(),
            invalid: invalid.clone(),
            clock,
            retention: 100_000,
            incidents: Incidents::default(),
            metrics: metrics.clone(),
        });
        let (watching, monitoring) = (cancel.clone(), cancel.clone());
        tasks.spawn(async move { watcher.run(watching).await.unwrap() });
        tasks.spawn(async move { monitor.run(monitoring).await.unwrap() });
        Self {
            tracker: shell_tracker,
            heads,
            suspects,
            health,
            metrics,
            ledger,
            invalid,
            inbox: monitor_inbox,
            gossip,
            heard,
            cancel,
            tasks,
        }
    }

    /// The hashes of a chain's blocks that are marked as invalid.
    pub(super) fn marked(&self, chain: u64) -> Vec<B256> {
        self.invalid.above(ChainId::from(chain), 0).into_iter().map(|block| block.hash).collect()
    }

    /// What is reported next.
    pub(super) async fn next(&mut self) -> Value {
        let mut reported = self.ledger.watch_events();
        let next = async {
            // The writer continues before any subscriber gets it.
            reported.wait_for(|last| *last > self.heard).await.unwrap();
            self.unheard(1).await.pop().unwrap()
        };
        tokio::time::timeout(DEADLINE, next).await.expect("nothing was told")
    }

    /// What was reported and not heard yet, this many at most.
    pub(super) async fn unheard(&mut self, limit: u32) -> Vec<Value> {
        let filter = EventFilter { after: self.heard, limit, ..EventFilter::default() };
        let read = self.ledger.events(filter).await.unwrap();
        self.heard = read.cursor;
        read.items.iter().map(|event| serde_json::to_value(event).unwrap()).collect()
    }

    /// Waits until this holds.
    pub(super) async fn until(&self, what: &str, holds: impl Fn(&Tracker) -> bool) {
        let since = Instant::now();
        while !holds(&self.tracker.read()) {
            assert!(
                since.elapsed() < DEADLINE,
                "{what}: not within {DEADLINE:?}; {:?}",
                self.health.reasons()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until a chain was read up to this block.
    pub(super) async fn until_read(&self, block: &L2Block, chain: u64) {
        let is_read = |tracker: &Tracker| {
            let view = tracker.chain(ChainId::from(chain)).unwrap();
            view.block(block.number()).is_some_and(|read| read.key.hash == block.hash)
        };
        self.until("the block is read", is_read).await;
    }

    /// Hands in a block as gossip brings it.
    pub(super) async fn gossip(&self, chain: u64, block: &L2Block) {
        let signer = BlockSigner::from_bytes(&B256::repeat_byte(1)).unwrap();
        let signers = Signers::of(signer.address());
        let frame =
            block.envelope().unwrap().sign(&signer, SigningDomain::Zero, chain.into()).unwrap().frame();
        let rules = ValidationRules::new(chain.into());
        let block = Validator::reopen(&rules, Topic::BlocksV4, &frame, &signers).unwrap();
        self.gossip.send(SuspectMessage::Gossip { block, at: Instant::now() }).await.unwrap();
    }

    pub(super) async fn stop(mut self) {
        self.cancel.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        self.ledger.close().await;
    }
}
