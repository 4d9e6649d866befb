//! [`Network`]: the task that keeps one chain's node on the gossip network.
//!
//! ```text
//! peers <--> swarm --frames--> Judge (one per topic) --blocks, refusals--> events
//!              ^                 |
//!              +---- reports ----+
//! ```
//!
//! The swarm never waits: frames that find no room in a judge's queue are ignored. It never judges a frame
//! itself and never reads a clock but the one that it was given.

mod behaviour;
mod config;
mod counters;
mod error;
mod event;
mod handle;
mod identity;
mod judge;
mod static_peers;

pub use config::NetworkConfig;
pub use counters::NetworkCounters;
pub use error::NetworkError;
pub use event::NetworkEvent;
pub use handle::{NetworkClosed, NetworkHandle, PeerInfo, PublishError};
pub use identity::{IdentityError, NodeIdentity};
pub use static_peers::NoPeerIdError;

use crate::{ChainId, Clock, MAX_FRAME_BYTES, MessageId, Signers, Topic, message_id};
use alloy_primitives::Bytes;
use behaviour::{Behaviour, BehaviourEvent, topic_hash};
use counters::Counters;
use event::Events;
use futures::StreamExt as _;
use handle::Command;
use judge::{Job, Judge, JudgeQueue, Report, Standing};
use libp2p::{
    Multiaddr, PeerId, Swarm, SwarmBuilder,
    gossipsub::{self, IdentTopic, MessageAcceptance},
    noise,
    swarm::{
        SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
    tcp, yamux,
};
use static_peers::StaticPeers;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// Verdicts that may wait for the swarm, which takes them as they come.
const REPORT_QUEUE: usize = 256;
/// Peers outside the mesh are kept too: they carry gossip about messages.
const IDLE_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);
/// Without a static peer to dial, the timer just comes round.
const NOTHING_DUE: Duration = Duration::from_secs(60 * 60);

/// The network task of one chain.
pub struct Network {
    chain_id: ChainId,
    swarm: Swarm<Behaviour>,
    clock: Arc<dyn Clock>,
    judges: Vec<Judge>,
    queues: BTreeMap<Topic, JudgeQueue>,
    reports: mpsc::Receiver<Report>,
    commands: mpsc::Receiver<Command>,
    static_peers: StaticPeers,
    addrs: BTreeMap<PeerId, Multiaddr>,
    listening: watch::Sender<Option<Vec<Multiaddr>>>,
    events: Events,
}

impl Network {
    /// Binds the listeners and makes the task; [`Network::run`] it to go anywhere. Needs a tokio runtime around.
    ///
    /// # Errors
    /// [`NetworkError`]: no runtime, rules for another chain, a static peer without id, a listener that cannot
    /// bind.
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
        let swarm = build_swarm(&config, identity, &static_peers)?;
        let counters = Arc::new(Counters::default());
        let (event_sender, event_receiver) = mpsc::channel(config.event_queue.max(1));
        let events = Events::new(event_sender, Arc::clone(&counters));
        let (report_sender, reports) = mpsc::channel(REPORT_QUEUE);
        let (settled, settled_receiver) = watch::channel(None);
        let standing = Standing { signers, heard: watch::Sender::new(None), settled: settled_receiver };
        let (judges, queues) = judges(&config, &standing, &report_sender, &events);
        let (command_sender, commands) = mpsc::channel(config.command_queue.max(1));
        let (listening, listening_receiver) = watch::channel(config.listen.is_empty().then(Vec::new));
        let handle = NetworkHandle {
            peer_id,
            commands: command_sender,
            listening: listening_receiver,
            settled,
            counters,
        };
        let network = Self {
            chain_id: config.chain_id,
            swarm,
            clock,
            judges,
            queues,
            reports,
            commands,
            static_peers,
            addrs: BTreeMap::new(),
            listening,
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
        let ended = self.serve(&cancel, &mut judging).await;
        judging.shutdown().await;
        ended
    }

    async fn serve(
        &mut self,
        cancel: &CancellationToken,
        judging: &mut JoinSet<()>,
    ) -> Result<(), NetworkError> {
        loop {
            self.dial_due();
            let due = self.static_peers.next_due();
            let wait = due.map_or(NOTHING_DUE, |due| due.saturating_duration_since(Instant::now()));
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                event = self.swarm.select_next_some() => self.on_swarm(event),
                Some(report) = self.reports.recv() => self.on_report(&report),
                Some(command) = self.commands.recv() => self.on_command(command),
                Some(_) = judging.join_next() => return Err(NetworkError::JudgeStopped { chain_id: self.chain_id }),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    fn dial_due(&mut self) {
        for (peer_id, addrs) in self.static_peers.take_due(Instant::now()) {
            let options = DialOpts::peer_id(peer_id)
                .addresses(addrs)
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .build();
            if let Err(error) = self.swarm.dial(options) {
                tracing::debug!(%peer_id, %error, "static peer not dialled");
                self.on_unreached(&peer_id);
            }
        }
    }

    fn on_unreached(&mut self, peer_id: &PeerId) {
        if self.swarm.is_connected(peer_id) {
            self.static_peers.connected(peer_id, Instant::now());
        } else {
            self.static_peers.lost(peer_id, Instant::now());
        }
    }

    fn on_report(&mut self, report: &Report) {
        let Report { id, source, acceptance } = report;
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        if !gossip.report_message_validation_result(id, source, *acceptance) {
            tracing::debug!(%id, ?acceptance, "the verdict came too late: the message has left the cache");
        }
    }

    fn on_command(&mut self, command: Command) {
        // A caller that no longer waits for its answer needs none.
        match command {
            Command::Publish { topic, frame, reply } => drop(reply.send(self.publish(topic, &frame))),
            Command::Peers { reply } => drop(reply.send(self.peers())),
        }
    }

    fn publish(&mut self, topic: Topic, frame: &Bytes) -> Result<MessageId, PublishError> {
        let message_id = message_id(&topic.path(self.chain_id), frame);
        let hash = topic_hash(topic, self.chain_id);
        match self.swarm.behaviour_mut().gossip.publish(hash, frame.to_vec()) {
            Ok(_) => Ok(message_id),
            Err(error) => Err(publish_error(error, topic, message_id, frame.len())),
        }
    }

    fn peers(&self) -> Vec<PeerInfo> {
        let gossip = &self.swarm.behaviour().gossip;
        let hashes = Topic::ALL.map(|topic| (topic, topic_hash(topic, self.chain_id)));
        let mut peers = Vec::new();
        for (peer_id, subscribed) in gossip.all_peers() {
            let which = |holds: &dyn Fn(&gossipsub::TopicHash) -> bool| {
                hashes.iter().filter(|(_, hash)| holds(hash)).map(|(topic, _)| *topic).collect()
            };
            peers.push(PeerInfo {
                peer_id: *peer_id,
                addr: self.addrs.get(peer_id).cloned(),
                topics: which(&|hash| subscribed.contains(&hash)),
                mesh: which(&|hash| gossip.mesh_peers(hash).any(|peer| peer == peer_id)),
            });
        }
        peers
    }

    #[allow(clippy::wildcard_enum_match_arm)] // libp2p's event is non-exhaustive
    fn on_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            })) => self.on_message(propagation_source, message_id, message),
            SwarmEvent::ConnectionEstablished { peer_id, endpoint, num_established, .. } => {
                self.on_connected(peer_id, endpoint.get_remote_address().clone(), num_established.get());
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => self.on_closed(peer_id),
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer_id), error, .. } => {
                tracing::debug!(%peer_id, %error, "peer not reached");
                self.on_unreached(&peer_id);
            }
            SwarmEvent::NewListenAddr { address, .. } => self.on_listening(address),
            SwarmEvent::ExpiredListenAddr { address, .. } => self.on_listening_no_more(&address),
            SwarmEvent::ListenerError { error, .. } => tracing::debug!(%error, "a listener had an error"),
            SwarmEvent::ListenerClosed { reason: Err(error), .. } => {
                tracing::warn!(%error, "a listener closed");
            }
            other => tracing::trace!(event = ?other, "swarm"),
        }
    }

    fn on_message(&mut self, source: PeerId, id: gossipsub::MessageId, message: gossipsub::Message) {
        let topic = Topic::ALL.into_iter().find(|topic| topic_hash(*topic, self.chain_id) == message.topic);
        let job =
            Job { id, source, frame: message.data.into(), at: Instant::now(), arrived: self.clock.now() };
        let refused = match topic.and_then(|topic| self.queues.get(&topic)) {
            Some(queue) => queue.push(job),
            None => Err(Box::new(job)),
        };
        if let Err(job) = refused {
            self.events.counters().queue_full.increment();
            tracing::debug!(topic = %message.topic, id = %job.id, "no room to judge a frame: ignored");
            self.on_report(&Report { id: job.id, source, acceptance: MessageAcceptance::Ignore });
        }
    }

    fn on_connected(&mut self, peer_id: PeerId, addr: Multiaddr, connections: u32) {
        self.static_peers.connected(&peer_id, Instant::now());
        if connections == 1 {
            tracing::debug!(%peer_id, %addr, "peer connected");
            self.addrs.insert(peer_id, addr.clone());
            self.events.offer(NetworkEvent::PeerConnected { peer_id, addr });
        }
    }

    fn on_closed(&mut self, peer_id: PeerId) {
        tracing::debug!(%peer_id, "peer disconnected");
        self.addrs.remove(&peer_id);
        self.static_peers.lost(&peer_id, Instant::now());
        self.events.offer(NetworkEvent::PeerDisconnected { peer_id });
    }

    fn on_listening(&self, addr: Multiaddr) {
        let addr = addr.with_p2p(*self.swarm.local_peer_id()).unwrap_or_else(|addr| addr);
        tracing::info!(chain_id = %self.chain_id, %addr, "listening");
        self.listening.send_modify(|addrs| addrs.get_or_insert_default().push(addr));
    }

    fn on_listening_no_more(&self, addr: &Multiaddr) {
        let expired = addr.clone().with_p2p(*self.swarm.local_peer_id()).unwrap_or_else(|addr| addr);
        self.listening.send_modify(|addrs| addrs.get_or_insert_default().retain(|addr| *addr != expired));
    }
}

fn judges(
    config: &NetworkConfig,
    standing: &Standing,
    reports: &mpsc::Sender<Report>,
    events: &Events,
) -> (Vec<Judge>, BTreeMap<Topic, JudgeQueue>) {
    let bounds = (config.judge_queue_frames, config.judge_queue_bytes);
    let topics: BTreeSet<_> = config.topics.iter().copied().collect();
    let made = topics.into_iter().map(|topic| {
        let rules = config.rules.clone();
        let (judge, queue) =
            Judge::new(topic, rules, bounds, standing.clone(), reports.clone(), events.clone());
        (judge, (topic, queue))
    });
    made.unzip()
}

fn build_swarm(
    config: &NetworkConfig,
    identity: NodeIdentity,
    static_peers: &StaticPeers,
) -> Result<Swarm<Behaviour>, NetworkError> {
    let setup = |detail: String| NetworkError::Setup { chain_id: config.chain_id, detail };
    let keypair = identity.into_keypair();
    let exempt = static_peers.ids().copied();
    let behaviour = Behaviour::new(config.chain_id, &keypair, &config.agent, config.max_connections, exempt);
    let behaviour = behaviour.map_err(setup)?;
    let mut swarm = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)
        .map_err(|error| setup(error.to_string()))?
        .with_dns()
        .map_err(|error| setup(error.to_string()))?
        .with_behaviour(|_| behaviour)
        .map_err(|error| setup(error.to_string()))?
        .with_swarm_config(|swarm| swarm.with_idle_connection_timeout(IDLE_TIMEOUT))
        .build();
    for topic in &config.topics {
        let subscribed =
            swarm.behaviour_mut().gossip.subscribe(&IdentTopic::new(topic.path(config.chain_id)));
        subscribed.map_err(|error| setup(error.to_string()))?;
    }
    for addr in &config.listen {
        swarm
            .listen_on(addr.clone())
            .map_err(|error| NetworkError::Listen { addr: addr.clone(), detail: error.to_string() })?;
    }
    Ok(swarm)
}

fn publish_error(
    error: gossipsub::PublishError,
    topic: Topic,
    message_id: MessageId,
    size: usize,
) -> PublishError {
    match error {
        gossipsub::PublishError::NoPeersSubscribedToTopic => PublishError::NoPeers { topic },
        gossipsub::PublishError::Duplicate => PublishError::Duplicate { topic, message_id },
        gossipsub::PublishError::MessageTooLarge => PublishError::TooLarge { size, limit: MAX_FRAME_BYTES },
        gossipsub::PublishError::AllQueuesFull(peers) => PublishError::QueuesFull { topic, peers },
        error @ (gossipsub::PublishError::SigningError(_) | gossipsub::PublishError::TransformFailed(_)) => {
            PublishError::Refused { topic, detail: error.to_string() }
        }
    }
}
