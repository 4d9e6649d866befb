//! The untrusted-input zone of Crosscheck: OP Stack block gossip, from bytes to judged blocks.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod chain_id;
mod clock;

pub use chain_id::{ChainId, ParseChainIdError};
pub use clock::{Clock, SystemClock, UnixSeconds};
