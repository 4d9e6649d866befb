//! [`CaseCounts`]: how many cases of a chain stand how.

use super::record::{corrupt, read_chain_id, read_u64};
use super::{Ledger, LedgerError};
use crosscheck_p2p::ChainId;
use serde::Serialize;
use sqlx::Row;

/// How many cases of a chain stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CaseCounts {
    /// Attested blocks, decided or not.
    pub received: u64,
    /// Cases without a verdict, ancestors included.
    pub open: u64,
}

impl Ledger {
    /// Counts a chain's cases.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn counts(&self, chain_id: ChainId) -> Result<CaseCounts, LedgerError> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM cases WHERE chain_id = ?1 AND origin = 'attested') AS received,
                    (SELECT COUNT(*) FROM cases WHERE chain_id = ?1 AND verdict IS NULL) AS open",
        )
        .bind(chain_id.to_string())
        .fetch_one(self.readers())
        .await?;
        let count = |field| u64::try_from(row.try_get::<i64, _>(field)?).map_err(corrupt(field));
        Ok(CaseCounts { received: count("received")?, open: count("open")? })
    }

    /// Whether anything of a chain was ever attested.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(crate) async fn has_attestations(&self, chain_id: ChainId) -> Result<bool, LedgerError> {
        let query = "SELECT EXISTS(SELECT 1 FROM cases WHERE chain_id = ?1 AND origin = 'attested')";
        let found: i64 =
            sqlx::query_scalar(query).bind(chain_id.to_string()).fetch_one(self.readers()).await?;
        Ok(found != 0)
    }

    /// How many cases of each chain are without a verdict.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn open_by_chain(&self) -> Result<Vec<(ChainId, u64)>, LedgerError> {
        let rows = sqlx::query(
            "SELECT chain_id, COUNT(*) AS open FROM cases WHERE verdict IS NULL GROUP BY chain_id",
        )
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(|row| Ok((read_chain_id(row)?, read_u64(row, "open")?))).collect()
    }
}
