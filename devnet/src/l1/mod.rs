//! The L1: its blocks, the `SystemConfig` contracts and deposits on it, and what L2 blocks take from it.

pub(crate) mod attributes;
mod block;
mod chain;
mod state;
mod system_config;
mod user_deposit;

#[cfg(test)]
pub(crate) use attributes::DEPOSITOR;
pub(crate) use attributes::{DA_FOOTPRINT_GAS_SCALAR, L1Attributes};
pub(crate) use block::L1Block;
pub(crate) use block::L1Transaction;
pub use chain::{L1, L1Error, L1Params};
pub(crate) use state::L1State;
#[cfg(test)]
pub(crate) use system_config::{BASE_FEE_SCALAR, BLOB_BASE_FEE_SCALAR, UNSAFE_BLOCK_SIGNER_SLOT};
pub use system_config::{FeeScalars, SystemConfigContract};
pub(crate) use user_deposit::UserDeposit;
