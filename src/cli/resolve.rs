//! `crosscheck resolve`: an operator lets the vouched head pass over a block that was found invalid, or that
//! cannot be judged.

use super::decision_args::DecisionArgs;
use super::settings::SettingsArgs;
use super::{Outcome, UsageError, print, runtime};
use crate::ledger::{Ledger, Resolution, Resolved};
use crate::service;
use clap::Args;
use crosscheck_core::message::BlockKey;
use eyre::WrapErr;

/// What an operator decides on a block that keeps the vouched head.
#[derive(Debug, Args)]
pub(crate) struct ResolveArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    decision: DecisionArgs,
    /// The block has no verdict, and is resolved without one
    #[arg(long)]
    unjudged: bool,
}

impl ResolveArgs {
    pub(crate) fn run(&self) -> eyre::Result<Outcome> {
        let config = self.settings.load()?;
        let path = config.data_dir.join("ledger.sqlite");
        // Opening would make one.
        if !path.is_file() {
            let problem = format!("there is no ledger at {}; check data_dir", path.display());
            return Err(UsageError { problem }.into());
        }
        let at = service::clock(&config.clock)?.now();
        let key = BlockKey {
            chain_id: self.decision.chain,
            number: self.decision.number,
            hash: self.decision.hash,
        };
        let resolution = Resolution { key, reason: self.decision.reason.clone(), is_unjudged: self.unjudged };
        let (resolved, head) = runtime()?.block_on(async {
            let ledger = Ledger::open(&path).await?;
            let resolved = ledger.resolve(&resolution, at).await?;
            let head = ledger.vouched(self.decision.chain).await?;
            ledger.close().await;
            eyre::Ok((resolved, head))
        })?;
        let resolved = resolved
            .map_err(|refusal| UsageError { problem: refusal.to_string() })
            .wrap_err("nothing was written")?;
        let (number, hash, chain) = (self.decision.number, self.decision.hash, self.decision.chain);
        let head = head.map_or_else(|| "not known yet".to_owned(), |head| head.number.to_string());
        match resolved {
            Resolved::Written { verdict } => print(&format!(
                "block {number} ({hash}) of chain {chain}, {verdict}, is resolved; the vouched head is {head}"
            ))?,
            Resolved::Before => {
                print(&format!("block {number} ({hash}) of chain {chain} was resolved before"))?;
            }
        }
        Ok(Outcome::Ok)
    }
}
