//! The interop rules, pure: what a message is, how it is bound, and when it is valid.
//!
//! Nothing here does I/O or reads a clock; facts about other chains come in as arguments.

mod access_list;
mod access_rules;
mod block_key;
mod checksum;
mod cycles;
mod dependency_set;
mod executing_message;
mod identifier;
mod invalid_reason;
mod message_status;
mod objection;
mod rules;
mod safety_level;
mod times;

pub use access_list::{AccessListError, InboxAccess, encode_access_list, parse_access_list};
pub use access_rules::{AccessContext, check_access, check_access_log, check_access_tip, check_suspect};
pub use block_key::BlockKey;
pub use checksum::{Checksum, log_hash, payload_hash};
pub use cycles::{CycleRule, SameTimestamp, cyclic_chains, rule_dependent_chains};
pub use dependency_set::{Accord, ChainRules, DEFAULT_EXPIRY_WINDOW, DependencySet, Learnt, Member, Said};
pub use executing_message::{DecodeError, EXECUTING_MESSAGE_TOPIC, ExecutingMessage};
pub use identifier::{Identifier, Message};
pub use invalid_reason::InvalidReason;
pub use message_status::MessageStatus;
pub use objection::{Objection, Unclear};
pub use rules::{Execution, check_claim, check_executed, check_log, check_tip};
pub use safety_level::{ParseSafetyLevelError, SafetyLevel};

/// The address of the `CrossL2Inbox` predeploy.
pub const CROSS_L2_INBOX: alloy::primitives::Address =
    alloy::primitives::address!("4200000000000000000000000000000000000022");
