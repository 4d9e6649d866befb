//! [`Scene`]: chains that grow, fork and become final as a test says, and the tracker that watches them.

use super::world::{Claim, Payload, Shape, World, chain};
use crate::heads::{SafeMeans, SafetyHeads};
use crate::message::BlockKey;
use crate::proof::LogIndex;
use crate::tracker::{Input, MessageKey, ObservedBlock, Tracker, TrackerLimits, TrackerOutcome};
use crate::validity::MessageStatus;
use crosscheck_p2p::UnixSeconds;
use std::sync::Arc;

pub(super) const LIMITS: TrackerLimits =
    TrackerLimits { max_messages: 100, retention: 1_000, ended_kept: 100 };

/// Chains that a tracker watches.
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) index: LogIndex,
    pub(super) tracker: Tracker,
}

impl Scene {
    /// Chains with one block a second, each with its block 0.
    pub(super) fn new(chains: u64) -> Self {
        Self::with_limits(chains, LIMITS)
    }

    pub(super) fn with_limits(chains: u64, limits: TrackerLimits) -> Self {
        let world = World::new(&vec![1; usize::try_from(chains).unwrap()]);
        let index = LogIndex::new(usize::MAX);
        let tracker = Tracker::new(world.set(), index.clone(), limits);
        let mut scene = Self { world, index, tracker };
        (0..chains).for_each(|of| drop(scene.grow(of, &[])));
        scene
    }

    pub(super) fn make(&mut self, of: u64, shape: &Shape) -> Arc<ObservedBlock> {
        let block = self.world.make(chain(of), shape);
        self.index.insert(Arc::clone(&self.world.logs[&block.key.hash]));
        block
    }

    pub(super) fn grow(&mut self, of: u64, claims: &[Claim]) -> (BlockKey, TrackerOutcome) {
        self.grow_as(of, &Shape { claims: claims.to_vec(), ..Shape::default() })
    }

    pub(super) fn grow_as(&mut self, of: u64, shape: &Shape) -> (BlockKey, TrackerOutcome) {
        let block = self.make(of, shape);
        let outcome = self.tracker.apply(Input::Block(Arc::clone(&block)));
        assert_eq!(outcome.refused, None);
        (block.key, outcome)
    }

    pub(super) fn rewind(&mut self, of: u64, kept: u64) -> TrackerOutcome {
        self.world.rewind(chain(of), kept);
        self.tracker.apply(Input::Rewound { chain_id: chain(of), kept })
    }

    pub(super) fn finalize(&mut self, of: u64, finalized: u64) -> TrackerOutcome {
        let safe_means = SafeMeans::CrossSafe;
        let heads = SafetyHeads {
            local_safe: finalized,
            safe: finalized,
            finalized,
            safe_means,
            verified_since: UnixSeconds(0),
        };
        self.tracker.apply(Input::Heads { chain_id: chain(of), heads })
    }

    pub(super) fn status(&self, block: BlockKey, log_index: u32) -> &'static str {
        let message = self.tracker.message(&MessageKey { block, log_index }).unwrap();
        match message.status() {
            MessageStatus::Invalid(reason) => reason.code(),
            other => other.name(),
        }
    }
}

/// A message that cites a log of the block at a height of a chain.
pub(super) fn claim(of: u64, number: u64, log_index: u32) -> Claim {
    Claim { chain: of, number, log_index, skew: 0, payload: Payload::Right }
}
