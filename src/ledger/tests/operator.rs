//! An operator passes blocks that have no verdict, and moves where an audit begins.

use super::*;

async fn begun(dir: &TempDir) -> Ledger {
    let ledger = ledger(dir).await;
    ledger.anchor(chain(), BlockNumHash { number: 0, hash: B256::ZERO }).await.unwrap();
    ledger
}

fn unjudged(block: &ValidBlock) -> Resolution {
    Resolution { is_unjudged: true, ..resolution(block) }
}

fn position(block: &ValidBlock) -> BlockNumHash {
    BlockNumHash { number: block.number(), hash: block.hash() }
}

#[tokio::test]
async fn a_block_without_a_verdict_is_resolved_with_confirmation_and_a_later_verdict_counts() {
    let dir = TempDir::new().unwrap();
    let ledger = begun(&dir).await;
    let blocks = blocks(3);
    for block in &blocks {
        open(&ledger, block).await;
    }
    decide(&ledger, &blocks[2], &Verdict::Upheld).await;
    let refusal = ledger.resolve(&resolution(&blocks[0]), NOW).await.unwrap().unwrap_err();
    assert_eq!(refusal, RefusedResolution::Open { key: key(&blocks[0]) });
    let written = ledger.resolve(&unjudged(&blocks[0]), NOW).await.unwrap();
    assert_eq!(written, Ok(Resolved::Written { verdict: "open".to_owned() }));
    assert_eq!(ledger.resolve(&unjudged(&blocks[0]), NOW).await.unwrap(), Ok(Resolved::Before));
    assert_eq!(vouched(&ledger).await, 1);
    ledger.resolve(&unjudged(&blocks[1]), NOW).await.unwrap().unwrap();
    assert_eq!(vouched(&ledger).await, 3);

    assert_eq!(decided(&ledger, &blocks[0], &Verdict::Upheld).await.unwrap().retraction, None);
    assert_eq!(vouched(&ledger).await, 3);
    let back = decided(&ledger, &blocks[1], &violated()).await.unwrap().retraction.unwrap();
    assert_eq!((back.from, back.to), (position(&blocks[2]), position(&blocks[0])));
    assert_eq!(back.reason, RetractionReason::Disproven);
    assert_eq!(vouched(&ledger).await, 1);
    let hold = ledger.hold(chain()).await.unwrap().unwrap();
    assert_eq!((hold.hash, hold.verdict.as_str()), (blocks[1].hash(), "violated"));
    assert_eq!(ledger.vouched_head(chain()).await.unwrap().unwrap().retractions, 1);

    let refusal = ledger.resolve(&unjudged(&blocks[1]), NOW).await.unwrap().unwrap_err();
    assert!(matches!(refusal, RefusedResolution::Judged { .. }), "{refusal}");
    // Now the operator knows.
    ledger.resolve(&resolution(&blocks[1]), NOW).await.unwrap().unwrap();
    assert_eq!(vouched(&ledger).await, 3);
}

#[tokio::test]
async fn a_block_is_passed_if_it_is_upheld_or_resolved_as_what_it_is() {
    let dir = TempDir::new().unwrap();
    let ledger = begun(&dir).await;
    let blocks = blocks(3);
    for block in &blocks {
        open(&ledger, block).await;
    }
    let passage = async |block: BlockNumHash| ledger.passage(chain(), block).await.unwrap();
    decide(&ledger, &blocks[0], &Verdict::Upheld).await;
    assert_eq!(passage(position(&blocks[0])).await, Some(Passage::Upheld));
    assert_eq!(passage(BlockNumHash { number: 1, hash: B256::ZERO }).await, None, "another block");
    assert_eq!(passage(position(&blocks[1])).await, None, "it is open");
    ledger.resolve(&unjudged(&blocks[1]), NOW).await.unwrap().unwrap();
    assert_eq!(passage(position(&blocks[1])).await, Some(Passage::Resolved));
    decide(&ledger, &blocks[1], &violated()).await;
    assert_eq!(passage(position(&blocks[1])).await, None, "the operator did not know");
    ledger.resolve(&resolution(&blocks[1]), NOW).await.unwrap().unwrap();
    assert_eq!(passage(position(&blocks[1])).await, Some(Passage::Resolved));
    assert_eq!(
        ledger.anchored_at(chain()).await.unwrap(),
        Some(BlockNumHash { number: 0, hash: B256::ZERO })
    );
}

#[tokio::test]
async fn an_invalid_block_at_or_above_the_head_moves_no_head_back() {
    let dir = TempDir::new().unwrap();
    let ledger = begun(&dir).await;
    let blocks = blocks(2);
    for block in &blocks {
        open(&ledger, block).await;
    }
    // Resolved with confirmation, and not reached: its parent is open.
    ledger.resolve(&unjudged(&blocks[1]), NOW).await.unwrap().unwrap();
    assert_eq!(decided(&ledger, &blocks[1], &violated()).await.unwrap().retraction, None);
    decide(&ledger, &blocks[0], &Verdict::Upheld).await;
    assert_eq!(vouched(&ledger).await, 1);
}

#[tokio::test]
async fn an_operator_sets_where_the_audit_begins() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let blocks = blocks(5);
    let reason = "the node called genesis final".to_owned();
    let anchoring =
        |block: &ValidBlock| Anchoring { chain_id: chain(), to: position(block), reason: reason.clone() };
    let moved = ledger.move_anchor(&anchoring(&blocks[1]), NOW).await.unwrap().unwrap();
    assert_eq!(moved, Anchored { from: None, vouched: position(&blocks[1]) });
    for block in &blocks[3..] {
        open(&ledger, block).await;
        decide(&ledger, block, &Verdict::Upheld).await;
    }
    assert_eq!(vouched(&ledger).await, 2);
    // Upwards: on over what was upheld before. The node's own word comes too late.
    let moved = ledger.move_anchor(&anchoring(&blocks[2]), NOW).await.unwrap().unwrap();
    assert_eq!(moved, Anchored { from: Some(position(&blocks[1])), vouched: position(&blocks[4]) });
    ledger.anchor(chain(), position(&blocks[0])).await.unwrap();
    assert_eq!(vouched(&ledger).await, 5);
    // Downwards: what is between is audited.
    let moved = ledger.move_anchor(&anchoring(&blocks[0]), NOW).await.unwrap().unwrap();
    assert_eq!(moved.vouched, position(&blocks[0]));
    let unlinked = ledger.unlinked(chain(), 9).await.unwrap();
    assert_eq!(unlinked.iter().map(|unlinked| unlinked.parent).collect::<Vec<_>>(), [position(&blocks[2])]);
    assert_eq!(ledger.vouched_head(chain()).await.unwrap().unwrap().retractions, 3, "followers start over");
    let wordless = Anchoring { reason: " ".to_owned(), ..anchoring(&blocks[0]) };
    let refusal = ledger.move_anchor(&wordless, NOW).await.unwrap().unwrap_err();
    assert_eq!(refusal, RefusedAnchor::Reason { length: 0 });
    for change in ["DELETE FROM anchors", "UPDATE anchors SET reason = 'another'"] {
        let error = sqlx::query(change).execute(&mut *ledger.write().await.unwrap()).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
}
