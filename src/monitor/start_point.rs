//! [`StartPoint`]: from which block on a chain is read. Pure.

use alloy::eips::BlockNumHash;
use crosscheck_core::heads::L2BlockRef;
use std::ops::RangeInclusive;

/// Why it is not known yet from which block on a chain is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoStart {
    /// Nothing is called final.
    #[error("no finalized block of it is known yet, so reading cannot start")]
    NoFinalBlock,
    /// What is called final is not what is final.
    #[error(
        "the finalized block {number} is older than a sequencing window: the node has just started, or is stuck; \
         reading starts when a newer block is final"
    )]
    StaleFinalBlock {
        /// The block's height.
        number: u64,
    },
}

/// From which block on a chain is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartPoint {
    /// Up to which block every message had ended, in an earlier run.
    pub cursor: Option<BlockNumHash>,
    /// How many blocks messages are tracked for: what is further below the tip would expire at once.
    pub retained: u64,
}

impl StartPoint {
    /// The start of a chain with this time between its blocks, in seconds, whose messages are tracked for so
    /// long.
    pub fn new(cursor: Option<BlockNumHash>, retention: u64, block_time: u64) -> Self {
        Self { cursor, retained: retention.div_ceil(block_time.max(1)) }
    }

    /// The first block to read: after the cursor, or at first the final block.
    ///
    /// # Errors
    /// If neither is known yet. What a node that starts calls final is not: it would be days of blocks to
    /// read.
    pub(crate) fn first(&self, finalized: Option<L2BlockRef>, tip: L2BlockRef) -> Result<u64, NoStart> {
        let wanted = match (self.cursor, finalized) {
            (Some(cursor), _) => cursor.number.saturating_add(1),
            (None, None) => return Err(NoStart::NoFinalBlock),
            (None, Some(head)) if head.is_stale_finality(tip.timestamp) => {
                return Err(NoStart::StaleFinalBlock { number: head.number });
            }
            (None, Some(head)) => head.number,
        };
        // A chain that was begun again, as on a devnet, may be below its former self.
        Ok(wanted.max(tip.number.saturating_sub(self.retained)).min(tip.number))
    }

    /// The blocks that are skipped if reading begins here: an earlier run had not reached them, and they are
    /// too old now.
    pub(crate) fn skipped(&self, first: u64) -> Option<RangeInclusive<u64>> {
        let next = self.cursor?.number.saturating_add(1);
        (next < first).then(|| next..=first.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;
    use crosscheck_p2p::UnixSeconds;
    use rstest::rstest;

    /// The blocks are two seconds apart, and a sequencing window is 21,600 of them.
    #[rstest]
    #[case::first_time(None, Some(90), 100, Ok(90))]
    #[case::nothing_is_final_yet(None, None, 100, Err(NoStart::NoFinalBlock))]
    #[case::after_the_cursor(Some(70), Some(90), 100, Ok(71))]
    #[case::after_the_cursor_regardless_of_finality(Some(70), None, 100, Ok(71))]
    #[case::after_the_cursor_when_genesis_is_called_final(Some(70_000), Some(0), 70_100, Ok(70_050))]
    #[case::cursor_at_the_tip(Some(100), Some(100), 100, Ok(100))]
    #[case::cursor_above_the_tip(Some(200), Some(90), 100, Ok(100))]
    #[case::longer_than_messages_are_kept(Some(10), Some(990), 1000, Ok(950))]
    #[case::final_block_longer_ago_than_messages_are_kept(None, Some(0), 1000, Ok(950))]
    #[case::a_young_chain(None, Some(0), 21_600, Ok(21_550))]
    #[case::genesis_while_the_node_starts(None, Some(0), 21_601, Err(NoStart::StaleFinalBlock { number: 0 }))]
    #[case::a_node_that_is_stuck(None, Some(10), 21_611, Err(NoStart::StaleFinalBlock { number: 10 }))]
    fn first(
        #[case] cursor: Option<u64>,
        #[case] finalized: Option<u64>,
        #[case] tip: u64,
        #[case] expected: Result<u64, NoStart>,
    ) {
        let head = |number: u64| L2BlockRef::new(number, B256::repeat_byte(1), UnixSeconds(2 * number));
        let cursor = cursor.map(|number| BlockNumHash { number, hash: B256::ZERO });
        let start = StartPoint::new(cursor, 99, 2);
        assert_eq!(start.first(finalized.and_then(head), head(tip).unwrap()), expected);
    }

    #[rstest]
    #[case::first_time(None, 50, None)]
    #[case::nothing_is_left_out(Some(70), 71, None)]
    #[case::a_chain_that_was_begun_anew(Some(200), 100, None)]
    #[case::one(Some(70), 72, Some(71..=71))]
    #[case::many(Some(10), 950, Some(11..=949))]
    fn blocks_that_are_skipped(
        #[case] cursor: Option<u64>,
        #[case] first: u64,
        #[case] expected: Option<RangeInclusive<u64>>,
    ) {
        let cursor = cursor.map(|number| BlockNumHash { number, hash: B256::ZERO });
        assert_eq!(StartPoint::new(cursor, 99, 2).skipped(first), expected);
    }
}
