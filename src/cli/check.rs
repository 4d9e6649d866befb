//! `crosscheck check`: whether a configuration is sound and, with `--online`, what its endpoints say.

use super::probe_table::probe_table;
use super::settings::{SettingsArgs, variables};
use super::{Outcome, UsageError, print, print_to_stderr, runtime};
use crate::config::Config;
use crate::probes::{Grade, ProbeFinding, Prober, outcome};
use crate::service;
use clap::Args;

/// Check the configuration and exit.
///
/// With --online every configured endpoint is checked as well, and a table of the findings is printed. Exits
/// with 0 if there is no fault, with 1 if there is a fault, with 2 if there is none but something could not
/// be checked, and with 64 if the configuration is invalid.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    /// Check every endpoint: chain, genesis, configuration, methods, old receipts, signer, clock; and dial
    /// the static peers
    #[arg(long)]
    online: bool,
}

impl CheckArgs {
    pub(crate) fn run(&self) -> eyre::Result<Outcome> {
        if self.settings.is_empty() && variables()?.is_empty() {
            return Err(UsageError { problem: "nothing to check: give --config FILE".to_owned() }.into());
        }
        let config = self.settings.load()?;
        for doubt in config.doubts() {
            print_to_stderr(&format!("warning: {doubt}"));
        }
        let chains: Vec<String> = config.chains.keys().map(ToString::to_string).collect();
        print(&format!("the configuration is valid: chains {}", chains.join(", ")))?;
        if !self.online {
            return Ok(Outcome::Ok);
        }
        let findings = runtime()?.block_on(ask(config))?;
        print(&probe_table(&findings))?;
        Ok(match outcome(&findings) {
            Grade::Ok | Grade::Doubt => Outcome::Ok,
            Grade::Fault => Outcome::Failed,
            Grade::NotDetermined => Outcome::Unknown,
        })
    }
}

/// What the endpoints and the static peers say.
async fn ask(config: Config) -> eyre::Result<Vec<ProbeFinding>> {
    let clock = service::clock(&config.clock)?;
    let prober = Prober::new(config, clock);
    let (findings, peers) = tokio::join!(prober.findings(), prober.peers());
    let mut findings = findings?;
    findings.extend(peers);
    Ok(findings)
}
