//! `crosscheck envelope`: makes gossip frames, and looks into them.

mod build;
mod inspect;

use super::Outcome;
use build::BuildArgs;
use clap::{Args, Subcommand};
use inspect::InspectArgs;

/// Make gossip frames, and look into them.
#[derive(Debug, Args)]
pub(crate) struct EnvelopeArgs {
    #[command(subcommand)]
    command: EnvelopeCommand,
}

#[derive(Debug, Subcommand)]
enum EnvelopeCommand {
    /// Judge a frame as a node would that has seen nothing before, and print what is in it.
    Inspect(InspectArgs),
    /// Make the signed frame of a block, and print it as 0x-hex.
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
