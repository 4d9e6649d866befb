//! [`Unresolved`]: the blocks that were found invalid and that no operator has resolved, in the ledger.
//!
//! They remain until an operator resolves them, also when the chain has replaced them and the vouched head
//! has passed their height: that a signer attested them, or an endpoint called them cross-safe, is still for
//! a person to deal with. What only the rollup node derived is not among them. Nothing is written here.

use super::column::{read_chain_id, read_hash, read_u64};
use super::{Ledger, LedgerError};
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::{ChainId, UnixSeconds};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// Whom a block that was found invalid can be used against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Attribution {
    /// Its own attestation binds its signer.
    Attributable,
    /// An attestation that binds its signer is on top of it.
    Ancestor,
    /// No signer is bound, and an endpoint called it, or a block on top of it, cross-safe.
    Claimed,
    /// It is known only by what may be a replay of an unsafe block: anyone can have sent it.
    Replayable,
    /// Nobody is known to have attested it, or what is on top of it.
    Unattested,
}

impl Attribution {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Attributable, Self::Ancestor, Self::Claimed, Self::Replayable, Self::Unattested];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Attributable => "attributable",
            Self::Ancestor => "ancestor",
            Self::Claimed => "claimed",
            Self::Replayable => "replayable",
            Self::Unattested => "unattested",
        }
    }

    fn read(row: &SqliteRow) -> Result<Self, LedgerError> {
        let name: String = row.try_get("attribution")?;
        let found = Self::ALL.into_iter().find(|attribution| attribution.name() == name);
        found.ok_or_else(|| LedgerError::Corrupt { field: "attribution", reason: name })
    }
}

/// A block that was found invalid and that no operator has resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    /// Which.
    pub key: BlockKey,
    /// `violated` or `discarded`.
    pub verdict: String,
    /// Its reason.
    pub reason: Option<String>,
    /// What was found, for people.
    pub detail: Option<String>,
    /// Since when that is known.
    pub since: UnixSeconds,
    /// Whom it can be used against.
    pub attribution: Attribution,
}

/// How many blocks of a chain are unresolved, of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnresolvedCount {
    /// The chain.
    pub chain_id: ChainId,
    /// `violated` or `discarded`.
    pub verdict: String,
    /// Whom they can be used against.
    pub attribution: Attribution,
    /// How many.
    pub count: u64,
}

impl Ledger {
    /// How many blocks are unresolved, by chain, verdict and attribution. What there is none of is left out.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn unresolved_counts(&self) -> Result<Vec<UnresolvedCount>, LedgerError> {
        self.retry_read(|| async {
            let query =
                "SELECT chain_id, verdict, attribution, cases AS count FROM unresolved_counts WHERE cases > 0";
            let rows = sqlx::query(query).fetch_all(self.readers()).await?;
            let read = |row: &SqliteRow| {
                let (chain_id, verdict) = (read_chain_id(row)?, row.try_get("verdict")?);
                let (attribution, count) = (Attribution::read(row)?, read_u64(row, "count")?);
                Ok(UnresolvedCount { chain_id, verdict, attribution, count })
            };
            rows.iter().map(read).collect()
        })
        .await
    }

    /// The unresolved blocks that bind a signer, or of which that is not known: the newest `limit`, oldest
    /// first. What may be a replay is left out.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn unresolved(&self, limit: u32) -> Result<Vec<Unresolved>, LedgerError> {
        self.retry_read(|| async {
            let query = "SELECT * FROM unresolved_cases WHERE attribution <> 'replayable' ORDER BY decided_at DESC, id DESC LIMIT ?1";
            let rows = sqlx::query(query).bind(limit).fetch_all(self.readers()).await?;
            rows.iter().rev().map(Unresolved::read).collect()
        })
        .await
    }
}

impl Unresolved {
    fn read(row: &SqliteRow) -> Result<Self, LedgerError> {
        let (chain_id, number) = (read_chain_id(row)?, read_u64(row, "number")?);
        Ok(Self {
            key: BlockKey { chain_id, number, hash: read_hash(row, "hash")? },
            verdict: row.try_get("verdict")?,
            reason: row.try_get("reason")?,
            detail: row.try_get("detail")?,
            since: UnixSeconds(read_u64(row, "decided_at")?),
            attribution: Attribution::read(row)?,
        })
    }
}
