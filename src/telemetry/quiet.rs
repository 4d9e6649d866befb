//! `Quiet`: what the libraries below say of themselves. Their warnings are about peers that come and go as
//! they like, and often name one's own sequencer: they are not printed unless the log's filter names the
//! library, and counted instead. A level of details without a target, as in "debug", means our own: what
//! hundreds of libraries do is nobody's question.

use prometheus::IntCounterVec;
use std::sync::LazyLock;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::{Context, Filter, Layer};

/// The libraries, by how their targets begin. The first that fits counts.
pub const LIBRARIES: [&str; 6] =
    ["libp2p_gossipsub", "libp2p_swarm", "libp2p", "discv5", "yamux", "multistream_select"];

/// Their default level in the filter. A certificate that is not trusted is reported with what to do by anyone
/// who asked the endpoint: the library reports each try.
const ERRORS_ONLY: [&str; 5] = [
    "libp2p=error",
    "discv5=error",
    "yamux=error",
    "multistream_select=error",
    "rustls_platform_verifier=off",
];

static UNPRINTED: LazyLock<Result<IntCounterVec, String>> =
    LazyLock::new(|| counter().map_err(|error| error.to_string()));

/// The warnings that were not printed, by library: one count for the whole program.
///
/// # Errors
/// If the counter's name is none: a mistake in this file.
pub fn unprinted() -> Result<&'static IntCounterVec, prometheus::Error> {
    UNPRINTED.as_ref().map_err(|error| prometheus::Error::Msg(error.clone()))
}

/// A counter of warnings, by library.
pub(super) fn counter() -> Result<IntCounterVec, prometheus::Error> {
    IntCounterVec::new(prometheus::Opts::new(NAME, HELP), &LABELS)
}

/// The counter's name.
pub const NAME: &str = "library_warnings_unprinted_total";
/// What the counter says.
pub const HELP: &str = "Warnings of network libraries that the log leaves out by default";
/// The counter's labels.
pub const LABELS: [&str; 1] = ["library"];

/// The targets that are our own: the crates of this program.
const OURS: [&str; 2] = ["crosscheck", "crosscheck_p2p"];

/// A directive as it is meant: details without a target are asked of our own crates.
fn meant(directive: &str) -> String {
    match directive.trim().parse::<LevelFilter>() {
        Ok(level) if level > LevelFilter::INFO => {
            let ours = OURS.map(|target| format!("{target}={directive}"));
            format!("info,{}", ours.join(","))
        }
        Ok(_) | Err(_) => directive.to_owned(),
    }
}

/// The filter of a level or a list of directives, with the libraries at their errors unless it names them.
pub(super) fn filter(level: &str) -> Result<EnvFilter, ParseError> {
    let asked = EnvFilter::try_new(level)?;
    let is_wordy = asked.max_level_hint().is_none_or(|most| most >= LevelFilter::ERROR);
    if !is_wordy {
        return Ok(asked);
    }
    let level = level.split(',').map(meant).collect::<Vec<_>>().join(",");
    // What is said later of the same target counts, and so does what is said of a longer one.
    EnvFilter::try_new(format!("{},{level}", ERRORS_ONLY.join(",")))
}

/// The library that an event comes from.
fn library(metadata: &Metadata<'_>) -> Option<&'static str> {
    LIBRARIES.into_iter().find(|name| metadata.target().starts_with(name))
}

fn is_library_warning(metadata: &Metadata<'_>) -> bool {
    *metadata.level() == Level::WARN && library(metadata).is_some()
}

/// Counts the libraries' warnings.
#[derive(Debug)]
pub(super) struct Quiet {
    pub(super) counter: IntCounterVec,
}

impl<S: Subscriber> Layer<S> for Quiet {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        if let Some(library) = library(event.metadata()) {
            self.counter.with_label_values(&[library]).inc();
        }
    }
}

/// Lets the libraries' warnings through that the log's filter does not.
#[derive(Debug)]
pub(super) struct Unprinted(pub(super) EnvFilter);

impl<S: Subscriber> Filter<S> for Unprinted {
    fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        is_library_warning(metadata) && !Filter::enabled(&self.0, metadata, context)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_library_warning(metadata) { Interest::sometimes() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::WARN)
    }
}
