//! Claims without a signature, at the auditor.

use super::*;
use crate::ledger::{Claimant, Decision};
use crosscheck_core::case::Verdict;
use crosscheck_p2p::UnixSeconds;

fn claim_of(number: u64, hash: u8, name: &str) -> Claim {
    let block = BlockNumHash { number, hash: B256::repeat_byte(hash) };
    Claim { chain_id: chain(), block, claimant: Claimant::Endpoint(name.to_owned()) }
}

/// A chain whose rollup node is at this height.
fn tip_at(number: u64) -> Heads {
    let heads = Heads::new([chain()]);
    let unsafe_l2 = L2BlockRef::new(number, B256::repeat_byte(1), crosscheck_p2p::UnixSeconds(number));
    heads.set(chain(), Some(SyncStatus { unsafe_l2, ..SyncStatus::default() }));
    heads
}

async fn audit_begun_at(number: u64) -> (Auditor, World) {
    let (auditor, world) = world_with(tip_at(2000)).await;
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

/// A ledger whose vouched head has come from block 0 to this height.
async fn vouched_for(number: u64) -> (Auditor, World) {
    let (auditor, world) = audit_begun_at(0).await;
    for number in 1..=number {
        let key = key_of(number);
        let parent_hash = if number == 1 { B256::repeat_byte(1) } else { key_of(number - 1).hash };
        uphold(&world.ledger, key, parent_hash).await;
    }
    assert_eq!(world.ledger.vouched(chain()).await.unwrap().unwrap().number, number);
    (auditor, world)
}

/// A block of the vouched branch.
fn key_of(number: u64) -> BlockKey {
    BlockKey { chain_id: chain(), number, hash: B256::left_padding_from(&(number + 1000).to_be_bytes()) }
}

#[tokio::test]
async fn blocks_that_are_known_and_old_ones_are_not_fetched() {
    let (mut auditor, _world) = vouched_for(300).await;
    for number in [300, 299, 1] {
        let BlockKey { number, hash, .. } = key_of(number);
        let claim = Claim { block: BlockNumHash { number, hash }, ..claim_of(0, 0, "a") };
        auditor.on_claim(claim, Instant::now()).await.unwrap();
    }
    auditor.on_claim(claim_of(43, 2, "a"), Instant::now()).await.unwrap();
    assert_eq!(auditor.open.len(), 0);
    auditor.on_claim(claim_of(44, 2, "a"), Instant::now()).await.unwrap();
    assert_eq!(open(&auditor), [44], "another branch may be claimed for a while");
}

#[tokio::test]
async fn blocks_from_before_the_audit_are_not_fetched() {
    let (mut auditor, _world) = audit_begun_at(1000).await;
    for claim in [claim_of(1000, 1, "a"), claim_of(1000, 2, "a"), claim_of(900, 3, "a")] {
        auditor.on_claim(claim, Instant::now()).await.unwrap();
    }
    assert_eq!(auditor.open.len(), 0);
}

#[tokio::test]
async fn before_the_audit_begins_a_claim_is_not_lost() {
    let (mut auditor, world) = world_with(tip_at(2000)).await;
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
        // Some of them are being fetched when the next is named, and then cannot be had.
        if number.is_multiple_of(3)
            && let Some((key, work)) = auditor.open.take_due(Instant::now())
        {
            auditor.on_claim(claim_of(number + 1000, 2, "a"), Instant::now()).await.unwrap();
            auditor.open.postpone(key, work, BTreeSet::new(), ReasonTexts::new());
        }
    }
    assert_eq!(open(&auditor), [199, 199]);
}

/// What was named and not found in vain is forgotten, also once the claimant names blocks that are known.
#[tokio::test]
async fn a_block_that_nobody_has_is_given_up_when_its_claimant_names_another() {
    let (mut auditor, _world) = vouched_for(3).await;
    auditor.on_claim(claim_of(10, 2, "a"), Instant::now()).await.unwrap();
    assert_eq!(open(&auditor), [10]);
    let BlockKey { number, hash, .. } = key_of(3);
    let known = Claim { block: BlockNumHash { number, hash }, ..claim_of(0, 0, "a") };
    auditor.on_claim(known, Instant::now()).await.unwrap();
    assert_eq!(auditor.open.len(), 0);
}

#[tokio::test]
async fn a_block_that_another_claimant_waits_for_is_not_given_up() {
    let (mut auditor, _world) = audit_begun_at(100).await;
    for name in ["a", "b"] {
        auditor.on_claim(claim_of(110, 2, name), Instant::now()).await.unwrap();
    }
    auditor.on_claim(claim_of(111, 3, "a"), Instant::now()).await.unwrap();
    assert_eq!(open(&auditor), [110, 111]);
}

#[tokio::test]
async fn heights_far_above_the_chain_are_ignored() {
    let (mut auditor, world) = audit_begun_at(100).await;
    for (number, name) in [(u64::MAX, "a"), (1 << 63, "a"), (45_201, "a"), (110, "b"), (111, "b")] {
        auditor.on_claim(claim_of(number, 2, name), Instant::now()).await.unwrap();
    }
    assert_eq!((open(&auditor), auditor.open.len()), (vec![111], 1));
    let branch = world.ledger.claimed_branch(chain(), claim_of(111, 2, "b").block, 0).await.unwrap();
    assert_eq!(branch.len(), 1);
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

/// Records a block that was fetched, and upholds it.
async fn uphold(ledger: &Ledger, key: BlockKey, parent_hash: B256) {
    let case = NewCase::Ancestor { key, parent_hash, timestamp: UnixSeconds(key.number), l1_origin: None };
    ledger.open_case(&case, UnixSeconds(0)).await.unwrap();
    let decision = Decision {
        key,
        verdict: &Verdict::Upheld,
        detail: String::new(),
        messages: &[],
        replaces: None,
        l1: None,
        waits: &BTreeSet::new(),
        at: UnixSeconds(0),
        after: Duration::ZERO,
    };
    ledger.decide(&decision).await.unwrap().unwrap();
}

/// The block of one is below the other's, and soon below the vouched head; nobody has it. What is below the
/// other's claim is known only once it is fetched.
#[tokio::test]
async fn a_claimant_that_remains_on_another_block_differs_from_one_that_moves_on() {
    let lines = Lines::capture();
    let (mut auditor, world) = audit_begun_at(400).await;
    let start = Instant::now();
    let mut parent = B256::repeat_byte(1);
    for step in 1..=5_u8 {
        let (at, number) = (start + 10 * u32::from(step) * Duration::from_secs(1), 400 + u64::from(step));
        auditor.on_claim(claim_of(401, 9, "a"), at).await.unwrap();
        auditor.on_claim(claim_of(number, step, "b"), at).await.unwrap();
        let key = BlockKey { hash: B256::repeat_byte(step), ..key(number) };
        uphold(&world.ledger, key, parent).await;
        parent = key.hash;
        auditor.report_differences(at).await.unwrap();
        let reported = lines.count("claimants call different blocks");
        assert_eq!(reported, usize::from(step >= 4), "step {step}: {}", lines.text());
    }
    assert_eq!(world.ledger.vouched(chain()).await.unwrap().unwrap().number, 405);
    // An endpoint that was restarted calls genesis safe: it no longer says anything about the other block.
    let at = start + Duration::from_secs(60);
    auditor.on_claim(claim_of(0, 7, "a"), at).await.unwrap();
    auditor.report_differences(at).await.unwrap();
    assert_eq!(auditor.claims.count(chain()), 0);
}
