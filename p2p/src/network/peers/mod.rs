//! The peers that the node knows: those to stay connected to, those that it met or heard of, and their file.
//!
//! Schedules and books are pure. Never decides who is accepted: that is the gater's.

mod peer_book;
mod peer_file;
mod stalled_peers;
mod static_peers;

pub use peer_book::{Direction, KnownPeer};
pub(super) use peer_book::{PeerBook, node_records, truncate_text};
pub use peer_file::PeerFileError;
pub(super) use peer_file::{PeerFile, StoredPeers};
pub(super) use stalled_peers::StalledPeers;
pub use static_peers::NoPeerIdError;
pub(super) use static_peers::StaticPeers;
