//! Which suspects were reported, so that none is reported twice.

use super::column::as_integer;
use super::events::write_event;
use super::{Ledger, LedgerError};
use crosscheck_core::events::{Event, Suspect};
use crosscheck_p2p::UnixSeconds;

/// How many blocks below the lowest suspect just noted others are remembered: gossip brings back nothing so
/// old.
const KEPT_HEIGHTS: u64 = 65_536;

impl Ledger {
    /// Writes suspects of one block, all or none. For each that is new: the id of its event.
    ///
    /// # Errors
    /// If the ledger cannot be written, or a height does not fit it.
    pub async fn note_suspects(
        &self,
        suspects: &[Suspect],
        at: UnixSeconds,
    ) -> Result<Vec<Option<u64>>, LedgerError> {
        self.retry_until_done(|| self.note_suspects_once(suspects, at)).await
    }

    async fn note_suspects_once(
        &self,
        suspects: &[Suspect],
        at: UnixSeconds,
    ) -> Result<Vec<Option<u64>>, LedgerError> {
        let mut transaction = self.write().await?;
        let mut new = Vec::with_capacity(suspects.len());
        for suspect in suspects {
            let done = sqlx::query(
                "INSERT INTO suspects (chain_id, number, hash, transaction_index, entry, reason, detail, noted_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
            )
            .bind(suspect.block.chain_id.to_string())
            .bind(as_integer("block number", suspect.block.number)?)
            .bind(suspect.block.hash.as_slice())
            .bind(i64::from(suspect.transaction_index))
            .bind(i64::from(suspect.entry))
            .bind(suspect.fault.code())
            .bind(suspect.fault.to_string())
            .bind(as_integer("time", at.0)?)
            .execute(&mut *transaction)
            .await?;
            new.push(match done.rows_affected() {
                0 => None,
                _ => Some(write_event(&mut transaction, &Event::Suspect(suspect.record()), at).await?),
            });
        }
        if let Some(block) = suspects.first().map(|suspect| suspect.block) {
            sqlx::query("DELETE FROM suspects WHERE chain_id = ?1 AND number < ?2")
                .bind(block.chain_id.to_string())
                .bind(as_integer("block number", block.number.saturating_sub(KEPT_HEIGHTS))?)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        self.event_written(new.iter().flatten().copied().max().unwrap_or_default());
        Ok(new)
    }
}
