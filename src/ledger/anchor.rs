//! [`Anchoring`]: an operator's decision on where a chain's audit begins.
//!
//! No case and no verdict is touched. Each decision is written once and never changed.

use super::column::{as_integer, read_position};
use super::heads::advance;
use super::resolution::MAX_REASON_BYTES;
use super::{Ledger, LedgerError};
use alloy::eips::BlockNumHash;
use crosscheck_p2p::{ChainId, UnixSeconds};

/// An operator's decision that a chain's audit begins after this block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchoring {
    /// The chain.
    pub chain_id: ChainId,
    /// The block: it and what is below it count as right.
    pub to: BlockNumHash,
    /// Why.
    pub reason: String,
}

/// What came of moving an anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchored {
    /// Where the vouched head was. `None`: the audit had not begun.
    pub from: Option<BlockNumHash>,
    /// Where it is now: the anchor, or further up if what follows was upheld before.
    pub vouched: BlockNumHash,
}

/// Why an anchor is refused. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefusedAnchor {
    /// The reason is empty or longer than a reason.
    #[error("a reason has 1 to {MAX_REASON_BYTES} bytes, this one has {length}; say why in a few words")]
    Reason {
        /// Its length.
        length: usize,
    },
    /// No chain is that high.
    #[error("height {number} is higher than any chain: check --number")]
    Height {
        /// The height that was named.
        number: u64,
    },
}

impl Ledger {
    /// Moves where a chain's audit begins, and with it the vouched head, which then continues over what was
    /// upheld before.
    ///
    /// # Errors
    /// If the ledger cannot be written. The inner error: there can be no such anchor.
    pub async fn move_anchor(
        &self,
        anchoring: &Anchoring,
        at: UnixSeconds,
    ) -> Result<Result<Anchored, RefusedAnchor>, LedgerError> {
        let Anchoring { chain_id, to, reason } = anchoring;
        let length = reason.trim().len();
        if length == 0 || length > MAX_REASON_BYTES {
            return Ok(Err(RefusedAnchor::Reason { length }));
        }
        let Ok(number) = as_integer("block number", to.number) else {
            return Ok(Err(RefusedAnchor::Height { number: to.number }));
        };
        let chain = chain_id.to_string();
        let mut transaction = self.write().await?;
        let from = sqlx::query(
            "SELECT vouched_number AS number, vouched_hash AS hash FROM heads WHERE chain_id = ?1",
        )
        .bind(&chain)
        .fetch_optional(&mut *transaction)
        .await?;
        let from = from.as_ref().map(read_position).transpose()?;
        sqlx::query(
            "INSERT INTO anchors (chain_id, number, hash, from_number, from_hash, reason, moved_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .bind(&chain)
        .bind(number)
        .bind(to.hash.to_vec())
        .bind(from.map(|from| as_integer("block number", from.number)).transpose()?)
        .bind(from.map(|from| from.hash.to_vec()))
        .bind(reason.trim())
        .bind(as_integer("time", at.0)?)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "INSERT INTO heads (chain_id, anchor_number, anchor_hash, vouched_number, vouched_hash)
             VALUES (?1, ?2, ?3, ?2, ?3) ON CONFLICT (chain_id) DO UPDATE
             SET anchor_number = ?2, anchor_hash = ?3, vouched_number = ?2, vouched_hash = ?3",
        )
        .bind(&chain)
        .bind(number)
        .bind(to.hash.to_vec())
        .execute(&mut *transaction)
        .await?;
        advance(&mut transaction, *chain_id).await?;
        transaction.commit().await?;
        self.note_change();
        Ok(Ok(Anchored { from, vouched: self.vouched(*chain_id).await?.unwrap_or(*to) }))
    }
}
