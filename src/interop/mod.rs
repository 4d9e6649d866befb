//! The interop rules, pure: what a message is, how it is bound, and when it is valid.
//!
//! Nothing here does I/O or reads a clock; facts about other chains come in as arguments.

pub mod access_list;
pub mod checksum;
pub mod identifier;

pub use access_list::{AccessListError, InboxAccess, encode_access_list, parse_access_list};
pub use checksum::{Checksum, log_hash, payload_hash};
pub use identifier::{Identifier, Message};

/// The address of the `CrossL2Inbox` predeploy.
pub const CROSS_L2_INBOX: alloy::primitives::Address =
    alloy::primitives::address!("4200000000000000000000000000000000000022");
