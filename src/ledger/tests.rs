//! The ledger against a real database file.

mod attested;
mod blob_forks;
mod claims;
mod counts;
mod database;
mod events;
mod filed_messages;
mod genesis;
mod ledger_retry;
mod messages;
mod operator;
mod plans;
mod retention;
mod retraction;
mod runs;
mod tied_verdicts;
mod unresolved;

use super::*;
use crate::invalid_blocks::Prover;
use alloy::eips::BlockNumHash;
use alloy::primitives::{Address, B256, Bloom, U256};
use crosscheck_core::case::{Awaited, Cause, InvalidMessage, Verdict, Violation, Wait};
use crosscheck_core::message::BlockKey;
use crosscheck_core::validity::InvalidReason;
use crosscheck_p2p::{
    BlobFields, BlockSigner, ChainId, Envelope, ExecutionPayload, Signers, SigningDomain, Topic, UnixSeconds,
    ValidBlock, ValidationRules, Validator, VersionFields,
};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

const NOW: UnixSeconds = UnixSeconds(1000);

fn chain() -> ChainId {
    ChainId::from(U256::from(1) << 200)
}

fn attested(number: u64, parent_hash: B256) -> ValidBlock {
    attested_in(SigningDomain::CrossSafeBlocksV1, number, parent_hash)
}

fn attested_in(domain: SigningDomain, number: u64, parent_hash: B256) -> ValidBlock {
    attested_with(domain, number, parent_hash, 0)
}

fn attested_with(domain: SigningDomain, number: u64, parent_hash: B256, gas_used: u64) -> ValidBlock {
    let mut payload = ExecutionPayload {
        parent_hash,
        fee_recipient: Address::ZERO,
        state_root: B256::ZERO,
        receipts_root: B256::ZERO,
        logs_bloom: Bloom::ZERO,
        prev_randao: B256::ZERO,
        number,
        gas_limit: 30_000_000,
        gas_used,
        timestamp: UnixSeconds(900),
        extra_data: vec![1; 17].into(),
        base_fee_per_gas: U256::from(1),
        block_hash: B256::ZERO,
        transactions: vec![],
        version_fields: VersionFields::V4 {
            withdrawals: vec![],
            blobs: BlobFields { parent_beacon_block_root: B256::ZERO, blob_gas_used: 0, excess_blob_gas: 0 },
            withdrawals_root: B256::ZERO,
        },
    };
    payload.block_hash = payload.recompute_hash();
    let signer = BlockSigner::from_bytes(&B256::repeat_byte(1)).unwrap();
    let envelope = Envelope { payload };
    let frame = envelope.sign(&signer, domain, chain()).unwrap().frame();
    let signers = Signers::of(signer.address());
    let rules = ValidationRules::new(chain());
    Validator::reopen(&rules, Topic::CrossSafeBlocksV1, &frame, &signers).unwrap()
}

fn key(block: &ValidBlock) -> BlockKey {
    BlockKey { chain_id: chain(), number: block.number(), hash: block.hash() }
}

/// Blocks 1 to `count`, each the next one's parent.
fn blocks(count: u64) -> Vec<ValidBlock> {
    let mut blocks: Vec<ValidBlock> = Vec::new();
    for number in 1..=count {
        let parent = blocks.last().map_or(B256::ZERO, ValidBlock::hash);
        blocks.push(attested(number, parent));
    }
    blocks
}

async fn ledger(dir: &TempDir) -> Ledger {
    Ledger::open(&dir.path().join("ledger.sqlite")).await.unwrap()
}

/// Makes a ledger as a version left it that knew only the first this many migrations.
async fn old_ledger(path: &Path, migrations: usize) {
    let mut connection = connect(path).await;
    let known = sqlx::migrate!("src/ledger/migrations").migrations.iter().take(migrations).cloned();
    let migrator = sqlx::migrate::Migrator::with_migrations(known.collect());
    migrator.run(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Changes a ledger that is not open.
async fn execute(path: &Path, statement: &str) {
    let mut connection = connect(path).await;
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

async fn open(ledger: &Ledger, block: &ValidBlock) -> Opened {
    ledger.open_case(&NewCase::Attested(block), NOW).await.unwrap().opened
}

async fn decide(ledger: &Ledger, block: &ValidBlock, verdict: &Verdict) -> bool {
    decided(ledger, block, verdict).await.is_some()
}

async fn decided(ledger: &Ledger, block: &ValidBlock, verdict: &Verdict) -> Option<Decided> {
    let waits = [Wait { awaited: Awaited::LocalSafe, chain_id: chain(), cause: Cause::NotYet }].into();
    let decision = Decision {
        key: key(block),
        verdict,
        detail: verdict.detail(),
        messages: &[],
        replaces: None,
        l1: None,
        waits: &waits,
        at: NOW,
        after: Duration::from_millis(12),
    };
    ledger.decide(&decision).await.unwrap()
}

fn violated() -> Verdict {
    let reason = InvalidReason::UnknownChain { chain_id: ChainId::from(7) };
    Verdict::Violated(Violation::InvalidMessage(InvalidMessage { log_index: 3, reason }))
}

async fn records(ledger: &Ledger) -> Vec<CaseRecord> {
    ledger.records(CaseFilter { chain_id: Some(chain()), after: 0, limit: 100 }).await.unwrap()
}

async fn vouched(ledger: &Ledger) -> u64 {
    ledger.vouched(chain()).await.unwrap().unwrap().number
}

#[tokio::test]
async fn a_case_is_opened_once_and_decided_once() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let block = attested(1, B256::ZERO);
    assert_eq!(open(&ledger, &block).await, Opened::New);
    assert_eq!(open(&ledger, &block).await, Opened::Known);
    assert!(decide(&ledger, &block, &violated()).await);
    assert!(!decide(&ledger, &block, &Verdict::Upheld).await);
    let [record] = records(&ledger).await.try_into().unwrap();
    assert_eq!((record.verdict.as_str(), record.reason.as_deref()), ("violated", Some("invalid-message")));
    assert_eq!((record.number, record.hash, record.chain_id), (1, block.hash(), chain()));
    assert_eq!((record.signer, record.attributable), (Some(block.signer()), Some(true)));
    assert_eq!((record.decided_after_ms, record.opened_at), (Some(12), 1000));
    assert!(record.waited.get().contains("local-safe") && record.waits.get() == "[]");
}

#[tokio::test]
async fn open_cases_survive_a_restart_with_their_frames() {
    let dir = TempDir::new().unwrap();
    let blocks = blocks(2);
    let first = ledger(&dir).await;
    open(&first, &blocks[0]).await;
    open(&first, &blocks[1]).await;
    decide(&first, &blocks[0], &Verdict::Upheld).await;
    first.close().await;
    let [(_, case)] = ledger(&dir).await.open_cases(chain(), 0, 10).await.unwrap().try_into().unwrap();
    assert_eq!(case.key, key(&blocks[1]));
    let (topic, signer, frame) = case.attestation.unwrap();
    assert_eq!((topic, signer), (Topic::CrossSafeBlocksV1, blocks[1].signer()));
    assert_eq!(&frame, blocks[1].frame());
}

#[tokio::test]
async fn an_ancestor_becomes_attested() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let block = attested(1, B256::ZERO);
    let ancestor = NewCase::Ancestor {
        key: key(&block),
        parent_hash: B256::ZERO,
        timestamp: block.timestamp(),
        l1_origin: None,
    };
    assert_eq!(ledger.open_case(&ancestor, NOW).await.unwrap().opened, Opened::New);
    assert_eq!(open(&ledger, &block).await, Opened::NowAttested);
    assert_eq!(open(&ledger, &block).await, Opened::Known);
    assert_eq!(ledger.open_case(&ancestor, NOW).await.unwrap().opened, Opened::Known);
    let [record] = records(&ledger).await.try_into().unwrap();
    assert_eq!(record.origin, "attested");
    assert_eq!(ledger.counts(chain()).await.unwrap(), CaseCounts { received: 1, open: 1 });
}

#[tokio::test]
async fn the_vouched_head_follows_upheld_children_only() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let blocks = blocks(5);
    for block in &blocks {
        open(&ledger, block).await;
    }
    // Verdicts before the starting point is known count once it is.
    decide(&ledger, &blocks[1], &Verdict::Upheld).await;
    decide(&ledger, &blocks[0], &Verdict::Upheld).await;
    assert_eq!(ledger.vouched(chain()).await.unwrap(), None);
    let anchor = BlockNumHash { number: 0, hash: B256::ZERO };
    assert_eq!(ledger.anchor(chain(), anchor).await.unwrap().number, 2);
    decide(&ledger, &blocks[3], &Verdict::Upheld).await;
    assert_eq!(vouched(&ledger).await, 2);
    decide(&ledger, &blocks[2], &violated()).await;
    decide(&ledger, &blocks[4], &Verdict::Upheld).await;
    assert_eq!(vouched(&ledger).await, 2);
    // A second block at the violated height carries on, but only its own children.
    let anchor = BlockNumHash { number: 4, hash: blocks[3].hash() };
    assert_eq!(ledger.anchor(chain(), anchor).await.unwrap().number, 2);
}

#[tokio::test]
async fn parents_without_a_case_are_found() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let blocks = blocks(6);
    for index in [1, 5, 2] {
        open(&ledger, &blocks[index]).await;
    }
    assert_eq!(ledger.unlinked(chain(), 10).await.unwrap(), []);
    ledger.anchor(chain(), BlockNumHash { number: 0, hash: B256::ZERO }).await.unwrap();
    let parents: Vec<u64> =
        ledger.unlinked(chain(), 10).await.unwrap().iter().map(|one| one.parent.number).collect();
    assert_eq!(parents, [5, 1]);
}

#[tokio::test]
async fn progress_is_stored_until_the_verdict() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let block = attested(1, B256::ZERO);
    open(&ledger, &block).await;
    let waits: BTreeSet<Wait> =
        [Wait { awaited: Awaited::Receipts, chain_id: chain(), cause: Cause::EndpointError }].into();
    let refused = "http://127.0.0.1:8545: eth_getBlockReceipts: 502 Bad Gateway";
    let reason_text = waits.iter().map(|wait| (*wait, refused.to_owned())).collect();
    ledger.note_progress(&key(&block), &waits, &reason_text, &[]).await.unwrap();
    let [record] = records(&ledger).await.try_into().unwrap();
    let reported: serde_json::Value = serde_json::from_str(record.waits.get()).unwrap();
    assert_eq!((&reported[0]["cause"], &reported[0]["reason"]), (&"endpoint-error".into(), &refused.into()));
    assert_eq!(record.waited.get(), "[]", "it has no verdict yet");
    decide(&ledger, &block, &Verdict::Upheld).await;
    ledger.note_progress(&key(&block), &waits, &reason_text, &[]).await.unwrap();
    let [record] = records(&ledger).await.try_into().unwrap();
    assert!(
        record.waited.get().contains("local-safe") && record.waits.get() == "[]",
        "after its verdict it waits for nothing"
    );
}

#[tokio::test]
async fn pages_follow_each_other() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    for block in blocks(5) {
        open(&ledger, &block).await;
    }
    let page = |after| ledger.records(CaseFilter { chain_id: None, after, limit: 2 });
    let first = page(0).await.unwrap();
    let second = page(first[1].id).await.unwrap();
    assert_eq!(second.iter().map(|record| record.number).collect::<Vec<_>>(), [3, 4]);
    let others = CaseFilter { chain_id: Some(ChainId::from(902)), after: 0, limit: 2 };
    assert!(ledger.records(others).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_newer_ledger_is_refused_and_not_changed() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("ledger.sqlite");
    let newer = ledger(&dir).await;
    let mut transaction = newer.write().await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (99, 'from the future', 1, x'00', 0)",
    )
    .execute(&mut *transaction)
    .await
    .unwrap();
    transaction.commit().await.unwrap();
    open(&newer, &attested(1, B256::ZERO)).await;
    newer.close().await;
    let before = std::fs::read(&path).unwrap();
    let error = Ledger::open(&path).await.unwrap_err();
    assert!(matches!(error, LedgerError::Newer { version: 99, .. }), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn another_programs_database_is_refused() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("other.sqlite");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("CREATE TABLE theirs (id INTEGER)").execute(&pool).await.unwrap();
    pool.close().await;
    let before = std::fs::read(&path).unwrap();
    let error = Ledger::open(&path).await.unwrap_err();
    assert!(matches!(error, LedgerError::Foreign { .. }), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_file_that_is_not_a_database_is_refused() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("ledger.sqlite");
    std::fs::write(&path, "not a database at all, but long enough to have a header that can be read")
        .unwrap();
    let error = Ledger::open(&path).await.unwrap_err();
    assert!(matches!(error, LedgerError::NoDatabase { .. }), "{error}");
    let missing = dir.path().join("no/such/directory/ledger.sqlite");
    assert!(matches!(Ledger::open(&missing).await.unwrap_err(), LedgerError::Open { .. }));
}

#[tokio::test]
async fn a_height_beyond_63_bits_is_an_error_not_a_wrap() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let block = attested(u64::MAX, B256::ZERO);
    let error = ledger.open_case(&NewCase::Attested(&block), NOW).await.unwrap_err();
    assert!(matches!(error, LedgerError::OutOfRange { field: "block number", .. }), "{error}");
}

#[tokio::test]
async fn candidates_survive_a_restart_and_old_ones_are_forgotten() {
    let dir = TempDir::new().unwrap();
    let first = ledger(&dir).await;
    let candidate = |byte| crosscheck_core::case::Candidate {
        hash: B256::repeat_byte(byte),
        deposits_only: crosscheck_core::consolidation::Fingerprint(B256::repeat_byte(0xdd)),
    };
    for (number, oldest) in [(1, 0), (2, 0), (3, 2)] {
        let byte = u8::try_from(number).unwrap();
        first.note_candidate(chain(), number, &candidate(byte), oldest).await.unwrap();
        first.note_candidate(chain(), number, &candidate(byte), oldest).await.unwrap();
    }
    first.close().await;
    let kept = ledger(&dir).await.candidates(chain(), 10).await.unwrap();
    assert_eq!(kept, [(3, candidate(3)), (2, candidate(2))]);
}

fn resolution(block: &ValidBlock) -> Resolution {
    let reason = "the initiating chain was rolled back by agreement".to_owned();
    Resolution { key: key(block), reason, is_unjudged: false }
}

#[tokio::test]
async fn an_invalid_block_stops_the_head_until_it_is_resolved() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let blocks = blocks(3);
    for block in &blocks {
        open(&ledger, block).await;
    }
    ledger.anchor(chain(), BlockNumHash { number: 0, hash: B256::ZERO }).await.unwrap();
    decide(&ledger, &blocks[0], &Verdict::Upheld).await;
    assert_eq!(ledger.hold(chain()).await.unwrap(), None);
    decide(&ledger, &blocks[1], &violated()).await;
    decide(&ledger, &blocks[2], &Verdict::Upheld).await;
    let hold = ledger.hold(chain()).await.unwrap().unwrap();
    assert_eq!((hold.number, hold.hash, hold.verdict.as_str()), (2, blocks[1].hash(), "violated"));
    assert_eq!(hold.reason.as_deref(), Some("invalid-message"));
    assert_eq!(vouched(&ledger).await, 1);

    // Another process decides: the one that runs finds it in the ledger.
    let other = self::ledger(&dir).await;
    let written = other.resolve(&resolution(&blocks[1]), NOW).await.unwrap().unwrap();
    assert_eq!(written, Resolved::Written { verdict: "violated".to_owned() });
    assert_eq!(vouched(&ledger).await, 3);
    assert_eq!(ledger.hold(chain()).await.unwrap(), None);
    assert_eq!(other.resolve(&resolution(&blocks[1]), NOW).await.unwrap(), Ok(Resolved::Before));
    let records = records(&ledger).await;
    assert_eq!(records[1].verdict, "violated", "the verdict stays");
}

#[tokio::test]
async fn invalid_blocks_above_the_vouched_head_are_read_back() {
    let dir = TempDir::new().unwrap();
    let store = ledger(&dir).await;
    let blocks = blocks(3);
    store.anchor(chain(), BlockNumHash { number: 0, hash: B256::ZERO }).await.unwrap();
    for (block, verdict) in blocks.iter().zip([&Verdict::Upheld, &violated(), &Verdict::Upheld]) {
        open(&store, block).await;
        decide(&store, block, verdict).await;
    }
    store.close().await;
    let store = ledger(&dir).await;
    assert_eq!(store.invalid_blocks(chain()).await.unwrap(), [(key(&blocks[1]), Prover::Audit)]);
    assert_eq!(store.invalid_blocks(ChainId::from(901)).await.unwrap(), []);
    store.resolve(&resolution(&blocks[1]), NOW).await.unwrap().unwrap();
    assert_eq!(store.invalid_blocks(chain()).await.unwrap(), [], "an operator has decided");
}

#[tokio::test]
async fn a_block_is_replaced_when_another_of_its_height_was_upheld() {
    let dir = TempDir::new().unwrap();
    let store = ledger(&dir).await;
    let blocks = blocks(2);
    let replaced = attested_with(SigningDomain::CrossSafeBlocksV1, 2, blocks[0].hash(), 21_001);
    store.anchor(chain(), BlockNumHash { number: 0, hash: B256::ZERO }).await.unwrap();
    for (block, verdict) in [(&blocks[0], &Verdict::Upheld), (&replaced, &violated())] {
        open(&store, block).await;
        decide(&store, block, verdict).await;
    }
    let keys = vec![key(&blocks[0]), key(&replaced), key(&blocks[1])];
    assert_eq!(store.replaced_among(keys.clone()).await.unwrap(), []);
    open(&store, &blocks[1]).await;
    decide(&store, &blocks[1], &Verdict::Upheld).await;
    assert_eq!(vouched(&store).await, 2);
    assert_eq!(store.replaced_among(keys.clone()).await.unwrap(), [key(&replaced)]);
    assert_eq!(store.replaced_blocks(chain()).await.unwrap(), [(key(&replaced), Prover::Audit)]);
    store.resolve(&resolution(&replaced), NOW).await.unwrap().unwrap();
    assert_eq!(store.replaced_among(keys).await.unwrap(), [], "an operator has decided");
    assert_eq!(store.replaced_blocks(chain()).await.unwrap(), []);
}

#[tokio::test]
async fn only_invalid_blocks_can_be_resolved() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let blocks = blocks(2);
    let refusal = ledger.resolve(&resolution(&blocks[0]), NOW).await.unwrap().unwrap_err();
    assert!(matches!(refusal, RefusedResolution::NoCase { .. }), "{refusal}");
    open(&ledger, &blocks[0]).await;
    let refusal = ledger.resolve(&resolution(&blocks[0]), NOW).await.unwrap().unwrap_err();
    assert_eq!(refusal, RefusedResolution::Open { key: key(&blocks[0]) });
    decide(&ledger, &blocks[0], &Verdict::Upheld).await;
    let refusal = ledger.resolve(&resolution(&blocks[0]), NOW).await.unwrap().unwrap_err();
    assert!(
        matches!(&refusal, RefusedResolution::NotWrong { verdict, .. } if verdict == "upheld"),
        "{refusal}"
    );
    open(&ledger, &blocks[1]).await;
    decide(&ledger, &blocks[1], &violated()).await;
    let wordless = Resolution { reason: "  ".to_owned(), ..resolution(&blocks[1]) };
    let refusal = ledger.resolve(&wordless, NOW).await.unwrap().unwrap_err();
    assert_eq!(refusal, RefusedResolution::Reason { length: 0 });
}

#[tokio::test]
async fn resolutions_are_append_only() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let block = attested(1, B256::ZERO);
    open(&ledger, &block).await;
    decide(&ledger, &block, &violated()).await;
    ledger.resolve(&resolution(&block), NOW).await.unwrap().unwrap();
    for change in ["DELETE FROM resolutions", "UPDATE resolutions SET reason = 'another'"] {
        let error = sqlx::query(change).execute(&mut *ledger.write().await.unwrap()).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
}

#[tokio::test]
async fn an_upheld_block_takes_precedence_over_a_resolved_one() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let wrong = attested(1, B256::ZERO);
    open(&ledger, &wrong).await;
    decide(&ledger, &wrong, &violated()).await;
    let right = BlockKey { chain_id: chain(), number: 1, hash: B256::repeat_byte(7) };
    let case = NewCase::Ancestor {
        key: right,
        parent_hash: B256::ZERO,
        timestamp: UnixSeconds(900),
        l1_origin: None,
    };
    ledger.open_case(&case, NOW).await.unwrap();
    ledger.resolve(&resolution(&wrong), NOW).await.unwrap().unwrap();
    let decision = Decision {
        key: right,
        verdict: &Verdict::Upheld,
        detail: String::new(),
        messages: &[],
        replaces: Some(wrong.hash()),
        l1: None,
        waits: &BTreeSet::new(),
        at: NOW,
        after: Duration::ZERO,
    };
    ledger.decide(&decision).await.unwrap();
    ledger.anchor(chain(), BlockNumHash { number: 0, hash: B256::ZERO }).await.unwrap();
    let head = ledger.vouched_head(chain()).await.unwrap().unwrap();
    assert_eq!((head.position.hash, head.replaces), (right.hash, Some(wrong.hash())));
}

#[tokio::test]
async fn verdicts_are_reported() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let block = attested(1, B256::ZERO);
    open(&ledger, &block).await;
    let mut changes = ledger.changes();
    decide(&ledger, &block, &Verdict::Upheld).await;
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    assert!(!changes.has_changed().unwrap());
}
