//! `crosscheck completions`: a shell's completion script.

use super::{Outcome, command};
use clap::Args;
use clap_complete::{Shell, generate};

/// Print a completion script.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl CompletionsArgs {
    pub(crate) fn run(&self) -> eyre::Result<Outcome> {
        let mut script = Vec::new();
        generate(self.shell, &mut command(), "crosscheck", &mut script);
        super::print(String::from_utf8(script)?.trim_end())?;
        Ok(Outcome::Ok)
    }
}
