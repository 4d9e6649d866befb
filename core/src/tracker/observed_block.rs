//! [`ObservedBlock`]: a canonical block as the monitor takes it in, its messages included.

use crate::message::BlockKey;
use crate::proof::{Executed, Undecodable};
use alloy::primitives::B256;
use crosscheck_p2p::UnixSeconds;

/// A block that a chain's endpoints agree on, read from its proven receipts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedBlock {
    /// Which block.
    pub key: BlockKey,
    /// The block below it.
    pub parent_hash: B256,
    /// Its timestamp.
    pub timestamp: UnixSeconds,
    /// The messages that it executed, in log order.
    pub executed: Vec<Executed>,
    /// The transactions that executed them, one for each; empty where they are not known.
    pub transactions: Vec<B256>,
    /// The logs of the inbox that look like messages and are none, or are of events that are not known here.
    pub undecodable: Vec<Undecodable>,
    /// The log indices of executed messages that their own transaction did not declare, ascending.
    pub undeclared: Vec<u32>,
    /// Whether every transaction in it is a deposit.
    pub is_deposits_only: bool,
}
