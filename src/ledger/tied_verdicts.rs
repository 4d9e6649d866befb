//! Verdicts against blocks, each tied to the branch of L1 that it rests on: when L1 reorgs out that, it is
//! checked again, and taken back if what L1 has now says otherwise.
//!
//! What is taken back is kept beside, whole. The case is open again then, and gets its next verdict like any
//! other.

use super::attested::read_known;
use super::column::{as_integer, read_hash, read_position, read_u64};
use super::event_of::withdrawn_event;
use super::events::write_event;
use super::store::read_open_case;
use super::{Ledger, LedgerError, StoredCase};
use alloy::eips::BlockNumHash;
use crosscheck_core::case::KnownVerdict;
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::{ChainId, UnixSeconds};

/// Of a block that was found invalid and still is.
const WRONG: &str = "SELECT * FROM cases
    WHERE chain_id = ?1 AND number = ?2 AND hash = ?3 AND verdict IN ('violated', 'discarded')";

/// A verdict against a block, and the branch of L1 that it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TiedVerdict {
    /// The block.
    pub key: BlockKey,
    /// Up to here L1 had been read.
    pub l1: BlockNumHash,
}

impl Ledger {
    /// The verdicts against blocks of a chain that are tied to L1: of the highest, `limit` at most.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn tied_verdicts(
        &self,
        chain_id: ChainId,
        limit: u32,
    ) -> Result<Vec<TiedVerdict>, LedgerError> {
        self.retry_read(|| async {
            let rows = sqlx::query(
                "SELECT number, hash, judged_l1_number, judged_l1_hash FROM cases
                 WHERE chain_id = ?1 AND judged_l1_number IS NOT NULL AND verdict IN ('violated', 'discarded')
                 ORDER BY number DESC LIMIT ?2",
            )
            .bind(chain_id.to_string())
            .bind(limit)
            .fetch_all(self.readers())
            .await?;
            rows.iter()
                .map(|row| {
                    let block = read_position(row)?;
                    let key = BlockKey { chain_id, number: block.number, hash: block.hash };
                    let (number, hash) =
                        (read_u64(row, "judged_l1_number")?, read_hash(row, "judged_l1_hash")?);
                    Ok(TiedVerdict { key, l1: BlockNumHash { number, hash } })
                })
                .collect()
        })
        .await
    }

    /// The case of a block that was found invalid, as if it had no verdict. `None`: it was not found invalid.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn wrong_case(&self, key: &BlockKey) -> Result<Option<StoredCase>, LedgerError> {
        self.retry_read(|| async {
            let row = sqlx::query(WRONG)
                .bind(key.chain_id.to_string())
                .bind(as_integer("block number", key.number)?)
                .bind(key.hash.to_vec())
                .fetch_optional(self.readers())
                .await?;
            row.as_ref().map(read_open_case).transpose()
        })
        .await
    }

    /// Ties a verdict against a block to another branch of L1: it was found there, too.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn tie_verdict(&self, tied: &TiedVerdict) -> Result<(), LedgerError> {
        self.retry_until_done(|| async {
            let mut transaction = self.write().await?;
            sqlx::query(
                "UPDATE cases SET judged_l1_number = ?4, judged_l1_hash = ?5
                 WHERE chain_id = ?1 AND number = ?2 AND hash = ?3 AND verdict IN ('violated', 'discarded')",
            )
            .bind(tied.key.chain_id.to_string())
            .bind(as_integer("block number", tied.key.number)?)
            .bind(tied.key.hash.to_vec())
            .bind(as_integer("block number", tied.l1.number)?)
            .bind(tied.l1.hash.to_vec())
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    /// Withdraws the verdict against a block, and reports it: the case is open then. `None`: there is no such
    /// verdict.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub async fn withdraw_verdict(
        &self,
        key: &BlockKey,
        at: UnixSeconds,
    ) -> Result<Option<KnownVerdict>, LedgerError> {
        self.retry_until_done(|| self.withdraw_verdict_once(key, at)).await
    }

    async fn withdraw_verdict_once(
        &self,
        key: &BlockKey,
        at: UnixSeconds,
    ) -> Result<Option<KnownVerdict>, LedgerError> {
        let mut transaction = self.write().await?;
        let row = sqlx::query(WRONG)
            .bind(key.chain_id.to_string())
            .bind(as_integer("block number", key.number)?)
            .bind(key.hash.to_vec())
            .fetch_optional(&mut *transaction)
            .await?;
        let known = row.as_ref().map(read_known).transpose()?.and_then(|known| known.verdict);
        let Some(verdict) = known else { return Ok(None) };
        for statement in [
            "INSERT INTO retracted_verdicts (chain_id, number, hash, verdict_id, verdict, reason, detail, messages, replaces,
                                             ancestor_of, frame, decided_at, judged_l1_number, judged_l1_hash, retracted_at)
             SELECT chain_id, number, hash, verdict_id, verdict, reason, detail, messages, replaces, ancestor_of, frame,
                    decided_at, judged_l1_number, judged_l1_hash, ?4
             FROM cases WHERE chain_id = ?1 AND number = ?2 AND hash = ?3",
            "UPDATE cases SET verdict = NULL, reason = NULL, detail = NULL, replaces = NULL, ancestor_of = NULL, verdict_id = NULL,
                              decided_at = NULL, decided_after_ms = NULL, judged_l1_number = NULL, judged_l1_hash = NULL, claimed = NULL
             WHERE chain_id = ?1 AND number = ?2 AND hash = ?3 AND ?4 IS NOT NULL",
            // What it refuted is refuted anew, if the block is found invalid again.
            "DELETE FROM refuted_claims WHERE chain_id = ?1 AND number = ?2 AND hash = ?3 AND ?4 IS NOT NULL",
        ] {
            sqlx::query(statement)
                .bind(key.chain_id.to_string())
                .bind(as_integer("block number", key.number)?)
                .bind(key.hash.to_vec())
                .bind(as_integer("time", at.0)?)
                .execute(&mut *transaction)
                .await?;
        }
        let reported = write_event(&mut transaction, &withdrawn_event(*key, verdict.clone()), at).await?;
        transaction.commit().await?;
        self.note_change();
        self.event_written(reported);
        Ok(Some(verdict))
    }
}
