//! [`GaterLimits`]: how many connections the gater allows, and when it bans.
//!
//! The defaults are op-node's, except for the hard limits, which op-node does not have.

/// The gater's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct GaterLimits {
    /// The node looks for peers while it has fewer than this many. Pruning leaves this many.
    pub peers_low: usize,
    /// With more peers than this many, those past their grace are pruned down to
    /// [`peers_low`](Self::peers_low).
    pub peers_high: usize,
    /// How long a new peer is not pruned, seconds.
    pub grace_secs: u64,
    /// The most connections at any time, handshakes not counted. Exempt peers are accepted beyond it.
    pub max_connections: usize,
    /// The most inbound connections. The rest are reserved for peers that this node dials, so that inbound
    /// connections cannot use them all.
    pub max_inbound: usize,
    /// The most handshakes in progress in each direction.
    pub max_pending: usize,
    /// The most inbound handshakes in progress with one host: an IPv4 address, or an IPv6 /64. Loopback has
    /// no limit.
    pub max_pending_per_host: usize,
    /// A peer with a score below this is banned, unless it is exempt.
    pub ban_below: f64,
    /// How long a ban lasts, seconds.
    pub ban_duration_secs: u64,
}

impl Default for GaterLimits {
    fn default() -> Self {
        Self {
            peers_low: 20,
            peers_high: 30,
            grace_secs: 30,
            max_connections: 60,
            max_inbound: 40,
            max_pending: 32,
            max_pending_per_host: 8,
            ban_below: -100.0,
            ban_duration_secs: 60 * 60,
        }
    }
}
