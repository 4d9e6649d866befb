//! How the vouched head moves over many blocks.

use super::*;
use alloy::primitives::U256;
use sqlx::{Connection, SqliteConnection};

const BLOCKS: u64 = 2 * MAX_ADVANCE + 9;

/// Upheld blocks, each the child of the one before.
const UPHELD: &str = "
    WITH RECURSIVE place (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM place WHERE number < ?1)
    INSERT INTO cases (chain_id, number, hash, parent_hash, timestamp, origin, opened_at, verdict)
    SELECT '901', number, unhex(printf('%064x', number)), unhex(printf('%064x', number - 1)), number, 'ancestor', 1, 'upheld'
    FROM place";

/// As after a long gap whose lowest block was upheld last, on a chain that then stands still.
#[tokio::test]
async fn the_vouched_head_reaches_the_last_upheld_block_without_another_verdict() {
    let (auditor, world) = world().await;
    let url = format!("sqlite://{}", world.dir.path().join("ledger.sqlite").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let blocks = i64::try_from(BLOCKS).unwrap();
    sqlx::query(UPHELD).bind(blocks).execute(&mut connection).await.unwrap();
    let anchor = BlockNumHash { number: 0, hash: B256::from(U256::ZERO) };
    let vouched = world.ledger.anchor(chain(), anchor).await.unwrap();
    assert_eq!(vouched.number, MAX_ADVANCE, "one step does not go all the way");
    let mut tasks = JoinSet::new();
    tasks.spawn(auditor.run(world.cancel.clone()));
    until(async || world.ledger.vouched(chain()).await.unwrap().unwrap().number == BLOCKS).await;
    world.cancel.cancel();
    tokio::time::timeout(DEADLINE, tasks.join_next()).await.unwrap().unwrap().unwrap().unwrap();
}
