//! The network of one chain: its node among its peers.
//!
//! ```text
//! peers <--> swarm --frames--> Judge (one per topic) --blocks, refusals--> events
//!              ^                 |
//!              +---- reports ----+
//! ```
//!
//! [`Network`] is the task, [`NetworkHandle`] how the rest of the program uses it. Beside the swarm are
//! modules of pure rules: `gating` (who may be connected), `scoring` (peer scores), `peers` (known peers),
//! `sync` (blocks by number), `discovery` (node records).

mod behaviour;
mod config;
mod counter;
mod counters;
mod discovery;
mod error;
mod event;
mod frame_counts;
mod free_port;
#[cfg(fuzzing)]
pub mod fuzzing;
mod gating;
mod handle;
mod identity;
mod judge;
mod message_id_cache;
mod name_lookup;
mod observed_gossip;
mod peer_info;
mod peers;
mod refused_counts;
mod scoring;
mod swarm;
mod sync;
mod task;

pub use config::{NetworkConfig, loopback_addr};
pub use counters::NetworkCounters;
pub use discovery::{Bootnode, DiscoveryConfig, DiscoveryView, ParseBootnodeError};
pub use error::NetworkTaskError;
pub use event::NetworkEvent;
pub use frame_counts::{ByTopic, FrameCounts};
pub use gating::{BlockList, BlockListFull, ConnectionRefusal, GaterLimits, Subnet, TooManyProtected};
pub use handle::{ConnectError, GateCommand, GateError, NetworkClosed, NetworkHandle, PublishError};
pub use identity::{IdentityError, NodeIdentity};
pub use peer_info::{OwnInfo, PeerInfo};
pub use peers::{Direction, KnownPeer, NoPeerIdError, PeerFileError};
pub use refused_counts::RefusedCounts;
pub use scoring::ScoreInputs;
pub use task::Network;
