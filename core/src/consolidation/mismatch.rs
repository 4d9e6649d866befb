//! [`Mismatch`]: the first attribute in which two blocks differ, in op-node's order of comparison.

use super::{BlockAttributes, FeeParameters, FeeParametersError, MeteringProblem, TransactionDigest};
use alloy::primitives::{Address, B256};
use crosscheck_p2p::UnixSeconds;

/// The named difference, unless both sides are equal.
macro_rules! differs {
    ($variant:ident, $expected:expr, $found:expr) => {
        ($expected != $found)
            .then(|| $crate::consolidation::Mismatch::$variant { expected: $expected, found: $found })
    };
}
pub(super) use differs;

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
    /// It lacks a deposit that L1 gives it, has another in its place, or has one that L1 does not give it.
    #[error("deposit {index}: expected {}, found {}", or_none(*expected), or_none(*found))]
    Deposit { index: usize, expected: Option<B256>, found: Option<B256> },
    /// Its sequencer-defined metering cannot be.
    #[error("sequencer-defined metering: {problem}")]
    Metering { problem: MeteringProblem },
    /// It has another gas limit.
    #[error("gas limit: expected {expected}, found {found}")]
    GasLimit { expected: u64, found: u64 },
    /// It has another number of withdrawals, or a list of them where there is none, or none where there is
    /// one.
    #[error("withdrawals: expected {expected:?}, found {found:?}")]
    Withdrawals { expected: Option<usize>, found: Option<usize> },
    /// Its withdrawals root is not that of the empty list (Canyon to Isthmus).
    #[error("withdrawals root: expected {expected}, found {found}")]
    WithdrawalsRoot { expected: B256, found: B256 },
    /// It has no withdrawals root (since Isthmus).
    #[error("withdrawals root: there is none")]
    NoWithdrawalsRoot,
    /// It has another parent beacon block root.
    #[error("parent beacon block root: expected {}, found {}", or_none(*expected), or_none(*found))]
    ParentBeaconBlockRoot { expected: Option<B256>, found: Option<B256> },
    /// Its fees go to someone else.
    #[error("fee recipient: expected {expected}, found {found}")]
    FeeRecipient { expected: Address, found: Address },
    /// It has other EIP-1559 parameters.
    #[error("EIP-1559 parameters: expected {}, found {}", in_words(expected), in_words(found))]
    FeeParameters {
        expected: Result<FeeParameters, FeeParametersError>,
        found: Result<FeeParameters, FeeParametersError>,
    },
}

fn or_none(hash: Option<B256>) -> String {
    hash.map_or_else(|| "none".to_owned(), |hash| hash.to_string())
}

fn in_words(fees: &Result<FeeParameters, FeeParametersError>) -> String {
    match fees {
        Ok(FeeParameters { denominator, elasticity, min_base_fee: None }) => {
            format!("{denominator}, {elasticity}")
        }
        Ok(FeeParameters { denominator, elasticity, min_base_fee: Some(floor) }) => {
            format!("{denominator}, {elasticity}, at least {floor} wei")
        }
        Err(FeeParametersError { extra_data }) if extra_data.is_empty() => "no extra data".to_owned(),
        Err(FeeParametersError { extra_data }) => format!("extra data {extra_data}"),
    }
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
            Self::Deposit { .. } => "deposit",
            Self::Metering { .. } => "metering",
            Self::GasLimit { .. } => "gas-limit",
            Self::Withdrawals { .. } => "withdrawals",
            Self::WithdrawalsRoot { .. } | Self::NoWithdrawalsRoot => "withdrawals-root",
            Self::ParentBeaconBlockRoot { .. } => "parent-beacon-block-root",
            Self::FeeRecipient { .. } => "fee-recipient",
            Self::FeeParameters { .. } => "fee-parameters",
        }
    }

    /// The first difference between a derived block and another, or `None`: they have the same attributes.
    ///
    /// Both are blocks, so what 0,0 meant is resolved in both, and no fork need be known.
    pub fn first(derived: &BlockAttributes, block: &BlockAttributes) -> Option<Self> {
        differs!(ParentHash, derived.parent_hash, block.parent_hash)
            .or_else(|| differs!(Timestamp, derived.timestamp, block.timestamp))
            .or_else(|| differs!(PrevRandao, derived.prev_randao, block.prev_randao))
            .or_else(|| Self::of_transactions(&derived.transactions, &block.transactions))
            .or_else(|| differs!(GasLimit, derived.gas_limit, block.gas_limit))
            .or_else(|| differs!(Withdrawals, derived.withdrawals, block.withdrawals))
            .or_else(|| {
                let (expected, found) = (derived.parent_beacon_block_root, block.parent_beacon_block_root);
                differs!(ParentBeaconBlockRoot, expected, found)
            })
            .or_else(|| differs!(FeeRecipient, derived.fee_recipient, block.fee_recipient))
            .or_else(|| differs!(FeeParameters, derived.fees.clone(), block.fees.clone()))
    }

    /// The first difference between two lists of transactions: their number, then their bytes.
    pub(super) fn of_transactions(
        derived: &[TransactionDigest],
        block: &[TransactionDigest],
    ) -> Option<Self> {
        differs!(TransactionCount, derived.len(), block.len()).or_else(|| {
            let mut pairs = derived.iter().zip(block).enumerate();
            pairs.find(|(_, (expected, found))| expected != found).map(|(index, (expected, found))| {
                Self::Transaction { index, expected: expected.hash, found: found.hash }
            })
        })
    }

    /// The first place where a block's deposits are not those that L1 gives it: they come first, in order,
    /// and a batch can bring none.
    pub fn of_deposits(expected: &[TransactionDigest], block: &[TransactionDigest]) -> Option<Self> {
        let missing_or_other = expected.iter().enumerate().find_map(|(index, expected)| {
            let found = block.get(index);
            let differs = found != Some(expected);
            differs.then(|| Self::Deposit {
                index,
                expected: Some(expected.hash),
                found: found.map(|found| found.hash),
            })
        });
        missing_or_other.or_else(|| {
            let mut more = block.iter().enumerate().skip(expected.len());
            let (index, found) = more.find(|(_, transaction)| transaction.is_deposit)?;
            Some(Self::Deposit { index, expected: None, found: Some(found.hash) })
        })
    }
}
