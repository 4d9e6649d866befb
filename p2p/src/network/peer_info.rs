//! [`PeerInfo`]: what the node tells of a peer.
//!
//! A copy of the moment at which it was asked.

use super::Direction;
use crate::Topic;
use libp2p::{Multiaddr, PeerId};
use std::time::Duration;

/// A peer that is connected, or was, or was heard of.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerInfo {
    /// The peer.
    pub peer_id: PeerId,
    /// Where it was reached, or reached us from, if it is connected.
    pub addr: Option<Multiaddr>,
    /// Who opened the connection, if it is connected.
    pub direction: Option<Direction>,
    /// What it subscribed to.
    pub topics: Vec<Topic>,
    /// On which topics it is in our mesh.
    pub mesh: Vec<Topic>,
    /// Where it can be dialled, as far as known.
    pub addrs: Vec<Multiaddr>,
    /// The name that it gives itself.
    pub agent: Option<String>,
    /// The version of the protocols that it gives.
    pub protocol_version: Option<String>,
    /// The protocols that it speaks.
    pub protocols: Vec<String>,
    /// Its node record, if it was found by discovery.
    pub enr: Option<String>,
    /// The chain that its record names.
    pub chain_id: Option<u64>,
    /// The last ping's round trip.
    pub latency: Option<Duration>,
    /// What it is worth: below zero it is in no mesh.
    pub score: f64,
    /// The part of the score that comes from our verdicts.
    pub application_score: f64,
    /// Whether it is neither pruned nor banned.
    pub protected: bool,
}

impl PeerInfo {
    /// Whether it is connected.
    pub const fn is_connected(&self) -> bool {
        self.addr.is_some()
    }
}
