//! The life of every executing message, from the first sight of its block until it is final.
//!
//! Nothing here judges an attestation: that is `audit`'s. What this room says is about the blocks that the chains'
//! endpoints agree on, attested or not, at every safety level.

mod block_node;
mod board;
mod chain_view;
mod citations;
mod counts;
mod history;
mod lifecycle;
mod message_book;
mod message_event;
mod message_key;
mod observed_block;
mod safety_heads;
mod same_timestamp;
mod tracked_message;
mod tracker;
mod tracker_input;

pub use block_node::BlockStatus;
pub use board::{Board, BoardReader, BoardWriter};
pub use chain_view::ChainView;
pub use counts::{CountKey, Counts};
pub use history::HistoryEntry;
pub use lifecycle::{ForbiddenStep, Lifecycle, State, Step};
pub use message_event::{Cause, Change, Ending, MessageEvent};
pub use message_key::MessageKey;
pub use observed_block::ObservedBlock;
pub use safety_heads::SafetyHeads;
pub use tracked_message::TrackedMessage;
pub use tracker::Tracker;
pub use tracker_input::{Input, Outcome, RefusedInput, Request, TrackerLimits};
