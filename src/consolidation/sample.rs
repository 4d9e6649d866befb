//! A block of a chain with every fork, for the tests of this module and those who use it.

use super::{BlockAttributes, FeeParameters, TransactionDigest};
use alloy::primitives::{Address, B256, Bytes};
use crosscheck_p2p::UnixSeconds;

/// The digests of made-up transactions.
pub(crate) fn transactions(encoded: &[&'static str]) -> Vec<TransactionDigest> {
    encoded.iter().map(|tx| TransactionDigest::of(&Bytes::from_static(tx.as_bytes()))).collect()
}

/// A block with these made-up transactions.
pub(crate) fn block(encoded: &[&'static str]) -> BlockAttributes {
    let first_deposit = encoded.iter().find(|tx| tx.starts_with('\x7e'));
    BlockAttributes {
        parent_hash: B256::repeat_byte(1),
        timestamp: UnixSeconds(100),
        prev_randao: B256::repeat_byte(2),
        fee_recipient: Address::repeat_byte(3),
        gas_limit: 30_000_000,
        parent_beacon_block_root: Some(B256::repeat_byte(4)),
        withdrawals: Some(0),
        withdrawals_root: Some(B256::repeat_byte(5)),
        fees: Ok(FeeParameters { denominator: 250, elasticity: 6, min_base_fee: Some(7) }),
        transactions: transactions(encoded),
        metering: super::Metering::None,
        first_deposit: first_deposit.map(|tx| Bytes::from_static(tx.as_bytes())),
    }
}
