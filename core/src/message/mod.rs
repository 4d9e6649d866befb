//! What a message is: its identifier, its checksum, the event that executes it, and the access list that
//! declares it.
//!
//! Whether it is valid is not said here.

mod access_list;
mod block_key;
mod checksum;
mod executing_message;
mod identifier;

pub use access_list::{AccessListError, InboxAccess, encode_access_list, parse_access_list};
pub use block_key::{BlockKey, ChainHeight};
pub use checksum::{Checksum, log_hash, payload_hash};
pub(crate) use executing_message::PROXY_TOPICS;
pub use executing_message::{DecodeError, EXECUTING_MESSAGE_TOPIC, ExecutingMessage};
pub use identifier::{Identifier, Message};

/// The address of the `CrossL2Inbox` predeploy.
pub const CROSS_L2_INBOX: alloy::primitives::Address =
    alloy::primitives::address!("4200000000000000000000000000000000000022");
