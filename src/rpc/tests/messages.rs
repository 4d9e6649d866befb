//! `crosscheck_messages`, `crosscheck_message`, `crosscheck_suspects` and the subscription.

use super::world::{CHAIN, INVALID_IN, Setup, VALID_IN, World, chain, time_of};
use crate::audit::Verdict;
use crate::interop::BlockKey;
use crate::ledger::Decided;
use crate::rpc::{SuspectOutcome, SuspectRecord, TOLD_CAPACITY, Told};
use alloy::primitives::B256;
use jsonrpsee::core::client::{Subscription, SubscriptionClientT};
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::{WsClient, WsClientBuilder};
use serde_json::{Value, json};
use std::time::Duration;

const BINDING: Decided = Decided { attributable: Some(true), ancestor_of: None, retraction: None };

/// How long anything may take: far more than it ever takes, however busy the machine is.
const DEADLINE: Duration = Duration::from_secs(300);

#[tokio::test]
async fn messages_are_told_as_they_stand() {
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
        "log_index": 1, "transaction_index": 1, "initiating": cited.identifier, "payload_hash": cited.payload_hash,
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
    // Both can be handed back: the one begins anew, the other goes on where the page ended.
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
    world.suspects.note(suspect());
    let second = world.suspects.note(suspect());
    world.suspects.settle(second.id, SuspectOutcome::Executed);
    let ask = async |page: Value| world.call("crosscheck_suspects", &[page]).await.unwrap();
    let first = ask(json!({ "limit": 1 })).await;
    assert_eq!((&first["suspects"][0]["outcome"], &first["next"]), (&json!("pending"), &json!(1)));
    let rest = ask(json!({ "after": 1 })).await;
    assert_eq!((&rest["suspects"][0]["outcome"], &rest["next"]), (&json!("executed"), &Value::Null));
    for method in ["crosscheck_suspects", "crosscheck_refusals", "crosscheck_attestations"] {
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

#[tokio::test]
async fn subscribers_are_told() {
    let world = World::start(Setup::default()).await;
    let (_client, mut events) = subscribe(&world).await;
    world.told.send(Told::verdict(key(5), &Verdict::Upheld, &BINDING)).unwrap();
    world.told.send(Told::Suspect(suspect())).unwrap();
    let mut next = async || tokio::time::timeout(DEADLINE, events.next()).await.unwrap().unwrap().unwrap();
    let verdict = next().await;
    assert_eq!((&verdict["kind"], &verdict["verdict"]), (&json!("verdict"), &json!("upheld")));
    assert_eq!((&next().await["kind"], world.told.receiver_count()), (&json!("suspect"), 1));
    events.unsubscribe().await.unwrap();
    nobody_subscribes(&world).await;
}

/// Waits until the last subscriber is gone.
async fn nobody_subscribes(world: &World) {
    let gone = async {
        while world.told.receiver_count() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, gone).await.unwrap();
}

/// The runtime has one thread: until this test awaits, no event is taken.
#[tokio::test]
async fn a_subscriber_that_falls_behind_is_dropped_with_the_reason() {
    let world = World::start(Setup::default()).await;
    let (_client, mut events) = subscribe(&world).await;
    for _ in 0..TOLD_CAPACITY + 5 {
        world.told.send(Told::verdict(key(5), &Verdict::Upheld, &BINDING)).unwrap();
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
}
