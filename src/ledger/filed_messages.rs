//! [`FiledMessage`]: messages that were not simply valid, as they were at their end.
//!
//! They are written with their history, and stay: an answer about one is the same after any restart, under
//! the same number. A message that ends again differently, because its block came back, gets a later number.

use super::column::{as_integer, corrupt, read_hash, read_u64};
use super::{Ledger, LedgerError};
use alloy::primitives::B256;
use crosscheck_core::events::{Filing, MessageRecord};
use crosscheck_core::message::BlockKey;
use crosscheck_core::tracker::{Ending, MessageKey};
use crosscheck_core::validity::StatusKind;
use crosscheck_p2p::ChainId;
use serde::ser::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::sync::Arc;

/// Adds a message, or what it is now. One whose life was over stays as it is while it is found again, unless
/// it ends otherwise.
const FILE: &str =
    "INSERT INTO filed_messages (chain_id, hash, log_index, number, sequence, record) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
     ON CONFLICT (chain_id, hash, log_index) DO UPDATE SET sequence = excluded.sequence, record = excluded.record
     WHERE filed_messages.sequence IS NULL
        OR (excluded.sequence IS NOT NULL
            AND (json_extract(filed_messages.record, '$.state'), json_extract(filed_messages.record, '$.ended_by'),
                 json_extract(filed_messages.record, '$.status'))
                IS NOT (json_extract(excluded.record, '$.state'), json_extract(excluded.record, '$.ended_by'),
                        json_extract(excluded.record, '$.status')))";

/// A message whose life is over. In JSON: as it was then. Clones share the text.
#[derive(Clone, Debug)]
pub struct FiledMessage {
    sequence: u64,
    number: u64,
    text: Arc<RawValue>,
}

impl FiledMessage {
    /// Its number in the order of changes. It survives restarts.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The height of its block.
    pub const fn number(&self) -> u64 {
        self.number
    }

    fn read(row: &SqliteRow) -> Result<Self, LedgerError> {
        let (sequence, number) = (read_u64(row, "sequence")?, read_u64(row, "number")?);
        let record: &str = row.try_get("record")?;
        let fields = record.strip_prefix('{').unwrap_or(record);
        let text = RawValue::from_string(format!("{{\"sequence\":{sequence},{fields}"));
        Ok(Self { sequence, number, text: Arc::from(text.map_err(corrupt("message"))?) })
    }
}

impl Serialize for FiledMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

/// Which messages to read.
#[derive(Debug, Clone, Copy, Default)]
pub struct FiledFilter {
    /// Only those that this chain executed.
    pub chain_id: Option<ChainId>,
    /// Only those with a number after this one.
    pub after: u64,
    /// Only those up to this one.
    pub up_to: u64,
    /// At most this many.
    pub limit: u32,
}

impl Ledger {
    /// Reads messages whose life is over, in the order of their numbers.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn filed_messages(&self, filter: FiledFilter) -> Result<Vec<FiledMessage>, LedgerError> {
        self.retry_read(|| async {
            let query = match filter.chain_id {
                None => {
                    "SELECT sequence, number, record FROM filed_messages
                     WHERE sequence > ?1 AND sequence <= ?2 AND ?4 IS NULL ORDER BY sequence LIMIT ?3"
                }
                Some(_) => {
                    "SELECT sequence, number, record FROM filed_messages
                     WHERE sequence > ?1 AND sequence <= ?2 AND chain_id = ?4 ORDER BY sequence LIMIT ?3"
                }
            };
            let rows = sqlx::query(query)
                .bind(i64::try_from(filter.after).unwrap_or(i64::MAX))
                .bind(i64::try_from(filter.up_to).unwrap_or(i64::MAX))
                .bind(filter.limit)
                .bind(filter.chain_id.map(|chain_id| chain_id.to_string()))
                .fetch_all(self.readers())
                .await?;
            rows.iter().map(FiledMessage::read).collect()
        })
        .await
    }

    /// One of them. `None`: its life is not over, or it was plainly valid.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn filed_message(
        &self,
        chain_id: ChainId,
        hash: B256,
        log_index: u32,
    ) -> Result<Option<FiledMessage>, LedgerError> {
        self.retry_read(|| async {
            let row = sqlx::query(
                "SELECT sequence, number, record FROM filed_messages
                 WHERE chain_id = ?1 AND hash = ?2 AND log_index = ?3 AND sequence IS NOT NULL",
            )
            .bind(chain_id.to_string())
            .bind(hash.to_vec())
            .bind(log_index)
            .fetch_optional(self.readers())
            .await?;
            row.as_ref().map(FiledMessage::read).transpose()
        })
        .await
    }

    /// The messages of a chain above a height whose life ended permanently: their blocks are on the chain,
    /// and will be read again.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn settled_messages(
        &self,
        chain_id: ChainId,
        above: Option<u64>,
        limit: u32,
    ) -> Result<Vec<MessageKey>, LedgerError> {
        self.retry_read(|| async {
            let rows = sqlx::query(
                "SELECT number, hash, log_index FROM filed_messages
                 WHERE chain_id = ?1 AND number > ?2 AND sequence IS NOT NULL
                   AND json_extract(record, '$.state') IN (?3, ?4) ORDER BY number DESC LIMIT ?5",
            )
            .bind(chain_id.to_string())
            .bind(above.map_or(Ok(-1), |above| as_integer("block number", above))?)
            .bind(Ending::Finalized.name())
            .bind(Ending::Expired.name())
            .bind(limit)
            .fetch_all(self.readers())
            .await?;
            let key = |row: &SqliteRow| {
                let (number, hash) = (read_u64(row, "number")?, read_hash(row, "hash")?);
                let log_index =
                    u32::try_from(row.try_get::<i64, _>("log_index")?).map_err(corrupt("log index"))?;
                Ok(MessageKey { block: BlockKey { chain_id, number, hash }, log_index })
            };
            rows.iter().map(key).collect()
        })
        .await
    }
}

/// Writes what is kept of a message.
pub(super) async fn file(connection: &mut SqliteConnection, filing: &Filing) -> Result<(), LedgerError> {
    let (record, sequence) = match filing {
        Filing::Open(record) => (written(record)?, None),
        Filing::Over(record) => (written(record)?, Some(record.sequence)),
        Filing::Gone { key, sequence, .. } => match known(connection, key).await? {
            Some(record) => (ended(record, filing), Some(*sequence)),
            // An older version noted it, which filed nothing.
            None => return Ok(()),
        },
    };
    let MessageKey { block, log_index } = filing.key();
    sqlx::query(FILE)
        .bind(block.chain_id.to_string())
        .bind(block.hash.to_vec())
        .bind(log_index)
        .bind(as_integer("block number", block.number)?)
        .bind(sequence.map(|sequence| as_integer("sequence", sequence)).transpose()?)
        .bind(record.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// A message as it is written: without its number.
fn written(record: &MessageRecord) -> Result<Value, LedgerError> {
    let mut record = serde_json::to_value(record).map_err(corrupt("message"))?;
    record.as_object_mut().and_then(|fields| fields.remove("sequence"));
    Ok(record)
}

/// What is filed of a message.
async fn known(connection: &mut SqliteConnection, key: &MessageKey) -> Result<Option<Value>, LedgerError> {
    let query = "SELECT record FROM filed_messages WHERE chain_id = ?1 AND hash = ?2 AND log_index = ?3";
    let row = sqlx::query(query)
        .bind(key.block.chain_id.to_string())
        .bind(key.block.hash.to_vec())
        .bind(key.log_index)
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    serde_json::from_str(row.try_get("record")?).map(Some).map_err(corrupt("message"))
}

/// The same message, ended.
fn ended(mut record: Value, filing: &Filing) -> Value {
    let Filing::Gone { level, ending, status, .. } = filing else { return record };
    let Some(fields) = record.as_object_mut() else { return record };
    let by = match ending {
        Ending::Resolved { by } | Ending::Orphaned { by } => Some(by.to_string()),
        Ending::Finalized | Ending::Expired | Ending::CrowdedOut => None,
    };
    fields.insert("state".to_owned(), ending.name().into());
    fields.insert("ended_by".to_owned(), by.into());
    fields.insert("level".to_owned(), level.name().into());
    fields.insert("status".to_owned(), status.name().into());
    if *status != StatusKind::Invalid {
        for field in ["reason", "detail"] {
            fields.insert(field.to_owned(), Value::Null);
        }
    }
    record
}
