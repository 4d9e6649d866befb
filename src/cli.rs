//! The command line: one `Args` struct per subcommand.
//!
//! Exit codes: 0 ok, 1 failed, 2 could not be determined, 64 bad usage or configuration. Standard output has
//! what a command prints; everything else goes to standard error.

mod anchor;
mod audit;
mod audit_report;
mod check;
mod completions;
mod decision_args;
#[cfg(feature = "devnet")]
mod devnet;
mod doc;
mod envelope;
mod healthcheck;
mod input_file;
mod listening;
mod message;
mod messages;
mod net;
mod net_tally;
mod node_rules;
mod open_files;
mod peers;
mod probe_table;
mod record_table;
mod resolve;
mod run;
mod running;
mod settings;
mod signals;

use crate::config::{ConfigError, shown_text};
use crate::data_dir::DataDirError;
use crate::telemetry::{self, TelemetryError};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Parser, Subcommand};
use crosscheck_p2p::FileClockError;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// The answer could not be determined.
const EXIT_UNKNOWN: u8 = 2;

/// Bad usage or configuration, as sysexits.h has it.
const EXIT_USAGE: u8 = 64;

/// Verifies that OP Stack sequencers only attest to valid cross-safe blocks.
#[derive(Debug, Parser)]
#[command(name = "crosscheck", version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch the configured chains.
    Run(run::RunArgs),
    Check(check::CheckArgs),
    /// Audit past blocks of a chain from the endpoints, without gossip.
    Audit(audit::AuditArgs),
    /// Check that a running crosscheck is alive (with --ready: that it is ready).
    Healthcheck(healthcheck::HealthcheckArgs),
    /// Run a superchain in this process, with scripted faults, and watch it.
    #[cfg(feature = "devnet")]
    Devnet(devnet::DevnetArgs),
    /// Build gossip frames, and inspect them.
    Envelope(envelope::EnvelopeArgs),
    /// Work with cross-chain messages.
    Message(message::MessageArgs),
    /// Print the messages that a running crosscheck tracks.
    Messages(messages::MessagesArgs),
    /// Join a network's gossip, validate what arrives and print it.
    Net(net::NetArgs),
    /// Print the peers of a running crosscheck.
    Peers(peers::PeersArgs),
    /// Let the vouched head pass an invalid block, or a block without a verdict.
    ///
    /// The decision is written to the ledger, next to the verdict; a running crosscheck applies it. With
    /// --unjudged the block has no verdict. It is still judged once that is possible, and if it is invalid
    /// the head moves back below it.
    Resolve(resolve::ResolveArgs),
    /// Move the block after which a chain's audit starts.
    ///
    /// The block, and everything below it, counts as valid from then on. The vouched head moves there, and
    /// further over the blocks that were upheld before. The decision is written to the ledger; a running
    /// crosscheck applies it.
    Anchor(anchor::AnchorArgs),
    /// Print reference documentation, such as the table of metrics.
    Doc(doc::DocArgs),
    /// Print a completion script for a shell.
    Completions(completions::CompletionsArgs),
}

/// How a command that did not fail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Yes: valid, ready, found.
    Ok,
    /// It is invalid.
    Failed,
    /// It could not be determined.
    Unknown,
}

/// A use of the command line that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub(crate) struct UsageError {
    /// What is wrong, and what to write instead.
    pub problem: String,
}

/// Runs the program with these arguments, the program's name first.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return explain(&without_secrets(error)),
    };
    match dispatch(cli.command) {
        Ok(Outcome::Ok) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::FAILURE,
        Ok(Outcome::Unknown) => ExitCode::from(EXIT_UNKNOWN),
        Err(report) => {
            match telemetry::is_json() {
                true => tracing::error!(problem = %format_args!("{report:#}"), "crosscheck failed"),
                false => print_to_stderr(&format!("error: {report:#}")),
            }
            let is_usage = report.chain().any(is_usage);
            if is_usage { ExitCode::from(EXIT_USAGE) } else { ExitCode::FAILURE }
        }
    }
}

/// Whether what was given is to blame, so that trying again does not help.
fn is_usage(cause: &(dyn std::error::Error + 'static)) -> bool {
    let is_data_dir = cause.downcast_ref::<DataDirError>().is_some_and(DataDirError::is_setting);
    is_data_dir
        || cause.is::<ConfigError>()
        || cause.is::<UsageError>()
        || cause.is::<TelemetryError>()
        || cause.is::<FileClockError>()
}

fn dispatch(command: Command) -> eyre::Result<Outcome> {
    match command {
        Command::Run(args) => args.run(),
        Command::Check(args) => args.run(),
        Command::Audit(args) => args.run(),
        Command::Healthcheck(args) => args.run(),
        #[cfg(feature = "devnet")]
        Command::Devnet(args) => args.run(),
        Command::Envelope(args) => args.run(),
        Command::Message(args) => args.run(),
        Command::Messages(args) => args.run(),
        Command::Net(args) => args.run(),
        Command::Peers(args) => args.run(),
        Command::Resolve(args) => args.run(),
        Command::Anchor(args) => args.run(),
        Command::Doc(args) => args.run(),
        Command::Completions(args) => args.run(),
    }
}

/// What clap has to say of a value, of a URL without what may be a key.
fn without_secrets(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) {
        let shown = shown_text(value);
        error.insert(ContextKind::InvalidValue, ContextValue::String(shown));
    }
    error
}

/// Prints what clap has to say: help and version are no mistakes.
fn explain(error: &clap::Error) -> ExitCode {
    // Nothing is left to do if even this cannot be printed.
    drop(error.print());
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        _ => ExitCode::from(EXIT_USAGE),
    }
}

/// Writes a line to standard error.
pub(crate) fn print_to_stderr(line: &str) {
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// Writes a line to standard output. A reader that has gone away is not an error.
pub(crate) fn print(line: &str) -> std::io::Result<()> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// The runtime that a long-running command works in.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// The command line's definition, for completions and for tests.
pub(crate) fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_definition_is_valid() {
        super::command().debug_assert();
    }
}
