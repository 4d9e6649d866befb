//! An execution client that answers errors for a while.

use super::Fault;
use crate::devnet::finding::{Finding, HeldUp};

/// How long the client answers errors, in ticks.
const OUTAGE_TICKS: u64 = 10;

/// Makes a chain's execution client answer errors.
#[derive(Debug)]
pub(super) struct RpcOutage;

impl Fault for RpcOutage {
    fn name(&self) -> &'static str {
        "rpc-outage"
    }

    fn summary(&self) -> &'static str {
        "the chain's execution client answers errors for ten blocks' time"
    }

    fn expected(&self, chain_id: u64) -> Finding {
        Finding::OpenThenUpheld { chain_id, by: HeldUp::Errors }
    }

    fn outage_ticks(&self) -> Option<u64> {
        Some(OUTAGE_TICKS)
    }
}
