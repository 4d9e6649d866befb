//! Claims without a signature: whatever comes first, each is refuted once.

use super::*;
use serde_json::Value;

fn endpoint(name: &str) -> Claimant {
    Claimant::Endpoint(name.to_owned())
}

async fn open_unattested(ledger: &Ledger, block: &ValidBlock) -> Opening {
    let (parent_hash, timestamp) = (block.parent_hash(), block.timestamp());
    let case = NewCase::Ancestor { key: key(block), parent_hash, timestamp, l1_origin: None };
    ledger.open_case(&case, NOW).await.unwrap()
}

async fn claim(ledger: &Ledger, block: &ValidBlock, claimant: &Claimant) -> Claimed {
    ledger.note_claim(&key(block), claimant, NOW).await.unwrap()
}

fn of(refuted: &[RefutedClaim]) -> Vec<(&str, u64, u64)> {
    refuted.iter().map(|claim| (claim.claimant.as_str(), claim.key.number, claim.claimed.number)).collect()
}

async fn events(ledger: &Ledger, kind: &'static str) -> Vec<Value> {
    let filter = EventFilter { kinds: Some(&[kind]), limit: 100, ..EventFilter::default() };
    let read = ledger.events(filter).await.unwrap();
    read.items.iter().map(|event| serde_json::to_value(event).unwrap()).collect()
}

/// A ledger that begins its audit at block 0, with the cases of blocks 1 to 4, and these.
async fn world(dir: &TempDir) -> (Ledger, Vec<ValidBlock>) {
    let (ledger, blocks) = (ledger(dir).await, blocks(4));
    ledger.anchor(chain(), BlockNumHash { number: 0, hash: B256::ZERO }).await.unwrap();
    for block in &blocks {
        open_unattested(&ledger, block).await;
    }
    (ledger, blocks)
}

#[tokio::test]
async fn a_verdict_refutes_who_claimed_the_block_or_one_on_top_of_it() {
    let dir = TempDir::new().unwrap();
    let (ledger, blocks) = world(&dir).await;
    for (block, name) in [(3, "a"), (2, "a"), (1, "b"), (0, "c")] {
        assert_eq!(
            claim(&ledger, &blocks[block], &endpoint(name)).await,
            Claimed { has_case: true, refuted: vec![] }
        );
    }
    claim(&ledger, &blocks[3], &Claimant::Derived).await;
    let decided = decided(&ledger, &blocks[1], &violated()).await.unwrap();
    assert_eq!(of(&decided.refuted), [("a", 2, 3), ("b", 2, 2)], "by the lowest block that each claimed");
    assert_eq!(decided.claimants, ["a", "b", "derived"]);
    assert!(!decided.is_binding(), "no signer is bound by a claim");
    let refuted = events(&ledger, "claim-refuted").await;
    assert_eq!(refuted.len(), 2);
    let (event, hash) = (&refuted[0], serde_json::to_value(blocks[2].hash()).unwrap());
    assert_eq!((&event["claimant"], &event["block"]["number"]), (&"a".into(), &2.into()));
    assert_eq!((&event["claimed"]["number"], &event["claimed"]["hash"]), (&3.into(), &hash));
    assert_eq!((&event["verdict"], &event["reason"]), (&"violated".into(), &"invalid-message".into()));
}

#[tokio::test]
async fn a_claim_after_the_verdict_is_refuted_once() {
    let dir = TempDir::new().unwrap();
    let (ledger, blocks) = world(&dir).await;
    assert_eq!(decided(&ledger, &blocks[1], &violated()).await.unwrap().refuted, []);
    assert_eq!(of(&claim(&ledger, &blocks[0], &endpoint("a")).await.refuted), []);
    assert_eq!(of(&claim(&ledger, &blocks[2], &endpoint("a")).await.refuted), [("a", 2, 3)]);
    for block in [2, 3] {
        assert_eq!(of(&claim(&ledger, &blocks[block], &endpoint("a")).await.refuted), []);
    }
    assert_eq!(of(&claim(&ledger, &blocks[3], &endpoint("b")).await.refuted), [("b", 2, 4)]);
    assert_eq!(events(&ledger, "claim-refuted").await.len(), 2);
}

/// The claim and the invalid block are known before what is between them.
#[tokio::test]
async fn a_claim_is_refuted_when_the_blocks_between_are_known() {
    let dir = TempDir::new().unwrap();
    let (ledger, blocks) = (ledger(&dir).await, blocks(4));
    ledger.anchor(chain(), BlockNumHash { number: 0, hash: B256::ZERO }).await.unwrap();
    assert_eq!(
        claim(&ledger, &blocks[3], &endpoint("a")).await,
        Claimed { has_case: false, refuted: vec![] }
    );
    for block in [&blocks[3], &blocks[0]] {
        assert_eq!(open_unattested(&ledger, block).await.refuted, []);
    }
    decided(&ledger, &blocks[0], &violated()).await.unwrap();
    assert_eq!(open_unattested(&ledger, &blocks[1]).await.refuted, []);
    assert_eq!(of(&open_unattested(&ledger, &blocks[2]).await.refuted), [("a", 1, 4)]);
    assert_eq!(events(&ledger, "claim-refuted").await.len(), 1);
}

#[tokio::test]
async fn an_attestation_between_connects_them_too() {
    let dir = TempDir::new().unwrap();
    let (ledger, blocks) = (ledger(&dir).await, blocks(3));
    ledger.anchor(chain(), BlockNumHash { number: 0, hash: B256::ZERO }).await.unwrap();
    claim(&ledger, &blocks[2], &endpoint("a")).await;
    for block in [&blocks[2], &blocks[0]] {
        open_unattested(&ledger, block).await;
    }
    decided(&ledger, &blocks[0], &violated()).await.unwrap();
    let opening = ledger.open_case(&NewCase::Attested(&blocks[1]), NOW).await.unwrap();
    assert_eq!(of(&opening.refuted), [("a", 1, 3)]);
}

/// L1 withdrew what the verdict rested on. If the block is found invalid again, that is said again.
#[tokio::test]
async fn a_withdrawn_verdict_refutes_anew() {
    let dir = TempDir::new().unwrap();
    let (ledger, blocks) = world(&dir).await;
    claim(&ledger, &blocks[1], &endpoint("a")).await;
    for refuted in 1..3 {
        assert_eq!(decided(&ledger, &blocks[1], &violated()).await.unwrap().refuted.len(), 1);
        assert_eq!(events(&ledger, "claim-refuted").await.len(), refuted);
        ledger.withdraw_verdict(&key(&blocks[1]), NOW).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn an_invalid_block_that_is_claimed_holds_the_head() {
    let dir = TempDir::new().unwrap();
    let (ledger, blocks) = world(&dir).await;
    decide(&ledger, &blocks[0], &Verdict::Upheld).await;
    decide(&ledger, &blocks[1], &violated()).await;
    assert_eq!(ledger.hold(chain()).await.unwrap(), None, "nobody says that it is on the chain");
    claim(&ledger, &blocks[3], &endpoint("a")).await;
    assert_eq!(ledger.hold(chain()).await.unwrap(), None, "nobody follows that endpoint");
    claim(&ledger, &blocks[3], &Claimant::Derived).await;
    let hold = ledger.hold(chain()).await.unwrap().unwrap();
    assert_eq!((hold.number, hold.hash, hold.attributable), (2, blocks[1].hash(), None));
    assert_eq!(hold.claimants, ["a", "derived"]);
}

#[tokio::test]
async fn an_invalid_block_that_the_upstream_calls_safe_holds_the_head() {
    let dir = TempDir::new().unwrap();
    let (ledger, blocks) = world(&dir).await;
    decide(&ledger, &blocks[0], &Verdict::Upheld).await;
    decide(&ledger, &blocks[1], &violated()).await;
    let claimed = claim(&ledger, &blocks[2], &Claimant::Upstream("up".to_owned())).await;
    assert_eq!(of(&claimed.refuted), [("up", 2, 3)]);
    assert_eq!(ledger.hold(chain()).await.unwrap().unwrap().claimants, ["up"]);
}

/// The branch that the rollup node is on now splits off below the vouched head.
#[tokio::test]
async fn a_gap_is_found_down_to_where_branches_split() {
    let dir = TempDir::new().unwrap();
    let (ledger, blocks) = world(&dir).await;
    for block in &blocks {
        decide(&ledger, block, &Verdict::Upheld).await;
    }
    assert_eq!(vouched(&ledger).await, 4);
    let mut other = vec![attested_with(SigningDomain::CrossSafeBlocksV1, 2, blocks[0].hash(), 7)];
    for number in 3..=6 {
        other.push(attested(number, other[other.len() - 1].hash()));
    }
    let top = BlockNumHash { number: 6, hash: other[4].hash() };
    let gap = async || ledger.branch_gap(chain(), top).await.unwrap().map(|gap| gap.number);
    assert_eq!(gap().await, Some(6));
    for (number, block) in (2..=6).zip(&other).collect::<Vec<(u64, &ValidBlock)>>().into_iter().rev() {
        open_unattested(&ledger, block).await;
        assert_eq!(gap().await, (number > 2).then_some(number - 1));
    }
    let vouched = BlockNumHash { number: 4, hash: blocks[3].hash() };
    assert_eq!(ledger.branch_gap(chain(), vouched).await.unwrap(), None);
}

#[tokio::test]
async fn a_claim_of_a_block_without_a_case_can_be_forgotten() {
    let dir = TempDir::new().unwrap();
    let (ledger, blocks) = world(&dir).await;
    let nowhere = attested(9, B256::repeat_byte(9));
    claim(&ledger, &nowhere, &endpoint("a")).await;
    ledger.forget_claim(&key(&nowhere), &endpoint("a")).await.unwrap();
    open_unattested(&ledger, &nowhere).await;
    assert_eq!(decided(&ledger, &nowhere, &violated()).await.unwrap().refuted, []);
    assert!(ledger.has_case(&key(&blocks[0])).await.unwrap());
    assert!(!ledger.has_case(&key(&attested(8, B256::ZERO))).await.unwrap());
}

/// An operator knows it already.
#[tokio::test]
async fn a_resolved_block_refutes_no_later_claim() {
    let dir = TempDir::new().unwrap();
    let (ledger, blocks) = world(&dir).await;
    decide(&ledger, &blocks[1], &violated()).await;
    ledger.resolve(&resolution(&blocks[1]), NOW).await.unwrap().unwrap();
    assert_eq!(claim(&ledger, &blocks[3], &endpoint("a")).await.refuted, []);
}

#[tokio::test]
async fn a_claimed_branch_ends_at_the_vouched_head_or_at_a_height_below_it() {
    let dir = TempDir::new().unwrap();
    let (ledger, blocks) = world(&dir).await;
    let branch_to = async |block: &ValidBlock, down_to: u64| {
        let top = BlockNumHash { number: block.number(), hash: block.hash() };
        let branch = ledger.claimed_branch(chain(), top, down_to).await.unwrap();
        branch.iter().map(|block| block.number).collect::<Vec<_>>()
    };
    let branch = async |block: &ValidBlock| branch_to(block, u64::from(u32::MAX)).await;
    assert_eq!(branch(&blocks[3]).await, [4, 3, 2, 1, 0]);
    decide(&ledger, &blocks[0], &Verdict::Upheld).await;
    decide(&ledger, &blocks[1], &Verdict::Upheld).await;
    assert_eq!((branch(&blocks[3]).await, branch(&blocks[1]).await), (vec![4, 3, 2], vec![2]));
    assert_eq!(branch_to(&blocks[3], 1).await, [4, 3, 2, 1], "one that is behind is compared, too");
    assert_eq!(branch(&attested(9, B256::repeat_byte(9))).await, [9], "a block without a case");
}

#[tokio::test]
async fn a_difference_between_claimants_is_reported_with_both_answers() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let claims = [("a", B256::repeat_byte(1)), ("b", B256::repeat_byte(2))];
    ledger.note_difference(chain(), 7, claims, NOW).await.unwrap();
    let [event] = events(&ledger, "claimants-differ").await.try_into().unwrap();
    assert_eq!((&event["number"], &event["answers"][1]["claimant"]), (&7.into(), &"b".into()));
    assert_eq!(event["answers"][0]["hash"], serde_json::to_value(B256::repeat_byte(1)).unwrap());
}

/// What only the rollup node derived is replaced, and then nobody has to deal with it. What an endpoint
/// called cross-safe is for a person.
#[tokio::test]
async fn an_invalid_block_is_unresolved_if_an_endpoint_claimed_it() {
    let dir = TempDir::new().unwrap();
    let (ledger, blocks) = world(&dir).await;
    let counts = async || {
        let counts = ledger.unresolved_counts().await.unwrap();
        let counts: Vec<_> = counts.iter().map(|count| (count.attribution.name(), count.count)).collect();
        let listed = ledger.unresolved(9).await.unwrap();
        (counts, listed.iter().map(|block| (block.key.number, block.attribution.name())).collect::<Vec<_>>())
    };
    claim(&ledger, &blocks[3], &Claimant::Derived).await;
    decide(&ledger, &blocks[1], &violated()).await;
    assert_eq!(counts().await, (vec![], vec![]), "it is derived");
    claim(&ledger, &blocks[2], &endpoint("a")).await;
    assert_eq!(counts().await, (vec![("claimed", 1)], vec![(2, "claimed")]));
    claim(&ledger, &blocks[2], &Claimant::Derived).await;
    assert_eq!(counts().await.0, [("claimed", 1)]);
    ledger.withdraw_verdict(&key(&blocks[1]), NOW).await.unwrap().unwrap();
    assert_eq!(counts().await, (vec![], vec![]));
    decide(&ledger, &blocks[1], &violated()).await;
    assert_eq!(counts().await.0, [("claimed", 1)]);
    ledger.resolve(&resolution(&blocks[1]), NOW).await.unwrap().unwrap();
    assert_eq!(counts().await, (vec![], vec![]));
}

/// Known as the ancestor of a replay, and derived only later.
#[tokio::test]
async fn an_invalid_block_that_is_derived_later_is_no_longer_unresolved() {
    let dir = TempDir::new().unwrap();
    let (ledger, blocks) = world(&dir).await;
    decide(&ledger, &blocks[1], &violated()).await;
    assert_eq!(ledger.unresolved_counts().await.unwrap().len(), 1);
    claim(&ledger, &blocks[3], &Claimant::Derived).await;
    assert_eq!(ledger.unresolved_counts().await.unwrap(), []);
    open(&ledger, &blocks[3]).await;
    let [count] = ledger.unresolved_counts().await.unwrap().try_into().unwrap();
    assert_eq!(count.attribution, Attribution::Ancestor, "a signer is bound now");
}

#[tokio::test]
async fn a_record_says_why_a_block_is_audited() {
    let dir = TempDir::new().unwrap();
    let (ledger, blocks) = world(&dir).await;
    claim(&ledger, &blocks[1], &Claimant::Derived).await;
    for claimant in [Claimant::Derived, endpoint("a")] {
        claim(&ledger, &blocks[2], &claimant).await;
    }
    claim(&ledger, &blocks[3], &endpoint("a")).await;
    open(&ledger, &blocks[3]).await;
    let records = records(&ledger).await;
    let told: Vec<_> =
        records.iter().map(|record| (record.origin.as_str(), record.claimants.len())).collect();
    assert_eq!(told, [("ancestor", 0), ("derived", 1), ("claimed", 2), ("attested", 1)]);
    for block in &blocks {
        let [record] = ledger.records_at(chain(), block.number()).await.unwrap().try_into().unwrap();
        assert_eq!(record.origin, records[record.number as usize - 1].origin);
    }
}
