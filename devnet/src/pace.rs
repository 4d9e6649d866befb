//! [`Pace`]: how long a tick lasts at least, and at most while it waits for the sidecar.

use std::time::Duration;

/// A tick lasts at least so long when real time is outrun and a sidecar is watched.
const WATCHED_TICK: Duration = Duration::from_millis(20);
/// A tick lasts so long when real time is outrun and nobody is watched.
const UNWATCHED_TICK: Duration = Duration::from_millis(100);
/// The chains wait at most so long for the sidecar to join, to hear or to see something: far longer than it takes on a
/// busy machine, so that only one that never does is given up on.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// In real time they wait at most so long: gossip drops blocks that fall a minute behind the clock.
const REAL_TIME_PATIENCE: Duration = Duration::from_secs(5);
/// In real time a block that is built twice is the tip for so long, until the other takes its height.
const REBUILT_AFTER: Duration = Duration::from_millis(500);
/// The sidecar may be behind the head by this many blocks before a tick waits for it.
pub const LAG_BLOCKS: u64 = 4;

/// How ticks follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// In real time: each tick begins when the clock says so.
    RealTime,
    /// As fast as the slowest part allows.
    Fast {
        /// A tick lasts at least so long.
        at_least: Duration,
        /// And so long while the sidecar lags.
        patience: Duration,
    },
}

impl Pace {
    /// The pace of a run. `unwatched_tick`: how long a tick lasts at least when nobody is watched, if not the usual time.
    pub const fn new(fast: bool, watched: bool, unwatched_tick: Option<Duration>) -> Self {
        match (fast, watched) {
            (false, _) => Self::RealTime,
            (true, true) => Self::Fast { at_least: WATCHED_TICK, patience: PATIENCE },
            (true, false) => {
                let at_least = match unwatched_tick {
                    Some(tick) => tick,
                    None => UNWATCHED_TICK,
                };
                Self::Fast { at_least, patience: Duration::ZERO }
            }
        }
    }

    /// How long a tick may wait for the sidecar to see what it could not see any more afterwards.
    pub const fn patience(self) -> Duration {
        match self {
            Self::RealTime => REAL_TIME_PATIENCE,
            Self::Fast { patience, .. } => patience,
        }
    }

    /// How long a block is the tip whose height another takes in the same tick.
    pub const fn rebuilt_after(self) -> Duration {
        match self {
            Self::RealTime => REBUILT_AFTER,
            Self::Fast { at_least, .. } => at_least,
        }
    }
}
