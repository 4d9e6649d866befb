//! [`ValidationRules`] and the tables of rules that an authentic envelope must hold by.
//!
//! Pure: each rule checks the envelope, the settings and the time it is handed. A rule's place in its table
//! is its place in the order of checks. What a broken rule means is in [`Reason::verdict`].

use crate::{ChainId, Envelope, ForkTimes, Reason, Topic, UnixSeconds};

/// The most blocks that a chain may have in a second. Upstream's chains with several blocks of one timestamp have up to sixteen
/// in two seconds.
const MOST_BLOCKS_A_SECOND: u64 = 8;
/// How many heights are remembered at least: as many as in op-node.
const FEWEST_HEIGHTS: usize = 1_000;

/// The most blocks whose timestamps lie within so many seconds, both ends included.
fn most_blocks_within(seconds: u64) -> usize {
    let blocks = seconds.saturating_add(1).saturating_mul(MOST_BLOCKS_A_SECOND);
    usize::try_from(blocks).unwrap_or(usize::MAX)
}

/// The settings of a chain's validator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationRules {
    /// The chain.
    pub chain_id: ChainId,
    /// When its forks took force.
    pub forks: ForkTimes,
    /// How old an unsafe block may be, seconds.
    pub blocks_past: u64,
    /// How old a block on cross-safe-blocksv1 may be, seconds: the sequencing window by default.
    pub cross_safe_past: u64,
    /// How far in the future a block may be, seconds.
    pub future: u64,
    /// How many blocks of one height may have been let through before one more is refused. As in op-node, whose
    /// count is of blocks seen before: one more than this number gets in.
    pub max_blocks_per_height: usize,
    /// How many heights of each topic of unsafe blocks are remembered.
    pub blocks_heights: usize,
    /// Whether cross-safe-blocksv1 takes signatures in the zero domain, which anybody may have from an unsafe block.
    pub takes_zero_domain: bool,
    /// How many heights of cross-safe-blocksv1 are remembered: no fewer than its window has blocks.
    pub cross_safe_heights: usize,
}

impl ValidationRules {
    /// op-node's settings for unsafe blocks; for cross-safe-blocksv1 a window of twelve hours. Every fork is taken to be in
    /// force.
    pub fn new(chain_id: ChainId) -> Self {
        let rules = Self {
            chain_id,
            forks: ForkTimes::AT_GENESIS,
            blocks_past: 60,
            cross_safe_past: 43_200,
            future: 5,
            max_blocks_per_height: 5,
            blocks_heights: 0,
            takes_zero_domain: true,
            cross_safe_heights: 0,
        };
        rules.with_windows(60, 43_200, 5)
    }

    /// Lets blocks in that are this old, and this far in the future, and remembers them for as long as they would be accepted again:
    /// by their number, whatever the chain's block time is, for several blocks may share a timestamp.
    #[must_use]
    pub fn with_windows(self, blocks_past: u64, cross_safe_past: u64, future: u64) -> Self {
        let heights = |past: u64| most_blocks_within(past.saturating_add(future)).max(FEWEST_HEIGHTS);
        Self {
            blocks_past,
            cross_safe_past,
            future,
            blocks_heights: heights(blocks_past),
            cross_safe_heights: heights(cross_safe_past),
            ..self
        }
    }

    /// How old a block on a topic may be, seconds.
    pub const fn past(&self, topic: Topic) -> u64 {
        if topic.is_cross_safe() { self.cross_safe_past } else { self.blocks_past }
    }

    /// How many heights of a topic are remembered.
    pub const fn heights(&self, topic: Topic) -> usize {
        if topic.is_cross_safe() { self.cross_safe_heights } else { self.blocks_heights }
    }

    /// The window that holds on a topic at a time.
    pub(crate) const fn window(&self, topic: Topic, now: UnixSeconds) -> Window {
        Window { now, past: self.past(topic), future: self.future }
    }
}

/// The span of timestamps that are let through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    now: UnixSeconds,
    past: u64,
    future: u64,
}

impl Window {
    /// Checks that a timestamp lies in the window, its ends included.
    pub(crate) const fn check(self, timestamp: UnixSeconds) -> Result<(), Reason> {
        let Self { now, past, future } = self;
        if timestamp.0 < now.0.saturating_sub(past) {
            return Err(Reason::TooOld { timestamp, now, past });
        }
        if timestamp.0 > now.0.saturating_add(future) {
            return Err(Reason::FromTheFuture { timestamp, now, future });
        }
        Ok(())
    }
}

type Rule = fn(&Envelope, &ForkTimes) -> Result<(), Reason>;

/// What holds of a block whenever and wherever it is checked, in the order of checks. What a version lacks, its
/// type lacks: that a payload has the fields of its version, and no others, is a matter of the layout.
const BLOCK_RULES: &[Rule] = &[
    no_empty_transaction,
    base_fee_fits_a_header,
    block_hash_is_recomputed,
    no_withdrawals,
    no_blob_gas_before_jovian,
    no_excess_blob_gas,
];

/// Checks the rules that need neither time nor history.
pub(crate) fn check_block(envelope: &Envelope, forks: &ForkTimes) -> Result<(), Reason> {
    BLOCK_RULES.iter().try_for_each(|rule| rule(envelope, forks))
}

fn no_empty_transaction(envelope: &Envelope, _: &ForkTimes) -> Result<(), Reason> {
    match envelope.payload.transactions.iter().position(|transaction| transaction.is_empty()) {
        Some(index) => Err(Reason::EmptyTransaction { index }),
        None => Ok(()),
    }
}

fn base_fee_fits_a_header(envelope: &Envelope, _: &ForkTimes) -> Result<(), Reason> {
    u64::try_from(envelope.payload.base_fee_per_gas).map(drop).map_err(|_| Reason::BaseFeeTooLarge)
}

fn block_hash_is_recomputed(envelope: &Envelope, _: &ForkTimes) -> Result<(), Reason> {
    let computed = envelope.payload.recompute_hash();
    if computed == envelope.payload.block_hash { Ok(()) } else { Err(Reason::BlockHashMismatch { computed }) }
}

fn no_withdrawals(envelope: &Envelope, _: &ForkTimes) -> Result<(), Reason> {
    match envelope.payload.withdrawals().unwrap_or_default().len() {
        0 => Ok(()),
        count => Err(Reason::WithdrawalsNotEmpty { count }),
    }
}

fn no_blob_gas_before_jovian(envelope: &Envelope, forks: &ForkTimes) -> Result<(), Reason> {
    let payload = &envelope.payload;
    match payload.blobs().map_or(0, |blobs| blobs.blob_gas_used) {
        0 => Ok(()),
        _ if forks.is_jovian(payload.timestamp) => Ok(()),
        blob_gas_used => Err(Reason::BlobGasBeforeJovian {
            blob_gas_used,
            timestamp: payload.timestamp,
            jovian: forks.jovian,
        }),
    }
}

fn no_excess_blob_gas(envelope: &Envelope, _: &ForkTimes) -> Result<(), Reason> {
    match envelope.payload.blobs().map_or(0, |blobs| blobs.excess_blob_gas) {
        0 => Ok(()),
        excess_blob_gas => Err(Reason::ExcessBlobGas { excess_blob_gas }),
    }
}
