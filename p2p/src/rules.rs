//! [`ValidationRules`], and the rules of an authentic envelope.
//!
//! Pure: each rule is a function of the envelope, the settings and the time. The order in the table is the
//! order of the checks. What a broken rule leads to is in [`Reason::verdict`].

use crate::{ChainId, Envelope, GossipForkTimes, Reason, Topic, UnixSeconds};

/// The most blocks that a chain may have in a second. Chains with several blocks of one timestamp have up to
/// 16 in 2 s.
const MAX_BLOCKS_PER_SECOND: u64 = 8;
/// How many heights are remembered at least: as many as in op-node.
const MIN_HEIGHTS: usize = 1_000;

/// The most blocks whose timestamps are within this many seconds, both ends included.
fn max_blocks_within(seconds: u64) -> usize {
    let blocks = seconds.saturating_add(1).saturating_mul(MAX_BLOCKS_PER_SECOND);
    usize::try_from(blocks).unwrap_or(usize::MAX)
}

/// The settings of a chain's validator. Start from [`ValidationRules::new`] and change fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationRules {
    /// The chain whose frames are judged: its id is part of what is signed.
    pub chain_id: ChainId,
    /// When the chain's forks take force.
    pub forks: GossipForkTimes,
    /// How old an unsafe block may be, seconds: 60 in the specification.
    pub blocks_max_age_secs: u64,
    /// How old a block on `cross-safe-blocksv1` may be, seconds: by default 12 h, the sequencing window.
    pub cross_safe_max_age_secs: u64,
    /// How far in the future a block may be, seconds: 5 in the specification.
    pub max_ahead_secs: u64,
    /// A block is refused if more than this many other blocks of its height were accepted on the topic: 5 in
    /// the specification. As in op-node, one more than this number is accepted.
    pub max_blocks_per_height: usize,
    /// How many heights of each topic of unsafe blocks are remembered, at least 1.
    pub blocks_max_heights: usize,
    /// Whether signatures in the zero domain are accepted on `cross-safe-blocksv1`. Anyone can resend an
    /// unsafe block's signature there.
    pub accepts_zero_domain: bool,
    /// How many heights of `cross-safe-blocksv1` are remembered: not fewer than its window has blocks.
    pub cross_safe_max_heights: usize,
}

impl ValidationRules {
    /// op-node's settings for unsafe blocks, and a window of 12 h for `cross-safe-blocksv1`. Every fork is
    /// taken to be in force.
    pub fn new(chain_id: ChainId) -> Self {
        let rules = Self {
            chain_id,
            forks: GossipForkTimes::AT_GENESIS,
            blocks_max_age_secs: 60,
            cross_safe_max_age_secs: 43_200,
            max_ahead_secs: 5,
            max_blocks_per_height: 5,
            blocks_max_heights: 0,
            accepts_zero_domain: true,
            cross_safe_max_heights: 0,
        };
        rules.with_windows(60, 43_200, 5)
    }

    /// Sets the windows, seconds, and how many heights are remembered: as many as the window can have blocks,
    /// at 8 blocks a second, so that no block is accepted again after it was forgotten.
    #[must_use]
    pub fn with_windows(
        self,
        blocks_max_age_secs: u64,
        cross_safe_max_age_secs: u64,
        max_ahead_secs: u64,
    ) -> Self {
        let heights =
            |max_age: u64| max_blocks_within(max_age.saturating_add(max_ahead_secs)).max(MIN_HEIGHTS);
        Self {
            blocks_max_age_secs,
            cross_safe_max_age_secs,
            max_ahead_secs,
            blocks_max_heights: heights(blocks_max_age_secs),
            cross_safe_max_heights: heights(cross_safe_max_age_secs),
            ..self
        }
    }

    /// How old a block on a topic may be, seconds.
    pub const fn max_age_secs_on(&self, topic: Topic) -> u64 {
        if topic.is_cross_safe() { self.cross_safe_max_age_secs } else { self.blocks_max_age_secs }
    }

    /// How many heights of a topic are remembered.
    pub const fn max_heights_on(&self, topic: Topic) -> usize {
        if topic.is_cross_safe() { self.cross_safe_max_heights } else { self.blocks_max_heights }
    }

    /// The window of a topic at a time.
    pub(crate) const fn window(&self, topic: Topic, now: UnixSeconds) -> Window {
        Window { now, max_age_secs: self.max_age_secs_on(topic), max_ahead_secs: self.max_ahead_secs }
    }
}

/// The timestamps that are accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    now: UnixSeconds,
    max_age_secs: u64,
    max_ahead_secs: u64,
}

impl Window {
    /// Checks that a timestamp lies in the window, its ends included.
    pub(crate) const fn check(self, timestamp: UnixSeconds) -> Result<(), Reason> {
        let Self { now, max_age_secs, max_ahead_secs } = self;
        if timestamp.0 < now.0.saturating_sub(max_age_secs) {
            return Err(Reason::TooOld { timestamp, now, max_age_secs });
        }
        if timestamp.0 > now.0.saturating_add(max_ahead_secs) {
            return Err(Reason::FromTheFuture { timestamp, now, max_ahead_secs });
        }
        Ok(())
    }
}

type Rule = fn(&Envelope, &GossipForkTimes) -> Result<(), Reason>;

/// The rules that do not depend on time or history, in the order of the checks. That a payload has the fields
/// of its version, and no others, is ensured by its type and by the layout.
const BLOCK_RULES: &[Rule] = &[
    no_empty_transaction,
    base_fee_fits_a_header,
    block_hash_is_recomputed,
    no_withdrawals,
    no_blob_gas_before_jovian,
    no_excess_blob_gas,
];

/// Checks the rules that need neither time nor history.
pub(crate) fn check_block(envelope: &Envelope, forks: &GossipForkTimes) -> Result<(), Reason> {
    BLOCK_RULES.iter().try_for_each(|rule| rule(envelope, forks))
}

fn no_empty_transaction(envelope: &Envelope, _: &GossipForkTimes) -> Result<(), Reason> {
    match envelope.payload.transactions.iter().position(|transaction| transaction.is_empty()) {
        Some(index) => Err(Reason::EmptyTransaction { index }),
        None => Ok(()),
    }
}

fn base_fee_fits_a_header(envelope: &Envelope, _: &GossipForkTimes) -> Result<(), Reason> {
    u64::try_from(envelope.payload.base_fee_per_gas).map(drop).map_err(|_| Reason::BaseFeeTooLarge)
}

fn block_hash_is_recomputed(envelope: &Envelope, _: &GossipForkTimes) -> Result<(), Reason> {
    let computed = envelope.payload.recompute_hash();
    if computed == envelope.payload.block_hash { Ok(()) } else { Err(Reason::BlockHashMismatch { computed }) }
}

fn no_withdrawals(envelope: &Envelope, _: &GossipForkTimes) -> Result<(), Reason> {
    match envelope.payload.withdrawals().unwrap_or_default().len() {
        0 => Ok(()),
        count => Err(Reason::WithdrawalsNotEmpty { count }),
    }
}

fn no_blob_gas_before_jovian(envelope: &Envelope, forks: &GossipForkTimes) -> Result<(), Reason> {
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

fn no_excess_blob_gas(envelope: &Envelope, _: &GossipForkTimes) -> Result<(), Reason> {
    match envelope.payload.blobs().map_or(0, |blobs| blobs.excess_blob_gas) {
        0 => Ok(()),
        excess_blob_gas => Err(Reason::ExcessBlobGas { excess_blob_gas }),
    }
}
