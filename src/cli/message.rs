//! `crosscheck message`: works with cross-chain messages.

mod check;
mod checksum;
mod clauses;
mod decode;
mod examination;
mod facts;
mod fields;
mod log_input;
mod surroundings;

use super::Outcome;
use clap::{Args, Subcommand};

/// Work with cross-chain messages.
#[derive(Debug, Args)]
pub(crate) struct MessageArgs {
    #[command(subcommand)]
    command: MessageCommand,
}

#[derive(Debug, Subcommand)]
enum MessageCommand {
    /// Print a message's hashes, its checksum and the access list that declares it.
    Checksum(checksum::ChecksumArgs),
    /// Read an ExecutingMessage event log, or the entries of an access list.
    Decode(decode::DecodeArgs),
    /// Check one message against the chains' endpoints, and print the proof.
    Check(Box<check::CheckArgs>),
}

impl MessageArgs {
    pub(crate) fn run(&self) -> eyre::Result<Outcome> {
        match &self.command {
            MessageCommand::Checksum(args) => args.run(),
            MessageCommand::Decode(args) => args.run(),
            MessageCommand::Check(args) => args.run(),
        }
    }
}
