//! A watcher beside nodes that answer what the test lets them.

mod second_opinion;

use super::*;
use crate::audit::AuditMetrics;
use crate::audit::{OriginWitnesses, SecondOpinion};
use crate::ledger::{GenesisSource, Ledger};
use crate::metrics::Metrics;
use crate::networks::{KnownNetwork, NetworkName};
use crate::sources::scripted_node::{CHAIN, ScriptedNode, at, status};
use crate::sources::{EndpointLimits, SyncStatus};
use alloy::primitives::B256;
use crosscheck_core::consolidation::Fork;
use crosscheck_core::events::{Notice, NoticeContent};
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::message::BlockKey;
use crosscheck_core::proof::LogIndex;
use crosscheck_core::tracker::{MessageKey, StatusCause};
use crosscheck_core::validity::{ChainRules, DependencySet, InvalidReason, Unclear};
use crosscheck_p2p::UnixSeconds;
use parking_lot::Mutex;
use rstest::rstest;
use serde_json::Value;
use serde_json::json;
use std::sync::Arc;
use tracing_subscriber::fmt::MakeWriter;

const DEADLINE: Duration = Duration::from_secs(120);
const LIMITS: EndpointLimits = EndpointLimits {
    timeout: Duration::from_secs(60),
    max_response_bytes: 65_536,
    max_concurrent_requests: 4,
};

/// The lines that were logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Lines {
    /// Those with this text.
    fn with(&self, text: &str) -> usize {
        String::from_utf8(self.0.lock().clone()).unwrap().lines().filter(|line| line.contains(text)).count()
    }
}

struct World {
    nodes: Vec<ScriptedNode>,
    rollup_nodes: RollupNodes,
    heads: Heads,
    health: Health,
    metrics: AuditMetrics,
    lines: Lines,
    rules: DependencySet,
    reported: mpsc::Receiver<AuditorMessage>,
    _log: tracing::subscriber::DefaultGuard,
    _task: tokio::task::JoinSet<()>,
}

impl World {
    async fn new(first: Option<Value>) -> Self {
        Self::of([first]).await
    }

    /// Nodes that answer these at first, in their order.
    async fn of(statuses: impl IntoIterator<Item = Option<Value>>) -> Self {
        let all = Some([ChainId::from(CHAIN)].into());
        let known = ChainRules { block_time: 2, interop_time: Some(UnixSeconds(0)), dependencies: all };
        Self::under(known, statuses, |_| {}, StallBounds::LONG).await
    }

    /// The same of a node that answers this status and reports this genesis, beside a ledger.
    async fn with_ledger(ledger: Ledger, first: Value, genesis: B256) -> Self {
        let all = Some([ChainId::from(CHAIN)].into());
        let known = ChainRules { block_time: 2, interop_time: Some(UnixSeconds(0)), dependencies: all };
        let prepare = |node: &ScriptedNode| node.change(|conduct| conduct.config["genesis"] = of(genesis));
        Self::beside(Some(ledger), known, [Some(first)], prepare, StallBounds::LONG).await
    }

    /// Nodes that answer these at first and are made ready so, where this is known of the chain, and heads
    /// may be stalled for so long.
    async fn under(
        known: ChainRules,
        statuses: impl IntoIterator<Item = Option<Value>>,
        prepare: impl Fn(&ScriptedNode),
        stall: StallBounds,
    ) -> Self {
        Self::beside(None, known, statuses, prepare, stall).await
    }

    async fn beside(
        ledger: Option<Ledger>,
        known: ChainRules,
        statuses: impl IntoIterator<Item = Option<Value>>,
        prepare: impl Fn(&ScriptedNode),
        stall: StallBounds,
    ) -> Self {
        Self::named(None, ledger, known, statuses, prepare, stall).await
    }

    /// The same of a chain of this network.
    async fn named(
        network: Option<KnownNetwork>,
        ledger: Option<Ledger>,
        known: ChainRules,
        statuses: impl IntoIterator<Item = Option<Value>>,
        prepare: impl Fn(&ScriptedNode),
        stall: StallBounds,
    ) -> Self {
        let lines = Lines::default();
        let subscriber = tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false).finish();
        let log = tracing::subscriber::set_default(subscriber);
        let mut nodes = Vec::new();
        for status in statuses {
            let node = ScriptedNode::start(status).await;
            prepare(&node);
            nodes.push(node);
        }
        let urls: Vec<_> = nodes.iter().map(ScriptedNode::url).collect();
        let chain_id = ChainId::from(CHAIN);
        let is_window_set = known.dependencies.is_some();
        let set = DependencySet::of_chains([(chain_id, known)].into(), 100);
        let set = if is_window_set { set } else { set.without_expiry_window() };
        let rules = set.clone();
        let (heads, health) = (Heads::new([chain_id]), Health::default());
        let metrics = AuditMetrics::register(&Metrics::new(set.clone()).unwrap()).unwrap();
        let (auditor, reported) = mpsc::channel(64);
        let rollup_nodes = RollupNodes::new(chain_id, &urls, LIMITS).unwrap();
        let watcher = HeadWatcher::new(HeadWatcherParts {
            chain_id,
            nodes: rollup_nodes.clone(),
            safe_means: None,
            execution: ExecutionClient::new(chain_id, &urls[..1], 1, LIMITS, LogIndex::new(1024)).unwrap(),
            rules: RulesAsker {
                chain_id,
                nodes: rollup_nodes.clone(),
                set,
                network,
                system_config: None,
                witnesses: OriginWitnesses::default(),
                ledger,
            },
            interval: Duration::from_millis(10),
            stall,
            heads: heads.clone(),
            auditor,
            health: health.clone(),
            metrics: metrics.clone(),
        });
        for part in HeadWatcher::health_parts(chain_id) {
            health.expect(&part);
        }
        let mut task = tokio::task::JoinSet::new();
        task.spawn(watcher.run(CancellationToken::new()));
        Self { nodes, rollup_nodes, heads, health, metrics, lines, rules, reported, _log: log, _task: task }
    }

    /// The first node answers this from now on.
    fn set(&self, status: Option<Value>) {
        self.nodes[0].set(status);
    }

    async fn until_heights(&self, heights: [u64; 4]) {
        self.until("heads", |world| world.heights() == heights.map(Some)).await;
    }

    /// Waits for answers of the node until this holds.
    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let mut answers = self.heads.answers(CHAIN.into()).unwrap();
        let wait = async {
            while !holds(self) {
                let _news = tokio::time::timeout(Duration::from_millis(20), answers.changed()).await;
            }
        };
        let waited = tokio::time::timeout(DEADLINE, wait).await;
        assert!(waited.is_ok(), "gave up waiting for {what}: {:?}", self.health.reasons());
    }

    async fn until_ready(&self) {
        self.until("being ready", |world| world.health.reasons().is_empty()).await;
    }

    async fn until_reported(&self, reason: &str) {
        self.until(reason, |world| world.health.reasons().iter().any(|reported| reported.contains(reason)))
            .await;
    }

    fn status(&self) -> SyncStatus {
        self.heads.get(CHAIN.into()).unwrap_or_default()
    }

    fn heights(&self) -> [Option<u64>; 4] {
        self.status().by_level().map(|(_, head)| head.map(|head| head.number))
    }

    /// Whether the heads are taken from this node.
    fn uses(&self, place: usize) -> bool {
        self.metrics
            .shared()
            .render()
            .unwrap()
            .contains(&format!("crosscheck_rollup_node_in_use{{chain_id=\"901\",node=\"{place}\"}} 1\n"))
    }

    /// The state of a node.
    fn state(&self, place: usize) -> &'static str {
        self.rollup_nodes.health().borrow()[place].state.name()
    }

    fn gauge(&self, level: &str) -> bool {
        self.metrics.shared().render().unwrap().contains(level)
    }
}

#[tokio::test]
async fn a_node_without_heads_is_not_taken_for_a_node_at_height_0() {
    let world = World::new(Some(at([9, 8, 7, 6]))).await;
    world.until_ready().await;
    assert_eq!(world.heights(), [9, 8, 7, 6].map(Some));
    world.set(Some(status([None; 4], true)));
    world.until_reported("the rollup node has no heads yet (it waits for its first block)").await;
    world.until("heads that are not known", |world| world.heights() == [None; 4]).await;
    for (level, height) in [("unsafe", 9), ("local-safe", 8), ("safe", 7), ("finalized", 6)] {
        let gauge = format!("crosscheck_head_number{{chain_id=\"901\",level=\"{level}\"}} {height}\n");
        assert!(world.gauge(&gauge), "{gauge}");
    }
    // The first block, and then what L1 says.
    world.set(Some(status([Some(10), None, None, None], true)));
    world.until_reported("the rollup node has no local-safe head yet").await;
    assert_eq!(world.heights(), [Some(10), None, None, None]);
    world.set(Some(at([11, 0, 0, 0])));
    world.until_ready().await;
    assert_eq!(world.heights(), [11, 0, 0, 0].map(Some), "genesis is a head");
    assert_eq!(world.lines.with("has no heads yet"), 1);
    assert_eq!(world.lines.with("rollup node reports its heads"), 2, "at the start, and when it was over");
}

#[tokio::test]
async fn the_auditor_sees_that_heads_are_unknown_and_not_that_they_are_0() {
    let mut world = World::new(Some(at([9, 8, 7, 6]))).await;
    world.until_ready().await;
    world.set(Some(status([None; 4], true)));
    let mut next =
        async || match tokio::time::timeout(DEADLINE, world.reported.recv()).await.unwrap().unwrap() {
            AuditorMessage::Heads { status, .. } => *status,
            other => panic!("{other:?}"),
        };
    assert_eq!(next().await.finalized_l2.unwrap().number, 6);
    assert_eq!(next().await, SyncStatus::default());
}

#[tokio::test]
async fn a_chain_without_a_final_block_yet_is_ready() {
    let world = World::new(Some(status([Some(9), Some(8), None, None], true))).await;
    world.until_ready().await;
    assert_eq!(world.heights(), [Some(9), Some(8), None, None]);
    assert!(!world.gauge("crosscheck_head_number{chain_id=\"901\",level=\"finalized\"}"));
}

#[tokio::test]
async fn a_node_that_has_lost_l1_is_reported_and_its_heads_remain() {
    let world = World::new(Some(at([9, 8, 7, 6]))).await;
    world.until_ready().await;
    world.set(Some(status([9, 8, 7, 6].map(Some), false)));
    world.until_reported("the rollup node does not see L1 (its L1 heads are unknown)").await;
    assert_eq!(world.heights(), [9, 8, 7, 6].map(Some));
    world.set(Some(at([10, 9, 7, 6])));
    world.until_ready().await;
    assert_eq!(world.lines.with("does not see L1"), 1);
}

#[tokio::test]
async fn a_node_that_is_down_is_reported() {
    let world = World::new(Some(at([9, 8, 7, 6]))).await;
    world.until_ready().await;
    world.set(None);
    world.until_reported("refused optimism_syncStatus: down").await;
    assert_eq!(world.heights(), [None; 4]);
}

#[tokio::test]
async fn an_unusable_node_is_skipped_and_used_again_once_it_recovers() {
    let world = World::of([Some(at([9, 8, 7, 6])), Some(at([10, 9, 8, 7]))]).await;
    world.until_heights([9, 8, 7, 6]).await;
    world.set(None);
    world.until_heights([10, 9, 8, 7]).await;
    world.until_ready().await;
    assert_eq!(world.lines.with("switched to another rollup node in the list"), 1);
    assert_eq!(world.lines.with("optimism_syncStatus: down"), 1, "why is told with it");
    world.set(Some(at([11, 10, 9, 8])));
    world.until_heights([11, 10, 9, 8]).await;
    assert_eq!(world.lines.with("switched back to an earlier rollup node in the list"), 1);
    // No heads, and no L1: neither is usable while another node is.
    for lacking in [status([None; 4], true), status([11, 10, 9, 8].map(Some), false)] {
        world.nodes[1].set(Some(at([12, 11, 10, 9])));
        world.set(Some(lacking));
        world.until_heights([12, 11, 10, 9]).await;
        world.until_ready().await;
        world.set(Some(at([12, 11, 10, 9])));
        world.until("the first node", |world| world.uses(0)).await;
    }
}

#[tokio::test]
async fn a_lagging_second_node_does_not_move_a_head_back() {
    let world = World::of([Some(at([9, 8, 7, 6])), Some(at([9, 7, 7, 6]))]).await;
    world.until_heights([9, 8, 7, 6]).await;
    world.set(None);
    world.until("the lag", |world| world.state(1) == "behind").await;
    assert_eq!(world.heights(), [9, 8, 7, 6].map(Some));
    world.nodes[1].set(Some(at([9, 8, 8, 6])));
    world.until_heights([9, 8, 8, 6]).await;
    // The first one derives its chain again: it is used again when it has come to where the other is.
    world.set(Some(at([9, 0, 0, 0])));
    world.until("the lag of the first", |world| world.state(0) == "behind").await;
    assert!(world.uses(1));
    world.set(Some(at([9, 9, 8, 6])));
    world.until_heights([9, 9, 8, 6]).await;
    assert!(world.uses(0) && world.health.reasons().is_empty());
}

#[tokio::test]
async fn when_no_node_is_usable_each_is_named_with_its_reason() {
    let world = World::of([None, Some(status([None; 4], true))]).await;
    world.until_reported("the rollup node has no heads yet").await;
    let reasons = world.health.reasons().join("\n");
    assert!(reasons.contains("#0 http://127.0.0.1") && reasons.contains("down"), "{reasons}");
    assert!(reasons.contains("#1 http://127.0.0.1"), "{reasons}");
    world.nodes[1].set(Some(at([9, 8, 7, 6])));
    world.until_ready().await;
}

#[tokio::test]
async fn a_node_with_other_rules_is_reported_and_no_head_moves() {
    let world = World::new(Some(at([9, 8, 7, 6]))).await;
    world.until_ready().await;
    world.nodes[0].change(|conduct| conduct.config["lagoon_time"] = 2.into());
    world.until_reported("lagoon_time is 2 by its rollup node and 0 by the configuration").await;
    world.until("unknown heads", |world| world.heights() == [None; 4]).await;
    world.set(Some(at([10, 9, 8, 7])));
    assert_eq!(world.heights(), [None; 4]);
    world.nodes[0].change(|conduct| conduct.config["lagoon_time"] = 0.into());
    world.until_ready().await;
    world.until_heights([10, 9, 8, 7]).await;
    assert_eq!(world.lines.with("lagoon_time is 2"), 1, "told once");
}

/// The genesis of a rollup configuration.
fn of(genesis: B256) -> Value {
    json!({ "l2": { "hash": genesis, "number": 0 }, "l2_time": 0 })
}

/// As after a devnet was begun again in the directory of its predecessor.
#[tokio::test]
async fn a_ledger_of_another_genesis_is_reported_with_both_hashes_and_nothing_is_audited() {
    let dir = tempfile::TempDir::new().unwrap();
    let ledger = Ledger::open(&dir.path().join("ledger.sqlite")).await.unwrap();
    let (old, new) = (B256::repeat_byte(1), B256::repeat_byte(2));
    let world = World::with_ledger(ledger.clone(), at([9, 8, 7, 6]), old).await;
    world.until_ready().await;
    drop(world);
    let world = World::with_ledger(ledger.clone(), at([9, 8, 7, 6]), new).await;
    world.until_reported(&format!("genesis.l2 is {new} by its rollup node and {old} by the ledger")).await;
    let chain_id = ChainId::from(CHAIN);
    assert_eq!(world.heights(), [None; 4]);
    assert_eq!(world.rules.agreed_rules(chain_id).unwrap_err(), Unclear::Disputed { chain_id });
    // The endpoints were the wrong ones.
    world.nodes[0].change(|conduct| conduct.config["genesis"] = of(old));
    world.until_ready().await;
    assert!(world.rules.agreed_rules(chain_id).is_ok());
}

/// A node of another network, asked first, does not bind the ledger to its chain.
#[tokio::test]
async fn a_node_with_other_rules_binds_no_genesis() {
    let dir = tempfile::TempDir::new().unwrap();
    let fresh = Ledger::open(&dir.path().join("ledger.sqlite")).await.unwrap();
    let all = Some([ChainId::from(CHAIN)].into());
    let known = ChainRules { block_time: 7, interop_time: Some(UnixSeconds(0)), dependencies: all };
    let prepare = |node: &ScriptedNode| {
        node.change(|conduct| {
            conduct.config["genesis"] = of(B256::repeat_byte(1));
            conduct.config["block_time"] = 2.into();
        });
    };
    let first = [Some(at([9, 8, 7, 6]))];
    let world = World::beside(Some(fresh.clone()), known, first, prepare, StallBounds::LONG).await;
    world.until_reported("block_time is 2 by its rollup node and 7").await;
    let other = B256::repeat_byte(2);
    let bound = fresh.bind_genesis(CHAIN.into(), GenesisSource::RollupNode, other).await.unwrap();
    assert_eq!(bound, other);
}

/// A fork without the one before it makes different chains of different nodes.
#[tokio::test]
async fn a_schedule_that_no_chain_can_have_is_reported_with_both_forks() {
    let world = World::new(None).await;
    world.nodes[0].change(|conduct| conduct.config["karst_time"] = Value::Null);
    world.until_reported("lagoon is scheduled, but karst is not").await;
    world.set(Some(at([9, 8, 7, 6])));
    assert_eq!(world.heights(), [None; 4]);
    world.nodes[0].change(|conduct| conduct.config["karst_time"] = 0.into());
    world.until_heights([9, 8, 7, 6]).await;
}

/// What is not configured is taken from the node.
#[tokio::test]
async fn unset_rules_are_learnt_from_the_node() {
    let unknown = ChainRules { block_time: 2, interop_time: None, dependencies: None };
    let dependencies = json!({ "dependencies": { "901": {}, "902": {} }, "overrideMessageExpiryWindow": 99 });
    let world = World::under(
        unknown,
        [Some(at([9, 8, 7, 6]))],
        |node| {
            node.change(|conduct| {
                conduct.config["lagoon_time"] = 7.into();
                conduct.dependencies = Some(dependencies.clone());
            });
        },
        StallBounds::LONG,
    )
    .await;
    let set = Some([901, 902].map(ChainId::from).into());
    let learnt = |world: &World| {
        let rules = world.rules.rules(CHAIN.into()).unwrap();
        (rules.interop_time, rules.dependencies) == (Some(UnixSeconds(7)), set.clone())
    };
    world.until("the rules", learnt).await;
    assert_eq!(world.rules.known_expiry_window(CHAIN.into()), Some(99));
    // A node that says otherwise later contradicts what was learnt, and nothing that is configured.
    world.nodes[0].change(|conduct| conduct.config["lagoon_time"] = 8.into());
    let from = format!("the earlier answer of #0 {}", world.nodes[0].url());
    world.until_reported(&format!("lagoon_time is 8 by its rollup node and 7 by {from}")).await;
}

/// The forks that the chain has and this build does not know, with their times.
fn unknown_forks(world: &World) -> Vec<(String, u64)> {
    let forks = world.heads.unknown_forks(CHAIN.into());
    forks.iter().map(|fork| (fork.name.clone(), fork.time.0)).collect()
}

/// Anyone who judges deposits by the sibling node hears of it, too, and before the fork.
#[tokio::test]
async fn a_fork_that_this_build_does_not_know_is_reported_at_start_and_while_running_once_with_its_date() {
    const LINE: &str = "chain has a fork that this build does not know";
    let all = Some([ChainId::from(CHAIN)].into());
    let known = ChainRules { block_time: 2, interop_time: Some(UnixSeconds(0)), dependencies: all };
    let prepare = |node: &ScriptedNode| {
        node.change(|conduct| conduct.config["zephyr_time"] = 1_900_000_000.into());
    };
    let world = World::under(known, [Some(at([9, 8, 7, 6]))], prepare, StallBounds::LONG).await;
    world.until_ready().await;
    assert_eq!(unknown_forks(&world), [("zephyr".to_owned(), 1_900_000_000)]);
    assert_eq!((world.lines.with(LINE), world.lines.with("2030-03-17T17:46:40Z")), (1, 1));
    assert!(world.lines.with("WARN") > 0 && world.lines.with("fork=\"zephyr\"") == 1);
    // A newer node comes up, and then the fork is put off.
    world.nodes[0].change(|conduct| conduct.config["mistral_time"] = 1_900_000_001.into());
    world.until("the second fork", |world| unknown_forks(world).len() == 2).await;
    assert_eq!((world.lines.with(LINE), world.lines.with("2030-03-17T17:46:41Z")), (2, 1));
    world.nodes[0].change(|conduct| conduct.config["zephyr_time"] = 1_900_000_002.into());
    let put_off = ("zephyr".to_owned(), 1_900_000_002);
    world.until("the new date", |world| unknown_forks(world).contains(&put_off)).await;
    assert_eq!((world.lines.with(LINE), world.lines.with("2030-03-17T17:46:42Z")), (3, 1));
    world.nodes[0].change(|conduct| conduct.config["zephyr_time"] = Value::Null);
    world.until("one fork", |world| unknown_forks(world).len() == 1).await;
    assert!(world.health.reasons().is_empty(), "it is no difference");
    assert_eq!(world.lines.with(LINE), 3);
}

/// A build that is older than a network's schedule must not stop working by it.
#[tokio::test]
async fn a_fork_scheduled_after_this_build_is_taken_from_the_node_and_reported_once() {
    const LINE: &str = "fork time taken from the rollup node";
    let bob = "bob".parse::<NetworkName>().unwrap().network().unwrap();
    let known = ChainRules { block_time: 2, interop_time: None, dependencies: None };
    let times = |node: &ScriptedNode, times: &[(Fork, u64)]| {
        node.change(|conduct| {
            for fork in Fork::ALL.into_iter().filter(|fork| *fork != Fork::Bedrock) {
                let reported = times.iter().find(|(reported, _)| *reported == fork).map(|(_, time)| *time);
                let time = reported.or(bob.forks.activation(fork).map(|time| time.0));
                conduct.config[format!("{fork}_time")] = time.map_or(Value::Null, Value::from);
            }
        });
    };
    let prepare = |node: &ScriptedNode| times(node, &[(Fork::Jovian, 1_800_000_000)]);
    let first = [Some(at([9, 8, 7, 6]))];
    let world = World::named(Some(bob.clone()), None, known, first, prepare, StallBounds::LONG).await;
    world.until_ready().await;
    assert_eq!((world.lines.with(LINE), world.lines.with("2027-01-15T08:00:00Z")), (1, 1));
    assert_eq!(world.lines.with("WARN"), 0);
    // What is reported next is reported after it was asked again.
    times(&world.nodes[0], &[(Fork::Jovian, 1_800_000_000), (Fork::Karst, 1_800_000_001)]);
    world.until("Karst", |world| world.lines.with("2027-01-15T08:00:01Z") == 1).await;
    assert_eq!(world.lines.with(LINE), 2);
    assert!(world.health.reasons().is_empty());
    // A time that is built in stays compared.
    times(&world.nodes[0], &[(Fork::Isthmus, 7_000_000_000), (Fork::Jovian, 7_000_000_000)]);
    world
        .until_reported("isthmus_time is 7000000000 by its rollup node and 1746806401 by the built-in")
        .await;
    assert_eq!(world.lines.with(LINE), 2, "of a node that differs nothing is taken");
}

/// No patience with one kind of head: the second poll that finds it where it was reports it.
#[rstest]
#[case::unsafe_(StallBounds { unsafe_: Duration::ZERO, ..StallBounds::LONG }, "unsafe head has been block 9")]
#[case::local_safe(StallBounds { safe: Duration::ZERO, ..StallBounds::LONG }, "local-safe head has been block 8")]
#[case::safe(StallBounds { safe: Duration::ZERO, ..StallBounds::LONG }, "'s safe head has been block 7")]
#[case::l1(StallBounds { l1: Duration::ZERO, ..StallBounds::LONG }, "current L1 block has been block 39")]
#[tokio::test]
async fn a_head_that_does_not_move_is_reported(#[case] stall: StallBounds, #[case] reported: &str) {
    let all = Some([ChainId::from(CHAIN)].into());
    let known = ChainRules { block_time: 2, interop_time: Some(UnixSeconds(0)), dependencies: all };
    let world = World::under(known, [Some(at([9, 8, 7, 6]))], |_| {}, stall).await;
    world.until_reported(reported).await;
    assert_eq!(world.heights(), [9, 8, 7, 6].map(Some), "it stops nothing");
    assert_eq!(world.lines.with("head is not moving"), world.health.reasons().len());
}

#[tokio::test]
async fn a_safe_head_equal_to_the_local_safe_head_is_not_reported_twice() {
    let all = Some([ChainId::from(CHAIN)].into());
    let known = ChainRules { block_time: 2, interop_time: Some(UnixSeconds(0)), dependencies: all };
    let stall = StallBounds { safe: Duration::ZERO, ..StallBounds::LONG };
    let world = World::under(known, [Some(at([9, 8, 8, 6]))], |_| {}, stall).await;
    world.until_reported("local-safe head has been block 8").await;
    assert_eq!(world.health.reasons().len(), 1, "{:?}", world.health.reasons());
}

/// After a replacement the node takes no gossiped blocks until finality has passed it, and moves by
/// derivation alone.
#[tokio::test]
async fn a_head_that_does_not_move_after_a_replacement_is_explained_until_the_replacement_is_final() {
    let dir = tempfile::TempDir::new().unwrap();
    let ledger = Ledger::open(&dir.path().join("ledger.sqlite")).await.unwrap();
    let block = BlockKey { chain_id: CHAIN.into(), number: 7, hash: B256::repeat_byte(1) };
    let invalid = Notice {
        transaction_hash: None,
        key: MessageKey { block, log_index: 0 },
        initiating: None,
        timestamp: UnixSeconds(7),
        level: SafetyLevel::LocalSafe,
        content: NoticeContent::Invalid {
            reason: InvalidReason::ExecutedByDeposit,
            cause: StatusCause::Checked,
        },
        ordinal: 0,
        invalid_before: None,
    };
    ledger.note_messages(&[invalid], UnixSeconds(8)).await.unwrap();
    let all = Some([ChainId::from(CHAIN)].into());
    let known = ChainRules { block_time: 2, interop_time: Some(UnixSeconds(0)), dependencies: all };
    let stall = StallBounds { unsafe_: Duration::ZERO, ..StallBounds::LONG };
    let world = World::beside(Some(ledger), known, [Some(at([9, 8, 6, 6]))], |_| {}, stall).await;
    world.until_reported("block 7 was found invalid and is replaced").await;
    assert!(world.heads.unsafe_pause(CHAIN.into()).is_some());
    assert_eq!(world.lines.with("check the sequencer"), 0);
    assert_eq!(world.lines.with("head is not moving after a replacement"), 1);
    world.set(Some(at([9, 9, 7, 7])));
    world.until_reported("check the sequencer and the node's peers").await;
    assert_eq!(world.heads.unsafe_pause(CHAIN.into()), None);
    assert_eq!(world.lines.with("check the sequencer"), 1);
}
