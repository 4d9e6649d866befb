//! [`NetworkConfig`]: what one chain's network task is told.
//!
//! Plain values; [`Network::new`](crate::Network::new) checks them.

use super::{BlockList, DiscoveryConfig, GaterLimits};
use crate::{ChainId, Topic, ValidationRules};
use libp2p::{Multiaddr, PeerId};
use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf, time::Duration};

/// The settings of one chain's network. Start from [`NetworkConfig::new`] and change fields: new ones are added.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    /// The chain.
    pub chain_id: ChainId,
    /// Where to listen; empty: dial only.
    pub listen: Vec<Multiaddr>,
    /// Peers to stay connected to, each with its `/p2p/ID`. Several addresses of one peer are tried together. Names
    /// (`/dns4`, `/dns6`, `/dns`, `/dnsaddr`) are looked up at each dial.
    pub static_peers: Vec<Multiaddr>,
    /// The name servers that are asked for names in addresses. Empty: the system's.
    pub name_servers: Vec<SocketAddr>,
    /// The topics to subscribe to, all by default. With [`Topic::BLOCKS`] the node joins the unsafe blocks alone: it
    /// neither receives nor relays attestations, and its node record does not offer the cross-safe topic. Publishing
    /// needs no subscription.
    pub topics: Vec<Topic>,
    /// The validator's settings.
    pub rules: ValidationRules,
    /// The name that other nodes get: `crosscheck/<version>` by default.
    pub agent: String,
    /// Peers that are never pruned or banned, wherever they are; static peers are trusted too.
    pub trusted_peers: BTreeSet<PeerId>,
    /// How many connections to allow, and when to ban.
    pub gater: GaterLimits,
    /// Peers, addresses and subnets that are blocked from the start.
    pub block_list: BlockList,
    /// Where known peers and blocks are stored, to be read at the next start. `None`: nowhere.
    pub peer_file: Option<PathBuf>,
    /// How the node is found, and finds others. `None`: it is not, and does not.
    pub discovery: Option<DiscoveryConfig>,
    /// How often known peers are dialled while there are fewer than [`GaterLimits::peers_low`].
    pub dial_interval: Duration,
    /// The time between two blocks, by which the part of a score decays that gossipsub itself counts.
    pub block_time: Duration,
    /// Whether our own verdicts count for a peer's score.
    pub verdict_scoring: bool,
    /// Whether deliveries on topics count for a peer's score. On this network that has pruned honest peers.
    pub topic_scoring: bool,
    /// How many frames may wait for judgement, per topic: a quarter of it on topics of versions that the chain has left
    /// behind. One more is ignored, and counted.
    pub judge_queue_frames: usize,
    /// How many bytes of frames may wait for judgement, per topic, and a quarter of it in the same way. One more frame
    /// is ignored, and counted.
    pub judge_queue_bytes: usize,
    /// How many events may wait to be taken.
    pub event_queue: usize,
    /// How many commands may wait to be carried out.
    pub command_queue: usize,
}

impl NetworkConfig {
    /// The peers that are never pruned or banned: static and trusted ones.
    pub fn kept_peers(&self) -> BTreeSet<PeerId> {
        let last = |addr: &Multiaddr| match addr.iter().last() {
            Some(libp2p::multiaddr::Protocol::P2p(peer_id)) => Some(peer_id),
            Some(_) | None => None,
        };
        self.static_peers.iter().filter_map(last).chain(self.trusted_peers.iter().copied()).collect()
    }

    /// Loopback on a free port, no static peers, every topic. The queue takes the attestations of one promoted
    /// batch, a few hundred, at once.
    pub fn new(chain_id: ChainId) -> Self {
        let loopback = Multiaddr::empty()
            .with(libp2p::multiaddr::Protocol::Ip4(core::net::Ipv4Addr::LOCALHOST))
            .with(libp2p::multiaddr::Protocol::Tcp(0));
        Self {
            chain_id,
            listen: vec![loopback],
            static_peers: Vec::new(),
            name_servers: Vec::new(),
            topics: Topic::ALL.to_vec(),
            rules: ValidationRules::new(chain_id),
            agent: concat!("crosscheck/", env!("CARGO_PKG_VERSION")).to_owned(),
            trusted_peers: BTreeSet::new(),
            gater: GaterLimits::default(),
            block_list: BlockList::default(),
            peer_file: None,
            discovery: None,
            dial_interval: Duration::from_secs(5),
            block_time: Duration::from_secs(2),
            verdict_scoring: true,
            topic_scoring: false,
            judge_queue_frames: 1_024,
            judge_queue_bytes: 64 * 1024 * 1024,
            event_queue: 64,
            command_queue: 64,
        }
    }
}
