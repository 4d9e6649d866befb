//! When things happen: the schedule of ticks, the pace of a run, and the clock that the chains share with the
//! sidecar.

mod clock_file;
mod run_clock;
mod run_pace;
mod schedule;

pub use clock_file::{ClockFile, ClockFileError};
pub(crate) use run_clock::{RunClock, RunClockError};
pub(crate) use run_pace::{LAG_BLOCKS, OPEN_BLOCKS, PATIENCE, RunPace};
pub use schedule::Schedule;
pub(crate) use schedule::{
    ACTIVATION_BLOCK, CROSS_SAFE_TICKS, EXPIRY_BLOCKS, FIRST_EXECUTING_BLOCK, L1_FINALITY_DEPTH,
    L1_SAFE_DEPTH, TICKS_PER_L1_BLOCK, WITHDRAWN_TICKS,
};
