//! Logging: to stderr, for people or as JSON. Standard output belongs to what commands print.

use crate::config::{LogConfig, LogFormat};
use indicatif::{MultiProgress, ProgressDrawTarget};
use std::io::{IsTerminal, Write};
use std::sync::LazyLock;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// The live lines at the foot of standard error: none where that is no terminal.
static LIVE_LINES: LazyLock<MultiProgress> = LazyLock::new(|| {
    let is_terminal = std::io::stderr().is_terminal();
    let target = if is_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    MultiProgress::with_draw_target(target)
});

/// Where whoever shows progress draws it: the log is written above, and neither spoils the other.
pub fn live_lines() -> &'static MultiProgress {
    &LIVE_LINES
}

/// One entry of the log, written above the live lines when it is whole.
#[derive(Debug, Default)]
struct Entry(Vec<u8>);

impl Write for Entry {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // A log that cannot be written has nobody to tell.
        drop(live_lines().suspend(|| std::io::stderr().write_all(&self.0)));
    }
}

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
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(Entry::default);
    let outcome = match config.format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Human => builder.with_ansi(false).try_init(),
        LogFormat::Auto => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
    };
    // An error means that a subscriber is already there.
    drop(outcome);
    Ok(())
}
