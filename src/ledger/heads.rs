//! The vouched head of each chain, in the ledger: where the audit began, and how far all is upheld.

use super::column::{as_integer, read_chain_id, read_hash, read_optional_hash, read_position, read_u64};
use super::{Ledger, LedgerError};
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use sqlx::sqlite::SqliteExecutor;
use sqlx::{Row, SqliteConnection};

/// How many blocks a vouched head moves over at once. The rest follows with the next verdict, or with
/// [`Ledger::advance`].
pub(crate) const MAX_ADVANCE: u64 = 4096;

/// The vouched head, and the block that it replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VouchedHead {
    /// Which block.
    pub position: BlockNumHash,
    /// The block that it replaces, if it is a replacement.
    pub replaces: Option<B256>,
    /// How often the chain's vouched head has left a branch, or was moved by an operator.
    pub retractions: u64,
}

/// Why the vouched head may have passed a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// It is upheld.
    Upheld,
    /// An operator resolved it, knowing what was found of it.
    Resolved,
}

/// A case whose parent was never audited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unlinked {
    /// The chain.
    pub chain_id: ChainId,
    /// The parent.
    pub parent: BlockNumHash,
}

/// The block up to which all of a chain is upheld, as this connection sees it.
pub(super) async fn vouched(
    connection: impl SqliteExecutor<'_>,
    chain_id: ChainId,
) -> Result<Option<BlockNumHash>, LedgerError> {
    let row =
        sqlx::query("SELECT vouched_number AS number, vouched_hash AS hash FROM heads WHERE chain_id = ?1")
            .bind(chain_id.to_string())
            .fetch_optional(connection)
            .await?;
    row.as_ref().map(read_position).transpose()
}

impl Ledger {
    /// The block up to which all of a chain is upheld. `None`: the audit has no starting point yet.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn vouched(&self, chain_id: ChainId) -> Result<Option<BlockNumHash>, LedgerError> {
        self.retry_read(|| async { vouched(self.readers(), chain_id).await }).await
    }

    /// The vouched head, and what it replaces. `None`: the audit has no starting point yet.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn vouched_head(&self, chain_id: ChainId) -> Result<Option<VouchedHead>, LedgerError> {
        self.retry_read(|| async {
            let row = sqlx::query(
                "SELECT h.vouched_number AS number, h.vouched_hash AS hash, c.replaces,
                    (SELECT count(*) FROM retractions r WHERE r.chain_id = h.chain_id)
                    + (SELECT count(*) FROM anchors a WHERE a.chain_id = h.chain_id) AS retractions
             FROM heads h LEFT JOIN cases c ON c.chain_id = h.chain_id AND c.number = h.vouched_number
                                           AND c.hash = h.vouched_hash
             WHERE h.chain_id = ?1",
            )
            .bind(chain_id.to_string())
            .fetch_optional(self.readers())
            .await?;
            let read = |row| {
                let (position, replaces) = (read_position(&row)?, read_optional_hash(&row, "replaces")?);
                Ok(VouchedHead { position, replaces, retractions: read_u64(&row, "retractions")? })
            };
            row.map(read).transpose()
        })
        .await
    }

    /// The block after which a chain's audit begins. `None`: it has not begun.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn anchored_at(&self, chain_id: ChainId) -> Result<Option<BlockNumHash>, LedgerError> {
        self.retry_read(|| async {
            let row = sqlx::query(
                "SELECT anchor_number AS number, anchor_hash AS hash FROM heads WHERE chain_id = ?1",
            )
            .bind(chain_id.to_string())
            .fetch_optional(self.readers())
            .await?;
            row.as_ref().map(read_position).transpose()
        })
        .await
    }

    /// Why the vouched head may have passed a block. `None`: it has no case, is not decided, or the head has
    /// left it.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn passage(
        &self,
        chain_id: ChainId,
        block: BlockNumHash,
    ) -> Result<Option<Passage>, LedgerError> {
        self.retry_read(|| async {
            let row = sqlx::query(
                "SELECT coalesce(c.verdict, '') IN ('upheld', 'upheld-replacement') AS is_upheld
             FROM cases c WHERE c.chain_id = ?1 AND c.number = ?2 AND c.hash = ?3
               AND (c.verdict IN ('upheld', 'upheld-replacement') OR EXISTS (
                   SELECT 1 FROM resolutions r
                   WHERE r.chain_id = c.chain_id AND r.number = c.number AND r.hash = c.hash
                     AND r.verdict = coalesce(c.verdict, 'open')))
               AND NOT EXISTS (SELECT 1 FROM abandoned_blocks a
                   WHERE a.chain_id = c.chain_id AND a.number = c.number AND a.hash = c.hash)",
            )
            .bind(chain_id.to_string())
            .bind(as_integer("block number", block.number)?)
            .bind(block.hash.as_slice())
            .fetch_optional(self.readers())
            .await?;
            let Some(row) = row else { return Ok(None) };
            let is_upheld: bool = row.try_get("is_upheld")?;
            Ok(Some(if is_upheld { Passage::Upheld } else { Passage::Resolved }))
        })
        .await
    }

    /// Begins a chain's audit after this block, unless it has begun. Returns the vouched head.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn anchor(&self, chain_id: ChainId, anchor: BlockNumHash) -> Result<BlockNumHash, LedgerError> {
        self.retry_until_done(|| self.anchor_once(chain_id, anchor)).await
    }

    async fn anchor_once(
        &self,
        chain_id: ChainId,
        anchor: BlockNumHash,
    ) -> Result<BlockNumHash, LedgerError> {
        let mut transaction = self.write().await?;
        sqlx::query(
            "INSERT INTO heads (chain_id, anchor_number, anchor_hash, vouched_number, vouched_hash)
             VALUES (?1, ?2, ?3, ?2, ?3) ON CONFLICT (chain_id) DO NOTHING",
        )
        .bind(chain_id.to_string())
        .bind(as_integer("block number", anchor.number)?)
        .bind(anchor.hash.as_slice())
        .execute(&mut *transaction)
        .await?;
        // Verdicts may have fallen before the starting point was known.
        advance(&mut transaction, chain_id).await?;
        transaction.commit().await?;
        self.note_change();
        Ok(self.vouched(chain_id).await?.unwrap_or(anchor))
    }

    /// Moves a chain's vouched head on over what is upheld, [`MAX_ADVANCE`] blocks at most.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub(crate) async fn advance(&self, chain_id: ChainId) -> Result<(), LedgerError> {
        self.retry_until_done(|| async {
            let mut transaction = self.write().await?;
            advance(&mut transaction, chain_id).await?;
            transaction.commit().await?;
            self.note_change();
            Ok(())
        })
        .await
    }

    /// The upheld blocks of a chain above one height and up to another that bind their signer: lowest first,
    /// `limit` at most.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn upheld_attested(
        &self,
        chain_id: ChainId,
        heights: std::ops::RangeInclusive<u64>,
        limit: u32,
    ) -> Result<Vec<BlockNumHash>, LedgerError> {
        self.retry_read(|| async {
            let rows = sqlx::query(
                "SELECT number, hash FROM cases
             WHERE chain_id = ?1 AND number BETWEEN ?2 AND ?3 AND verdict IN ('upheld', 'upheld-replacement')
               AND origin = 'attested' AND domain <> 'zero'
             ORDER BY number LIMIT ?4",
            )
            .bind(chain_id.to_string())
            .bind(as_integer("block number", *heights.start())?)
            .bind(as_integer("block number", *heights.end())?)
            .bind(limit)
            .fetch_all(self.readers())
            .await?;
            rows.iter().map(read_position).collect()
        })
        .await
    }

    /// Cases above the vouched head whose parent has no case, at most `limit`, highest first.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn unlinked(&self, chain_id: ChainId, limit: u32) -> Result<Vec<Unlinked>, LedgerError> {
        self.retry_read(|| async {
            let rows = sqlx::query(
                "SELECT c.chain_id, c.number - 1 AS number, c.parent_hash AS hash
             FROM heads h JOIN cases c ON c.chain_id = h.chain_id AND c.number > h.vouched_number + 1
             WHERE h.chain_id = ?1 AND NOT EXISTS (
                 SELECT 1 FROM cases p WHERE p.chain_id = c.chain_id AND p.hash = c.parent_hash)
             ORDER BY c.number DESC LIMIT ?2",
            )
            .bind(chain_id.to_string())
            .bind(limit)
            .fetch_all(self.readers())
            .await?;
            rows.iter()
                .map(|row| {
                    let parent =
                        BlockNumHash { number: read_u64(row, "number")?, hash: read_hash(row, "hash")? };
                    Ok(Unlinked { chain_id: read_chain_id(row)?, parent })
                })
                .collect()
        })
        .await
    }
}

/// Carries a chain's vouched head over every child that is upheld, or that an operator resolved knowing what
/// was found of it, and that it did not leave before. An upheld child takes precedence over a resolved one.
pub(super) async fn advance(connection: &mut SqliteConnection, chain_id: ChainId) -> Result<(), LedgerError> {
    let chain = chain_id.to_string();
    for _ in 0..MAX_ADVANCE {
        let child = sqlx::query(
            "SELECT c.number, c.hash
             FROM heads h JOIN cases c ON c.chain_id = h.chain_id AND c.number = h.vouched_number + 1
                                      AND c.parent_hash = h.vouched_hash
             WHERE h.chain_id = ?1 AND (c.verdict IN ('upheld', 'upheld-replacement') OR EXISTS (
                 SELECT 1 FROM resolutions r
                 WHERE r.chain_id = c.chain_id AND r.number = c.number AND r.hash = c.hash
                   AND r.verdict = coalesce(c.verdict, 'open')))
               AND NOT EXISTS (SELECT 1 FROM abandoned_blocks a
                   WHERE a.chain_id = c.chain_id AND a.number = c.number AND a.hash = c.hash)
             ORDER BY c.verdict IN ('upheld', 'upheld-replacement') DESC, c.id LIMIT 1",
        )
        .bind(&chain)
        .fetch_optional(&mut *connection)
        .await?;
        let Some(child) = child else { break };
        let BlockNumHash { number, hash } = read_position(&child)?;
        sqlx::query("UPDATE heads SET vouched_number = ?2, vouched_hash = ?3 WHERE chain_id = ?1")
            .bind(&chain)
            .bind(as_integer("block number", number)?)
            .bind(hash.as_slice())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
