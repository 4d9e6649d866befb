//! [`Resolution`]: an operator's decision on a block that holds the vouched head.
//!
//! The verdict stays as it is: a resolution is stored next to it. It is written once and never changed. It is
//! about the state of the block at that time: a block that was resolved without a verdict, and is found
//! invalid later, holds the head again.

use super::column::as_integer;
use super::heads::advance;
use super::{Ledger, LedgerError};
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::UnixSeconds;
use sqlx::Row;

/// The longest reason that is kept, in bytes.
pub const MAX_REASON_BYTES: usize = 4096;

/// An operator's decision that the vouched head may pass over a block that was found invalid, or that has no
/// verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The very block.
    pub key: BlockKey,
    /// Why.
    pub reason: String,
    /// Whether the block has no verdict, and the operator knows.
    pub is_unjudged: bool,
}

/// What came of a resolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// It is written. The block's verdict was this.
    Written {
        /// `violated`, `discarded`, or `open`.
        verdict: String,
    },
    /// The block was resolved before; nothing was changed.
    Before,
}

/// Why a resolution is refused. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefusedResolution {
    /// There is no such case.
    #[error(
        "block {} ({}) of chain {} has no case; crosscheck_attestations lists the audited blocks, and `crosscheck \
         anchor` moves the start of the audit",
        key.number, key.hash, key.chain_id
    )]
    NoCase {
        /// The block that was named.
        key: BlockKey,
    },
    /// The block holds nothing up.
    #[error(
        "block {} ({}) of chain {} is {verdict}: only a violated or discarded block can be resolved",
        key.number, key.hash, key.chain_id
    )]
    NotWrong {
        /// The block that was named.
        key: BlockKey,
        /// Its verdict.
        verdict: String,
    },
    /// The block has no verdict yet.
    #[error(
        "block {} ({}) of chain {} has no verdict yet: wait for it, or resolve the block without one with --unjudged",
        key.number, key.hash, key.chain_id
    )]
    Open {
        /// The block that was named.
        key: BlockKey,
    },
    /// The block has a verdict, and the operator does not know.
    #[error(
        "block {} ({}) of chain {} is {verdict}: remove --unjudged if you still want to resolve it",
        key.number, key.hash, key.chain_id
    )]
    Judged {
        /// The block that was named.
        key: BlockKey,
        /// Its verdict.
        verdict: String,
    },
    /// The reason is empty or longer than a reason.
    #[error("a reason has 1 to {MAX_REASON_BYTES} bytes, this one has {length}; say why in a few words")]
    Reason {
        /// Its length.
        length: usize,
    },
}

impl Ledger {
    /// Writes an operator's decision, and carries the vouched head as far as it then goes.
    ///
    /// # Errors
    /// If the ledger cannot be written. The inner error: the block is none that can be resolved.
    pub async fn resolve(
        &self,
        resolution: &Resolution,
        at: UnixSeconds,
    ) -> Result<Result<Resolved, RefusedResolution>, LedgerError> {
        let key = resolution.key;
        let length = resolution.reason.trim().len();
        if length == 0 || length > MAX_REASON_BYTES {
            return Ok(Err(RefusedResolution::Reason { length }));
        }
        // What does not fit the ledger has no case in it.
        let Ok(number) = as_integer("block number", key.number) else {
            return Ok(Err(RefusedResolution::NoCase { key }));
        };
        let mut transaction = self.write().await?;
        let row = sqlx::query("SELECT verdict FROM cases WHERE chain_id = ?1 AND number = ?2 AND hash = ?3")
            .bind(key.chain_id.to_string())
            .bind(number)
            .bind(key.hash.as_slice())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else {
            return Ok(Err(RefusedResolution::NoCase { key }));
        };
        let verdict = row.try_get::<Option<String>, _>(0)?.unwrap_or_else(|| "open".to_owned());
        match (verdict.as_str(), resolution.is_unjudged) {
            ("violated" | "discarded", false) | ("open", true) => {}
            ("open", false) => return Ok(Err(RefusedResolution::Open { key })),
            ("violated" | "discarded", true) => return Ok(Err(RefusedResolution::Judged { key, verdict })),
            _ => return Ok(Err(RefusedResolution::NotWrong { key, verdict })),
        }
        let done = sqlx::query(
            "INSERT INTO resolutions (chain_id, number, hash, verdict, reason, resolved_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
        )
        .bind(key.chain_id.to_string())
        .bind(number)
        .bind(key.hash.as_slice())
        .bind(&verdict)
        .bind(resolution.reason.trim())
        .bind(as_integer("time", at.0)?)
        .execute(&mut *transaction)
        .await?;
        advance(&mut transaction, key.chain_id).await?;
        transaction.commit().await?;
        self.note_change();
        Ok(Ok(if done.rows_affected() == 0 { Resolved::Before } else { Resolved::Written { verdict } }))
    }
}
