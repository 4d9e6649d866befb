//! [`UpgradeBundle`]: what a fork's first block holds beside its usual deposits, by hash, and the gas that it
//! gets for it.
//!
//! Karst's and Lagoon's are compiled in. Another fork's may be read from a file that an operator names
//! ([`NamedBundle`]); without one it stays unknown, and nothing is guessed. Rules as in op-node,
//! `op-node/rollup/derive/upgrade_transaction.go` and `lagoon_activation_transactions.go`.

mod file;
mod table;

pub use file::{BundleFileError, NamedBundle};

use crate::consolidation::TransactionDigest;
use alloy::primitives::B256;

/// The upgrade transactions of a fork, in order, and what they add to the gas limit of their block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpgradeBundle {
    pub(super) transactions: Vec<TransactionDigest>,
    pub(super) gas: u64,
}

impl UpgradeBundle {
    /// The digests of its transactions, in order.
    pub fn transactions(&self) -> &[TransactionDigest] {
        &self.transactions
    }

    /// What they add to the gas limit of their block.
    pub const fn gas(&self) -> u64 {
        self.gas
    }
}

/// How many chains a chain's dependency set has, as far as Lagoon's first block depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetSize {
    /// Whether there is another chain than itself.
    pub is_of_several: bool,
    /// Whether the chain's own node says so. Otherwise a difference may be a mistake in a setting.
    pub is_certain: bool,
}

impl SetSize {
    /// The other one.
    pub(super) const fn flipped(self) -> Self {
        Self { is_of_several: !self.is_of_several, ..self }
    }
}

/// Karst's.
pub(super) fn karst() -> UpgradeBundle {
    UpgradeBundle { transactions: digests(&table::KARST).collect(), gas: table::KARST_GAS }
}

/// Lagoon's. Its gas is the same for every set: anyone who takes it off again does not know the set.
pub(super) fn lagoon(set: SetSize) -> UpgradeBundle {
    let bundle = digests(&table::LAGOON);
    let transactions = match set.is_of_several {
        true => digests(&table::SET_FEATURE).chain(bundle).chain(digests(&table::FUNDING)).collect(),
        false => bundle.collect(),
    };
    UpgradeBundle { transactions, gas: table::LAGOON_GAS }
}

fn digests(hashes: &[B256]) -> impl Iterator<Item = TransactionDigest> + '_ {
    hashes.iter().map(|hash| TransactionDigest { is_deposit: true, hash: *hash })
}

#[cfg(test)]
mod tests;
