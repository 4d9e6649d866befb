//! [`GaterRules`]: the numbers that the gater holds connections to.
//!
//! The defaults are op-node's, but for the hard caps, which it has none of.

/// The gater's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct GaterRules {
    /// How many peers are left after pruning, and up to how many the node looks for more.
    pub low_tide: usize,
    /// How many peers may stay: one more, and those beyond their grace are pruned down to `low_tide`.
    pub high_tide: usize,
    /// Seconds for which a new peer is not pruned.
    pub grace: u64,
    /// The most connections at any time, handshakes left aside. Exempt peers get in beyond it.
    pub max_connections: usize,
    /// The most connections that others opened: the rest are kept for peers that this node dials, so that strangers
    /// cannot take every place.
    pub max_inbound: usize,
    /// The most connections of one peer: two that dial each other at once have two, and one may be closing.
    pub max_connections_per_peer: usize,
    /// The most handshakes under way in each direction.
    pub max_pending: usize,
    /// The most inbound handshakes under way from one host, which is an IPv4 address or a /64 of IPv6, but loopback.
    pub max_pending_per_host: usize,
    /// A peer that scores less is banned, unless it is exempt.
    pub ban_below: f64,
    /// Seconds that a ban lasts.
    pub ban_duration: u64,
}

impl Default for GaterRules {
    fn default() -> Self {
        Self {
            low_tide: 20,
            high_tide: 30,
            grace: 30,
            max_connections: 60,
            max_inbound: 40,
            max_connections_per_peer: 3,
            max_pending: 32,
            max_pending_per_host: 8,
            ban_below: -100.0,
            ban_duration: 60 * 60,
        }
    }
}
