//! A follower of each chain: an execution client that hears gossip, and a node that derives nothing and takes
//! the heads that a sidecar serves, by the rules by which op-node follows a source.
//!
//! `LightCl` and `FollowerStore` are pure; [`SimulatedFollower`] does the talking, and `Followers` owns them
//! all. None of them trusts what the sidecar says: what became of it is judged against the devnet's own
//! chains.

mod behaviour;
mod devnet_follow_mode;
mod follow_status;
mod follower_store;
mod followers;
mod light_cl;
mod simulated_follower;

pub use behaviour::FollowerBehaviour;
pub(crate) use behaviour::FollowerReport;
pub use devnet_follow_mode::{DevnetFollowMode, ParseFollowModeError};
pub(crate) use follow_status::FollowStatus;
pub use follow_status::ServedL2Ref;
pub(crate) use follower_store::{FollowerStore, MissingBlock};
pub(crate) use followers::{Followers, FollowersError};
pub(crate) use light_cl::{LightCl, LightClStep};
pub use simulated_follower::{FollowerEndpoints, SimulatedFollower};
