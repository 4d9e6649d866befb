//! A full disk stops writing, and anyone who writes; not reading. What could not be written is, once it can.

use super::*;
use crate::health::{Health, HealthPart};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long anything may take: far more than it ever takes, however busy the machine is.
const DEADLINE: Duration = Duration::from_secs(300);

const BACKOFF: Backoff = Backoff { first: Duration::from_millis(1), longest: Duration::from_millis(4) };

const PLENTY: u32 = 1_000_000;

/// Lets the file grow no more.
async fn fill(ledger: &Ledger) {
    let pages: u32 = sqlx::query_scalar("PRAGMA page_count").fetch_one(ledger.readers()).await.unwrap();
    ledger.limit_pages(pages).await;
}

async fn until(holds: impl Fn() -> bool) {
    let waited = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, waited).await.unwrap();
}

#[tokio::test]
async fn writes_wait_for_a_full_disk_and_reads_continue() {
    let dir = TempDir::new().unwrap();
    let (health, cancel) = (Health::default(), CancellationToken::new());
    let ledger = ledger(&dir).await.with_retries(health.clone(), cancel, BACKOFF);
    ledger.anchor(chain(), BlockNumHash { number: 0, hash: B256::ZERO }).await.unwrap();
    assert_eq!(health.reason(&HealthPart::Ledger), None);
    fill(&ledger).await;
    let mut writing = JoinSet::new();
    for chunk in blocks(200).chunks(50).map(<[ValidBlock]>::to_vec) {
        let ledger = ledger.clone();
        writing.spawn(async move {
            for block in &chunk {
                open(&ledger, block).await;
                decide(&ledger, block, &Verdict::Upheld).await;
            }
        });
    }
    until(|| health.reason(&HealthPart::Ledger).is_some()).await;
    let reason = health.reason(&HealthPart::Ledger).unwrap();
    assert!(reason.contains("full"), "{reason}");
    let head = vouched(&ledger).await;
    assert!(head < 200, "what was not written is not vouched for");
    assert_eq!(records(&ledger).await.iter().filter(|record| record.number == 200).count(), 0);
    ledger.limit_pages(PLENTY).await;
    tokio::time::timeout(DEADLINE, writing.join_all()).await.unwrap();
    assert_eq!((vouched(&ledger).await, health.reason(&HealthPart::Ledger)), (200, None));
    assert_eq!(ledger.last_event().await.unwrap(), 200, "each is told once, however often it was tried");
    assert!(health.reasons().is_empty());
}

#[tokio::test]
async fn a_waiting_write_ends_when_the_program_ends() {
    let dir = TempDir::new().unwrap();
    let (health, cancel) = (Health::default(), CancellationToken::new());
    let ledger = ledger(&dir).await.with_retries(health.clone(), cancel.clone(), BACKOFF);
    fill(&ledger).await;
    let writing = async {
        for block in &blocks(200) {
            ledger.open_case(&NewCase::Attested(block), NOW).await?;
        }
        Ok::<_, LedgerError>(())
    };
    let ending = async {
        until(|| health.reason(&HealthPart::Ledger).is_some()).await;
        cancel.cancel();
    };
    let both = async { tokio::join!(writing, ending) };
    let (written, ()) = tokio::time::timeout(DEADLINE, both).await.unwrap();
    assert!(matches!(written, Err(LedgerError::Database(_))));
}

/// An operator's request is answered at once.
#[tokio::test]
async fn without_perseverance_a_full_disk_is_an_error() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    fill(&ledger).await;
    let mut failed = None;
    for block in &blocks(200) {
        failed = failed.or(ledger.open_case(&NewCase::Attested(block), NOW).await.err());
    }
    assert!(failed.unwrap().to_string().contains("full"));
}
