//! What the devnet serves over HTTP on loopback: an execution client and a rollup node a chain, and an L1.
//!
//! The servers only read: the runner writes the stores that they answer from. Request and response sizes,
//! batches and connections are bounded.

mod chain_store;
mod claimants;
mod execution;
mod filter;
mod l1;
mod l1_block;
mod nodes;
mod requests;
mod rollup_node;
mod rpc_block;
mod rpc_receipt;
mod server;

pub use chain_store::ChainStore;
pub use execution::execution_module;
pub use l1::l1_module;
pub(crate) use nodes::ChainNodes;
pub use nodes::Nodes;
pub use requests::WHOLE_BLOCK;
pub(crate) use requests::{RequestCounts, Requests};
pub use rollup_node::{SimulatedRollupNode, rollup_node_module};
pub use rpc_block::rpc_block;
pub use rpc_receipt::rpc_receipts;
use server::{Arguments, invalid_params, server_error};
pub use server::{RunningServer, ServeError, start};

#[cfg(test)]
mod tests;
