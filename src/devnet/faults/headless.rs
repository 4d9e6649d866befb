//! A rollup node that knows nothing yet: it answers, and every head that it names is all zero.

use super::Fault;
use crate::devnet::finding::Finding;

/// For how many ticks the node names no heads.
const TICKS: u64 = 10;

/// A rollup node names no heads, as kona-node does after a restart.
#[derive(Debug)]
pub(super) struct ZeroHeads;

impl Fault for ZeroHeads {
    fn name(&self) -> &'static str {
        "zero-heads"
    }

    fn summary(&self) -> &'static str {
        "for ten blocks' time the chain's rollup node answers all-zero heads, as after a restart"
    }

    fn expected(&self, chain_id: u64) -> Finding {
        Finding::HeadsUnknown { chain_id }
    }

    fn headless_ticks(&self) -> Option<u64> {
        Some(TICKS)
    }
}
