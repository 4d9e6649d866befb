//! Messages whose life is over are kept as they were then, and listed in their order.

use super::ledger;
use crate::ledger::{FiledFilter, FiledMessage, Ledger};
use alloy::primitives::{Address, B256};
use crosscheck_core::events::{ExecutingBlock, Filing, MessageRecord, Notice, NoticeContent};
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::message::{BlockKey, Identifier};
use crosscheck_core::tracker::{Ending, MessageKey};
use crosscheck_core::validity::StatusKind;
use crosscheck_p2p::{ChainId, UnixSeconds};
use serde_json::{Value, json};

const NOW: UnixSeconds = UnixSeconds(1000);

fn key(chain: u64, number: u64) -> MessageKey {
    let hash = B256::repeat_byte(u8::try_from(number).unwrap());
    MessageKey { block: BlockKey { chain_id: chain.into(), number, hash }, log_index: 3 }
}

fn record(key: MessageKey, sequence: u64, state: &'static str, status: StatusKind) -> Box<MessageRecord> {
    Box::new(MessageRecord {
        sequence,
        executing: ExecutingBlock { key: key.block, timestamp: UnixSeconds(900) },
        log_index: key.log_index,
        transaction_index: 2,
        transaction_hash: Some(B256::repeat_byte(8)),
        initiating: Some(Identifier {
            origin: Address::ZERO,
            block_number: 9,
            log_index: 1,
            timestamp: UnixSeconds(890),
            chain_id: ChainId::from(902),
        }),
        payload_hash: Some(B256::repeat_byte(7)),
        status,
        reason: (status == StatusKind::Invalid).then_some("log-not-found"),
        detail: (status == StatusKind::Invalid).then(|| "it is not there".to_owned()),
        level: SafetyLevel::Unsafe,
        state,
        ended_by: None,
        declared: true,
        flips: 0,
        history: Vec::new(),
    })
}

async fn file(store: &Ledger, filings: &[Filing]) {
    store.note_and_file(&[], filings, NOW).await.unwrap();
}

async fn one(store: &Ledger, key: MessageKey) -> Option<FiledMessage> {
    store.filed_message(key.block.chain_id, key.block.hash, key.log_index).await.unwrap()
}

fn text(message: Option<FiledMessage>) -> Value {
    serde_json::to_value(message).unwrap()
}

async fn listed(store: &Ledger, chain_id: Option<u64>, after: u64, up_to: u64, limit: u32) -> Vec<u64> {
    let filter = FiledFilter { chain_id: chain_id.map(ChainId::from), after, up_to, limit };
    store.filed_messages(filter).await.unwrap().iter().map(FiledMessage::sequence).collect()
}

#[tokio::test]
async fn a_message_is_listed_once_it_has_ended_and_read_back_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    let store = ledger(&dir).await;
    let key = key(901, 20);
    file(&store, &[Filing::Open(record(key, 4, "tracked", StatusKind::Invalid))]).await;
    assert!(one(&store, key).await.is_none(), "its life goes on");
    let over = record(key, 9, "finalized", StatusKind::Invalid);
    file(&store, &[Filing::Over(over.clone())]).await;
    store.close().await;
    let store = ledger(&dir).await;
    let filed = one(&store, key).await.unwrap();
    assert_eq!((filed.sequence(), filed.number()), (9, 20));
    assert_eq!(text(Some(filed)), serde_json::to_value(&over).unwrap());
    let elsewhere = MessageKey { log_index: 4, ..key };
    assert!(one(&store, elsewhere).await.is_none());
}

#[tokio::test]
async fn a_message_that_ends_again_keeps_its_number_unless_its_outcome_differs() {
    let dir = tempfile::tempdir().unwrap();
    let store = ledger(&dir).await;
    let key = key(901, 20);
    file(&store, &[Filing::Over(record(key, 9, "finalized", StatusKind::Invalid))]).await;
    // A later run finds it again.
    let again = MessageRecord { flips: 1, ..*record(key, 80, "finalized", StatusKind::Invalid) };
    let open = Filing::Open(record(key, 70, "tracked", StatusKind::Invalid));
    file(&store, &[open, Filing::Over(Box::new(again))]).await;
    let before = text(one(&store, key).await);
    assert_eq!(
        (&before["sequence"], &before["state"], &before["flips"]),
        (&json!(9), &json!("finalized"), &json!(0))
    );
    file(&store, &[Filing::Over(record(key, 90, "finalized", StatusKind::Valid))]).await;
    let after = text(one(&store, key).await);
    assert_eq!(
        (&after["sequence"], &after["status"], &after["reason"]),
        (&json!(90), &json!("valid"), &Value::Null)
    );
    let by = B256::repeat_byte(5);
    let orphaned = MessageRecord { ended_by: Some(by), ..*record(key, 95, "orphaned", StatusKind::Valid) };
    file(&store, &[Filing::Over(Box::new(orphaned.clone()))]).await;
    let other = MessageRecord { ended_by: Some(B256::repeat_byte(6)), sequence: 97, ..orphaned };
    file(&store, &[Filing::Over(Box::new(other))]).await;
    assert_eq!(text(one(&store, key).await)["sequence"], 97, "another block is in its place");
}

#[tokio::test]
async fn a_message_that_ended_between_runs_is_stored_with_its_last_known_state() {
    let dir = tempfile::tempdir().unwrap();
    let store = ledger(&dir).await;
    let key = key(901, 20);
    let known = record(key, 4, "tracked", StatusKind::Invalid);
    file(&store, &[Filing::Open(known.clone())]).await;
    let by = B256::repeat_byte(5);
    let gone = |sequence, ending, status| Filing::Gone {
        key,
        sequence,
        level: SafetyLevel::LocalSafe,
        ending,
        status,
    };
    file(&store, &[gone(9, Ending::Resolved { by }, StatusKind::Invalid)]).await;
    let mut expected = serde_json::to_value(&known).unwrap();
    for (field, value) in [
        ("sequence", json!(9)),
        ("state", json!("resolved")),
        ("ended_by", json!(by)),
        ("level", json!("local-safe")),
    ] {
        expected[field] = value;
    }
    assert_eq!(text(one(&store, key).await), expected);
    file(&store, &[gone(11, Ending::Expired, StatusKind::Valid)]).await;
    for (field, value) in [("sequence", json!(11)), ("state", json!("expired")), ("status", json!("valid"))] {
        expected[field] = value;
    }
    for field in ["ended_by", "reason", "detail"] {
        expected[field] = Value::Null;
    }
    assert_eq!(text(one(&store, key).await), expected);
    let unknown = MessageKey { log_index: 9, ..key };
    let of_old = Filing::Gone {
        key: unknown,
        sequence: 12,
        level: SafetyLevel::Unsafe,
        ending: Ending::Expired,
        status: StatusKind::Valid,
    };
    file(&store, &[of_old]).await;
    assert!(one(&store, unknown).await.is_none(), "an older version noted it, and kept nothing");
}

#[tokio::test]
async fn messages_are_read_in_the_order_of_their_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let store = ledger(&dir).await;
    for (place, sequence) in [(1, 12), (2, 5), (3, 7), (4, 20)] {
        let chain = if place == 3 { 902 } else { 901 };
        let key = key(chain, place);
        let filings = [Filing::Over(record(key, sequence, "orphaned", StatusKind::Valid))];
        file(&store, &filings).await;
    }
    file(&store, &[Filing::Open(record(key(901, 5), 8, "tracked", StatusKind::Invalid))]).await;
    assert_eq!(listed(&store, None, 0, u64::MAX, 10).await, [5, 7, 12, 20]);
    assert_eq!(listed(&store, None, 5, 12, 10).await, [7, 12]);
    assert_eq!(listed(&store, None, 0, u64::MAX, 2).await, [5, 7]);
    assert_eq!(listed(&store, Some(902), 0, u64::MAX, 10).await, [7]);
    assert_eq!(listed(&store, Some(901), 5, 19, 10).await, [12]);
    assert_eq!(listed(&store, Some(903), 0, u64::MAX, 10).await, [0; 0]);
}

#[tokio::test]
async fn a_finally_ended_message_is_recognized_when_it_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = ledger(&dir).await;
    for (number, state) in
        [(1, "finalized"), (2, "finalized"), (3, "orphaned"), (4, "expired"), (5, "resolved")]
    {
        file(&store, &[Filing::Over(record(key(901, number), 10 + number, state, StatusKind::Invalid))])
            .await;
    }
    file(&store, &[Filing::Open(record(key(901, 6), 30, "tracked", StatusKind::Invalid))]).await;
    let settled = async |above| store.settled_messages(ChainId::from(901), above, 10).await.unwrap();
    assert_eq!(settled(None).await, [4, 2, 1].map(|number| key(901, number)));
    assert_eq!(settled(Some(1)).await, [4, 2].map(|number| key(901, number)));
    assert_eq!(store.settled_messages(ChainId::from(902), None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn notices_and_messages_are_written_together() {
    let dir = tempfile::tempdir().unwrap();
    let store = ledger(&dir).await;
    let (good, bad) = (key(901, 20), key(901, 21));
    let note = |key| Notice {
        key,
        initiating: Some(ChainId::from(902)),
        timestamp: UnixSeconds(900),
        transaction_hash: None,
        level: SafetyLevel::Unsafe,
        content: NoticeContent::Undeclared,
        ordinal: 0,
        invalid_before: None,
    };
    let bad = MessageKey { block: BlockKey { number: u64::MAX, ..bad.block }, ..bad };
    let filings = [
        Filing::Over(record(good, 9, "finalized", StatusKind::Invalid)),
        Filing::Over(record(bad, 10, "finalized", StatusKind::Invalid)),
    ];
    assert!(store.note_and_file(&[note(good)], &filings, NOW).await.is_err());
    assert!(one(&store, good).await.is_none());
    assert!(store.noted_messages(ChainId::from(901), None, 10).await.unwrap().is_empty());
}
