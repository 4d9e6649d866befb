//! An attested block that is wrong by one branch of L1 and right by the next.

use super::{Attested, Fault, L1Drop};
use crate::finding::Finding;
use crate::schedule::FIRST_EXECUTING_BLOCK;

/// Of blocks that are built again after the reorg, the oldest must not be too old for gossip.
const MAX_BLOCK_TIME: u64 = 4;

/// Attests to a deposits-only block where the derived one was fine, until L1 reorgs out what brought that.
#[derive(Debug)]
pub(super) struct VerdictTakenBack;

impl Fault for VerdictTakenBack {
    fn name(&self) -> &'static str {
        "verdict-taken-back"
    }

    fn summary(&self) -> &'static str {
        "a deposits-only block is attested where the derived block was fine; then L1 drops the batch that held that, and the attested block is the derived one"
    }

    fn earliest_block(&self) -> u64 {
        FIRST_EXECUTING_BLOCK
    }

    fn max_block_time(&self) -> u64 {
        MAX_BLOCK_TIME
    }

    fn expected(&self, chain_id: u64) -> Finding {
        Finding::TakenBack { chain_id }
    }

    fn attested(&self) -> Attested {
        Attested::DepositsOnlySibling
    }

    fn reorgs_l1(&self) -> Option<L1Drop> {
        Some(L1Drop::Replaced)
    }

    fn comes_true(&self) -> bool {
        true
    }

    /// All chains wait until the verdict has fallen, and until it is taken back.
    fn is_drawn(&self) -> bool {
        false
    }
}
