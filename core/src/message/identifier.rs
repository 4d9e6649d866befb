//! [`Identifier`] and [`Message`]: which log on which chain a message claims to be.

use alloy::primitives::{Address, B256};
use crosscheck_p2p::{ChainId, UnixSeconds};
use serde::{Deserialize, Serialize};

/// The position of an initiating message: one log of one block of one chain.
///
/// Spec: interop/messaging.md, "Message identifier". `log_index` counts through the whole block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identifier {
    /// The contract that emitted the log.
    pub origin: Address,
    /// The height of the block that holds it.
    pub block_number: u64,
    /// Its place among all logs of that block.
    pub log_index: u32,
    /// The timestamp of that block.
    pub timestamp: UnixSeconds,
    /// The chain of that block.
    pub chain_id: ChainId,
}

/// An initiating message as an executing message claims it: its position and its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Message {
    /// The position of the message.
    pub identifier: Identifier,
    /// `keccak256` of its payload: the log's topics and data, concatenated.
    pub payload_hash: B256,
}
