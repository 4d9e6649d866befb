//! A verdict against a block is of a branch of L1, and is taken back with it.

use super::*;

const L1: BlockNumHash = BlockNumHash { number: 7, hash: B256::repeat_byte(7) };

async fn decide_by(ledger: &Ledger, block: &ValidBlock, verdict: &Verdict, l1: Option<BlockNumHash>) {
    let decision = Decision {
        key: key(block),
        verdict,
        detail: verdict.detail(),
        messages: &[],
        replaces: None,
        l1,
        waits: &BTreeSet::new(),
        at: NOW,
        after: Duration::ZERO,
    };
    assert!(ledger.decide(&decision).await.unwrap().is_some());
}

#[tokio::test]
async fn a_withdrawn_verdict_is_kept_and_another_is_reached() {
    let dir = TempDir::new().unwrap();
    let first = ledger(&dir).await;
    first.anchor(chain(), BlockNumHash { number: 0, hash: B256::ZERO }).await.unwrap();
    let (wrong, right) = (attested(1, B256::ZERO), attested(2, B256::repeat_byte(7)));
    open(&first, &wrong).await;
    open(&first, &right).await;
    decide_by(&first, &wrong, &violated(), Some(L1)).await;
    decide_by(&first, &right, &Verdict::Upheld, None).await;
    assert_eq!(first.hold(chain()).await.unwrap().unwrap().hash, wrong.hash());
    let other = BlockNumHash { number: 8, hash: B256::repeat_byte(8) };
    let tied = |l1| vec![TiedVerdict { key: key(&wrong), l1 }];
    assert_eq!(first.tied_verdicts(chain(), 9).await.unwrap(), tied(L1));
    first.tie_verdict(&TiedVerdict { key: key(&wrong), l1: other }).await.unwrap();
    first.close().await;

    let second = ledger(&dir).await;
    assert_eq!(second.tied_verdicts(chain(), 9).await.unwrap(), tied(other));
    let case = second.wrong_case(&key(&wrong)).await.unwrap().unwrap();
    assert_eq!(case.attestation.unwrap().2, *wrong.frame());
    let before = second.withdraw_verdict(&key(&wrong), NOW).await.unwrap().unwrap();
    assert_eq!((before.kind.name(), before.reason.as_deref()), ("violated", Some("invalid-message")));
    assert_eq!(second.withdraw_verdict(&key(&wrong), NOW).await.unwrap(), None);
    assert_eq!(second.withdraw_verdict(&key(&right), NOW).await.unwrap(), None, "it is against nobody");
    assert_eq!(second.hold(chain()).await.unwrap(), None);
    assert_eq!(second.unresolved_counts().await.unwrap(), []);
    assert_eq!(second.counts(chain()).await.unwrap().open, 1);
    assert!(second.wrong_case(&key(&wrong)).await.unwrap().is_none());
    decide_by(&second, &wrong, &Verdict::Upheld, None).await;
    assert_eq!(second.vouched(chain()).await.unwrap().unwrap().hash, wrong.hash());
    let kinds: Vec<String> = second
        .events(EventFilter { limit: 9, ..EventFilter::default() })
        .await
        .unwrap()
        .items
        .iter()
        .map(|event| {
            let event = serde_json::to_value(event).unwrap();
            format!("{} {}", event["kind"].as_str().unwrap(), event["verdict"].as_str().unwrap())
        })
        .collect();
    let expected = ["verdict violated", "verdict upheld", "verdict-taken-back violated", "verdict upheld"];
    assert_eq!(kinds, expected);
    second.close().await;

    let mut connection = connect(&dir.path().join("ledger.sqlite")).await;
    let kept: Vec<(String, i64)> =
        sqlx::query_as("SELECT verdict, judged_l1_number FROM retracted_verdicts WHERE frame IS NOT NULL")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    assert_eq!(kept, [("violated".to_owned(), 8)]);
    let changed = sqlx::query("DELETE FROM retracted_verdicts").execute(&mut connection).await;
    assert!(changed.unwrap_err().to_string().contains("append-only"));
}
