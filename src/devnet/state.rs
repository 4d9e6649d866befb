//! [`WorldState`]: the accounts of one chain after one block, cheap to keep for many blocks.
//!
//! Maps are persistent: a copy shares everything that did not change. Keys are hashed as in the tries
//! (`keccak256`), so that the roots are computed in order, over the full state, without sorting.

use alloy::{
    consensus::{
        TrieAccount,
        constants::{EMPTY_ROOT_HASH, KECCAK_EMPTY},
        proofs,
    },
    primitives::{Address, B256, Bytes, U256, keccak256},
};
use imbl::{HashMap, OrdMap};
use revm::{
    database::{BundleAccount, BundleState},
    state::{AccountInfo, Bytecode},
};

/// Every account of a chain after some block.
#[derive(Clone, Debug, Default)]
pub struct WorldState {
    accounts: OrdMap<B256, Account>,
    codes: HashMap<B256, Bytecode>,
}

#[derive(Clone, Debug)]
struct Account {
    nonce: u64,
    balance: U256,
    code_hash: B256,
    storage: OrdMap<B256, U256>,
    storage_root: B256,
}

impl Account {
    const fn trie_account(&self) -> TrieAccount {
        TrieAccount {
            nonce: self.nonce,
            balance: self.balance,
            storage_root: self.storage_root,
            code_hash: self.code_hash,
        }
    }
}

impl Default for Account {
    fn default() -> Self {
        Self {
            nonce: 0,
            balance: U256::ZERO,
            code_hash: KECCAK_EMPTY,
            storage: OrdMap::new(),
            storage_root: EMPTY_ROOT_HASH,
        }
    }
}

impl WorldState {
    /// Puts a contract there, with nonce 1 and no balance: for genesis.
    pub fn deploy(&mut self, address: Address, code: Bytes) {
        let code = Bytecode::new_raw(code);
        let code_hash = code.hash_slow();
        self.codes.insert(code_hash, code);
        self.accounts.insert(keccak256(address), Account { nonce: 1, code_hash, ..Account::default() });
    }

    /// Gives an account a balance in wei: for genesis.
    pub fn fund(&mut self, address: Address, balance: U256) {
        let account = self.accounts.entry(keccak256(address)).or_default();
        account.balance = balance;
    }

    /// The account as the EVM reads it.
    pub fn info(&self, address: Address) -> Option<AccountInfo> {
        let account = self.accounts.get(&keccak256(address))?;
        Some(AccountInfo {
            nonce: account.nonce,
            balance: account.balance,
            code_hash: account.code_hash,
            code: Some(self.code(account.code_hash)),
            ..AccountInfo::default()
        })
    }

    /// The code with a hash; empty for the hash of no code.
    pub fn code(&self, hash: B256) -> Bytecode {
        self.codes.get(&hash).cloned().unwrap_or_default()
    }

    /// The word at a slot: zero where nothing is stored.
    pub fn storage(&self, address: Address, slot: U256) -> U256 {
        self.accounts
            .get(&keccak256(address))
            .and_then(|account| account.storage.get(&keccak256(slot.to_be_bytes::<32>())))
            .copied()
            .unwrap_or_default()
    }

    /// The account's nonce: zero for an account that does not exist.
    pub fn nonce(&self, address: Address) -> u64 {
        self.accounts.get(&keccak256(address)).map_or(0, |account| account.nonce)
    }

    /// The root of the state trie.
    pub fn root(&self) -> B256 {
        proofs::state_root(self.accounts.iter().map(|(key, account)| (*key, account.trie_account())))
    }

    /// The root of an account's storage trie.
    pub fn storage_root(&self, address: Address) -> B256 {
        self.accounts.get(&keccak256(address)).map_or(EMPTY_ROOT_HASH, |account| account.storage_root)
    }

    /// The state after a block's changes.
    pub fn after(&self, changes: &BundleState) -> Self {
        let mut next = self.clone();
        for (hash, code) in &changes.contracts {
            next.codes.insert(*hash, code.clone());
        }
        for (address, change) in &changes.state {
            next.apply(*address, change);
        }
        next
    }

    fn apply(&mut self, address: Address, change: &BundleAccount) {
        let key = keccak256(address);
        // An empty account is no account (EIP-161).
        let Some(info) = change.info.as_ref().filter(|info| !info.is_empty()) else {
            self.accounts.remove(&key);
            return;
        };
        let mut account = self.accounts.get(&key).cloned().unwrap_or_default();
        if change.was_destroyed() {
            account.storage = OrdMap::new();
        }
        account.nonce = info.nonce;
        account.balance = info.balance;
        account.code_hash = info.code_hash;
        for (slot, value) in &change.storage {
            let slot = keccak256(slot.to_be_bytes::<32>());
            if value.present_value.is_zero() {
                account.storage.remove(&slot);
            } else {
                account.storage.insert(slot, value.present_value);
            }
        }
        if change.was_destroyed() || !change.storage.is_empty() {
            account.storage_root =
                proofs::storage_root(account.storage.iter().map(|(slot, value)| (*slot, *value)));
        }
        self.accounts.insert(key, account);
    }
}
