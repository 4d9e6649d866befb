//! [`ResolvedBlock`]: which blocks an operator resolved, and why, as another process wrote it. Nothing is
//! written here.

use super::column::{read_chain_id, read_hash, read_u64};
use super::{Ledger, LedgerError};
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::UnixSeconds;
use sqlx::Row;

/// How many are read at once.
const AT_ONCE: u32 = 1_000;

/// A block that an operator has resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedBlock {
    /// Its place in the order in which that was done.
    pub id: u64,
    /// Which.
    pub key: BlockKey,
    /// What was found of it then: `violated`, `discarded`, or `open`.
    pub verdict: String,
    /// Why, in the operator's words.
    pub reason: String,
    /// When.
    pub at: UnixSeconds,
}

impl Ledger {
    /// The blocks that an operator resolved after this one, in that order: a thousand at most.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn resolved_after(&self, id: u64) -> Result<Vec<ResolvedBlock>, LedgerError> {
        self.retry_read(|| async {
            let rows = sqlx::query("SELECT * FROM resolutions WHERE id > ?1 ORDER BY id LIMIT ?2")
                .bind(i64::try_from(id).unwrap_or(i64::MAX))
                .bind(AT_ONCE)
                .fetch_all(self.readers())
                .await?;
            let read = |row: &sqlx::sqlite::SqliteRow| {
                let (chain_id, number) = (read_chain_id(row)?, read_u64(row, "number")?);
                Ok(ResolvedBlock {
                    id: read_u64(row, "id")?,
                    key: BlockKey { chain_id, number, hash: read_hash(row, "hash")? },
                    verdict: row.try_get("verdict")?,
                    reason: row.try_get("reason")?,
                    at: UnixSeconds(read_u64(row, "resolved_at")?),
                })
            };
            rows.iter().map(read).collect()
        })
        .await
    }
}
