//! [`WorldState`]: the accounts of one chain after one block, cheap to keep for many blocks.
//!
//! Maps are persistent: a copy shares everything that did not change. Accounts are
//! keyed by hashed address, as in the state trie, whose root is computed over all of them.

use super::storage_trie::StorageTrie;
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
pub(crate) struct WorldState {
    accounts: OrdMap<B256, Account>,
    codes: HashMap<B256, Bytecode>,
}

#[derive(Clone, Debug)]
struct Account {
    nonce: u64,
    balance: U256,
    code_hash: B256,
    storage: StorageTrie,
}

impl Account {
    const fn trie_account(&self) -> TrieAccount {
        TrieAccount {
            nonce: self.nonce,
            balance: self.balance,
            storage_root: self.storage.root(),
            code_hash: self.code_hash,
        }
    }
}

impl Default for Account {
    fn default() -> Self {
        Self { nonce: 0, balance: U256::ZERO, code_hash: KECCAK_EMPTY, storage: StorageTrie::default() }
    }
}

impl WorldState {
    /// Puts a contract there, with nonce 1 and no balance: for genesis.
    pub(crate) fn deploy(&mut self, address: Address, code: Bytes) {
        let code = Bytecode::new_raw(code);
        let code_hash = code.hash_slow();
        self.codes.insert(code_hash, code);
        self.accounts.insert(keccak256(address), Account { nonce: 1, code_hash, ..Account::default() });
    }

    /// Gives an account a balance in wei: for genesis.
    pub(crate) fn fund(&mut self, address: Address, balance: U256) {
        let account = self.accounts.entry(keccak256(address)).or_default();
        account.balance = balance;
    }

    /// The account as the EVM reads it.
    pub(crate) fn info(&self, address: Address) -> Option<AccountInfo> {
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
    pub(crate) fn code(&self, hash: B256) -> Bytecode {
        self.codes.get(&hash).cloned().unwrap_or_default()
    }

    /// The word at a slot: zero where nothing is stored.
    pub(crate) fn storage(&self, address: Address, slot: U256) -> U256 {
        self.accounts.get(&keccak256(address)).map_or(U256::ZERO, |account| account.storage.get(slot))
    }

    /// The account's nonce: zero for an account that does not exist.
    pub(crate) fn nonce(&self, address: Address) -> u64 {
        self.accounts.get(&keccak256(address)).map_or(0, |account| account.nonce)
    }

    /// The root of the state trie.
    pub(crate) fn root(&self) -> B256 {
        proofs::state_root(self.accounts.iter().map(|(key, account)| (*key, account.trie_account())))
    }

    /// The root of an account's storage trie.
    pub(crate) fn storage_root(&self, address: Address) -> B256 {
        self.accounts.get(&keccak256(address)).map_or(EMPTY_ROOT_HASH, |account| account.storage.root())
    }

    /// The state after a block's changes.
    pub(crate) fn after(&self, changes: &BundleState) -> Self {
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
        // An empty account is not an account (EIP-161).
        let Some(info) = change.info.as_ref().filter(|info| !info.is_empty()) else {
            self.accounts.remove(&key);
            return;
        };
        let mut account = self.accounts.get(&key).cloned().unwrap_or_default();
        if change.was_destroyed() {
            account.storage = StorageTrie::default();
        }
        account.nonce = info.nonce;
        account.balance = info.balance;
        account.code_hash = info.code_hash;
        account.storage.update(change.storage.iter().map(|(slot, value)| (*slot, value.present_value)));
        self.accounts.insert(key, account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use revm::database::{AccountStatus, states::StorageSlot};
    use std::collections::BTreeMap;

    const ADDRESS: Address = Address::repeat_byte(0xaa);

    fn info(nonce: u64) -> AccountInfo {
        AccountInfo { nonce, ..AccountInfo::default() }
    }

    fn change(info: Option<AccountInfo>, status: AccountStatus, slots: &[(u64, u64)]) -> BundleState {
        let storage = slots.iter().map(|(slot, value)| {
            (U256::from(*slot), StorageSlot::new_changed(U256::MAX, U256::from(*value)))
        });
        let account = BundleAccount::new(None, info, storage.collect(), status);
        BundleState { state: [(ADDRESS, account)].into_iter().collect(), ..BundleState::default() }
    }

    fn expected_root(slots: &BTreeMap<u64, u64>) -> B256 {
        proofs::storage_root_unhashed(
            slots.iter().map(|(slot, value)| (B256::from(U256::from(*slot)), U256::from(*value))),
        )
    }

    #[test]
    fn changed_slots_are_stored_and_zero_removes_them() {
        let before = WorldState::default();
        let one = before.after(&change(Some(info(1)), AccountStatus::InMemoryChange, &[(1, 10), (2, 20)]));
        let two = one.after(&change(Some(info(2)), AccountStatus::Changed, &[(1, 0), (3, 30)]));
        assert_eq!(one.storage_root(ADDRESS), expected_root(&[(1, 10), (2, 20)].into()));
        assert_eq!(two.storage_root(ADDRESS), expected_root(&[(2, 20), (3, 30)].into()));
        assert_eq!(two.storage(ADDRESS, U256::from(1)), U256::ZERO);
        assert_eq!(two.storage(ADDRESS, U256::from(3)), U256::from(30));
        assert_eq!((before.nonce(ADDRESS), one.nonce(ADDRESS), two.nonce(ADDRESS)), (0, 1, 2));
        assert_eq!(before.root(), EMPTY_ROOT_HASH);
        let account =
            TrieAccount { nonce: 2, storage_root: two.storage_root(ADDRESS), ..TrieAccount::default() };
        assert_eq!(two.root(), proofs::state_root_unhashed([(ADDRESS, account)]));
    }

    #[test]
    fn a_destroyed_account_leaves_nothing() {
        let one =
            WorldState::default().after(&change(Some(info(1)), AccountStatus::InMemoryChange, &[(1, 10)]));
        let gone = one.after(&change(None, AccountStatus::Destroyed, &[]));
        assert_eq!(gone.root(), EMPTY_ROOT_HASH);
        assert!(gone.info(ADDRESS).is_none());
        let reborn = one.after(&change(Some(info(1)), AccountStatus::DestroyedChanged, &[(2, 20)]));
        assert_eq!(reborn.storage_root(ADDRESS), expected_root(&[(2, 20)].into()));
    }

    #[test]
    fn an_empty_account_is_not_in_the_state() {
        let touched =
            WorldState::default().after(&change(Some(info(0)), AccountStatus::LoadedEmptyEIP161, &[]));
        assert_eq!(touched.root(), EMPTY_ROOT_HASH);
    }

    #[test]
    fn code_is_found_by_account_and_by_hash() {
        let mut state = WorldState::default();
        let code = Bytes::from_static(&[0x60, 0x01]);
        state.deploy(ADDRESS, code.clone());
        let info = state.info(ADDRESS).unwrap();
        assert_eq!(info.code_hash, keccak256(&code));
        assert_eq!(info.code.unwrap().original_bytes(), code);
        assert_eq!(state.code(keccak256(&code)).original_bytes(), code);
        assert!(state.code(KECCAK_EMPTY).is_empty());
    }
}
