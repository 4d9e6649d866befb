//! A vouched head that leaves a branch, and goes onto it again.

use super::*;

/// A block of this height with other contents than the one that [`attested`] gives.
fn sibling(number: u64, parent_hash: B256) -> ValidBlock {
    attested_with(SigningDomain::CrossSafeBlocksV1, number, parent_hash, 21_000)
}

fn position(block: &ValidBlock) -> BlockNumHash {
    BlockNumHash { number: block.number(), hash: block.hash() }
}

async fn uphold(ledger: &Ledger, blocks: &[ValidBlock]) {
    for block in blocks {
        open(ledger, block).await;
        decide(ledger, block, &Verdict::Upheld).await;
    }
}

async fn anchored(dir: &TempDir) -> Ledger {
    let ledger = ledger(dir).await;
    ledger.anchor(chain(), BlockNumHash { number: 0, hash: B256::ZERO }).await.unwrap();
    ledger
}

fn back(from: &ValidBlock, to: &ValidBlock) -> Retraction {
    let (from, to) = (position(from), position(to));
    Retraction { chain_id: chain(), from, to, reason: RetractionReason::L1Reorg }
}

#[tokio::test]
async fn the_head_leaves_a_branch_and_follows_another() {
    let dir = TempDir::new().unwrap();
    let ledger = anchored(&dir).await;
    let old = blocks(5);
    uphold(&ledger, &old).await;
    assert_eq!(vouched(&ledger).await, 5);
    let new = [sibling(3, old[1].hash())];
    let new = [new[0].clone(), sibling(4, new[0].hash())];
    uphold(&ledger, &new).await;
    assert_eq!(vouched(&ledger).await, 5, "nothing moves by itself");
    let now = ledger.retract(&back(&old[4], &old[1]), NOW).await.unwrap();
    assert_eq!(now, Some(position(&new[1])), "as far as the other branch is upheld");
    assert_eq!(ledger.vouched_head(chain()).await.unwrap().unwrap().retractions, 1);
    // What is built on the branch that it left takes it nowhere, also after a restart.
    let later = attested(6, old[4].hash());
    uphold(&ledger, &[later]).await;
    ledger.close().await;
    let ledger = super::ledger(&dir).await;
    assert_eq!(vouched(&ledger).await, 4);
    assert!(ledger.is_abandoned(chain(), position(&old[2])).await.unwrap());
    assert!(!ledger.is_abandoned(chain(), position(&old[1])).await.unwrap());
    assert_eq!(ledger.passage(chain(), position(&old[2])).await.unwrap(), None, "it was left");
    assert_eq!(ledger.passage(chain(), position(&new[0])).await.unwrap(), Some(Passage::Upheld));
}

#[tokio::test]
async fn the_head_waits_where_the_branches_split_until_the_other_one_is_upheld() {
    let dir = TempDir::new().unwrap();
    let ledger = anchored(&dir).await;
    let old = blocks(4);
    uphold(&ledger, &old).await;
    let now = ledger.retract(&back(&old[3], &old[0]), NOW).await.unwrap();
    assert_eq!(now, Some(position(&old[0])), "not onto what it has left");
    uphold(&ledger, &[sibling(2, old[0].hash())]).await;
    assert_eq!(vouched(&ledger).await, 2);
}

#[tokio::test]
async fn the_head_returns_when_l1_returns_to_the_branch() {
    let dir = TempDir::new().unwrap();
    let ledger = anchored(&dir).await;
    let old = blocks(4);
    uphold(&ledger, &old).await;
    ledger.retract(&back(&old[3], &old[1]), NOW).await.unwrap();
    let left: Vec<_> = ledger.abandoned_branch(chain(), 100).await.unwrap();
    let left: Vec<_> = left.into_iter().map(|block| block.position).collect();
    assert_eq!(left, [position(&old[2]), position(&old[3])]);
    ledger.reinstate(chain(), &left[..1]).await.unwrap();
    assert_eq!(vouched(&ledger).await, 3, "so far and no further");
    ledger.reinstate(chain(), &left[1..]).await.unwrap();
    assert_eq!(vouched(&ledger).await, 4);
}

#[tokio::test]
async fn a_retraction_from_an_outdated_head_changes_nothing() {
    let dir = TempDir::new().unwrap();
    let ledger = anchored(&dir).await;
    let old = blocks(3);
    uphold(&ledger, &old).await;
    assert_eq!(ledger.retract(&back(&old[1], &old[0]), NOW).await.unwrap(), None);
    assert_eq!(vouched(&ledger).await, 3);
    assert!(!ledger.is_abandoned(chain(), position(&old[1])).await.unwrap(), "nothing was written");
}

#[tokio::test]
async fn the_vouched_branch_is_read_down_to_the_anchor() {
    let dir = TempDir::new().unwrap();
    let ledger = anchored(&dir).await;
    let old = blocks(3);
    uphold(&ledger, &old).await;
    let reported: Vec<_> = ledger.vouched_branch(chain(), 100).await.unwrap();
    let reported: Vec<_> = reported.into_iter().map(|block| block.position.number).collect();
    assert_eq!(reported, [3, 2, 1, 0]);
    assert_eq!(ledger.vouched_branch(chain(), 2).await.unwrap().len(), 2);
}
