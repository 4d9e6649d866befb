//! [`FollowConfig`]: whether and where the vouched head is served to followers.

use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};

/// What followers are served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FollowMode {
    /// Nothing: there is no server.
    #[default]
    Off,
    /// The status of an upstream that judges cross-safety, lowered to what Crosscheck vouches for.
    Clamp,
    /// The vouched head, on top of what the chain's own rollup node derives.
    Attested,
}

/// Whether and where the vouched head is served to followers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FollowConfig {
    /// What is served.
    pub mode: FollowMode,
    /// Where the server listens.
    pub addr: SocketAddr,
}

impl Default for FollowConfig {
    fn default() -> Self {
        Self { mode: FollowMode::Off, addr: (Ipv4Addr::LOCALHOST, 9646).into() }
    }
}
