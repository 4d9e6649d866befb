//! Replays and genuine attestations of one block, in any order.

use super::*;
use rstest::rstest;

/// What happens to block 1, in order. `reopen` means a restart of the program.
async fn after(steps: &[&str]) -> (Vec<Opened>, CaseRecord) {
    let dir = TempDir::new().unwrap();
    let replay = attested_in(SigningDomain::Zero, 1, B256::ZERO);
    let genuine = attested(1, B256::ZERO);
    let ancestor = NewCase::Ancestor {
        key: key(&genuine),
        parent_hash: B256::ZERO,
        timestamp: genuine.timestamp(),
        l1_origin: None,
    };
    let mut ledger = ledger(&dir).await;
    let mut opened = Vec::new();
    for step in steps {
        match *step {
            "replay" => opened.push(open(&ledger, &replay).await),
            "genuine" => opened.push(open(&ledger, &genuine).await),
            "ancestor" => opened.push(ledger.open_case(&ancestor, NOW).await.unwrap().opened),
            "violated" => assert!(decide(&ledger, &genuine, &violated()).await),
            "upheld" => assert!(decide(&ledger, &genuine, &Verdict::Upheld).await),
            "restart" => {
                ledger.close().await;
                ledger = super::ledger(&dir).await;
            }
            other => panic!("{other}"),
        }
    }
    let [record] = records(&ledger).await.try_into().unwrap();
    let kept = ledger.open_cases(chain(), 0, 10).await.unwrap();
    if let Some((_, StoredCase { attestation: Some((_, _, frame)), .. })) = kept.first() {
        let expected = if record.attributable == Some(true) { genuine.frame() } else { replay.frame() };
        assert_eq!(frame, expected, "the frame is that of the signature that is kept");
    }
    (opened, record)
}

#[rstest]
#[case::replay_alone(&["replay"], &[Opened::New], false)]
#[case::replay_first(&["replay", "genuine"], &[Opened::New, Opened::NowAttributable], true)]
#[case::genuine_first(&["genuine", "replay"], &[Opened::New, Opened::Known], true)]
#[case::only_once(
    &["replay", "genuine", "genuine", "replay"],
    &[Opened::New, Opened::NowAttributable, Opened::Known, Opened::Known],
    true
)]
#[case::over_a_restart(&["replay", "restart", "genuine"], &[Opened::New, Opened::NowAttributable], true)]
#[case::no_downgrade_over_a_restart(&["genuine", "restart", "replay"], &[Opened::New, Opened::Known], true)]
#[case::after_the_verdict(&["replay", "violated", "genuine"], &[Opened::New, Opened::NowAttributable], true)]
#[case::after_verdict_and_restart(
    &["replay", "violated", "restart", "genuine", "restart", "replay"],
    &[Opened::New, Opened::NowAttributable, Opened::Known],
    true
)]
#[case::upheld(&["replay", "upheld", "genuine"], &[Opened::New, Opened::NowAttributable], true)]
#[case::of_an_ancestor(
    &["ancestor", "replay", "genuine"],
    &[Opened::New, Opened::NowAttested, Opened::NowAttributable],
    true
)]
#[tokio::test]
async fn the_strongest_signature_is_kept(
    #[case] steps: &[&str],
    #[case] expected: &[Opened],
    #[case] attributable: bool,
) {
    let (opened, record) = after(steps).await;
    assert_eq!(opened, expected);
    let domain = if attributable { SigningDomain::CrossSafeBlocksV1 } else { SigningDomain::Zero };
    assert_eq!((record.domain, record.attributable), (Some(domain), Some(attributable)));
    assert_eq!(record.origin, "attested");
    let verdict = steps.iter().find(|step| ["violated", "upheld"].contains(step)).unwrap_or(&"open");
    assert_eq!(record.verdict, **verdict, "the verdict stays");
}

#[tokio::test]
async fn a_verdict_says_if_it_is_attributable_and_which_blocks_are_at_its_height() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let replay = attested_in(SigningDomain::Zero, 1, B256::ZERO);
    let other = attested(1, B256::repeat_byte(9));
    open(&ledger, &replay).await;
    open(&ledger, &other).await;
    let detail = violated().detail();
    let decision = |key, verdict| Decision {
        key,
        verdict,
        detail: detail.clone(),
        messages: &[],
        replaces: Some(B256::repeat_byte(7)),
        l1: None,
        waits: const { &BTreeSet::new() },
        at: NOW,
        after: Duration::ZERO,
    };
    let violated = violated();
    let decided = ledger.decide(&decision(key(&replay), &violated)).await.unwrap();
    assert_eq!(decided, Some(Decided { attributable: Some(false), ..Decided::default() }));
    assert_eq!(ledger.decide(&decision(key(&replay), &violated)).await.unwrap(), None);
    let [newer, older] = ledger.cases_at(chain(), 1).await.unwrap().try_into().unwrap();
    assert_eq!((newer.hash, newer.attributable, newer.verdict), (other.hash(), Some(true), None));
    assert_eq!((older.hash, older.attributable), (replay.hash(), Some(false)));
    let verdict = older.verdict.unwrap();
    assert_eq!((verdict.kind.name(), verdict.reason.as_deref()), ("violated", Some("invalid-message")));
    assert_eq!(older.replaces, Some(B256::repeat_byte(7)));
    assert_eq!(ledger.cases_at(chain(), 2).await.unwrap(), []);
}

/// Anybody can send an unsafe block's signature as an attestation: what comes of it says nothing of the
/// sequencer.
#[tokio::test]
async fn a_possible_replay_does_not_stop_the_head_and_binds_no_signer() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    ledger.anchor(chain(), BlockNumHash { number: 0, hash: B256::ZERO }).await.unwrap();
    let replay = attested_in(SigningDomain::Zero, 1, B256::ZERO);
    open(&ledger, &replay).await;
    decide(&ledger, &replay, &violated()).await;
    assert_eq!(ledger.hold(chain()).await.unwrap(), None);
    // The same block, by a signature that can only have been meant.
    let genuine = attested_in(SigningDomain::CrossSafeBlocksV1, 1, B256::ZERO);
    assert_eq!(open(&ledger, &genuine).await, Opened::NowAttributable);
    let hold = ledger.hold(chain()).await.unwrap().unwrap();
    assert_eq!((hold.hash, hold.attributable, hold.ancestor_of), (replay.hash(), Some(true), None));
}

#[rstest]
#[case::replays_alone(false)]
#[case::and_one_that_binds(true)]
#[tokio::test]
async fn an_ancestor_is_bound_by_the_nearest_binding_attestation(#[case] is_bound: bool) {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let ancestor = attested(1, B256::ZERO);
    let replay = attested_in(SigningDomain::Zero, 2, ancestor.hash());
    let binding = attested(3, replay.hash());
    open(&ledger, &replay).await;
    if is_bound {
        open(&ledger, &binding).await;
    }
    let (parent_hash, timestamp) = (B256::ZERO, ancestor.timestamp());
    let case = NewCase::Ancestor { key: key(&ancestor), parent_hash, timestamp, l1_origin: None };
    ledger.open_case(&case, NOW).await.unwrap();
    let decision = Decision {
        key: key(&ancestor),
        verdict: &violated(),
        detail: String::new(),
        messages: &[],
        replaces: None,
        l1: None,
        waits: &BTreeSet::new(),
        at: NOW,
        after: Duration::ZERO,
    };
    let decided = ledger.decide(&decision).await.unwrap().unwrap();
    assert_eq!((decided.attributable, decided.ancestor_of), (None, is_bound.then(|| binding.hash())));
    assert_eq!(decided.is_binding(), is_bound);
    let [record] = records(&ledger)
        .await
        .into_iter()
        .filter(|record| record.number == 1)
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    assert_eq!((record.attributable, record.ancestor_of), (None, decided.ancestor_of));
}

/// Attesting a block attests its ancestors, in any order the attestation, the blocks between and the verdict
/// come.
#[rstest]
#[case::the_verdict_comes_last(&["wrong", "between", "binding", "decide"])]
#[case::the_attestation_comes_last(&["wrong", "decide", "between", "binding"])]
#[case::a_block_between_comes_last(&["wrong", "decide", "binding", "between"])]
#[case::that_block_was_replayed(&["wrong", "decide", "binding", "replay between"])]
#[case::a_replay_of_the_wrong_block_comes_last(&["between", "binding", "replay", "decide"])]
#[case::the_wrong_block_was_replayed(&["replay", "decide", "between", "binding"])]
#[case::the_attestation_was_replayed_before(&["replay", "decide", "between", "replay binding", "binding"])]
#[tokio::test]
async fn an_attested_block_binds_the_invalid_blocks_below_it(#[case] steps: &[&str]) {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    ledger.anchor(chain(), BlockNumHash { number: 0, hash: B256::ZERO }).await.unwrap();
    let wrong = attested_in(SigningDomain::Zero, 1, B256::ZERO);
    let between = attested_in(SigningDomain::Zero, 2, wrong.hash());
    let binding = attested(3, between.hash());
    let replay = attested_in(SigningDomain::Zero, 3, between.hash());
    let ancestor = async |block: &ValidBlock| {
        let (key, parent_hash, timestamp) = (key(block), block.parent_hash(), block.timestamp());
        let case = NewCase::Ancestor { key, parent_hash, timestamp, l1_origin: None };
        ledger.open_case(&case, NOW).await.unwrap().bound
    };
    let attest = async |block| ledger.open_case(&NewCase::Attested(block), NOW).await.unwrap().bound;
    let mut bound = Vec::new();
    for step in steps {
        bound.extend(match *step {
            "wrong" => ancestor(&wrong).await,
            "between" => ancestor(&between).await,
            "replay" => attest(&wrong).await,
            "replay between" => attest(&between).await,
            "replay binding" => attest(&replay).await,
            "binding" => attest(&binding).await,
            _ => {
                assert!(decide(&ledger, &wrong, &violated()).await);
                vec![]
            }
        });
    }
    let attributable = steps.contains(&"replay").then_some(false);
    let record = records(&ledger).await.into_iter().find(|record| record.number == 1).unwrap();
    assert_eq!((record.attributable, record.ancestor_of), (attributable, Some(binding.hash())));
    let hold = ledger.hold(chain()).await.unwrap().unwrap();
    assert_eq!((hold.attributable, hold.ancestor_of), (attributable, Some(binding.hash())));
    let [unresolved] = ledger.unresolved_counts().await.unwrap().try_into().unwrap();
    assert_eq!((unresolved.attribution, unresolved.count), (Attribution::Ancestor, 1));
    // It is reported with the verdict, or once more after it.
    let is_late = steps.last() != Some(&"decide");
    let reported =
        ledger.events(EventFilter { after: 0, limit: 9, chain_id: None, kinds: None }).await.unwrap();
    assert_eq!((bound.len(), reported.items.len()), if is_late { (1, 2) } else { (0, 1) });
    let last = reported.items.last().unwrap();
    let last = serde_json::to_string(last).unwrap();
    assert!(last.contains(&binding.hash().to_string()), "{last}");
}

/// What is below replays alone does not stop the head, like the replays themselves. What binds stops it,
/// whenever that comes.
#[rstest]
#[case::replays_alone(&["replay"], false)]
#[case::binding_first(&["replay", "binding", "decide"], true)]
#[case::binding_after_the_verdict(&["replay", "decide", "binding"], true)]
#[tokio::test]
async fn an_ancestor_stops_the_head_only_if_it_is_bound(#[case] steps: &[&str], #[case] holds: bool) {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    ledger.anchor(chain(), BlockNumHash { number: 0, hash: B256::ZERO }).await.unwrap();
    let ancestor = attested(1, B256::ZERO);
    let replay = attested_in(SigningDomain::Zero, 2, ancestor.hash());
    let binding = attested(3, replay.hash());
    let (parent_hash, timestamp) = (B256::ZERO, ancestor.timestamp());
    let case = NewCase::Ancestor { key: key(&ancestor), parent_hash, timestamp, l1_origin: None };
    ledger.open_case(&case, NOW).await.unwrap();
    for step in steps.iter().chain(&["decide"]) {
        match *step {
            "replay" => drop(open(&ledger, &replay).await),
            "binding" => drop(open(&ledger, &binding).await),
            // The second time it has its verdict.
            _ => drop(decide(&ledger, &ancestor, &violated()).await),
        }
    }
    let hold = ledger.hold(chain()).await.unwrap();
    let reported = hold.map(|hold| (hold.hash, hold.attributable, hold.ancestor_of));
    assert_eq!(reported, holds.then(|| (ancestor.hash(), None, Some(binding.hash()))));
}

/// Of no upheld block that binds its signer is there anything more to learn. Of any other there is.
#[tokio::test]
async fn a_block_is_settled_if_it_is_upheld_and_bound() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let blocks = blocks(3);
    for block in &blocks {
        open(&ledger, block).await;
        decide(&ledger, block, &Verdict::Upheld).await;
    }
    let replay = attested_in(SigningDomain::Zero, 4, blocks[2].hash());
    open(&ledger, &replay).await;
    decide(&ledger, &replay, &Verdict::Upheld).await;
    let open_one = attested(5, replay.hash());
    open(&ledger, &open_one).await;
    let wrong = attested_with(SigningDomain::CrossSafeBlocksV1, 2, blocks[0].hash(), 21_000);
    open(&ledger, &wrong).await;
    decide(&ledger, &wrong, &violated()).await;
    let settled = async |heights, limit| {
        let blocks = ledger.upheld_attested(chain(), heights, limit).await.unwrap();
        blocks.iter().map(|block| (block.number, block.hash)).collect::<Vec<_>>()
    };
    let of = |block: &ValidBlock| (block.number(), block.hash());
    assert_eq!(settled(0..=9, 9).await, [of(&blocks[0]), of(&blocks[1]), of(&blocks[2])]);
    assert_eq!(settled(2..=2, 9).await, [of(&blocks[1])]);
    assert_eq!(settled(0..=9, 1).await, [of(&blocks[0])]);
}

#[tokio::test]
async fn a_run_of_ancestors_is_opened_up_to_the_first_known_block() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let blocks = blocks(6);
    let run: Vec<NewAncestor> = blocks
        .iter()
        .rev()
        .map(|block| {
            let (key, parent_hash, timestamp) = (key(block), block.parent_hash(), block.timestamp());
            NewAncestor { key, parent_hash, timestamp, l1_origin: None }
        })
        .collect();
    open(&ledger, &blocks[2]).await;
    let opened = async |run: &[NewAncestor]| {
        let openings = ledger.open_ancestors(run, NOW).await.unwrap();
        openings.into_iter().map(|opening| opening.opened).collect::<Vec<_>>()
    };
    assert_eq!(opened(&run).await, [Opened::New; 3], "blocks 6 to 4");
    assert_eq!(ledger.cases_at(chain(), 2).await.unwrap(), []);
    assert_eq!(
        opened(&run[3..]).await,
        [Opened::Known, Opened::New, Opened::New],
        "who asked for it goes on"
    );
    assert_eq!(opened(&[]).await, []);
}

/// In a long gap the way up to who binds is not gone again for each block.
#[tokio::test]
async fn an_ancestor_is_bound_by_the_signer_of_the_blocks_above_it() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let blocks = blocks(5);
    open(&ledger, &blocks[4]).await;
    for block in blocks[..4].iter().rev() {
        let (parent_hash, timestamp) = (block.parent_hash(), block.timestamp());
        let case = NewCase::Ancestor { key: key(block), parent_hash, timestamp, l1_origin: None };
        ledger.open_case(&case, NOW).await.unwrap();
    }
    decide(&ledger, &blocks[3], &Verdict::Upheld).await;
    // Nobody needs the way beyond the fourth any more.
    let mut transaction = ledger.write().await.unwrap();
    sqlx::query("UPDATE cases SET domain = NULL WHERE number = 5").execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    decide(&ledger, &blocks[0], &violated()).await;
    let records = records(&ledger).await;
    let bound = records.iter().find(|record| record.number == 1).unwrap();
    assert_eq!((bound.ancestor_of, bound.attributable), (Some(blocks[4].hash()), None));
}
