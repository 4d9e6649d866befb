//! [`NetworkConfig`]: what one chain's network task is told.
//!
//! Plain values; [`Network::new`](crate::Network::new) checks them.

use crate::{ChainId, Topic, ValidationRules};
use libp2p::Multiaddr;

/// The settings of one chain's network.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    /// The chain.
    pub chain_id: ChainId,
    /// Where to listen; empty: dial only.
    pub listen: Vec<Multiaddr>,
    /// Peers to stay connected to, each with its `/p2p/ID`. Several addresses of one peer are tried together.
    pub static_peers: Vec<Multiaddr>,
    /// The topics to subscribe to. Publishing needs no subscription.
    pub topics: Vec<Topic>,
    /// The validator's settings.
    pub rules: ValidationRules,
    /// The name that peers are told: `crosscheck/<version>` by default.
    pub agent: String,
    /// The most connections to hold; static peers get in beyond it.
    pub max_connections: u32,
    /// How many frames may wait for judgement, per topic. One more is ignored, and counted.
    pub judge_queue_frames: usize,
    /// How many bytes of frames may wait for judgement, per topic. One more frame is ignored, and counted.
    pub judge_queue_bytes: usize,
    /// How many events may wait to be taken.
    pub event_queue: usize,
    /// How many commands may wait to be carried out.
    pub command_queue: usize,
}

impl NetworkConfig {
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
            topics: Topic::ALL.to_vec(),
            rules: ValidationRules::new(chain_id),
            agent: concat!("crosscheck/", env!("CARGO_PKG_VERSION")).to_owned(),
            max_connections: 60,
            judge_queue_frames: 1_024,
            judge_queue_bytes: 64 * 1024 * 1024,
            event_queue: 64,
            command_queue: 64,
        }
    }
}
