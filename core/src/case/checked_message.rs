//! [`CheckedMessage`]: an executed message and what is known of it so far.

use crate::message::Message;
use crate::validity::{InvalidReason, MessageStatus};
use serde::Serialize;

/// An executed message and what is known of it so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedMessage {
    /// The place of the inbox's log in the executing block.
    pub log_index: u32,
    /// The message.
    pub message: Message,
    /// What is known of it.
    pub status: MessageStatus,
}

/// The stable JSON form of a [`CheckedMessage`], in the ledger and in answers.
#[derive(Serialize)]
struct CheckedMessageJson<'a> {
    log_index: u32,
    initiating: &'a crate::message::Identifier,
    payload_hash: alloy::primitives::B256,
    status: &'static str,
    reason: Option<&'static str>,
    detail: Option<String>,
}

impl Serialize for CheckedMessage {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let reason = match &self.status {
            MessageStatus::Invalid(reason) => Some(reason),
            MessageStatus::Unknown | MessageStatus::Valid => None,
        };
        CheckedMessageJson {
            log_index: self.log_index,
            initiating: &self.message.identifier,
            payload_hash: self.message.payload_hash,
            status: self.status.name(),
            reason: reason.map(InvalidReason::code),
            detail: reason.map(ToString::to_string),
        }
        .serialize(serializer)
    }
}
