//! [`RunPace`]: how long a tick lasts at least, and at most while it waits for the sidecar.

use std::time::Duration;

/// The least time of a tick when the run is faster than real time and a sidecar is watched.
const WATCHED_TICK: Duration = Duration::from_millis(20);
/// The time of a tick when the run is faster than real time and no sidecar is watched.
const UNWATCHED_TICK: Duration = Duration::from_millis(100);
/// The longest time that the chains wait for the sidecar to join, to hear or to see something: far longer
/// than it takes on a busy machine, so that the wait ends only for a sidecar that never does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// The same in real time: gossip drops blocks that fall a minute behind the clock.
const REAL_TIME_PATIENCE: Duration = Duration::from_secs(5);
/// How long a block that is built twice is the tip in real time, until the other takes its height.
const REBUILT_AFTER: Duration = Duration::from_millis(500);
/// The sidecar may be behind the head by this many blocks before a tick waits for it.
pub(crate) const LAG_BLOCKS: u64 = 4;
/// The sidecar may have this many blocks of a chain without a verdict before a tick of a run without faults
/// waits for it. A fault may leave blocks open for long.
pub(crate) const OPEN_BLOCKS: u64 = 16;

/// How ticks follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunPace {
    /// In real time: each tick begins when the clock says so.
    RealTime,
    /// As fast as the slowest part allows.
    Fast {
        /// The least time of a tick.
        at_least: Duration,
        /// The most time of a tick while the sidecar lags.
        patience: Duration,
    },
}

impl RunPace {
    /// The pace of a run. `unwatched_tick`: how long a tick lasts at least when nobody is watched, if not the
    /// usual time.
    pub(crate) const fn new(fast: bool, watched: bool, unwatched_tick: Option<Duration>) -> Self {
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
    pub(crate) const fn patience(self) -> Duration {
        match self {
            Self::RealTime => REAL_TIME_PATIENCE,
            Self::Fast { patience, .. } => patience,
        }
    }

    /// How long a block is the tip whose height another takes in the same tick.
    pub(crate) const fn rebuilt_after(self) -> Duration {
        match self {
            Self::RealTime => REBUILT_AFTER,
            Self::Fast { at_least, .. } => at_least,
        }
    }
}
