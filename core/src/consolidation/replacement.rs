//! [`ReplacementRule`]: what is at the height of an invalid block.
//!
//! Today its deposits alone. Until April 2026 the draft of interop appended a deposit that named the invalid
//! block's output; devnets of that time still do. Source of the old rule: specs, interop/derivation.md,
//! "Replacing invalid blocks", before pull request 900.

use super::{BlockAttributes, TransactionDigest};
use crate::proof::OutputV0;
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, TxKind, U256, address};
use op_alloy::consensus::{InteropBlockReplacementDepositSource, TxDeposit};
use serde::{Deserialize, Serialize};

/// Who sent the old rule's extra deposit.
const OPTIMISTIC_BLOCK_DEPOSITOR: Address = address!("deaddeaddeaddeaddeaddeaddeaddeaddead0002");

/// Its gas limit.
const OPTIMISTIC_BLOCK_GAS: u64 = 36_000;

/// How a chain replaces an invalid block: a setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplacementRule {
    /// By its deposits, in order.
    #[default]
    DepositsOnly,
    /// By its deposits and one more, which names the invalid block's output: old devnets.
    WithOptimisticBlockDeposit,
}

/// A rule, with what it needs to know of the invalid block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// By its deposits, in order.
    DepositsOnly,
    /// By its deposits and the one that names this output of its.
    WithOptimisticBlockDeposit(OutputV0),
}

impl ReplacementRule {
    /// The rule for the block with this output.
    pub const fn of(self, output: OutputV0) -> Replacement {
        match self {
            Self::DepositsOnly => Replacement::DepositsOnly,
            Self::WithOptimisticBlockDeposit => Replacement::WithOptimisticBlockDeposit(output),
        }
    }
}

/// The deposit by which the old rule's replacement names the block with this output.
pub fn optimistic_block_deposit(output: &OutputV0) -> TxDeposit {
    TxDeposit {
        source_hash: InteropBlockReplacementDepositSource { output_root: output.root() }.source_hash(),
        from: OPTIMISTIC_BLOCK_DEPOSITOR,
        to: TxKind::Call(Address::ZERO),
        mint: 0,
        value: U256::ZERO,
        gas_limit: OPTIMISTIC_BLOCK_GAS,
        is_system_transaction: false,
        input: output.preimage().into(),
    }
}

impl Replacement {
    /// The attributes of the block that replaces an invalid one.
    pub fn of(&self, invalid: &BlockAttributes) -> BlockAttributes {
        let mut replacement = invalid.with_deposits_only();
        if let Self::WithOptimisticBlockDeposit(output) = self {
            let deposit = optimistic_block_deposit(output).encoded_2718().into();
            replacement.transactions.push(TransactionDigest::of(&deposit));
        }
        replacement
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consolidation::{Consolidation, Mismatch, consolidate_by, sample};
    use alloy::primitives::hex;
    use alloy::primitives::{B256, keccak256};

    fn output() -> OutputV0 {
        OutputV0 {
            state_root: B256::repeat_byte(0xaa),
            withdrawals_root: B256::repeat_byte(0xbb),
            block_hash: B256::repeat_byte(0xcc),
        }
    }

    /// Every field of the wire form, one after the other.
    #[test]
    fn the_old_rules_deposit_to_the_byte() {
        let data = [[0; 32], [0xaa; 32], [0xbb; 32], [0xcc; 32]].concat();
        let domain = U256::from(4).to_be_bytes::<32>();
        let source = keccak256([domain, keccak256(&data).0].concat());
        let fields = [
            &hex!("a0")[..],
            source.as_slice(),
            &hex!("94deaddeaddeaddeaddeaddeaddeaddeaddead0002"),
            &hex!("940000000000000000000000000000000000000000"),
            &hex!("80 80 828ca0 80"),
            &hex!("b880"),
            &data,
        ]
        .concat();
        let length = u8::try_from(fields.len()).unwrap();
        let expected = [&hex!("7ef8")[..], &[length], &fields].concat();
        assert_eq!(optimistic_block_deposit(&output()).encoded_2718(), expected);
    }

    #[test]
    fn each_rule_accepts_only_its_own_replacement() {
        let derived = sample::block(&["\x7e one", "\x02 two", "\x7e three"]);
        let today = ReplacementRule::DepositsOnly.of(output());
        let old = ReplacementRule::WithOptimisticBlockDeposit.of(output());
        assert_eq!(today.of(&derived), derived.with_deposits_only());
        assert_eq!(old.of(&derived).transactions.len(), 3);
        for (rule, other) in [(today, old), (old, today)] {
            assert_eq!(consolidate_by(rule, &derived, &rule.of(&derived)), Consolidation::DepositsOnly);
            let Consolidation::Failed { deposits_only, .. } =
                consolidate_by(rule, &derived, &other.of(&derived))
            else {
                panic!("taken by the other rule")
            };
            assert!(matches!(deposits_only, Mismatch::TransactionCount { .. }));
        }
    }

    #[test]
    fn the_setting_in_words() {
        let rule: ReplacementRule = serde_json::from_str("\"with-optimistic-block-deposit\"").unwrap();
        assert_eq!(rule, ReplacementRule::WithOptimisticBlockDeposit);
    }
}
