//! [`FollowConfig`]: whether and where the vouched head is served to followers.

use super::form::{choice, socket};
use super::section::section;
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
    /// The head that attestations lead to, on top of what the chain's own rollup node derives.
    Attested,
    /// The same; what is audited is every block that the rollup node derives, attested or not.
    Verified,
}

section! {
    /// The server for followers.
    pub struct FollowConfig at "follow.", per_chain: false {
        /// The status that is served to an op-node or kona-node that follows
        /// (--l2.follow.source=http://<addr>/<chain id>/).
        mode: FollowMode = FollowMode::Off, choice(&[
            ("off", "no server"),
            ("clamp", "the status of an op-supernode or another node, lowered to the vouched head; what it calls safe is verified"),
            ("attested", "the vouched head, on top of the chain that the rollup node derives; it moves with attestations"),
            ("verified", "the same, without attestations: every block that the rollup node derives is verified, and the head is what was found valid; needs l1.execution"),
        ]);

        /// The address of the server for followers.
        addr: SocketAddr = (Ipv4Addr::LOCALHOST, 9646).into(), socket().limited("different from rpc.addr and http.addr");
    }
}
