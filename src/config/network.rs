//! [`P2pConfig`]: how a chain's gossip is joined.

use super::Seconds;
use crosscheck_p2p::{Multiaddr, SIGNER_GRACE};
use serde::{Deserialize, Serialize};
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
    /// The file with the node's key; relative to `data_dir`. Unset: `p2p-<chain id>.key`.
    pub key_file: Option<PathBuf>,
    /// How old a block on `blocksv4` may be.
    pub blocks_past: Seconds,
    /// How old a block on `cross-safe-blocksv1` may be.
    pub cross_safe_past: Seconds,
    /// How far ahead of the clock a block may be, on either topic.
    pub future: Seconds,
    /// How long the previous unsafe block signer is honoured after L1 names another, if that is not heard before.
    pub signer_grace: Seconds,
}

impl Default for P2pConfig {
    fn default() -> Self {
        Self {
            listen: vec!["/ip4/127.0.0.1/tcp/9222".parse().unwrap_or_else(|_| Multiaddr::empty())],
            static_peers: Vec::new(),
            key_file: None,
            blocks_past: Seconds(Duration::from_secs(60)),
            cross_safe_past: Seconds(Duration::from_secs(12 * 60 * 60)),
            future: Seconds(Duration::from_secs(5)),
            signer_grace: Seconds(Duration::from_secs(SIGNER_GRACE)),
        }
    }
}
