//! An L2 chain as a pure state machine: its blocks, its state, and the EVM that executes them.

mod block;
mod block_tree;
mod chain_params;
#[cfg(test)]
mod deposit_tests;
mod epoch;
mod executor;
pub(crate) mod genesis;
mod header;
mod l2_chain;
mod state;
mod storage_trie;
pub(crate) mod upgrade;
mod user_transaction;

pub use block::L2Block;
pub use block_tree::BLOCK_HISTORY;
pub use chain_params::ChainParams;
#[cfg(test)]
pub(crate) use executor::{ParentState, hardforks};
pub(crate) use header::{BASE_FEE_PARAMS, MIN_BASE_FEE};
pub use l2_chain::{BlockOverrides, Chain, ChainError};
#[cfg(test)]
pub(crate) use state::WorldState;
pub use upgrade::Upgrade;
