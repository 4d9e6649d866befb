//! Logging: to stderr, for people or as JSON. Standard output belongs to what commands print.

#[cfg(test)]
pub(crate) mod captured;
mod one_line;
pub mod quiet;

use crate::config::{LogConfig, LogFormat};
use indicatif::{MultiProgress, ProgressDrawTarget};
use prometheus::IntCounterVec;
use quiet::{Quiet, Unprinted};
use std::io::{IsTerminal, Write};
use std::sync::{LazyLock, OnceLock};
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// The live lines at the foot of standard error: none where that is not a terminal.
static LIVE_LINES: LazyLock<MultiProgress> = LazyLock::new(|| {
    let is_terminal = std::io::stderr().is_terminal();
    let target = if is_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    MultiProgress::with_draw_target(target)
});

/// Where anyone who shows progress draws it: the log is written above, and neither spoils the other.
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
        // If the log cannot be written, there is nowhere to report that.
        drop(live_lines().suspend(|| std::io::stderr().write_all(&self.0)));
    }
}

/// Why logging cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `log.level` is not a filter.
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

/// The layout of the log, once it was started.
static LAYOUT: OnceLock<LogFormat> = OnceLock::new();

/// Starts logging. A program logs once: later calls change nothing.
///
/// # Errors
/// If the filter cannot be read.
pub fn start(config: &LogConfig) -> Result<(), TelemetryError> {
    // An error means that a subscriber is already there.
    if subscriber(config, quiet::unprinted().ok().cloned(), Entry::default)?.try_init().is_ok() {
        LAYOUT.get_or_init(|| config.format);
    }
    Ok(())
}

/// Whether the log is read by programs: then every line of standard error is JSON.
pub fn is_json() -> bool {
    LAYOUT.get() == Some(&LogFormat::Json)
}

/// What writes the log, and counts what is not written.
fn subscriber<W>(
    config: &LogConfig,
    unprinted: Option<IntCounterVec>,
    writer: W,
) -> Result<impl Subscriber + Send + Sync + 'static, TelemetryError>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let filter = || -> Result<EnvFilter, TelemetryError> {
        quiet::filter(&config.level)
            .map_err(|reason| TelemetryError::Filter { level: config.level.clone(), reason })
    };
    let plain = tracing_subscriber::fmt::layer().with_writer(writer);
    let lines = match config.format {
        LogFormat::Json => plain.json().flatten_event(true).boxed(),
        LogFormat::Human => plain.with_ansi(false).fmt_fields(one_line::fields()).boxed(),
        LogFormat::Auto => {
            plain.with_ansi(std::io::stderr().is_terminal()).fmt_fields(one_line::fields()).boxed()
        }
    };
    let counted = match unprinted {
        Some(counter) => Some(Quiet { counter }.with_filter(Unprinted(filter()?))),
        None => None,
    };
    Ok(tracing_subscriber::registry().with(lines.with_filter(filter()?)).with(counted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use parking_lot::Mutex;
    use rstest::rstest;
    use std::sync::Arc;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What is printed of what libraries and the program say, and what is counted of it.
    fn said(level: &str) -> (Vec<&'static str>, u64) {
        let (lines, counter) = (Lines::default(), quiet::counter().unwrap());
        let config = LogConfig { format: LogFormat::Json, level: level.to_owned() };
        let writer = lines.clone();
        let subscriber = subscriber(&config, Some(counter.clone()), move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(target: "libp2p_gossipsub::behaviour", "graft within backoff");
            tracing::warn!(target: "discv5::service", "no answer");
            tracing::error!(target: "libp2p_swarm", "broken swarm");
            tracing::info!(target: "libp2p_swarm", "chatter");
            tracing::warn!(target: "crosscheck::audit", "our warning");
            tracing::debug!(target: "crosscheck::audit", "our detail");
            tracing::debug!(target: "hyper_util::client", "their detail");
            tracing::error!(target: "rustls_platform_verifier::verification", "an unknown certificate");
        });
        let printed = String::from_utf8(lines.0.lock().clone()).unwrap();
        let texts = [
            "graft within backoff",
            "no answer",
            "broken swarm",
            "chatter",
            "our warning",
            "our detail",
            "their detail",
            "an unknown certificate",
        ];
        let counted = quiet::LIBRARIES.map(|library| counter.with_label_values(&[library]).get());
        (texts.into_iter().filter(|text| printed.contains(text)).collect(), counted.iter().sum())
    }

    #[rstest]
    #[case::by_default("info", &["broken swarm", "our warning"], 2)]
    #[case::our_details_only("debug", &["broken swarm", "our warning", "our detail"], 2)]
    #[case::details_of_a_library("debug,hyper_util=debug", &["broken swarm", "our warning", "our detail", "their detail"], 2)]
    #[case::certificates("info,rustls_platform_verifier=error", &["broken swarm", "our warning", "an unknown certificate"], 2)]
    #[case::warnings("warn", &["broken swarm", "our warning"], 2)]
    #[case::errors_stay("error", &["broken swarm"], 2)]
    #[case::nothing("off", &[], 2)]
    #[case::turned_on(
        "info,libp2p=warn", &["graft within backoff", "broken swarm", "our warning"], 1
    )]
    #[case::one_library_turned_on(
        "info,libp2p_gossipsub=warn", &["graft within backoff", "broken swarm", "our warning"], 1
    )]
    #[case::all_turned_on(
        "info,libp2p=info,discv5=info",
        &["graft within backoff", "no answer", "broken swarm", "chatter", "our warning"],
        0
    )]
    #[case::turned_off("info,libp2p=off", &["our warning"], 2)]
    fn libraries_are_quiet_unless_they_are_named(
        #[case] level: &str,
        #[case] printed: &[&str],
        #[case] counted: u64,
    ) {
        assert_eq!(said(level), (printed.to_vec(), counted));
    }

    #[rstest]
    #[case::display(|hostile: &str| tracing::warn!(problem = %hostile, "waiting"))]
    #[case::debug(|hostile: &str| tracing::warn!(problem = ?hostile, "waiting"))]
    #[case::text(|hostile: &str| tracing::warn!(problem = hostile, "waiting"))]
    #[case::message(|hostile: &str| tracing::warn!("waiting {hostile}"))]
    #[case::span(|hostile: &str| tracing::warn_span!("chain", name = %hostile).in_scope(|| tracing::warn!("waiting")))]
    fn text_of_an_endpoint_never_begins_a_log_line(
        #[case] tell: fn(&str),
        #[values(LogFormat::Human, LogFormat::Json)] format: LogFormat,
    ) {
        let lines = Lines::default();
        let config = LogConfig { format, level: "info".to_owned() };
        let writer = lines.clone();
        let subscriber = subscriber(&config, None, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tell("x\n2026 ERROR fake\r\u{1b}[31m\u{202e}\u{85}");
        });
        let printed = String::from_utf8(lines.0.lock().clone()).unwrap();
        assert!(printed.contains("waiting") && printed.contains("fake"), "{printed}");
        assert_eq!(printed.lines().count(), 1, "{printed}");
        assert!(!printed.contains(['\r', '\u{1b}']), "{printed:?}");
    }

    #[test]
    fn an_unreadable_filter_is_named_as_written() {
        let config = LogConfig { format: LogFormat::Json, level: "info,=".to_owned() };
        let error = subscriber(&config, None, std::io::sink).map(|_| ()).unwrap_err().to_string();
        assert!(error.starts_with("log.level = \"info,=\""), "{error}");
    }
}
