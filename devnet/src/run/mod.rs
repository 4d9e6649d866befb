//! A run from start to end: the plan, the tasks, the ticks and their waits, pauses and progress lines.

mod devnet_run;
mod directory;
mod pause;
mod plan;
mod progress;
mod runner;
mod tick_view;

pub use plan::{DevnetPlan, DevnetPlanError, DevnetRequest};
pub use runner::{DevnetError, run};
