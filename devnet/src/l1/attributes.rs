//! [`L1Attributes`]: what the first transaction of a block says about its L1 origin.
//!
//! Spec: deposits.md, "L1 attributes deposited transaction", with the packed calldata of Ecotone as extended
//! by Isthmus (operator fee) and Jovian (DA footprint scalar): 178 bytes.

use super::block::L1Block;
use super::system_config::{FeeScalars, SystemConfigContract};
use crate::contracts::L1_BLOCK;
use crate::contracts::bindings::IL1Block;
use alloy::{
    eips::{BlockNumHash, eip7840::BlobParams},
    primitives::{Address, B256, Bytes, TxKind, U256, address},
    sol_types::SolCall,
};
use op_alloy::consensus::{L1InfoDepositSource, TxDeposit};

/// The account that sends the attributes.
pub(crate) const DEPOSITOR: Address = address!("deaddeaddeaddeaddeaddeaddeaddeaddead0001");

/// The gas limit of the attributes transaction.
pub(crate) const DEPOSIT_GAS: u64 = 1_000_000;

/// Jovian's default: the gas that a byte of estimated compressed size counts as.
pub(crate) const DA_FOOTPRINT_GAS_SCALAR: u16 = 400;

/// The attributes of one block: a view of its L1 origin and the chain's fee parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct L1Attributes {
    /// The origin's height.
    pub(crate) number: u64,
    /// The origin's timestamp.
    pub(crate) timestamp: u64,
    /// The origin's base fee, wei.
    pub(crate) base_fee: u64,
    /// The origin's blob base fee, wei.
    pub(crate) blob_base_fee: u128,
    /// The origin's hash.
    pub(crate) hash: B256,
    /// How many blocks of the same epoch came before.
    pub(crate) sequence_number: u64,
    /// Who posts the chain's batches.
    pub(crate) batcher: Address,
    /// What L1 gas is charged with.
    pub(crate) scalars: FeeScalars,
}

impl L1Attributes {
    /// The attributes of the block with this place in the epoch of `origin`, under the chain's configuration
    /// as it is after that L1 block.
    pub(crate) fn new(origin: &L1Block, sequence_number: u64, config: &SystemConfigContract) -> Self {
        Self {
            number: origin.header.number,
            timestamp: origin.header.timestamp,
            base_fee: origin.header.base_fee_per_gas.unwrap_or_default(),
            blob_base_fee: origin.header.blob_fee(BlobParams::prague()).unwrap_or(1),
            hash: origin.hash,
            sequence_number,
            batcher: config.batcher,
            scalars: config.scalars,
        }
    }

    /// The calldata of `setL1BlockValuesJovian`: packed, big-endian.
    pub(crate) fn encode(&self) -> Bytes {
        const OPERATOR_FEE_SCALAR: u32 = 0;
        const OPERATOR_FEE_CONSTANT: u64 = 0;
        [
            IL1Block::setL1BlockValuesJovianCall::SELECTOR.as_slice(),
            &self.scalars.base_fee.to_be_bytes(),
            &self.scalars.blob_base_fee.to_be_bytes(),
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
    pub(crate) fn deposit(&self) -> TxDeposit {
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

/// The origin that the calldata of `setL1BlockValuesJovian` names, and the block's place in its epoch.
/// `None`: it is no such calldata.
pub(crate) fn origin(calldata: &[u8]) -> Option<(BlockNumHash, u64)> {
    const LENGTH: usize = 178;
    let selector = calldata.get(..4)? == IL1Block::setL1BlockValuesJovianCall::SELECTOR;
    if !selector || calldata.len() != LENGTH {
        return None;
    }
    let number =
        |range: core::ops::Range<usize>| calldata.get(range)?.try_into().ok().map(u64::from_be_bytes);
    let hash = B256::try_from(calldata.get(100..132)?).ok()?;
    Some((BlockNumHash { number: number(28..36)?, hash }, number(12..20)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::{b256, hex};

    fn attributes() -> L1Attributes {
        L1Attributes {
            number: 0x0102_0304_0506_0708,
            timestamp: 0x1112_1314_1516_1718,
            base_fee: 0x2122_2324_2526_2728,
            blob_base_fee: 0x3132_3334_3536_3738,
            hash: B256::repeat_byte(0x44),
            sequence_number: 0x5152_5354_5556_5758,
            batcher: Address::repeat_byte(0x66),
            scalars: FeeScalars::GENESIS,
        }
    }

    #[test]
    fn calldata_is_packed_as_specified() {
        let expected = hex!(
            "3db6be2b" // selector
            "0000146b" // base fee scalar
            "000f79c5" // blob base fee scalar
            "5152535455565758" // sequence number
            "1112131415161718" // timestamp
            "0102030405060708" // number
            "0000000000000000000000000000000000000000000000002122232425262728" // base fee
            "0000000000000000000000000000000000000000000000003132333435363738" // blob base fee
            "4444444444444444444444444444444444444444444444444444444444444444" // hash
            "0000000000000000000000006666666666666666666666666666666666666666" // batcher hash
            "00000000" // operator fee scalar
            "0000000000000000" // operator fee constant
            "0190" // DA footprint gas scalar
        );
        assert_eq!(expected.len(), 178);
        assert_eq!(attributes().encode().as_ref(), expected);
    }

    #[test]
    fn the_origin_reads_back() {
        let calldata = attributes().encode();
        let id = BlockNumHash { number: 0x0102_0304_0506_0708, hash: B256::repeat_byte(0x44) };
        assert_eq!(origin(&calldata), Some((id, 0x5152_5354_5556_5758)));
        assert_eq!(origin(&calldata[..177]), None);
        assert_eq!(origin(&[&[0][..], &calldata[1..]].concat()), None);
    }

    #[test]
    fn deposit_is_the_specified_transaction() {
        let deposit = attributes().deposit();
        assert_eq!(deposit.gas_limit, 1_000_000);
        assert!(!deposit.is_system_transaction);
        assert_eq!(deposit.to, TxKind::Call(address!("4200000000000000000000000000000000000015")));
        assert_eq!(deposit.from, address!("deaddeaddeaddeaddeaddeaddeaddeaddead0001"));
    }

    /// `keccak256(1 as 32 bytes || keccak256(origin hash || sequence number as 32 bytes))`.
    #[test]
    fn source_hash_binds_origin_and_sequence_number() {
        let place = [B256::repeat_byte(0x44), U256::from(0x5152_5354_5556_5758_u64).into()].concat();
        let domain = b256!("0000000000000000000000000000000000000000000000000000000000000001");
        let expected = alloy::primitives::keccak256([domain, alloy::primitives::keccak256(place)].concat());
        assert_eq!(attributes().deposit().source_hash, expected);
    }
}
