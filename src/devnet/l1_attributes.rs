//! [`L1Attributes`]: what the first transaction of a block tells L2 about its L1 origin.
//!
//! Spec: deposits.md, "L1 attributes deposited transaction", with the packed calldata of Ecotone as extended by
//! Isthmus (operator fee) and Jovian (DA footprint scalar): 178 bytes.

use super::{
    contracts::{L1_BLOCK, bindings::IL1Block},
    l1::L1Block,
};
use alloy::{
    eips::eip7840::BlobParams,
    primitives::{Address, B256, Bytes, TxKind, U256, address},
    sol_types::SolCall,
};
use op_alloy::consensus::{L1InfoDepositSource, TxDeposit};

/// The account that sends the attributes.
pub const DEPOSITOR: Address = address!("deaddeaddeaddeaddeaddeaddeaddeaddead0001");

/// The gas limit of the attributes transaction.
pub const DEPOSIT_GAS: u64 = 1_000_000;

/// Fee scalar of L1 calldata, as on OP Mainnet.
pub const BASE_FEE_SCALAR: u32 = 5_227;

/// Fee scalar of L1 blobs, as on OP Mainnet.
pub const BLOB_BASE_FEE_SCALAR: u32 = 1_014_213;

/// Jovian's default: the gas that a byte of estimated compressed size counts as.
pub const DA_FOOTPRINT_GAS_SCALAR: u16 = 400;

/// The attributes of one block: a view of its L1 origin and the chain's fee parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct L1Attributes {
    /// The origin's height.
    pub number: u64,
    /// The origin's timestamp.
    pub timestamp: u64,
    /// The origin's base fee, wei.
    pub base_fee: u64,
    /// The origin's blob base fee, wei.
    pub blob_base_fee: u128,
    /// The origin's hash.
    pub hash: B256,
    /// How many blocks of the same epoch came before.
    pub sequence_number: u64,
    /// Who posts the chain's batches.
    pub batcher: Address,
}

impl L1Attributes {
    /// The attributes of the block with this place in the epoch of `origin`.
    pub fn new(origin: &L1Block, sequence_number: u64, batcher: Address) -> Self {
        Self {
            number: origin.header.number,
            timestamp: origin.header.timestamp,
            base_fee: origin.header.base_fee_per_gas.unwrap_or_default(),
            blob_base_fee: origin.header.blob_fee(BlobParams::prague()).unwrap_or(1),
            hash: origin.hash,
            sequence_number,
            batcher,
        }
    }

    /// The calldata of `setL1BlockValuesJovian`: packed, big-endian.
    pub fn encode(&self) -> Bytes {
        const OPERATOR_FEE_SCALAR: u32 = 0;
        const OPERATOR_FEE_CONSTANT: u64 = 0;
        [
            IL1Block::setL1BlockValuesJovianCall::SELECTOR.as_slice(),
            &BASE_FEE_SCALAR.to_be_bytes(),
            &BLOB_BASE_FEE_SCALAR.to_be_bytes(),
            &self.sequence_number.to_be_bytes(),
            &self.timestamp.to_be_bytes(),
            &self.number.to_be_bytes(),
            &U256::from(self.base_fee).to_be_bytes::<32>(),
            &U256::from(self.blob_base_fee).to_be_bytes::<32>(),
            self.hash.as_slice(),
            self.batcher.into_word().as_slice(),
            &OPERATOR_FEE_SCALAR.to_be_bytes(),
            &OPERATOR_FEE_CONSTANT.to_be_bytes(),
            &DA_FOOTPRINT_GAS_SCALAR.to_be_bytes(),
        ]
        .concat()
        .into()
    }

    /// The deposited transaction that carries them.
    pub fn deposit(&self) -> TxDeposit {
        TxDeposit {
            source_hash: L1InfoDepositSource::new(self.hash, self.sequence_number).source_hash(),
            from: DEPOSITOR,
            to: TxKind::Call(L1_BLOCK),
            mint: 0,
            value: U256::ZERO,
            gas_limit: DEPOSIT_GAS,
            is_system_transaction: false,
            input: self.encode(),
        }
    }
}
