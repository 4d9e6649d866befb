//! [`StartPoint`]: from which block on a chain is read. Pure.

use alloy::eips::BlockNumHash;

/// From which block on a chain is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartPoint {
    /// Up to which block every message had ended, in a former run.
    pub cursor: Option<BlockNumHash>,
    /// How many blocks messages are tracked for: what is further below the tip would expire at once.
    pub retained: u64,
}

impl StartPoint {
    /// The start of a chain with this time between its blocks, in seconds, whose messages are tracked for so long.
    pub fn new(cursor: Option<BlockNumHash>, retention: u64, block_time: u64) -> Self {
        Self { cursor, retained: retention.div_ceil(block_time.max(1)) }
    }

    /// The first block to read: after the cursor, or at first the final block. `None`: neither is known yet.
    pub fn first(&self, finalized: Option<u64>, tip: u64) -> Option<u64> {
        let wanted = self.cursor.map(|cursor| cursor.number.saturating_add(1)).or(finalized)?;
        // A chain that was begun anew, as on a devnet, may be below its former self.
        Some(wanted.max(tip.saturating_sub(self.retained)).min(tip))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;
    use rstest::rstest;

    #[rstest]
    #[case::first_time(None, Some(90), 100, Some(90))]
    #[case::nothing_is_final_yet(None, None, 100, None)]
    #[case::after_the_cursor(Some(70), Some(90), 100, Some(71))]
    #[case::after_the_cursor_whatever_is_final(Some(70), None, 100, Some(71))]
    #[case::cursor_at_the_tip(Some(100), Some(100), 100, Some(100))]
    #[case::cursor_above_the_tip(Some(200), Some(90), 100, Some(100))]
    #[case::longer_than_messages_are_kept(Some(10), Some(990), 1000, Some(950))]
    #[case::final_block_longer_ago_than_messages_are_kept(None, Some(0), 1000, Some(950))]
    fn first(
        #[case] cursor: Option<u64>,
        #[case] finalized: Option<u64>,
        #[case] tip: u64,
        #[case] expected: Option<u64>,
    ) {
        let cursor = cursor.map(|number| BlockNumHash { number, hash: B256::ZERO });
        assert_eq!(StartPoint::new(cursor, 99, 2).first(finalized, tip), expected);
    }
}
