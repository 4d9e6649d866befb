//! The monitor and the tasks around it, wired together.

use super::{Shared, stall_bounds};
use crate::config::{ChainConfig, Config};
use crate::health::HealthPart;
use crate::monitor::{
    ChainReader, ChainReaderParts, HeadSource, MONITOR_INBOX, Monitor, MonitorParts, PollHints,
    SUSPECT_INBOX, StartPoint, SuspectMessage, SuspectWatcher, SuspectWatcherParts, Suspects,
    notify_when_heads_appear,
};
use crate::shared_tracker::{SharedTracker, TrackerWriter};
use crate::tasks::TaskGroup;
use alloy::eips::BlockNumHash;
use crosscheck_core::tracker::{Tracker, TrackerLimits};
use crosscheck_p2p::ChainId;
use std::sync::Arc;
use tokio::sync::mpsc;

/// After how many polls of the rollup node the execution clients are asked, if gossip reports no block
/// before.
const CLIENTS_EVERY: u32 = 2;

/// How many ended messages can still be asked for.
const ENDED_KEPT: usize = 65_536;

/// What others need of the monitor.
pub(super) struct Monitoring {
    /// What is known of the chains and their messages.
    pub(super) tracker: SharedTracker,
    /// Suspect messages.
    pub(super) suspects: Suspects,
    /// Hints for the chains' readers to poll.
    pub(super) hints: PollHints,
    /// Where gossiped blocks go.
    pub(super) gossip: mpsc::Sender<SuspectMessage>,
}

/// Starts the monitor, a reader for each chain of the dependency set, and the watcher of suspects.
pub(super) async fn start(
    tasks: &mut TaskGroup,
    config: &Config,
    shared: &Shared,
) -> eyre::Result<Monitoring> {
    let set = shared.set.clone();
    let retention = config.monitor.retention.as_secs();
    let limits =
        TrackerLimits { max_messages: config.monitor.max_messages, retention, ended_kept: ENDED_KEPT };
    let tracker = Tracker::new(set.clone(), shared.index.clone(), limits).after_number(shared.numbered_after);
    let tracker = TrackerWriter::new(tracker);
    let (gossip, suspect_inbox) = mpsc::channel(SUSPECT_INBOX);
    let (monitor, inbox) = mpsc::channel(MONITOR_INBOX);
    let monitoring = Monitoring {
        tracker: tracker.tracker(),
        suspects: Suspects::default(),
        hints: PollHints::new(set.chain_ids()),
        gossip,
    };
    for chain_id in set.chain_ids() {
        let (Some(chain), Some(execution)) = (config.chains.get(&chain_id), shared.clients.get(&chain_id))
        else {
            continue;
        };
        let start = StartPoint::new(shared.ledger.cursor(chain_id).await?, retention, chain.block_time);
        let reader = ChainReader::new(ChainReaderParts {
            chain_id,
            execution: execution.clone(),
            heads: head_source(shared, chain_id, chain),
            start,
            monitor: monitor.clone(),
            hints: monitoring.hints.clone(),
            interval: config.sources.poll_interval.0.saturating_mul(CLIENTS_EVERY),
            stall: stall_bounds(chain),
            health: shared.health.clone(),
            metrics: shared.metrics.monitor.clone(),
            branches: shared.branches.clone(),
            genesis: chain.is_monitored_only().then(|| shared.ledger.clone()),
            origin: network_origin(config, chain_id, chain),
        });
        if let Some(answers) = shared.heads.answers(chain_id) {
            let wake = notify_when_heads_appear(answers, monitoring.hints.clone(), chain_id);
            let cancel = tasks.cancellation().clone();
            tasks.spawn(format!("first heads of chain {chain_id}"), async move {
                cancel.run_until_cancelled(wake).await;
            });
        }
        shared.health.expect(&HealthPart::Monitor(chain_id));
        tasks.spawn(format!("reader of chain {chain_id}"), reader.run(tasks.cancellation().clone()));
    }
    let watcher = SuspectWatcher::new(SuspectWatcherParts {
        inbox: suspect_inbox,
        tracker: monitoring.tracker.clone(),
        index: shared.index.clone(),
        clients: shared.clients.clone(),
        ledger: shared.ledger.clone(),
        suspects: monitoring.suspects.clone(),
        clock: Arc::clone(&shared.clock),
        metrics: shared.metrics.monitor.clone(),
    });
    tasks.spawn("suspects", watcher.run(tasks.cancellation().clone()));
    let monitor = Monitor::new(MonitorParts {
        tracker,
        clients: shared.clients.clone(),
        index: shared.index.clone(),
        inbox,
        suspects: monitoring.gossip.clone(),
        ledger: shared.ledger.clone(),
        invalid: shared.invalid.clone(),
        clock: Arc::clone(&shared.clock),
        retention,
        incidents: shared.incidents.clone(),
        metrics: shared.metrics.monitor.clone(),
    });
    tasks.spawn("monitor", monitor.run(tasks.cancellation().clone()));
    Ok(monitoring)
}

/// The first block of a chain whose network is named, where no rollup node is used against that.
fn network_origin(config: &Config, chain_id: ChainId, chain: &ChainConfig) -> Option<BlockNumHash> {
    let network = config.known_network(chain_id).filter(|_| chain.is_monitored_only());
    network.map(|network| network.genesis.l2)
}

/// Who says how far the chain is: its rollup node, if it has one.
fn head_source(shared: &Shared, chain_id: ChainId, chain: &ChainConfig) -> HeadSource {
    match shared.heads.answers(chain_id).filter(|_| !chain.is_monitored_only()) {
        Some(answers) => HeadSource::Node { answers, heads: shared.heads.clone() },
        None => {
            shared.heads.set_safe_means(chain_id, chain.safe_means.unwrap_or_default());
            HeadSource::Labels { heads: shared.heads.clone(), metrics: shared.metrics.monitor.clone() }
        }
    }
}
