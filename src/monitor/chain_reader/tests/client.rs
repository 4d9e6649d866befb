//! A scripted execution client in memory, and a reader of it.

use crate::audit::Heads;
use crate::health::Health;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::monitor::MonitorMetrics;
use crate::monitor::{
    BlockSource, ChainReader, ChainReaderParts, HeadSource, MonitorMessage, PollHints, StartPoint,
};
use crate::sources::{EndpointHealth, SourceError, SyncStatus};
use crate::stale_branches::StaleBranches;
use crate::stalled_heads::StallBounds;
use alloy::consensus::Header;
use alloy::eips::BlockNumHash;
use alloy::eips::eip2930::AccessList;
use alloy::primitives::B256;
use crosscheck_core::heads::L2BlockRef;
use crosscheck_core::proof::{ProvenLogs, VerifiedBlock};
use crosscheck_core::validity::{DependencySet, Member};
use crosscheck_devnet::chain::L2Block;
use crosscheck_devnet::contracts::{EMITTER, emit_call};
use crosscheck_devnet::fixture::{CHAIN_ID, Fixture};
use crosscheck_devnet::serve::{rpc_block, rpc_receipts};
use crosscheck_p2p::{ChainId, UnixSeconds};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(super) fn chain_id() -> ChainId {
    ChainId::from(CHAIN_ID)
}

/// A chain, and what is said of it.
#[derive(Clone)]
pub(super) struct Client(Arc<Mutex<State>>);

struct State {
    fixture: Fixture,
    /// Reported at a height, no matter which block is there.
    reported: BTreeMap<u64, Arc<L2Block>>,
    /// What is adopted after this many more requests.
    due: BTreeMap<usize, B256>,
    /// The tip of a client that is taken back.
    taken_back: Option<Arc<L2Block>>,
    requests: usize,
}

/// What is made of a block's extra data.
type Change = dyn Fn(&mut Vec<u8>);

impl State {
    fn head(&self) -> Arc<L2Block> {
        Arc::clone(self.taken_back.as_ref().unwrap_or(self.fixture.chain.head()))
    }

    fn by_hash(&self, hash: B256) -> Option<Arc<L2Block>> {
        let taken_back = self.taken_back.iter().find(|block| block.hash == hash);
        taken_back.or(self.fixture.chain.by_hash(hash)).cloned()
    }

    fn at(&self, number: u64) -> Option<Arc<L2Block>> {
        if let Some(tip) = self.taken_back.as_ref().filter(|tip| tip.number() == number) {
            return Some(Arc::clone(tip));
        }
        let canonical = self.fixture.chain.canonical(number).filter(|_| number <= self.head().number());
        self.reported.get(&number).or(canonical).cloned()
    }
}

impl Client {
    pub(super) fn new() -> Self {
        let (reported, due, fixture) = (BTreeMap::new(), BTreeMap::new(), Fixture::new(5));
        Self(Arc::new(Mutex::new(State { fixture, reported, due, taken_back: None, requests: 0 })))
    }

    /// This many empty blocks on the head. The head then.
    pub(super) fn extend(&self, blocks: usize) -> Arc<L2Block> {
        let mut state = self.0.lock();
        for _ in 0..blocks {
            state.fixture.extend(&[]);
        }
        state.head()
    }

    /// This many empty blocks, and one with a log.
    pub(super) fn extend_with_log(&self, empty: usize) -> Arc<L2Block> {
        self.extend(empty);
        let mut state = self.0.lock();
        let log = state.fixture.call(0, EMITTER, emit_call(&[B256::ZERO], b"log"), AccessList::default());
        state.fixture.extend(&[log])
    }

    /// The next block, which is not on the chain yet.
    pub(super) fn build(&self) -> Arc<L2Block> {
        let fixture = &mut self.0.lock().fixture;
        let parent = fixture.chain.head().hash;
        fixture.chain.build(parent, fixture.l1.head(), &[]).unwrap()
    }

    /// Puts the deposits-only block in a block's place.
    pub(super) fn replace(&self, block: &L2Block) -> Arc<L2Block> {
        let chain = &mut self.0.lock().fixture.chain;
        let replacement = chain.deposits_only(block.hash).unwrap();
        chain.adopt(replacement.hash).unwrap();
        replacement
    }

    pub(super) fn adopt(&self, block: &L2Block) {
        self.0.lock().fixture.chain.adopt(block.hash).unwrap();
    }

    /// Makes a block the head after this many more requests.
    pub(super) fn adopt_after(&self, requests: usize, block: &L2Block) {
        let mut state = self.0.lock();
        let at = state.requests + requests;
        state.due.insert(at, block.hash);
    }

    /// Says that this block is at a height, or again what does.
    pub(super) fn tell_at(&self, number: u64, block: Option<Arc<L2Block>>) {
        let reported = &mut self.0.lock().reported;
        match block {
            Some(block) => reported.insert(number, block),
            None => reported.remove(&number),
        };
    }

    /// Has a sibling of a block as its tip that differs in its extra data, or again the block that is there.
    pub(super) fn take_back(&self, sibling: Option<(u64, &Change)>) {
        let mut state = self.0.lock();
        state.taken_back = sibling.map(|(number, change)| {
            let block = state.fixture.chain.canonical(number).unwrap();
            let mut extra_data = block.header.extra_data.to_vec();
            change(&mut extra_data);
            let header = Header { extra_data: extra_data.into(), ..block.header.clone() };
            Arc::new(L2Block { hash: header.hash_slow(), header, ..L2Block::clone(block) })
        });
    }

    pub(super) fn canonical(&self, number: u64) -> B256 {
        self.0.lock().fixture.chain.canonical(number).unwrap().hash
    }

    pub(super) fn requests(&self) -> usize {
        self.0.lock().requests
    }

    /// How many requests there are in a time.
    pub(super) async fn requests_in(&self, time: Duration) -> usize {
        let before = self.requests();
        tokio::time::sleep(time).await;
        self.requests() - before
    }

    fn ask<T>(&self, answer: impl FnOnce(&State) -> T) -> T {
        let mut state = self.0.lock();
        state.requests += 1;
        let now = state.requests;
        if let Some(hash) = state.due.remove(&now) {
            state.fixture.chain.adopt(hash).unwrap();
        }
        answer(&state)
    }
}

fn block_ref(block: &L2Block) -> L2BlockRef {
    L2BlockRef::new(block.number(), block.hash, block.timestamp()).unwrap()
}

fn verified(block: &L2Block) -> VerifiedBlock {
    let answer = serde_json::to_value(rpc_block(block, true)).unwrap();
    VerifiedBlock::verify(serde_json::from_value(answer).unwrap()).unwrap()
}

impl BlockSource for Client {
    async fn check_chain(&self) -> Result<(), SourceError> {
        Ok(())
    }

    async fn tip(&self) -> Result<L2BlockRef, SourceError> {
        Ok(self.ask(|state| block_ref(&state.head())))
    }

    async fn labelled_status(&self, tip: L2BlockRef) -> Result<SyncStatus, SourceError> {
        let genesis = Some(block_ref(&self.0.lock().fixture.chain.genesis().clone()));
        Ok(SyncStatus { unsafe_l2: Some(tip), safe_l2: genesis, local_safe_l2: None, finalized_l2: genesis })
    }

    async fn block_by_number(&self, number: u64) -> Result<Option<VerifiedBlock>, SourceError> {
        Ok(self.ask(|state| state.at(number)).map(|block| verified(&block)))
    }

    async fn canonical_hash(&self, number: u64) -> Result<Option<B256>, SourceError> {
        Ok(self.ask(|state| state.at(number)).map(|block| block.hash))
    }

    async fn block_by_hash(&self, hash: B256) -> Result<Option<VerifiedBlock>, SourceError> {
        Ok(self.ask(|state| state.by_hash(hash)).map(|block| verified(&block)))
    }

    async fn logs(&self, block: &VerifiedBlock) -> Result<Option<Arc<ProvenLogs>>, SourceError> {
        let found = self.0.lock().by_hash(block.hash());
        Ok(found.map(|found| Arc::new(ProvenLogs::prove(chain_id(), block, &rpc_receipts(&found)).unwrap())))
    }

    fn health(&self) -> Vec<EndpointHealth> {
        Vec::new()
    }
}

/// What a reader hands on. It reads as long as this is held.
pub(super) struct Heard {
    inbox: mpsc::Receiver<MonitorMessage>,
    _reader: JoinSet<()>,
}

impl Heard {
    fn next(&mut self) -> Option<MonitorMessage> {
        loop {
            match self.inbox.try_recv().ok()? {
                MonitorMessage::Heads { .. } => {}
                other => return Some(other),
            }
        }
    }

    /// Whether neither a block nor a reorg was handed on.
    pub(super) fn is_empty(&mut self) -> bool {
        self.next().is_none()
    }

    /// The height above which blocks were dropped next.
    pub(super) fn rewound(&mut self) -> Option<u64> {
        match self.next() {
            Some(MonitorMessage::Rewound { kept, .. }) => Some(kept),
            other => panic!("{other:?}"),
        }
    }

    /// The blocks that were handed on, without any reorg.
    pub(super) fn blocks(&mut self) -> Vec<B256> {
        let mut blocks = Vec::new();
        while let Some(message) = self.next() {
            let MonitorMessage::Block(block) = message else { panic!("{message:?}") };
            blocks.push(block.key.hash);
        }
        blocks
    }

    /// The chain that follows from what was handed on, on top of this many blocks known by their heights; 0
    /// for each.
    pub(super) fn replay(&mut self, known: &[u64]) -> Vec<B256> {
        let first = known.first().copied().unwrap_or_default();
        let mut chain = vec![B256::ZERO; known.len()];
        while let Some(message) = self.next() {
            match message {
                MonitorMessage::Block(block) => {
                    assert_eq!(block.key.number, first + chain.len() as u64);
                    assert!(chain.last().is_none_or(|tip| tip.is_zero() || *tip == block.parent_hash));
                    chain.push(block.key.hash);
                }
                MonitorMessage::Rewound { kept, .. } => chain.truncate((kept + 1 - first) as usize),
                MonitorMessage::Heads { .. } => {}
            }
        }
        chain
    }
}

/// A reader at work.
pub(super) struct Reading {
    pub(super) heard: Heard,
    pub(super) health: Health,
    pub(super) hints: PollHints,
    pub(super) branches: StaleBranches,
    pub(super) metrics: MonitorMetrics,
}

/// Reads a client, looking once a second.
pub(super) fn reading(client: &Client) -> Reading {
    reading_within(client, StallBounds::LONG)
}

/// The same, where its latest block may be stalled for so long.
pub(super) fn reading_within(client: &Client, stall: StallBounds) -> Reading {
    reading_of(client, Setting { stall, ..Setting::default() })
}

/// What a reader works with.
pub(super) struct Setting {
    /// How long its client's latest block may be stalled.
    pub(super) stall: StallBounds,
    /// What its genesis is checked against.
    pub(super) genesis: Option<Ledger>,
    /// The block that its network begins with.
    pub(super) origin: Option<BlockNumHash>,
    /// Who says how far it is. `None`: the client's labels.
    pub(super) heads: Option<HeadSource>,
    /// Where it begins.
    pub(super) start: StartPoint,
    /// Whether its client is on an invalid block.
    pub(super) branches: StaleBranches,
}

impl Default for Setting {
    fn default() -> Self {
        let start = StartPoint { cursor: None, retained: 1_000 };
        let branches = StaleBranches::default();
        Self { stall: StallBounds::LONG, genesis: None, origin: None, heads: None, start, branches }
    }
}

/// Reads a client in a setting.
pub(super) fn reading_of(client: &Client, setting: Setting) -> Reading {
    let Setting { stall, genesis, origin, heads, start, branches } = setting;
    let member = Member { interop_time: UnixSeconds(0), block_time: 2 };
    let set = DependencySet::new([(chain_id(), member)].into(), 10_000);
    let metrics = MonitorMetrics::register(&Metrics::new(set).unwrap()).unwrap();
    let (monitor, inbox) = mpsc::channel(100_000);
    let (health, hints) = (Health::default(), PollHints::new([chain_id()]));
    let labels = || HeadSource::Labels { heads: Heads::new([chain_id()]), metrics: metrics.clone() };
    let reader = ChainReader::new(ChainReaderParts {
        chain_id: chain_id(),
        execution: client.clone(),
        heads: heads.unwrap_or_else(labels),
        start,
        monitor,
        hints: hints.clone(),
        interval: Duration::from_secs(1),
        stall,
        health: health.clone(),
        metrics: metrics.clone(),
        branches: branches.clone(),
        genesis,
        origin,
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { reader.run(CancellationToken::new()).await });
    Reading { heard: Heard { inbox, _reader: tasks }, health, hints, branches, metrics }
}
