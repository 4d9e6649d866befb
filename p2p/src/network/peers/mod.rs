//! The peers that the node knows: static ones, those that were connected or found by discovery, and their
//! file.
//!
//! Schedules and books are pure. Which connections are accepted is decided by the connection gater.

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
