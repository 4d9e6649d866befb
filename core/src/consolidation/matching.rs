//! [`MatchingRules`]: whether a block has the attributes that derivation wants, in op-node's order, for every
//! fork.
//!
//! Source: op-node, `op-node/rollup/attributes/engine_consolidate.go` (`AttributesMatchBlock`). Unlike
//! kona-node at times, the minimum base fee is compared.

use super::deposits::DerivedFromL1;
use super::mismatch::differs;
use super::{
    AttributeFees, BlockAttributes, Eip1559, FeeParameters, FeeParametersError, Fork, ForkSchedule, Mismatch,
    PayloadAttributes, RollupConfig,
};
use alloy::consensus::constants::EMPTY_WITHDRAWALS;
use alloy::primitives::Bytes;

/// What matching must know of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatchingRules {
    /// When its forks take force.
    pub forks: ForkSchedule,
    /// What 0,0 means in attributes. `None`: not known, and then any parameters match 0,0.
    pub canyon_fees: Option<Eip1559>,
}

impl From<&RollupConfig> for MatchingRules {
    fn from(config: &RollupConfig) -> Self {
        Self { forks: config.forks, canyon_fees: config.canyon_fees }
    }
}

impl MatchingRules {
    /// The first difference between derived attributes and a block, or `None`: they match.
    #[cfg(any(test, feature = "fixtures"))]
    pub fn first_mismatch(&self, derived: &PayloadAttributes, block: &BlockAttributes) -> Option<Mismatch> {
        self.compare(derived, block, || Mismatch::of_transactions(&derived.transactions, &block.transactions))
    }

    /// The first difference between what L1 alone says and a block, or `None`: L1 does not contradict it.
    ///
    /// Of its transactions only the deposits are compared; the others come from batches.
    pub fn first_mismatch_with_l1(
        &self,
        derived: &DerivedFromL1,
        block: &BlockAttributes,
    ) -> Option<Mismatch> {
        let attributes = &derived.attributes;
        self.compare(attributes, block, || {
            Mismatch::of_deposits(&attributes.transactions, &block.transactions)
        })
    }

    fn compare(
        &self,
        derived: &PayloadAttributes,
        block: &BlockAttributes,
        transactions: impl FnOnce() -> Option<Mismatch>,
    ) -> Option<Mismatch> {
        differs!(ParentHash, derived.parent_hash, block.parent_hash)
            .or_else(|| differs!(Timestamp, derived.timestamp, block.timestamp))
            .or_else(|| differs!(PrevRandao, derived.prev_randao, block.prev_randao))
            .or_else(transactions)
            .or_else(|| differs!(GasLimit, derived.gas_limit, block.gas_limit))
            .or_else(|| self.withdrawals(derived, block))
            .or_else(|| {
                let (expected, found) = (derived.parent_beacon_block_root, block.parent_beacon_block_root);
                differs!(ParentBeaconBlockRoot, expected, found)
            })
            .or_else(|| differs!(FeeRecipient, derived.fee_recipient, block.fee_recipient))
            .or_else(|| differs!(FeeParameters, self.expected_fees(derived, block), block.fees.clone()))
    }

    /// Before Canyon there is no list; until Isthmus the list is empty and so is its root; since then the
    /// root is the message passer's storage, which is known only after execution.
    fn withdrawals(&self, derived: &PayloadAttributes, block: &BlockAttributes) -> Option<Mismatch> {
        let is_active = |fork| self.forks.is_active(fork, block.timestamp);
        let by_fork = is_active(Fork::Canyon).then_some(0);
        differs!(Withdrawals, by_fork, block.withdrawals)
            .or_else(|| differs!(Withdrawals, derived.withdrawals, block.withdrawals))
            .or_else(|| match block.withdrawals_root {
                None if is_active(Fork::Isthmus) => Some(Mismatch::NoWithdrawalsRoot),
                Some(root) if !is_active(Fork::Isthmus) => differs!(WithdrawalsRoot, EMPTY_WITHDRAWALS, root),
                Some(_) | None => None,
            })
    }

    /// The parameters that the block's extra data must state; before Holocene it must be empty.
    fn expected_fees(
        &self,
        derived: &PayloadAttributes,
        block: &BlockAttributes,
    ) -> Result<FeeParameters, FeeParametersError> {
        let Some(AttributeFees { eip1559, min_base_fee }) = derived.fees else {
            return Err(FeeParametersError { extra_data: Bytes::new() });
        };
        let own = || block.fees.as_ref().map(FeeParameters::eip1559).unwrap_or_default();
        let resolved = if eip1559.is_unset() { self.canyon_fees.unwrap_or_else(own) } else { eip1559 };
        let Eip1559 { denominator, elasticity } = resolved;
        Ok(FeeParameters { denominator, elasticity, min_base_fee })
    }
}

#[cfg(test)]
mod tests;
