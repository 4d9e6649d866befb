//! [`RunClock`]: the time that a devnet run lives in: the machine's, or one of its own that a file shares.

use super::clock_file::{ClockFile, ClockFileError};
use crosscheck_p2p::{Clock, FileClock, FileClockError, SystemClock, UnixSeconds};
use std::{path::Path, sync::Arc};

/// The clock file's name in the devnet's directory.
const FILE_NAME: &str = "clock";

/// A clock that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum RunClockError {
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] ClockFileError),
    /// It cannot be read back.
    #[error(transparent)]
    Read(#[from] FileClockError),
}

/// The time of a run.
#[derive(Debug)]
pub(crate) enum RunClock {
    /// The machine's clock.
    System,
    /// A clock that is set tick by tick.
    File(ClockFile),
}

impl RunClock {
    /// A clock of the run's own, which is at `now`.
    ///
    /// # Errors
    /// When its file cannot be written.
    pub(crate) fn own(dir: &Path, now: UnixSeconds) -> Result<Self, RunClockError> {
        Ok(Self::File(ClockFile::create(dir.join(FILE_NAME), now)?))
    }

    /// How the sidecar's configuration names it.
    pub(crate) fn setting(&self) -> String {
        match self {
            Self::System => "system".to_owned(),
            Self::File(file) => format!("file:{}", file.path().display()),
        }
    }

    /// A reader of it.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub(crate) fn reader(&self) -> Result<Arc<dyn Clock>, RunClockError> {
        Ok(match self {
            Self::System => Arc::new(SystemClock),
            Self::File(file) => Arc::new(FileClock::open(file.path())?),
        })
    }

    /// The run has reached this time. The machine's clock does not move with it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn advance(&self, now: UnixSeconds) -> Result<(), RunClockError> {
        match self {
            Self::System => Ok(()),
            Self::File(file) => Ok(file.set(now)?),
        }
    }
}
