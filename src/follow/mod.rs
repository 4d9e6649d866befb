//! Following: the head that Crosscheck vouches for, served as `optimism_syncStatus` to an unmodified op-node
//! (`--l2.follow.source`) or kona-node.
//!
//! `block_ref`, `upstream_status`, `canonical_hashes`, `cross_chain`, `lagoon`, `reading`, `served_status`
//! and `draft` are pure; the follower task around them asks the nodes, and the server answers from what the
//! follower left in [`Served`]. Nothing here moves the vouched head: that is the ledger's, after a verdict or
//! an operator's resolution. A status is never invented: until there is one, the server says that it is not
//! ready, and why.

mod block_ref;
mod canonical_hashes;
mod cross_chain;
mod draft;
mod error;
mod follower;
mod front;
mod genesis;
mod keep;
mod lagoon;
mod limit_watch;
mod metrics;
mod own_claims;
mod reading;
mod served;
mod served_status;
mod server;
mod upstream;
mod upstream_status;
mod verified;

pub use block_ref::{BlockRefError, L1Ref, L2Ref};
pub use canonical_hashes::CanonicalHashes;
pub use cross_chain::CrossChainLimits;
pub use draft::Draft;
pub use error::FollowError;
pub use follower::{Follower, FollowerParts};
pub use genesis::Genesis;
pub use keep::Keep;
pub use lagoon::Lagoon;
pub use metrics::FollowMetrics;
pub use reading::Reading;
pub use served::Served;
pub use served_status::{Facts, FinalLimit, KeepFacts, ServedStatus, Vouched};
pub use server::serve;
pub use upstream::Upstream;
#[cfg(test)]
pub(crate) use upstream_status::L1Heads;
pub use upstream_status::{UpstreamStatus, UpstreamStatusError};

#[cfg(test)]
mod sample;
