//! [`SystemConfigContract`]: the storage on L1 that says who may sign and batch for a chain.
//!
//! Three slots of the real contract, no code: what calls to it would log and store comes with the call.

use alloy::{
    consensus::{TrieAccount, constants::KECCAK_EMPTY, proofs},
    primitives::{Address, B256, Bytes, Log, U256, b256},
    sol_types::{SolCall, SolEvent},
};

/// The slot of the unsafe block signer: `keccak256("systemconfig.unsafeblocksigner")`.
pub(crate) const UNSAFE_BLOCK_SIGNER_SLOT: B256 =
    b256!("65a7ed542fb37fe237fdfbdd70b31598523fe5b32879e307bae27a0bd9581c08");

/// The slot of the fee scalars: 102.
pub(crate) const SCALAR_SLOT: B256 =
    b256!("0000000000000000000000000000000000000000000000000000000000000066");

/// The slot of the batcher hash: 103.
pub(crate) const BATCHER_HASH_SLOT: B256 =
    b256!("0000000000000000000000000000000000000000000000000000000000000067");

/// Fee scalar of L1 calldata: the value that OP Mainnet took with Fjord.
pub(crate) const BASE_FEE_SCALAR: u32 = 5_227;

/// Fee scalar of L1 blobs: the value that OP Mainnet took with Fjord.
pub(crate) const BLOB_BASE_FEE_SCALAR: u32 = 1_014_213;

/// What a chain's `SystemConfig` contract holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemConfigContract {
    /// Who signs the blocks that the sequencer gossips.
    pub unsafe_block_signer: Address,
    /// Who posts its batches.
    pub batcher: Address,
    /// What L1 gas is charged with.
    pub scalars: FeeScalars,
}

/// The fee scalars of L1 gas, in the packed form that they have since Ecotone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeScalars {
    /// Of L1 calldata.
    pub base_fee: u32,
    /// Of L1 blobs.
    pub blob_base_fee: u32,
}

/// ABI bindings of the contract, as far as the devnet calls or reads it.
#[allow(missing_docs, reason = "the items have the names of the contract's own")]
pub(crate) mod bindings {
    alloy::sol! {
        interface ISystemConfig {
            event ConfigUpdate(uint256 indexed version, uint8 indexed updateType, bytes data);

            function setGasConfigEcotone(uint32 basefeeScalar, uint32 blobbasefeeScalar) external;
        }
    }
}

use bindings::ISystemConfig::{ConfigUpdate, setGasConfigEcotoneCall};

/// The update type of the fee scalars.
const FEE_SCALARS: u8 = 1;

impl FeeScalars {
    /// What every chain starts with.
    pub const GENESIS: Self = Self { base_fee: BASE_FEE_SCALAR, blob_base_fee: BLOB_BASE_FEE_SCALAR };

    /// Version 1 in the first byte, and the two scalars in the last eight.
    pub fn word(self) -> B256 {
        const VERSION: u8 = 1;
        let scalars = [self.blob_base_fee.to_be_bytes(), self.base_fee.to_be_bytes()].concat();
        let mut word = B256::left_padding_from(&scalars);
        if let Some(first) = word.0.first_mut() {
            *first = VERSION;
        }
        word
    }

    /// The calldata that sets them.
    pub(crate) fn update_call(self) -> Bytes {
        let call =
            setGasConfigEcotoneCall { basefeeScalar: self.base_fee, blobbasefeeScalar: self.blob_base_fee };
        call.abi_encode().into()
    }

    /// The log that a contract writes when they are set: version 0, the old overhead, and the word.
    pub(crate) fn update_log(self, contract: Address) -> Log {
        let data = [B256::ZERO, self.word()].concat().into();
        let event = ConfigUpdate { version: U256::ZERO, updateType: FEE_SCALARS, data };
        Log { address: contract, data: event.encode_log_data() }
    }
}

impl SystemConfigContract {
    /// The word at a slot, if the contract has one there.
    pub fn slot(&self, slot: B256) -> Option<B256> {
        self.words().into_iter().find_map(|(key, word)| (key == slot).then_some(word))
    }

    /// The account in the state trie.
    pub(crate) fn account(&self) -> TrieAccount {
        let stored = self.words().into_iter().filter(|(_, word)| !word.is_zero());
        TrieAccount {
            nonce: 1,
            balance: U256::ZERO,
            storage_root: proofs::storage_root_unhashed(stored.map(|(key, word)| (key, word.into()))),
            code_hash: KECCAK_EMPTY,
        }
    }

    fn words(&self) -> [(B256, B256); 3] {
        [
            (UNSAFE_BLOCK_SIGNER_SLOT, self.unsafe_block_signer.into_word()),
            (SCALAR_SLOT, self.scalars.word()),
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
    fn words_that_are_zero_are_not_in_the_trie() {
        let scalars = FeeScalars::GENESIS;
        let empty =
            SystemConfigContract { unsafe_block_signer: Address::ZERO, batcher: Address::ZERO, scalars };
        let only = proofs::storage_root_unhashed([(SCALAR_SLOT, scalars.word().into())]);
        assert_eq!(empty.account().storage_root, only);
    }

    #[test]
    fn an_update_is_logged_as_the_contract_logs_it() {
        let scalars = FeeScalars { base_fee: 0x0102_0304, blob_base_fee: 0x0506_0708 };
        let word = b256!("0100000000000000000000000000000000000000000000000506070801020304");
        assert_eq!(scalars.word(), word);
        let log = scalars.update_log(Address::repeat_byte(1));
        let topic = b256!("1d2b0bda21d56b8bd12d4f94ebacffdfb35f5e226f84b461103bb8beab6353be");
        assert_eq!(log.topics(), [topic, B256::ZERO, B256::with_last_byte(1)]);
        let (offset, length) = (B256::with_last_byte(32), B256::with_last_byte(64));
        assert_eq!(log.data.data[..], [offset, length, B256::ZERO, word].concat());
    }
}
