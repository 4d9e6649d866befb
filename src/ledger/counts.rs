//! [`CaseCounts`]: the number of cases of a chain by state, kept by the database's triggers: no case is
//! counted here.

use super::column::{corrupt, read_chain_id, read_u64};
use super::{Ledger, LedgerError};
use crosscheck_p2p::ChainId;
use serde::Serialize;
use sqlx::Row;

/// How many cases of a chain have each outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CaseCounts {
    /// Attested blocks, decided or not, those that are kept no longer included.
    pub received: u64,
    /// Cases without a verdict, ancestors included.
    pub open: u64,
}

impl Ledger {
    /// How many cases of a chain there are.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn counts(&self, chain_id: ChainId) -> Result<CaseCounts, LedgerError> {
        let row = sqlx::query(
            "SELECT coalesce(sum(cases) FILTER (WHERE origin = 'attested'), 0) AS received,
                    coalesce(sum(cases) FILTER (WHERE verdict = 'open'), 0) AS open
             FROM case_counts WHERE chain_id = ?1",
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
        self.retry_read(|| async {
            let query = "SELECT EXISTS(SELECT 1 FROM case_counts WHERE chain_id = ?1 AND origin = 'attested' AND cases > 0)";
            let found: i64 =
                sqlx::query_scalar(query).bind(chain_id.to_string()).fetch_one(self.readers()).await?;
            Ok(found != 0)
        })
        .await
    }

    /// How many cases of each chain are without a verdict.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn open_by_chain(&self) -> Result<Vec<(ChainId, u64)>, LedgerError> {
        self.retry_read(|| async {
            let rows = sqlx::query(
                "SELECT chain_id, sum(cases) AS open FROM case_counts WHERE verdict = 'open' AND cases > 0 GROUP BY chain_id",
            )
            .fetch_all(self.readers())
            .await?;
            rows.iter().map(|row| Ok((read_chain_id(row)?, read_u64(row, "open")?))).collect()
        })
        .await
    }
}
