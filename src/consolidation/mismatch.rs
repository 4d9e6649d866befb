//! [`Mismatch`]: the first attribute in which two blocks differ, in op-node's order of comparison.

use super::{BlockAttributes, FeeParameters, FeeParametersError};
use alloy::primitives::{Address, B256};
use crosscheck_p2p::UnixSeconds;

/// The first attribute in which a block differs from what was derived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "expected: what was derived; found: what the block has")]
pub enum Mismatch {
    /// It builds on another block.
    #[error("parent hash: expected {expected}, found {found}")]
    ParentHash { expected: B256, found: B256 },
    /// It has another time.
    #[error("timestamp: expected {expected}, found {found}")]
    Timestamp { expected: UnixSeconds, found: UnixSeconds },
    /// It has other randomness.
    #[error("prevRandao: expected {expected}, found {found}")]
    PrevRandao { expected: B256, found: B256 },
    /// It has more or fewer transactions.
    #[error("transactions: expected {expected}, found {found}")]
    TransactionCount { expected: usize, found: usize },
    /// One of its transactions is another; hashes are those of the encoded transactions.
    #[error("transaction {index}: expected {expected}, found {found}")]
    Transaction { index: usize, expected: B256, found: B256 },
    /// It has another gas limit.
    #[error("gas limit: expected {expected}, found {found}")]
    GasLimit { expected: u64, found: u64 },
    /// It has another number of withdrawals.
    #[error("withdrawals: expected {expected}, found {found}")]
    Withdrawals { expected: usize, found: usize },
    /// It has another parent beacon block root.
    #[error("parent beacon block root: expected {expected:?}, found {found:?}")]
    ParentBeaconBlockRoot { expected: Option<B256>, found: Option<B256> },
    /// Its fees go to someone else.
    #[error("fee recipient: expected {expected}, found {found}")]
    FeeRecipient { expected: Address, found: Address },
    /// It has other EIP-1559 parameters.
    #[error("EIP-1559 parameters: expected {expected:?}, found {found:?}")]
    FeeParameters {
        expected: Result<FeeParameters, FeeParametersError>,
        found: Result<FeeParameters, FeeParametersError>,
    },
}

impl Mismatch {
    /// The attribute's name.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::ParentHash { .. } => "parent-hash",
            Self::Timestamp { .. } => "timestamp",
            Self::PrevRandao { .. } => "prev-randao",
            Self::TransactionCount { .. } => "transaction-count",
            Self::Transaction { .. } => "transaction",
            Self::GasLimit { .. } => "gas-limit",
            Self::Withdrawals { .. } => "withdrawals",
            Self::ParentBeaconBlockRoot { .. } => "parent-beacon-block-root",
            Self::FeeRecipient { .. } => "fee-recipient",
            Self::FeeParameters { .. } => "fee-parameters",
        }
    }

    /// The first difference between what was derived and what a block has, or `None`: they match.
    pub fn first(derived: &BlockAttributes, block: &BlockAttributes) -> Option<Self> {
        /// The named difference, unless both sides are equal.
        macro_rules! differs {
            ($variant:ident, $expected:expr, $found:expr) => {
                ($expected != $found).then(|| Self::$variant { expected: $expected, found: $found })
            };
        }
        differs!(ParentHash, derived.parent_hash, block.parent_hash)
            .or_else(|| differs!(Timestamp, derived.timestamp, block.timestamp))
            .or_else(|| differs!(PrevRandao, derived.prev_randao, block.prev_randao))
            .or_else(|| differs!(TransactionCount, derived.transactions.len(), block.transactions.len()))
            .or_else(|| Self::first_transaction(derived, block))
            .or_else(|| differs!(GasLimit, derived.gas_limit, block.gas_limit))
            .or_else(|| differs!(Withdrawals, derived.withdrawals, block.withdrawals))
            .or_else(|| {
                let (expected, found) = (derived.parent_beacon_block_root, block.parent_beacon_block_root);
                differs!(ParentBeaconBlockRoot, expected, found)
            })
            .or_else(|| differs!(FeeRecipient, derived.fee_recipient, block.fee_recipient))
            .or_else(|| differs!(FeeParameters, derived.fees.clone(), block.fees.clone()))
    }

    fn first_transaction(derived: &BlockAttributes, block: &BlockAttributes) -> Option<Self> {
        let pairs = derived.transactions.iter().zip(&block.transactions);
        pairs.enumerate().find(|(_, (expected, found))| expected != found).map(
            |(index, (expected, found))| Self::Transaction {
                index,
                expected: expected.hash,
                found: found.hash,
            },
        )
    }
}
