//! [`SafetyHeads`]: how far a chain is, as its own node or client says.

use crate::heads::{SafeMeans, SafetyLevel};
use crosscheck_p2p::UnixSeconds;

/// Heights of a chain's heads. For a client that reports no local-safe head, its safe head is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SafetyHeads {
    /// Derived from L1.
    pub local_safe: u64,
    /// What the node calls safe.
    pub safe: u64,
    /// Covered by L1 finality.
    pub finalized: u64,
    /// What it means that the node calls a block safe.
    pub safe_means: SafeMeans,
    /// A node that checks messages has checked those of blocks after this time; what it calls safe before is
    /// taken over.
    pub verified_since: UnixSeconds,
}

impl SafetyHeads {
    /// The level of a canonical block at this height, where every block up to `cross_unsafe` is verified.
    pub const fn level_of(&self, number: u64, cross_unsafe: u64) -> SafetyLevel {
        if number <= self.finalized {
            SafetyLevel::Finalized
        } else if number <= self.safe {
            SafetyLevel::Safe
        } else if number <= self.local_safe {
            SafetyLevel::LocalSafe
        } else if number <= cross_unsafe {
            SafetyLevel::CrossUnsafe
        } else {
            SafetyLevel::Unsafe
        }
    }

    /// How far a block of this level and timestamp is proven to be if one of its messages is invalid: a node
    /// that has not checked it makes nothing cross-safe, however high it ranks the block.
    pub fn proven(&self, level: SafetyLevel, timestamp: UnixSeconds) -> SafetyLevel {
        match self.safe_means {
            SafeMeans::CrossSafe if timestamp > self.verified_since => level,
            SafeMeans::CrossSafe | SafeMeans::LocalSafe => level.min(SafetyLevel::LocalSafe),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::a_node_that_checks_messages(
        SafeMeans::CrossSafe,
        51,
        SafetyLevel::Finalized,
        SafetyLevel::Finalized
    )]
    #[case::blocks_it_has_taken_over(
        SafeMeans::CrossSafe,
        50,
        SafetyLevel::Finalized,
        SafetyLevel::LocalSafe
    )]
    #[case::unsafe_that_it_has_taken_over(SafeMeans::CrossSafe, 50, SafetyLevel::Unsafe, SafetyLevel::Unsafe)]
    #[case::safe_on_a_plain_node(SafeMeans::LocalSafe, 51, SafetyLevel::Safe, SafetyLevel::LocalSafe)]
    #[case::final_on_a_plain_node(SafeMeans::LocalSafe, 51, SafetyLevel::Finalized, SafetyLevel::LocalSafe)]
    #[case::unsafe_on_a_plain_node(SafeMeans::LocalSafe, 51, SafetyLevel::Unsafe, SafetyLevel::Unsafe)]
    fn safe_blocks_are_proven_only_if_the_node_checks_messages(
        #[case] safe_means: SafeMeans,
        #[case] timestamp: u64,
        #[case] level: SafetyLevel,
        #[case] expected: SafetyLevel,
    ) {
        let heads = SafetyHeads { safe_means, verified_since: UnixSeconds(50), ..SafetyHeads::default() };
        assert_eq!(heads.proven(level, UnixSeconds(timestamp)), expected);
    }
}
