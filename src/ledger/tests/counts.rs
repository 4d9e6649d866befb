//! The running counts always equal a full recount.

use super::*;
use crosscheck_core::case::Discard;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Something that changes cases. The number says which block.
#[derive(Clone, Copy, Debug)]
enum Step {
    Attest(usize),
    Replay(usize),
    Ancestor(usize),
    Decide(usize, usize),
    Resolve(usize, bool),
    Remove(usize),
}

const BLOCKS: usize = 4;

fn step() -> impl Strategy<Value = Step> {
    let block = 0..BLOCKS;
    prop_oneof![
        block.clone().prop_map(Step::Attest),
        block.clone().prop_map(Step::Replay),
        block.clone().prop_map(Step::Ancestor),
        (block.clone(), 0..3_usize).prop_map(|(block, verdict)| Step::Decide(block, verdict)),
        (block.clone(), any::<bool>()).prop_map(|(block, unjudged)| Step::Resolve(block, unjudged)),
        block.prop_map(Step::Remove),
    ]
}

async fn take(ledger: &Ledger, blocks: &[ValidBlock], replays: &[ValidBlock], step: Step) {
    match step {
        Step::Attest(place) => {
            open(ledger, &blocks[place]).await;
        }
        Step::Replay(place) => {
            open(ledger, &replays[place]).await;
        }
        Step::Ancestor(place) => {
            let block = &blocks[place];
            let (key, parent_hash) = (key(block), block.parent_hash());
            let case = NewCase::Ancestor { key, parent_hash, timestamp: block.timestamp(), l1_origin: None };
            ledger.open_case(&case, NOW).await.unwrap();
        }
        Step::Decide(place, verdict) => {
            let verdicts = [
                Verdict::Upheld,
                violated(),
                Verdict::Discarded(Discard::ExecutionDivergence { derived: B256::ZERO }),
            ];
            decide(ledger, &blocks[place], &verdicts[verdict]).await;
        }
        Step::Resolve(place, is_unjudged) => {
            let resolution = Resolution { is_unjudged, ..resolution(&blocks[place]) };
            // Many are refused: the block is not so.
            let _resolved = ledger.resolve(&resolution, NOW).await.unwrap();
        }
        Step::Remove(place) => {
            let mut transaction = ledger.write().await.unwrap();
            sqlx::query("DELETE FROM cases WHERE hash = ?1 AND verdict = 'upheld'")
                .bind(blocks[place].hash().to_vec())
                .execute(&mut *transaction)
                .await
                .unwrap();
            transaction.commit().await.unwrap();
        }
    }
}

/// Three words and how many.
async fn read(ledger: &Ledger, query: &'static str) -> BTreeMap<(String, String, String), i64> {
    let rows: Vec<(String, String, String, i64)> =
        sqlx::query_as(query).fetch_all(ledger.readers()).await.unwrap();
    rows.into_iter().map(|(one, two, three, count)| ((one, two, three), count)).collect()
}

async fn agrees_after(steps: &[Step]) {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    ledger.anchor(chain(), BlockNumHash { number: 0, hash: B256::ZERO }).await.unwrap();
    let blocks = blocks(u64::try_from(BLOCKS).unwrap());
    let replay = |block: &ValidBlock| attested_in(SigningDomain::Zero, block.number(), block.parent_hash());
    let replays: Vec<ValidBlock> = blocks.iter().map(replay).collect();
    let (mut received, mut was) = (0, 0);
    for step in steps {
        take(&ledger, &blocks, &replays, *step).await;
        let counted = read(
            &ledger,
            "SELECT chain_id, origin, verdict, cases FROM case_counts WHERE cases <> 0 AND verdict <> 'removed'",
        );
        let anew = read(
            &ledger,
            "SELECT chain_id, origin, coalesce(verdict, 'open'), count(*) FROM cases GROUP BY 1, 2, 3",
        );
        assert_eq!(counted.await, anew.await, "after {step:?}");
        let counted = read(
            &ledger,
            "SELECT chain_id, verdict, attribution, cases FROM unresolved_counts WHERE cases <> 0",
        );
        let anew = read(
            &ledger,
            "SELECT chain_id, verdict, attribution, count(*) FROM unresolved_cases GROUP BY 1, 2, 3",
        );
        assert_eq!(counted.await, anew.await, "after {step:?}");
        // What is kept no longer was received all the same.
        let query = "SELECT count(*) FROM cases WHERE origin = 'attested'";
        let attested: i64 = sqlx::query_scalar(query).fetch_one(ledger.readers()).await.unwrap();
        received += (attested - was).max(0);
        was = attested;
        let counts = ledger.counts(chain()).await.unwrap();
        assert_eq!(i64::try_from(counts.received).unwrap(), received, "after {step:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn counts_are_right_after_any_sequence_of_changes(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(agrees_after(&steps));
    }
}

#[tokio::test]
async fn the_cases_of_an_old_ledger_are_counted_once() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("ledger.sqlite");
    old_ledger(&path, 11).await;
    for (number, origin, domain, verdict) in [
        (1, "attested", "'cross-safe-blocksv1'", "'violated'"),
        (2, "attested", "'zero'", "'violated'"),
        (3, "ancestor", "NULL", "'upheld'"),
        (4, "attested", "'zero'", "NULL"),
    ] {
        let row = format!(
            "INSERT INTO cases (chain_id, number, hash, parent_hash, timestamp, origin, domain, opened_at, verdict)
             VALUES ('901', {number}, randomblob(32), randomblob(32), 1, '{origin}', {domain}, 1, {verdict})"
        );
        execute(&path, &row).await;
    }
    let ledger = ledger(&dir).await;
    let counts = ledger.counts(ChainId::from(901)).await.unwrap();
    assert_eq!(counts, CaseCounts { received: 3, open: 1 });
    let unresolved: u64 = ledger.unresolved_counts().await.unwrap().iter().map(|count| count.count).sum();
    assert_eq!((unresolved, ledger.open_by_chain().await.unwrap()), (2, vec![(ChainId::from(901), 1)]));
}

#[tokio::test]
async fn blocks_found_invalid_are_not_deleted() {
    let dir = TempDir::new().unwrap();
    let ledger = ledger(&dir).await;
    let block = attested(1, B256::ZERO);
    open(&ledger, &block).await;
    decide(&ledger, &block, &violated()).await;
    let deleted = sqlx::query("DELETE FROM cases").execute(&mut *ledger.write().await.unwrap()).await;
    assert!(deleted.unwrap_err().to_string().contains("are kept"));
}
