//! A chain whose peers come and go, by a clock that the test moves.

use super::*;
use crate::gossip::GossipMetrics;
use crate::metrics::Metrics;
use crosscheck_core::validity::{DependencySet, Member};
use crosscheck_p2p::UnixSeconds;
use tokio::task::JoinSet;

const PATIENCE: Duration = Duration::from_secs(300);

/// A watch that runs. It ends when dropped.
struct World {
    peers: watch::Sender<usize>,
    health: Health,
    metrics: GossipMetrics,
    tasks: JoinSet<()>,
    cancel: CancellationToken,
}

impl World {
    fn start() -> Self {
        let chain_id = ChainId::from(901_u64);
        let member = Member { interop_time: UnixSeconds(0), block_time: 2 };
        let metrics = GossipMetrics::register(
            &Metrics::new(DependencySet::new([(chain_id, member)].into(), 1)).unwrap(),
        )
        .unwrap();
        let (peers, counted) = watch::channel(0);
        let (health, cancel) = (Health::default(), CancellationToken::new());
        let watch = PeerWatch::new(PeerWatchParts {
            chain_id,
            peers: counted,
            patience: PATIENCE,
            health: health.clone(),
            metrics: metrics.clone(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(watch.run(cancel.clone()));
        Self { peers, health, metrics, tasks, cancel }
    }

    /// Lets the watch see to it, and then the time pass.
    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn is_ready(&self) -> bool {
        self.health.reasons().is_empty()
    }

    /// What the gauge says.
    fn alone_s(&self) -> u64 {
        let text = self.metrics.shared().render().unwrap();
        let line = "crosscheck_without_peer_seconds{chain_id=\"901\"} ";
        text.lines().find_map(|served| served.strip_prefix(line)).unwrap().parse().unwrap()
    }
}

const MOMENT: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn a_chain_that_never_has_a_peer_is_reported_once_after_the_bound() {
    let world = World::start();
    world.pass(PATIENCE - MOMENT).await;
    assert!(world.is_ready(), "a start takes its time");
    assert_eq!(world.alone_s(), 295);
    world.pass(MOMENT * 2).await;
    let reasons = world.health.reasons();
    assert!(
        matches!(&reasons[..], [reason] if reason.contains("chain 901 peers: no peer has subscribed to the chain's topics for 5m")),
        "{reasons:?}"
    );
    assert!(reasons[0].contains("chains.901.p2p.static_peers"), "{reasons:?}");
    world.peers.send_replace(1);
    world.pass(MOMENT).await;
    assert!(world.is_ready());
    assert_eq!(world.alone_s(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_time_without_peers_starts_when_the_last_peer_disconnects() {
    let world = World::start();
    world.pass(PATIENCE / 2).await;
    world.peers.send_replace(2);
    world.pass(PATIENCE * 3).await;
    assert!(world.is_ready() && world.alone_s() == 0);
    world.peers.send_replace(1);
    world.pass(PATIENCE * 3).await;
    assert!(world.is_ready(), "one is enough");
    world.peers.send_replace(0);
    world.pass(PATIENCE - MOMENT).await;
    assert!(world.is_ready());
    world.pass(MOMENT * 2).await;
    assert!(!world.is_ready());
}

/// No poll at the right moment is needed: that a peer was there for an instant starts the time again.
#[tokio::test(start_paused = true)]
async fn a_peer_that_came_and_went_counts() {
    let world = World::start();
    world.pass(PATIENCE - MOMENT * 2).await;
    world.peers.send_replace(1);
    tokio::task::yield_now().await;
    world.pass(MOMENT).await;
    world.peers.send_replace(0);
    world.pass(PATIENCE / 2).await;
    assert!(world.is_ready());
    world.pass(PATIENCE).await;
    assert!(!world.is_ready());
}

#[tokio::test(start_paused = true)]
async fn the_watch_ends_when_cancelled_and_after_the_network_ends() {
    let World { peers, mut tasks, cancel, health, .. } = World::start();
    drop(peers);
    tokio::time::sleep(PATIENCE * 2).await;
    assert!(tasks.try_join_next().is_none() && health.reasons().is_empty());
    cancel.cancel();
    tasks.join_next().await.unwrap().unwrap();
}
