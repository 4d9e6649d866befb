//! The ceiling of a follower whose chain's blocks are served over a socket, audited in a real ledger and
//! tracked.

use super::*;
use crate::audit::Heads;
use crate::config::FollowMode;
use crate::follow::follower::Followed;
use crate::follow::{FollowMetrics, FollowerParts, Lagoon, Served, Upstream};
use crate::health::Health;
use crate::invalid_blocks::InvalidBlocks;
use crate::ledger::{Decision, Ledger, NewCase, Resolution};
use crate::metrics::Metrics;
use crate::shared_tracker::TrackerWriter;
use crate::sources::{EndpointLimits, EndpointNames, ExecutionClient, RollupNodes, SyncStatus};
use alloy::eips::eip2930::AccessList;
use alloy::primitives::U64;
use crosscheck_core::case::Verdict;
use crosscheck_core::heads::L2BlockRef;
use crosscheck_core::message::{BlockKey, ExecutingMessage, Identifier, Message};
use crosscheck_core::proof::{Executed, LogIndex};
use crosscheck_core::tracker::{Input, ObservedBlock, Tracker, TrackerLimits};
use crosscheck_core::validity::{DependencySet, Member};
use crosscheck_devnet::chain::{Chain, L2Block};
use crosscheck_devnet::contracts::{EMITTER, emit_call};
use crosscheck_devnet::fixture::{CHAIN_ID, Fixture};
use crosscheck_devnet::serve::{RunningServer, rpc_block, start};
use crosscheck_p2p::UnixSeconds;
use jsonrpsee::RpcModule;
use parking_lot::RwLock;
use rstest::rstest;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::Instant;

const OTHER: u64 = 902;
const LIMITS: EndpointLimits = EndpointLimits {
    timeout: Duration::from_secs(300),
    max_response_bytes: 1 << 20,
    max_concurrent_requests: 8,
};
/// The block that the audit began after, and the vouched head.
const ANCHOR: u64 = 2;
const VOUCHED: u64 = 8;
const TIP: u64 = 10;

fn own() -> ChainId {
    ChainId::from(CHAIN_ID)
}

fn other() -> ChainId {
    ChainId::from(OTHER)
}

/// A chain of ten blocks whose third to eighth block are upheld, and a follower of it.
struct World {
    follower: Follower,
    tracker: TrackerWriter,
    fixture: Fixture,
    chain: Arc<RwLock<Chain>>,
    genesis: Genesis,
    server: RunningServer,
    _dir: TempDir,
}

async fn serve(chain: Arc<RwLock<Chain>>) -> RunningServer {
    let mut module = RpcModule::from_arc(chain);
    module
        .register_method("eth_getBlockByNumber", |params, chain, _| {
            let (number, _): (U64, bool) = params.parse().unwrap();
            chain.read().canonical(number.to()).map(|block| rpc_block(block, true))
        })
        .unwrap();
    module
        .register_method("eth_getBlockByHash", |params, chain, _| {
            let (hash, _): (B256, bool) = params.parse().unwrap();
            chain.read().by_hash(hash).map(|block| rpc_block(block, true))
        })
        .unwrap();
    start(module).await.unwrap()
}

async fn uphold(ledger: &Ledger, block: &L2Block) {
    let key = BlockKey { chain_id: own(), number: block.number(), hash: block.hash };
    let (parent_hash, at) = (block.header.parent_hash, UnixSeconds(1));
    let case = NewCase::Ancestor { key, parent_hash, timestamp: block.timestamp(), l1_origin: None };
    ledger.open_case(&case, at).await.unwrap();
    let decision = Decision {
        key,
        verdict: &Verdict::Upheld,
        detail: String::new(),
        messages: &[],
        replaces: None,
        l1: None,
        waits: &BTreeSet::new(),
        at,
        after: Duration::ZERO,
    };
    ledger.decide(&decision).await.unwrap();
}

fn at(fixture: &Fixture, number: u64) -> BlockNumHash {
    BlockNumHash { number, hash: fixture.chain.canonical(number).unwrap().hash }
}

async fn world() -> World {
    let mut fixture = Fixture::new(5);
    let dir = TempDir::new().unwrap();
    let ledger = Ledger::open(&dir.path().join("ledger.sqlite")).await.unwrap();
    for number in 1..=TIP {
        let log = fixture.call(0, EMITTER, emit_call(&[B256::ZERO], b"log"), AccessList::default());
        fixture.extend(if number == VOUCHED { std::slice::from_ref(&log) } else { &[] });
    }
    ledger.anchor(own(), at(&fixture, ANCHOR)).await.unwrap();
    for number in ANCHOR + 1..=VOUCHED {
        uphold(&ledger, fixture.chain.canonical(number).unwrap()).await;
    }
    let chain = Arc::new(RwLock::new(fixture.chain.clone()));
    let server = serve(Arc::clone(&chain)).await;
    let genesis = Genesis { l1: BlockNumHash::default(), l2: at(&fixture, 0) };
    let (follower, tracker) = follower(ledger, &server);
    World { follower, tracker, fixture, chain, genesis, server, _dir: dir }
}

fn follower(ledger: Ledger, server: &RunningServer) -> (Follower, TrackerWriter) {
    let member = Member { interop_time: UnixSeconds(0), block_time: 2 };
    let set = DependencySet::new([(own(), member), (other(), member)].into(), 1_000_000);
    let index = LogIndex::new(1 << 20);
    let limits = TrackerLimits { max_messages: 100, retention: 1_000_000_000, ended_kept: 10 };
    let tracker = TrackerWriter::new(Tracker::new(set.clone(), index.clone(), limits));
    let (heads, invalid) = (Heads::new(set.chain_ids()), InvalidBlocks::new(set.chain_ids()));
    let url = || server.url().parse().unwrap();
    let parts = FollowerParts {
        chain_id: own(),
        mode: FollowMode::Verified,
        ledger,
        execution: ExecutionClient::new(own(), &[url()], 1, LIMITS, index).unwrap(),
        sibling: RollupNodes::new(own(), &[url()], LIMITS).unwrap(),
        upstream: Upstream::sibling(&heads, own(), Vec::new()),
        auditor: mpsc::channel(1).0,
        heads,
        set: set.clone(),
        tracker: tracker.tracker(),
        waits_for_others: true,
        safe_stalls: BTreeMap::new(),
        block_time: 2,
        interval: Duration::from_secs(1),
        invalid: invalid.clone(),
        served: Served::new([own()], invalid, crate::audit::LongOpenCases::default()),
        names: EndpointNames::new([]),
        health: Health::default(),
        metrics: FollowMetrics::register(&Metrics::new(set).unwrap()).unwrap(),
    };
    (Follower::new(parts), tracker)
}

impl World {
    /// The time of a block.
    fn time(&self, number: u64) -> u64 {
        self.fixture.chain.canonical(number).unwrap().timestamp().0
    }

    async fn block(&self, number: u64) -> L2Ref {
        let hash = self.fixture.chain.canonical(number).unwrap().hash;
        let block = self.follower.parts.execution.block_by_hash(hash).await.unwrap().unwrap();
        L2Ref::of_block(&block, &self.genesis).unwrap()
    }

    /// Interop activates with this block.
    fn activate_at(&mut self, number: u64) {
        let lagoon = Lagoon::at(self.time(number));
        self.follower.chain = Some(Followed { genesis: self.genesis, lagoon });
    }

    /// The chains had time enough to be read.
    fn has_waited(&mut self) {
        self.follower.kept_since = Instant::now().checked_sub(READ_WITHIN);
        assert!(self.follower.kept_since.is_some(), "the machine's clock begins after it");
    }

    /// Both chains are derived up to one block, final up to another, and read up to the tip. `invalid`: the
    /// block of a chain with a message that is not known to be valid.
    fn progress(&mut self, local_safe: u64, finalized: u64, invalid: Option<(ChainId, u64)>) {
        let head =
            |number: u64| L2BlockRef::new(number, B256::repeat_byte(1), UnixSeconds(self.time(number)));
        let status = SyncStatus {
            local_safe_l2: head(local_safe),
            finalized_l2: head(finalized),
            ..SyncStatus::default()
        };
        self.follower.parts.heads.set(other(), Some(status));
        self.has_waited();
        for chain_id in [own(), other()] {
            for number in 1..=TIP {
                let is_invalid = invalid == Some((chain_id, number));
                let block = self.observed(chain_id, number, is_invalid);
                assert_eq!(self.tracker.apply(Input::Block(Arc::new(block))).refused, None);
            }
        }
    }

    fn observed(&self, chain_id: ChainId, number: u64, cites: bool) -> ObservedBlock {
        let block = self.fixture.chain.canonical(number).unwrap();
        let identifier = Identifier {
            origin: alloy::primitives::Address::ZERO,
            block_number: number - 1,
            log_index: 0,
            timestamp: UnixSeconds(self.time(number - 1)),
            chain_id: other(),
        };
        let message = Message { identifier, payload_hash: B256::ZERO };
        let executed = Executed {
            log_index: 1,
            transaction_index: 1,
            by_deposit: false,
            message: ExecutingMessage { log_index: 1, message },
        };
        ObservedBlock {
            key: BlockKey { chain_id, number, hash: block.hash },
            parent_hash: block.header.parent_hash,
            timestamp: block.timestamp(),
            executed: if cites { vec![executed] } else { Vec::new() },
            transactions: Vec::new(),
            undecodable: Vec::new(),
            undeclared: Vec::new(),
            is_deposits_only: false,
        }
    }

    /// The heights of what may be served as safe, and as final.
    async fn ceiling(&self) -> Result<(u64, Option<u64>), FollowError> {
        let limits = self.follower.limits().await?;
        let vouched = self.block(VOUCHED).await;
        let ceiling = self.follower.ceiling(vouched, None, &limits, &self.genesis).await?;
        let finalized = match ceiling.final_limit {
            FinalLimit::None => None,
            FinalLimit::At(block) => Some(block.number),
            FinalLimit::Unknown => panic!("the finality limit is not known"),
        };
        Ok((ceiling.safe.number, finalized))
    }

    /// A sibling of a block, which is canonical from now on, on the same parent.
    fn replace(&mut self, number: u64) -> BlockNumHash {
        let hash = self.fixture.chain.canonical(number).unwrap().hash;
        let mut chain = self.chain.write();
        let replacement = chain.deposits_only(hash).unwrap();
        chain.adopt(replacement.hash).unwrap();
        BlockNumHash { number, hash: replacement.hash }
    }
}

/// An invalid message holds this chain wherever it is, also below what the other chain calls final.
#[rstest]
#[case::nothing(TIP, TIP, None, (8, None))]
#[case::another_chain_is_derived_so_far(6, 4, None, (6, Some(4)))]
#[case::another_chain_has_an_invalid_message(TIP, TIP, Some((other(), 6)), (5, None))]
#[case::the_chain_itself_has_one(TIP, TIP, Some((own(), 7)), (6, None))]
#[case::all_of_it(7, 3, Some((other(), 6)), (5, Some(3)))]
#[case::in_the_first_block_that_was_read(TIP, TIP, Some((other(), 1)), (0, None))]
#[tokio::test]
async fn the_vouched_head_is_lowered_to_what_all_chains_allow(
    #[case] local_safe: u64,
    #[case] finalized: u64,
    #[case] invalid: Option<(ChainId, u64)>,
    #[case] expected: (u64, Option<u64>),
) {
    let mut world = world().await;
    world.activate_at(0);
    world.progress(local_safe, finalized, invalid);
    assert_eq!(world.ceiling().await.unwrap(), expected);
}

#[tokio::test]
async fn an_operators_resolution_lets_the_served_head_pass() {
    let mut world = world().await;
    world.activate_at(0);
    world.progress(TIP, TIP, Some((own(), TIP)));
    let block = world.fixture.chain.canonical(TIP).unwrap();
    let key = BlockKey { chain_id: own(), number: TIP, hash: block.hash };
    let (ledger, parent_hash) = (&world.follower.parts.ledger, block.header.parent_hash);
    let case = NewCase::Ancestor { key, parent_hash, timestamp: block.timestamp(), l1_origin: None };
    ledger.open_case(&case, UnixSeconds(1)).await.unwrap();
    let until = async || world.follower.verified_until(own(), 0).await.unwrap();
    assert_eq!(until().await, Some(world.time(TIP) - 1));
    let resolution = Resolution { key, reason: "checked by hand".to_owned(), is_unjudged: true };
    ledger.resolve(&resolution, UnixSeconds(1)).await.unwrap().unwrap();
    assert_eq!(until().await, Some(world.time(TIP)));
}

#[tokio::test]
async fn a_chain_that_was_not_read_yet_allows_nothing() {
    let mut world = world().await;
    world.activate_at(0);
    let error = world.ceiling().await.unwrap_err();
    assert!(matches!(error, FollowError::Keep(Keep::DependencyUnknown { .. })), "{error}");
    // Before interop it does not matter.
    world.activate_at(VOUCHED + 1);
    assert_eq!(world.ceiling().await.unwrap(), (8, None));
    // Where somebody else has waited for the other chains, neither.
    world.activate_at(0);
    world.follower.parts.waits_for_others = false;
    assert_eq!(world.ceiling().await.unwrap(), (8, None));
}

/// An earlier run may have served what is above.
#[rstest]
#[case::their_tips_are_below_what_is_derived(TIP, None, None)]
#[case::a_message_is_not_checked_yet(TIP, Some((other(), 6)), None)]
#[case::that_is_above_what_is_derived(7, Some((other(), 9)), Some(7))]
#[tokio::test]
async fn nothing_is_served_at_first_while_the_chains_are_being_read(
    #[case] local_safe: u64,
    #[case] unknown: Option<(ChainId, u64)>,
    #[case] expected: Option<u64>,
) {
    let mut world = world().await;
    world.activate_at(0);
    world.progress(local_safe, TIP, unknown);
    if unknown.is_none() {
        world.tracker.apply(Input::Rewound { chain_id: other(), kept: 5 });
    }
    world.follower.kept_since = None;
    let safe = world.ceiling().await.ok().map(|(safe, _)| safe);
    assert_eq!(safe, expected);
    world.has_waited();
    assert!(world.ceiling().await.is_ok(), "not for ever");
}

/// Otherwise the safe head would go back when interop activates.
#[tokio::test]
async fn no_limit_is_below_the_last_block_before_interop() {
    let mut world = world().await;
    world.activate_at(6);
    world.progress(3, 1, None);
    assert_eq!(world.ceiling().await.unwrap(), (5, None));
}

#[tokio::test]
async fn a_block_below_the_start_of_the_audit_is_served_as_its_client_has_it() {
    let mut world = world().await;
    world.activate_at(0);
    world.progress(ANCHOR - 1, 0, None);
    assert_eq!(world.ceiling().await.unwrap(), (1, Some(0)));
}

#[tokio::test]
async fn a_client_on_another_branch_is_not_asked_for_the_block_below() {
    let mut world = world().await;
    world.activate_at(0);
    world.progress(5, 5, None);
    let vouched = world.block(VOUCHED).await;
    let replaced = world.replace(VOUCHED);
    let error = world.ceiling().await.unwrap_err();
    assert!(matches!(error, FollowError::Keep(Keep::Elsewhere { number: VOUCHED, .. })), "{error}");
    // It has the block that the vouched one replaces: their ancestors are the same.
    let limits = world.follower.limits().await.unwrap();
    let ceiling = world.follower.ceiling(vouched, Some(replaced.hash), &limits, &world.genesis).await;
    assert_eq!(ceiling.unwrap().safe.number, 5);
}

#[rstest]
#[case::not_upheld(5, 2)]
#[case::later_than_its_height_says(5, 3)]
#[tokio::test]
async fn a_block_that_is_not_known_to_be_right_is_not_served(
    #[case] local_safe: u64,
    #[case] block_time: u64,
) {
    let mut world = world().await;
    world.activate_at(0);
    world.progress(local_safe, local_safe, None);
    world.follower.parts.block_time = block_time;
    let dir = TempDir::new().unwrap();
    if block_time == 2 {
        // Another audit, in which nothing is upheld above genesis.
        let ledger = Ledger::open(&dir.path().join("ledger.sqlite")).await.unwrap();
        ledger.anchor(own(), at(&world.fixture, 0)).await.unwrap();
        world.follower.parts.ledger = ledger;
    }
    let error = world.ceiling().await.unwrap_err();
    assert!(matches!(error, FollowError::Keep(Keep::DependencyBehind { .. })), "{error}");
}

#[tokio::test]
async fn an_unknown_finality_limit_comes_from_a_failed_request_alone() {
    let mut world = world().await;
    world.activate_at(0);
    world.progress(TIP, 4, None);
    let limits = world.follower.limits().await.unwrap();
    let vouched = world.block(VOUCHED).await;
    world.server.stop().await;
    let ceiling = world.follower.ceiling(vouched, None, &limits, &world.genesis).await.unwrap();
    assert_eq!((ceiling.safe, ceiling.final_limit), (vouched, FinalLimit::Unknown));
}
