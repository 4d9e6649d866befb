//! An L1 in memory that is stalled, moves, and does not answer, while the test advances the time.

use super::*;
use crate::metrics::Metrics;
use crate::sources::SourceError;
use crate::stalled_heads::StallBounds;
use crate::telemetry::captured::Lines;
use alloy::consensus::Header;
use alloy::primitives::B256;
use crosscheck_core::proof::VerifiedL1Header;
use crosscheck_core::validity::DependencySet;
use crosscheck_p2p::ChainId;
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::task::JoinSet;

/// What L1 has as its latest block. `None`: it does not answer.
#[derive(Clone, Debug)]
struct L1(Arc<Mutex<Option<u64>>>);

impl L1 {
    fn header(&self) -> Result<Arc<VerifiedL1Header>, SourceError> {
        let number = (*self.0.lock()).ok_or_else(|| SourceError::Refused {
            endpoint: "http://127.0.0.1:1".parse().unwrap(),
            method: "",
            code: 0,
            message: "down".to_owned(),
        })?;
        Ok(Arc::new(VerifiedL1Header::seal(Header { number, ..Header::default() })))
    }
}

impl L1Source for L1 {
    async fn latest(&self) -> Result<Arc<VerifiedL1Header>, SourceError> {
        self.header()
    }

    async fn by_hash(&self, _hash: B256) -> Result<Option<Arc<VerifiedL1Header>>, SourceError> {
        Ok(None)
    }

    async fn by_number(&self, _number: u64) -> Result<Option<Arc<VerifiedL1Header>>, SourceError> {
        Ok(None)
    }
}

const MINUTE: Duration = Duration::from_secs(60);

/// A watch that runs. It ends when dropped.
struct World {
    l1: L1,
    health: Health,
    lines: Lines,
    tasks: JoinSet<()>,
    cancel: CancellationToken,
}

impl World {
    /// For chains that have this much patience each.
    fn start(patience: &[Duration]) -> Self {
        let (l1, health, lines) = (L1(Arc::new(Mutex::new(Some(7)))), Health::default(), Lines::capture());
        let metrics = Metrics::new(DependencySet::new([].into(), 1)).unwrap();
        let stalled = (901_u64..).zip(patience).map(|(chain_id, l1)| {
            let bounds = StallBounds { l1: *l1, ..StallBounds::LONG };
            StalledHeads::new(ChainId::from(chain_id), bounds, health.clone(), metrics.clone())
        });
        let reader = L1Reader::of(l1.clone(), Duration::from_secs(11));
        let watch = L1Watch::new(reader, stalled.collect(), health.clone());
        let (mut tasks, cancel) = (JoinSet::new(), CancellationToken::new());
        tasks.spawn(watch.run(cancel.clone()));
        Self { l1, health, lines, tasks, cancel }
    }

    fn is(&self, latest: Option<u64>) {
        *self.l1.0.lock() = latest;
    }

    /// How often this was logged.
    fn reported(&self, said: &str) -> usize {
        self.lines.count(said)
    }
}

#[tokio::test(start_paused = true)]
async fn an_l1_that_does_not_move_is_reported_once_for_all_chains_until_it_moves() {
    let mut world = World::start(&[3 * MINUTE, 5 * MINUTE]);
    assert_eq!(world.health.reasons(), ["L1 endpoint: has not reported yet"]);
    tokio::time::sleep(2 * MINUTE).await;
    assert_eq!(world.health.reasons(), [""; 0]);
    world.is(Some(8));
    tokio::time::sleep(3 * MINUTE).await;
    assert_eq!(world.health.reasons(), [""; 0], "the time is counted from the last move");
    tokio::time::sleep(MINUTE).await;
    let reasons = world.health.reasons();
    assert!(
        matches!(&reasons[..], [reason] if reason.contains("L1's latest block has been block 8 ") && reason.contains("3m")),
        "{reasons:?}"
    );
    tokio::time::sleep(10 * MINUTE).await;
    assert_eq!(world.reported("head is not moving"), 1);
    world.is(Some(9));
    tokio::time::sleep(MINUTE).await;
    assert_eq!(world.health.reasons(), [""; 0]);
    assert_eq!((world.reported("head is moving again"), world.reported("WARN")), (1, 1));
    world.cancel.cancel();
    assert!(world.tasks.join_next().await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_l1_that_does_not_answer_is_reported_once_until_it_does() {
    let world = World::start(&[3 * MINUTE]);
    tokio::time::sleep(MINUTE).await;
    assert_eq!(world.reported("L1 is readable again"), 0, "it could before");
    world.is(None);
    tokio::time::sleep(10 * MINUTE).await;
    let reasons = world.health.reasons();
    assert!(matches!(&reasons[..], [reason] if reason.contains("cannot be read: ")), "{reasons:?}");
    assert_eq!(world.reported("L1 cannot be read"), 1);
    world.is(Some(7));
    tokio::time::sleep(MINUTE).await;
    assert_eq!(world.health.reasons(), [""; 0], "nobody knows where it was in between");
    assert_eq!(world.reported("L1 is readable again"), 1);
}

#[tokio::test(start_paused = true)]
async fn the_shortest_bound_sets_the_polling_interval() {
    let world = World::start(&[Duration::from_secs(1), 3 * MINUTE]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.reported("head is not moving"), 1);
    assert_eq!(world.health.reasons().len(), 1);
}
