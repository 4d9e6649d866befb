//! [`ClockFile`]: the writer of the time that chains and sidecar share when the devnet outruns real time.
//!
//! Readers never see half a time: the text has a fixed width and is written by one positioned write.

use crosscheck_p2p::UnixSeconds;
use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// A clock file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the clock file {path} cannot be written ({source}): give a writable --dir")]
pub struct ClockFileError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// An open clock file.
#[derive(Debug)]
pub struct ClockFile {
    path: PathBuf,
    file: File,
}

impl ClockFile {
    /// Creates the file, or takes over an existing one, and sets it.
    ///
    /// # Errors
    /// The file cannot be created or written.
    pub fn create(path: PathBuf, now: UnixSeconds) -> Result<Self, ClockFileError> {
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = opened.map_err(|source| ClockFileError { path: path.clone(), source })?;
        let clock = Self { path, file };
        clock.set(now)?;
        Ok(clock)
    }

    /// Sets the time.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set(&self, now: UnixSeconds) -> Result<(), ClockFileError> {
        let text = format!("{:020}\n", now.0);
        self.file
            .write_all_at(text.as_bytes(), 0)
            .map_err(|source| ClockFileError { path: self.path.clone(), source })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosscheck_p2p::{Clock, FileClock};

    #[test]
    fn the_sidecars_clock_reads_the_time_that_was_set() {
        let dir = tempfile::tempdir().unwrap();
        let written = ClockFile::create(dir.path().join("clock"), UnixSeconds(5)).unwrap();
        let read = FileClock::open(written.path()).unwrap();
        for seconds in [5, u64::MAX, 0, 1_767_225_600] {
            written.set(UnixSeconds(seconds)).unwrap();
            assert_eq!(read.now(), UnixSeconds(seconds));
        }
    }
}
