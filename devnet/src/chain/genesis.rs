//! The genesis of a chain: its predeploys, its funded accounts and block 0.
//!
//! Block 0 holds no transactions; its state is what this file lists and nothing else.

use super::block::L2Block;
use super::chain_params::ChainParams;
use super::header;
use super::state::WorldState;
use crate::contracts::{BytecodeError, PREDEPLOYS};
use alloy::{
    eips::{eip2935, eip4788},
    primitives::{Address, U256},
};

/// What each funded account owns: a million ether, in wei.
pub(crate) const GENESIS_BALANCE: U256 = U256::from_limbs([0x1bce_cced_a100_0000, 0xd3c2, 0, 0]);

/// The state at block 0: our contracts, Ethereum's two system contracts that OP chains have too, and the
/// funded accounts.
///
/// # Errors
/// When committed bytecode is damaged.
pub(crate) fn state(accounts: &[Address]) -> Result<WorldState, BytecodeError> {
    let mut state = WorldState::default();
    for predeploy in &PREDEPLOYS {
        state.deploy(predeploy.address, predeploy.bytecode()?);
    }
    state.deploy(eip2935::HISTORY_STORAGE_ADDRESS, eip2935::HISTORY_STORAGE_CODE.clone());
    state.deploy(eip4788::BEACON_ROOTS_ADDRESS, eip4788::BEACON_ROOTS_CODE.clone());
    for account in accounts {
        state.fund(*account, GENESIS_BALANCE);
    }
    Ok(state)
}

/// Block 0 over a state.
pub(crate) fn block(params: &ChainParams, state: &WorldState) -> L2Block {
    let header = header::genesis(params, state);
    L2Block {
        hash: header.hash_slow(),
        header,
        transactions: Vec::new(),
        raw_transactions: Vec::new(),
        senders: Vec::new(),
        receipts: Vec::new(),
        l1_origin: params.l1_genesis,
        sequence_number: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_genesis_balance_is_a_million_ether() {
        assert_eq!(GENESIS_BALANCE, U256::from(10).pow(U256::from(24)));
    }
}
