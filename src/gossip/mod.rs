//! The join between a chain's gossip network and the audit: who may sign, and what comes in.
//!
//! Judges nothing: what arrives here was authenticated and validated in the p2p crate, or refused there.

mod gossip_heads;
mod intake;
mod metrics;
mod network_handles;
mod network_settings;
mod peer_watch;
mod refusal_watch;
mod refusals;
mod rejections;
mod signer_reader;
mod signer_watcher;

pub use gossip_heads::GossipHeads;
pub use intake::{Intake, IntakeParts};
pub use metrics::GossipMetrics;
pub use network_handles::NetworkHandles;
pub use network_settings::{key_file, network_config};
pub use peer_watch::{PeerWatch, PeerWatchParts};
pub use refusal_watch::RefusalWatch;
pub use refusals::{RefusalRecord, Refusals};
pub use signer_reader::SignerReader;
pub use signer_watcher::{SignerWatcher, SignerWatcherParts};
