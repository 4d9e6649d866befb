//! [`Retraction`]: a vouched head that leaves a branch, in the ledger.
//!
//! No verdict is touched: each was right of the branch that it is about. The blocks of the branch are marked, so that the
//! head does not move onto them again by itself.

use super::heads::advance;
use super::record::{read_hash, read_optional_hash, read_u64};
use super::store::as_integer;
use super::{BlockPosition, Ledger, LedgerError};
use alloy::eips::BlockNumHash;
use crosscheck_p2p::{ChainId, UnixSeconds};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// A block of the branch that a vouched head is on, or that it left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BranchBlock {
    /// Which.
    pub position: BlockPosition,
    /// The L1 block that it stands on. `None`: it is not known.
    pub l1_origin: Option<BlockNumHash>,
}

/// Why a vouched head leaves a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RetractionReason {
    /// L1 has dropped what the vouched block stands on.
    L1Reorg,
    /// Another block stands at its height, and is final.
    Replaced,
}

/// A vouched head that leaves a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retraction {
    /// The chain.
    pub chain_id: ChainId,
    /// Where its vouched head was.
    pub from: BlockPosition,
    /// The last ancestor of that on the canonical chain.
    pub to: BlockPosition,
    /// Why.
    pub reason: RetractionReason,
}

impl RetractionReason {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::L1Reorg, Self::Replaced];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::L1Reorg => "l1-reorg",
            Self::Replaced => "replaced",
        }
    }
}

impl Ledger {
    /// The vouched head and its ancestors down to where the audit began, highest first, `limit` at most. The block that the
    /// audit began after has no case and comes last.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn vouched_branch(
        &self,
        chain_id: ChainId,
        limit: u32,
    ) -> Result<Vec<BranchBlock>, LedgerError> {
        let rows = sqlx::query(
            "WITH RECURSIVE branch (number, hash) AS (
                 SELECT vouched_number, vouched_hash FROM heads WHERE chain_id = ?1
                 UNION ALL
                 SELECT c.number - 1, c.parent_hash FROM branch b
                 JOIN heads h ON h.chain_id = ?1 AND b.number > h.anchor_number
                 JOIN cases c ON c.chain_id = ?1 AND c.number = b.number AND c.hash = b.hash
                 LIMIT ?2)
             SELECT b.number, b.hash, c.l1_number, c.l1_hash FROM branch b
             LEFT JOIN cases c ON c.chain_id = ?1 AND c.number = b.number AND c.hash = b.hash
             ORDER BY b.number DESC",
        )
        .bind(chain_id.to_string())
        .bind(limit)
        .fetch_all(self.pool())
        .await?;
        rows.iter().map(read_block).collect()
    }

    /// The blocks above the vouched head that it left before, each the next one's parent, lowest first, `limit` at most.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn abandoned_branch(
        &self,
        chain_id: ChainId,
        limit: u32,
    ) -> Result<Vec<BranchBlock>, LedgerError> {
        let rows = sqlx::query(
            "WITH RECURSIVE branch (number, hash) AS (
                 SELECT vouched_number, vouched_hash FROM heads WHERE chain_id = ?1
                 UNION ALL
                 SELECT a.number, a.hash FROM branch b
                 JOIN abandoned_blocks a ON a.chain_id = ?1 AND a.number = b.number + 1
                 JOIN cases c ON c.chain_id = ?1 AND c.number = a.number AND c.hash = a.hash
                             AND c.parent_hash = b.hash
                 LIMIT ?2)
             SELECT b.number, b.hash, c.l1_number, c.l1_hash FROM branch b
             JOIN abandoned_blocks a ON a.chain_id = ?1 AND a.number = b.number AND a.hash = b.hash
             JOIN cases c ON c.chain_id = ?1 AND c.number = b.number AND c.hash = b.hash
             ORDER BY b.number",
        )
        .bind(chain_id.to_string())
        .bind(limit)
        .fetch_all(self.pool())
        .await?;
        rows.iter().map(read_block).collect()
    }

    /// Takes a chain's vouched head back, and from there as far as another branch is upheld. `None`: the head is elsewhere
    /// by now, and nothing was written. Returns where the head is then.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn retract(
        &self,
        retraction: &Retraction,
        at: UnixSeconds,
    ) -> Result<Option<BlockPosition>, LedgerError> {
        let Retraction { chain_id, from, to, reason } = retraction;
        let chain = chain_id.to_string();
        let (from_number, to_number) =
            (as_integer("block number", from.number)?, as_integer("block number", to.number)?);
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(
            "WITH RECURSIVE branch (number, hash) AS (
                 SELECT ?2, ?3 UNION ALL
                 SELECT c.number - 1, c.parent_hash FROM branch b
                 JOIN cases c ON c.chain_id = ?1 AND c.number = b.number AND c.hash = b.hash
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
        sqlx::query(
            "INSERT INTO retractions (chain_id, from_number, from_hash, to_number, to_hash, reason, retracted_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .bind(&chain)
        .bind(from_number)
        .bind(from.hash.to_vec())
        .bind(to_number)
        .bind(to.hash.to_vec())
        .bind(reason.name())
        .bind(as_integer("time", at.0)?)
        .execute(&mut *transaction)
        .await?;
        advance(&mut transaction, *chain_id).await?;
        transaction.commit().await?;
        self.note_change();
        self.vouched(*chain_id).await
    }

    /// Lets the vouched head move onto blocks that it left before: L1 has them again.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn reinstate(&self, chain_id: ChainId, blocks: &[BlockPosition]) -> Result<(), LedgerError> {
        let mut transaction = self.pool().begin_with("BEGIN IMMEDIATE").await?;
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
    pub async fn is_abandoned(&self, chain_id: ChainId, block: BlockPosition) -> Result<bool, LedgerError> {
        let row =
            sqlx::query("SELECT 1 FROM abandoned_blocks WHERE chain_id = ?1 AND number = ?2 AND hash = ?3")
                .bind(chain_id.to_string())
                .bind(as_integer("block number", block.number)?)
                .bind(block.hash.to_vec())
                .fetch_optional(self.pool())
                .await?;
        Ok(row.is_some())
    }
}

fn read_block(row: &SqliteRow) -> Result<BranchBlock, LedgerError> {
    let position = BlockPosition { number: read_u64(row, "number")?, hash: read_hash(row, "hash")? };
    let hash = read_optional_hash(row, "l1_hash")?;
    let l1_origin = match (row.try_get::<Option<i64>, _>("l1_number")?, hash) {
        (Some(_), Some(hash)) => Some(BlockNumHash { number: read_u64(row, "l1_number")?, hash }),
        _ => None,
    };
    Ok(BranchBlock { position, l1_origin })
}
