//! A follower of each chain: an execution client that hears gossip, and a node that derives nothing and takes the heads
//! that a sidecar serves, by the rules by which op-node follows a source.
//!
//! [`LightCl`] and [`FollowerStore`] are pure; [`Follower`] does the talking, and [`Followers`] owns them all. None of
//! them trusts what the sidecar says: what became of it is judged against the devnet's own chains.

mod conduct;
mod follow_status;
mod follower_store;
mod followers;
mod light_cl;
mod shell;

pub use conduct::{Conduct, FollowerReport};
pub use follow_status::{FollowStatus, L1Ref, L2Ref};
pub use follower_store::{FollowerStore, MissingBlock};
pub use followers::{Followers, FollowersError};
pub use light_cl::{LightCl, Rejection, Step};
pub use shell::{Follower, FollowerEndpoints};
