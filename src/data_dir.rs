//! [`DataDirLock`]: one running program for each data directory.
//!
//! Two of them would share a node key, and each would report half of the events. Commands that only read the
//! ledger, or write an operator's decision to it, take no lock: they are meant to be used beside a running
//! program.

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// The file in the data directory that is locked. It contains the process id of the last holder.
const LOCK_FILE: &str = "lock";

/// The longest process id that is read back, in bytes.
const MAX_ID_BYTES: u64 = 20;

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// There is none, and none can be made.
    #[error(
        "data_dir {path} cannot be created: {reason}; set data_dir to a directory that this user can write to"
    )]
    NotMade {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// Another program runs in it.
    #[error(
        "data_dir {path} is in use by {holder}; stop that process, or give this one a data_dir of its own"
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// Who holds the lock: `process 4711`, or `another process` whose id is not known.
        holder: String,
    },
    /// The lock file cannot be made or locked.
    #[error(
        "data_dir {path} cannot be locked: {reason}; it must be writable, and on a file system that supports locks"
    )]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
}

impl DataDirError {
    /// Whether the setting is to be changed: trying again does not help.
    pub(crate) const fn is_setting(&self) -> bool {
        matches!(self, Self::NotMade { .. })
    }
}

/// The right to run in a data directory. The system takes it back when the process ends, however it ends.
#[derive(Debug)]
pub struct DataDirLock {
    _file: File,
}

impl DataDirLock {
    /// Takes the lock of a directory, and writes this process's id into it. The directory is made if there is
    /// none.
    ///
    /// # Errors
    /// If there is no directory, another process holds the lock, or the lock file cannot be used.
    pub fn take(data_dir: &Path) -> Result<Self, DataDirError> {
        std::fs::create_dir_all(data_dir)
            .map_err(|reason| DataDirError::NotMade { path: data_dir.into(), reason })?;
        let unusable = |reason| DataDirError::Unusable { path: data_dir.into(), reason };
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(data_dir.join(LOCK_FILE)).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DataDirError::InUse { path: data_dir.into(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(reason)) => return Err(unusable(reason)),
        }
        file.set_len(0).map_err(unusable)?;
        writeln!(file, "{}", std::process::id()).map_err(unusable)?;
        Ok(Self { _file: file })
    }
}

/// Who holds a lock, in words. Between acquiring it and writing its id the holder is unknown.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.take(MAX_ID_BYTES).read_to_string(&mut text);
    match read.ok().and_then(|_| text.trim().parse::<u32>().ok()) {
        Some(id) => format!("process {id}"),
        None => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[test]
    fn the_lock_is_exclusive_until_it_is_released() {
        let dir = TempDir::new().unwrap();
        let lock = DataDirLock::take(dir.path()).unwrap();
        let error = DataDirLock::take(dir.path()).unwrap_err().to_string();
        let id = std::process::id();
        assert!(error.contains(&format!("{} is in use by process {id};", dir.path().display())), "{error}");
        drop(lock);
        DataDirLock::take(dir.path()).unwrap();
    }

    #[test]
    fn a_longer_earlier_process_id_is_overwritten() {
        let dir = TempDir::new().unwrap();
        std::fs::write(dir.path().join(LOCK_FILE), "99999999999999999999\n").unwrap();
        let _lock = DataDirLock::take(dir.path()).unwrap();
        let written = std::fs::read_to_string(dir.path().join(LOCK_FILE)).unwrap();
        assert_eq!(written, format!("{}\n", std::process::id()));
    }

    #[test]
    fn a_holder_without_an_id_is_reported_without_it() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join(LOCK_FILE);
        let file = File::create(&path).unwrap();
        file.lock().unwrap();
        let error = DataDirLock::take(dir.path()).unwrap_err().to_string();
        assert!(error.contains("is in use by another process;"), "{error}");
    }

    #[test]
    fn a_lock_that_cannot_be_created_is_named() {
        let dir = TempDir::new().unwrap();
        std::fs::create_dir(dir.path().join(LOCK_FILE)).unwrap();
        let error = DataDirLock::take(dir.path()).unwrap_err().to_string();
        assert!(error.contains("cannot be locked"), "{error}");
    }
}
