//! The life of every executing message, from the first sight of its block until it is final.
//!
//! Nothing here judges an attestation: that is `audit`'s. What this room says is about the blocks that the chains'
//! endpoints agree on, attested or not, at every safety level.

mod message_event;
mod message_key;
mod observed_block;
mod safety_heads;

pub use message_event::{Cause, Change, Ending, MessageEvent};
pub use message_key::MessageKey;
pub use observed_block::ObservedBlock;
pub use safety_heads::SafetyHeads;
