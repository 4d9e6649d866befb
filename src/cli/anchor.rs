//! `crosscheck anchor`: an operator moves where a chain's audit begins.
//!
//! The block is looked up at the chain's execution clients first. It never takes an anchor that they
//! contradict.

use super::decision_args::DecisionArgs;
use super::settings::SettingsArgs;
use super::{Outcome, UsageError, print, print_to_stderr, runtime};
use crate::config::Config;
use crate::ledger::{Anchored, Anchoring, Ledger};
use crate::service;
use alloy::eips::BlockNumHash;
use clap::Args;
use crosscheck_core::proof::LogIndex;
use eyre::WrapErr;

/// Where an operator has a chain's audit begin.
#[derive(Debug, Args)]
pub(crate) struct AnchorArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    decision: DecisionArgs,
}

impl AnchorArgs {
    pub(crate) fn run(&self) -> eyre::Result<Outcome> {
        let config = self.settings.load()?;
        let is_audited =
            config.chains.get(&self.decision.chain).is_some_and(|chain| !chain.is_monitored_only());
        if !is_audited {
            let problem =
                format!("chain {} is not audited by this configuration; check --chain", self.decision.chain);
            return Err(UsageError { problem }.into());
        }
        let DecisionArgs { chain, number, hash, .. } = self.decision;
        let Anchored { from, vouched } = runtime()?.block_on(self.move_anchor(&config))?;
        let from = from.map_or_else(|| "not known yet".to_owned(), |from| from.number.to_string());
        print(&format!(
            "the audit of chain {chain} starts after block {number} ({hash}); the vouched head was {from} and is {}",
            vouched.number
        ))?;
        Ok(Outcome::Ok)
    }

    async fn move_anchor(&self, config: &Config) -> eyre::Result<Anchored> {
        self.look_up(config).await?;
        let at = service::clock(&config.clock)?.now();
        let to = BlockNumHash { number: self.decision.number, hash: self.decision.hash };
        let anchoring = Anchoring { chain_id: self.decision.chain, to, reason: self.decision.reason.clone() };
        // Before its first run a crosscheck has no ledger.
        std::fs::create_dir_all(&config.data_dir)
            .wrap_err_with(|| format!("data_dir {} cannot be created", config.data_dir.display()))?;
        let ledger = Ledger::open(&config.data_dir.join("ledger.sqlite")).await?;
        let moved = ledger.move_anchor(&anchoring, at).await?;
        ledger.close().await;
        moved.map_err(|refusal| UsageError { problem: refusal.to_string() }).wrap_err("nothing was written")
    }

    /// Asks the execution clients which block they have at the height.
    async fn look_up(&self, config: &Config) -> eyre::Result<()> {
        let DecisionArgs { chain, number, hash, .. } = self.decision;
        let index = LogIndex::new(config.interop.log_index_bytes());
        let clients = service::execution_clients(config, &index)?;
        let Some(client) = clients.get(&chain) else { return Ok(()) };
        match client.canonical_hash(number).await {
            Ok(Some(canonical)) if canonical == hash => Ok(()),
            Ok(Some(canonical)) => {
                let problem = format!(
                    "block {number} of chain {chain} is {canonical} at its execution client, not {hash}; nothing was written"
                );
                Err(UsageError { problem }.into())
            }
            Ok(None) => {
                print_to_stderr(&format!(
                    "warning: the execution client of chain {chain} has no block {number}: {hash} is used unchecked"
                ));
                Ok(())
            }
            Err(error) => {
                print_to_stderr(&format!(
                    "warning: block {number} of chain {chain} could not be looked up, {hash} is used unchecked: {error}"
                ));
                Ok(())
            }
        }
    }
}
