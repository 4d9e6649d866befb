//! What is proven of a block: a header that hashes to the block's hash, transactions and receipts that hash
//! to its roots.
//!
//! Fields of an answer that no hash covers are not read. Nothing here asks for anything.

mod block_reader;
mod byte_cache;
mod claimed_header;
pub mod fields;
mod hashed_receipt;
mod hashed_transaction;
mod inbox_keys;
mod l1_header;
mod l1_logs;
mod log_index;
mod output_root;
mod proven_logs;
mod receipt_rlp;
#[cfg(any(test, feature = "fixtures"))]
mod typed_answers;
mod verified_block;

pub use block_reader::{ReadBlockError, ReadParts, UnreadTransaction, read_block, read_parts};
pub use byte_cache::ByteCache;
pub use claimed_header::ClaimedHeader;
pub use hashed_receipt::HashedReceipt;
pub use inbox_keys::{DeclaredKeys, InboxKeys, inbox_keys};
pub use l1_header::VerifiedL1Header;
pub use l1_logs::{L1Log, ProvenL1Logs};
pub use log_index::LogIndex;
pub use output_root::OutputV0;
pub use proven_logs::{Executed, ProofError, ProvenLog, ProvenLogs, Undecodable};
pub use verified_block::{BlockError, VerifiedBlock};
