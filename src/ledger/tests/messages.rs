//! What is noted of messages is written once, and read back as it was.

use super::ledger;
use crate::invalid_blocks::Prover;
use crate::ledger::{EventFilter, StoredEvent};
use alloy::eips::BlockNumHash;
use alloy::primitives::{B256, U256};
use crosscheck_core::events::{NotedMessage, Notice, NoticeContent, NoticeFilter, Suspect, SuspectFault};
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::message::{AccessListError, BlockKey, DecodeError};
use crosscheck_core::tracker::{Change, Ending, MessageEvent, MessageKey, StatusCause};
use crosscheck_core::validity::{InvalidReason, MessageStatus, StatusKind};
use crosscheck_p2p::{ChainId, UnixSeconds};

const NOW: UnixSeconds = UnixSeconds(1000);
const REASON: InvalidReason = InvalidReason::ExecutedByDeposit;

fn chain() -> ChainId {
    ChainId::from(U256::from(1) << 200)
}

fn key(number: u64) -> MessageKey {
    let block = BlockKey { chain_id: chain(), number, hash: B256::repeat_byte(1) };
    MessageKey { block, log_index: 3 }
}

fn note(number: u64, level: SafetyLevel, content: NoticeContent, ordinal: u32) -> Notice {
    let initiating = Some(ChainId::from(902));
    Notice {
        transaction_hash: None,
        key: key(number),
        initiating,
        timestamp: UnixSeconds(900),
        level,
        content,
        ordinal,
        invalid_before: None,
    }
}

fn invalid(number: u64) -> Notice {
    note(
        number,
        SafetyLevel::Unsafe,
        NoticeContent::Invalid { reason: REASON, cause: StatusCause::Checked },
        0,
    )
}

fn flip(number: u64, to: MessageStatus, ordinal: u32) -> Notice {
    note(number, SafetyLevel::LocalSafe, NoticeContent::Flip { to, cause: StatusCause::Checked }, ordinal)
}

fn ended(number: u64, ordinal: u32) -> Notice {
    let ending = Ending::Orphaned { by: B256::repeat_byte(2) };
    note(number, SafetyLevel::Unsafe, NoticeContent::Ended { ending, status: StatusKind::Invalid }, ordinal)
}

#[tokio::test]
async fn a_notice_is_new_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = ledger(&dir).await;
    let undeclared = note(20, SafetyLevel::Unsafe, NoticeContent::Undeclared, 0);
    let notes = [invalid(20), undeclared, invalid(20)];
    assert_eq!(store.note_messages(&notes, NOW).await.unwrap(), [true, true, false]);
    store.close().await;
    let store = ledger(&dir).await;
    let notes = [invalid(20), invalid(21), flip(20, MessageStatus::Valid, 1)];
    assert_eq!(store.note_messages(&notes, NOW).await.unwrap(), [false, true, true]);
}

#[tokio::test]
async fn an_undecodable_log_is_reported_once_and_is_not_a_message() {
    let dir = tempfile::tempdir().unwrap();
    let store = ledger(&dir).await;
    let content = NoticeContent::Undecodable { error: DecodeError::TopicCount { found: 1 } };
    let odd = Notice { initiating: None, ..note(20, SafetyLevel::Unsafe, content, 0) };
    assert_eq!(store.note_messages(&[odd.clone(), odd.clone()], NOW).await.unwrap(), [true, false]);
    assert!(!odd.is_consensus_failure());
    let reported = serde_json::to_value(&odd.events()[0]).unwrap();
    assert_eq!(
        (&reported["kind"], &reported["initiating_chain"]),
        (&"undecodable".into(), &serde_json::Value::Null)
    );
    assert!(reported["detail"].as_str().unwrap().contains("has 2 topics, this one has 1"), "{reported}");
    assert!(store.noted_messages(chain(), None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_notice_that_cannot_be_written_leaves_no_rows() {
    let dir = tempfile::tempdir().unwrap();
    let store = ledger(&dir).await;
    assert!(store.note_messages(&[invalid(20), invalid(u64::MAX)], NOW).await.is_err());
    assert_eq!(store.noted_messages(chain(), None, 10).await.unwrap().len(), 0);
}

#[tokio::test]
async fn notices_are_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = ledger(&dir).await;
    let notes = [
        invalid(20),
        flip(20, MessageStatus::Valid, 1),
        note(20, SafetyLevel::Unsafe, NoticeContent::Undeclared, 0),
        invalid(21),
        ended(21, 0),
        invalid(22),
        ended(22, 0),
        flip(22, MessageStatus::Invalid(REASON), 1),
        invalid(19),
    ];
    store.note_messages(&notes, NOW).await.unwrap();
    let noted = store.noted_messages(chain(), Some(19), 100).await.unwrap();
    let entry = |number| *noted.get(&key(number)).unwrap();
    assert_eq!(noted.len(), 3);
    let new = NotedMessage::new(Some(ChainId::from(902)), UnixSeconds(900));
    let invalid_at = Some(SafetyLevel::Unsafe);
    let valid_again =
        NotedMessage { is_invalid: Some(false), flips: 1, is_undeclared: true, invalid_at, ..new };
    assert_eq!(entry(20), valid_again);
    let mut over = NotedMessage { is_invalid: Some(true), endings: 1, ..new };
    assert!(over.note_ending("orphaned") && !over.note_ending("orphaned"));
    assert_eq!(entry(21), NotedMessage { is_over: true, invalid_at, ..over });
    let back = NotedMessage { flips: 1, ..over };
    assert_eq!(entry(22), NotedMessage { invalid_at: Some(SafetyLevel::LocalSafe), ..back });
    assert_eq!(store.noted_messages(ChainId::from(1), None, 100).await.unwrap().len(), 0);
}

/// What the ledger says about one message whose block goes up to finality, over a restart at each step.
#[tokio::test]
async fn an_invalid_message_is_reported_once_at_each_level_across_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let event = |level, change| MessageEvent {
        transaction_hash: None,
        key: key(20),
        initiating: Some(ChainId::from(902)),
        timestamp: UnixSeconds(900),
        level,
        change,
    };
    let found = Change::Status {
        from: MessageStatus::Unknown,
        to: MessageStatus::Invalid(REASON),
        cause: StatusCause::Checked,
        flip: false,
    };
    let steps = [
        event(SafetyLevel::Unsafe, found),
        event(SafetyLevel::LocalSafe, found),
        event(SafetyLevel::Safe, found),
        event(SafetyLevel::Safe, found),
        event(SafetyLevel::Finalized, Change::Ended(Ending::Finalized)),
        event(SafetyLevel::Finalized, found),
    ];
    for step in steps {
        let store = ledger(&dir).await;
        let mut filter = NoticeFilter::default();
        for (key, entry) in store.noted_messages(chain(), None, 100).await.unwrap() {
            filter.restore(key, entry);
        }
        let notes: Vec<Notice> = filter.on_event(&step, None).into_iter().collect();
        store.note_messages(&notes, NOW).await.unwrap();
        store.close().await;
    }
    let store = ledger(&dir).await;
    let read = store.events(EventFilter { limit: 100, ..EventFilter::default() }).await.unwrap();
    let kind =
        |event: &StoredEvent| serde_json::to_value(event).unwrap()["kind"].as_str().unwrap().to_owned();
    let reported: Vec<String> = read.items.iter().map(kind).collect();
    assert_eq!(reported, ["message-invalid", "message-invalid-safe", "ended", "message-invalid-final"]);
}

#[tokio::test]
async fn cursors_move() {
    let dir = tempfile::tempdir().unwrap();
    let store = ledger(&dir).await;
    assert_eq!(store.cursor(chain()).await.unwrap(), None);
    for number in [5, 9] {
        let cursor = BlockNumHash { number, hash: B256::repeat_byte(7) };
        store.move_cursors(&[(chain(), cursor), (ChainId::from(1), cursor)]).await.unwrap();
        assert_eq!(store.cursor(chain()).await.unwrap(), Some(cursor));
    }
}

#[tokio::test]
async fn a_suspect_is_new_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = ledger(&dir).await;
    let suspect = |number, entry| Suspect {
        rests_on_view: false,
        block: key(number).block,
        transaction_hash: B256::ZERO,
        transaction_index: 4,
        entry,
        access: None,
        fault: SuspectFault::Malformed(AccessListError::MissingChecksum { entries: 1 }),
    };
    let suspects = [suspect(20, 0), suspect(20, 1), suspect(20, 0)];
    assert_eq!(store.note_suspects(&suspects, NOW).await.unwrap(), [Some(1), Some(2), None]);
    assert_eq!(store.note_suspects(&suspects, NOW).await.unwrap(), [None; 3]);
    assert_eq!(store.note_suspects(&[suspect(70_000, 0)], NOW).await.unwrap(), [Some(3)]);
    assert_eq!(
        store.note_suspects(&[suspect(20, 0)], NOW).await.unwrap(),
        [Some(4)],
        "old heights are forgotten"
    );
}

#[tokio::test]
async fn a_flag_keeps_its_value_across_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let store = ledger(&dir).await;
    assert!(!store.flag("failsafe").await.unwrap());
    store.set_flag("failsafe", true, NOW).await.unwrap();
    store.close().await;
    let store = ledger(&dir).await;
    assert!(store.flag("failsafe").await.unwrap());
    store.set_flag("failsafe", false, NOW).await.unwrap();
    assert!(!store.flag("failsafe").await.unwrap());
}

#[tokio::test]
async fn blocks_with_a_message_that_is_still_invalid_are_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = ledger(&dir).await;
    let notes = [
        invalid(20),
        flip(20, MessageStatus::Valid, 1),
        invalid(21),
        ended(21, 0),
        invalid(22),
        flip(22, MessageStatus::Valid, 1),
        flip(22, MessageStatus::Invalid(REASON), 2),
        note(23, SafetyLevel::Unsafe, NoticeContent::Undeclared, 0),
    ];
    store.note_messages(&notes, NOW).await.unwrap();
    let read = store.invalid_blocks(chain()).await.unwrap();
    assert_eq!(read, [21, 22].map(|number| (key(number).block, Prover::Monitor)));
    let anchor = BlockNumHash { number: 21, hash: B256::ZERO };
    store.anchor(chain(), anchor).await.unwrap();
    assert_eq!(store.invalid_blocks(chain()).await.unwrap().len(), 1, "what is vouched for is decided");
}

#[tokio::test]
async fn a_replaced_block_is_identified_by_its_invalid_message() {
    let dir = tempfile::tempdir().unwrap();
    let store = ledger(&dir).await;
    let notes = [invalid(20), invalid(21), flip(21, MessageStatus::Valid, 1), invalid(22), ended(22, 0)];
    store.note_messages(&notes, NOW).await.unwrap();
    let replaced = async |number| {
        let block = BlockKey { chain_id: chain(), number, hash: B256::repeat_byte(9) };
        store.replaced_by(&block).await.unwrap()
    };
    assert_eq!(replaced(20).await, Some(key(20).block.hash));
    assert_eq!(replaced(21).await, None, "it was valid after all");
    assert_eq!(replaced(22).await, None, "a reorg dropped it");
    assert_eq!(replaced(23).await, None);
    assert_eq!(store.replaced_by(&key(20).block).await.unwrap(), None, "no block replaces itself");
}

#[tokio::test]
async fn the_highest_block_that_a_node_replaces_for_an_invalid_message() {
    let dir = tempfile::tempdir().unwrap();
    let store = ledger(&dir).await;
    let highest = async |above, up_to| store.highest_replaced(chain(), above, up_to).await.unwrap();
    assert_eq!(highest(0, 30).await, None);
    let notes = [
        invalid(20),
        invalid(22),
        flip(22, MessageStatus::Valid, 1),
        invalid(26),
        note(25, SafetyLevel::Unsafe, NoticeContent::Undeclared, 0),
    ];
    store.note_messages(&notes, NOW).await.unwrap();
    // That the block is not on the chain any more is what the replacement does.
    store.note_messages(&[ended(20, 1)], NOW).await.unwrap();
    assert_eq!((highest(0, 25).await, highest(19, 20).await), (Some(20), Some(20)));
    assert_eq!((highest(20, 25).await, highest(0, 19).await), (None, None));
    assert_eq!(highest(0, 26).await, Some(26), "what is not derived yet hides nothing below it");
}
