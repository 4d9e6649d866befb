//! A chain's own node that lags, restarts, jumps back or contradicts its execution client: cases wait, and
//! continue.

use super::*;
use crate::audit::AuditMetrics;
use crate::audit::{Assumed, OtherNode, SecondOpinion, StatusAnswer};
use crate::ledger::{Decision, NewCase};
use crate::metrics::Metrics;
use crate::sources::{EndpointLimits, L1Client, L1Reader, StatusDocument, SyncStatus};
use alloy::eips::eip2930::AccessList;
use alloy::primitives::U64;
use crosscheck_core::case::{Discard, L1Contradiction, Superseding, Verdict};
use crosscheck_core::consolidation::Metering;
use crosscheck_core::heads::{L2BlockRef, SafeMeans};
use crosscheck_core::proof::LogIndex;
use crosscheck_core::validity::Member;
use crosscheck_devnet::chain::Chain;
use crosscheck_devnet::contracts::{EMITTER, emit_call};
use crosscheck_devnet::fixture::{CHAIN_ID, Fixture};
use crosscheck_devnet::serve::{RunningServer, l1_module, rpc_block, rpc_receipts, start};
use jsonrpsee::RpcModule;
use parking_lot::RwLock;
use rstest::rstest;
use std::time::Duration;
use tokio::time::Instant;

/// An execution client of this chain.
pub(super) async fn serve(chain: Chain) -> RunningServer {
    serve_shared(Arc::new(RwLock::new(chain))).await
}

/// An execution client of a chain that may go other ways while it is served.
pub(in crate::audit) async fn serve_shared(chain: Arc<RwLock<Chain>>) -> RunningServer {
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
    module
        .register_method("eth_getBlockReceipts", |params, chain, _| {
            let [hash]: [B256; 1] = params.parse().unwrap();
            chain.read().by_hash(hash).map(|block| rpc_receipts(block))
        })
        .unwrap();
    start(module).await.unwrap()
}

/// A chain of three blocks, its execution client, and an investigator that knows no heads yet.
async fn world() -> (Fixture, RunningServer, Investigator) {
    let mut fixture = Fixture::new(5);
    for _ in 0..3 {
        let call = fixture.call(0, EMITTER, emit_call(&[B256::ZERO], b"log"), AccessList::default());
        fixture.extend(&[call]);
    }
    let server = serve(fixture.chain.clone()).await;
    let chain_id = ChainId::from(CHAIN_ID);
    let clients = [(chain_id, client_of(&server))].into();
    let investigator = Investigator::new(parts_of(set(), clients, Heads::new([chain_id])));
    (fixture, server, investigator)
}

/// An investigator of these clients that has no L1, and nothing in a ledger.
pub(in crate::audit) fn parts_of(
    set: DependencySet,
    clients: BTreeMap<ChainId, ExecutionClient>,
    heads: Heads,
) -> InvestigatorParts {
    InvestigatorParts {
        metrics: AuditMetrics::register(&Metrics::new(set.clone()).unwrap()).unwrap(),
        set,
        clients,
        heads,
        l1: None,
        rules: BTreeMap::new(),
        ledger: None,
        derived: std::collections::BTreeSet::new(),
        branches: StaleBranches::default(),
        remembers_final: false,
    }
}

pub(in crate::audit) fn set() -> DependencySet {
    let member = Member { interop_time: UnixSeconds(0), block_time: 2 };
    DependencySet::new([(ChainId::from(CHAIN_ID), member)].into(), 100)
}

pub(in crate::audit) fn metrics() -> AuditMetrics {
    AuditMetrics::register(&Metrics::new(set()).unwrap()).unwrap()
}

pub(in crate::audit) const fn limits() -> EndpointLimits {
    EndpointLimits {
        timeout: Duration::from_secs(300),
        max_response_bytes: 1 << 20,
        max_concurrent_requests: 8,
    }
}

pub(in crate::audit) fn client_of(server: &RunningServer) -> ExecutionClient {
    let url = server.url().parse().unwrap();
    ExecutionClient::new(ChainId::from(CHAIN_ID), &[url], 1, limits(), LogIndex::new(1 << 20)).unwrap()
}

/// What a node says whose local-safe head is this block.
pub(in crate::audit) fn heads_at(fixture: &Fixture, number: u64, hash: Option<B256>) -> SyncStatus {
    let block = fixture.chain.canonical(number).unwrap();
    let hash = hash.unwrap_or(block.hash);
    let head = L2BlockRef::new(number, hash, block.timestamp());
    SyncStatus { unsafe_l2: head, safe_l2: head, local_safe_l2: head, finalized_l2: head }
}

async fn investigate(investigator: &Investigator, case: Case) -> (Case, Vec<(Awaited, Cause)>) {
    let Investigation { case, waits, .. } = investigator.investigate(case).await;
    (case, waits.into_iter().map(|wait| (wait.awaited, wait.cause)).collect())
}

/// A case about the chain's block at a height.
async fn case(fixture: &Fixture, investigator: &Investigator, number: u64) -> Case {
    let hash = fixture.chain.canonical(number).unwrap().hash;
    let key = BlockKey { chain_id: ChainId::from(CHAIN_ID), number, hash };
    let block = investigator.fetch(key).await.unwrap();
    Case::new(key, investigator.rules(key.chain_id), BlockAttributes::of_block(&block))
}

#[tokio::test]
async fn a_case_waits_for_a_lagging_node() {
    let (fixture, _server, investigator) = world().await;
    investigator.parts.heads.set(CHAIN_ID.into(), Some(heads_at(&fixture, 1, None)));
    let case = case(&fixture, &investigator, 2).await;
    let (case, waits) = investigate(&investigator, case).await;
    assert_eq!((case.verdict(), waits), (None, vec![(Awaited::LocalSafe, Cause::NotYet)]));
    investigator.parts.heads.set(CHAIN_ID.into(), Some(heads_at(&fixture, 3, None)));
    let (case, waits) = investigate(&investigator, case).await;
    assert_eq!((case.verdict(), waits), (Some(&crosscheck_core::case::Verdict::Upheld), vec![]));
}

#[tokio::test]
async fn a_case_waits_for_a_node_without_heads() {
    let (fixture, _server, investigator) = world().await;
    investigator.parts.heads.set(CHAIN_ID.into(), Some(SyncStatus::default()));
    let case = case(&fixture, &investigator, 2).await;
    let (case, waits) = investigate(&investigator, case).await;
    assert_eq!((case.verdict(), waits), (None, vec![(Awaited::LocalSafe, Cause::NotYet)]));
    investigator.parts.heads.set(CHAIN_ID.into(), Some(heads_at(&fixture, 3, None)));
    assert!(investigate(&investigator, case).await.0.verdict().is_some());
}

#[tokio::test]
async fn a_node_that_restarts_leaves_cases_open() {
    let (fixture, _server, investigator) = world().await;
    let case = case(&fixture, &investigator, 2).await;
    let (case, waits) = investigate(&investigator, case).await;
    assert_eq!((case.verdict(), waits), (None, vec![(Awaited::LocalSafe, Cause::EndpointError)]));
    investigator.parts.heads.set(CHAIN_ID.into(), Some(heads_at(&fixture, 3, None)));
    assert!(investigate(&investigator, case).await.0.verdict().is_some());
}

#[tokio::test]
async fn a_node_whose_heads_move_back_finds_no_block_invalid() {
    let (fixture, _server, investigator) = world().await;
    investigator.parts.heads.set(CHAIN_ID.into(), Some(heads_at(&fixture, 3, None)));
    investigator.parts.heads.set(CHAIN_ID.into(), Some(heads_at(&fixture, 1, None)));
    let later = case(&fixture, &investigator, 3).await;
    let (later, waits) = investigate(&investigator, later).await;
    assert_eq!((later.verdict(), waits), (None, vec![(Awaited::LocalSafe, Cause::NotYet)]));
    let earlier = case(&fixture, &investigator, 1).await;
    assert!(investigate(&investigator, earlier).await.0.verdict().is_some());
}

#[tokio::test]
async fn a_case_waits_for_the_execution_client_to_reach_the_head() {
    let (fixture, _server, investigator) = world().await;
    let other = Some(B256::repeat_byte(9));
    investigator.parts.heads.set(CHAIN_ID.into(), Some(heads_at(&fixture, 2, other)));
    let case = case(&fixture, &investigator, 2).await;
    let (case, waits) = investigate(&investigator, case).await;
    assert_eq!((case.verdict(), waits), (None, vec![(Awaited::LocalSafe, Cause::NotYet)]));
}

#[tokio::test]
async fn an_unavailable_client_leaves_cases_open() {
    let (fixture, server, investigator) = world().await;
    investigator.parts.heads.set(CHAIN_ID.into(), Some(heads_at(&fixture, 3, None)));
    let case = case(&fixture, &investigator, 2).await;
    server.stop().await;
    let (case, waits) = investigate(&investigator, case).await;
    assert_eq!((case.verdict(), waits), (None, vec![(Awaited::LocalSafe, Cause::EndpointError)]));
}

/// What a node says that has read L1 up to this block.
pub(in crate::audit) fn answer_at(current_l1: BlockNumHash) -> StatusAnswer {
    let none = serde_json::Value::Null;
    let (number, hash) = (current_l1.number, current_l1.hash);
    let status = serde_json::json!({
        "current_l1": { "number": number, "hash": hash }, "unsafe_l2": none, "safe_l2": none, "finalized_l2": none,
    });
    let status = serde_json::value::to_raw_value(&status).unwrap();
    let document = StatusDocument::read(&status).unwrap();
    StatusAnswer { document, at: Instant::now(), place: 0, safe_means: SafeMeans::default() }
}

/// Where L1 has reorged out what the node has read, the batch of what the node has may be gone, too.
#[rstest]
#[case::l1_has_the_blocks_that_the_node_read(false, "violated")]
#[case::l1_has_dropped_it(true, "open: LocalSafe, OtherFork")]
#[tokio::test]
async fn a_node_that_has_read_another_l1_finds_no_block_invalid(
    #[case] is_dropped: bool,
    #[case] expected: &str,
) {
    let (mut fixture, _before, investigator) = world().await;
    let parent = fixture.chain.canonical(2).unwrap().hash;
    let sibling = fixture.chain.build(parent, fixture.l1.head(), &[]).unwrap();
    let server = serve(fixture.chain.clone()).await;
    let l1 = start(l1_module(Arc::new(RwLock::new(fixture.l1.clone()))).unwrap()).await.unwrap();
    let (chain_id, limits) = (ChainId::from(CHAIN_ID), limits());
    let client = client_of(&server);
    let judge = L1Judge::new(
        L1Reader::new(L1Client::new(l1.url().parse().unwrap(), limits).unwrap()),
        [],
        Arc::default(),
        metrics(),
    );
    let investigator = Investigator::new(InvestigatorParts {
        clients: [(chain_id, client)].into(),
        l1: Some(judge),
        ..investigator.parts
    });
    investigator.parts.heads.set(chain_id, Some(heads_at(&fixture, 3, None)));
    let read = fixture.l1.head().id();
    let read = if is_dropped { BlockNumHash { hash: B256::repeat_byte(9), ..read } } else { read };
    investigator.parts.heads.set_answer(chain_id, answer_at(read));
    let key = BlockKey { chain_id, number: 3, hash: sibling.hash };
    let block = investigator.fetch(key).await.unwrap();
    let case = Case::new(key, CaseRules::default(), BlockAttributes::of_block(&block));
    let (case, waits) = investigate(&investigator, case).await;
    let waits = waits.first().map(|(awaited, cause)| format!("open: {awaited:?}, {cause:?}"));
    let found = case.verdict().map(|verdict| verdict.name().to_owned()).or(waits);
    assert_eq!(found.as_deref(), Some(expected));
}

/// Nodes read a batch with such a payload differently: whichever block a node has, neither is wrong for all
/// of them.
#[rstest]
#[case::of_the_attested_block(Metering::Unreadable, false, "open: LocalSafe, Unsupported")]
#[case::of_the_block_that_the_node_has(Metering::Unreadable, true, "upheld")]
#[case::sound(Metering::Last { block_number: 3 }, false, "violated")]
#[case::none(Metering::None, false, "violated")]
#[tokio::test]
async fn a_metering_that_nodes_read_differently_finds_no_block_invalid(
    #[case] metering: Metering,
    #[case] is_derived: bool,
    #[case] expected: &str,
) {
    let (mut fixture, _before, investigator) = world().await;
    let parent = fixture.chain.canonical(2).unwrap().hash;
    let sibling = fixture.chain.build(parent, fixture.l1.head(), &[]).unwrap();
    let server = serve(fixture.chain.clone()).await;
    let chain_id = ChainId::from(CHAIN_ID);
    let investigator = Investigator::new(InvestigatorParts {
        clients: [(chain_id, client_of(&server))].into(),
        ..investigator.parts
    });
    investigator.parts.heads.set(chain_id, Some(heads_at(&fixture, 3, None)));
    let own = fixture.chain.canonical(3).unwrap().hash;
    let key = BlockKey { chain_id, number: 3, hash: if is_derived { own } else { sibling.hash } };
    let block = investigator.fetch(key).await.unwrap();
    let attributes = BlockAttributes { metering, ..BlockAttributes::of_block(&block) };
    let case = Case::new(key, CaseRules::default(), attributes);
    let (case, waits) = investigate(&investigator, case).await;
    let waits = waits.first().map(|(awaited, cause)| format!("open: {awaited:?}, {cause:?}"));
    let found = case.verdict().map(|verdict| verdict.name().to_owned()).or(waits);
    assert_eq!(found.as_deref(), Some(expected));
    if expected.starts_with("open") {
        let wait = Wait { awaited: Awaited::LocalSafe, chain_id, cause: Cause::Unsupported };
        let reported = investigator.reasons.in_words(&[wait].into());
        assert!(reported.ends_with(&DepositsError::Metering.to_string()), "{reported}");
    }
}

/// A ledger in which this block was found to be so. `None`: it has no case.
async fn ledger_of(dir: &tempfile::TempDir, key: BlockKey, found: Option<&Verdict>) -> Ledger {
    let ledger = Ledger::open(&dir.path().join("ledger.sqlite")).await.unwrap();
    let Some(verdict) = found else { return ledger };
    let (parent_hash, timestamp) = (B256::ZERO, UnixSeconds(1));
    let case = NewCase::Ancestor { key, parent_hash, timestamp, l1_origin: None };
    ledger.open_case(&case, UnixSeconds(1)).await.unwrap();
    let decision = Decision {
        key,
        verdict,
        detail: String::new(),
        messages: &[],
        replaces: None,
        l1: None,
        waits: &BTreeSet::new(),
        at: UnixSeconds(1),
        after: Duration::ZERO,
    };
    ledger.decide(&decision).await.unwrap();
    ledger
}

fn discarded() -> Verdict {
    let error = DepositsError::Metering;
    Verdict::Discarded(Discard::ContradictsL1(L1Contradiction::Origin(error)))
}

fn superseded() -> Verdict {
    Verdict::Superseded(Superseding::Origin(BlockNumHash { number: 1, hash: B256::ZERO }))
}

/// The node's chain has another block two heights in a row: where they part is the lower one, and the upper
/// one is to be blamed for that only if the lower one is.
#[rstest]
#[case::the_parent_is_upheld(Some(Verdict::Upheld), "open: OtherFork")]
#[case::the_parent_is_unknown(None, "open: OtherFork")]
#[case::the_parent_is_invalid(Some(discarded()), "discarded")]
#[case::the_parent_went_with_its_branch(Some(superseded()), "superseded")]
#[tokio::test]
async fn the_block_where_branches_split_is_judged(#[case] parent: Option<Verdict>, #[case] expected: &str) {
    let (mut fixture, _server, investigator) = world().await;
    let chain = &mut fixture.chain;
    let first = chain.canonical(1).unwrap().hash;
    let lower = chain.build(first, fixture.l1.head(), &[]).unwrap();
    let upper = chain.build(lower.hash, fixture.l1.head(), &[]).unwrap();
    // What the server knows was cloned before: it is served again.
    let server = serve(fixture.chain.clone()).await;
    let chain_id = ChainId::from(CHAIN_ID);
    let key = |block: &crosscheck_devnet::chain::L2Block| BlockKey {
        chain_id,
        number: block.header.number,
        hash: block.hash,
    };
    let dir = tempfile::TempDir::new().unwrap();
    let ledger = ledger_of(&dir, key(&lower), parent.as_ref()).await;
    let clients = [(chain_id, client_of(&server))].into();
    let investigator =
        Investigator::new(InvestigatorParts { clients, ledger: Some(ledger), ..investigator.parts });
    investigator.parts.heads.set(chain_id, Some(heads_at(&fixture, 3, None)));
    let block = investigator.fetch(key(&upper)).await.unwrap();
    let case = Case::new(key(&upper), CaseRules::default(), BlockAttributes::of_block(&block));
    let (case, waits) = investigate(&investigator, case).await;
    let waits = waits.first().map(|(_, cause)| format!("open: {cause:?}"));
    let found = case.verdict().map(|verdict| verdict.name().to_owned()).or(waits);
    assert_eq!(found.as_deref(), Some(expected));
}

/// A node that reports a head with another time than its block has: what is missing is checked against that
/// block's own.
#[rstest]
#[case::the_client_has_the_head(None, true)]
#[case::the_client_has_another(Some(B256::repeat_byte(9)), false)]
#[tokio::test]
async fn a_block_proves_that_its_chain_has_reached_its_height(
    #[case] hash: Option<B256>,
    #[case] is_proven: bool,
) {
    let (fixture, _server, investigator) = world().await;
    let (chain_id, tip) = (ChainId::from(CHAIN_ID), fixture.chain.canonical(3).unwrap());
    let reported = L2BlockRef::new(3, hash.unwrap_or(tip.hash), UnixSeconds(u64::MAX));
    let reported = SyncStatus { local_safe_l2: reported, ..heads_at(&fixture, 3, None) };
    investigator.parts.heads.set(chain_id, Some(reported));
    let ask = BlockRequest { chain_id, number: Some(9), timestamp: UnixSeconds(tip.timestamp().0 + 4) };
    let found = investigator.fetch_requested(ask, None, &BTreeSet::new()).await;
    let proven = match found {
        Ok(surroundings::Fetched::Tip { number, timestamp }) => Some((number, timestamp)),
        Ok(_) => panic!("a block"),
        Err(_) => None,
    };
    assert_eq!(proven, is_proven.then(|| (3, tip.timestamp())));
}

/// What the chain's nodes say of a height where an attested block is not theirs.
#[derive(Clone, Copy, Debug)]
enum Said {
    /// The node in use has derived its block.
    Own,
    /// It repeats its source's word.
    Repeated,
    /// It repeats that, and another node has derived the same.
    ByAnother,
    /// It repeats that, and another node has derived the attested block.
    OtherwiseByAnother,
    /// It repeats that, and another node has begun above it.
    ByAnotherAbove,
    /// It has begun above it.
    Assumed,
    /// It has begun below it.
    DerivedAboveAssumed,
}

#[rstest]
#[case::own(Said::Own, "violated")]
#[case::repeated(Said::Repeated, "open: SecondOpinion, SecondHand")]
#[case::by_another(Said::ByAnother, "violated")]
#[case::otherwise_by_another(Said::OtherwiseByAnother, "open: SecondOpinion, SecondHand")]
#[case::by_another_that_began_above(Said::ByAnotherAbove, "open: SecondOpinion, SecondHand")]
#[case::assumed(Said::Assumed, "open: SecondOpinion, SecondHand")]
#[case::derived(Said::DerivedAboveAssumed, "violated")]
#[tokio::test]
async fn a_node_that_repeats_another_source_finds_no_block_invalid(
    #[case] said: Said,
    #[case] expected: &str,
) {
    let (mut fixture, _before, investigator) = world().await;
    let parent = fixture.chain.canonical(2).unwrap().hash;
    let sibling = fixture.chain.build(parent, fixture.l1.head(), &[]).unwrap();
    let server = serve(fixture.chain.clone()).await;
    let chain_id = ChainId::from(CHAIN_ID);
    let investigator = Investigator::new(InvestigatorParts {
        clients: [(chain_id, client_of(&server))].into(),
        ..investigator.parts
    });
    investigator.parts.heads.set(chain_id, Some(heads_at(&fixture, 3, None)));
    let from = |number| SecondOpinion::Own { assumed: Some(Assumed { number, timestamp: UnixSeconds(1) }) };
    let derived = fixture.chain.canonical(3).unwrap().hash;
    let (opinion, other) = match said {
        Said::Own => (SecondOpinion::default(), None),
        Said::Repeated => (SecondOpinion::Repeated, None),
        Said::ByAnother => (SecondOpinion::Repeated, Some((derived, from(2)))),
        Said::OtherwiseByAnother => (SecondOpinion::Repeated, Some((sibling.hash, from(2)))),
        Said::ByAnotherAbove => (SecondOpinion::Repeated, Some((derived, from(3)))),
        Said::Assumed => (from(3), None),
        Said::DerivedAboveAssumed => (from(2), None),
    };
    investigator.parts.heads.set_second_opinion(chain_id, opinion);
    let other = other.map(|(hash, opinion)| OtherNode {
        local_safe: BlockNumHash { number: 3, hash },
        opinion,
        at: Instant::now(),
    });
    investigator.parts.heads.set_others(chain_id, other.into_iter().collect());
    let key = BlockKey { chain_id, number: 3, hash: sibling.hash };
    let block = investigator.fetch(key).await.unwrap();
    let case = Case::new(key, CaseRules::default(), BlockAttributes::of_block(&block));
    let (case, waits) = investigate(&investigator, case).await;
    let reported = waits.first().map(|(awaited, cause)| format!("open: {awaited:?}, {cause:?}"));
    let found = case.verdict().map(|verdict| verdict.name().to_owned()).or(reported);
    assert_eq!(found.as_deref(), Some(expected));
    if case.verdict().is_some() {
        return;
    }
    // A node that derives the chain is taken instead, or the one in use comes to what was attested.
    investigator.parts.heads.set_second_opinion(chain_id, SecondOpinion::default());
    let (case, _) = investigate(&investigator, case).await;
    assert_eq!(case.verdict().map(Verdict::name), Some("violated"));
}

#[tokio::test]
async fn a_block_that_a_repeating_node_has_is_upheld() {
    let (fixture, _server, investigator) = world().await;
    investigator.parts.heads.set(CHAIN_ID.into(), Some(heads_at(&fixture, 3, None)));
    investigator.parts.heads.set_second_opinion(CHAIN_ID.into(), SecondOpinion::Repeated);
    let case = case(&fixture, &investigator, 2).await;
    let (case, _) = investigate(&investigator, case).await;
    assert_eq!(case.verdict(), Some(&Verdict::Upheld));
}
