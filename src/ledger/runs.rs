//! The runs of the program on a ledger, counted: so that numbers that are kept in memory only are greater
//! than in any earlier run.

use super::column::{as_integer, read_u64};
use super::{Ledger, LedgerError};
use crosscheck_p2p::UnixSeconds;

/// How many numbers a run has before those of the next: more than it can give. 2 million runs fit the numbers
/// that JSON can hold.
const NUMBERS_OF_A_RUN: u64 = 1 << 32;

impl Ledger {
    /// Counts a run. Answers the number after which it may number what it keeps in memory.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn begin_run(&self, at: UnixSeconds) -> Result<u64, LedgerError> {
        self.retry_until_done(|| async {
            let mut transaction = self.write().await?;
            let row = sqlx::query("INSERT INTO runs (begun_at) VALUES (?1) RETURNING id")
                .bind(as_integer("time", at.0)?)
                .fetch_one(&mut *transaction)
                .await?;
            let run = read_u64(&row, "id")?;
            sqlx::query("DELETE FROM runs WHERE id < ?1")
                .bind(as_integer("run", run)?)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(run.saturating_mul(NUMBERS_OF_A_RUN))
        })
        .await
    }
}
