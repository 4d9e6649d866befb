use super::*;
use crate::audit::AuditMetrics;
use crate::metrics::Metrics;
use crate::sources::EndpointLimits;
use crate::sources::scripted_node::{CHAIN, ScriptedNode, at, status};
use crosscheck_core::validity::DependencySet;
use serde_json::json;
use tokio::task::JoinSet;

/// How long anything may take: far more than it ever takes, however busy the machine is.
const DEADLINE: Duration = Duration::from_secs(300);

const NAME: &str = "claimant #0 of chain 901";

fn part() -> HealthPart {
    HealthPart::Claimant { chain_id: CHAIN.into(), name: NAME.to_owned() }
}

struct World {
    node: ScriptedNode,
    claims: mpsc::Receiver<AuditorMessage>,
    health: Health,
    _tasks: JoinSet<()>,
}

impl World {
    async fn new(node: ScriptedNode) -> Self {
        let (auditor, claims) = mpsc::channel(8);
        let health = Health::default();
        health.expect(&part());
        let limits =
            EndpointLimits { timeout: DEADLINE, max_response_bytes: 65_536, max_concurrent_requests: 4 };
        let metrics = Metrics::new(DependencySet::new([].into(), 1)).unwrap();
        let watcher = ClaimantWatcher::new(ClaimantWatcherParts {
            chain_id: ChainId::from(CHAIN),
            name: NAME.to_owned(),
            node: RollupNode::new(node.url(), limits).unwrap(),
            interval: Duration::from_millis(5),
            auditor,
            health: health.clone(),
            metrics: AuditMetrics::register(&metrics).unwrap(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(watcher.run(CancellationToken::new()));
        Self { node, claims, health, _tasks: tasks }
    }

    async fn claim(&mut self) -> Claim {
        match tokio::time::timeout(DEADLINE, self.claims.recv()).await.unwrap().unwrap() {
            AuditorMessage::Claim(claim) => claim,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until this is why the claimant is not ready.
    async fn until_reason(&mut self, contained: &str) {
        let waited = async {
            while !self.health.reason(&part()).is_some_and(|reason| reason.contains(contained)) {
                // Earlier claims make room.
                let _earlier = self.claims.try_recv();
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, waited)
            .await
            .unwrap_or_else(|_| panic!("{:?}", self.health.reason(&part())));
    }

    /// Waits for a claim of a block at this height.
    async fn until_claimed(&mut self, number: u64) {
        while self.claim().await.block.number != number {}
    }
}

#[tokio::test]
async fn what_a_claimant_calls_safe_is_claimed() {
    let mut world = World::new(ScriptedNode::start(Some(at([9, 8, 7, 6]))).await).await;
    let claim = world.claim().await;
    assert_eq!((claim.chain_id, claim.block.number), (ChainId::from(CHAIN), 7));
    assert_eq!(claim.claimant, Claimant::Endpoint(NAME.to_owned()));
    assert_eq!(world.health.reason(&part()), None);
    // One of a pool that lags, and one that was restarted: it goes back, and that is all.
    world.node.set(Some(at([9, 8, 3, 2])));
    world.until_claimed(3).await;
    assert_eq!(world.health.reason(&part()), None);
}

#[tokio::test]
async fn a_claimant_that_names_no_block_is_not_ready_until_it_does() {
    let mut world =
        World::new(ScriptedNode::start(Some(status([Some(9), Some(8), None, None], true))).await).await;
    world.until_reason("names no safe block").await;
    world.node.set(Some(at([9, 8, 7, 6])));
    world.until_claimed(7).await;
    assert_eq!(world.health.reason(&part()), None);
}

#[tokio::test]
async fn a_claimant_that_answers_no_status_is_named() {
    let mut world = World::new(ScriptedNode::start(None).await).await;
    world.until_reason("down").await;
    world.node.set(Some(json!("<html>")));
    world.until_reason("optimism_syncStatus").await;
    assert!(world.claims.try_recv().is_err());
}

#[tokio::test]
async fn a_claimant_on_another_chain_is_named_and_claims_nothing() {
    let node = ScriptedNode::start(Some(at([9, 8, 7, 6]))).await;
    node.change(|behaviour| behaviour.config["l2_chain_id"] = json!(902));
    let mut world = World::new(node).await;
    world.until_reason("it follows chain 902").await;
    assert!(world.claims.try_recv().is_err());
    // It may be another program later.
    world.node.change(|behaviour| behaviour.config["l2_chain_id"] = json!(CHAIN));
    world.until_claimed(7).await;
    world.node.change(|behaviour| behaviour.config["l2_chain_id"] = json!(902));
    world.until_reason("it follows chain 902").await;
}

/// A plain node calls safe what it has derived. That is no claim that the messages are valid.
#[tokio::test]
async fn what_a_plain_node_calls_safe_is_no_claim_until_it_shows_that_it_verifies() {
    let mut world = World::new(ScriptedNode::start(Some(at([9, 7, 7, 6]))).await).await;
    let is_ready = async {
        while world.health.reason(&part()).is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, is_ready).await.unwrap();
    assert!(world.claims.try_recv().is_err());
    world.node.set(Some(at([9, 8, 7, 6])));
    assert_eq!(world.claim().await.block.number, 7);
    world.node.set(Some(at([9, 8, 8, 6])));
    world.until_claimed(8).await;
}

#[tokio::test]
async fn what_an_op_supernode_calls_safe_is_a_claim_at_once() {
    let node = ScriptedNode::start(Some(at([9, 7, 7, 6]))).await;
    node.change(|behaviour| behaviour.is_supernode = true);
    assert_eq!(World::new(node).await.claim().await.block.number, 7);
}
