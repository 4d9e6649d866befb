//! [`Service`]: the sidecar, wired together from its configuration.
//!
//! What `crosscheck run` runs, and what a devnet runs in its own process: the same code.

mod audited_chain;
mod built_in;
mod claimants;
mod monitoring;
mod opinions;
mod pacing;
mod room_metrics;
mod rpc_server;
mod sources;
mod stalls;

pub use sources::{case_rules, execution_clients, l1_judge, l1_reader, rollup_nodes};

use audited_chain::AuditedChain;
use built_in::log_built_in;
use monitoring::Monitoring;
pub(crate) use room_metrics::RoomMetrics;
use sources::{FOLLOW_UPSTREAM, endpoint_names};
use stalls::stall_bounds;

use crate::audit::{
    AuditLimits, Auditor, AuditorMessage, AuditorParts, BranchWatch, Heads, Investigator, InvestigatorParts,
    LongOpenCases, NodeDisagreements, OpenCaseWatch, OriginWitnesses, RIVAL_INBOX, RivalWatcher,
    RivalWatcherParts, RulesAsker, VouchedWatch,
};
use crate::config::{ChainConfig, ClockSource, Config, FollowConfig, FollowMode};
use crate::data_dir::DataDirLock;
use crate::event_sender::{EVENT_CAPACITY, EventSender};
use crate::follow::{self, Follower, FollowerParts, Served, Upstream};
use crate::gossip::{GossipHeads, NetworkHandles, Refusals};
use crate::health::{Health, HealthPart};
use crate::incidents::Incidents;
use crate::invalid_blocks::InvalidBlocks;
use crate::l1_watch::L1Watch;
use crate::ledger::{Backoff, Ledger, LedgerError, StoredEvent};
use crate::metrics::EndpointKind;
use crate::probes::StartProbes;
use crate::reminder::Reminder;
use crate::retention::Retention;
use crate::sources::{
    EndpointUrl, ExecutionClient, GossipedTransactions, L1Reader, RollupNode, RollupNodes, claimant_name,
};
use crate::stale_branches::StaleBranches;
use crate::stalled_heads::StalledHeads;
use crate::tasks::TaskGroup;
use crate::unresolved::UnresolvedWatch;
use crate::web;
use crosscheck_core::proof::LogIndex;
use crosscheck_core::validity::DependencySet;
use crosscheck_p2p::{ChainId, Clock, FileClock, SigningDomain, SystemClock, ValidBlock, ValidationRules};
use eyre::WrapErr;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How many messages may wait for the auditor. Beyond it gossip waits.
const AUDITOR_INBOX: usize = 1024;

/// A running sidecar.
#[derive(Debug)]
pub struct Service {
    tasks: TaskGroup,
    ledger: Ledger,
    config: Config,
    /// Held for as long as the service lives.
    _lock: DataDirLock,
}

/// What the parts share.
struct Shared {
    clock: Arc<dyn Clock>,
    ledger: Ledger,
    /// Where subscribers get events.
    events: broadcast::Sender<StoredEvent>,
    set: DependencySet,
    metrics: RoomMetrics,
    health: Health,
    incidents: Incidents,
    heads: Heads,
    invalid: InvalidBlocks,
    branches: StaleBranches,
    index: LogIndex,
    clients: BTreeMap<ChainId, ExecutionClient>,
    nodes: BTreeMap<ChainId, RollupNodes>,
    l1: Option<L1Reader>,
    disagreements: NodeDisagreements,
    gossiped: GossipHeads,
    transactions: GossipedTransactions,
    networks: NetworkHandles,
    refusals: Refusals,
    /// After which number this run numbers what it keeps in memory.
    numbered_after: u64,
    auditor: mpsc::Sender<AuditorMessage>,
    long_open: LongOpenCases,
    rivals: mpsc::Sender<ValidBlock>,
}

impl Service {
    /// Opens the ledger, binds the servers and starts the tasks. Endpoints are not waited for: what is
    /// missing shows on `/readyz`.
    ///
    /// # Errors
    /// If the ledger, a key file or a listening address cannot be used.
    pub async fn start(config: Config, cancel: CancellationToken) -> eyre::Result<Self> {
        let lock = DataDirLock::take(&config.data_dir)?;
        let health = Health::default();
        let ledger = Ledger::open(&config.data_dir.join("ledger.sqlite")).await?;
        let ledger = ledger.with_retries(health.clone(), cancel.clone(), Backoff::STANDARD);
        let set = config.dependency_set();
        let metrics = RoomMetrics::register(set.clone())?;
        let (auditor, inbox) = mpsc::channel(AUDITOR_INBOX);
        let (rivals, rival_inbox) = mpsc::channel(RIVAL_INBOX);
        let invalid = invalid_blocks(&config, &ledger).await?;
        let clock = clock(&config.clock)?;
        let numbered_after = ledger.begin_run(clock.now()).await?;
        log_built_in(&config, &set, clock.now());
        for doubt in config.doubts() {
            warn!(%doubt, "check the configuration");
        }
        let index = LogIndex::new(config.interop.log_index_bytes());
        let transactions = GossipedTransactions::default();
        let mut clients = execution_clients(&config, &index)?;
        for client in clients.values_mut() {
            *client = client.clone().with_gossiped(transactions.clone());
        }
        let shared = Shared {
            clock,
            ledger: ledger.clone(),
            events: broadcast::Sender::new(EVENT_CAPACITY),
            set,
            heads: Heads::new(config.chains.keys().copied()),
            invalid,
            branches: StaleBranches::default(),
            index,
            clients,
            nodes: rollup_nodes(&config)?,
            l1: l1_reader(&config)?,
            disagreements: NodeDisagreements::default(),
            refusals: Refusals::new(metrics.shared.clone()).after_number(numbered_after),
            numbered_after,
            health,
            incidents: Incidents::default(),
            gossiped: GossipHeads::default(),
            transactions,
            networks: NetworkHandles::default(),
            metrics,
            auditor,
            long_open: LongOpenCases::default(),
            rivals,
        };
        let mut tasks = TaskGroup::new(cancel);
        pacing::start(&mut tasks, &shared);
        watch_l1(&mut tasks, &config, &shared);
        maintain_ledger(&mut tasks, &config, &shared).await?;
        let monitoring = monitoring::start(&mut tasks, &config, &shared).await?;
        let rpc_addr = rpc_server::start(&mut tasks, &config, &shared, &monitoring).await?;
        let http_addr = start_http(&mut tasks, &config, &shared).await?;
        let mut rules = BTreeMap::new();
        for (chain_id, chain) in config.chains.iter().filter(|(_, chain)| !chain.is_monitored_only()) {
            let chain_id = *chain_id;
            rules.insert(chain_id, validation_rules(&config, chain_id, chain));
            let Some(execution) = shared.clients.get(&chain_id) else { continue };
            let (config, shared, monitoring) = (&config, &shared, &monitoring);
            let audited = AuditedChain { chain_id, chain, execution, config, shared, monitoring };
            audited.start(&mut tasks)?;
        }
        start_followers(&mut tasks, &config, &shared, &monitoring).await?;
        // Without a chain to audit, nobody holds the inboxes.
        if !rules.is_empty() {
            start_auditor(&mut tasks, &config, &shared, rules, inbox)?;
            watch_rivals(&mut tasks, &shared, rival_inbox);
        }
        let reminder = Reminder::new(shared.health.clone());
        tasks.spawn("reminder", reminder.run(tasks.cancellation().clone()));
        let probes = StartProbes::new(config.clone(), Arc::clone(&shared.clock));
        tasks.spawn("probes", probes.run(tasks.cancellation().clone()));
        info!(chains = config.chains.len(), rpc = %rpc_addr, http = %http_addr, "crosscheck started");
        Ok(Self { tasks, ledger, config, _lock: lock })
    }

    /// Waits until the service is cancelled, or a task fails.
    ///
    /// # Errors
    /// If a task ended before it was cancelled.
    pub async fn supervise(&mut self) -> eyre::Result<()> {
        self.tasks.supervise().await
    }

    /// Ends the tasks within `shutdown_timeout` and closes the ledger.
    ///
    /// # Errors
    /// If tasks had to be aborted.
    pub async fn shutdown(self) -> eyre::Result<()> {
        let drained = self.tasks.drain(self.config.shutdown_timeout.0).await;
        self.ledger.close().await;
        info!("crosscheck stopped");
        drained.map_err(Into::into)
    }
}

/// Who reports vouched heads that are stalled.
fn vouched_watch(config: &Config, shared: &Shared) -> VouchedWatch {
    let (health, metrics) = (&shared.health, &shared.metrics.shared);
    let heads =
        config.chains.iter().filter(|(_, chain)| !chain.is_monitored_only()).map(|(chain_id, chain)| {
            (*chain_id, StalledHeads::new(*chain_id, stall_bounds(chain), health.clone(), metrics.clone()))
        });
    VouchedWatch::new(heads.collect())
}

/// Starts the auditor of the chains that have rules.
fn start_auditor(
    tasks: &mut TaskGroup,
    config: &Config,
    shared: &Shared,
    rules: BTreeMap<ChainId, ValidationRules>,
    inbox: mpsc::Receiver<AuditorMessage>,
) -> eyre::Result<()> {
    let (metrics, health) = (&shared.metrics.audit, &shared.health);
    let l1 = l1_judge(config, &shared.set, &shared.nodes, shared.l1.as_ref(), metrics)?;
    let investigator = Investigator::new(InvestigatorParts {
        set: shared.set.clone(),
        clients: shared.clients.clone(),
        heads: shared.heads.clone(),
        rules: case_rules(config, l1.is_some()),
        l1,
        ledger: Some(shared.ledger.clone()),
        derived: derived_chains(config),
        branches: shared.branches.clone(),
        remembers_final: false,
        metrics: metrics.clone(),
    });
    let patience = config.audit.patience.0;
    let watch = OpenCaseWatch::new(patience, shared.long_open.clone(), health.clone(), metrics.clone());
    let auditor = Auditor::new(AuditorParts {
        ledger: shared.ledger.clone(),
        investigator: Arc::new(investigator),
        inbox,
        rules,
        clock: Arc::clone(&shared.clock),
        metrics: metrics.clone(),
        limits: AuditLimits { max_open: config.audit.max_open, concurrency: config.audit.concurrency },
        invalid: shared.invalid.clone(),
        incidents: shared.incidents.clone(),
        watch: Some(watch),
        branches: Some(BranchWatch::new(health.clone(), shared.branches.clone())),
        vouched: Some(vouched_watch(config, shared)),
    });
    tasks.spawn("auditor", auditor.run(tasks.cancellation().clone()));
    Ok(())
}

/// Starts the tasks that maintain the ledger.
async fn maintain_ledger(tasks: &mut TaskGroup, config: &Config, shared: &Shared) -> Result<(), LedgerError> {
    // Before anybody reads metrics: anyone who does finds what earlier runs found.
    let unresolved = UnresolvedWatch::begin(shared.ledger.clone(), shared.metrics.unresolved.clone()).await?;
    tasks.spawn("unresolved blocks", unresolved.run(tasks.cancellation().clone()));
    // Before anything is written: every event of this run is sent.
    let event_sender = EventSender::begin(shared.ledger.clone(), shared.events.clone()).await?;
    tasks.spawn("events", event_sender.run(tasks.cancellation().clone()));
    let (ledger, clock) = (shared.ledger.clone(), Arc::clone(&shared.clock));
    let retention = Retention::new(ledger, config.ledger.keep_upheld.0, clock);
    tasks.spawn("retention", retention.run(tasks.cancellation().clone()));
    Ok(())
}

/// What earlier runs proved of blocks that nothing is decided about yet, or that followers may still be led
/// onto.
async fn invalid_blocks(config: &Config, ledger: &Ledger) -> eyre::Result<InvalidBlocks> {
    let followed: Vec<ChainId> = followed_chains(config).map(|(chain_id, _)| *chain_id).collect();
    let invalid = InvalidBlocks::new(config.chains.keys().copied()).followed(followed.iter().copied());
    for chain_id in config.chains.keys() {
        let mut proven = ledger.invalid_blocks(*chain_id).await?;
        if followed.contains(chain_id) {
            proven.extend(ledger.replaced_blocks(*chain_id).await?);
        }
        for (block, prover) in proven {
            invalid.prove(&block, prover);
        }
    }
    Ok(invalid)
}

/// The chains that followers are served heads of.
fn followed_chains(config: &Config) -> impl Iterator<Item = (&ChainId, &ChainConfig)> {
    let is_on = config.follow.mode != FollowMode::Off;
    config.chains.iter().filter(move |(_, chain)| is_on && !chain.is_monitored_only())
}

/// The chains of which every block is audited that their nodes derive.
fn derived_chains(config: &Config) -> BTreeSet<ChainId> {
    let is_verified = config.follow.mode == FollowMode::Verified;
    followed_chains(config).filter(|_| is_verified).map(|(chain_id, _)| *chain_id).collect()
}

/// The task that compares a chain's rules with those of its rollup nodes, and its genesis with these
/// witnesses.
pub fn rules_asker(
    config: &Config,
    set: &DependencySet,
    chain_id: ChainId,
    nodes: &RollupNodes,
    witnesses: OriginWitnesses,
) -> RulesAsker {
    let network = config.known_network(chain_id);
    let system_config = config.chains.get(&chain_id).and_then(|chain| chain.system_config);
    let (nodes, set) = (nodes.clone(), set.clone());
    RulesAsker { chain_id, nodes, set, network, system_config, witnesses, ledger: None }
}

/// The clock that the settings name.
///
/// # Errors
/// If it is a file without a time.
pub(crate) fn clock(source: &ClockSource) -> eyre::Result<Arc<dyn Clock>> {
    Ok(match source {
        ClockSource::System => Arc::new(SystemClock),
        ClockSource::File(path) => Arc::new(FileClock::open(path)?),
    })
}

/// The rules of a chain's gossip. What its forks are is known only of a network with a name; of others it is
/// assumed that they all are in force.
fn validation_rules(config: &Config, chain_id: ChainId, chain: &ChainConfig) -> ValidationRules {
    let defaults = ValidationRules::new(chain_id);
    let (max_age, cross_safe_max_age) =
        (chain.p2p.blocks_past.as_secs(), chain.p2p.cross_safe_past.as_secs());
    let known = config.known_network(chain_id);
    ValidationRules {
        forks: known.map_or(defaults.forks, |network| network.gossip_forks()),
        accepts_zero_domain: chain
            .p2p
            .cross_safe_domains
            .iter()
            .any(|domain| domain.0 == SigningDomain::Zero),
        ..defaults.with_windows(max_age, cross_safe_max_age, chain.p2p.future.as_secs())
    }
}

/// Binds the server of health and metrics and starts its task.
async fn start_http(tasks: &mut TaskGroup, config: &Config, shared: &Shared) -> eyre::Result<SocketAddr> {
    let cancel = tasks.cancellation().clone();
    let (http_addr, server) =
        web::serve(config.http.addr, shared.health.clone(), shared.metrics.process.clone(), cancel)
            .await
            .wrap_err_with(|| format!("http.addr {} cannot be bound; is it in use?", config.http.addr))?;
    tasks.spawn("http", server);
    Ok(http_addr)
}

/// Whether nobody has waited for the chains that a chain depends on when its vouched head moves: it moves
/// with what its own node derives, or with the claims of endpoints that may verify nothing.
const fn waits_for_others(mode: FollowMode, chain: &ChainConfig) -> bool {
    match mode {
        FollowMode::Verified => true,
        FollowMode::Attested => !chain.claimants.is_empty(),
        FollowMode::Clamp | FollowMode::Off => false,
    }
}

/// Serves each chain's vouched head to followers, unless that is switched off.
async fn start_followers(
    tasks: &mut TaskGroup,
    config: &Config,
    shared: &Shared,
    monitoring: &Monitoring,
) -> eyre::Result<()> {
    let FollowConfig { mode, addr } = config.follow;
    if mode == FollowMode::Off {
        return Ok(());
    }
    let chains = || followed_chains(config);
    let (invalid, long_open) = (shared.invalid.clone(), shared.long_open.clone());
    let served = Served::new(chains().map(|(chain_id, _)| *chain_id), invalid, long_open);
    let names = endpoint_names(config);
    let (bound, server) =
        follow::serve(addr, served.clone(), shared.metrics.shared.clone(), tasks.cancellation().clone())
            .await
            .wrap_err_with(|| format!("follow.addr {addr} cannot be bound; is it in use?"))?;
    tasks.spawn("server for followers", server);
    let (limits, interval) = (config.sources.limits(), config.sources.poll_interval.0);
    let safe_stalls: BTreeMap<_, _> =
        config.chains.iter().map(|(chain_id, chain)| (*chain_id, chain.safe_stall.0)).collect();
    for (chain_id, chain) in chains() {
        let Some(execution) = shared.clients.get(chain_id).cloned() else { continue };
        let Some(nodes) = shared.nodes.get(chain_id).cloned() else { continue };
        shared.health.expect(&HealthPart::Following(*chain_id));
        let is_sibling = |url: &EndpointUrl| chain.rollup_node.urls() == std::slice::from_ref(url);
        let upstream = match chain.follow_upstream.as_ref().filter(|url| !is_sibling(url)) {
            Some(url) => {
                let name = claimant_name(FOLLOW_UPSTREAM, 0, *chain_id, url);
                Upstream::other(RollupNode::new(url.clone(), limits)?, interval, name)
            }
            None => {
                let named =
                    |(place, url)| claimant_name(EndpointKind::RollupNode.name(), place, *chain_id, url);
                let names = chain.rollup_node.urls().iter().enumerate().map(named).collect();
                Upstream::sibling(&shared.heads, *chain_id, names)
            }
        };
        let follower = Follower::new(FollowerParts {
            chain_id: *chain_id,
            mode,
            ledger: shared.ledger.clone(),
            execution,
            sibling: nodes,
            upstream,
            auditor: shared.auditor.clone(),
            heads: shared.heads.clone(),
            set: shared.set.clone(),
            tracker: monitoring.tracker.clone(),
            waits_for_others: waits_for_others(mode, chain),
            safe_stalls: safe_stalls.clone(),
            block_time: chain.block_time,
            interval,
            invalid: shared.invalid.clone(),
            served: served.clone(),
            names: names.clone(),
            health: shared.health.clone(),
            metrics: shared.metrics.follow.clone(),
        });
        tasks.spawn(format!("followers of chain {chain_id}"), follower.run(tasks.cancellation().clone()));
    }
    info!(addr = %bound, "serving followers at /<chainId>/");
    Ok(())
}

/// Reports an L1 that is stalled: whatever is read from it, by whichever chain, it is watched.
fn watch_l1(tasks: &mut TaskGroup, config: &Config, shared: &Shared) {
    let Some(l1) = &shared.l1 else { return };
    let (health, metrics) = (&shared.health, &shared.metrics.shared);
    let stalled = config.chains.iter().map(|(chain_id, chain)| {
        StalledHeads::new(*chain_id, stall_bounds(chain), health.clone(), metrics.clone())
    });
    let watch = L1Watch::new(l1.clone(), stalled.collect(), health.clone());
    tasks.spawn("L1", watch.run(tasks.cancellation().clone()));
}

/// Finds out why two blocks of one height were attested.
fn watch_rivals(tasks: &mut TaskGroup, shared: &Shared, inbox: mpsc::Receiver<ValidBlock>) {
    let watcher = RivalWatcher::new(RivalWatcherParts {
        ledger: shared.ledger.clone(),
        l1: shared.l1.clone(),
        inbox,
        metrics: shared.metrics.audit.clone(),
    });
    tasks.spawn("watcher of rivals", watcher.run(tasks.cancellation().clone()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::verified(FollowMode::Verified, false, true)]
    #[case::attested(FollowMode::Attested, false, false)]
    #[case::attested_and_claimed(FollowMode::Attested, true, true)]
    #[case::clamped_and_claimed(FollowMode::Clamp, true, false)]
    fn a_served_head_waits_for_other_chains_where_nobody_else_has(
        #[case] mode: FollowMode,
        #[case] is_claimed: bool,
        #[case] expected: bool,
    ) {
        let claimants = is_claimed.then(|| "http://127.0.0.1:7000".parse().unwrap());
        let chain = ChainConfig { claimants: claimants.into_iter().collect(), ..ChainConfig::default() };
        assert_eq!(waits_for_others(mode, &chain), expected);
    }
}
