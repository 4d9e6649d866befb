//! `crosscheck audit`: audits past blocks from the endpoints, without gossip.

use super::audit_report::{AuditReport, AuditState};
use super::node_rules::ask_nodes;
use super::settings::SettingsArgs;
use super::{Outcome, UsageError, print, print_to_stderr, runtime, signals};
use crate::audit::{AuditMetrics, Heads, Investigator, InvestigatorParts, RangeAudit, in_words};
use crate::config::{ChainConfig, Config};
use crate::metrics::Metrics;
use crate::monitor::labelled_status;
use crate::service::{case_rules, execution_clients, l1_judge, l1_reader, rollup_nodes};
use crate::sources::{ExecutionClient, L1Reader, RollupNodes};
use crate::stale_branches::StaleBranches;
use crate::telemetry::{self, live_lines};
use clap::Args;
use crosscheck_core::proof::LogIndex;
use crosscheck_core::validity::DependencySet;
use crosscheck_p2p::ChainId;
use eyre::WrapErr;
use futures::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// Audit past blocks of a chain from the endpoints, without gossip.
///
/// Exits with 0 if every block is valid, with 1 if one is not, and with 2 if one could not be judged.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    /// The chain
    #[arg(long, value_name = "ID")]
    chain: ChainId,
    /// The first block; genesis cannot be audited
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    from: u64,
    /// The last block
    #[arg(long, value_name = "N")]
    to: u64,
    /// Write a JSON report to a file, or to standard output
    #[arg(long, value_name = "FILE|-", default_value = "-")]
    report: PathBuf,
    /// Keep the findings in this file, and continue from it when the audit is started again
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// How many blocks are audited at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u64).range(1..=256))]
    concurrency: u64,
}

impl AuditArgs {
    pub(crate) fn run(&self) -> eyre::Result<Outcome> {
        let config = self.settings.load()?;
        telemetry::start(&config.log)?;
        if self.to < self.from {
            let problem = format!("--to {} is below --from {}", self.to, self.from);
            return Err(UsageError { problem }.into());
        }
        if !config.chains.contains_key(&self.chain) {
            let problem = format!("--chain {} has no [chains.{}] section", self.chain, self.chain);
            return Err(UsageError { problem }.into());
        }
        if config.chains.get(&self.chain).is_some_and(ChainConfig::is_monitored_only) {
            let problem = format!(
                "chain {0} is only monitored: set chains.{0}.rollup_node, whose local-safe blocks are audited",
                self.chain
            );
            return Err(UsageError { problem }.into());
        }
        let report = runtime()?.block_on(self.audit(&config))?;
        write_report(&self.report, &report)?;
        if report.interrupted {
            print_to_stderr("the audit was interrupted; with --resume it continues where it stopped");
        }
        Ok(report.outcome())
    }

    /// What is above the local-safe head cannot be judged yet.
    fn check_head(&self, local_safe: Option<u64>) -> Result<(), UsageError> {
        match local_safe {
            Some(head) if head < self.to => {
                let (to, chain) = (self.to, self.chain);
                let problem = format!(
                    "--to {to} is above the local-safe head of chain {chain}; write --to {head}, or less"
                );
                Err(UsageError { problem })
            }
            _ => Ok(()),
        }
    }

    async fn audit(&self, config: &Config) -> eyre::Result<AuditReport> {
        let cancel = CancellationToken::new();
        let _watch = signals::cancel_on_signal(cancel.clone())?;
        let clients = execution_clients(config, &LogIndex::new(config.interop.log_index_bytes()))?;
        let nodes = rollup_nodes(config)?;
        let set = config.dependency_set();
        let l1 = l1_reader(config)?;
        check_rules(config, &set, &nodes, &clients, l1.as_ref()).await?;
        let heads = read_heads(config, &clients, &nodes).await?;
        self.check_head(
            heads.get(self.chain).and_then(|status| status.local_safe_l2.map(|head| head.number)),
        )?;
        let metrics = AuditMetrics::register(&Metrics::new(set.clone())?)?;
        let l1 = l1_judge(config, &set, &nodes, l1.as_ref(), &metrics)?;
        let investigator = Investigator::new(InvestigatorParts {
            rules: case_rules(config, l1.is_some()),
            set,
            clients,
            heads,
            l1,
            ledger: None,
            derived: BTreeSet::new(),
            branches: StaleBranches::default(),
            remembers_final: true,
            metrics,
        });
        let audit = RangeAudit {
            chain_id: self.chain,
            investigator: Arc::new(investigator),
            concurrency: usize::try_from(self.concurrency)?,
        };
        let mut state = AuditState::open(self.resume.as_deref(), self.chain, self.from)?;
        let bar = progress(self.from..=self.to, state.next());
        let since = Instant::now();
        let mut outcomes = pin!(audit.outcomes(state.next()..=self.to));
        let mut audited = 0_u64;
        loop {
            let outcome = tokio::select! {
                () = cancel.cancelled() => break,
                outcome = outcomes.next() => outcome,
            };
            let Some(outcome) = outcome else { break };
            if !outcome.is_valid() {
                bar.suspend(|| {
                    print_to_stderr(&format!(
                        "block {}: {}: {}",
                        outcome.number, outcome.verdict, outcome.detail
                    ));
                });
            }
            state.add(outcome)?;
            audited = audited.saturating_add(1);
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(state.report(self.from..=self.to, audited, since.elapsed(), cancel.is_cancelled()))
    }
}

/// Whether every rollup node works by the rules that are configured, and the other endpoints are of its
/// chain.
async fn check_rules(
    config: &Config,
    set: &DependencySet,
    nodes: &BTreeMap<ChainId, RollupNodes>,
    clients: &BTreeMap<ChainId, ExecutionClient>,
    l1: Option<&L1Reader>,
) -> eyre::Result<()> {
    for (chain_id, asked) in ask_nodes(config, set, nodes, clients, l1).await {
        let answer = asked.wrap_err_with(|| format!("the rules of chain {chain_id} cannot be read"))?;
        let differences = answer.differences;
        eyre::ensure!(differences.is_empty(), "chain {chain_id}: {}", in_words(&differences));
    }
    Ok(())
}

/// What every chain's node calls its heads now: past blocks need no later word. Of a chain that is only
/// monitored, what its execution clients label so.
async fn read_heads(
    config: &Config,
    clients: &BTreeMap<ChainId, ExecutionClient>,
    nodes: &BTreeMap<ChainId, RollupNodes>,
) -> eyre::Result<Heads> {
    let heads = Heads::new(config.chains.keys().copied());
    for chain_id in config.chains.keys() {
        let status = match (nodes.get(chain_id), clients.get(chain_id)) {
            (Some(nodes), _) => nodes.status().await.map(|answer| answer.document.heads()),
            (None, Some(client)) => match client.tip().await {
                Ok(tip) => labelled_status(client, tip).await,
                Err(error) => Err(error),
            },
            (None, None) => continue,
        };
        let status = status.wrap_err_with(|| format!("the heads of chain {chain_id} cannot be read"))?;
        if status.local_safe_l2.is_none() {
            eyre::bail!("the heads of chain {chain_id} cannot be read: it has no local-safe head yet");
        }
        heads.set(*chain_id, Some(status));
    }
    Ok(heads)
}

fn progress(range: RangeInclusive<u64>, next: u64) -> ProgressBar {
    let (from, to) = range.into_inner();
    let bar = live_lines().add(ProgressBar::new(to.saturating_sub(from).saturating_add(1)));
    let template = "{wide_bar} {pos}/{len} blocks, {per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_position(next.saturating_sub(from));
    bar
}

fn write_report(path: &Path, report: &AuditReport) -> eyre::Result<()> {
    let json = serde_json::to_string_pretty(report)?;
    if path == Path::new("-") {
        print(&json)?;
        return Ok(());
    }
    std::fs::write(path, format!("{json}\n"))
        .wrap_err_with(|| format!("--report {} cannot be written", path.display()))
}
