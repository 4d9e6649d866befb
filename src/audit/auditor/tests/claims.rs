//! Claims without a signature, at the auditor.

use super::*;
use crate::ledger::Claimant;

fn claim_of(number: u64, hash: u8, name: &str) -> Claim {
    let block = BlockNumHash { number, hash: B256::repeat_byte(hash) };
    Claim { chain_id: chain(), block, claimant: Claimant::Endpoint(name.to_owned()) }
}

async fn audit_begun_at(number: u64) -> (Auditor, World) {
    let (auditor, world) = world().await;
    world.ledger.anchor(chain(), BlockNumHash { number, hash: B256::repeat_byte(1) }).await.unwrap();
    (auditor, world)
}

fn open(auditor: &Auditor) -> Vec<u64> {
    let keys = (0..2000)
        .flat_map(|number| [1, 2, 3].map(|hash| BlockKey { hash: B256::repeat_byte(hash), ..key(number) }));
    keys.filter(|key| auditor.open.contains(key)).map(|key| key.number).collect()
}

#[tokio::test]
async fn a_claimed_block_is_fetched_and_so_is_what_lies_between() {
    let (mut auditor, _world) = audit_begun_at(100).await;
    auditor.on_claim(claim_of(110, 2, "a"), Instant::now()).await.unwrap();
    assert_eq!(open(&auditor), [110]);
    let (_, work) = auditor.open.take_due(Instant::now()).unwrap();
    assert!(matches!(work, Work::Gap(9)), "{work:?}");
}

#[tokio::test]
async fn the_vouched_block_and_old_blocks_are_not_fetched() {
    let (mut auditor, _world) = audit_begun_at(1000).await;
    for claim in [claim_of(1000, 1, "a"), claim_of(743, 2, "a"), claim_of(0, 3, "a")] {
        auditor.on_claim(claim, Instant::now()).await.unwrap();
    }
    assert_eq!(open(&auditor), [0; 0]);
    auditor.on_claim(claim_of(744, 2, "a"), Instant::now()).await.unwrap();
    assert_eq!(open(&auditor), [744]);
}

#[tokio::test]
async fn before_the_audit_begins_a_claim_is_not_lost() {
    let (mut auditor, world) = world().await;
    auditor.on_claim(claim_of(5, 2, "a"), Instant::now()).await.unwrap();
    assert_eq!(open(&auditor), [0; 0]);
    world.ledger.anchor(chain(), BlockNumHash { number: 2, hash: B256::repeat_byte(1) }).await.unwrap();
    auditor.on_claim(claim_of(5, 2, "a"), Instant::now()).await.unwrap();
    assert_eq!(open(&auditor), [5]);
}

/// Block after block that nobody has: each claimant is waited for in one place.
#[tokio::test]
async fn a_claimant_that_names_blocks_without_end_fills_no_memory() {
    let (mut auditor, _world) = audit_begun_at(100).await;
    for number in 110..200 {
        auditor.on_claim(claim_of(number, 2, "a"), Instant::now()).await.unwrap();
        auditor.on_claim(claim_of(number, 3, "b"), Instant::now()).await.unwrap();
    }
    assert_eq!(open(&auditor), [199, 199]);
}

#[tokio::test]
async fn what_two_claimants_claim_for_long_is_compared() {
    let lines = Lines::capture();
    let (mut auditor, world) = audit_begun_at(100).await;
    let start = Instant::now();
    for (hash, name) in [(2, "a"), (3, "b")] {
        auditor.on_claim(claim_of(110, hash, name), start).await.unwrap();
    }
    for (seconds, reported) in [(0, 0), (29, 0), (30, 1), (31, 1)] {
        auditor.report_differences(start + Duration::from_secs(seconds)).await.unwrap();
        assert_eq!(lines.count("claimants call different blocks"), reported, "{}", lines.text());
    }
    assert_eq!(world.ledger.last_event().await.unwrap(), 1);
}
