//! What the ledger takes for a status, for opening a case and for a verdict, on a ledger of many cases.
//!
//! `LEDGER_CASES=10000000 cargo bench --bench ledger` fills a ledger of ten million cases first, which takes
//! minutes and some ten gigabytes in the directory for temporary files; a thousand unless said otherwise. Run
//! by `cargo test` it only shows that it works.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "a benchmark may fail loudly, like a test, and what criterion makes of it has no documentation"
)]

use alloy::eips::BlockNumHash;
use alloy::primitives::{B256, U256};
use criterion::{Criterion, criterion_group, criterion_main};
use crosscheck::for_tests::{Decision, Ledger, NewCase, Opened};
use crosscheck_core::case::Verdict;
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::{ChainId, UnixSeconds};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How many cases one transaction fills in.
const CHUNK: u64 = 1_000_000;

const NOW: UnixSeconds = UnixSeconds(1_000_000);

/// The cases of one chunk, each the child of the one before, upheld. A hash is its height.
const FILL: &str = "WITH RECURSIVE place (number) AS (
        SELECT ?1 UNION ALL SELECT number + 1 FROM place WHERE number < ?2)
    INSERT INTO cases (chain_id, number, hash, parent_hash, timestamp, origin, domain, signer, payload_hash, opened_at,
                       verdict, detail, decided_at, decided_after_ms, verdict_id)
    SELECT '901', number, unhex(printf('%064x', number)), unhex(printf('%064x', number - 1)), number, 'attested',
           'cross-safe-blocksv1', zeroblob(20), zeroblob(32), number, 'upheld', '', number, 12, number FROM place";

fn chain() -> ChainId {
    ChainId::from(901)
}

fn hash(number: u64) -> B256 {
    B256::from(U256::from(number))
}

async fn filled(path: &Path, cases: u64) -> Ledger {
    Ledger::open(path).await.unwrap().close().await;
    let mut connection = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    let mut from = 1;
    while from <= cases {
        let to = cases.min(from + CHUNK - 1);
        let (first, last) = (i64::try_from(from).unwrap(), i64::try_from(to).unwrap());
        sqlx::query(FILL).bind(first).bind(last).execute(&mut connection).await.unwrap();
        from = to + 1;
    }
    let ids = "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'events'";
    sqlx::query(ids).bind(i64::try_from(cases).unwrap()).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let ledger = Ledger::open(path).await.unwrap();
    ledger.anchor(chain(), BlockNumHash { number: cases, hash: hash(cases) }).await.unwrap();
    ledger
}

/// Opens a case of the block at a height.
async fn open(ledger: &Ledger, number: u64) -> BlockKey {
    let key = BlockKey { chain_id: chain(), number, hash: hash(number) };
    let (parent_hash, timestamp) = (hash(number - 1), UnixSeconds(number));
    let case = NewCase::Ancestor { key, parent_hash, timestamp, l1_origin: None };
    assert_eq!(ledger.open_case(&case, NOW).await.unwrap().opened, Opened::New);
    key
}

async fn decide(ledger: &Ledger, key: BlockKey) {
    let waits = BTreeSet::new();
    let decision = Decision {
        key,
        verdict: &Verdict::Upheld,
        detail: String::new(),
        messages: &[],
        replaces: None,
        l1: None,
        waits: &waits,
        at: NOW,
        after: Duration::ZERO,
    };
    ledger.decide(&decision).await.unwrap().expect("the case is open");
}

fn bench(criterion: &mut Criterion) {
    let cases: u64 = std::env::var("LEDGER_CASES").map_or(1000, |cases| cases.parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let ledger = runtime.block_on(filled(&dir.path().join("ledger.sqlite"), cases));
    let mut group = criterion.benchmark_group(format!("a ledger of {cases} cases"));
    group.sample_size(50);
    group.bench_function("status", |bencher| {
        bencher.to_async(&runtime).iter(async || {
            assert!(ledger.counts(chain()).await.unwrap().received >= cases);
            assert!(ledger.vouched_head(chain()).await.unwrap().is_some());
            assert_eq!(ledger.hold(chain()).await.unwrap(), None);
            assert!(ledger.unresolved_counts().await.unwrap().is_empty());
        });
    });
    // Far above the head, each on its own.
    let number = AtomicU64::new(cases + 1_000_000_000);
    group.bench_function("opening a case", |bencher| {
        bencher.to_async(&runtime).iter(async || open(&ledger, number.fetch_add(2, Ordering::Relaxed)).await);
    });
    // The head continues with each.
    let number = AtomicU64::new(cases + 1);
    group.bench_function("opening a case, and a verdict", |bencher| {
        bencher.to_async(&runtime).iter(async || {
            let key = open(&ledger, number.fetch_add(1, Ordering::Relaxed)).await;
            decide(&ledger, key).await;
        });
    });
    group.finish();
    runtime.block_on(ledger.close());
}

criterion_group!(benches, bench);
criterion_main!(benches);
