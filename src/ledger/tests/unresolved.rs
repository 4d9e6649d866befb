//! A block found invalid is unresolved until an operator resolves it, across restarts.

use super::*;

async fn counts(ledger: &Ledger) -> Vec<(String, &'static str, u64)> {
    let counts = ledger.unresolved_counts().await.unwrap();
    assert!(counts.iter().all(|count| count.chain_id == chain()));
    let mut counts: Vec<_> =
        counts.into_iter().map(|count| (count.verdict, count.attribution.name(), count.count)).collect();
    counts.sort();
    counts
}

#[tokio::test]
async fn an_invalid_block_is_unresolved_across_restarts_until_an_operator_resolves_it() {
    let dir = TempDir::new().unwrap();
    let first = ledger(&dir).await;
    first.anchor(chain(), BlockNumHash { number: 0, hash: B256::ZERO }).await.unwrap();
    let (wrong, right) = (attested(1, B256::ZERO), attested(2, B256::repeat_byte(7)));
    for block in [&wrong, &right] {
        open(&first, block).await;
    }
    assert_eq!(counts(&first).await, []);
    decide(&first, &wrong, &violated()).await;
    decide(&first, &right, &Verdict::Upheld).await;
    first.close().await;

    let second = ledger(&dir).await;
    assert_eq!(counts(&second).await, [("violated".to_owned(), "attributable", 1)]);
    let [block] = second.unresolved(9).await.unwrap().try_into().unwrap();
    let (verdict, reason) = ("violated".to_owned(), Some("invalid-message".to_owned()));
    let (detail, attribution) = (Some(violated().detail()), Attribution::Attributable);
    assert_eq!(block, Unresolved { key: key(&wrong), verdict, reason, detail, since: NOW, attribution });
    second.resolve(&resolution(&wrong), NOW).await.unwrap().unwrap();
    assert_eq!((counts(&second).await, second.unresolved(9).await.unwrap()), (vec![], vec![]));
}

/// Passed while it was open, the block was not known to be wrong.
#[tokio::test]
async fn an_invalid_block_that_was_resolved_before_its_verdict_is_unresolved() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let block = attested(1, B256::ZERO);
    open(&ledger, &block).await;
    let unjudged = Resolution { is_unjudged: true, ..resolution(&block) };
    ledger.resolve(&unjudged, NOW).await.unwrap().unwrap();
    decide(&ledger, &block, &violated()).await;
    assert_eq!(counts(&ledger).await, [("violated".to_owned(), "attributable", 1)]);
}

#[tokio::test]
async fn an_unresolved_block_has_its_attribution() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let replay = attested_in(SigningDomain::Zero, 1, B256::ZERO);
    open(&ledger, &replay).await;
    let (bound, alone) = (attested(1, B256::repeat_byte(1)), attested(1, B256::repeat_byte(2)));
    let above = attested(2, bound.hash());
    open(&ledger, &above).await;
    for block in [&bound, &alone] {
        let (parent_hash, timestamp) = (block.parent_hash(), block.timestamp());
        let case = NewCase::Ancestor { key: key(block), parent_hash, timestamp, l1_origin: None };
        ledger.open_case(&case, NOW).await.unwrap();
    }
    for block in [&replay, &bound, &alone] {
        decide(&ledger, block, &violated()).await;
    }
    let violated = |attribution, count| ("violated".to_owned(), attribution, count);
    let expected = [violated("ancestor", 1), violated("replayable", 1), violated("unattested", 1)];
    assert_eq!(counts(&ledger).await, expected);
    let named = ledger.unresolved(9).await.unwrap();
    assert_eq!(named.iter().map(|block| block.key).collect::<Vec<_>>(), [key(&bound), key(&alone)]);
    assert_eq!(ledger.unresolved(1).await.unwrap()[0].key, key(&alone), "the newest");
    // The same block by a signature that can only have been meant.
    open(&ledger, &attested(1, B256::ZERO)).await;
    assert!(counts(&ledger).await.contains(&violated("attributable", 1)));
}
