//! Transfers of ETH and of tokens between chains, as the bridges of the interop set make them: what a block
//! initiates and executes, what is outstanding, and what an invalid message would mint.
//!
//! It reads logs that are proven elsewhere. It does not say whether a message is valid, and it knows no
//! token's decimals, supply or price.

mod at_stake;
mod bindings;
mod block_transfers;
mod bridge_event;
mod ledger;
mod odd_log;
#[cfg(any(test, feature = "fixtures"))]
mod sample;
mod totals;
mod transfer;
mod transfer_reader;

pub use at_stake::{AtStake, at_stake};
pub use block_transfers::{BlockTransfers, Initiated, Relayed};
pub use ledger::{Finding, LedgerChange, LedgerCounts, LedgerLimits, Place, RefusedBlock, TransferLedger};
pub use odd_log::{OddKind, OddLog};
#[cfg(any(test, feature = "fixtures"))]
pub use sample::{relay_logs, send_logs};
pub use totals::{Pair, Sum, Totals};
pub use transfer::{Asset, Transfer};
pub(crate) use transfer_reader::TransferReader;

use alloy::primitives::{Address, address};

/// The address of the `L2ToL2CrossDomainMessenger` predeploy.
///
/// Spec: interop/predeploys.md, "L2ToL2CrossDomainMessenger".
pub const L2_TO_L2_MESSENGER: Address = address!("4200000000000000000000000000000000000023");

/// The address of the `SuperchainETHBridge` predeploy.
///
/// Spec: interop/superchain-eth-bridge.md, "Constants".
pub const SUPERCHAIN_ETH_BRIDGE: Address = address!("4200000000000000000000000000000000000024");

/// The address of the `SuperchainTokenBridge` predeploy. Chains of the monorepo's release 1.19.6 do not have
/// it; earlier releases of its contracts put it here.
pub const SUPERCHAIN_TOKEN_BRIDGE: Address = address!("4200000000000000000000000000000000000028");
