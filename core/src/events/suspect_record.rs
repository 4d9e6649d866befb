//! [`SuspectRecord`]: a suspect in the form that subscribers get.

use crate::message::{BlockKey, InboxAccess};
use alloy::primitives::B256;
use serde::Serialize;

/// What became of a suspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SuspectOutcome {
    /// Its block's receipts are not proven yet.
    Pending,
    /// Its transaction executed the message that it declares.
    Executed,
    /// Its block is there, and its transaction did not execute the message.
    NotExecuted,
    /// Its block never became canonical.
    Dropped,
}

/// A gossiped transaction whose access list declares a message that breaks a rule, or cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SuspectRecord {
    /// The id of the event that reports it. 0: it is not reported yet.
    pub id: u64,
    /// The gossiped block.
    #[serde(flatten)]
    pub block: BlockKey,
    /// The transaction.
    pub transaction_hash: B256,
    /// Its place in the block.
    pub transaction_index: u32,
    /// The message that it declares. `None`: its access list is malformed.
    pub access: Option<InboxAccess>,
    /// The rule that is broken.
    pub reason: &'static str,
    /// What is broken, for people.
    pub detail: String,
    /// What became of it.
    pub outcome: SuspectOutcome,
}
