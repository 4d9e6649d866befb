//! `crosscheck doc`: what the program knows of itself, for its documentation.

use super::{Outcome, print};
use crate::config::default_file;
use crate::metrics::metrics_table;
use crate::service::RoomMetrics;
use clap::{Args, Subcommand};
use crosscheck_core::validity::{DEFAULT_EXPIRY_WINDOW, DependencySet};
use std::collections::BTreeMap;

/// Print reference documentation.
#[derive(Debug, Args)]
pub(crate) struct DocArgs {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Debug, Subcommand)]
enum Subject {
    /// Every metric: its name, type, labels and meaning, as a Markdown table.
    Metrics,
    /// Every configuration key: its default, what it does and which values it accepts, as a configuration
    /// file.
    Config,
}

impl DocArgs {
    pub(crate) fn run(&self) -> eyre::Result<Outcome> {
        match self.subject {
            Subject::Metrics => {
                let set = DependencySet::new(BTreeMap::new(), DEFAULT_EXPIRY_WINDOW);
                let metrics = RoomMetrics::register(set)?.shared;
                print(metrics_table(&metrics.definitions()).trim_end())?;
            }
            Subject::Config => print(default_file().trim_end())?,
        }
        Ok(Outcome::Ok)
    }
}
