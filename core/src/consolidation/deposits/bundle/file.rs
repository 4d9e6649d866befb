//! [`NamedBundle`]: the upgrade transactions of a fork that this build does not know, from the file that
//! upstream publishes.
//!
//! Layout: the JSON files in the optimism monorepo, `op-core/nuts/bundles/`. Parsing is pure: the caller
//! passes in the text.

use super::UpgradeBundle;
use crate::consolidation::TransactionDigest;
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, B256, Bytes, TxKind, U256};
use op_alloy::consensus::{TxDeposit, UpgradeDepositSource};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The only version of the layout.
const VERSION: &str = "1.0.0";

/// A fork's bundle from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedBundle {
    /// The fork, as the rollup configuration's key names it without `_time`.
    pub fork: String,
    /// The SHA-256 of the file: what upstream pins.
    pub sha256: B256,
    /// What it holds.
    pub bundle: UpgradeBundle,
}

/// Why a file is not a bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleFileError {
    /// It is not in the layout.
    #[error("it is not a bundle of upgrade transactions: {reason}")]
    Layout {
        /// What is wrong.
        reason: String,
    },
    /// The layout is another version's.
    #[error("its layout version is {found:?}; this build reads {VERSION:?}")]
    Version {
        /// Its version.
        found: String,
    },
    /// It holds nothing.
    #[error("it holds no transactions")]
    Empty,
    /// A transaction does not say what it is for, so its source hash cannot be determined.
    #[error("transaction {index} has no intent")]
    NoIntent {
        /// Its place.
        index: usize,
    },
    /// The gas of all is beyond 64 bits.
    #[error("the total gas of its transactions does not fit 64 bits")]
    Gas,
}

#[derive(Deserialize)]
struct Layout {
    metadata: Metadata,
    transactions: Vec<Transaction>,
}

#[derive(Deserialize)]
struct Metadata {
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transaction {
    intent: String,
    from: Address,
    to: Option<Address>,
    data: Bytes,
    gas_limit: u64,
}

impl NamedBundle {
    /// Reads the bundle of a fork. `label` begins the intent of each transaction, and so decides their source
    /// hashes: usually the fork's name with a capital letter.
    ///
    /// # Errors
    /// If the text is not such a bundle.
    pub fn read(fork: &str, label: &str, text: &str) -> Result<Self, BundleFileError> {
        let layout: Layout = serde_json::from_str(text)
            .map_err(|error| BundleFileError::Layout { reason: error.to_string() })?;
        if layout.metadata.version != VERSION {
            return Err(BundleFileError::Version { found: layout.metadata.version });
        }
        if layout.transactions.is_empty() {
            return Err(BundleFileError::Empty);
        }
        let mut bundle = UpgradeBundle { transactions: Vec::new(), gas: 0 };
        for (index, transaction) in layout.transactions.into_iter().enumerate() {
            if transaction.intent.is_empty() {
                return Err(BundleFileError::NoIntent { index });
            }
            bundle.gas = bundle.gas.checked_add(transaction.gas_limit).ok_or(BundleFileError::Gas)?;
            let encoded = transaction.deposit(label, index).encoded_2718().into();
            bundle.transactions.push(TransactionDigest::of(&encoded));
        }
        let sha256 = B256::from_slice(&Sha256::digest(text));
        Ok(Self { fork: fork.to_owned(), sha256, bundle })
    }
}

impl Transaction {
    fn deposit(self, label: &str, index: usize) -> TxDeposit {
        let intent = format!("{label} {index}: {}", self.intent);
        TxDeposit {
            source_hash: UpgradeDepositSource::new(intent).source_hash(),
            from: self.from,
            to: self.to.map_or(TxKind::Create, TxKind::Call),
            mint: 0,
            value: U256::ZERO,
            gas_limit: self.gas_limit,
            is_system_transaction: false,
            input: self.data,
        }
    }
}
