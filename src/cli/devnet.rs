//! `crosscheck devnet`: a superchain in this process, watched by a sidecar in this process.

use super::{Outcome, UsageError, open_files, runtime, signals};
use crate::{
    config::{Config, LogConfig, LogFormat},
    service::Service,
    telemetry,
};
use async_trait::async_trait;
use clap::Args;
use crosscheck_devnet::chain::BLOCK_HISTORY;
use crosscheck_devnet::faults::{FaultSpec, REGISTRY, ScriptedFault};
use crosscheck_devnet::follower::DevnetFollowMode;
use crosscheck_devnet::report::DevnetOutcome;
use crosscheck_devnet::report::summary;
use crosscheck_devnet::run::run;
use crosscheck_devnet::run::{DevnetPlan, DevnetPlanError, DevnetRequest};
use crosscheck_devnet::sidecar::{RunningSidecar, SidecarError, SidecarStarter};
use crosscheck_p2p::UnixSeconds;
use eyre::WrapErr;
use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Run an interop superchain on loopback, script faults into it, and check that the sidecar finds them.
#[derive(Clone, Debug, Args)]
#[command(after_help = faults_help())]
pub(super) struct DevnetArgs {
    /// The number of L2 chains; their ids are 901, 902 and so on
    #[arg(long, value_name = "N", default_value_t = 2)]
    chains: u64,

    /// Stop after N finalized blocks per chain; otherwise run until stopped
    #[arg(long, value_name = "N")]
    blocks: Option<u64>,

    /// Seconds between two blocks
    #[arg(long, value_name = "SECS", default_value_t = 2)]
    block_time: u64,

    /// Run faster than real time: chains and sidecar share a clock file, and every rule still applies
    #[arg(long)]
    fast: bool,

    /// The same seed and flags give the same chains
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Let nobody attest blocks on the cross-safe topic; unsafe blocks are still gossiped
    #[arg(long)]
    no_attester: bool,

    /// What the sidecar's head for followers rests on: attested, clamp or verified
    /// [default: attested, with --no-attester verified]
    #[arg(long, value_name = "MODE")]
    follow_mode: Option<DevnetFollowMode>,

    /// Script a fault into a block of a chain (default: the first chain); may be given more than once
    #[arg(long = "fault", value_name = "NAME@BLOCK[:CHAIN]")]
    faults: Vec<FaultSpec>,

    /// The valid messages that each block executes, beside what faults add [default: 0 to 3, at random]
    #[arg(long, value_name = "N")]
    messages: Option<usize>,

    /// Add up to N random faults from the seed, as far as they fit into the run; needs --blocks
    #[arg(long, value_name = "N", default_value_t = 0)]
    random_faults: usize,

    /// The number of execution clients per chain; endpoint faults use at least three
    #[arg(long, value_name = "N", default_value_t = 1)]
    endpoints: usize,

    /// Write a JSON report of the run to a file, or to standard output
    #[arg(long, value_name = "FILE|-")]
    report: Option<PathBuf>,

    /// Run the chains alone, for a sidecar in another process
    #[arg(long)]
    no_sidecar: bool,

    /// Keep the files of the run here, including the sidecar's crosscheck.toml; otherwise they are temporary
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// The time of the genesis blocks; with --fast the default is a constant, otherwise now
    #[arg(long, value_name = "UNIX")]
    genesis_time: Option<u64>,

    /// With --no-sidecar: wait up to this long before the first block for a sidecar to listen on all chains
    #[arg(long, value_name = "SECS", default_value_t = 0)]
    await_sidecar: u64,

    /// With --fast and --no-sidecar: the shortest time between two blocks [default: 100]
    #[arg(long, value_name = "MILLISECONDS", requires_all = ["fast", "no_sidecar"])]
    tick: Option<u64>,

    /// With --no-sidecar and --blocks: keep serving after the last block until stopped
    #[arg(long, requires_all = ["no_sidecar", "blocks"])]
    stay: bool,

    /// With --fast and --dir: pause when this block is built, until the file DIR/paused is removed, which has
    /// the block's number; may be given more than once
    #[arg(long, value_name = "BLOCK", requires_all = ["fast", "dir"])]
    pause_at: Vec<u64>,

    /// Keep this many blocks of each chain, and their L1 origins; older blocks are answered as unknown. A
    /// long run needs about 20 kB for each
    #[arg(long, value_name = "BLOCKS", default_value_t = BLOCK_HISTORY)]
    history: u64,

    /// The log level or filter, such as info,crosscheck::audit=debug; the log goes to standard error
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    log_level: String,

    /// The log format
    #[arg(long, value_enum, default_value = "auto")]
    log_format: LogFormat,
}

impl DevnetArgs {
    /// Runs the devnet: exit 0 only if everything scripted was found as what it is, and nothing else.
    pub(super) fn run(&self) -> eyre::Result<Outcome> {
        let plan = self.plan().map_err(|error| UsageError { problem: error.to_string() })?;
        telemetry::start(&LogConfig { format: self.log_format, level: self.log_level.clone() })?;
        // Both ends of every connection are in this process.
        open_files::raise_limit();
        let outcome = runtime()?.block_on(async {
            let cancel = CancellationToken::new();
            let _watch = signals::cancel_on_signal(cancel.clone())?;
            play(self, plan, Box::new(InProcess), cancel).await
        })?;
        Ok(if outcome.is_success() { Outcome::Ok } else { Outcome::Failed })
    }

    /// The run that the arguments ask for.
    ///
    /// # Errors
    /// When they make no sense together: bad usage.
    fn plan(&self) -> Result<DevnetPlan, DevnetPlanError> {
        DevnetPlan::new(DevnetRequest {
            chains: self.chains,
            blocks: self.blocks,
            block_time: self.block_time,
            fast: self.fast,
            seed: self.seed,
            attester: !self.no_attester,
            follow_mode: self.follow_mode,
            faults: self.faults.clone(),
            random_faults: self.random_faults,
            endpoints: self.endpoints,
            dir: self.dir.clone(),
            genesis_time: self.genesis_time.map(UnixSeconds),
            await_peers: Duration::from_secs(self.await_sidecar),
            tick: self.tick.map(Duration::from_millis),
            stay: self.stay,
            pauses: self.pause_at.clone(),
            followers: true,
            history: self.history,
            messages: self.messages,
        })
    }
}

/// Runs a devnet to its end, writes the report, and shows a person what came out. `starter` starts the
/// sidecar in this process; it is not used with `--no-sidecar`. Cancelling ends the run cleanly.
///
/// # Errors
/// When a part of the devnet fails or the report cannot be written. A run that found something else than was
/// scripted is not an error: see [`DevnetOutcome::is_success`].
async fn play(
    args: &DevnetArgs,
    plan: DevnetPlan,
    starter: Box<dyn SidecarStarter>,
    cancel: CancellationToken,
) -> eyre::Result<DevnetOutcome> {
    let starter = (!args.no_sidecar).then_some(starter);
    let outcome = run(plan, starter, telemetry::live_lines().clone(), cancel).await?;
    if let Some(path) = &args.report {
        write_report(path, &outcome)
            .wrap_err_with(|| format!("--report {} cannot be written", path.display()))?;
    }
    show(&outcome, args.report.as_deref())?;
    Ok(outcome)
}

fn write_report(path: &Path, outcome: &DevnetOutcome) -> eyre::Result<()> {
    let json = serde_json::to_string_pretty(&outcome.report)?;
    if path == Path::new("-") {
        writeln!(std::io::stdout(), "{json}")?;
    } else {
        std::fs::write(path, format!("{json}\n"))?;
    }
    Ok(())
}

/// The tables go to standard output; where the report is there, to a terminal only. What the sidecar left
/// unsettled is always said.
fn show(outcome: &DevnetOutcome, report: Option<&Path>) -> eyre::Result<()> {
    let (mut stdout, mut stderr) = (std::io::stdout(), std::io::stderr());
    if report != Some(Path::new("-")) {
        write!(stdout, "{}", summary(&outcome.report))?;
    } else if stderr.is_terminal() {
        write!(stderr, "{}", summary(&outcome.report))?;
    }
    for line in &outcome.unsettled {
        writeln!(stderr, "unsettled: {line}")?;
    }
    Ok(())
}

/// Starts the sidecar in this process: the code that `crosscheck run` runs, from the same kind of file.
#[derive(Debug)]
struct InProcess;

#[async_trait]
impl SidecarStarter for InProcess {
    async fn start(self: Box<Self>, config: PathBuf) -> Result<Box<dyn RunningSidecar>, SidecarError> {
        let config = Config::load(&config)?;
        Ok(Box::new(Service::start(config, CancellationToken::new()).await?))
    }
}

#[async_trait]
impl RunningSidecar for Service {
    async fn shutdown(self: Box<Self>) -> Result<(), SidecarError> {
        Ok(Service::shutdown(*self).await?)
    }
}

fn faults_help() -> String {
    let line = |fault: &&ScriptedFault| format!("  {}\n          {}", fault.name, fault.summary);
    format!("Faults:\n{}", REGISTRY.iter().map(line).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use rstest::rstest;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: DevnetArgs,
    }

    fn parse(line: &str) -> Result<DevnetArgs, clap::Error> {
        Line::try_parse_from(std::iter::once("devnet").chain(line.split_whitespace())).map(|line| line.args)
    }

    #[test]
    fn without_flags_two_chains_run_in_real_time_until_stopped() {
        let args = parse("").unwrap();
        let request = args.plan().unwrap().request().clone();
        assert_eq!((request.chains, request.blocks, request.block_time, request.seed), (2, None, 2, 0));
        assert!(!request.fast && !args.no_sidecar && request.faults.is_empty());
        assert_eq!((request.dir, request.genesis_time), (None, None));
    }

    #[test]
    fn every_flag_is_read() {
        let args = parse(
            "--chains 4 --blocks 60 --block-time 1 --fast --seed 7 --report - --no-sidecar --dir x \
             --genesis-time 9 --fault invalid-message@15 --fault wrong-signer@16:904 --await-sidecar 3 --random-faults 0 --endpoints 3 \
             --stay --tick 5 --pause-at 12 --pause-at 20 --history 4096 --follow-mode verified",
        )
        .unwrap();
        let plan = args.plan().unwrap();
        let request = plan.request();
        assert_eq!((request.chains, request.blocks, request.block_time, request.seed), (4, Some(60), 1, 7));
        assert!(request.fast && args.no_sidecar);
        assert_eq!(request.genesis_time, Some(UnixSeconds(9)));
        assert_eq!(request.await_peers, Duration::from_secs(3));
        assert_eq!((request.random_faults, request.endpoints, request.stay), (0, 3, true));
        assert_eq!(request.history, 4_096);
        assert_eq!((request.attester, plan.follow_mode()), (true, DevnetFollowMode::Verified));
        assert_eq!((request.tick, &request.pauses[..]), (Some(Duration::from_millis(5)), &[12, 20][..]));
        assert_eq!(plan.faults().iter().map(|fault| fault.chain_id).collect::<Vec<_>>(), [901, 904]);
    }

    #[rstest]
    #[case::no_such_fault("--fault no-such-fault@3", "invalid-message")]
    #[case::fault_without_block("--fault wrong-signer", "NAME@BLOCK")]
    #[case::text_for_a_number("--blocks many", "--blocks")]
    #[case::staying_without_an_end("--stay --no-sidecar", "--blocks")]
    #[case::staying_with_the_sidecar("--stay --blocks 5", "--no-sidecar")]
    #[case::unknown_mode("--follow-mode off", "attested, clamp or verified")]
    #[case::pausing_in_real_time("--pause-at 5 --dir x", "--fast")]
    #[case::pausing_at_an_unknown_time("--pause-at 5 --fast", "--dir")]
    fn a_flag_that_cannot_be_read_is_refused(#[case] line: &str, #[case] says: &str) {
        let error = parse(line).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }

    #[test]
    fn the_help_lists_every_fault() {
        let help = faults_help();
        assert!(REGISTRY.iter().all(|fault| help.contains(fault.name) && help.contains(fault.summary)));
    }

    #[test]
    fn a_report_that_cannot_be_written_is_an_error_with_its_path() {
        let report = crosscheck_devnet::report::DevnetReport::default();
        let outcome = DevnetOutcome { report, watched: false, interrupted: false, unsettled: vec![] };
        let dir = tempfile::tempdir().unwrap();
        assert!(write_report(&dir.path().join("no/such/dir"), &outcome).is_err());
        let path = dir.path().join("report.json");
        write_report(&path, &outcome).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!(json["seed"], 0);
    }
}
