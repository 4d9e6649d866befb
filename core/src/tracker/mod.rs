//! The life of every executing message, from the first sight of its block until it is final: [`Tracker`].
//!
//! It gets blocks and heads, and answers with events and with what it would like to know. It judges no
//! attestation.

mod block_node;
mod chain_view;
mod citations;
mod counts;
mod history;
mod lifecycle;
mod machine;
mod message_book;
mod message_event;
mod message_key;
mod observed_block;
mod same_timestamp;
mod tracked_message;
mod tracker_input;

pub use chain_view::ChainView;
pub use counts::{CountKey, Counts};
pub use history::HistoryEntry;
pub use lifecycle::{ForbiddenStep, Lifecycle, State, Step};
pub use machine::Tracker;
pub use message_event::{Change, Ending, MessageEvent, StatusCause};
pub use message_key::MessageKey;
pub use observed_block::ObservedBlock;
pub use tracked_message::TrackedMessage;
pub use tracker_input::{Input, RefusedInput, Request, TrackerLimits, TrackerOutcome};
