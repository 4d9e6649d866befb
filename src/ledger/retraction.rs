//! [`Retraction`]: a vouched head that leaves a branch, in the ledger.
//!
//! No verdict is touched: each was right of the branch that it is about. The blocks of a branch that the
//! chain has left are marked, so that the head does not move onto them again by itself.

use super::column::{as_integer, read_hash, read_optional_hash, read_position, read_u64};
use super::event_of::retraction_event;
use super::events::write_event;
use super::heads::{advance, vouched};
use super::{Ledger, LedgerError};
use alloy::eips::BlockNumHash;
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::{ChainId, UnixSeconds};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

/// A block of the branch that a vouched head is on, or that it left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BranchBlock {
    /// Which.
    pub position: BlockNumHash,
    /// The L1 block that it is built on. `None`: it is not known.
    pub l1_origin: Option<BlockNumHash>,
}

/// Why a vouched head leaves a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RetractionReason {
    /// L1 has reorged out what the vouched block is built on.
    L1Reorg,
    /// Another block is at its height, and is final.
    Replaced,
    /// An operator had it pass over a block without a verdict, and the block is wrong.
    Disproven,
}

/// A vouched head that leaves a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retraction {
    /// The chain.
    pub chain_id: ChainId,
    /// Where its vouched head was.
    pub from: BlockNumHash,
    /// The last ancestor of that on the canonical chain.
    pub to: BlockNumHash,
    /// Why.
    pub reason: RetractionReason,
}

impl RetractionReason {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::L1Reorg, Self::Replaced, Self::Disproven];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::L1Reorg => "l1-reorg",
            Self::Replaced => "replaced",
            Self::Disproven => "disproven",
        }
    }
}

impl Ledger {
    /// The vouched head and its ancestors down to where the audit began, highest first, `limit` at most. The
    /// block that the audit began after has no case and comes last.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn vouched_branch(
        &self,
        chain_id: ChainId,
        limit: u32,
    ) -> Result<Vec<BranchBlock>, LedgerError> {
        self.retry_read(|| async {
            let rows = sqlx::query(
                "WITH RECURSIVE branch (number, hash) AS (
                 SELECT vouched_number, vouched_hash FROM heads WHERE chain_id = ?1
                 UNION ALL
                 SELECT c.number - 1, c.parent_hash FROM branch b
                 CROSS JOIN heads h ON h.chain_id = ?1 AND b.number > h.anchor_number
                 CROSS JOIN cases c ON c.chain_id = ?1 AND c.number = b.number AND c.hash = b.hash
                 LIMIT ?2)
             SELECT b.number, b.hash, c.l1_number, c.l1_hash FROM branch b
             LEFT JOIN cases c ON c.chain_id = ?1 AND c.number = b.number AND c.hash = b.hash
             ORDER BY b.number DESC",
            )
            .bind(chain_id.to_string())
            .bind(limit)
            .fetch_all(self.readers())
            .await?;
            rows.iter().map(read_block).collect()
        })
        .await
    }

    /// The blocks above the vouched head that it left before, each the next one's parent, lowest first,
    /// `limit` at most.
    ///
    /// A `CROSS JOIN` is taken in the order in which it is written: SQLite would begin with all cases of the
    /// chain.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn abandoned_branch(
        &self,
        chain_id: ChainId,
        limit: u32,
    ) -> Result<Vec<BranchBlock>, LedgerError> {
        self.retry_read(|| async {
            let rows = sqlx::query(
                "WITH RECURSIVE branch (number, hash) AS (
                 SELECT vouched_number, vouched_hash FROM heads WHERE chain_id = ?1
                 UNION ALL
                 SELECT a.number, a.hash FROM branch b
                 CROSS JOIN abandoned_blocks a ON a.chain_id = ?1 AND a.number = b.number + 1
                 CROSS JOIN cases c ON c.chain_id = ?1 AND c.number = a.number AND c.hash = a.hash
                             AND c.parent_hash = b.hash
                 LIMIT ?2)
             SELECT b.number, b.hash, c.l1_number, c.l1_hash FROM branch b
             CROSS JOIN abandoned_blocks a ON a.chain_id = ?1 AND a.number = b.number AND a.hash = b.hash
             CROSS JOIN cases c ON c.chain_id = ?1 AND c.number = b.number AND c.hash = b.hash
             ORDER BY b.number",
            )
            .bind(chain_id.to_string())
            .bind(limit)
            .fetch_all(self.readers())
            .await?;
            rows.iter().map(read_block).collect()
        })
        .await
    }

    /// Takes a chain's vouched head back, and from there as far as another branch is upheld. `None`: the head
    /// is elsewhere by now, and nothing was written. Returns where the head is then.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn retract(
        &self,
        retraction: &Retraction,
        at: UnixSeconds,
    ) -> Result<Option<BlockNumHash>, LedgerError> {
        self.retry_until_done(|| self.retract_once(retraction, at)).await
    }

    async fn retract_once(
        &self,
        retraction: &Retraction,
        at: UnixSeconds,
    ) -> Result<Option<BlockNumHash>, LedgerError> {
        let Retraction { chain_id, from, to, .. } = retraction;
        let chain = chain_id.to_string();
        let (from_number, to_number) =
            (as_integer("block number", from.number)?, as_integer("block number", to.number)?);
        let mut transaction = self.write().await?;
        sqlx::query(
            "WITH RECURSIVE branch (number, hash) AS (
                 SELECT ?2, ?3 UNION ALL
                 SELECT c.number - 1, c.parent_hash FROM branch b
                 CROSS JOIN cases c ON c.chain_id = ?1 AND c.number = b.number AND c.hash = b.hash
                 WHERE b.number > ?4 + 1)
             INSERT INTO abandoned_blocks (chain_id, number, hash)
             SELECT ?1, number, hash FROM branch WHERE number > ?4 ON CONFLICT DO NOTHING",
        )
        .bind(&chain)
        .bind(from_number)
        .bind(from.hash.to_vec())
        .bind(to_number)
        .execute(&mut *transaction)
        .await?;
        let moved = sqlx::query(
            "UPDATE heads SET vouched_number = ?4, vouched_hash = ?5
             WHERE chain_id = ?1 AND vouched_number = ?2 AND vouched_hash = ?3 AND anchor_number <= ?4",
        )
        .bind(&chain)
        .bind(from_number)
        .bind(from.hash.to_vec())
        .bind(to_number)
        .bind(to.hash.to_vec())
        .execute(&mut *transaction)
        .await?;
        if moved.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(None);
        }
        record(&mut transaction, retraction, at).await?;
        let reported = write_event(&mut transaction, &retraction_event(retraction), at).await?;
        advance(&mut transaction, *chain_id).await?;
        // Whatever is done after it is written must not fail: it would be done again, and find nothing to do.
        let head = vouched(&mut *transaction, *chain_id).await?;
        transaction.commit().await?;
        self.note_change();
        self.event_written(reported);
        Ok(head)
    }

    /// Lets the vouched head move onto blocks that it left before: L1 has them again.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn reinstate(&self, chain_id: ChainId, blocks: &[BlockNumHash]) -> Result<(), LedgerError> {
        self.retry_until_done(|| self.reinstate_once(chain_id, blocks)).await
    }

    async fn reinstate_once(&self, chain_id: ChainId, blocks: &[BlockNumHash]) -> Result<(), LedgerError> {
        let mut transaction = self.write().await?;
        for block in blocks {
            sqlx::query("DELETE FROM abandoned_blocks WHERE chain_id = ?1 AND number = ?2 AND hash = ?3")
                .bind(chain_id.to_string())
                .bind(as_integer("block number", block.number)?)
                .bind(block.hash.to_vec())
                .execute(&mut *transaction)
                .await?;
        }
        advance(&mut transaction, chain_id).await?;
        transaction.commit().await?;
        self.note_change();
        Ok(())
    }

    /// Whether a block is of a branch that its chain's vouched head left.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn is_abandoned(&self, chain_id: ChainId, block: BlockNumHash) -> Result<bool, LedgerError> {
        self.retry_read(|| async {
            let row = sqlx::query(
                "SELECT 1 FROM abandoned_blocks WHERE chain_id = ?1 AND number = ?2 AND hash = ?3",
            )
            .bind(chain_id.to_string())
            .bind(as_integer("block number", block.number)?)
            .bind(block.hash.to_vec())
            .fetch_optional(self.readers())
            .await?;
            Ok(row.is_some())
        })
        .await
    }
}

/// Takes a vouched head back below a block that an operator passed without a verdict, and that has one now.
/// `None`: the head is not above it. Nothing is marked as left: the head continues over the block once it is
/// resolved with its verdict.
pub(super) async fn retract_below(
    connection: &mut SqliteConnection,
    key: &BlockKey,
    at: UnixSeconds,
) -> Result<Option<Retraction>, LedgerError> {
    let (chain, number) = (key.chain_id.to_string(), as_integer("block number", key.number)?);
    let passed = sqlx::query(
        "WITH RECURSIVE branch (number, hash) AS (
             SELECT vouched_number, vouched_hash FROM heads h WHERE h.chain_id = ?1 AND EXISTS (
                 SELECT 1 FROM resolutions r
                 WHERE r.chain_id = ?1 AND r.number = ?2 AND r.hash = ?3 AND r.verdict = 'open')
             UNION ALL
             SELECT c.number - 1, c.parent_hash FROM branch b
             CROSS JOIN cases c ON c.chain_id = ?1 AND c.number = b.number AND c.hash = b.hash
             WHERE b.number > ?2)
         SELECT h.vouched_number AS number, h.vouched_hash AS hash, c.parent_hash FROM heads h
         JOIN branch b ON b.number = ?2 AND b.hash = ?3
         JOIN cases c ON c.chain_id = ?1 AND c.number = ?2 AND c.hash = ?3
         WHERE h.chain_id = ?1 AND h.anchor_number < ?2",
    )
    .bind(&chain)
    .bind(number)
    .bind(key.hash.to_vec())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(passed) = passed else { return Ok(None) };
    let to = BlockNumHash { number: key.number.saturating_sub(1), hash: read_hash(&passed, "parent_hash")? };
    let reason = RetractionReason::Disproven;
    let retraction = Retraction { chain_id: key.chain_id, from: read_position(&passed)?, to, reason };
    sqlx::query("UPDATE heads SET vouched_number = ?2, vouched_hash = ?3 WHERE chain_id = ?1")
        .bind(&chain)
        .bind(as_integer("block number", to.number)?)
        .bind(to.hash.to_vec())
        .execute(&mut *connection)
        .await?;
    record(connection, &retraction, at).await?;
    Ok(Some(retraction))
}

async fn record(
    connection: &mut SqliteConnection,
    retraction: &Retraction,
    at: UnixSeconds,
) -> Result<(), LedgerError> {
    let Retraction { chain_id, from, to, reason } = retraction;
    sqlx::query(
        "INSERT INTO retractions (chain_id, from_number, from_hash, to_number, to_hash, reason, retracted_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(chain_id.to_string())
    .bind(as_integer("block number", from.number)?)
    .bind(from.hash.to_vec())
    .bind(as_integer("block number", to.number)?)
    .bind(to.hash.to_vec())
    .bind(reason.name())
    .bind(as_integer("time", at.0)?)
    .execute(connection)
    .await?;
    Ok(())
}

fn read_block(row: &SqliteRow) -> Result<BranchBlock, LedgerError> {
    let position = BlockNumHash { number: read_u64(row, "number")?, hash: read_hash(row, "hash")? };
    let hash = read_optional_hash(row, "l1_hash")?;
    let l1_origin = match (row.try_get::<Option<i64>, _>("l1_number")?, hash) {
        (Some(_), Some(hash)) => Some(BlockNumHash { number: read_u64(row, "l1_number")?, hash }),
        _ => None,
    };
    Ok(BranchBlock { position, l1_origin })
}
