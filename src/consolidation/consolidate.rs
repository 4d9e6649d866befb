//! [`consolidate`]: the derived block, then its deposits-only reduction, against an attested block.

use super::{BlockAttributes, Mismatch};

/// How an attested block relates to the block derived at its height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consolidation {
    /// It has the derived attributes.
    AsDerived,
    /// It has the derived attributes with deposits only: the replacement of an invalid block.
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
    let Some(mismatch) = Mismatch::first(derived, block) else {
        return Consolidation::AsDerived;
    };
    match Mismatch::first(&derived.with_deposits_only(), block) {
        None => Consolidation::DepositsOnly,
        Some(deposits_only) => Consolidation::Failed { derived: mismatch, deposits_only },
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FeeParameters, TransactionDigest};
    use super::*;
    use alloy::primitives::{Address, B256, Bytes};
    use crosscheck_p2p::UnixSeconds;
    use rstest::rstest;

    fn transactions(encoded: &[&'static str]) -> Vec<TransactionDigest> {
        encoded.iter().map(|tx| TransactionDigest::of(&Bytes::from_static(tx.as_bytes()))).collect()
    }

    fn derived() -> BlockAttributes {
        BlockAttributes {
            parent_hash: B256::repeat_byte(1),
            timestamp: UnixSeconds(10),
            prev_randao: B256::repeat_byte(2),
            fee_recipient: Address::repeat_byte(3),
            gas_limit: 30_000_000,
            parent_beacon_block_root: Some(B256::repeat_byte(4)),
            withdrawals: 0,
            fees: Ok(FeeParameters { denominator: 250, elasticity: 6, min_base_fee: Some(7) }),
            transactions: transactions(&["\x7e one", "\x02 two", "\x7e three", "\x01 four"]),
        }
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
    #[case::timestamp("timestamp", |block: &mut BlockAttributes| block.timestamp = UnixSeconds(12))]
    #[case::prev_randao("prev-randao", |block: &mut BlockAttributes| block.prev_randao = B256::ZERO)]
    #[case::transaction_count("transaction-count", |block: &mut BlockAttributes| {
        block.transactions.pop();
    })]
    #[case::transaction("transaction", |block: &mut BlockAttributes| block.transactions.swap(1, 3))]
    #[case::gas_limit("gas-limit", |block: &mut BlockAttributes| block.gas_limit += 1)]
    #[case::withdrawals("withdrawals", |block: &mut BlockAttributes| block.withdrawals = 1)]
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
