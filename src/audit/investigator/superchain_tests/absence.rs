//! What is not in the block that a message cites, where the cited chain's node checks no messages.

use super::*;
use crate::stale_branches::StaleBranch;
use rstest::rstest;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

/// B1 is invalid, and B2 is built on it; A3 executes a message that is said to be in one of them, and is not.
fn citing(number: u64) -> (Pair, Arc<L2Block>, BlockNumHash) {
    let mut pair = Pair::new();
    pair.extend(A, &[]);
    pair.extend(A, &[]);
    let b1 = pair.extend(B, &[Execute(message(A, 1, 0))]);
    pair.extend(B, &[Emit]);
    let a3 = pair.extend(A, &[Execute(message(B, number, 7))]);
    pair.extend(B, &[]);
    (pair, a3, BlockNumHash { number: 1, hash: b1.hash })
}

/// The replacement of B1 has no log that B1 does not have; but B2 may be another block on top of it.
#[rstest]
#[case::the_invalid_block(1, None, "invalid-message")]
#[case::a_block_on_top_of_it(2, None, "OtherFork: Initiating of 902")]
#[case::the_replaced_block(1, Some(B256::repeat_byte(9)), "OtherFork: Initiating of 902")]
#[tokio::test]
async fn a_node_on_an_invalid_block_accuses_no_other_chain(
    #[case] number: u64,
    #[case] replaced_by: Option<B256>,
    #[case] expected: &str,
) {
    let (pair, a3, invalid) = citing(number);
    let court = pair.serve().await;
    let branches = &court.investigator.parts.branches;
    branches.set(B.into(), Some(StaleBranch { invalid, replaced_by }));
    assert_eq!(court.judge(A, &a3).await.0, expected);
    branches.set(B.into(), None);
    assert_eq!(court.judge(A, &a3).await, outcome("invalid-message", Some("log-not-found")));
}

/// The court audits what B's node derives, and vouches for B up to a height.
async fn vouching(court: &mut Court, dir: &TempDir, vouched: u64) -> Ledger {
    let ledger = Ledger::open(&dir.path().join(format!("{vouched}.sqlite"))).await.unwrap();
    let hash = court.chains[&B].read().canonical(vouched).unwrap().hash;
    ledger.anchor(B.into(), BlockNumHash { number: vouched, hash }).await.unwrap();
    court.investigator.parts.derived = [B.into()].into();
    court.investigator.parts.ledger = Some(ledger.clone());
    ledger
}

#[tokio::test]
async fn what_a_node_does_not_have_is_proof_up_to_the_block_above_the_vouched_one() {
    let dir = TempDir::new().unwrap();
    let (pair, a3, _) = citing(2);
    let mut court = pair.serve().await;
    vouching(&mut court, &dir, 0).await;
    assert_eq!(court.judge(A, &a3).await, outcome("NotYet: Initiating of 902", None));
    vouching(&mut court, &dir, 1).await;
    assert_eq!(court.judge(A, &a3).await, outcome("invalid-message", Some("log-not-found")));
}

#[tokio::test]
async fn a_cited_block_accuses_another_once_it_was_found_invalid_itself() {
    let dir = TempDir::new().unwrap();
    let mut pair = Pair::new();
    let [a2, b1] = transitive(&mut pair);
    let mut court = pair.serve().await;
    vouching(&mut court, &dir, 0).await;
    assert_eq!(court.judge(A, &a2).await, outcome("NotYet: CitedBlock of 902", None));
    let url = format!("sqlite://{}", dir.path().join("0.sqlite").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query(
        "INSERT INTO cases (chain_id, number, hash, parent_hash, timestamp, origin, opened_at, verdict, reason)
         VALUES ('902', 1, ?1, ?2, 1, 'ancestor', 1, 'violated', 'invalid-message')",
    )
    .bind(b1.hash.to_vec())
    .bind(b1.header.parent_hash.to_vec())
    .execute(&mut connection)
    .await
    .unwrap();
    assert_eq!(court.judge(A, &a2).await, outcome("invalid-message", Some("initiating-block-invalid")));
    vouching(&mut court, &dir, 1).await;
    let found = court.judge(A, &a2).await;
    assert_eq!(
        found,
        outcome("invalid-message", Some("initiating-block-invalid")),
        "the audit began above it"
    );
}
