//! Events are written with the facts that they report, and read by their ids.

use super::{NOW, TempDir, attested_in, blocks, chain, decide, key, ledger, open, resolution, violated};
use crate::ledger::{CaseFilter, EventFilter, Ledger, NewCase, Opened, Retraction, RetractionReason};
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_core::case::Verdict;
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::{ChainId, SigningDomain};
use rstest::rstest;
use serde_json::{Value, json};

async fn events(ledger: &Ledger, after: u64) -> Vec<Value> {
    let read = ledger.events(EventFilter { after, limit: 100, ..EventFilter::default() }).await.unwrap();
    read.items.iter().map(|event| serde_json::to_value(event).unwrap()).collect()
}

#[tokio::test]
async fn a_verdict_and_its_later_changes_are_reported() {
    let dir = TempDir::new().unwrap();
    let store = ledger(&dir).await;
    let replay = attested_in(SigningDomain::Zero, 1, B256::ZERO);
    let genuine = attested_in(SigningDomain::CrossSafeBlocksV1, 1, B256::ZERO);
    open(&store, &replay).await;
    assert_eq!(store.last_event().await.unwrap(), 0);
    assert!(decide(&store, &replay, &violated()).await);
    assert!(!decide(&store, &replay, &Verdict::Upheld).await, "a second verdict is none, and is not told");
    assert_eq!(open(&store, &genuine).await, Opened::NowAttributable);
    store.close().await;

    let store = ledger(&dir).await;
    let reported = events(&store, 0).await;
    let of = |reported: &Value| {
        (reported["id"].clone(), reported["kind"].clone(), reported["attributable"].clone())
    };
    assert_eq!(
        reported.iter().map(of).collect::<Vec<_>>(),
        [(json!(1), json!("verdict"), json!(false)), (json!(2), json!("verdict"), json!(true))]
    );
    assert_eq!((&reported[0]["verdict"], &reported[0]["at"]), (&json!("violated"), &json!(NOW.0)));
    assert_eq!(reported[0]["block"]["hash"], json!(replay.hash()));
    assert_eq!((events(&store, 1).await.len(), store.last_event().await.unwrap()), (1, 2));
}

#[tokio::test]
async fn an_upheld_block_is_not_reported_again_when_it_is_bound_to_its_signer() {
    let dir = TempDir::new().unwrap();
    let store = ledger(&dir).await;
    let replay = attested_in(SigningDomain::Zero, 1, B256::ZERO);
    open(&store, &replay).await;
    decide(&store, &replay, &Verdict::Upheld).await;
    let genuine = attested_in(SigningDomain::CrossSafeBlocksV1, 1, B256::ZERO);
    assert_eq!(open(&store, &genuine).await, Opened::NowAttributable);
    assert_eq!(events(&store, 0).await.len(), 1);
}

#[tokio::test]
async fn a_head_that_leaves_a_branch_is_reported_once() {
    let dir = TempDir::new().unwrap();
    let store = ledger(&dir).await;
    let anchor = BlockNumHash { number: 0, hash: B256::ZERO };
    store.anchor(chain(), anchor).await.unwrap();
    let blocks = blocks(2);
    for block in &blocks {
        open(&store, block).await;
        decide(&store, block, &Verdict::Upheld).await;
    }
    let from = BlockNumHash { number: 2, hash: blocks[1].hash() };
    let retraction = Retraction { chain_id: chain(), from, to: anchor, reason: RetractionReason::L1Reorg };
    assert!(store.retract(&retraction, NOW).await.unwrap().is_some());
    assert!(store.retract(&retraction, NOW).await.unwrap().is_none());
    let [reported] = events(&store, 2).await.try_into().unwrap();
    assert_eq!((&reported["kind"], &reported["reason"]), (&json!("retraction"), &json!("l1-reorg")));
}

#[tokio::test]
async fn events_are_read_in_pages() {
    let dir = TempDir::new().unwrap();
    let store = ledger(&dir).await;
    for block in &blocks(5) {
        open(&store, block).await;
        decide(&store, block, &Verdict::Upheld).await;
    }
    let part = async |filter: EventFilter<'_>| {
        let read = store.events(filter).await.unwrap();
        (read.items.iter().map(super::StoredEvent::id).collect::<Vec<_>>(), read.cursor, read.is_more)
    };
    let all = EventFilter { limit: 3, ..EventFilter::default() };
    assert_eq!(part(all).await, (vec![1, 2, 3], 3, true));
    assert_eq!(part(EventFilter { after: 3, ..all }).await, (vec![4, 5], 5, false));
    assert_eq!(part(EventFilter { after: 5, ..all }).await, (vec![], 5, false));
    let ours = EventFilter { chain_id: Some(chain()), limit: 2, ..all };
    assert_eq!(part(EventFilter { after: 1, ..ours }).await, (vec![2, 3], 3, true));
    let others = EventFilter { chain_id: Some(ChainId::from(7)), ..all };
    assert_eq!(part(others).await, (vec![], 5, false), "what is not wanted is looked at once");
    let flips = EventFilter { kinds: Some(&["flip"]), ..all };
    assert_eq!(part(flips).await, (vec![], 5, false));
    let verdicts = EventFilter { kinds: Some(&["flip", "verdict"]), ..all };
    assert_eq!(part(verdicts).await, (vec![1, 2, 3], 3, true));
}

#[tokio::test]
async fn verdicts_are_read_in_the_order_in_which_they_were_reached() {
    let dir = TempDir::new().unwrap();
    let store = ledger(&dir).await;
    let blocks = blocks(3);
    for block in &blocks {
        open(&store, block).await;
    }
    for place in [2, 0] {
        decide(&store, &blocks[place], &Verdict::Upheld).await;
    }
    let filter = CaseFilter { chain_id: None, after: 0, limit: 10 };
    let first = store.decided(filter).await.unwrap();
    assert_eq!(first.items.iter().map(|record| record.number).collect::<Vec<_>>(), [3, 1]);
    decide(&store, &blocks[1], &violated()).await;
    let after = i64::try_from(first.cursor).unwrap();
    let rest = store.decided(CaseFilter { after, chain_id: Some(chain()), ..filter }).await.unwrap();
    let [late] = rest.items.try_into().unwrap();
    assert_eq!((late.number, late.verdict_id, late.hash), (2, Some(3), key(&blocks[1]).hash));
    let numbers = async |names: &[&'static str]| -> Vec<u64> {
        let read = store.decided_as(filter, Some(names)).await.unwrap();
        read.items.iter().map(|record| record.number).collect()
    };
    assert_eq!(
        (numbers(&["violated", "discarded"]).await, numbers(&["upheld"]).await),
        (vec![2], vec![3, 1])
    );
    assert_eq!(numbers(&["discarded"]).await, [] as [u64; 0]);
}

/// The proof of who signed the block remains as long as the block is open or invalid.
#[tokio::test]
async fn the_records_of_a_height_and_the_frame_of_a_block_are_read() {
    let dir = TempDir::new().unwrap();
    let store = ledger(&dir).await;
    let blocks = blocks(2);
    for block in &blocks {
        open(&store, block).await;
    }
    decide(&store, &blocks[0], &violated()).await;
    decide(&store, &blocks[1], &Verdict::Upheld).await;
    let [record] = store.records_at(chain(), 1).await.unwrap().try_into().unwrap();
    assert_eq!((record.hash, record.resolution), (blocks[0].hash(), None));
    assert!(store.records_at(chain(), 3).await.unwrap().is_empty());
    assert_eq!(store.frame(&key(&blocks[0])).await.unwrap().as_ref(), Some(blocks[0].frame()));
    assert_eq!(store.frame(&key(&blocks[1])).await.unwrap(), None, "it is upheld");
    let another = BlockKey { hash: B256::ZERO, ..key(&blocks[0]) };
    assert_eq!(store.frame(&another).await.unwrap(), None);
    store.resolve(&resolution(&blocks[0]), NOW).await.unwrap().unwrap();
    let [record] = store.records_at(chain(), 1).await.unwrap().try_into().unwrap();
    let passed = record.resolution.unwrap();
    assert_eq!((passed.at, passed.reason), (NOW.0, resolution(&blocks[0]).reason));
}

/// A ledger from before there were events: its verdicts have numbers, and the first event comes after them.
#[tokio::test]
async fn verdicts_of_an_old_ledger_keep_their_order() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("ledger.sqlite");
    super::old_ledger(&path, 10).await;
    let old = [("1", "'upheld'", "30"), ("2", "NULL", "NULL"), ("3", "'violated'", "10")];
    for (number, verdict, at) in old {
        let row = format!(
            "INSERT INTO cases (chain_id, number, hash, parent_hash, timestamp, origin, opened_at, verdict, decided_at)
             VALUES ('901', {number}, randomblob(32), randomblob(32), 1, 'ancestor', 1, {verdict}, {at})"
        );
        super::execute(&path, &row).await;
    }
    let store = ledger(&dir).await;
    let filter = CaseFilter { chain_id: None, after: 0, limit: 10 };
    let read = store.decided(filter).await.unwrap();
    let places: Vec<_> = read.items.iter().map(|record| (record.number, record.verdict_id)).collect();
    assert_eq!(places, [(3, Some(1)), (1, Some(2))]);
    assert_eq!((store.last_event().await.unwrap(), events(&store, 0).await.len()), (2, 0));
    let block = super::attested(1, B256::ZERO);
    open(&store, &block).await;
    decide(&store, &block, &Verdict::Upheld).await;
    assert_eq!(store.last_event().await.unwrap(), 3);
}

/// A block that was found invalid while only its descendants were attested, and that the sequencer attests
/// itself then.
#[rstest]
#[case::bound_to_its_signer(SigningDomain::CrossSafeBlocksV1, 2)]
#[case::a_possible_replay(SigningDomain::Zero, 1)]
#[tokio::test]
async fn an_invalid_ancestor_that_is_attested_later_is_reported_again(
    #[case] domain: SigningDomain,
    #[case] expected: usize,
) {
    let dir = TempDir::new().unwrap();
    let store = ledger(&dir).await;
    let block = attested_in(domain, 1, B256::ZERO);
    let (timestamp, parent_hash) = (block.timestamp(), B256::ZERO);
    let ancestor = NewCase::Ancestor { key: key(&block), parent_hash, timestamp, l1_origin: None };
    store.open_case(&ancestor, NOW).await.unwrap();
    assert!(decide(&store, &block, &violated()).await);
    assert_eq!(open(&store, &block).await, Opened::NowAttested);
    let reported = events(&store, 0).await;
    assert_eq!(reported.len(), expected);
    let attributable = (expected == 2).then_some(true);
    assert_eq!(reported.last().unwrap()["attributable"], json!(attributable));
    assert_eq!(open(&store, &block).await, Opened::Known);
    assert_eq!(events(&store, 0).await.len(), expected);
}
