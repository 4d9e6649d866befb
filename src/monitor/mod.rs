//! The life of every executing message, from the first sight of its block until it is final.
//!
//! Nothing here judges an attestation: that is `audit`'s. What this room says is about the blocks that the chains'
//! endpoints agree on, attested or not, at every safety level.

mod awaited_heads;
mod block_node;
mod block_source;
mod board;
mod branch;
mod chain_reader;
mod chain_view;
mod citations;
mod confirmation;
mod counted;
mod counts;
mod cursors;
mod declarations;
mod fetcher;
mod filing;
mod first_heads;
mod head_source;
mod history;
mod left_blocks;
mod lifecycle;
mod message_book;
mod message_event;
mod message_key;
mod message_record;
#[allow(clippy::module_inception)]
mod monitor;
mod note;
mod notebook;
mod nudges;
mod observed_block;
mod recent_blocks;
mod report;
mod safety_heads;
mod same_timestamp;
mod second_look;
mod start_point;
mod suspect;
mod suspect_watcher;
mod tracked_message;
mod tracker;
mod tracker_input;
mod unknown_events;
mod verified_heads;

pub use block_node::BlockStatus;
pub use block_source::BlockSource;
pub use board::{Board, BoardReader, BoardWriter};
pub use chain_reader::ChainReader;
pub use chain_view::ChainView;
pub use counts::{CountKey, Counts};
pub use cursors::Cursors;
pub use filing::Filing;
pub use first_heads::nudge_when_heads_come;
pub use head_source::{HeadSource, labelled_status};
pub use history::HistoryEntry;
pub use lifecycle::{ForbiddenStep, Lifecycle, State, Step};
pub use message_event::{Cause, Change, Ending, MessageEvent};
pub use message_key::MessageKey;
pub use message_record::MessageRecord;
pub use monitor::{MONITOR_INBOX, Monitor, MonitorMessage, MonitorParts};
pub use note::{News, Note};
pub use notebook::{Entry, Notebook};
pub use nudges::Nudges;
pub use observed_block::ObservedBlock;
pub use safety_heads::SafetyHeads;
pub use start_point::StartPoint;
pub use suspect::{Fault, Suspect, suspects};
pub use suspect_watcher::{SUSPECT_INBOX, SuspectMessage, SuspectWatcher};
pub use tracked_message::TrackedMessage;
pub use tracker::Tracker;
pub use tracker_input::{Input, Outcome, RefusedInput, Request, TrackerLimits};
