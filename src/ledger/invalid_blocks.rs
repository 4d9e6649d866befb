//! The blocks that were proven invalid, in the ledger: so that no follower is led onto one after a restart.

use super::column::{as_integer, read_hash, read_u64};
use super::{Ledger, LedgerError};
use crate::invalid_blocks::Prover;
use alloy::primitives::B256;
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::ChainId;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// How many are read back: the lowest.
const MAX_READ: u32 = 4096;

/// How far below the vouched head replaced blocks are read back: what is served may be so far behind it.
const MAX_BEHIND: u64 = 4096;

impl Ledger {
    /// The block that a block took the place of: as the audit recognised it, else the one of its height that
    /// was found to execute an invalid message last. `None`: none is known.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn replaced_by(&self, block: &BlockKey) -> Result<Option<B256>, LedgerError> {
        let row = sqlx::query(
            "SELECT replaces AS hash, 1 AS is_recognised, 0 AS at FROM cases
             WHERE chain_id = ?1 AND number = ?2 AND hash = ?3 AND replaces IS NOT NULL
             UNION ALL
             SELECT hash, 0, opened_at FROM cases
             WHERE chain_id = ?1 AND number = ?2 AND hash != ?3 AND verdict = 'violated' AND reason = 'invalid-message'
             UNION ALL
             SELECT e.hash, 0, e.noted_at FROM message_events e
             WHERE e.chain_id = ?1 AND e.number = ?2 AND e.hash != ?3 AND e.kind != 'ended'
               AND e.status = 'invalid' AND NOT EXISTS (
                 SELECT 1 FROM message_events later
                 WHERE later.chain_id = e.chain_id AND later.number = e.number AND later.hash = e.hash
                   AND later.log_index = e.log_index AND later.id > e.id
                   AND (later.status = 'valid' OR later.ending = 'orphaned'))
             ORDER BY is_recognised DESC, at DESC LIMIT 1",
        )
        .bind(block.chain_id.to_string())
        .bind(as_integer("block number", block.number)?)
        .bind(block.hash.to_vec())
        .fetch_optional(self.readers())
        .await?;
        row.map(|row| read_hash(&row, "hash")).transpose()
    }

    /// Those of these blocks that another took the place of: it was upheld, and neither did the audit uphold
    /// them nor an operator pass over them.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn replaced_among(&self, blocks: Vec<BlockKey>) -> Result<Vec<BlockKey>, LedgerError> {
        self.retry_read(|| async {
            let mut replaced = Vec::new();
            for block in &blocks {
                let row = sqlx::query(
                    "SELECT 1 FROM cases WHERE chain_id = ?1 AND number = ?2 AND hash != ?3 AND verdict LIKE 'upheld%'
                       AND NOT EXISTS (
                         SELECT 1 FROM cases own
                         WHERE own.chain_id = ?1 AND own.number = ?2 AND own.hash = ?3 AND own.verdict LIKE 'upheld%')
                       AND NOT EXISTS (
                         SELECT 1 FROM resolutions r WHERE r.chain_id = ?1 AND r.number = ?2 AND r.hash = ?3)
                       AND NOT EXISTS (SELECT 1 FROM anchors a WHERE a.chain_id = ?1 AND a.number >= ?2)
                     LIMIT 1",
                )
                .bind(block.chain_id.to_string())
                .bind(as_integer("block number", block.number)?)
                .bind(block.hash.to_vec())
                .fetch_optional(self.readers())
                .await?;
                replaced.extend(row.map(|_| *block));
            }
            Ok(replaced)
        })
        .await
    }

    /// The blocks of a chain not far below its vouched head that are invalid and that another took the place
    /// of.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn replaced_blocks(&self, chain_id: ChainId) -> Result<Vec<(BlockKey, Prover)>, LedgerError> {
        let Some(vouched) = self.vouched(chain_id).await? else { return Ok(Vec::new()) };
        let above = vouched.number.saturating_sub(MAX_BEHIND);
        let mut proven = self.proven_above(chain_id, Some(above)).await?;
        proven.retain(|(block, _)| block.number <= vouched.number);
        let replaced = self.replaced_among(proven.iter().map(|(block, _)| *block).collect()).await?;
        proven.retain(|(block, _)| replaced.contains(block));
        Ok(proven)
    }

    /// The highest block above one height and up to another that was replaced, or that has a message which
    /// makes a node replace it. `None`: there is none, or it is known of none.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(crate) async fn highest_replaced(
        &self,
        chain_id: ChainId,
        above: u64,
        up_to: u64,
    ) -> Result<Option<u64>, LedgerError> {
        self.retry_read(|| async {
            let row = sqlx::query(
                "SELECT max(number) AS number FROM (
                     SELECT number FROM cases
                     WHERE chain_id = ?1 AND number > ?2 AND number <= ?3
                       AND (verdict = 'upheld-replacement' OR (verdict = 'violated' AND reason = 'invalid-message'))
                     UNION ALL
                     SELECT e.number FROM message_events e
                     WHERE e.chain_id = ?1 AND e.number > ?2 AND e.number <= ?3 AND e.kind != 'ended' AND e.status = 'invalid' AND NOT EXISTS (
                         SELECT 1 FROM message_events later
                         WHERE later.chain_id = e.chain_id AND later.number = e.number AND later.hash = e.hash
                           AND later.log_index = e.log_index AND later.id > e.id AND later.status = 'valid'))
                 HAVING max(number) IS NOT NULL",
            )
            .bind(chain_id.to_string())
            .bind(as_integer("block number", above)?)
            .bind(as_integer("block number", up_to)?)
            .fetch_optional(self.readers())
            .await?;
            row.map(|row| read_u64(&row, "number")).transpose()
        })
        .await
    }

    /// The blocks of a chain above its vouched head that a verdict says are invalid, or of which a message
    /// was noted to be invalid and was not noted to be valid since.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn invalid_blocks(&self, chain_id: ChainId) -> Result<Vec<(BlockKey, Prover)>, LedgerError> {
        self.proven_above(chain_id, None).await
    }

    /// The same above another height than that of the vouched head.
    async fn proven_above(
        &self,
        chain_id: ChainId,
        above: Option<u64>,
    ) -> Result<Vec<(BlockKey, Prover)>, LedgerError> {
        self.retry_read(|| async {
            let above = above.map(|above| as_integer("block number", above)).transpose()?;
            let rows = sqlx::query(
                "WITH vouched (number) AS (
                 SELECT coalesce(?3, (SELECT vouched_number FROM heads WHERE chain_id = ?1), -1))
             SELECT c.number, c.hash, 1 AS is_verdict FROM cases c, vouched v
             WHERE c.chain_id = ?1 AND c.number > v.number AND c.verdict IN ('violated', 'discarded')
             UNION
             SELECT e.number, e.hash, 0 AS is_verdict FROM message_events e, vouched v
             WHERE e.chain_id = ?1 AND e.number > v.number AND e.status = 'invalid' AND NOT EXISTS (
                 SELECT 1 FROM message_events later
                 WHERE later.chain_id = e.chain_id AND later.number = e.number AND later.hash = e.hash
                   AND later.log_index = e.log_index AND later.id > e.id AND later.status = 'valid')
             ORDER BY 1 LIMIT ?2",
            )
            .bind(chain_id.to_string())
            .bind(MAX_READ)
            .bind(above)
            .fetch_all(self.readers())
            .await?;
            let read = |row: &SqliteRow| {
                let is_verdict = row.try_get::<i64, _>("is_verdict")? == 1;
                let prover = if is_verdict { Prover::Audit } else { Prover::Monitor };
                let block =
                    BlockKey { chain_id, number: read_u64(row, "number")?, hash: read_hash(row, "hash")? };
                Ok((block, prover))
            };
            rows.iter().map(read).collect()
        })
        .await
    }
}
