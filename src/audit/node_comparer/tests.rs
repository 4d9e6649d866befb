//! A comparer beside two nodes that answer what the test lets them.

use super::*;
use crate::audit::AuditMetrics;
use crate::metrics::Metrics;
use crate::sources::EndpointLimits;
use crate::sources::scripted_node::{CHAIN, NodeBehaviour, ScriptedNode, at, other_branch};
use crosscheck_core::consolidation::sample::op_mainnet_json;
use crosscheck_core::validity::DependencySet;
use rstest::rstest;
use serde_json::{Value, json};

const DEADLINE: Duration = Duration::from_secs(120);
const LIMITS: EndpointLimits = EndpointLimits {
    timeout: Duration::from_secs(60),
    max_response_bytes: 65_536,
    max_concurrent_requests: 4,
};

fn config() -> Value {
    let mut config = op_mainnet_json();
    config["l2_chain_id"] = json!(CHAIN);
    config
}

struct World {
    a: ScriptedNode,
    b: ScriptedNode,
    heads: Heads,
    disagreements: NodeDisagreements,
    health: Health,
    _task: tokio::task::JoinSet<()>,
}

impl World {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same where the node that is not in use is prepared so.
    async fn with(prepare: impl FnOnce(&mut NodeBehaviour)) -> Self {
        let (a, b) = (
            ScriptedNode::start(Some(at([9, 8, 7, 6]))).await,
            ScriptedNode::start(Some(at([9, 8, 7, 6]))).await,
        );
        for node in [&a, &b] {
            node.change(|conduct| {
                conduct.config = config();
                conduct.dependencies = Some(json!({ "dependencies": { "901": {}, "902": {} } }));
            });
        }
        b.change(prepare);
        let nodes = RollupNodes::new(CHAIN.into(), &[a.url(), b.url()], LIMITS).unwrap();
        nodes.status().await.unwrap();
        let (disagreements, health) = (NodeDisagreements::default(), Health::default());
        let metrics =
            AuditMetrics::register(&Metrics::new(DependencySet::new(BTreeMap::new(), 100)).unwrap()).unwrap();
        let heads = Heads::new([CHAIN.into()]);
        let comparer = NodeComparer::new(NodeComparerParts {
            chain_id: CHAIN.into(),
            nodes,
            block_time: 2,
            interval: Duration::from_millis(5),
            heads: heads.clone(),
            disagreements: disagreements.clone(),
            health: health.clone(),
            metrics,
        });
        let mut task = tokio::task::JoinSet::new();
        task.spawn(comparer.run(CancellationToken::new()));
        Self { a, b, heads, disagreements, health, _task: task }
    }

    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let wait = async {
            while !holds(self) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(DEADLINE, wait).await;
        assert!(waited.is_ok(), "gave up waiting for {what}: {:?}", self.disagreements.of(CHAIN.into()));
    }

    async fn until_differing(&self, part: &str) {
        let says = |world: &Self| world.disagreements.of(CHAIN.into()).iter().any(|text| text.contains(part));
        self.until(part, says).await;
    }

    async fn until_agreed(&self) {
        let agrees = |world: &Self| {
            world.disagreements.of(CHAIN.into()).is_empty() && world.health.reasons().is_empty()
        };
        self.until("agreement", agrees).await;
    }
}

#[tokio::test]
async fn rules_that_differ_block_readiness_with_both_values_and_both_nodes() {
    let world = World::new().await;
    world.b.change(|conduct| conduct.config["jovian_time"] = json!(1_764_691_202));
    world.until_differing("jovian_time").await;
    world.until("the obstacle", |world| !world.health.reasons().is_empty()).await;
    let reason = world.health.reasons().join("");
    for part in ["1764691201 (#0 http://127.0.0.1", "1764691202 (#1 http://127.0.0.1", "rollup nodes differ"]
    {
        assert!(reason.contains(part), "{part}: {reason}");
    }
    world.b.change(|conduct| conduct.config = config());
    world.until_agreed().await;
    world.b.change(|conduct| conduct.dependencies = Some(json!({ "dependencies": { "901": {} } })));
    world.until_differing("dependency set: 901 and 902").await;
    world.b.change(|conduct| conduct.dependencies = None);
    world.until_agreed().await;
    world.b.change(|conduct| conduct.config["l2_chain_id"] = json!(902));
    world.until_differing("it follows chain 902, not chain 901").await;
}

#[tokio::test]
async fn heads_that_differ_at_one_height_are_reported_and_do_not_block_readiness() {
    let world = World::new().await;
    world.b.set(Some(other_branch([9, 8, 7, 6])));
    world.until_differing("block 9: ").await;
    assert!(world.health.reasons().is_empty());
    world.b.set(Some(at([10, 9, 8, 7])));
    world.until_agreed().await;
    // Who does not answer agrees with nobody, and differs from nobody.
    world.a.set(None);
    world.b.set(None);
    world.until_agreed().await;
}

/// Only a node that keeps a record of what it has derived is a witness, and from there on.
#[rstest]
#[case::no_record(None, false, None)]
#[case::light(Some([].into()), true, None)]
#[case::derives(Some([(0, 0)].into()), false, Some([true, true]))]
#[case::synced(Some([(20, 5)].into()), false, Some([false, true]))]
#[tokio::test]
async fn the_blocks_that_another_node_derived_are_remembered(
    #[case] safe_heads: Option<BTreeMap<u64, u64>>,
    #[case] repeats: bool,
    #[case] covers: Option<[bool; 2]>,
) {
    let world = World::with(|conduct| (conduct.safe_heads, conduct.repeats) = (safe_heads, repeats)).await;
    world.b.set(Some(other_branch([9, 8, 7, 6])));
    // It was asked by then.
    world.until_differing("block 9: ").await;
    let others = world.heads.others(CHAIN.into());
    assert_eq!(others.first().map(|other| [5, 6].map(|number| other.opinion.covers(number))), covers);
    assert!(others.iter().all(|other| other.local_safe.number == 8));
}
