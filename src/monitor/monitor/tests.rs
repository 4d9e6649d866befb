//! The monitor and its tasks, with chains that are executed for real and served over sockets.

mod world;

use crate::ledger::Ledger;
use crate::monitor::MonitorMessage;
use crate::telemetry::captured::Lines;
use alloy::primitives::{B256, keccak256};
use crosscheck_core::events::{MessageRecord, SuspectOutcome};
use crosscheck_core::heads::SafeMeans;
use crosscheck_core::message::{BlockKey, DecodeError, Message};
use crosscheck_core::proof::Undecodable;
use crosscheck_core::tracker::{Ending, MessageKey, ObservedBlock, State, Tracker};
use crosscheck_devnet::fixture::GENESIS_TIME;
use crosscheck_p2p::{ChainId, UnixSeconds};
use rstest::rstest;
use serde_json::json;
use std::sync::Arc;
use world::Step::{Emit, Execute};
use world::{A, B, DEADLINE, World, message};

/// A message that names a log which its block does not have.
fn wrong(chain: u64, number: u64) -> Message {
    message(chain, number, 9)
}

/// How many messages stand how.
fn statuses(tracker: &Tracker) -> [usize; 3] {
    ["valid", "invalid", "unknown"].map(|status| {
        let counts = tracker.counts().iter();
        counts.filter(|(key, _)| key.status.name() == status).map(|(_, count)| count).sum()
    })
}

fn has_ended(tracker: &Tracker, ending: fn(&Ending) -> bool) -> bool {
    tracker.changed_after(0).any(|message| matches!(&message.state(), State::Ended(end) if ending(end)))
}

#[tokio::test]
async fn a_valid_message_is_tracked_until_it_is_final_without_an_alarm() {
    let (world, dir) = (World::new().await, tempfile::tempdir().unwrap());
    world.extend(B, &[Emit]);
    world.extend(A, &[]);
    world.extend(B, &[]);
    world.extend(A, &[Execute(message(B, 1, 0))]);
    let mut shell = world.watch(dir.path()).await;
    shell.until("the message is valid", |tracker| statuses(tracker) == [1, 0, 0]).await;
    world.advance(2);
    world.label(A, 3, 3);
    world.label(B, 3, 3);
    shell.until("it is final", |tracker| has_ended(tracker, |end| *end == Ending::Finalized)).await;
    let ledger = shell.ledger.clone();
    let cursor = async {
        while ledger.cursor(ChainId::from(A)).await.unwrap().is_none_or(|cursor| cursor.number < 3) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, cursor).await.unwrap();
    assert_eq!(shell.unheard(100).await, [] as [serde_json::Value; 0]);
    let text = shell.metrics.shared.render().unwrap();
    let ended = "crosscheck_messages_ended_total{ending=\"finalized\",executing_chain_id=\"901\",initiating_chain_id=\"902\"} 1";
    assert!(text.contains(ended), "{text}");
    assert!(shell.health.reasons().is_empty(), "{:?}", shell.health.reasons());
    shell.stop().await;
}

#[tokio::test]
async fn an_invalid_message_and_its_replacement_are_reported_once_across_restarts() {
    let (world, dir) = (World::new().await, tempfile::tempdir().unwrap());
    world.extend(B, &[Emit]);
    world.extend(A, &[]);
    let bad = world.extend(A, &[Execute(wrong(B, 1))]);
    world.extend(B, &[]);
    let mut shell = world.watch(dir.path()).await;
    let reported = shell.next().await;
    assert_eq!(
        (&reported["kind"], &reported["reason"]),
        (&json!("message-invalid"), &json!("log-not-found"))
    );
    assert_eq!(reported["executing"]["hash"], json!(bad.hash));
    assert_eq!(reported["transaction_hash"], json!(keccak256(bad.raw_transactions.last().unwrap())));
    shell.stop().await;

    let mut shell = world.watch(dir.path()).await;
    shell.until("it is known again", |tracker| statuses(tracker) == [0, 1, 0]).await;
    world.advance(1);
    let tip = world.extend(A, &[]);
    shell.until_read(&tip, A).await;
    assert_eq!(shell.unheard(100).await, [] as [serde_json::Value; 0], "told again");
    shell.stop().await;

    // Nobody looks while it is replaced.
    let replacement = world.replace(A, &bad);
    let mut shell = world.watch(dir.path()).await;
    let reported = shell.next().await;
    assert_eq!((&reported["kind"], &reported["state"]), (&json!("ended"), &json!("resolved")));
    assert_eq!(reported["ended_by"], json!(replacement.hash));
    shell.stop().await;

    let mut shell = world.watch(dir.path()).await;
    let tip = world.extend(A, &[]);
    shell.until_read(&tip, A).await;
    assert_eq!(shell.unheard(100).await, [] as [serde_json::Value; 0], "told again");
    shell.stop().await;
}

/// What is answered of a message whose life is over: the same after any restart.
#[tokio::test]
async fn a_message_that_was_not_always_valid_is_stored_with_its_ending() {
    let (world, dir) = (World::new().await, tempfile::tempdir().unwrap());
    world.extend(B, &[Emit]);
    world.extend(A, &[]);
    let bad = world.extend(A, &[Execute(wrong(B, 1))]);
    world.extend(B, &[]);
    let mut shell = world.watch(dir.path()).await;
    let log_index = u32::try_from(shell.next().await["log_index"].as_u64().unwrap()).unwrap();
    let key = MessageKey {
        block: BlockKey { chain_id: A.into(), number: bad.number(), hash: bad.hash },
        log_index,
    };
    let known = shell.tracker.read().message(&key).map(MessageRecord::of).unwrap();
    let filed = async |ledger: &Ledger| {
        let filed = ledger.filed_message(A.into(), bad.hash, log_index).await.unwrap();
        filed.map(|filed| serde_json::to_value(filed).unwrap())
    };
    assert_eq!(filed(&shell.ledger).await, None, "its life goes on");
    shell.stop().await;

    // Nobody looks while it is replaced.
    let replacement = world.replace(A, &bad);
    let mut shell = world.watch(dir.path()).await;
    assert_eq!(shell.next().await["state"], "resolved");
    let resolved = filed(&shell.ledger).await.unwrap();
    let mut expected = serde_json::to_value(&known).unwrap();
    expected["sequence"] = resolved["sequence"].clone();
    expected["state"] = json!("resolved");
    expected["ended_by"] = json!(replacement.hash);
    assert_eq!(resolved, expected);

    // Its block comes back, and is final with it.
    world.adopt(A, bad.hash);
    world.advance(2);
    world.label(A, 3, 3);
    world.label(B, 3, 3);
    let is_final = |tracker: &Tracker| {
        tracker.message(&key).is_some_and(|it| it.state() == State::Ended(Ending::Finalized))
    };
    shell.until("it is final", is_final).await;
    while shell.next().await["state"] != "finalized" {}
    let finalized = filed(&shell.ledger).await.unwrap();
    assert_eq!((&finalized["state"], &finalized["ended_by"]), (&json!("finalized"), &json!(null)));
    assert!(finalized["sequence"].as_u64() > resolved["sequence"].as_u64(), "{finalized}");
    shell
        .until("it is for the ledger to tell", |tracker| tracker.message(&key).unwrap().belongs_in_ledger())
        .await;
    shell.stop().await;
}

#[rstest]
#[case::a_node_that_checks_messages(SafeMeans::CrossSafe, "safe", 1, &["message-invalid-safe"])]
#[case::a_plain_node(SafeMeans::LocalSafe, "local-safe", 0, &[])]
#[tokio::test]
async fn an_invalid_message_in_a_safe_block_is_a_consensus_failure_if_its_node_checks_messages(
    #[case] safe_means: SafeMeans,
    #[case] level: &str,
    #[case] failures: u32,
    #[case] kinds: &[&str],
) {
    let (world, dir) = (World::new().await, tempfile::tempdir().unwrap());
    world.extend(B, &[Emit]);
    world.extend(A, &[Execute(wrong(B, 1))]);
    let mut shell = world.watch(dir.path()).await;
    assert_eq!(shell.next().await["kind"], "message-invalid");
    shell.heads.set_safe_means(ChainId::from(A), safe_means);
    world.label(A, 1, 0);
    let promoted = format!(
        "crosscheck_invalid_messages_total{{executing_chain_id=\"901\",initiating_chain_id=\"902\",level=\"{level}\"}} 1"
    );
    let is_counted = |_: &Tracker| shell.metrics.shared.render().unwrap().contains(&promoted);
    shell.until("it is noted at the higher level", is_counted).await;
    let reported: Vec<_> = shell.unheard(100).await.iter().map(|reported| reported["kind"].clone()).collect();
    assert_eq!(reported, kinds);
    let text = shell.metrics.shared.render().unwrap();
    let counted = format!(
        "crosscheck_invalid_messages_promoted_total{{executing_chain_id=\"901\",initiating_chain_id=\"902\"}} {failures}"
    );
    assert!(text.contains(&counted), "{text}");
    shell.stop().await;
}

#[tokio::test]
async fn a_replacement_under_way_resolves_the_message() {
    let (world, dir) = (World::new().await, tempfile::tempdir().unwrap());
    world.extend(B, &[Emit]);
    let bad = world.extend(A, &[Execute(wrong(B, 1))]);
    let mut shell = world.watch(dir.path()).await;
    assert_eq!(shell.next().await["kind"], "message-invalid");
    assert_eq!(shell.marked(A), [bad.hash], "marked before it is told");
    let replacement = world.replace(A, &bad);
    let reported = shell.next().await;
    assert_eq!((&reported["kind"], &reported["state"]), (&json!("ended"), &json!("resolved")));
    assert_eq!(reported["ended_by"], json!(replacement.hash));
    let text = shell.metrics.shared.render().unwrap();
    assert!(text.contains("crosscheck_reorgs_total{chain_id=\"901\"} 1"), "{text}");
    assert_eq!(shell.marked(A), [bad.hash], "the last word on a block that is gone holds");
    shell.stop().await;
}

/// The view of one chain is behind a reorg that the other chain's block knows of: no alarm is raised.
#[tokio::test]
async fn a_message_that_is_invalid_only_by_an_outdated_view_raises_no_alarm() {
    let (world, dir) = (World::new().await, tempfile::tempdir().unwrap());
    let old = world.extend(B, &[]);
    let mut shell = world.watch(dir.path()).await;
    shell.until_read(&old, B).await;
    world.hold_latest(B);
    let new = world.build_on(B, old.header.parent_hash, &[Emit]);
    world.extend(A, &[]);
    let executing = world.extend(A, &[Execute(message(B, 1, 0))]);
    shell.until("it is invalid by the view", |tracker| statuses(tracker) == [0, 1, 0]).await;
    assert_eq!(shell.marked(A), [executing.hash], "nobody is led onto it meanwhile");
    world.release_latest(B);
    shell.until_read(&new, B).await;
    shell.until("it is valid", |tracker| statuses(tracker) == [1, 0, 0]).await;
    assert_eq!(shell.marked(A), [] as [alloy::primitives::B256; 0]);
    // What was reported before this would have been heard by then.
    let tip = world.extend(A, &[]);
    shell.until_read(&tip, A).await;
    assert_eq!(shell.unheard(100).await, [] as [serde_json::Value; 0]);
    shell.stop().await;
}

/// A newer inbox emits with every message what this build cannot read: that is reported once, and finds no
/// block invalid.
#[tokio::test]
async fn an_unknown_inbox_event_is_reported_once_and_counted_each_time() {
    let lines = Lines::capture();
    let (world, dir) = (World::new().await, tempfile::tempdir().unwrap());
    world.set_out(A, true);
    let mut shell = world.watch(dir.path()).await;
    let certified = keccak256("ExecutingCertifiedMessage(bytes32,bytes)");
    let log = |log_index, error| Undecodable { log_index, error };
    let unknown = DecodeError::UnknownEvent { topic: Some(certified) };
    let block = |number: u8, undecodable| ObservedBlock {
        transactions: Vec::new(),
        key: BlockKey { chain_id: A.into(), number: number.into(), hash: B256::repeat_byte(number) },
        parent_hash: B256::repeat_byte(number - 1),
        timestamp: UnixSeconds(GENESIS_TIME + 2 * u64::from(number)),
        executed: Vec::new(),
        undecodable,
        undeclared: Vec::new(),
        is_deposits_only: false,
    };
    let blocks = [
        block(1, vec![log(0, unknown), log(1, unknown)]),
        block(2, vec![log(0, unknown)]),
        block(3, vec![log(4, DecodeError::TopicCount { found: 1 })]),
    ];
    for block in blocks {
        shell.inbox.send(MonitorMessage::Block(Arc::new(block))).await.unwrap();
    }
    let reported = shell.next().await;
    assert_eq!(
        (&reported["kind"], &reported["executing"]["number"]),
        (&json!("undecodable"), &json!(1)),
        "{reported}"
    );
    assert!(reported["detail"].as_str().unwrap().contains(&certified.to_string()), "{reported}");
    assert_eq!(shell.next().await["log_index"], 4, "the next that is told is another's");
    let text = shell.metrics.shared.render().unwrap();
    for (name, count) in [("unknown_inbox_events_total", 3), ("undecodable_inbox_logs_total", 1)] {
        let counted = format!("crosscheck_{name}{{executing_chain_id=\"901\"}} {count}\n");
        assert!(text.contains(&counted), "{counted}: {text}");
    }
    assert_eq!(shell.marked(A), [] as [B256; 0], "nobody is accused");
    assert_eq!(lines.count("unknown CrossL2Inbox event"), 1);
    assert_eq!(lines.count("CrossL2Inbox log cannot be decoded"), 1);
    assert_eq!(lines.count("ERROR"), 0);
    shell.stop().await;
}

/// The cited chain does not answer any more. What its endpoints said last is reported after a while.
#[tokio::test]
async fn an_invalid_message_is_reported_even_if_the_cited_chain_is_unavailable() {
    let (world, dir) = (World::new().await, tempfile::tempdir().unwrap());
    world.extend(B, &[Emit]);
    let tip = world.extend(B, &[]);
    let mut shell = world.watch(dir.path()).await;
    shell.until_read(&tip, B).await;
    world.set_out(B, true);
    world.extend(A, &[]);
    world.extend(A, &[Execute(wrong(B, 1))]);
    let reported = shell.next().await;
    assert_eq!(
        (&reported["kind"], &reported["reason"]),
        (&json!("message-invalid"), &json!("log-not-found"))
    );
    shell.stop().await;
}

#[tokio::test]
async fn a_remote_reorg_flips_the_message_and_is_named() {
    let (world, dir) = (World::new().await, tempfile::tempdir().unwrap());
    let first = world.extend(B, &[]);
    let cited = world.extend(B, &[Emit]);
    world.extend(A, &[]);
    world.extend(A, &[Execute(message(B, 2, 0))]);
    let mut shell = world.watch(dir.path()).await;
    shell.until("it is valid", |tracker| statuses(tracker) == [1, 0, 0]).await;
    let other = world.build_on(B, first.hash, &[]);
    let reported = shell.next().await;
    assert_eq!((&reported["kind"], &reported["to"]), (&json!("flip"), &json!("invalid")), "{reported}");
    assert_eq!(reported["cause"]["name"], "remote-reorg");
    assert_eq!(
        (&reported["cause"]["old"], &reported["cause"]["new"]),
        (&json!(cited.hash), &json!(other.hash))
    );
    shell.stop().await;
}

#[tokio::test]
async fn a_block_whose_messages_become_valid_is_no_longer_marked() {
    let (world, dir) = (World::new().await, tempfile::tempdir().unwrap());
    let first = world.extend(B, &[]);
    world.extend(B, &[]);
    world.extend(A, &[]);
    let block = world.extend(A, &[Execute(message(B, 2, 0))]);
    let mut shell = world.watch(dir.path()).await;
    assert_eq!(shell.next().await["kind"], "message-invalid");
    assert_eq!(shell.marked(A), [block.hash]);
    world.build_on(B, first.hash, &[Emit]);
    let reported = shell.next().await;
    assert_eq!((&reported["kind"], &reported["to"]), (&json!("flip"), &json!("valid")), "{reported}");
    assert_eq!(shell.marked(A), [] as [alloy::primitives::B256; 0]);
    shell.stop().await;
}

#[tokio::test]
async fn an_outage_leaves_messages_unknown_and_blocks_readiness() {
    let (world, dir) = (World::new().await, tempfile::tempdir().unwrap());
    world.extend(B, &[Emit]);
    world.set_out(B, true);
    world.extend(A, &[Execute(message(B, 1, 0)), Execute(wrong(B, 1))]);
    let mut shell = world.watch(dir.path()).await;
    shell.until("they are unknown", |tracker| statuses(tracker) == [0, 0, 2]).await;
    let tip = world.extend(A, &[]);
    shell.until_read(&tip, A).await;
    assert_eq!(shell.unheard(100).await, [] as [serde_json::Value; 0]);
    let reasons = shell.health.reasons();
    assert!(reasons.iter().any(|reason| reason.starts_with("chain 902 monitor: ")), "{reasons:?}");
    world.set_out(B, false);
    shell.until("both are decided", |tracker| statuses(tracker) == [1, 1, 0]).await;
    assert_eq!(shell.next().await["kind"], "message-invalid");
    shell.stop().await;
}

#[tokio::test]
async fn a_block_below_the_view_is_fetched() {
    let (world, dir) = (World::new().await, tempfile::tempdir().unwrap());
    world.extend(B, &[Emit]);
    world.extend(A, &[]);
    world.advance(4);
    world.label(A, 4, 4);
    world.label(B, 4, 4);
    world.extend(A, &[Execute(message(B, 1, 0)), Execute(wrong(B, 1))]);
    world.extend(B, &[]);
    let mut shell = world.watch(dir.path()).await;
    shell.until("both are decided", |tracker| statuses(tracker) == [1, 1, 0]).await;
    assert_eq!(shell.tracker.read().chain(ChainId::from(B)).unwrap().first(), Some(4));
    assert_eq!(shell.next().await["reason"], "log-not-found");
    shell.stop().await;
}

#[tokio::test]
async fn a_suspect_is_reported_before_its_block_is_read_and_its_outcome_after() {
    let (world, dir) = (World::new().await, tempfile::tempdir().unwrap());
    let cited = world.extend(B, &[Emit]);
    world.extend(A, &[]);
    let mut shell = world.watch(dir.path()).await;
    shell.until_read(&cited, B).await;
    world.set_out(A, true);
    let bad = world.extend(A, &[Execute(message(B, 1, 0)), Execute(wrong(B, 1))]);
    shell.gossip(A, &bad).await;
    let reported = shell.next().await;
    assert_eq!((&reported["kind"], &reported["reason"]), (&json!("suspect"), &json!("log-not-found")));
    assert_eq!((&reported["transaction_index"], &reported["outcome"]), (&json!(2), &json!("pending")));
    shell.gossip(A, &bad).await;
    world.set_out(A, false);
    assert_eq!(shell.next().await["kind"], "message-invalid", "a suspect is told once");
    shell
        .until("its outcome is known", |_| {
            shell
                .suspects
                .after(0, None, 10)
                .iter()
                .all(|suspect| suspect.outcome == SuspectOutcome::Executed)
        })
        .await;
    assert_eq!(shell.suspects.after(0, None, 10).len(), 1);
    shell.stop().await;
}

#[tokio::test]
async fn a_suspect_that_an_outdated_view_explains_is_not_reported() {
    let (world, dir) = (World::new().await, tempfile::tempdir().unwrap());
    let first = world.extend(B, &[]);
    let forked = world.extend(B, &[]);
    world.extend(A, &[]);
    world.extend(A, &[]);
    let mut shell = world.watch(dir.path()).await;
    shell.until_read(&forked, B).await;
    world.hold_latest(B);
    world.build_on(B, first.hash, &[Emit]);
    world.set_out(A, true);
    let citing = world.extend(A, &[Execute(message(B, 2, 0)), Execute(wrong(B, 2))]);
    shell.gossip(A, &citing).await;
    let reported = shell.next().await;
    assert_eq!(
        (&reported["kind"], &reported["transaction_index"]),
        (&json!("suspect"), &json!(2)),
        "{reported}"
    );
    assert_eq!(shell.tracker.read().chain(ChainId::from(B)).unwrap().block(2).unwrap().key.hash, forked.hash);
    assert_eq!((shell.suspects.after(0, None, 10).len(), shell.unheard(10).await.len()), (1, 0));
    shell.stop().await;
}

#[tokio::test]
async fn a_suspect_that_no_endpoint_confirms_is_not_reported() {
    let (world, dir) = (World::new().await, tempfile::tempdir().unwrap());
    let cited = world.extend(B, &[Emit]);
    world.extend(A, &[]);
    let mut shell = world.watch(dir.path()).await;
    shell.until_read(&cited, B).await;
    world.set_out(A, true);
    world.set_out(B, true);
    let bad = world.extend(A, &[Execute(wrong(B, 1))]);
    shell.gossip(A, &bad).await;
    let failed = || {
        shell
            .metrics
            .shared
            .render()
            .unwrap()
            .contains("source_failures_total{chain_id=\"902\",source=\"execution\"} ")
    };
    shell.until("it was asked", |_| failed()).await;
    assert_eq!(shell.unheard(100).await, [] as [serde_json::Value; 0]);
    world.set_out(B, false);
    assert_eq!(shell.next().await["kind"], "suspect");
    shell.stop().await;
}

#[tokio::test]
async fn a_reorg_deeper_than_the_view_is_read_again() {
    let (world, dir) = (World::new().await, tempfile::tempdir().unwrap());
    let first = world.extend(A, &[]);
    world.extend(B, &[Emit]);
    world.advance(4);
    world.label(A, 4, 4);
    world.label(B, 4, 4);
    let shell = world.watch(dir.path()).await;
    let tip = world.extend(A, &[]);
    shell.until_read(&tip, A).await;
    // Final blocks are dropped: no rule allows it, and nothing may break by it.
    world.label(A, 0, 0);
    let mut parent = first.hash;
    for _ in 0..6 {
        parent = world.build_on(A, parent, &[Emit]).hash;
    }
    let bad = world.extend(A, &[Execute(wrong(B, 1))]);
    shell.until_read(&bad, A).await;
    shell.until("the message is decided", |tracker| statuses(tracker) == [0, 1, 0]).await;
    shell.stop().await;
}

#[tokio::test]
async fn an_endpoint_that_only_lags_drops_nothing() {
    let (world, dir) = (World::new().await, tempfile::tempdir().unwrap());
    world.advance(1);
    let kept = world.extend(A, &[]);
    let tip = world.extend(A, &[]);
    let shell = world.watch(dir.path()).await;
    shell.until_read(&tip, A).await;
    world.adopt(A, kept.hash);
    // The other chain is read on meanwhile.
    let other = world.extend(B, &[]);
    shell.until_read(&other, B).await;
    world.adopt(A, tip.hash);
    let next = world.extend(A, &[]);
    shell.until_read(&next, A).await;
    assert!(shell.metrics.shared.render().unwrap().contains("crosscheck_reorgs_total{chain_id=\"901\"} 0"));
    shell.stop().await;
}
