//! [`Network`]: the task that keeps one chain's node on the gossip network.
//!
//! The swarm never waits: a frame for which a judge's queue has no room is ignored. The task never judges a
//! frame itself, and reads no clock but the one that it was given.

mod block_sync;
mod commands;
mod peering;
mod swarm_events;

use super::{
    DiscoveryConfig, DiscoveryView, NetworkConfig, NetworkEvent, NetworkHandle, NetworkTaskError,
    NodeIdentity,
    behaviour::Behaviour,
    counters::Counters,
    discovery::{ChainEntry, DiscoveredNode, Discovery, DiscoveryParts, NodeRecord, combined_key},
    event::Events,
    gating::ConnectionGater,
    handle::Command,
    judge::{Judge, JudgeContext, JudgeQueue, ValidationReport},
    peers::{PeerBook, PeerFile, StalledPeers, StaticPeers, StoredPeers, node_records},
    scoring::ApplicationScores,
    swarm::build_swarm,
};
use crate::{ChainId, Clock, Signers, Topic, UnixSeconds};
use block_sync::BlockSync;
use commands::PendingConnects;
use futures::StreamExt as _;
use libp2p::{Multiaddr, Swarm};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Interval, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

/// Reports of judges that may wait for the swarm.
const REPORT_QUEUE: usize = 256;
/// Searches of discovery whose results may wait.
const DISCOVERED_QUEUE: usize = 4;
/// Topics of payload versions before the current one have queues smaller by this factor: honest peers do not
/// fill them.
const OLD_TOPICS_DIVISOR: usize = 4;
/// How long the task waits when nothing is scheduled.
const IDLE_WAIT: Duration = Duration::from_secs(60 * 60);
/// How often the gater is asked which peers to disconnect. A ban takes effect within this time.
const PEER_REVIEW: Duration = Duration::from_secs(1);
/// How often scores decay, each time by the time that has passed.
const DECAY: Duration = Duration::from_secs(1);
/// How often known peers are stored.
const STORE: Duration = Duration::from_secs(60);

/// The network task of one chain: a gossip node that judges what it receives.
///
/// ```
/// use alloy_consensus::Header;
/// use alloy_primitives::B256;
/// use crosscheck_p2p::{
///     BlockSigner, ChainId, Clock, Envelope, ExecutionPayload, Network, NetworkConfig, NetworkEvent, NodeIdentity, Signers,
///     SigningDomain, SystemClock, Topic,
/// };
/// use std::sync::Arc;
/// use tokio::{sync::watch, task::JoinSet};
/// use tokio_util::sync::CancellationToken;
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let (chain_id, sequencer) = (ChainId::from(901), BlockSigner::from_bytes(&B256::repeat_byte(0x11))?);
/// // The sender is how a program that follows L1 names the next signer.
/// let (_signers, signers) = watch::channel(Signers::of(sequencer.address()));
/// let node = |config| Network::new(config, NodeIdentity::generate(), Arc::new(SystemClock), signers.clone());
/// let (mut tasks, cancel) = (JoinSet::new(), CancellationToken::new());
///
/// // A node that listens on loopback, and one that stays connected to it, without the cross-safe topic.
/// let (network, publisher, _) = node(NetworkConfig::new(chain_id))?;
/// tasks.spawn(network.run(cancel.clone()));
/// let static_peers = publisher.listen_addrs().await?;
/// let config = NetworkConfig { static_peers, topics: Topic::BLOCKS.to_vec(), ..NetworkConfig::new(chain_id) };
/// let (network, _, mut events) = node(config)?;
/// tasks.spawn(network.run(cancel.clone()));
///
/// // A frame reaches the peers that are subscribed.
/// let header = Header { timestamp: SystemClock.now().0, base_fee_per_gas: Some(1), ..Header::default() };
/// let envelope = Envelope { payload: ExecutionPayload::from_header(&header, vec![])? };
/// let frame = envelope.sign(&sequencer, SigningDomain::Zero, chain_id)?.frame();
/// publisher.subscribers().wait_for(|count| *count == 1).await?;
/// publisher.publish(Topic::BlocksV1, frame).await?;
/// let (hash, from) = loop {
///     match events.recv().await.ok_or("the network task has stopped")? {
///         NetworkEvent::Block { block, from, .. } => break (block.hash(), from),
///         _ => {}
///     }
/// };
/// assert_eq!((hash, from), (header.hash_slow(), publisher.peer_id()));
/// cancel.cancel();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Network {
    chain_id: ChainId,
    swarm: Swarm<Behaviour>,
    clock: Arc<dyn Clock>,
    judges: Vec<Judge>,
    discovery: Option<Discovery>,
    discovered: mpsc::Receiver<Vec<DiscoveredNode>>,
    wants_peers: watch::Sender<bool>,
    queues: BTreeMap<Topic, JudgeQueue>,
    reports: mpsc::Receiver<ValidationReport>,
    commands: mpsc::Receiver<Command>,
    static_peers: StaticPeers,
    stalled: StalledPeers,
    book: PeerBook,
    file: Option<PeerFile>,
    /// The largest sequence number of our node record that was published.
    record_seq: Arc<AtomicU64>,
    /// The write of the file that is in progress: at most one.
    storing: JoinSet<()>,
    scores: ApplicationScores,
    pending_connects: PendingConnects,
    block_sync: BlockSync,
    verdict_scoring: bool,
    agent: String,
    /// When scores last decayed.
    last_decay: Instant,
    dial_interval: Duration,
    listening: watch::Sender<Option<Vec<Multiaddr>>>,
    /// How many peers subscribe to any of our topics.
    subscribers: watch::Sender<usize>,
    events: Events,
}

/// The periodic work.
struct Timers {
    review: Interval,
    decay: Interval,
    dial: Interval,
    store: Interval,
}

impl Timers {
    fn new(dial: Duration) -> Self {
        let every = |period: Duration| {
            let mut interval = tokio::time::interval(period.max(Duration::from_millis(10)));
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        };
        Self { review: every(PEER_REVIEW), decay: every(DECAY), dial: every(dial), store: every(STORE) }
    }
}

impl Network {
    /// Binds the listeners and creates the task, which does nothing until [`Network::run`]. Needs a tokio
    /// runtime.
    ///
    /// `clock` is what block timestamps are compared with. `signers` are the accepted signers: a program that
    /// follows L1 sends the next value there. The receiver gets the events, the handle sends commands.
    ///
    /// # Errors
    /// [`NetworkTaskError`]: no runtime, rules of another chain, a static peer without an id, a peer file
    /// that cannot be read, an address that cannot be listened on.
    #[allow(clippy::needless_pass_by_value)] // the task owns its settings
    pub fn new(
        config: NetworkConfig,
        identity: NodeIdentity,
        clock: Arc<dyn Clock>,
        signers: watch::Receiver<Signers>,
    ) -> Result<(Self, NetworkHandle, mpsc::Receiver<NetworkEvent>), NetworkTaskError> {
        tokio::runtime::Handle::try_current().map_err(|_| NetworkTaskError::NoRuntime)?;
        if config.rules.chain_id != config.chain_id {
            return Err(NetworkTaskError::RulesOfAnotherChain {
                ours: config.chain_id,
                rules: config.rules.chain_id,
            });
        }
        let peer_id = identity.peer_id();
        let static_peers = StaticPeers::new(peer_id, &config.static_peers, Instant::now())?;
        let file = config.peer_file.clone().map(|path| PeerFile::new(path, config.block_list.clone()));
        let StoredPeers { peers: known, block_list, record_seq } =
            file.as_ref().map(PeerFile::load).transpose()?.unwrap_or_default();
        let record_seq = Arc::new(AtomicU64::new(next_seq(record_seq, clock.now())));
        let exempt = static_peers.ids().chain(&config.trusted_peers).copied().collect();
        let (discovered_sender, discovered) = mpsc::channel(DISCOVERED_QUEUE);
        let (wants_peers, wants_receiver) = watch::channel(true);
        let (view, view_receiver) = watch::channel(DiscoveryView::default());
        let (listening, listening_receiver) = watch::channel(config.listen.is_empty().then(Vec::new));
        let channels = DiscoveryChannels {
            record_seq: Arc::clone(&record_seq),
            known: node_records(&known),
            listening: listening_receiver.clone(),
            wants_peers: wants_receiver,
            discovered: discovered_sender,
            view,
        };
        let discovery =
            config.discovery.clone().map(|settings| discovery(&config, settings, &identity, channels));
        let discovery = discovery.transpose()?;
        let gater =
            ConnectionGater::new(config.gater.clone(), config.block_list.clone().merged(block_list), exempt);
        let swarm = build_swarm(&config, identity, gater, Arc::clone(&clock))?;
        let counters = Arc::new(Counters::default());
        let (event_sender, event_receiver) = mpsc::channel(config.event_queue.max(1));
        let events = Events::new(event_sender, Arc::clone(&counters));
        let (report_sender, reports) = mpsc::channel(REPORT_QUEUE);
        let (settled, settled_receiver) = watch::channel(Arc::default());
        let context =
            JudgeContext { signers, last_signer: watch::Sender::new(None), settled: settled_receiver };
        let (judges, queues) = judges(&config, clock.now(), &context, &report_sender, &events);
        let (command_sender, commands) = mpsc::channel(config.command_queue.max(1));
        let subscribers = watch::Sender::new(0);
        let handle = NetworkHandle {
            peer_id,
            commands: command_sender,
            listening: listening_receiver,
            discovery: discovery.is_some().then_some(view_receiver),
            settled,
            counters,
            subscribers: subscribers.subscribe(),
        };
        let network = Self {
            chain_id: config.chain_id,
            swarm,
            book: PeerBook::new(known, clock.now()),
            clock,
            judges,
            discovery,
            discovered,
            wants_peers,
            queues,
            reports,
            commands,
            static_peers,
            stalled: StalledPeers::default(),
            file,
            record_seq,
            storing: JoinSet::new(),
            scores: ApplicationScores::default(),
            pending_connects: PendingConnects::default(),
            block_sync: BlockSync::new(config.rules.forks, Instant::now()),
            verdict_scoring: config.verdict_scoring,
            agent: config.agent.clone(),
            last_decay: Instant::now(),
            dial_interval: config.dial_interval,
            listening,
            subscribers,
            events,
        };
        Ok((network, handle, event_receiver))
    }

    /// Runs until cancelled. Then stores the known peers, if there is a peer file.
    ///
    /// # Errors
    /// [`NetworkTaskError::JudgeStopped`] if a task that judges frames ends by itself.
    pub async fn run(mut self, cancel: CancellationToken) -> Result<(), NetworkTaskError> {
        let mut judging = JoinSet::new();
        for judge in core::mem::take(&mut self.judges) {
            judging.spawn(judge.run());
        }
        if let Some(discovery) = self.discovery.take() {
            let stop = cancel.child_token();
            judging.spawn(async move {
                discovery.run(stop).await;
                // The end of discovery does not end the network, and must not be taken for the end of a
                // judge.
                core::future::pending::<()>().await;
            });
        }
        let ended = self.serve(&cancel, &mut judging).await;
        judging.shutdown().await;
        self.store_peers_on_shutdown().await;
        ended
    }

    async fn serve(
        &mut self,
        cancel: &CancellationToken,
        judging: &mut JoinSet<()>,
    ) -> Result<(), NetworkTaskError> {
        let mut timers = Timers::new(self.dial_interval);
        loop {
            self.dial_static();
            self.answer_delayed();
            let due = self.static_peers.next_due().into_iter().chain(self.block_sync.next_due()).min();
            let wait = due.map_or(IDLE_WAIT, |due| due.saturating_duration_since(Instant::now()));
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                event = self.swarm.select_next_some() => self.on_swarm(event),
                Some(report) = self.reports.recv() => self.on_report(report),
                Some(command) = self.commands.recv() => self.on_command(command),
                Some(nodes) = self.discovered.recv() => self.on_discovered(nodes),
                Some(_) = judging.join_next() => return Err(NetworkTaskError::JudgeStopped { chain_id: self.chain_id }),
                Some(checked) = self.block_sync.next_checked() => self.on_checked(checked),
                _ = timers.review.tick() => self.review_peers(),
                _ = timers.decay.tick() => self.decay_scores(),
                _ = timers.dial.tick() => self.dial_known(),
                _ = timers.store.tick() => self.store_peers(),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}

/// The sequence number of this run's first node record: larger than that of any record of an earlier run.
/// Without the peer file the time ensures that: op-node, which may have used the key before, counts from
/// milliseconds, too.
const fn next_seq(last: u64, now: UnixSeconds) -> u64 {
    let (next, millis) = (last.saturating_add(1), now.0.saturating_mul(1_000));
    if next > millis { next } else { millis }
}

/// The channels between discovery and the network task.
struct DiscoveryChannels {
    record_seq: Arc<AtomicU64>,
    known: Vec<NodeRecord>,
    listening: watch::Receiver<Option<Vec<Multiaddr>>>,
    wants_peers: watch::Receiver<bool>,
    discovered: mpsc::Sender<Vec<DiscoveredNode>>,
    view: watch::Sender<DiscoveryView>,
}

/// Binds discovery's socket.
fn discovery(
    config: &NetworkConfig,
    settings: DiscoveryConfig,
    identity: &NodeIdentity,
    channels: DiscoveryChannels,
) -> Result<Discovery, NetworkTaskError> {
    let (chain_id, listen) = (config.chain_id, settings.listen);
    let refuse = |detail: String| NetworkTaskError::Discovery { chain_id, listen, detail };
    let entry = ChainEntry::of(chain_id).ok_or_else(|| refuse("its id has more than 64 bits".to_owned()))?;
    let key = combined_key(identity.keypair())
        .ok_or_else(|| refuse("the key is not a secp256k1 key".to_owned()))?;
    let bound = std::net::UdpSocket::bind(listen).and_then(|socket| {
        socket.set_nonblocking(true)?;
        tokio::net::UdpSocket::from_std(socket)
    });
    let socket = Arc::new(bound.map_err(|error| refuse(error.to_string()))?);
    let is_cross_safe = config.topics.iter().any(|topic| topic.is_cross_safe());
    let DiscoveryChannels { record_seq, known, listening, wants_peers, discovered, view } = channels;
    let parts = DiscoveryParts {
        config: settings,
        socket,
        key,
        entry,
        is_cross_safe,
        record_seq,
        known,
        listening,
        wants_peers,
        discovered,
        view,
    };
    Ok(Discovery::new(parts))
}

fn judges(
    config: &NetworkConfig,
    now: UnixSeconds,
    context: &JudgeContext,
    reports: &mpsc::Sender<ValidationReport>,
    events: &Events,
) -> (Vec<Judge>, BTreeMap<Topic, JudgeQueue>) {
    let current_version = config.rules.forks.version_at(now);
    let topics: BTreeSet<_> = config.topics.iter().copied().collect();
    let made = topics.into_iter().map(|topic| {
        let share = |whole: usize| {
            if topic.version() < current_version { whole.div_ceil(OLD_TOPICS_DIVISOR) } else { whole }
        };
        let bounds = (share(config.judge_queue_frames), share(config.judge_queue_bytes));
        let rules = config.rules.clone();
        let (judge, queue) =
            Judge::new(topic, rules, bounds, context.clone(), reports.clone(), events.clone());
        (judge, (topic, queue))
    });
    made.unzip()
}
