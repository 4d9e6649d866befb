//! Old upheld cases are removed; what may still be asked about remains, and is answered as before.

use super::*;
use crosscheck_core::events::{Notice, NoticeContent};
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::tracker::MessageKey;

const LATER: UnixSeconds = UnixSeconds(NOW.0 + 1);

async fn prune(ledger: &Ledger, below_head: u64) -> u64 {
    let mut pruning = Pruning { before: LATER, below_head, after: 0, limit: 3 };
    let mut removed = 0;
    loop {
        let pruned = ledger.prune(&pruning).await.unwrap();
        removed += pruned.removed;
        let Some(next) = pruned.next else { return removed };
        assert!(next > pruning.after, "each batch goes on");
        pruning.after = next;
    }
}

/// A ledger of blocks 1 to `count`, all upheld.
async fn upheld(dir: &TempDir, count: u64) -> (Ledger, Vec<ValidBlock>) {
    let ledger = ledger(dir).await;
    ledger.anchor(chain(), BlockNumHash { number: 0, hash: B256::ZERO }).await.unwrap();
    let blocks = blocks(count);
    for block in &blocks {
        open(&ledger, block).await;
        decide(&ledger, block, &Verdict::Upheld).await;
    }
    (ledger, blocks)
}

async fn heights(ledger: &Ledger) -> Vec<u64> {
    let mut heights: Vec<u64> = records(ledger).await.iter().map(|record| record.number).collect();
    heights.sort_unstable();
    heights
}

async fn signatures(ledger: &Ledger) -> Vec<(i64, Vec<u8>, String, Vec<u8>, Option<Vec<u8>>)> {
    let query = "SELECT number, signer, domain, payload_hash, signature FROM signatures ORDER BY number";
    sqlx::query_as(query).fetch_all(ledger.readers()).await.unwrap()
}

#[tokio::test]
async fn old_cases_are_removed_with_their_events_and_their_signatures_remain() {
    let dir = TempDir::new().unwrap();
    let (ledger, blocks) = upheld(&dir, 10).await;
    let before = ledger.counts(chain()).await.unwrap();
    assert_eq!(prune(&ledger, 4).await, 5);
    assert_eq!(heights(&ledger).await, [6, 7, 8, 9, 10]);
    let filter = EventFilter { limit: 100, ..EventFilter::default() };
    let events = ledger.events(filter).await.unwrap().items;
    assert_eq!(events.iter().map(StoredEvent::id).collect::<Vec<_>>(), [6, 7, 8, 9, 10]);
    assert_eq!(ledger.counts(chain()).await.unwrap(), before, "they were received all the same");
    assert_eq!((vouched(&ledger).await, ledger.unlinked(chain(), 9).await.unwrap()), (10, vec![]));
    let branch = ledger.vouched_branch(chain(), 100).await.unwrap();
    assert_eq!(branch.iter().map(|block| block.position.number).collect::<Vec<_>>(), [10, 9, 8, 7, 6, 5]);
    let kept = signatures(&ledger).await;
    assert_eq!(kept.len(), 10);
    for (block, (number, signer, domain, payload_hash, signature)) in blocks.iter().zip(kept) {
        assert_eq!((u64::try_from(number).unwrap(), signer), (block.number(), block.signer().to_vec()));
        assert_eq!(
            (domain, payload_hash),
            (block.domain().to_string(), block.payload_hash().as_b256().to_vec())
        );
        assert_eq!(signature, Some(block.signature().to_vec()));
    }
    assert_eq!(prune(&ledger, 4).await, 0);
}

#[tokio::test]
async fn young_cases_and_cases_not_below_the_head_remain() {
    let dir = TempDir::new().unwrap();
    let (ledger, _) = upheld(&dir, 5).await;
    let above = attested(9, B256::repeat_byte(7));
    open(&ledger, &above).await;
    decide(&ledger, &above, &Verdict::Upheld).await;
    let young = Pruning { before: NOW, below_head: 0, after: 0, limit: 100 };
    assert_eq!(ledger.prune(&young).await.unwrap(), Pruned { removed: 0, next: None });
    assert_eq!(prune(&ledger, 0).await, 4);
    assert_eq!(heights(&ledger).await, [5, 9], "the head itself and what is above it");
}

/// Beside and below what is not plainly upheld: that holds, replaces, or has a parent.
#[tokio::test]
async fn cases_at_the_height_of_a_finding_remain() {
    let dir = TempDir::new().unwrap();
    let (ledger, blocks) = upheld(&dir, 30).await;
    let rival = attested_with(SigningDomain::CrossSafeBlocksV1, 10, blocks[8].hash(), 7);
    open(&ledger, &rival).await;
    decide(&ledger, &rival, &violated()).await;
    let block = key(&blocks[19]);
    let content = NoticeContent::Invalid {
        reason: InvalidReason::ExecutedByDeposit,
        cause: crosscheck_core::tracker::StatusCause::Checked,
    };
    let note = Notice {
        key: MessageKey { block: BlockKey { hash: B256::repeat_byte(5), ..block }, log_index: 0 },
        initiating: None,
        timestamp: UnixSeconds(900),
        transaction_hash: None,
        level: SafetyLevel::Unsafe,
        content,
        ordinal: 0,
        invalid_before: None,
    };
    ledger.note_messages(std::slice::from_ref(&note), NOW).await.unwrap();
    let asked = vec![key(&rival), note.key.block];
    assert_eq!(ledger.replaced_among(asked.clone()).await.unwrap(), asked);
    assert_eq!(prune(&ledger, 0).await, 26);
    assert_eq!(heights(&ledger).await, [9, 10, 10, 20, 30]);
    assert_eq!(ledger.replaced_among(asked.clone()).await.unwrap(), asked);
    assert_eq!(ledger.replaced_by(&key(&blocks[9])).await.unwrap(), Some(rival.hash()));
}

/// A block that was passed without a verdict and is wrong takes the head back, however long that took.
#[tokio::test]
async fn cases_above_a_block_resolved_without_a_verdict_remain() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    ledger.anchor(chain(), BlockNumHash { number: 0, hash: B256::ZERO }).await.unwrap();
    let blocks = blocks(9);
    for block in &blocks {
        open(&ledger, block).await;
        if block.number() != 4 {
            decide(&ledger, block, &Verdict::Upheld).await;
        }
    }
    let unjudged = Resolution { is_unjudged: true, ..resolution(&blocks[3]) };
    ledger.resolve(&unjudged, NOW).await.unwrap().unwrap();
    assert_eq!(vouched(&ledger).await, 9);
    assert_eq!(prune(&ledger, 0).await, 2);
    assert_eq!(heights(&ledger).await, [3, 4, 5, 6, 7, 8, 9]);
    let decided = decided(&ledger, &blocks[3], &violated()).await.unwrap();
    assert_eq!(decided.retraction.unwrap().to.number, 3);
    assert_eq!(vouched(&ledger).await, 3);
}

/// Whose signature an open ancestor can be used against is found on top of it.
#[tokio::test]
async fn signatures_above_an_open_block_remain() {
    let dir = TempDir::new().unwrap();
    let (ledger, _) = upheld(&dir, 9).await;
    let lie = attested_with(SigningDomain::CrossSafeBlocksV1, 2, B256::repeat_byte(7), 9);
    let ancestor = NewCase::Ancestor {
        key: key(&lie),
        parent_hash: lie.parent_hash(),
        timestamp: lie.timestamp(),
        l1_origin: None,
    };
    ledger.open_case(&ancestor, NOW).await.unwrap();
    let child = attested(3, lie.hash());
    open(&ledger, &child).await;
    decide(&ledger, &child, &Verdict::Upheld).await;
    assert_eq!(prune(&ledger, 0).await, 0);
    let found = decided(&ledger, &lie, &violated()).await.unwrap();
    assert_eq!(found.ancestor_of, Some(child.hash()));
    assert_eq!(
        prune(&ledger, 0).await,
        6,
        "all but those beside it, the one that is held against its signer, and the head"
    );
}

#[tokio::test]
async fn an_audit_from_a_lower_anchor_covers_removed_cases_again() {
    let dir = TempDir::new().unwrap();
    let (ledger, blocks) = upheld(&dir, 9).await;
    prune(&ledger, 2).await;
    let to = BlockNumHash { number: 2, hash: blocks[1].hash() };
    let moved = Anchoring { chain_id: chain(), to, reason: "a test".to_owned() };
    ledger.move_anchor(&moved, NOW).await.unwrap().unwrap();
    let [unlinked] = ledger.unlinked(chain(), 9).await.unwrap().try_into().unwrap();
    assert_eq!(unlinked.parent, BlockNumHash { number: 6, hash: blocks[5].hash() });
    for block in &blocks[2..6] {
        open(&ledger, block).await;
        decide(&ledger, block, &Verdict::Upheld).await;
    }
    assert_eq!(vouched(&ledger).await, 9);
}

#[tokio::test]
async fn a_new_database_file_can_shrink() {
    let dir = TempDir::new().unwrap();
    let (ledger, _) = upheld(&dir, 60).await;
    assert!(ledger.can_shrink().await.unwrap());
    let pages = async || -> i64 {
        sqlx::query_scalar("PRAGMA page_count").fetch_one(ledger.readers()).await.unwrap()
    };
    let before = pages().await;
    prune(&ledger, 0).await;
    let free: i64 = sqlx::query_scalar("PRAGMA freelist_count").fetch_one(ledger.readers()).await.unwrap();
    assert!(pages().await < before && free == 0, "{before} {} {free}", pages().await);
}

#[tokio::test]
async fn a_database_file_of_an_older_version_cannot_shrink() {
    let dir = TempDir::new().unwrap();
    old_ledger(&dir.path().join("ledger.sqlite"), 10).await;
    assert!(!ledger(&dir).await.can_shrink().await.unwrap());
}

/// A signature that came after the verdict is the one that says more.
#[tokio::test]
async fn the_strongest_signature_is_kept() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let (replay, genuine) = (
        attested_in(SigningDomain::Zero, 1, B256::ZERO),
        attested_in(SigningDomain::CrossSafeBlocksV1, 1, B256::ZERO),
    );
    open(&ledger, &replay).await;
    decide(&ledger, &replay, &Verdict::Upheld).await;
    assert_eq!(signatures(&ledger).await[0].4, Some(replay.signature().to_vec()));
    open(&ledger, &genuine).await;
    let [kept] = signatures(&ledger).await.try_into().unwrap();
    assert_eq!((kept.2, kept.4), (genuine.domain().to_string(), Some(genuine.signature().to_vec())));
}
