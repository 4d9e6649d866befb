//! Honest words that do not come as they should: too late, in the wrong order, or not at all.

use super::{Fault, Publication};
use crate::finding::Finding;

/// How many attestations come in reverse order.
const REVERSED: u64 = 6;
/// How many attestations are lost.
const LOST: u64 = 20;
/// How many blocks are replayed.
const REPLAYED: u64 = 6;

/// A run of attestations that are published in reverse order.
#[derive(Debug)]
pub(super) struct AttestationsOutOfOrder;

/// A run of attestations that are never published.
#[derive(Debug)]
pub(super) struct AttestationsLost;

/// A run of unsafe blocks that a bystander, who has no key, publishes as attestations before the sequencer attests them.
#[derive(Debug)]
pub(super) struct ReplayFirst;

impl Fault for ReplayFirst {
    fn name(&self) -> &'static str {
        "replay-first"
    }

    fn summary(&self) -> &'static str {
        "a bystander replays the unsafe frames of the block and the five after it on the attestations' topic, before they \
         are attested"
    }

    fn blocks(&self) -> u64 {
        REPLAYED
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::Upheld
    }

    fn is_replayed(&self) -> bool {
        true
    }

    fn is_citable(&self) -> bool {
        true
    }
}

impl Fault for AttestationsOutOfOrder {
    fn name(&self) -> &'static str {
        "attestations-out-of-order"
    }

    fn summary(&self) -> &'static str {
        "the attestations of the block and the five after it are published in reverse order"
    }

    fn blocks(&self) -> u64 {
        REVERSED
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::Upheld
    }

    fn publication(&self) -> Publication {
        Publication::Reversed
    }

    fn is_citable(&self) -> bool {
        true
    }
}

impl Fault for AttestationsLost {
    fn name(&self) -> &'static str {
        "attestations-lost"
    }

    fn summary(&self) -> &'static str {
        "the attestations of the block and the nineteen after it are never published"
    }

    fn blocks(&self) -> u64 {
        LOST
    }

    fn last_block(&self, block: u64) -> u64 {
        // A later attestation must speak for them.
        block.saturating_add(LOST)
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::UpheldAsAncestor
    }

    fn publication(&self) -> Publication {
        Publication::Never
    }

    fn is_citable(&self) -> bool {
        true
    }
}
