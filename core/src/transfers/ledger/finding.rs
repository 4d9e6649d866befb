//! [`Finding`]: a transfer that was executed and must not have been, with both ends.
//!
//! It is about accounting. Whether a message is valid, and who is at fault, is decided elsewhere.

use crate::message::{BlockKey, ChainHeight};
use crate::transfers::Transfer;
use alloy::primitives::B256;

/// Where a transfer's log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Its block.
    pub block: BlockKey,
    /// The messenger's log among all logs of the block.
    pub log_index: u32,
    /// Its transaction in the block.
    pub transaction_index: u32,
}

/// What is wrong with a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// One transfer was executed more than once. The messenger does not do that.
    ExecutedTwice {
        /// The messenger's hash of its message.
        message_hash: B256,
        /// The transfer.
        transfer: Transfer,
        /// Its first execution that is known.
        first: Place,
        /// Another one.
        again: Place,
    },
    /// A transfer was executed. The block in which its message claims to be initiated was read: neither it
    /// nor any other block that is remembered initiates the transfer.
    ExecutedWithoutInitiation {
        /// The messenger's hash of its message.
        message_hash: B256,
        /// The transfer.
        transfer: Transfer,
        /// Its first execution that cites a block which was read.
        executed: Place,
        /// That block.
        cited: ChainHeight,
    },
}

/// What has changed in the findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerChange {
    /// Found.
    Found(Finding),
    /// No longer so: a block was taken back, or the transfer was initiated after all.
    Withdrawn(Finding),
}
