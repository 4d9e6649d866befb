//! [`CrossChainLimits`]: how far the chains have come that a chain depends on. Pure.
//!
//! A block is cross-safe only when every chain that its messages may come from is derived up to its time, and final only when they are
//! final up to then.

use super::{Keep, L2Ref};
use crate::sources::SyncStatus;
use crosscheck_core::heads::L2BlockRef;
use crosscheck_p2p::ChainId;

/// Up to when the chains that a chain depends on are known. `None`: it depends on no other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CrossChainLimits {
    /// Up to this time all of them are derived, in Unix seconds.
    pub safe: Option<u64>,
    /// Up to this time all of them are final, in Unix seconds. `None` also while one of them names no final block.
    pub finalized: Option<u64>,
}

impl CrossChainLimits {
    /// The limits that follow from the heads of the chains that a chain depends on, itself left out.
    ///
    /// # Errors
    /// If one of them has no local-safe head that is known.
    pub fn of(chains: impl IntoIterator<Item = (ChainId, Option<SyncStatus>)>) -> Result<Self, Keep> {
        let (mut limits, mut is_all_final) = (Self::default(), true);
        for (chain_id, status) in chains {
            let local_safe = status.and_then(|status| status.local_safe_l2);
            let local_safe = local_safe.ok_or(Keep::DependencyUnknown { chain_id })?;
            limits.safe = lower(limits.safe, local_safe);
            match status.and_then(|status| status.finalized_l2) {
                Some(finalized) => limits.finalized = lower(limits.finalized, finalized),
                None => is_all_final = false,
            }
        }
        // Nothing is final by all of them.
        limits.finalized = if is_all_final { limits.finalized } else { limits.safe.map(|_| 0) };
        Ok(limits)
    }
}

fn lower(limit: Option<u64>, head: L2BlockRef) -> Option<u64> {
    let time = head.timestamp.0;
    Some(limit.map_or(time, |limit| limit.min(time)))
}

/// The height of the highest ancestor of a block that is not later than a time, itself included. `block_time`: of the chain, in seconds.
pub(super) fn number_up_to(block: &L2Ref, time: Option<u64>, block_time: u64) -> u64 {
    let too_late = time.map_or(0, |time| block.timestamp.saturating_sub(time));
    block.number.saturating_sub(too_late.div_ceil(block_time.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::sample::l2;
    use alloy::primitives::B256;
    use crosscheck_p2p::UnixSeconds;
    use rstest::rstest;

    fn head(time: Option<u64>) -> Option<L2BlockRef> {
        time.and_then(|time| L2BlockRef::new(time / 2, B256::repeat_byte(1), UnixSeconds(time)))
    }

    /// A chain with these times of its local-safe and its finalized head.
    fn chain(id: u64, local_safe: Option<u64>, finalized: Option<u64>) -> (ChainId, Option<SyncStatus>) {
        let status = SyncStatus {
            local_safe_l2: head(local_safe),
            finalized_l2: head(finalized),
            ..SyncStatus::default()
        };
        (ChainId::from(id), Some(status))
    }

    fn limits(safe: Option<u64>, finalized: Option<u64>) -> Result<CrossChainLimits, Keep> {
        Ok(CrossChainLimits { safe, finalized })
    }

    #[rstest]
    #[case::no_other_chain(vec![], limits(None, None))]
    #[case::the_lowest_of_each(vec![chain(902, Some(100), Some(40)), chain(903, Some(90), Some(60))], limits(Some(90), Some(40)))]
    #[case::one_names_no_final_block(vec![chain(902, Some(100), None), chain(903, Some(90), Some(60))], limits(Some(90), Some(0)))]
    #[case::one_names_no_head(
        vec![chain(902, Some(100), Some(40)), chain(903, None, None)],
        Err(Keep::DependencyUnknown { chain_id: ChainId::from(903) })
    )]
    #[case::one_does_not_answer(vec![(ChainId::from(902), None)], Err(Keep::DependencyUnknown { chain_id: ChainId::from(902) }))]
    fn limits_are_those_of_the_chain_that_is_least_far(
        #[case] chains: Vec<(ChainId, Option<SyncStatus>)>,
        #[case] expected: Result<CrossChainLimits, Keep>,
    ) {
        assert_eq!(CrossChainLimits::of(chains), expected);
    }

    #[rstest]
    #[case::no_limit(None, 0)]
    #[case::its_own_time(Some(0), 0)]
    #[case::later(Some(5), 0)]
    #[case::a_second_before(Some(-1), 1)]
    #[case::one_block_before(Some(-2), 1)]
    #[case::three_seconds_before(Some(-3), 2)]
    fn the_highest_block_that_is_not_later(#[case] off: Option<i64>, #[case] below: u64) {
        let block = l2(20);
        let time = off.map(|off| block.timestamp.checked_add_signed(off).unwrap());
        assert_eq!(number_up_to(&block, time, 2), 20 - below);
    }
}
