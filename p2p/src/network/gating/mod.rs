//! Who may be connected: blocks, bans that expire, the tides of the number of peers, and hard caps.
//!
//! The rules are the pure [`Gater`]'s; [`GaterBehaviour`] asks it about every connection, before and after the
//! handshake, and the network task asks it each second which peers to disconnect. Never dials and never scores.

mod gater;
mod gater_behaviour;
mod gater_rules;
mod gates;

pub(super) use gater::{Gater, PeerWorth};
pub(super) use gater_behaviour::GaterBehaviour;
pub use gater_rules::GaterRules;
pub(super) use gates::ip_of;
pub use gates::{Gated, Gates, GatesFull, Subnet};
