//! Read-only clients of what others run: execution clients, rollup nodes, L1.
//!
//! The only place that speaks HTTP to them. Every answer is bounded in size and time and checked against
//! what was asked: a block leaves here only if its header hashes to its hash, logs only if their receipts
//! hash to the header's receipts root. A failure is an error, never a fact.

mod advice;
mod block_cache;
mod endpoint;
mod endpoint_health;
mod endpoint_identity;
mod endpoint_names;
mod endpoint_pace;
mod endpoint_pool;
mod execution;
mod gossiped_transactions;
mod interop_filter;
mod l1;
mod l1_chain;
mod l1_reader;
mod labelled_heads;
mod lenient;
mod methods;
mod node_health;
mod node_memory;
mod pace;
mod poll;
mod quorum;
mod raw_transaction;
mod receipts;
mod rollup_node;
mod rollup_nodes;
mod safe_record;
#[cfg(test)]
pub(crate) mod scripted_node;
mod shortfall;
mod status_document;
mod supernode;

pub(crate) use block_cache::BlockCache;
pub use endpoint::{Endpoint, EndpointLimits, EndpointUrl, ParseEndpointUrlError, SourceError};
#[cfg(test)]
pub(crate) use endpoint_health::TOLERATED_LAG;
pub use endpoint_health::{EndpointHealth, EndpointState};
pub use endpoint_names::EndpointNames;
pub(crate) use endpoint_names::{claimant_name, name_of};
pub(crate) use endpoint_pace::EndpointPace;
pub use execution::ExecutionClient;
pub use gossiped_transactions::GossipedTransactions;
pub(crate) use interop_filter::{InteropFilter, is_not_served};
pub use l1::{L1Client, UNSAFE_BLOCK_SIGNER_SLOT};
pub use l1_reader::L1Reader;
pub(crate) use l1_reader::L1Source;
#[cfg(test)]
pub(crate) use labelled_heads::LabelledHeads;
pub(crate) use methods::{METHODS, Method, MethodUse, Served, is_no_such_method};
pub use node_health::{NodeHealth, NodeState};
pub(crate) use pace::SLOW_ABOVE;
pub use quorum::Quorum;
pub use rollup_node::{RollupNode, SafeHeadAtL1, SyncStatus};
pub use rollup_nodes::{NodeAnswer, RollupNodes};
pub use safe_record::SafeRecord;
pub(crate) use safe_record::keeps_no_safe_heads;
pub use shortfall::Shortfall;
pub use status_document::{StatusDocument, UnseenL1};
pub(crate) use supernode::{AnsweredSuperRoot, Supernode};

#[cfg(test)]
mod tests;
