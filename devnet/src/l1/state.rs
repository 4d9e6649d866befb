//! [`L1State`]: what the devnet's L1 knows after a block: its `SystemConfig` contracts and the nonces of who
//! sent something.

use super::system_config::SystemConfigContract;
use alloy::{
    consensus::{
        TrieAccount,
        constants::{EMPTY_ROOT_HASH, KECCAK_EMPTY},
        proofs,
    },
    primitives::{Address, B256, U256},
};
use std::collections::BTreeMap;

/// The accounts of L1 after some block. Balances are not kept: nothing on the devnet asks for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct L1State {
    /// Each chain's `SystemConfig` contract.
    pub(crate) system_configs: BTreeMap<Address, SystemConfigContract>,
    /// How many transactions each account has sent, if any.
    pub(crate) nonces: BTreeMap<Address, u64>,
}

impl L1State {
    /// The word at a slot of an account: zero where nothing is stored, as in any account.
    pub(crate) fn storage(&self, address: Address, slot: B256) -> B256 {
        self.system_configs.get(&address).and_then(|config| config.slot(slot)).unwrap_or_default()
    }

    /// The nonce of an account.
    pub(crate) fn nonce(&self, account: Address) -> u64 {
        self.nonces.get(&account).copied().unwrap_or_default()
    }

    /// The root of the state trie.
    pub(crate) fn root(&self) -> B256 {
        let contracts = self.system_configs.iter().map(|(address, config)| (*address, config.account()));
        let senders = self.nonces.iter().map(|(address, nonce)| (*address, account(*nonce)));
        proofs::state_root_unhashed(contracts.chain(senders))
    }
}

const fn account(nonce: u64) -> TrieAccount {
    TrieAccount { nonce, balance: U256::ZERO, storage_root: EMPTY_ROOT_HASH, code_hash: KECCAK_EMPTY }
}
