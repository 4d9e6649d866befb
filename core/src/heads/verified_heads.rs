//! Which heads of a node may be used. Pure.
//!
//! A node may be on another branch than the one that the chain's endpoints agree on, or ahead of what was
//! read: then its final head says nothing about the blocks that are tracked.

use super::SafetyHeads;
use super::recent_blocks::RecentBlocks;
use crate::heads::{L2BlockRef, SafeMeans};
use crosscheck_p2p::UnixSeconds;

/// The heads as a node, or the labels of execution clients, report them. `None`: that one is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportedHeads {
    /// Derived from L1.
    pub local_safe: Option<L2BlockRef>,
    /// What the node calls safe.
    pub safe: Option<L2BlockRef>,
    /// Covered by L1 finality.
    pub finalized: Option<L2BlockRef>,
    /// What it means that the node calls a block safe.
    pub safe_means: SafeMeans,
    /// After which time a node that checks messages has checked them.
    pub verified_since: UnixSeconds,
}

/// A head that is on another branch than the blocks that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its {level} head, block {number}, is not on the chain that its execution endpoints agree on")]
pub struct OtherFork {
    /// Which head.
    pub level: &'static str,
    /// Its height.
    pub number: u64,
}

/// Takes over the heads that are built on the chain as it was read. A head above the tip stays where it was
/// until the chain is read that far, and so does one that is not reported; one on another branch stays below
/// the height at which they differ, and is named.
pub fn verified_heads(
    recent: &RecentBlocks,
    known: SafetyHeads,
    reported: &ReportedHeads,
) -> (SafetyHeads, Option<OtherFork>) {
    let mut other = None;
    let mut verify = |level, head: Option<L2BlockRef>, known: u64| {
        let Some(head) = head else { return known };
        match recent.hash_at(head.number) {
            Some(hash) if hash == head.hash() => head.number,
            Some(_) => {
                other = Some(OtherFork { level, number: head.number });
                known.min(head.number.saturating_sub(1))
            }
            // Below all that is remembered: settled. Above the tip: not read yet.
            None if recent.first().is_some_and(|first| head.number < first) => head.number,
            None => known,
        }
    };
    let finalized = verify("finalized", reported.finalized, known.finalized);
    let safe = verify("safe", reported.safe, known.safe).max(finalized);
    let local_safe = verify("local-safe", reported.local_safe, known.local_safe).max(safe);
    let ReportedHeads { safe_means, verified_since, .. } = *reported;
    (SafetyHeads { local_safe, safe, finalized, safe_means, verified_since }, other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::eips::BlockNumHash;
    use alloy::primitives::B256;
    use rstest::rstest;

    fn hash(number: u64) -> B256 {
        B256::repeat_byte(u8::try_from(number).unwrap())
    }

    /// Blocks 10 to 20.
    fn recent() -> RecentBlocks {
        let mut recent = RecentBlocks::default();
        for number in 10..=20 {
            assert!(recent.push(BlockNumHash { number, hash: hash(number) }, hash(number - 1)));
        }
        recent
    }

    fn head(number: u64, is_fork: bool) -> Option<L2BlockRef> {
        let hash = if is_fork { B256::repeat_byte(0xff) } else { hash(number) };
        L2BlockRef::new(number, hash, UnixSeconds(number))
    }

    #[rstest]
    #[case::none(None, heads(15, 14, 11))]
    #[case::only_the_l1_blocks(head(16, false), heads(16, 14, 11))]
    fn a_head_that_is_not_reported_keeps_its_last_value(
        #[case] local_safe: Option<L2BlockRef>,
        #[case] expected: SafetyHeads,
    ) {
        let reported = reported(local_safe, None, None);
        assert_eq!(verified_heads(&recent(), heads(15, 14, 11), &reported), (expected, None));
    }

    fn heads(local_safe: u64, safe: u64, finalized: u64) -> SafetyHeads {
        SafetyHeads {
            local_safe,
            safe,
            finalized,
            safe_means: SafeMeans::CrossSafe,
            verified_since: UnixSeconds(0),
        }
    }

    fn reported(
        local_safe: Option<L2BlockRef>,
        safe: Option<L2BlockRef>,
        finalized: Option<L2BlockRef>,
    ) -> ReportedHeads {
        ReportedHeads {
            local_safe,
            safe,
            finalized,
            safe_means: SafeMeans::CrossSafe,
            verified_since: UnixSeconds(0),
        }
    }

    #[rstest]
    #[case::as_reported((18, false), (16, false), (12, false), heads(18, 16, 12), None)]
    #[case::ahead_of_the_blocks_read((25, false), (16, false), (12, false), heads(16, 16, 12), None)]
    #[case::below_the_remembered_blocks((18, false), (16, false), (3, false), heads(18, 16, 3), None)]
    #[case::went_back((13, false), (12, false), (11, false), heads(13, 12, 11), None)]
    #[case::other_branch((18, true), (16, false), (12, false), heads(16, 16, 12), Some("local-safe"))]
    #[case::other_branch_below_the_known_blocks((14, true), (12, false), (11, false), heads(13, 12, 11), Some("local-safe"))]
    fn heads_are_taken_over(
        #[case] local_safe: (u64, bool),
        #[case] safe: (u64, bool),
        #[case] finalized: (u64, bool),
        #[case] expected: SafetyHeads,
        #[case] fork: Option<&str>,
    ) {
        let [local_safe, safe, finalized] =
            [local_safe, safe, finalized].map(|(number, fork)| head(number, fork));
        let reported = reported(local_safe, safe, finalized);
        let (taken, other) = verified_heads(&recent(), heads(15, 14, 11), &reported);
        assert_eq!(taken, expected);
        assert_eq!(other.map(|other| other.level), fork);
    }
}
