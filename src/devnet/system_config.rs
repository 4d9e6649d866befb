//! [`SystemConfig`]: the storage on L1 that says who may sign and batch for a chain.
//!
//! Two slots of the real contract, no code: nothing calls it, everyone reads its storage.

use alloy::{
    consensus::{TrieAccount, constants::KECCAK_EMPTY, proofs},
    primitives::{Address, B256, U256, b256},
};

/// Where the unsafe block signer stands: `keccak256("systemconfig.unsafeblocksigner")`.
pub const UNSAFE_BLOCK_SIGNER_SLOT: B256 =
    b256!("65a7ed542fb37fe237fdfbdd70b31598523fe5b32879e307bae27a0bd9581c08");

/// Where the batcher hash stands: slot 103.
pub const BATCHER_HASH_SLOT: B256 = b256!("0000000000000000000000000000000000000000000000000000000000000067");

/// What a chain's `SystemConfig` contract holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemConfig {
    /// Who signs the blocks that the sequencer gossips.
    pub unsafe_block_signer: Address,
    /// Who posts its batches.
    pub batcher: Address,
}

impl SystemConfig {
    /// The word at a slot, if anything stands there.
    pub fn slot(&self, slot: B256) -> Option<B256> {
        self.words().into_iter().find_map(|(key, word)| (key == slot).then_some(word))
    }

    /// The account in the state trie.
    pub fn account(&self) -> TrieAccount {
        let stored = self.words().into_iter().filter(|(_, word)| !word.is_zero());
        TrieAccount {
            nonce: 1,
            balance: U256::ZERO,
            storage_root: proofs::storage_root_unhashed(stored.map(|(key, word)| (key, word.into()))),
            code_hash: KECCAK_EMPTY,
        }
    }

    fn words(&self) -> [(B256, B256); 2] {
        [
            (UNSAFE_BLOCK_SIGNER_SLOT, self.unsafe_block_signer.into_word()),
            (BATCHER_HASH_SLOT, self.batcher.into_word()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::keccak256;

    #[test]
    fn signer_slot_is_the_hash_of_its_name() {
        assert_eq!(keccak256("systemconfig.unsafeblocksigner"), UNSAFE_BLOCK_SIGNER_SLOT);
    }

    #[test]
    fn an_account_without_words_has_an_empty_trie() {
        let empty = SystemConfig { unsafe_block_signer: Address::ZERO, batcher: Address::ZERO };
        assert_eq!(empty.account().storage_root, alloy::consensus::constants::EMPTY_ROOT_HASH);
    }
}
