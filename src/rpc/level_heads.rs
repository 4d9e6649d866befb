//! [`LevelHeads`]: how far a chain is at each safety level, by its own heads and by the messages verified.
//! Pure.
//!
//! | level | the highest block that |
//! | --- | --- |
//! | unsafe | the chain's endpoints agree on |
//! | cross-unsafe | has only verified messages in it and below it |
//! | local-safe | the chain's node or client calls local-safe |
//! | safe | it calls safe, and that is cross-unsafe |
//! | finalized | it calls finalized, and that is safe by the line above |
//!
//! So nothing is called safe on the node's claim alone. Blocks below the monitor's view are settled.

use crosscheck_core::heads::{SafetyHeads, SafetyLevel};
use crosscheck_core::tracker::ChainView;
use crosscheck_p2p::UnixSeconds;

/// How far a chain is. `None`: no block is that far, or nothing is known of that level yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LevelHeads {
    /// The highest block and its timestamp.
    pub tip: (u64, UnixSeconds),
    cross_unsafe: Option<u64>,
    heads: Option<SafetyHeads>,
}

impl LevelHeads {
    /// The heads of the chain of this view. `None`: the view is empty.
    pub(super) fn of(view: &ChainView) -> Option<Self> {
        let (tip, first) = (view.tip()?, view.first()?);
        let heads = view.heads();
        Some(Self {
            tip: (tip.key.number, tip.timestamp),
            cross_unsafe: view.cross_unsafe().or_else(|| first.checked_sub(1)),
            // A chain whose every head is its genesis is not distinguished from one without heads.
            heads: ((heads.local_safe, heads.safe, heads.finalized) != (0, 0, 0)).then_some(heads),
        })
    }

    /// The highest block of this level.
    pub(super) fn head(&self, level: SafetyLevel) -> Option<u64> {
        let tip = self.tip.0;
        let head = |of: fn(&SafetyHeads) -> u64| self.heads.as_ref().map(|heads| of(heads).min(tip));
        match level {
            SafetyLevel::Unsafe => Some(tip),
            SafetyLevel::CrossUnsafe => self.cross_unsafe,
            SafetyLevel::LocalSafe => head(|heads| heads.local_safe),
            SafetyLevel::Safe => Some(head(|heads| heads.safe)?.min(self.cross_unsafe?)),
            SafetyLevel::Finalized => Some(head(|heads| heads.finalized)?.min(self.head(SafetyLevel::Safe)?)),
        }
    }

    /// Whether the canonical block at this height is at least of this level.
    pub(super) fn reaches(&self, number: u64, level: SafetyLevel) -> bool {
        self.head(level).is_some_and(|head| number <= head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosscheck_core::heads::SafeMeans;
    use rstest::rstest;

    const HEADS: SafetyHeads = heads(80, 60, 40);

    const fn heads(local_safe: u64, safe: u64, finalized: u64) -> SafetyHeads {
        SafetyHeads {
            local_safe,
            safe,
            finalized,
            safe_means: SafeMeans::CrossSafe,
            verified_since: UnixSeconds(0),
        }
    }

    fn level_heads(cross_unsafe: Option<u64>, heads: Option<SafetyHeads>) -> LevelHeads {
        LevelHeads { tip: (100, UnixSeconds(200)), cross_unsafe, heads }
    }

    #[rstest]
    #[case::all_verified(Some(90), Some(HEADS), [Some(100), Some(90), Some(80), Some(60), Some(40)])]
    #[case::held_below_safe(Some(50), Some(HEADS), [Some(100), Some(50), Some(80), Some(50), Some(40)])]
    #[case::held_below_final(Some(30), Some(HEADS), [Some(100), Some(30), Some(80), Some(30), Some(30)])]
    #[case::nothing_verified(None, Some(HEADS), [Some(100), None, Some(80), None, None])]
    #[case::heads_unknown(Some(90), None, [Some(100), Some(90), None, None, None])]
    #[case::node_ahead(
        Some(100), Some(heads(120, 110, 105)), [Some(100); 5]
    )]
    fn heads_by_level(
        #[case] cross_unsafe: Option<u64>,
        #[case] heads: Option<SafetyHeads>,
        #[case] expected: [Option<u64>; 5],
    ) {
        let heads = level_heads(cross_unsafe, heads);
        assert_eq!(SafetyLevel::ALL.map(|level| heads.head(level)), expected);
        for (level, head) in SafetyLevel::ALL.into_iter().zip(expected) {
            assert_eq!(heads.reaches(head.unwrap_or(0), level), head.is_some());
            assert!(!heads.reaches(head.unwrap_or(0) + 1, level));
        }
    }
}
