//! What was recorded of executed messages: written once each, before it is reported.

use super::column::{as_integer, corrupt, read_chain_id, read_hash, read_u64};
use super::events::write_event;
use super::filed_messages::file;
use super::{Ledger, LedgerError};
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_core::events::{Filing, NotedMessage, Notice, NoticeKind};
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::message::BlockKey;
use crosscheck_core::tracker::{Ending, MessageKey, StatusCause};
use crosscheck_core::validity::{InvalidReason, StatusKind};
use crosscheck_p2p::{ChainId, UnixSeconds};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::collections::BTreeMap;

impl Ledger {
    /// Writes notes and no messages.
    #[cfg(test)]
    pub(crate) async fn note_messages(
        &self,
        notes: &[Notice],
        at: UnixSeconds,
    ) -> Result<Vec<bool>, LedgerError> {
        self.note_and_file(notes, &[], at).await
    }

    /// Writes notes, what there is to report of them, and the messages to store, all or none. For each note:
    /// whether it is new; what is known already is not written again.
    ///
    /// # Errors
    /// If the ledger cannot be written, or a height or time does not fit it.
    pub async fn note_and_file(
        &self,
        notes: &[Notice],
        filings: &[Filing],
        at: UnixSeconds,
    ) -> Result<Vec<bool>, LedgerError> {
        self.retry_until_done(|| self.note_and_file_once(notes, filings, at)).await
    }

    async fn note_and_file_once(
        &self,
        notes: &[Notice],
        filings: &[Filing],
        at: UnixSeconds,
    ) -> Result<Vec<bool>, LedgerError> {
        let mut transaction = self.write().await?;
        let (mut new, mut reported) = (Vec::with_capacity(notes.len()), 0);
        for note in notes {
            let block = note.key.block;
            let done = sqlx::query(
                "INSERT INTO message_events (chain_id, number, hash, log_index, timestamp, initiating, level, kind,
                                             ordinal, status, reason, detail, cause, ending, ended_by, noted_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
                 ON CONFLICT DO NOTHING",
            )
            .bind(block.chain_id.to_string())
            .bind(as_integer("block number", block.number)?)
            .bind(block.hash.as_slice())
            .bind(i64::from(note.key.log_index))
            .bind(as_integer("timestamp", note.timestamp.0)?)
            .bind(note.initiating.map(|chain_id| chain_id.to_string()))
            .bind(note.level.name())
            .bind(note.content.kind().as_str())
            .bind(i64::from(note.ordinal))
            .bind(note.content.status().map(StatusKind::name))
            .bind(note.content.reason().map(InvalidReason::code))
            .bind(note.content.detail())
            .bind(note.content.cause().map(StatusCause::name))
            .bind(note.content.ending().map(Ending::name))
            .bind(note.content.ended_by().map(|hash| hash.to_vec()))
            .bind(as_integer("time", at.0)?)
            .execute(&mut *transaction)
            .await?;
            let is_new = done.rows_affected() == 1;
            if is_new {
                for news in note.events() {
                    reported = write_event(&mut transaction, &news, at).await?;
                }
            }
            new.push(is_new);
        }
        for filing in filings {
            file(&mut transaction, filing).await?;
        }
        transaction.commit().await?;
        self.event_written(reported);
        Ok(new)
    }

    /// What was noted of the messages of a chain above a height: of the last `limit` notes.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn noted_messages(
        &self,
        chain_id: ChainId,
        above: Option<u64>,
        limit: u32,
    ) -> Result<BTreeMap<MessageKey, NotedMessage>, LedgerError> {
        self.retry_read(|| async {
            let above = above.map_or(Ok(-1), |above| as_integer("block number", above))?;
            // What cannot be decoded is not a message: nothing can become of it.
            let rows = sqlx::query(
                "SELECT * FROM (SELECT * FROM message_events
                            WHERE chain_id = ?1 AND number > ?2 AND kind <> 'undecodable'
                            ORDER BY id DESC LIMIT ?3) ORDER BY id",
            )
            .bind(chain_id.to_string())
            .bind(above)
            .bind(limit)
            .fetch_all(self.readers())
            .await?;
            let mut entries = BTreeMap::new();
            for row in &rows {
                apply_note(&mut entries, row)?;
            }
            Ok(entries)
        })
        .await
    }

    /// Moves the cursors of chains: up to these blocks every message has ended.
    ///
    /// # Errors
    /// If the ledger cannot be written, or a height does not fit it.
    pub async fn move_cursors(&self, cursors: &[(ChainId, BlockNumHash)]) -> Result<(), LedgerError> {
        self.retry_until_done(|| self.move_cursors_once(cursors)).await
    }

    async fn move_cursors_once(&self, cursors: &[(ChainId, BlockNumHash)]) -> Result<(), LedgerError> {
        let mut transaction = self.write().await?;
        for (chain_id, cursor) in cursors {
            sqlx::query(
                "INSERT INTO monitor_cursors (chain_id, number, hash) VALUES (?1, ?2, ?3)
                 ON CONFLICT (chain_id) DO UPDATE SET number = ?2, hash = ?3",
            )
            .bind(chain_id.to_string())
            .bind(as_integer("block number", cursor.number)?)
            .bind(cursor.hash.as_slice())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The block of a chain up to which every message had ended. `None`: the chain was not monitored yet.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn cursor(&self, chain_id: ChainId) -> Result<Option<BlockNumHash>, LedgerError> {
        self.retry_read(|| async {
            let row = sqlx::query("SELECT number, hash FROM monitor_cursors WHERE chain_id = ?1")
                .bind(chain_id.to_string())
                .fetch_optional(self.readers())
                .await?;
            row.as_ref().map(super::column::read_position).transpose()
        })
        .await
    }
}

/// Applies one notice, in the order in which they were written, to its message.
fn apply_note(entries: &mut BTreeMap<MessageKey, NotedMessage>, row: &SqliteRow) -> Result<(), LedgerError> {
    let small = |field| u32::try_from(row.try_get::<i64, _>(field)?).map_err(corrupt(field));
    let hash: B256 = read_hash(row, "hash")?;
    let block = BlockKey { chain_id: read_chain_id(row)?, number: read_u64(row, "number")?, hash };
    let key = MessageKey { block, log_index: small("log_index")? };
    let initiating: Option<String> = row.try_get("initiating")?;
    let initiating =
        initiating.map(|id| id.parse::<ChainId>().map_err(corrupt("initiating chain"))).transpose()?;
    let timestamp = UnixSeconds(read_u64(row, "timestamp")?);
    let level: SafetyLevel = row.try_get::<String, _>("level")?.parse().map_err(corrupt("level"))?;
    let status: Option<String> = row.try_get("status")?;
    let status = status.map(|status| status.parse().map_err(corrupt("status"))).transpose()?;
    let is_invalid = match status {
        Some(StatusKind::Invalid) => Some(true),
        Some(StatusKind::Valid) => Some(false),
        Some(StatusKind::Unknown) | None => None,
    };
    let ordinal = small("ordinal")?;
    let entry = entries.entry(key).or_insert_with(|| NotedMessage::new(initiating, timestamp));
    entry.is_over = false;
    match row.try_get::<String, _>("kind")?.parse().map_err(corrupt("kind"))? {
        NoticeKind::Invalid => {
            entry.is_invalid = is_invalid;
            entry.invalid_at = entry.invalid_at.max(Some(level));
        }
        NoticeKind::Flip => {
            entry.is_invalid = is_invalid;
            entry.flips = ordinal;
            if is_invalid == Some(true) {
                entry.invalid_at = entry.invalid_at.max(Some(level));
            }
        }
        NoticeKind::Undeclared => entry.is_undeclared = true,
        // It is not a message: nothing can become of it.
        NoticeKind::Undecodable => {}
        NoticeKind::Ended => {
            entry.endings = ordinal.saturating_add(1);
            entry.is_over = true;
            let ending: Option<String> = row.try_get("ending")?;
            let ending = ending.unwrap_or_default();
            if ending == Ending::Finalized.name() && is_invalid == Some(true) {
                entry.invalid_at = entry.invalid_at.max(Some(level));
            }
            entry.note_ending(&ending);
        }
    }
    Ok(())
}
