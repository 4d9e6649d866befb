//! Who may be connected: blocked peers and addresses, bans that expire, and limits on the number of
//! connections.
//!
//! The rules are the pure [`ConnectionGater`]'s; [`GaterBehaviour`] asks it about every connection, before
//! and after the handshake, and the network task asks it each second which peers to disconnect. Never dials
//! and never scores.

mod block_list;
mod connection_gater;
mod gater_behaviour;
mod gater_limits;

pub(super) use block_list::ip_of;
pub use block_list::{BlockList, BlockListFull, ConnectionRefusal, Subnet};
pub use connection_gater::TooManyProtected;
pub(super) use connection_gater::{ConnectionGater, PeerValue};
pub(super) use gater_behaviour::GaterBehaviour;
pub use gater_limits::GaterLimits;
