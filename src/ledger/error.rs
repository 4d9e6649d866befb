//! [`LedgerError`]: why the ledger cannot be used.

use std::path::{Path, PathBuf};

/// What SQLite says of a file that cannot be used now: busy, locked, no memory, read-only, I/O error, full,
/// cannot be opened, locked by a program that is starting.
const MAY_PASS: [i32; 8] = [5, 6, 7, 8, 10, 13, 14, 15];

/// Why the ledger cannot be used. Nothing is overwritten in any of these cases.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file cannot be opened or created.
    #[error("the ledger {path} cannot be opened: {reason}; check that the directory exists and is writable")]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite or the system said.
        reason: String,
    },
    /// What is in the file is not a database, or is damaged.
    #[error(
        "the ledger {path} cannot be read as a database: {reason}; restore it from a backup, or move it away to start \
         a new one without its verdicts and evidence"
    )]
    NoDatabase {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// The file is a database of another program.
    #[error("{path} is a database of another program; point data_dir at a directory of Crosscheck's own")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer Crosscheck wrote the file.
    #[error(
        "the ledger {path} was written by a newer version (schema {version}); run that version or a later one"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema version that this program does not know.
        version: i64,
    },
    /// The schema could not be brought up to date.
    #[error("the ledger {path} cannot be brought up to date: {reason}")]
    Migration {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// A read or write failed.
    #[error("the ledger failed: {0}; check the disk")]
    Database(#[from] sqlx::Error),
    /// A number that SQLite cannot hold.
    #[error("{field} {value} does not fit the ledger's 63 bits")]
    OutOfRange {
        /// Which field.
        field: &'static str,
        /// Its value.
        value: u64,
    },
    /// A stored value is not what was written.
    #[error("the ledger holds a {field} that cannot be read: {reason}; restore it from a backup")]
    Corrupt {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// What SQLite says of a file that is not a database, or is damaged: corrupt, not a database.
const NO_DATABASE: [i32; 2] = [11, 26];

/// The kind of an error of SQLite. The kinds of each are in its code's higher bits.
fn kind(error: &sqlx::Error) -> Option<i32> {
    let sqlx::Error::Database(error) = error else { return None };
    Some(error.code()?.parse::<i32>().ok()? & 0xff)
}

impl LedgerError {
    /// Why a file could not be opened.
    pub(super) fn opening(path: &Path, error: &sqlx::Error) -> Self {
        let (path, reason) = (path.into(), error.to_string());
        match kind(error) {
            Some(kind) if NO_DATABASE.contains(&kind) => Self::NoDatabase { path, reason },
            Some(_) | None => Self::Open { path, reason },
        }
    }

    /// Whether it may succeed later, without a change of the ledger itself: a full disk, a failing one,
    /// another program that writes.
    pub(crate) fn is_transient(&self) -> bool {
        let Self::Database(error) = self else { return false };
        match error {
            sqlx::Error::Database(_) => kind(error).is_some_and(|kind| MAY_PASS.contains(&kind)),
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => true,
            _ => false,
        }
    }
}
