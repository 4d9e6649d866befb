//! A fork that begins in mid-run, as Lagoon does.

use super::Fault;
use crate::finding::Finding;

/// The block and the next: the first has the gas, the second must not.
const BLOCKS: u64 = 2;

/// The block is the first of a fork with a bundle of upgrade deposits.
#[derive(Debug)]
pub(super) struct LagoonActivation;

impl Fault for LagoonActivation {
    fn name(&self) -> &'static str {
        "lagoon-activation"
    }

    fn summary(&self) -> &'static str {
        "a fork begins with the block as Lagoon does: a bundle of upgrade deposits, gas for them, and none in the next block"
    }

    fn blocks(&self) -> u64 {
        BLOCKS
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::Upheld
    }

    fn is_citable(&self) -> bool {
        true
    }

    fn begins_fork(&self) -> bool {
        true
    }
}
