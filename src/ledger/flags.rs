//! Switches that an operator set, by name.

use super::column::as_integer;
use super::{Ledger, LedgerError};
use crosscheck_p2p::UnixSeconds;

impl Ledger {
    /// Whether a flag is set. What was never touched is not.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn flag(&self, name: &str) -> Result<bool, LedgerError> {
        let set: Option<bool> = sqlx::query_scalar("SELECT is_set FROM flags WHERE name = ?1")
            .bind(name)
            .fetch_optional(self.readers())
            .await?;
        Ok(set.unwrap_or(false))
    }

    /// Sets a flag, or takes it back. Durable when this returns.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn set_flag(&self, name: &str, is_set: bool, at: UnixSeconds) -> Result<(), LedgerError> {
        let mut transaction = self.write().await?;
        sqlx::query(
            "INSERT INTO flags (name, is_set, set_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET is_set = ?2, set_at = ?3",
        )
        .bind(name)
        .bind(is_set)
        .bind(as_integer("time", at.0)?)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}
