//! The blocks that an attested block may replace, in the ledger: what `audit::Candidates` knew before a
//! restart.

use super::column::{as_integer, read_hash, read_u64};
use super::{Ledger, LedgerError};
use crosscheck_core::case::Candidate;
use crosscheck_core::consolidation::Fingerprint;
use crosscheck_p2p::ChainId;

impl Ledger {
    /// Keeps a candidate, and forgets those below `oldest`.
    ///
    /// # Errors
    /// If the ledger cannot be written, or the height does not fit it.
    pub async fn note_candidate(
        &self,
        chain_id: ChainId,
        number: u64,
        candidate: &Candidate,
        oldest: u64,
    ) -> Result<(), LedgerError> {
        self.retry_until_done(|| self.note_candidate_once(chain_id, number, candidate, oldest)).await
    }

    async fn note_candidate_once(
        &self,
        chain_id: ChainId,
        number: u64,
        candidate: &Candidate,
        oldest: u64,
    ) -> Result<(), LedgerError> {
        let mut transaction = self.write().await?;
        sqlx::query("INSERT INTO candidates VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")
            .bind(chain_id.to_string())
            .bind(as_integer("block number", number)?)
            .bind(candidate.hash.as_slice())
            .bind(candidate.deposits_only.0.as_slice())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM candidates WHERE chain_id = ?1 AND number < ?2")
            .bind(chain_id.to_string())
            .bind(as_integer("block number", oldest)?)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The candidates kept of a chain, at most `limit`, the highest first.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn candidates(
        &self,
        chain_id: ChainId,
        limit: u32,
    ) -> Result<Vec<(u64, Candidate)>, LedgerError> {
        self.retry_read(|| async {
            let rows = sqlx::query(
                "SELECT number, hash, deposits_only FROM candidates WHERE chain_id = ?1 ORDER BY number DESC LIMIT ?2",
            )
            .bind(chain_id.to_string())
            .bind(limit)
            .fetch_all(self.readers())
            .await?;
            rows.iter()
                .map(|row| {
                    let deposits_only = Fingerprint(read_hash(row, "deposits_only")?);
                    Ok((read_u64(row, "number")?, Candidate { hash: read_hash(row, "hash")?, deposits_only }))
                })
                .collect()
        })
        .await
    }
}
