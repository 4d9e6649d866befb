//! `crosscheck envelope`: builds gossip frames, and inspects them.

mod build;
mod inspect;

use super::Outcome;
use build::BuildArgs;
use clap::{Args, Subcommand};
use inspect::InspectArgs;

/// Build gossip frames, and inspect them.
#[derive(Debug, Args)]
pub(crate) struct EnvelopeArgs {
    #[command(subcommand)]
    command: EnvelopeCommand,
}

#[derive(Debug, Subcommand)]
enum EnvelopeCommand {
    /// Validate a frame as a node without history would, and print its contents.
    Inspect(InspectArgs),
    /// Build the signed frame of a block, and print it as 0x-hex.
    Build(BuildArgs),
}

impl EnvelopeArgs {
    pub(crate) fn run(&self) -> eyre::Result<Outcome> {
        match &self.command {
            EnvelopeCommand::Inspect(args) => args.run(),
            EnvelopeCommand::Build(args) => args.run(),
        }
    }
}
