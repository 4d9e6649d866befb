//! [`NetworkConfig`]: the settings of one chain's network task.
//!
//! Plain values. [`Network::new`](crate::Network::new) checks them.

use super::{BlockList, DiscoveryConfig, GaterLimits};
use crate::{ChainId, Topic, ValidationRules};
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

/// The multiaddress of loopback at a TCP port. Port 0: a free one.
pub fn loopback_addr(port: u16) -> Multiaddr {
    Multiaddr::from(Ipv4Addr::LOCALHOST).with(Protocol::Tcp(port))
}

/// The settings of one chain's network. Start from [`NetworkConfig::new`] and change fields: new ones are
/// added.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    /// The chain whose gossip is joined.
    pub chain_id: ChainId,
    /// The TCP addresses to listen on. Empty: the node only dials.
    pub listen: Vec<Multiaddr>,
    /// Peers to stay connected to, each with its `/p2p/ID`. Several addresses of one peer are tried together.
    /// Names (`/dns4`, `/dns6`, `/dns`, `/dnsaddr`) are looked up at each dial.
    pub static_peers: Vec<Multiaddr>,
    /// The name servers that are asked for names in addresses. Empty: the system's.
    pub name_servers: Vec<SocketAddr>,
    /// The topics to subscribe to, all by default. The cross-safe topic is optional: with [`Topic::BLOCKS`]
    /// the node joins the topics of unsafe blocks alone. It then neither receives nor relays attestations,
    /// and its node record does not name it as a subscriber. Publishing needs no subscription.
    pub topics: Vec<Topic>,
    /// The validator's rules. Their chain id must be the same.
    pub rules: ValidationRules,
    /// The agent string that other nodes get: `crosscheck/<version>` by default.
    pub agent: String,
    /// Peers that are never pruned or banned, at any address. Static peers are trusted too.
    pub trusted_peers: BTreeSet<PeerId>,
    /// How many connections to allow, and when to ban.
    pub gater: GaterLimits,
    /// Peers, addresses and subnets that are blocked from the start.
    pub block_list: BlockList,
    /// The file in which known peers and blocks of peers are stored for the next start. `None`: nowhere.
    pub peer_file: Option<PathBuf>,
    /// Discovery of peers by discv5. `None`: the node is not found by others, and finds none.
    pub discovery: Option<DiscoveryConfig>,
    /// How often known peers are dialled while there are fewer than [`GaterLimits::peers_low`].
    pub dial_interval: Duration,
    /// The chain's block time: the interval at which gossipsub's own part of scores decays, 1 s at least.
    pub block_time: Duration,
    /// Whether our own verdicts change a peer's score.
    pub verdict_scoring: bool,
    /// Whether deliveries on topics change a peer's score. On op-node's networks that has pruned honest
    /// peers.
    pub topic_scoring: bool,
    /// How many frames may wait to be judged, per topic; a quarter of it on topics of payload versions before
    /// the current one. A further frame is ignored, and counted.
    pub judge_queue_frames: usize,
    /// How many bytes of frames may wait to be judged, per topic, and a quarter of it in the same way. A
    /// further frame is ignored, and counted.
    pub judge_queue_bytes: usize,
    /// How many events may wait to be received.
    pub event_queue: usize,
    /// How many commands may wait to be carried out.
    pub command_queue: usize,
}

impl NetworkConfig {
    /// The peers that are never pruned or banned: static and trusted ones.
    pub fn kept_peers(&self) -> BTreeSet<PeerId> {
        let last = |addr: &Multiaddr| match addr.iter().last() {
            Some(Protocol::P2p(peer_id)) => Some(peer_id),
            Some(_) | None => None,
        };
        self.static_peers.iter().filter_map(last).chain(self.trusted_peers.iter().copied()).collect()
    }

    /// Listens on loopback on a free port, without static peers, on every topic. The queue of frames has room
    /// for the attestations of one promoted batch, a few hundred, at once.
    pub fn new(chain_id: ChainId) -> Self {
        Self {
            chain_id,
            listen: vec![loopback_addr(0)],
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
