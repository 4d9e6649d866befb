//! [`Schedule`]: what happens at which tick, pure and the same in every run.
//!
//! One tick is one L2 block time. In a tick the L1 moves first, then blocks are promoted, then each chain
//! builds. Nothing here waits: how long a tick takes is the runner's business.

use crosscheck_p2p::UnixSeconds;

/// The number of ticks from one L1 block to the next.
pub(crate) const TICKS_PER_L1_BLOCK: u64 = 3;
/// A block becomes cross-safe this many ticks after it became local-safe.
pub(crate) const CROSS_SAFE_TICKS: u64 = 2;
/// The L1's safe head is this many blocks behind its head.
pub(crate) const L1_SAFE_DEPTH: u64 = 2;
/// The L1's finalized head is this many blocks behind its head.
pub(crate) const L1_FINALITY_DEPTH: u64 = 4;
/// The message expiry window of the dependency set, in L2 block times.
pub(crate) const EXPIRY_BLOCKS: u64 = 16;
/// The height of every chain's activation block: what it and the blocks before it log initiates no messages.
pub(crate) const ACTIVATION_BLOCK: u64 = 2;
/// From this height on, blocks may execute messages: cross-safe blocks exist by then, on every chain.
pub(crate) const FIRST_EXECUTING_BLOCK: u64 = 8;
/// A node that withdraws a local-safe head names heads far below for this many ticks, before it names the
/// replacement.
pub(crate) const WITHDRAWN_TICKS: u64 = 2;

/// When things happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The time of every chain's genesis block.
    pub genesis_time: UnixSeconds,
    /// Seconds between two blocks of an L2 chain.
    pub block_time: u64,
    /// The height at which the chains stop building; `None`: they never stop.
    pub blocks: Option<u64>,
}

impl Schedule {
    /// The time of a tick. Tick 0 is genesis.
    pub(crate) const fn time_of(&self, tick: u64) -> UnixSeconds {
        UnixSeconds(self.genesis_time.0.saturating_add(tick.saturating_mul(self.block_time)))
    }

    /// The height that every chain has reached at the end of a tick.
    pub fn height_at(&self, tick: u64) -> u64 {
        self.blocks.map_or(tick, |blocks| tick.min(blocks))
    }

    /// Whether an L1 block is produced in this tick.
    pub(crate) const fn makes_l1_block(&self, tick: u64) -> bool {
        tick != 0 && tick.is_multiple_of(TICKS_PER_L1_BLOCK)
    }

    /// When interop activates on every chain.
    pub const fn interop_time(&self) -> UnixSeconds {
        self.time_of(ACTIVATION_BLOCK)
    }

    /// The message expiry window, in seconds.
    pub const fn expiry_window(&self) -> u64 {
        self.block_time.saturating_mul(EXPIRY_BLOCKS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const SCHEDULE: Schedule = Schedule { genesis_time: UnixSeconds(1_000), block_time: 2, blocks: Some(10) };

    #[rstest]
    #[case::genesis(0, 1_000, 0, false)]
    #[case::first_block(1, 1_002, 1, false)]
    #[case::first_l1_block(3, 1_006, 3, true)]
    #[case::last_block(10, 1_020, 10, false)]
    #[case::after_the_last_block(12, 1_024, 10, true)]
    fn ticks(#[case] tick: u64, #[case] time: u64, #[case] height: u64, #[case] l1: bool) {
        assert_eq!(SCHEDULE.time_of(tick), UnixSeconds(time));
        assert_eq!(SCHEDULE.height_at(tick), height);
        assert_eq!(SCHEDULE.makes_l1_block(tick), l1);
    }

    #[test]
    fn a_message_of_a_cross_safe_block_has_not_expired() {
        let slowest = TICKS_PER_L1_BLOCK + CROSS_SAFE_TICKS + 1;
        assert!(slowest < EXPIRY_BLOCKS);
        assert!(slowest < FIRST_EXECUTING_BLOCK);
        const { assert!(ACTIVATION_BLOCK + 1 < FIRST_EXECUTING_BLOCK) };
    }
}
