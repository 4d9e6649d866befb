//! One connection writes, others read beside it.

use super::{NOW, TempDir, blocks, chain, decide, ledger, open, vouched};
use crate::ledger::{LedgerError, Opened};
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_core::case::Verdict;
use std::time::Duration;
use tokio::task::JoinSet;

/// How long anything may take: far more than it ever takes, however busy the machine is.
const DEADLINE: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn concurrent_writes_all_succeed() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    ledger.anchor(chain(), BlockNumHash { number: 0, hash: B256::ZERO }).await.unwrap();
    let mut writers = JoinSet::new();
    for block in blocks(100) {
        let ledger = ledger.clone();
        writers.spawn(async move {
            assert_eq!(open(&ledger, &block).await, Opened::New);
            ledger.set_flag(&block.number().to_string(), true, NOW).await.unwrap();
            assert!(decide(&ledger, &block, &Verdict::Upheld).await);
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
    assert_eq!(vouched(&ledger).await, 100);
}

#[tokio::test]
async fn a_reader_is_answered_during_a_write() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let mut writing = ledger.write().await.unwrap();
    sqlx::query("INSERT INTO flags VALUES ('failsafe', 1, 0)").execute(&mut *writing).await.unwrap();
    let mut readers = JoinSet::new();
    for _ in 0..20 {
        let ledger = ledger.clone();
        readers.spawn(async move { ledger.flag("failsafe").await.unwrap() });
    }
    let read = tokio::time::timeout(DEADLINE, readers.join_all()).await.unwrap();
    assert_eq!(read, [false; 20], "what is not committed is not seen");
    writing.commit().await.unwrap();
    assert!(ledger.flag("failsafe").await.unwrap());
}

#[tokio::test]
async fn a_read_connection_cannot_write() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let error = sqlx::query("DELETE FROM flags").execute(ledger.readers()).await.unwrap_err();
    assert!(error.to_string().contains("readonly"), "{error}");
}

/// SQLite may roll back by itself, and anyone who gave up leaves a transaction behind: neither blocks the
/// next.
#[tokio::test]
async fn an_abandoned_write_blocks_no_other_write() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    drop(ledger.write().await.unwrap());
    let mut rolled_back = ledger.write().await.unwrap();
    sqlx::query("ROLLBACK").execute(&mut *rolled_back).await.unwrap();
    assert!(matches!(rolled_back.commit().await.map_err(LedgerError::from), Err(LedgerError::Database(_))));
    ledger.set_flag("failsafe", true, NOW).await.unwrap();
    assert!(ledger.flag("failsafe").await.unwrap());
}
