//! `crosscheck_messages`, `crosscheck_message`, `crosscheck_suspects` and the subscription.

use super::world::{CHAIN, EXECUTING_TRANSACTION, INVALID_IN, Setup, VALID_IN, World, chain, time_of};
use crate::event_sender::EVENT_CAPACITY;
use crate::ledger::{Decision, EventFilter, Ledger, NewCase};
use alloy::primitives::B256;
use crosscheck_core::case::Verdict;
use crosscheck_core::events::{ExecutingBlock, Filing, MessageRecord, SuspectOutcome, SuspectRecord};
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::message::BlockKey;
use crosscheck_core::validity::StatusKind;
use crosscheck_p2p::UnixSeconds;
use jsonrpsee::core::client::{Subscription, SubscriptionClientT};
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::{WsClient, WsClientBuilder};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long anything may take: far more than it ever takes, however busy the machine is.
const DEADLINE: Duration = Duration::from_secs(300);

#[tokio::test]
async fn messages_are_answered_with_their_current_state() {
    let world = World::start(Setup::default()).await;
    let page = world.call("crosscheck_messages", &[]).await.unwrap();
    let messages = page["messages"].as_array().unwrap();
    assert_eq!((messages.len(), &page["next"]), (2, &Value::Null));
    let find =
        |number| messages.iter().find(|message| message["executing"]["number"] == json!(number)).unwrap();
    let (valid, invalid) = (find(VALID_IN), find(INVALID_IN));
    let hash = world.blocks[usize::try_from(VALID_IN).unwrap()].hash;
    let cited = world.message(9);
    let expected = json!({
        "sequence": valid["sequence"],
        "executing": { "chain_id": CHAIN, "number": VALID_IN, "hash": hash, "timestamp": time_of(VALID_IN) },
        "log_index": 1, "transaction_index": 1, "transaction_hash": EXECUTING_TRANSACTION, "initiating": cited.identifier, "payload_hash": cited.payload_hash,
        "status": "valid", "reason": null, "detail": null, "level": "local-safe", "state": "tracked",
        "ended_by": null, "declared": false, "flips": 0,
        "history": [{ "from": "unknown", "to": "valid", "cause": "checked" }],
    });
    assert_eq!(valid, &expected);
    assert_eq!((&invalid["status"], &invalid["reason"]), (&json!("invalid"), &json!("payload-mismatch")));
    assert_eq!((&invalid["declared"], &invalid["level"]), (&json!(true), &json!("unsafe")));
}

#[tokio::test]
async fn pages_follow_each_other() {
    let world = World::start(Setup::default()).await;
    let ask = async |page: Value| world.call("crosscheck_messages", &[page]).await.unwrap();
    let first = ask(json!({ "limit": 1 })).await;
    assert_eq!(first["messages"].as_array().unwrap().len(), 1);
    assert_eq!(first["next"], first["messages"][0]["sequence"]);
    let second = ask(json!({ "after": first["next"], "open_only": true })).await;
    assert_eq!((second["messages"].as_array().unwrap().len(), &second["next"]), (1, &Value::Null));
    assert_ne!(first["messages"][0]["executing"], second["messages"][0]["executing"]);
    let last = second["messages"][0]["sequence"].clone();
    let none = ask(json!({ "chain_id": 902 })).await;
    assert_eq!(none, json!({ "messages": [], "next": null, "cursor": last }));
    // Both can be handed back: the one starts again, the other continues where the page ended.
    let anew = ask(json!({ "after": second["next"], "limit": 1 })).await;
    assert_eq!(anew, first);
    let later = ask(json!({ "after": second["cursor"] })).await;
    assert_eq!(later, json!({ "messages": [], "next": null, "cursor": last }));
    let refused = world.call("crosscheck_messages", &[json!({ "of": 1 })]).await;
    assert_eq!(refused.unwrap_err().0, -32_602);
}

#[tokio::test]
async fn one_message() {
    let world = World::start(Setup::default()).await;
    let ask = async |query: Value| world.call("crosscheck_message", &[query]).await;
    let hash = world.blocks[usize::try_from(INVALID_IN).unwrap()].hash;
    let found = ask(json!({ "chain_id": "0x385", "hash": hash, "log_index": 1 })).await.unwrap();
    assert_eq!((&found["status"], &found["log_index"]), (&json!("invalid"), &json!(1)));
    let named = ask(json!({ "chain_id": CHAIN, "hash": hash, "log_index": 1, "number": INVALID_IN })).await;
    assert_eq!(named.unwrap(), found);
    let other = ask(json!({ "chain_id": CHAIN, "hash": hash, "log_index": 2 })).await;
    assert_eq!(other.unwrap(), Value::Null);
    let nowhere = ask(json!({ "chain_id": CHAIN, "hash": B256::repeat_byte(1), "log_index": 1 })).await;
    assert_eq!(nowhere.unwrap(), Value::Null);
    let unknown = ask(json!({ "chain_id": 1, "hash": hash, "log_index": 1 })).await;
    assert_eq!(unknown.unwrap_err().0, -320_501);
}

/// A message of a block that no endpoint has any more.
fn over(chain_id: u64, sequence: u64, state: &'static str) -> Box<MessageRecord> {
    let block = BlockKey {
        chain_id: chain_id.into(),
        number: sequence,
        hash: B256::with_last_byte(u8::try_from(sequence).unwrap()),
    };
    Box::new(MessageRecord {
        sequence,
        executing: ExecutingBlock { key: block, timestamp: UnixSeconds(900) },
        log_index: 3,
        transaction_index: 2,
        transaction_hash: None,
        initiating: None,
        payload_hash: None,
        status: StatusKind::Invalid,
        reason: Some("log-not-found"),
        detail: None,
        level: SafetyLevel::Unsafe,
        state,
        ended_by: None,
        declared: true,
        flips: 0,
        history: Vec::new(),
    })
}

#[tokio::test]
async fn ended_messages_are_listed_from_the_ledger_among_the_open_ones() {
    let world = World::start(Setup::default()).await;
    let ask = async |page: Value| world.call("crosscheck_messages", &[page]).await.unwrap();
    let sequences = |page: &Value| -> Vec<u64> {
        let messages = page["messages"].as_array().unwrap();
        messages.iter().map(|message| message["sequence"].as_u64().unwrap()).collect()
    };
    let live = ask(json!({})).await;
    let (tracked, last) = (sequences(&live), live["cursor"].as_u64().unwrap());
    let free: Vec<u64> = (1..=last).filter(|number| !tracked.contains(number)).collect();
    assert!(!free.is_empty() && tracked.len() == 2);
    let other = free[0];
    let mut filings: Vec<Filing> = free
        .iter()
        .map(|number| Filing::Over(over(if *number == other { 902 } else { CHAIN }, *number, "orphaned")))
        .collect();
    // The tracker has not counted this number yet.
    filings.push(Filing::Over(over(CHAIN, last + 1, "orphaned")));
    world.ledger.note_and_file(&[], &filings, UnixSeconds(1)).await.unwrap();

    let (mut read, mut after) = (Vec::new(), json!(null));
    loop {
        let page = ask(json!({ "after": after, "limit": 1 })).await;
        read.extend(sequences(&page));
        if page["next"].is_null() {
            assert_eq!(page["cursor"], last);
            break;
        }
        assert_eq!(page["next"].as_u64(), read.last().copied());
        after = page["next"].clone();
    }
    assert_eq!(read, (1..=last).collect::<Vec<_>>());
    assert_eq!(sequences(&ask(json!({ "open_only": true })).await), tracked);
    assert_eq!(sequences(&ask(json!({ "chain_id": 902 })).await), [other]);
    assert_eq!(sequences(&ask(json!({ "after": other - 1, "limit": 1 })).await), [other]);

    let kept = serde_json::to_value(over(902, other, "orphaned")).unwrap();
    let query = json!({ "chain_id": 902, "hash": kept["executing"]["hash"], "log_index": 3 });
    assert_eq!(
        world.call("crosscheck_message", &[query]).await.unwrap(),
        kept,
        "no endpoint is asked for its height"
    );
    let elsewhere =
        json!({ "chain_id": 902, "hash": kept["executing"]["hash"], "log_index": 3, "number": 1_000 });
    assert_eq!(world.call("crosscheck_message", &[elsewhere]).await.unwrap(), Value::Null);
}

#[tokio::test]
async fn a_message_that_is_tracked_again_is_answered_with_its_current_state() {
    let world = World::start(Setup::default()).await;
    let live = world.call("crosscheck_messages", &[]).await.unwrap()["messages"][0].clone();
    let block: BlockKey = BlockKey {
        chain_id: chain(),
        number: live["executing"]["number"].as_u64().unwrap(),
        hash: serde_json::from_value(live["executing"]["hash"].clone()).unwrap(),
    };
    let log_index = u32::try_from(live["log_index"].as_u64().unwrap()).unwrap();
    let executing = ExecutingBlock { key: block, timestamp: UnixSeconds(900) };
    let before = MessageRecord { executing, log_index, ..*over(CHAIN, 1, "orphaned") };
    world.ledger.note_and_file(&[], &[Filing::Over(Box::new(before))], UnixSeconds(1)).await.unwrap();
    let query = json!({ "chain_id": CHAIN, "hash": block.hash, "log_index": log_index });
    assert_eq!(world.call("crosscheck_message", &[query]).await.unwrap(), live);
}

fn key(number: u64) -> BlockKey {
    BlockKey { chain_id: chain(), number, hash: B256::repeat_byte(1) }
}

fn suspect() -> SuspectRecord {
    SuspectRecord {
        id: 0,
        block: key(21),
        transaction_hash: B256::repeat_byte(2),
        transaction_index: 1,
        access: None,
        reason: "malformed-access-list",
        detail: "it ends in the middle".to_owned(),
        outcome: SuspectOutcome::Pending,
    }
}

#[tokio::test]
async fn suspects_come_in_pages() {
    let world = World::start(Setup::default()).await;
    world.suspects.note(SuspectRecord { id: 1, ..suspect() });
    world.suspects.note(SuspectRecord { id: 4, ..suspect() });
    world.suspects.settle(4, SuspectOutcome::Executed);
    let ask = async |page: Value| world.call("crosscheck_suspects", &[page]).await.unwrap();
    let first = ask(json!({ "limit": 1 })).await;
    assert_eq!((&first["suspects"][0]["outcome"], &first["next"]), (&json!("pending"), &json!(1)));
    let rest = ask(json!({ "after": 1 })).await;
    assert_eq!((&rest["suspects"][0]["outcome"], &rest["next"]), (&json!("executed"), &Value::Null));
    for method in ["suspects", "refusals", "attestations", "events", "verdicts"]
        .map(|name| format!("crosscheck_{name}"))
    {
        let method = method.as_str();
        let page = world.call(method, &[json!({ "after": null, "limit": null, "chain_id": null })]).await;
        let cursor = page.unwrap()["cursor"].clone();
        let rest = world.call(method, &[json!({ "after": cursor })]).await.unwrap();
        assert_eq!((&rest["cursor"], &rest["next"]), (&cursor, &Value::Null), "{method}");
    }
}

async fn subscribe(world: &World) -> (WsClient, Subscription<Value>) {
    let client = WsClientBuilder::default().build(format!("ws://{}", world.addr)).await.unwrap();
    let events = client
        .subscribe("crosscheck_subscribeEvents", rpc_params![], "crosscheck_unsubscribeEvents")
        .await
        .unwrap();
    (client, events)
}

/// Opens a case of the block at a height, and upholds it.
async fn uphold(ledger: &Ledger, number: u64) {
    let key = key(number);
    let case =
        NewCase::Ancestor { key, parent_hash: B256::ZERO, timestamp: UnixSeconds(900), l1_origin: None };
    ledger.open_case(&case, UnixSeconds(1000)).await.unwrap();
    let waits = BTreeSet::new();
    let decision = Decision {
        key,
        verdict: &Verdict::Upheld,
        detail: String::new(),
        messages: &[],
        replaces: None,
        l1: None,
        waits: &waits,
        at: UnixSeconds(1000),
        after: Duration::ZERO,
    };
    assert!(ledger.decide(&decision).await.unwrap().is_some());
}

#[tokio::test]
async fn subscribers_get_every_event() {
    let world = World::start(Setup::default()).await;
    let (_client, mut events) = subscribe(&world).await;
    uphold(&world.ledger, 5).await;
    uphold(&world.ledger, 6).await;
    let mut next = async || tokio::time::timeout(DEADLINE, events.next()).await.unwrap().unwrap().unwrap();
    let verdict = next().await;
    assert_eq!((&verdict["kind"], &verdict["verdict"]), (&json!("verdict"), &json!("upheld")));
    assert_eq!((&verdict["id"], &verdict["at"]), (&json!(1), &json!(1000)));
    let second = next().await;
    assert_eq!((&second["id"], &second["block"]["number"]), (&json!(2), &json!(6)));
    // Anyone who was cut off after the first continues there.
    let page = world.call("crosscheck_events", &[json!({ "after": verdict["id"] })]).await.unwrap();
    assert_eq!(page, json!({ "events": [second], "next": null, "cursor": 2 }));
    events.unsubscribe().await.unwrap();
    nobody_subscribes(&world).await;
}

#[tokio::test]
async fn verdicts_come_in_the_order_in_which_they_were_reached() {
    let world = World::start(Setup::default()).await;
    let opened_first = NewCase::Ancestor {
        key: key(7),
        parent_hash: B256::ZERO,
        timestamp: UnixSeconds(900),
        l1_origin: None,
    };
    world.ledger.open_case(&opened_first, UnixSeconds(1000)).await.unwrap();
    uphold(&world.ledger, 8).await;
    let ask = async |page: Value| world.call("crosscheck_verdicts", &[page]).await.unwrap();
    let first = ask(json!({ "chain_id": CHAIN })).await;
    assert_eq!((&first["verdicts"][0]["number"], &first["next"]), (&json!(8), &Value::Null));
    uphold(&world.ledger, 7).await;
    let rest = ask(json!({ "after": first["cursor"], "limit": 1 })).await;
    assert_eq!((&rest["verdicts"][0]["number"], &rest["verdicts"][0]["verdict_id"]), (&json!(7), &json!(2)));
    assert_eq!(ask(json!({ "after": rest["next"] })).await["verdicts"], json!([]));
    assert_eq!(ask(json!({ "verdicts": ["violated", "discarded"] })).await["verdicts"], json!([]));
    assert_eq!(ask(json!({ "verdicts": ["upheld"] })).await["verdicts"].as_array().unwrap().len(), 2);
    let misspelt = world.call("crosscheck_verdicts", &[json!({ "verdicts": ["wrong"] })]).await.unwrap_err();
    assert_eq!(misspelt.0, -32_602, "{}", misspelt.1);

    let attestations = async |page: Value| world.call("crosscheck_attestations", &[page]).await;
    let found = attestations(json!({ "chain_id": CHAIN, "number": 8 })).await.unwrap();
    let records = found["attestations"].as_array().unwrap();
    assert_eq!((records.len(), &records[0]["number"], &found["next"]), (1, &json!(8), &Value::Null));
    assert_eq!(attestations(json!({ "number": 8 })).await.unwrap_err().0, -32_602, "of which chain?");
    let frame = json!({ "chain_id": CHAIN, "number": 8, "hash": records[0]["hash"] });
    assert_eq!(world.call("crosscheck_frame", &[frame]).await, Ok(Value::Null), "nobody attested it");
}

#[tokio::test]
async fn an_unknown_kind_is_refused() {
    let world = World::start(Setup::default()).await;
    let (code, words) =
        world.call("crosscheck_events", &[json!({ "kinds": ["verdicts"] })]).await.unwrap_err();
    assert_eq!(code, -32602, "{words}");
    let none =
        world.call("crosscheck_events", &[json!({ "kinds": ["flip"], "chain": CHAIN })]).await.unwrap();
    assert_eq!(none["events"], json!([]));
}

/// Waits until the last subscriber has disconnected.
async fn nobody_subscribes(world: &World) {
    let gone = async {
        while world.events.receiver_count() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, gone).await.unwrap();
}

/// The runtime has one thread: until this test awaits, no event is taken.
#[tokio::test]
async fn a_subscriber_that_falls_behind_is_dropped_with_the_reason() {
    let world = World::start(Setup::default()).await;
    uphold(&world.ledger, 5).await;
    let read = world.ledger.events(EventFilter { limit: 1, ..EventFilter::default() }).await.unwrap();
    let (_client, mut events) = subscribe(&world).await;
    for _ in 0..EVENT_CAPACITY + 5 {
        world.events.send(read.items[0].clone()).unwrap();
    }
    let last = tokio::time::timeout(DEADLINE, async {
        while let Some(event) = events.next().await {
            if event.is_err() || event.as_ref().is_ok_and(|event| event.get("kind").is_none()) {
                return format!("{event:?}");
            }
        }
        format!("closed: {:?}", events.close_reason())
    });
    let _last = last.await.unwrap();
    nobody_subscribes(&world).await;
    let counted = "crosscheck_subscribers_dropped_total{reason=\"behind\"} 1";
    assert!(world.metrics.shared().render().unwrap().contains(counted));
}
