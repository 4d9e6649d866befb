//! [`StoredEvent`]: a reported event, in the ledger. It is written with the fact that it reports, in one
//! transaction.
//!
//! There is one writer, so ids are in the order in which events became durable: a reader up to one id has
//! missed none below it. An event is never changed, and no id is used twice.

use super::column::{as_integer, corrupt, read_u64, to_json};
use super::{Ledger, LedgerError};
use crosscheck_core::events::Event;
use crosscheck_p2p::{ChainId, UnixSeconds};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::sync::Arc;
use tokio::sync::watch;

/// How many rows are checked for a page of which only some are wanted.
pub(super) const MAX_SCANNED: u32 = 20_000;

/// Something that was reported. In JSON: what is reported, with its id and its time. Clones share the text.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    id: u64,
    text: Arc<RawValue>,
}

impl StoredEvent {
    /// Its place in the order of events. It survives restarts.
    pub const fn id(&self) -> u64 {
        self.id
    }

    fn read(row: &SqliteRow) -> Result<Self, LedgerError> {
        let (id, at) = (read_u64(row, "id")?, read_u64(row, "at")?);
        let reported: &str = row.try_get("told")?;
        let fields = reported.strip_prefix('{').unwrap_or(reported);
        let text = RawValue::from_string(format!("{{\"id\":{id},\"at\":{at},{fields}"));
        Ok(Self { id, text: Arc::from(text.map_err(corrupt("event"))?) })
    }
}

impl Serialize for StoredEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

/// Which events to read.
#[derive(Debug, Clone, Copy, Default)]
pub struct EventFilter<'a> {
    /// Only of this chain.
    pub chain_id: Option<ChainId>,
    /// Only of these kinds.
    pub kinds: Option<&'a [&'static str]>,
    /// Only those after this one.
    pub after: u64,
    /// At most this many.
    pub limit: u32,
}

/// A part of something that is read in order.
#[derive(Debug, Clone)]
pub struct Read<T> {
    /// What was asked for.
    pub items: Vec<T>,
    /// Up to where it was looked: reading continues after this.
    pub cursor: u64,
    /// Whether there may be more already.
    pub is_more: bool,
}

impl<T> Read<T> {
    /// What was found of a window that was looked through. `last`: the place of the last item.
    pub(super) fn of(window: Window, items: Vec<T>, last: Option<u64>, limit: u32) -> Self {
        let is_full = u32::try_from(items.len()).is_ok_and(|length| length >= limit);
        let cursor = last.filter(|_| is_full).unwrap_or(window.end);
        Self { items, cursor, is_more: is_full || window.is_full }
    }
}

/// The rows that are looked through for a page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// The place of the last one.
    pub(super) end: u64,
    /// Whether there may be more behind it.
    pub(super) is_full: bool,
}

impl Window {
    /// Reads the bounds that a query finds: `last` and `count` of at most `scanned` rows after `after`.
    pub(super) fn read(row: &SqliteRow, after: u64, scanned: u32) -> Result<Self, LedgerError> {
        let last = row.try_get::<Option<i64>, _>("last")?;
        let end = last.map_or(Ok(after), |last| u64::try_from(last).map_err(corrupt("event id")))?;
        Ok(Self { end, is_full: read_u64(row, "count")? >= u64::from(scanned) })
    }
}

impl Ledger {
    /// The id of the last event that this program has written, and of each new one; 0: none. What another
    /// program writes is not heard of.
    pub fn watch_events(&self) -> watch::Receiver<u64> {
        self.last_event.subscribe()
    }

    /// Passes on that an event is durable.
    pub(super) fn event_written(&self, id: u64) {
        self.last_event.send_if_modified(|last| id > std::mem::replace(last, id.max(*last)));
    }

    /// The id of the last event that was written, also if it is kept no longer. 0: there was none.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn last_event(&self) -> Result<u64, LedgerError> {
        self.retry_read(|| async {
            let query = "SELECT coalesce(max(seq), 0) AS id FROM sqlite_sequence WHERE name = 'events'";
            read_u64(&sqlx::query(query).fetch_one(self.readers()).await?, "id")
        })
        .await
    }

    /// Reports what no other row of the ledger is about. Durable when this returns.
    ///
    /// # Errors
    /// If the ledger cannot be written, or the height does not fit it.
    pub async fn report(&self, event: &Event, at: UnixSeconds) -> Result<(), LedgerError> {
        self.retry_until_done(|| async {
            let mut transaction = self.write().await?;
            let reported = write_event(&mut transaction, event, at).await?;
            transaction.commit().await?;
            self.event_written(reported);
            Ok(())
        })
        .await
    }

    /// Reads events in order.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn events(&self, filter: EventFilter<'_>) -> Result<Read<StoredEvent>, LedgerError> {
        self.retry_read(|| async {
            let is_whole = filter.chain_id.is_none() && filter.kinds.is_none();
            let scanned = if is_whole { filter.limit } else { MAX_SCANNED };
            let after = i64::try_from(filter.after).unwrap_or(i64::MAX);
            // The bounds first: what is written meanwhile is beyond them.
            let window = sqlx::query(
                "SELECT max(id) AS last, count(*) AS count FROM (SELECT id FROM events WHERE id > ?1 ORDER BY id LIMIT ?2)",
            )
            .bind(after)
            .bind(scanned)
            .fetch_one(self.readers())
            .await?;
            let window = Window::read(&window, filter.after, scanned)?;
            let rows = sqlx::query(
                "SELECT id, at, told FROM events WHERE id > ?1 AND id <= ?2 AND (?3 IS NULL OR chain_id = ?3)
                   AND (?4 IS NULL OR kind IN (SELECT value FROM json_each(?4))) ORDER BY id LIMIT ?5",
            )
            .bind(after)
            .bind(as_integer("event id", window.end).unwrap_or(i64::MAX))
            .bind(filter.chain_id.map(|chain_id| chain_id.to_string()))
            .bind(filter.kinds.map(|kinds| to_json("kinds", &kinds)).transpose()?)
            .bind(filter.limit)
            .fetch_all(self.readers())
            .await?;
            let events = rows.iter().map(StoredEvent::read).collect::<Result<Vec<_>, _>>()?;
            let last = events.last().map(StoredEvent::id);
            Ok(Read::of(window, events, last, filter.limit))
        })
        .await
    }
}

/// Writes an event, with the fact that it reports. Returns its id.
pub(super) async fn write_event(
    connection: &mut SqliteConnection,
    reported: &Event,
    at: UnixSeconds,
) -> Result<u64, LedgerError> {
    let mut text = serde_json::to_value(reported).map_err(corrupt("event"))?;
    // A suspect's id is its event's.
    text.as_object_mut().and_then(|fields| fields.remove("id"));
    write(connection, reported, &text, at).await
}

async fn write(
    connection: &mut SqliteConnection,
    reported: &Event,
    text: &Value,
    at: UnixSeconds,
) -> Result<u64, LedgerError> {
    let block = reported.block();
    let row = sqlx::query(
        "INSERT INTO events (at, kind, chain_id, number, hash, told) VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id",
    )
    .bind(as_integer("time", at.0)?)
    .bind(reported.kind())
    .bind(block.chain_id.to_string())
    .bind(as_integer("block number", block.number)?)
    .bind(block.hash.to_vec())
    .bind(text.to_string())
    .fetch_one(connection)
    .await?;
    read_u64(&row, "id")
}
