//! What L1's node has reported of blob base fees, in the ledger: what `audit::L1Judge` had learnt before a
//! restart.

use super::column::read_u64;
use super::{Ledger, LedgerError};
use crosscheck_core::consolidation::deposits::BlobFractions;
use crosscheck_p2p::UnixSeconds;

impl Ledger {
    /// Keeps these of an L1, and no others. Durable when this returns.
    ///
    /// A time or a fraction that does not fit the ledger is left out: it is never in force.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn keep_blob_fractions(
        &self,
        l1_chain_id: u64,
        fractions: &BlobFractions,
    ) -> Result<(), LedgerError> {
        self.retry_until_done(|| self.keep_blob_fractions_once(l1_chain_id, fractions)).await
    }

    async fn keep_blob_fractions_once(
        &self,
        l1_chain_id: u64,
        fractions: &BlobFractions,
    ) -> Result<(), LedgerError> {
        let mut transaction = self.write().await?;
        sqlx::query("DELETE FROM blob_forks WHERE l1_chain_id = ?1")
            .bind(l1_chain_id.to_string())
            .execute(&mut *transaction)
            .await?;
        for (since, fraction) in fractions {
            let (Ok(since), Ok(fraction)) = (i64::try_from(since.0), i64::try_from(*fraction)) else {
                continue;
            };
            sqlx::query("INSERT INTO blob_forks VALUES (?1, ?2, ?3)")
                .bind(l1_chain_id.to_string())
                .bind(since)
                .bind(fraction)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// What is kept of an L1.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn blob_fractions(&self, l1_chain_id: u64) -> Result<BlobFractions, LedgerError> {
        let rows = sqlx::query("SELECT since, update_fraction FROM blob_forks WHERE l1_chain_id = ?1")
            .bind(l1_chain_id.to_string())
            .fetch_all(self.readers())
            .await?;
        rows.iter()
            .map(|row| Ok((UnixSeconds(read_u64(row, "since")?), read_u64(row, "update_fraction")?)))
            .collect()
    }
}
