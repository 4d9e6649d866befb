//! [`Wait`]: what an open case waits for, and whose turn it is.

use crosscheck_p2p::ChainId;
use serde::Serialize;

/// What is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Awaited {
    /// The block's height is not local-safe yet.
    LocalSafe,
    /// The execution client's block at or with that hash.
    Block,
    /// The block's receipts.
    Receipts,
    /// The block that a message was initiated in.
    Initiating,
    /// What a block that a message cites rests on itself.
    CitedBlock,
    /// Another chain's block at a timestamp at which messages are both initiated and executed.
    SameTimestamp,
    /// What L1 says of the block.
    L1,
}

/// Why it is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The chain has not come that far, or its client has not.
    NotYet,
    /// The endpoint failed.
    EndpointError,
    /// The chain's own node, or L1, is on another fork for now, or its client's blocks do not link up.
    OtherFork,
    /// What the block must hold cannot be told by this version: a fork that it does not know.
    Unsupported,
}

/// What an open case waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Wait {
    /// What is missing.
    #[serde(rename = "for")]
    pub awaited: Awaited,
    /// Of which chain.
    pub chain_id: ChainId,
    /// Why.
    pub cause: Cause,
}
