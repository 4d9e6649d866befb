//! What is durable is passed on in its order, once.

use super::*;
use alloy::primitives::B256;
use crosscheck_core::events::{Notice, NoticeContent};
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::message::BlockKey;
use crosscheck_core::tracker::{MessageKey, StatusCause};
use crosscheck_core::validity::InvalidReason;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::path::Path;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::task::JoinSet;

/// How long anything may take: far more than it ever takes, however busy the machine is.
const DEADLINE: Duration = Duration::from_secs(300);

async fn ledger(dir: &Path) -> Ledger {
    Ledger::open(&dir.join("ledger.sqlite")).await.unwrap()
}

/// Notes an invalid message in the block at each of these heights.
async fn note(ledger: &Ledger, numbers: std::ops::Range<u64>) {
    let notes: Vec<Notice> = numbers
        .map(|number| {
            let block = BlockKey { chain_id: ChainId::from(901), number, hash: B256::repeat_byte(1) };
            let content = NoticeContent::Invalid {
                reason: InvalidReason::ExecutedByDeposit,
                cause: StatusCause::Checked,
            };
            let (key, timestamp) = (MessageKey { block, log_index: 3 }, UnixSeconds(900));
            Notice {
                transaction_hash: None,
                key,
                initiating: None,
                timestamp,
                level: SafetyLevel::Unsafe,
                content,
                ordinal: 0,
                invalid_before: None,
            }
        })
        .collect();
    ledger.note_messages(&notes, UnixSeconds(1000)).await.unwrap();
}

async fn next(heard: &mut broadcast::Receiver<StoredEvent>) -> u64 {
    tokio::time::timeout(DEADLINE, heard.recv()).await.unwrap().unwrap().id()
}

#[tokio::test]
async fn written_events_are_sent_in_order_and_in_batches() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = ledger(dir.path()).await;
    let (subscribers, mut heard) = broadcast::channel(EVENT_CAPACITY);
    let event_sender = EventSender::begin(ledger.clone(), subscribers).await.unwrap();
    let (mut tasks, cancel) = (JoinSet::new(), CancellationToken::new());
    let running = cancel.clone();
    tasks.spawn(async move { event_sender.run(running).await.unwrap() });
    let many = u64::from(BATCH) * 2 + 7;
    note(&ledger, 0..many).await;
    for id in 1..=many {
        assert_eq!(next(&mut heard).await, id);
    }
    note(&ledger, many..many + 1).await;
    assert_eq!(next(&mut heard).await, many + 1);
    cancel.cancel();
    tasks.join_all().await;
}

/// A crash between the commit and the telling: what was not passed on is read by its id, and is not news to
/// anybody later.
#[tokio::test]
async fn events_of_an_earlier_run_are_read_and_not_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    let first = ledger(dir.path()).await;
    note(&first, 0..3).await;
    first.close().await;

    let ledger = ledger(dir.path()).await;
    let (subscribers, mut heard) = broadcast::channel(EVENT_CAPACITY);
    let mut event_sender = EventSender::begin(ledger.clone(), subscribers).await.unwrap();
    // What is known is not written again, under no other id either.
    note(&ledger, 0..4).await;
    event_sender.send_batch().await.unwrap();
    assert_eq!(next(&mut heard).await, 4);
    assert!(matches!(heard.try_recv(), Err(TryRecvError::Empty)));
    let filter = EventFilter { after: 1, limit: 100, ..EventFilter::default() };
    let read = ledger.events(filter).await.unwrap();
    assert_eq!(read.items.iter().map(StoredEvent::id).collect::<Vec<_>>(), [2, 3, 4]);
}
