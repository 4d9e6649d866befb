//! [`consolidate`]: the derived block, then its deposits-only reduction, against an attested block.

use super::{BlockAttributes, Mismatch, Replacement};

/// How an attested block relates to the block derived at its height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consolidation {
    /// It has the derived attributes.
    AsDerived,
    /// It has the derived attributes with deposits only (and what the chain's rule adds): the replacement of
    /// an invalid block.
    DepositsOnly,
    /// It has neither.
    Failed {
        /// The first difference from the derived attributes.
        derived: Mismatch,
        /// The first difference from their deposits-only reduction.
        deposits_only: Mismatch,
    },
}

/// Matches a block against the derived attributes, then against their deposits-only reduction.
pub fn consolidate(derived: &BlockAttributes, block: &BlockAttributes) -> Consolidation {
    consolidate_by(Replacement::DepositsOnly, derived, block)
}

/// Matches a block against the derived attributes, then against their replacement by the chain's rule.
pub fn consolidate_by(
    replacement: Replacement,
    derived: &BlockAttributes,
    block: &BlockAttributes,
) -> Consolidation {
    let Some(mismatch) = Mismatch::first(derived, block) else {
        return Consolidation::AsDerived;
    };
    match Mismatch::first(&replacement.of(derived), block) {
        None => Consolidation::DepositsOnly,
        Some(deposits_only) => Consolidation::Failed { derived: mismatch, deposits_only },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consolidation::sample::transactions;
    use crate::consolidation::{FeeParameters, sample};
    use alloy::primitives::{Address, B256};
    use crosscheck_p2p::UnixSeconds;
    use rstest::rstest;

    fn derived() -> BlockAttributes {
        sample::block(&["\x7e one", "\x02 two", "\x7e three", "\x01 four"])
    }

    #[test]
    fn the_derived_block_consolidates() {
        assert_eq!(consolidate(&derived(), &derived()), Consolidation::AsDerived);
    }

    #[test]
    fn its_deposits_in_order_are_its_replacement() {
        let mut block = derived();
        block.transactions = transactions(&["\x7e one", "\x7e three"]);
        assert_eq!(consolidate(&derived(), &block), Consolidation::DepositsOnly);
        block.transactions.reverse();
        assert!(matches!(consolidate(&derived(), &block), Consolidation::Failed { .. }));
    }

    #[test]
    fn a_deposits_only_block_is_its_own_derivation_first() {
        let deposits = derived().with_deposits_only();
        assert_eq!(consolidate(&deposits, &deposits), Consolidation::AsDerived);
    }

    #[rstest]
    #[case::parent_hash("parent-hash", |block: &mut BlockAttributes| block.parent_hash = B256::ZERO)]
    #[case::timestamp("timestamp", |block: &mut BlockAttributes| block.timestamp = UnixSeconds(102))]
    #[case::prev_randao("prev-randao", |block: &mut BlockAttributes| block.prev_randao = B256::ZERO)]
    #[case::transaction_count("transaction-count", |block: &mut BlockAttributes| {
        block.transactions.pop();
    })]
    #[case::transaction("transaction", |block: &mut BlockAttributes| block.transactions.swap(1, 3))]
    #[case::gas_limit("gas-limit", |block: &mut BlockAttributes| block.gas_limit += 1)]
    #[case::withdrawals("withdrawals", |block: &mut BlockAttributes| block.withdrawals = Some(1))]
    #[case::beacon_root("parent-beacon-block-root", |block: &mut BlockAttributes| {
        block.parent_beacon_block_root = None;
    })]
    #[case::fee_recipient("fee-recipient", |block: &mut BlockAttributes| block.fee_recipient = Address::ZERO)]
    #[case::minimum_base_fee("fee-parameters", |block: &mut BlockAttributes| {
        block.fees = Ok(FeeParameters { denominator: 250, elasticity: 6, min_base_fee: Some(8) });
    })]
    fn one_other_field_fails(#[case] field: &str, #[case] change: fn(&mut BlockAttributes)) {
        let mut block = derived();
        change(&mut block);
        match consolidate(&derived(), &block) {
            Consolidation::Failed { derived, .. } => assert_eq!(derived.field(), field),
            other => panic!("{other:?}"),
        }
    }
}
