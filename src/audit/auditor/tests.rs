//! The auditor beside a real ledger, with no node that answers.

mod claims;
mod gap;
mod ties;
mod vouched;

use super::*;
use crate::audit::Heads;
use crate::audit::investigator::tests::parts_of;
use crate::health::{Health, HealthPart};
use crate::ledger::{Backoff, MAX_ADVANCE};
use crate::telemetry::captured::Lines;
use alloy::primitives::B256;
use crosscheck_core::case::{Awaited, CaseRules, Cause, Wait};
use crosscheck_core::consolidation::sample;
use crosscheck_core::heads::L2BlockRef;
use crosscheck_core::validity::DependencySet;
use crosscheck_p2p::SystemClock;
use tempfile::TempDir;
use tokio::task::JoinSet;

/// How long anything may take: far more than it ever takes, however busy the machine is.
const DEADLINE: Duration = Duration::from_secs(300);

const BACKOFF: Backoff = Backoff { first: Duration::from_millis(1), longest: Duration::from_millis(4) };

fn chain() -> ChainId {
    ChainId::from(901)
}

fn key(number: u64) -> BlockKey {
    BlockKey { chain_id: chain(), number, hash: B256::repeat_byte(1) }
}

struct World {
    ledger: Ledger,
    health: Health,
    cancel: CancellationToken,
    inbox: mpsc::Sender<AuditorMessage>,
    dir: TempDir,
}

async fn world() -> (Auditor, World) {
    world_with(Heads::new([chain()])).await
}

async fn world_with(heads: Heads) -> (Auditor, World) {
    let set = DependencySet::new([].into(), 100);
    let parts = parts_of(set, BTreeMap::new(), heads);
    let metrics = parts.metrics.clone();
    world_of(Investigator::new(parts), metrics).await
}

async fn world_of(investigator: Investigator, metrics: AuditMetrics) -> (Auditor, World) {
    let dir = TempDir::new().unwrap();
    let (health, cancel) = (Health::default(), CancellationToken::new());
    let ledger = Ledger::open(&dir.path().join("ledger.sqlite")).await.unwrap();
    let ledger = ledger.with_retries(health.clone(), cancel.clone(), BACKOFF);
    let (inbox, receiver) = mpsc::channel(8);
    let rules = [(chain(), ValidationRules::new(chain()))].into();
    let limits = AuditLimits { max_open: 100, concurrency: 4 };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let auditor = Auditor::new(AuditorParts {
        ledger: ledger.clone(),
        investigator: Arc::new(investigator),
        inbox: receiver,
        rules,
        clock,
        metrics,
        limits,
        invalid: InvalidBlocks::new([]),
        incidents: Incidents::default(),
        watch: None,
        branches: None,
        vouched: None,
    });
    (auditor, World { ledger, health, cancel, inbox, dir })
}

fn heads(number: u64) -> AuditorMessage {
    let head = L2BlockRef::new(number, B256::repeat_byte(1), crosscheck_p2p::UnixSeconds(number));
    let status = SyncStatus { finalized_l2: head, ..SyncStatus::default() };
    AuditorMessage::Heads { chain_id: chain(), status: Box::new(status) }
}

async fn until(holds: impl AsyncFn() -> bool) {
    let waited = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, waited).await.unwrap();
}

#[tokio::test]
async fn the_auditor_waits_for_a_ledger_that_cannot_be_read() {
    let (auditor, world) = world().await;
    let mut tasks = JoinSet::new();
    let running = tasks.spawn(auditor.run(world.cancel.clone()));
    world.ledger.set_readable(false).await;
    world.inbox.send(heads(7)).await.unwrap();
    until(async || running.is_finished() || world.health.reason(&HealthPart::LedgerReads).is_some()).await;
    assert!(!running.is_finished(), "the auditor waits");
    assert!(world.ledger.without_waiting().vouched(chain()).await.is_err(), "who answers a caller is told");
    world.ledger.set_readable(true).await;
    until(async || world.ledger.vouched(chain()).await.unwrap().is_some()).await;
    until(async || world.health.reasons().is_empty()).await;
    world.cancel.cancel();
    tokio::time::timeout(DEADLINE, tasks.join_next()).await.unwrap().unwrap().unwrap().unwrap();
}

/// A piece that panics.
async fn broken() -> Finished {
    panic!("as a test of panics wants it")
}

#[tokio::test]
async fn an_investigation_that_panics_is_retried() {
    let (mut auditor, _world) = world().await;
    tokio::time::pause();
    let case = Case::new(key(9), CaseRules::default(), sample::block(&[]));
    auditor.open.insert(key(9), Work::Case(Box::new(case.clone())), Instant::now());
    auditor.open.insert(key(8), Work::Ancestor, Instant::now());
    for _ in 0..2 {
        let (key, work) = auditor.open.take_due(Instant::now()).unwrap();
        let piece = match work {
            Work::Case(case) => Piece::Case(case),
            Work::Ancestor | Work::Gap(_) => Piece::Ancestor(key),
        };
        auditor.running.begin(piece, broken());
    }
    for chain_id in [chain(), ChainId::from(902)] {
        auditor.searched_up_to.insert(chain_id, 5);
        auditor.checking.insert(chain_id);
    }
    auditor.running.begin(Piece::Scouting(chain()), broken());
    auditor.running.begin(Piece::CheckingVouched(chain()), broken());
    while let Some((piece, outcome)) = auditor.running.next().await {
        auditor.retry_panicked(piece, &outcome.unwrap_err());
    }
    let mut again = Vec::new();
    tokio::time::advance(Duration::from_secs(1)).await;
    while let Some((key, work)) = auditor.open.take_due(Instant::now()) {
        again.push((key.number, matches!(work, Work::Case(taken) if *taken == case)));
    }
    again.sort_unstable();
    assert_eq!(again, [(8, false), (9, true)]);
    let other = [ChainId::from(902)];
    assert!(auditor.searched_up_to.keys().eq(&other) && auditor.checking.iter().eq(&other));
}

/// An operator reads in the log why blocks wait, once for each reason, and nothing of what is only not there
/// yet.
#[tokio::test]
async fn why_blocks_wait_is_reported_once_for_each_reason() {
    let lines = Lines::capture();
    let (mut auditor, _world) = world().await;
    tokio::time::pause();
    let receipts = Wait { awaited: Awaited::Receipts, chain_id: chain(), cause: Cause::EndpointError };
    let head = Wait { awaited: Awaited::LocalSafe, chain_id: chain(), cause: Cause::NotYet };
    let mut tell = |wait: Wait, reason: &str| auditor.report_reasons(&[(wait, reason.to_owned())].into());
    tell(head, "block 7 is not local-safe yet");
    assert_eq!(lines.count("waits"), 0, "{}", lines.text());
    for number in 7..10 {
        tell(receipts, &format!("block {number}: 502 Bad Gateway"));
        tokio::time::advance(Duration::from_secs(60)).await;
    }
    assert_eq!((lines.count("502 Bad Gateway"), lines.count("INFO")), (1, 1), "{}", lines.text());
    tell(receipts, "connection refused");
    assert_eq!((lines.count("connection refused"), lines.count("WARN")), (1, 0), "{}", lines.text());
}
