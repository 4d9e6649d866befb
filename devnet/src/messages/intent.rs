//! [`Intent`]: one thing that a user does in a block.

use alloy::primitives::{B256, Bytes};
use crosscheck_core::message::Message;

/// One thing that a user does in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    /// Have the emitter log this.
    Emit {
        /// One to four topics.
        topics: Vec<B256>,
        /// The log's data.
        data: Bytes,
    },
    /// Have the inbox validate this message.
    Execute(Message),
    /// Have the inbox validate this message, and do not declare it.
    ExecuteUndeclared(Message),
}
