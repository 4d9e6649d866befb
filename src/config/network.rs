//! [`P2pConfig`]: how a chain's gossip is joined.

use super::{Seconds, Text};
use crosscheck_p2p::{Bootnode, Multiaddr, PeerId, SIGNER_GRACE_SECS, SigningDomain, Subnet};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// How a chain's gossip is joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct P2pConfig {
    /// Where to listen.
    pub listen: Vec<Multiaddr>,
    /// Peers to stay connected to, each with its `/p2p/` id.
    pub static_peers: Vec<Multiaddr>,
    /// Peers that are never pruned or banned, wherever they are. Static peers are trusted too.
    pub trusted_peers: Vec<Text<PeerId>>,
    /// Subnets that are neither dialled nor let in.
    pub blocked_subnets: Vec<Text<Subnet>>,
    /// Up to how many peers the node looks for more, and how many are left after pruning.
    pub peers_lo: usize,
    /// How many peers may stay.
    pub peers_hi: usize,
    /// How long a peer is banned for a bad score.
    pub ban_duration: Seconds,
    /// Whether rejected frames, valid blocks and answers count for a peer's score.
    pub verdict_scoring: bool,
    /// Whether deliveries count for a peer's score.
    pub topic_scoring: bool,
    /// Discovery's UDP socket. Unset: peers are not looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discovery: Option<SocketAddr>,
    /// Where discovery begins.
    pub bootnodes: Vec<Bootnode>,
    /// The address that other nodes get. Unset: the one that they see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertise_ip: Option<IpAddr>,
    /// The TCP port that other nodes get. Unset: the one that is listened on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertise_tcp: Option<u16>,
    /// The UDP port that other nodes get. Unset: discovery's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertise_udp: Option<u16>,
    /// The file with the node's key; relative to `data_dir`. Unset: `p2p-<chain id>.key`.
    pub key_file: Option<PathBuf>,
    /// How old a block on `blocksv4` may be.
    pub blocks_past: Seconds,
    /// How old a block on `cross-safe-blocksv1` may be.
    pub cross_safe_past: Seconds,
    /// The domains in which a signature on `cross-safe-blocksv1` counts.
    pub cross_safe_domains: Vec<Text<SigningDomain>>,
    /// How far ahead of the clock a block may be, on either topic.
    pub future: Seconds,
    /// How long the chain may be without a peer before that stands in the way of being ready.
    pub peer_patience: Seconds,
    /// How long every frame may be refused for its signer or its form before that does.
    pub refusal_patience: Seconds,
    /// How long the previous unsafe block signer is honoured after L1 names another, if that is not heard before.
    pub signer_grace: Seconds,
}

impl Default for P2pConfig {
    fn default() -> Self {
        Self {
            listen: vec!["/ip4/127.0.0.1/tcp/9222".parse().unwrap_or_else(|_| Multiaddr::empty())],
            static_peers: Vec::new(),
            trusted_peers: Vec::new(),
            blocked_subnets: Vec::new(),
            peers_lo: 20,
            peers_hi: 30,
            ban_duration: Seconds(Duration::from_secs(60 * 60)),
            verdict_scoring: true,
            topic_scoring: false,
            discovery: None,
            bootnodes: Vec::new(),
            advertise_ip: None,
            advertise_tcp: None,
            advertise_udp: None,
            key_file: None,
            blocks_past: Seconds(Duration::from_secs(60)),
            cross_safe_past: Seconds(Duration::from_secs(12 * 60 * 60)),
            cross_safe_domains: [SigningDomain::CrossSafeBlocksV1, SigningDomain::Zero].map(Text).into(),
            future: Seconds(Duration::from_secs(5)),
            peer_patience: Seconds(Duration::from_secs(5 * 60)),
            refusal_patience: Seconds(Duration::from_secs(60)),
            signer_grace: Seconds(Duration::from_secs(SIGNER_GRACE_SECS)),
        }
    }
}
