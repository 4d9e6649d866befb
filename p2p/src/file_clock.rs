//! [`FileClock`]: a clock that several processes share through a file.
//!
//! A devnet that runs faster than real time writes the file; the sidecar that watches it reads it. The file
//! has seconds since the Unix epoch in decimal. Nothing here writes it, and no rule depends on it: the
//! windows are the same.

use crate::{Clock, UnixSeconds};
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// The longest text that is read from a clock file: twenty digits, and whitespace.
const MAX_BYTES: u64 = 64;

/// A clock whose time is in a file.
///
/// The file is read on every call. While it cannot be read, the time stays at what was read last.
#[derive(Debug)]
pub struct FileClock {
    path: PathBuf,
    last: AtomicU64,
}

/// A clock file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileClockError {
    /// The file is missing or unreadable.
    #[error("the clock file {path} cannot be read ({source}): start the devnet that writes it first")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file does not have a time.
    #[error("the clock file {path} holds {text:?}: it must hold seconds since 1970, in decimal")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Its text.
        text: String,
    },
}

impl FileClock {
    /// Opens a clock file, which must have a time already.
    ///
    /// # Errors
    /// The file is missing or unreadable, or does not have decimal seconds.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, FileClockError> {
        let path = path.into();
        let now = read(&path)?;
        Ok(Self { path, last: AtomicU64::new(now.0) })
    }
}

impl Clock for FileClock {
    fn now(&self) -> UnixSeconds {
        match read(&self.path) {
            Ok(now) => {
                self.last.store(now.0, Ordering::Relaxed);
                now
            }
            Err(error) => {
                tracing::debug!(%error, "clock file could not be read; time does not advance");
                UnixSeconds(self.last.load(Ordering::Relaxed))
            }
        }
    }
}

fn read(path: &Path) -> Result<UnixSeconds, FileClockError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes))
        .map_err(|source| FileClockError::Unreadable { path: path.to_owned(), source })?;
    let text = String::from_utf8_lossy(&bytes);
    let digits = text.trim();
    let seconds = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
    seconds
        .map(UnixSeconds)
        .ok_or_else(|| FileClockError::Malformed { path: path.to_owned(), text: text.into_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn file(content: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        file
    }

    #[rstest]
    #[case::plain("1767225600", 1_767_225_600)]
    #[case::fixed_width("00000000001767225600\n", 1_767_225_600)]
    fn reads_decimal_seconds(#[case] content: &str, #[case] seconds: u64) {
        let file = file(content);
        assert_eq!(FileClock::open(file.path()).unwrap().now(), UnixSeconds(seconds));
    }

    #[rstest]
    #[case::empty("")]
    #[case::words("noon")]
    #[case::sign("+5")]
    #[case::too_large("99999999999999999999")]
    #[case::binary("\u{0}\u{0}")]
    fn a_text_that_is_not_a_time_is_refused(#[case] content: &str) {
        let file = file(content);
        assert!(matches!(FileClock::open(file.path()), Err(FileClockError::Malformed { .. })));
    }

    #[test]
    fn a_missing_file_is_an_error_at_open() {
        let dir = tempfile::tempdir().unwrap();
        let opened = FileClock::open(dir.path().join("clock"));
        assert!(matches!(opened, Err(FileClockError::Unreadable { .. })));
    }

    #[test]
    fn the_time_does_not_move_while_the_file_is_unreadable() {
        let file = file("100");
        let clock = FileClock::open(file.path()).unwrap();
        std::fs::write(file.path(), "101").unwrap();
        assert_eq!(clock.now(), UnixSeconds(101));
        std::fs::write(file.path(), "gone").unwrap();
        assert_eq!(clock.now(), UnixSeconds(101));
        std::fs::remove_file(file.path()).unwrap();
        assert_eq!(clock.now(), UnixSeconds(101));
    }
}
