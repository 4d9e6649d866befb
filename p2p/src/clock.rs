//! Time as an argument: [`UnixSeconds`] and the [`Clock`] that tasks read it from.
//!
//! Rules never read a clock. The task that runs them passes in a [`UnixSeconds`].

use core::fmt;
use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since the Unix epoch: the unit of block timestamps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixSeconds(pub u64);

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a task reads the time that it passes to the rules.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The current time.
    fn now(&self) -> UnixSeconds;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixSeconds {
        // The one place where the machine's clock is read; a clock before 1970 reads as 1970.
        #[allow(clippy::disallowed_methods)]
        let now = SystemTime::now();
        UnixSeconds(now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
    }
}
