//! An execution client that answers errors for a while.

use super::Fault;
use crate::finding::{Finding, HeldUp};

/// Makes all of a chain's execution clients answer errors.
#[derive(Debug)]
pub(super) struct Outage {
    name: &'static str,
    summary: &'static str,
    /// For how many ticks.
    ticks: u64,
    /// Whether the run must have as many blocks as the outage lasts.
    outlasts: bool,
}

/// A short outage.
pub(super) static RPC_OUTAGE: Outage = Outage {
    name: "rpc-outage",
    summary: "the chain's execution client answers errors for ten blocks' time",
    ticks: 10,
    outlasts: false,
};

/// An outage that is longer than any message lives.
pub(super) static LONG_OUTAGE: Outage = Outage {
    name: "long-outage",
    summary: "the chain's execution client answers errors for a hundred blocks' time",
    ticks: 100,
    outlasts: true,
};

impl Fault for Outage {
    fn name(&self) -> &'static str {
        self.name
    }

    fn summary(&self) -> &'static str {
        self.summary
    }

    fn last_block(&self, block: u64) -> u64 {
        if self.outlasts { block.saturating_add(self.ticks) } else { block }
    }

    fn expected(&self, chain_id: u64) -> Finding {
        Finding::OpenThenUpheld { chain_id, by: HeldUp::Errors }
    }

    fn outage_ticks(&self) -> Option<u64> {
        Some(self.ticks)
    }
}
