//! [`Round`]: messages of one timestamp that may cite each other's blocks, and the status of each.
//!
//! Two blocks that cite each other without a cycle of messages are both valid. [`Propagation`] decides; this
//! module says which blocks and citations there are.

use crate::message::{BlockKey, ChainHeight};
use crate::tracker::tracked_message::{Ground, TrackedId};
use crate::validity::{InvalidReason, MessageStatus, Propagation, Validity};
use std::collections::BTreeMap;

/// The status of a message whose own clauses are all met, by the block that it cites.
pub(super) const fn status_by_cited(cited: Validity, block: Option<BlockKey>) -> (MessageStatus, Ground) {
    match (cited, block) {
        (Validity::Valid, _) => (MessageStatus::Valid, Ground::Own),
        (Validity::Invalid, Some(BlockKey { chain_id, number, hash })) => {
            let reason = InvalidReason::InitiatingBlockInvalid { chain_id, number, hash };
            (MessageStatus::Invalid(reason), Ground::CitedBlock)
        }
        (Validity::Invalid, None) | (Validity::Unknown, _) => (MessageStatus::Unknown, Ground::CitedBlock),
    }
}

/// A message whose own clauses are all met.
struct Companion {
    id: TrackedId,
    executing: ChainHeight,
    /// The block that it depends on. `None`: its log would be there even if that block were replaced.
    cites: Option<ChainHeight>,
}

/// Messages of one timestamp, and the blocks that they cite.
#[derive(Default)]
pub(super) struct Round {
    companions: Vec<Companion>,
    blocks: Propagation<ChainHeight>,
    keys: BTreeMap<ChainHeight, BlockKey>,
    /// The blocks that a cycle makes invalid.
    cyclic: BTreeMap<ChainHeight, InvalidReason>,
}

impl Round {
    /// Adds a message of a block of this timestamp.
    pub(super) fn add_message(&mut self, id: TrackedId, executing: ChainHeight, cites: Option<ChainHeight>) {
        if let Some(cited) = cites {
            self.blocks.cite(executing, cited);
        }
        self.companions.push(Companion { id, executing, cites });
    }

    /// The blocks that messages cite.
    pub(super) fn cited(&self) -> impl Iterator<Item = ChainHeight> {
        self.blocks.cited()
    }

    /// What a block is, apart from the messages that are added here.
    pub(super) fn set_own(&mut self, at: ChainHeight, block: Option<BlockKey>, own: Validity) {
        self.blocks.set_own(at, own);
        self.keys.extend(block.map(|block| (at, block)));
    }

    /// A cycle makes every added message of a block invalid. A block with none of them stays what it is: the
    /// logs that its messages cite are awaited.
    pub(super) fn break_cycle(&mut self, at: ChainHeight, reason: InvalidReason) {
        if self.companions.iter().any(|companion| companion.executing == at) {
            self.blocks.set_own(at, Validity::Invalid);
            self.cyclic.insert(at, reason);
        }
    }

    /// Decides every message. `is_complete`: every chain has reached the timestamp, so that no message can
    /// become invalid any more.
    pub(super) fn decide(
        self,
        is_complete: bool,
    ) -> impl Iterator<Item = (TrackedId, MessageStatus, Ground)> {
        let Self { companions, blocks, keys, cyclic } = self;
        let validities = blocks.propagate();
        companions.into_iter().map(move |Companion { id, executing, cites }| {
            let cited = cites.map_or(Validity::Valid, |cited| {
                validities.get(&cited).copied().unwrap_or(Validity::Unknown)
            });
            let (status, ground) = match cyclic.get(&executing) {
                Some(reason) => (MessageStatus::Invalid(*reason), Ground::Cycle),
                None if cited != Validity::Invalid && !is_complete => {
                    (MessageStatus::Unknown, Ground::Horizon)
                }
                None => status_by_cited(cited, cites.and_then(|cited| keys.get(&cited).copied())),
            };
            (id, status, ground)
        })
    }
}
