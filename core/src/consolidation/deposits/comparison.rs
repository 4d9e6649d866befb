//! [`compare_with_l1`]: a block checked against what L1 alone says of it. Pure.
//!
//! By rules that may not be the chain's nothing is contradicted: where a fork is in force that this build
//! does not know, or where a setting alone says how many chains the dependency set has, a difference is an
//! error that says so. So is a difference in nothing but the blob base fee, whose table is the released
//! nodes'.

use super::{
    BlobSchedule, DepositRules, DepositsError, DerivedFromL1, L1Epoch, L1Fees, ParentFacts, TakenFromNode,
    derive_from_l1,
};
use crate::consolidation::{BlockAttributes, Fork, MatchingRules, Mismatch};

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The first difference. `None`: the block is what L1 says.
    pub mismatch: Option<Mismatch>,
    /// What was not compared with L1, but with the rollup node's answer.
    pub taken: Option<TakenFromNode>,
    /// Whether the blob base fee is the block's own claim: L1's blob schedule is not known for its time.
    pub assumes_blob_fee: bool,
}

/// Compares a block with what follows from L1 alone; `node` as for [`derive_from_l1`].
///
/// # Errors
/// If such a block cannot exist, or this build does not know what it must contain.
pub fn compare_with_l1(
    rules: &DepositRules,
    parent: &ParentFacts,
    epoch: L1Epoch<'_>,
    node: Option<&BlockAttributes>,
    block: &BlockAttributes,
) -> Result<Comparison, DepositsError> {
    let found = compare(rules, parent, epoch, node, block);
    let is_settled = match &found {
        Ok(comparison) => comparison.mismatch.is_none(),
        Err(error) => !matches!(error, DepositsError::BlobSchedule { .. }),
    };
    let Some(fee) = own_blob_fee(block).filter(|_| !is_settled) else { return found };
    // Everything else is compared as if the block were right about the fee.
    let assuming = DepositRules { blobs: BlobSchedule::assuming(fee), ..rules.clone() };
    let otherwise = compare(&assuming, parent, epoch, node, block);
    match (found, otherwise) {
        (Err(_), otherwise) => Ok(Comparison { assumes_blob_fee: true, ..otherwise? }),
        // The released nodes' table is what makes the chain, and this one may be older.
        (Ok(_), Ok(Comparison { mismatch: None, .. })) => {
            Err(DepositsError::BlobFee { number: epoch.header.number(), fee })
        }
        (found, _) => found,
    }
}

/// The blob base fee that a block's first transaction says L1 has.
fn own_blob_fee(block: &BlockAttributes) -> Option<u128> {
    let (L1Fees::Ecotone(fees) | L1Fees::Isthmus(fees, _) | L1Fees::Jovian { ecotone: fees, .. }) =
        block.l1_info().ok()?.fees
    else {
        return None;
    };
    u128::try_from(fees.blob_base_fee).ok()
}

fn compare(
    rules: &DepositRules,
    parent: &ParentFacts,
    epoch: L1Epoch<'_>,
    node: Option<&BlockAttributes>,
    block: &BlockAttributes,
) -> Result<Comparison, DepositsError> {
    let matching = MatchingRules::from(&rules.config);
    let number = parent.number().saturating_add(1);
    let metering = block.metering.mismatch(&rules.config, number, block.timestamp);
    let differs = |derived: &DerivedFromL1| {
        matching.first_mismatch_with_l1(derived, block).or_else(|| metering.clone())
    };
    let unless_forked = |difference: String| match rules.config.unknown_forks.in_force(block.timestamp) {
        Some(fork) => Err(DepositsError::UnknownFork { fork: fork.name.clone(), difference }),
        None => Ok(()),
    };
    let derived = match derive_from_l1(rules, parent, epoch, node) {
        Err(error) if error.is_contradiction() => {
            unless_forked(error.to_string())?;
            return Err(error);
        }
        other => other?,
    };
    let Some(mismatch) = differs(&derived) else {
        if block.metering.is_unreadable() {
            return Err(DepositsError::Metering);
        }
        return Ok(Comparison { mismatch: None, taken: derived.taken, assumes_blob_fee: false });
    };
    unless_forked(mismatch.to_string())?;
    if !rules.set.is_certain && begins_lagoon(rules, &derived) {
        let flipped = DepositRules { set: rules.set.flipped(), ..rules.clone() };
        if differs(&derive_from_l1(&flipped, parent, epoch, node)?).is_none() {
            return Err(DepositsError::OtherSet { is_of_several: rules.set.is_of_several });
        }
    }
    Ok(Comparison { mismatch: Some(mismatch), taken: derived.taken, assumes_blob_fee: false })
}

fn begins_lagoon(rules: &DepositRules, derived: &DerivedFromL1) -> bool {
    let config = &rules.config;
    config.forks.is_activation_block(Fork::Lagoon, derived.attributes.timestamp, config.block_time)
}

#[cfg(test)]
mod tests;
