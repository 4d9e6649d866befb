//! The life of every executing message, from the first sight of its block until it is final.
//!
//! Nothing here judges an attestation: that is `audit`'s. What this room says is about the blocks that the
//! chains' endpoints agree on, attested or not, at every safety level.

mod awaited_heads;
mod block_source;
mod branch;
mod chain_reader;
mod confirmation;
mod counted;
mod cursors;
mod declarations;
mod fetcher;
mod first_heads;
mod head_source;
mod left_blocks;
mod message_metrics;
mod metrics;
#[allow(clippy::module_inception)]
mod monitor;
mod poll_hints;
mod reading_metrics;
mod recheck;
mod report;
mod start_point;
mod suspect_metrics;
mod suspect_watcher;
mod suspects;

#[cfg(test)]
pub(crate) use block_source::BlockSource;
pub use chain_reader::{ChainReader, ChainReaderParts};
pub use cursors::Cursors;
pub use first_heads::notify_when_heads_appear;
pub use head_source::{HeadSource, labelled_status};
pub use metrics::MonitorMetrics;
pub use monitor::{MONITOR_INBOX, Monitor, MonitorMessage, MonitorParts};
pub use poll_hints::PollHints;
pub use start_point::StartPoint;
pub use suspect_watcher::{SUSPECT_INBOX, SuspectMessage, SuspectWatcher, SuspectWatcherParts};
pub use suspects::Suspects;
