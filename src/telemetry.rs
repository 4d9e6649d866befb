//! Logging: to stderr, for people or as JSON. Standard output belongs to what commands print.

use crate::config::{LogConfig, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Why logging cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `log.level` is no filter.
    #[error(
        "log.level = {level:?}: {reason}; write a level such as info, or a filter such as info,crosscheck=debug"
    )]
    Filter {
        /// What was given.
        level: String,
        /// What is wrong with it.
        reason: ParseError,
    },
}

/// Starts logging. A program logs once: later calls change nothing.
///
/// # Errors
/// If the filter cannot be read.
pub fn start(config: &LogConfig) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(&config.level)
        .map_err(|reason| TelemetryError::Filter { level: config.level.clone(), reason })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let outcome = match config.format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Human => builder.with_ansi(false).try_init(),
        LogFormat::Auto => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
    };
    // An error means that a subscriber is already there.
    drop(outcome);
    Ok(())
}
