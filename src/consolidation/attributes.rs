//! [`BlockAttributes`]: what a block fixes before it is executed; what derivation can know of it.

use crate::sources::VerifiedBlock;
use alloy::primitives::{Address, B256, Bytes, keccak256};
use crosscheck_p2p::{Envelope, UnixSeconds};

/// The first byte of a deposit transaction's encoding.
const DEPOSIT_TYPE: u8 = 0x7e;

/// The payload attributes that a block was built from, read back from the block.
///
/// State, receipts, gas used, base fee and block hash are results of execution and no part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockAttributes {
    /// The block that it builds on.
    pub parent_hash: B256,
    /// Its timestamp.
    pub timestamp: UnixSeconds,
    /// The L1 origin's randomness.
    pub prev_randao: B256,
    /// Who receives the fees.
    pub fee_recipient: Address,
    /// Its gas limit.
    pub gas_limit: u64,
    /// The L1 origin's parent beacon block root.
    pub parent_beacon_block_root: Option<B256>,
    /// How many withdrawals it holds: on the OP Stack, none.
    pub withdrawals: usize,
    /// Its EIP-1559 parameters, as its extra data states them.
    pub fees: Result<FeeParameters, FeeParametersError>,
    /// Its transactions, in order.
    pub transactions: Vec<TransactionDigest>,
}

impl BlockAttributes {
    /// The attributes of a gossiped block.
    pub fn of_envelope(envelope: &Envelope) -> Self {
        let payload = &envelope.payload;
        Self {
            parent_hash: payload.parent_hash,
            timestamp: payload.timestamp,
            prev_randao: payload.prev_randao,
            fee_recipient: payload.fee_recipient,
            gas_limit: payload.gas_limit,
            parent_beacon_block_root: Some(envelope.parent_beacon_block_root),
            withdrawals: payload.withdrawals.len(),
            fees: FeeParameters::decode(&payload.extra_data),
            transactions: payload.transactions.iter().map(TransactionDigest::of).collect(),
        }
    }

    /// The attributes of an execution client's block.
    pub fn of_block(block: &VerifiedBlock) -> Self {
        let header = block.header();
        Self {
            parent_hash: header.parent_hash,
            timestamp: block.timestamp(),
            prev_randao: header.mix_hash,
            fee_recipient: header.beneficiary,
            gas_limit: header.gas_limit,
            parent_beacon_block_root: header.parent_beacon_block_root,
            withdrawals: 0,
            fees: FeeParameters::decode(&header.extra_data),
            transactions: block.transactions().iter().map(TransactionDigest::of).collect(),
        }
    }

    /// The same attributes with deposits only, their order kept: the replacement of an invalid block.
    #[must_use]
    pub fn with_deposits_only(&self) -> Self {
        let transactions = self.transactions.iter().filter(|tx| tx.is_deposit).copied().collect();
        Self { transactions, ..self.clone() }
    }

    /// Whether every transaction is a deposit.
    pub fn is_deposits_only(&self) -> bool {
        self.transactions.iter().all(|tx| tx.is_deposit)
    }
}

/// A transaction as far as matching goes. Bodies are not kept: a waiting block may hold megabytes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionDigest {
    /// Whether it is a deposit.
    pub is_deposit: bool,
    /// `keccak256` of its EIP-2718 encoding: equal hashes are equal bytes.
    pub hash: B256,
}

impl TransactionDigest {
    /// The digest of an encoded transaction.
    pub fn of(encoded: &Bytes) -> Self {
        Self { is_deposit: encoded.first() == Some(&DEPOSIT_TYPE), hash: keccak256(encoded) }
    }
}

/// The EIP-1559 parameters in a block's extra data (Holocene, Jovian).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeParameters {
    /// The base fee change denominator.
    pub denominator: u32,
    /// The elasticity multiplier.
    pub elasticity: u32,
    /// The minimum base fee in wei: Jovian and later.
    pub min_base_fee: Option<u64>,
}

/// Extra data that states no EIP-1559 parameters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("extra data {extra_data} is neither Holocene's 9 bytes (version 0) nor Jovian's 17 (version 1)")]
pub struct FeeParametersError {
    /// What was there.
    pub extra_data: Bytes,
}

impl FeeParameters {
    /// Reads a block's extra data.
    ///
    /// # Errors
    /// If it is in neither of the two layouts.
    pub fn decode(extra_data: &Bytes) -> Result<Self, FeeParametersError> {
        let malformed = || FeeParametersError { extra_data: extra_data.slice(..extra_data.len().min(32)) };
        let (fixed, floor) = match extra_data.as_ref() {
            [0, fixed @ ..] if fixed.len() == 8 => (fixed, None),
            [1, rest @ ..] if rest.len() == 16 => {
                let (fixed, floor) = rest.split_at_checked(8).ok_or_else(malformed)?;
                (fixed, Some(be_u64(floor).ok_or_else(malformed)?))
            }
            _ => return Err(malformed()),
        };
        let both = be_u64(fixed).ok_or_else(malformed)?.to_be_bytes();
        let [a, b, c, d, e, f, g, h] = both;
        Ok(Self {
            denominator: u32::from_be_bytes([a, b, c, d]),
            elasticity: u32::from_be_bytes([e, f, g, h]),
            min_base_fee: floor,
        })
    }
}

fn be_u64(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn reads_holocene_and_jovian() {
        let holocene = Bytes::from(vec![0, 0, 0, 0, 250, 0, 0, 0, 6]);
        let read = FeeParameters { denominator: 250, elasticity: 6, min_base_fee: None };
        assert_eq!(FeeParameters::decode(&holocene), Ok(read));
        let jovian = Bytes::from([vec![1, 0, 0, 0, 250, 0, 0, 0, 6], 77u64.to_be_bytes().to_vec()].concat());
        assert_eq!(FeeParameters::decode(&jovian), Ok(FeeParameters { min_base_fee: Some(77), ..read }));
    }

    #[rstest]
    #[case::empty(vec![])]
    #[case::version_two(vec![2; 17])]
    #[case::holocene_a_byte_long(vec![0; 10])]
    #[case::jovian_in_holocene_length(vec![1; 9])]
    #[case::holocene_in_jovian_length(vec![0; 17])]
    #[case::huge(vec![0; 1000])]
    fn refuses(#[case] extra_data: Vec<u8>) {
        assert!(FeeParameters::decode(&extra_data.into()).is_err());
    }
}
