//! [`Database`]: the ledger's file, and its connections. It knows the file's format, and nothing of its
//! contents.
//!
//! One connection writes, and every writer waits for it: no write fails because of another. Reads use other
//! connections, and wait for no writer.

use super::LedgerError;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{Connection, Sqlite};
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// Marks a database file as Crosscheck's ("XCHK"): the first migration writes it.
const APPLICATION_ID: i64 = 0x5843_484b;

static MIGRATIONS: Migrator = sqlx::migrate!("src/ledger/migrations");

/// How many connections read at once.
const READERS: u32 = 4;

/// How long to wait for a connection. Only tasks and calls wait, and each has it for milliseconds.
const TURN: Duration = Duration::from_secs(300);

/// How long it is waited for another program, such as `crosscheck resolve`, that writes.
const OTHER_PROGRAM: Duration = Duration::from_secs(60);

/// The ledger's connections. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Database {
    writer: SqlitePool,
    readers: SqlitePool,
}

/// A transaction that writes. While it is open there is no other writer: nothing but the database may be
/// waited for.
pub(super) type WriteTransaction = sqlx::Transaction<'static, Sqlite>;

impl Database {
    /// Opens the file, making it if there is none, and brings its schema up to date.
    pub(super) async fn open(path: &Path) -> Result<Self, LedgerError> {
        refuse_foreign_file(path)?;
        let reason = |error: sqlx::Error| LedgerError::opening(path, &error);
        let writer = writer(path).await.map_err(reason)?;
        refuse_foreign(&writer, path).await?;
        MIGRATIONS.run(&writer).await.map_err(|error| match error {
            MigrateError::VersionMissing(version) => LedgerError::Newer { path: path.into(), version },
            other => LedgerError::Migration { path: path.into(), reason: other.to_string() },
        })?;
        let readers = readers(path).await.map_err(reason)?;
        Ok(Self { writer, readers })
    }

    /// The connections that read. They cannot write.
    pub(super) const fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// Begins to write, once no other writer does.
    pub(super) async fn write(&self) -> Result<WriteTransaction, LedgerError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// How large the file is, with what is written and not moved into it yet, in bytes.
    pub(super) async fn bytes(&self) -> u64 {
        let options = self.writer.connect_options();
        let mut bytes = 0_u64;
        for path in
            [options.get_filename().to_path_buf(), options.get_filename().with_extension("sqlite-wal")]
        {
            let length = tokio::fs::metadata(path).await.map_or(0, |file| file.len());
            bytes = bytes.saturating_add(length);
        }
        bytes
    }

    /// Lets the file grow to this many pages and no further, as a full disk does.
    #[cfg(test)]
    pub(super) async fn limit_pages(&self, pages: u32) {
        let limit = pages.to_string();
        self.writer
            .set_connect_options((*self.writer.connect_options()).clone().pragma("max_page_count", limit));
        let mut connection = self.writer.acquire().await.unwrap();
        let pragma = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
        sqlx::query(pragma).fetch_all(&mut *connection).await.unwrap();
    }

    /// Makes every read fail, as a failing disk does; or succeed again.
    #[cfg(test)]
    pub(super) async fn set_readable(&self, is_readable: bool) {
        let path = self.writer.connect_options().get_filename().to_path_buf();
        let path = if is_readable { path } else { path.join("nothing") };
        let options = (*self.readers.connect_options()).clone().filename(path);
        self.readers.set_connect_options(options);
        let mut connections = Vec::new();
        while let Some(connection) = self.readers.try_acquire() {
            connections.push(connection);
        }
        for connection in connections {
            connection.close().await.unwrap();
        }
    }

    /// Closes the connections, after what is under way.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// The one connection that writes. It lives as long as the ledger does.
async fn writer(path: &Path) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        // Of a new file only: it cannot be changed later without rewriting the file.
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(OTHER_PROGRAM);
    let pool = SqlitePoolOptions::new().max_connections(1).acquire_timeout(TURN);
    // What could not be rolled back is rolled back with its connection.
    let pool =
        pool.before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }));
    pool.idle_timeout(None).max_lifetime(None).connect_with(options).await
}

/// The connections that read.
async fn readers(path: &Path) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(OTHER_PROGRAM);
    let pool = SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(TURN);
    pool.idle_timeout(None).max_lifetime(None).connect_with(options).await
}

/// Looks at a file's header before SQLite may touch it: opening in our journal mode would rewrite it.
///
/// With a write-ahead log beside it the header may be behind; then the database itself is asked.
fn refuse_foreign_file(path: &Path) -> Result<(), LedgerError> {
    let mut header = [0; 100];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header));
    let log = path.with_extension("sqlite-wal");
    if read.is_err() || log.exists() || !header.starts_with(b"SQLite format 3\0") {
        return Ok(());
    }
    // Of the file format: the database's size in pages at 28, the application id at 68, both big-endian.
    let word = |at: usize| {
        let bytes = header.get(at..).and_then(|rest| rest.first_chunk::<4>());
        bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
    };
    let (pages, mark) = (word(28), i64::from(word(68)));
    if mark == APPLICATION_ID || (mark == 0 && pages <= 1) {
        return Ok(());
    }
    Err(LedgerError::Foreign { path: path.into() })
}

/// A database that holds tables but not our mark is another program's.
async fn refuse_foreign(pool: &SqlitePool, path: &Path) -> Result<(), LedgerError> {
    let mark: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(pool).await?;
    let tables: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\'",
    )
    .fetch_one(pool)
    .await?;
    if mark == APPLICATION_ID || (mark == 0 && tables == 0) {
        return Ok(());
    }
    Err(LedgerError::Foreign { path: path.into() })
}
