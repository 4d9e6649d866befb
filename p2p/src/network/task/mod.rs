//! [`Network`]: the task that keeps one chain's node on the gossip network.
//!
//! The swarm never waits: frames that find no room in a judge's queue are ignored. It never judges a frame
//! itself and never reads a clock but the one that it was given.

mod commands;
mod peering;
mod swarm_events;
mod syncing;

use super::{
    DiscoveryConfig, DiscoveryView, NetworkConfig, NetworkError, NetworkEvent, NetworkHandle, NodeIdentity,
    behaviour::Behaviour,
    counters::Counters,
    discovery::{ChainEntry, Discovery, DiscoveryParts, Found, Record, combined_key, records},
    event::Events,
    gating::ConnectionGater,
    handle::Command,
    judge::{Judge, JudgeQueue, Report, Standing},
    peers::{PeerBook, PeerFile, Remembered, StalledPeers, StaticPeers},
    scoring::ApplicationScores,
    swarm::build_swarm,
};
use crate::{ChainId, Clock, Signers, Topic, UnixSeconds};
use commands::Connecting;
use futures::StreamExt as _;
use libp2p::{Multiaddr, Swarm};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};
use syncing::Syncing;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Interval, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

/// Verdicts that may wait for the swarm, which takes them as they come.
const REPORT_QUEUE: usize = 256;
/// Searches whose results may wait.
const FOUND_QUEUE: usize = 4;
/// What part of a queue the topics of versions have that the chain has left behind: nobody honest fills it.
const PAST_TOPICS_SHARE: usize = 4;
/// Without a static peer to dial, the timer just comes round.
const NOTHING_DUE: Duration = Duration::from_secs(60 * 60);
/// How often the gater is asked which peers to disconnect. A ban takes effect within this time.
const PEER_REVIEW: Duration = Duration::from_secs(1);
/// How often scores decay, each time by what the time that has passed is worth.
const DECAY: Duration = Duration::from_secs(1);
/// How often known peers are stored.
const STORE: Duration = Duration::from_secs(60);

/// The network task of one chain.
pub struct Network {
    chain_id: ChainId,
    swarm: Swarm<Behaviour>,
    clock: Arc<dyn Clock>,
    judges: Vec<Judge>,
    discovery: Option<Discovery>,
    found: mpsc::Receiver<Vec<Found>>,
    wants_peers: watch::Sender<bool>,
    queues: BTreeMap<Topic, JudgeQueue>,
    reports: mpsc::Receiver<Report>,
    commands: mpsc::Receiver<Command>,
    static_peers: StaticPeers,
    stalled: StalledPeers,
    book: PeerBook,
    file: Option<PeerFile>,
    /// Of our node record: the largest that others were told.
    record_seq: Arc<AtomicU64>,
    /// At most one write of the file.
    storing: JoinSet<()>,
    scores: ApplicationScores,
    connecting: Connecting,
    syncing: Syncing,
    verdict_scoring: bool,
    agent: String,
    /// Up to when scores have decayed.
    decayed: Instant,
    dial_interval: Duration,
    listening: watch::Sender<Option<Vec<Multiaddr>>>,
    /// How many peers subscribe to any of our topics.
    subscribers: watch::Sender<usize>,
    events: Events,
}

/// What comes round by itself.
struct Rounds {
    review_peers: Interval,
    decay: Interval,
    dial: Interval,
    store: Interval,
}

impl Rounds {
    fn new(dial: Duration) -> Self {
        let every = |period: Duration| {
            let mut interval = tokio::time::interval(period.max(Duration::from_millis(10)));
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        };
        Self { review_peers: every(PEER_REVIEW), decay: every(DECAY), dial: every(dial), store: every(STORE) }
    }
}

impl Network {
    /// Binds the listeners and makes the task; [`Network::run`] it to go anywhere. Needs a tokio runtime around.
    ///
    /// `clock` is what block timestamps are compared with, `signers` whose signatures count: whoever follows L1 sends the
    /// next value there. Events come out of the receiver; the handle asks and publishes.
    ///
    /// # Errors
    /// [`NetworkError`]: no runtime, rules for another chain, a static peer without id, a peer file that cannot be
    /// read, a listener that cannot bind.
    #[allow(clippy::needless_pass_by_value)] // the task owns what it was told
    pub fn new(
        config: NetworkConfig,
        identity: NodeIdentity,
        clock: Arc<dyn Clock>,
        signers: watch::Receiver<Signers>,
    ) -> Result<(Self, NetworkHandle, mpsc::Receiver<NetworkEvent>), NetworkError> {
        tokio::runtime::Handle::try_current().map_err(|_| NetworkError::NoRuntime)?;
        if config.rules.chain_id != config.chain_id {
            return Err(NetworkError::RulesOfAnotherChain {
                ours: config.chain_id,
                rules: config.rules.chain_id,
            });
        }
        let peer_id = identity.peer_id();
        let static_peers = StaticPeers::new(peer_id, &config.static_peers, Instant::now())?;
        let file = config.peer_file.clone().map(|path| PeerFile::new(path, config.block_list.clone()));
        let Remembered { peers: known, block_list, record_seq } =
            file.as_ref().map(PeerFile::load).transpose()?.unwrap_or_default();
        let record_seq = Arc::new(AtomicU64::new(next_seq(record_seq, clock.now())));
        let exempt = static_peers.ids().chain(&config.trusted_peers).copied().collect();
        let (found_sender, found) = mpsc::channel(FOUND_QUEUE);
        let (wants_peers, wants_receiver) = watch::channel(true);
        let (view, view_receiver) = watch::channel(DiscoveryView::default());
        let (listening, listening_receiver) = watch::channel(config.listen.is_empty().then(Vec::new));
        let seams = Seams {
            record_seq: Arc::clone(&record_seq),
            known: records(&known),
            listening: listening_receiver.clone(),
            wants_peers: wants_receiver,
            found: found_sender,
            view,
        };
        let discovery =
            config.discovery.clone().map(|settings| discovery(&config, settings, &identity, seams));
        let discovery = discovery.transpose()?;
        let gater =
            ConnectionGater::new(config.gater.clone(), config.block_list.clone().merged(block_list), exempt);
        let swarm = build_swarm(&config, identity, gater, Arc::clone(&clock))?;
        let counters = Arc::new(Counters::default());
        let (event_sender, event_receiver) = mpsc::channel(config.event_queue.max(1));
        let events = Events::new(event_sender, Arc::clone(&counters));
        let (report_sender, reports) = mpsc::channel(REPORT_QUEUE);
        let (settled, settled_receiver) = watch::channel(Arc::default());
        let standing = Standing { signers, heard: watch::Sender::new(None), settled: settled_receiver };
        let (judges, queues) = judges(&config, clock.now(), &standing, &report_sender, &events);
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
            found,
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
            connecting: Connecting::default(),
            syncing: Syncing::new(config.rules.forks, Instant::now()),
            verdict_scoring: config.verdict_scoring,
            agent: config.agent.clone(),
            decayed: Instant::now(),
            dial_interval: config.dial_interval,
            listening,
            subscribers,
            events,
        };
        Ok((network, handle, event_receiver))
    }

    /// Runs until cancelled.
    ///
    /// # Errors
    /// [`NetworkError::JudgeStopped`] if a judging task ends by itself.
    pub async fn run(mut self, cancel: CancellationToken) -> Result<(), NetworkError> {
        let mut judging = JoinSet::new();
        for judge in core::mem::take(&mut self.judges) {
            judging.spawn(judge.run());
        }
        if let Some(discovery) = self.discovery.take() {
            let stop = cancel.child_token();
            judging.spawn(async move {
                discovery.run(stop).await;
                // The end of discovery alone ends nothing, and its end with the rest is no judge's.
                core::future::pending::<()>().await;
            });
        }
        let ended = self.serve(&cancel, &mut judging).await;
        judging.shutdown().await;
        self.store_peers_at_last().await;
        ended
    }

    async fn serve(
        &mut self,
        cancel: &CancellationToken,
        judging: &mut JoinSet<()>,
    ) -> Result<(), NetworkError> {
        let mut rounds = Rounds::new(self.dial_interval);
        loop {
            self.dial_static();
            self.answer_held();
            let due = self.static_peers.next_due().into_iter().chain(self.syncing.next_due()).min();
            let wait = due.map_or(NOTHING_DUE, |due| due.saturating_duration_since(Instant::now()));
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                event = self.swarm.select_next_some() => self.on_swarm(event),
                Some(report) = self.reports.recv() => self.on_report(report),
                Some(command) = self.commands.recv() => self.on_command(command),
                Some(found) = self.found.recv() => self.on_found(found),
                Some(_) = judging.join_next() => return Err(NetworkError::JudgeStopped { chain_id: self.chain_id }),
                Some(checked) = self.syncing.next_checked() => self.on_checked(checked),
                _ = rounds.review_peers.tick() => self.review_peers(),
                _ = rounds.decay.tick() => self.decay_scores(),
                _ = rounds.dial.tick() => self.dial_known(),
                _ = rounds.store.tick() => self.store_peers(),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}

/// The sequence number of the first record of this run: larger than that of any record of a run before. Without the
/// file the time sees to that; op-node counts from milliseconds, too, and may have had the key before.
const fn next_seq(last: u64, now: UnixSeconds) -> u64 {
    let (next, millis) = (last.saturating_add(1), now.0.saturating_mul(1_000));
    if next > millis { next } else { millis }
}

/// What discovery and the network task tell each other.
struct Seams {
    record_seq: Arc<AtomicU64>,
    known: Vec<Record>,
    listening: watch::Receiver<Option<Vec<Multiaddr>>>,
    wants_peers: watch::Receiver<bool>,
    found: mpsc::Sender<Vec<Found>>,
    view: watch::Sender<DiscoveryView>,
}

/// Binds discovery's socket.
fn discovery(
    config: &NetworkConfig,
    settings: DiscoveryConfig,
    identity: &NodeIdentity,
    seams: Seams,
) -> Result<Discovery, NetworkError> {
    let (chain_id, listen) = (config.chain_id, settings.listen);
    let refuse = |detail: String| NetworkError::Discovery { chain_id, listen, detail };
    let entry = ChainEntry::of(chain_id).ok_or_else(|| refuse("its id has more than 64 bits".to_owned()))?;
    let key = combined_key(identity.keypair())
        .ok_or_else(|| refuse("the key is not a secp256k1 key".to_owned()))?;
    let bound = std::net::UdpSocket::bind(listen).and_then(|socket| {
        socket.set_nonblocking(true)?;
        tokio::net::UdpSocket::from_std(socket)
    });
    let socket = Arc::new(bound.map_err(|error| refuse(error.to_string()))?);
    let is_cross_safe = config.topics.iter().any(|topic| topic.is_cross_safe());
    let Seams { record_seq, known, listening, wants_peers, found, view } = seams;
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
        found,
        view,
    };
    Ok(Discovery::new(parts))
}

fn judges(
    config: &NetworkConfig,
    now: UnixSeconds,
    standing: &Standing,
    reports: &mpsc::Sender<Report>,
    events: &Events,
) -> (Vec<Judge>, BTreeMap<Topic, JudgeQueue>) {
    let current_version = config.rules.forks.version_at(now);
    let topics: BTreeSet<_> = config.topics.iter().copied().collect();
    let made = topics.into_iter().map(|topic| {
        let share = |whole: usize| {
            if topic.version() < current_version { whole.div_ceil(PAST_TOPICS_SHARE) } else { whole }
        };
        let bounds = (share(config.judge_queue_frames), share(config.judge_queue_bytes));
        let rules = config.rules.clone();
        let (judge, queue) =
            Judge::new(topic, rules, bounds, standing.clone(), reports.clone(), events.clone());
        (judge, (topic, queue))
    });
    made.unzip()
}
