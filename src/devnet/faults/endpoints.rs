//! One of a chain's three endpoints that is not like the others.

use super::{EndpointFault, Fault};
use crate::devnet::finding::{Finding, Oddity};

/// How long the endpoint lies, in ticks.
const LYING_TICKS: u64 = 12;
/// How far the endpoint is behind, in ticks: its blocks are local-safe elsewhere before it has them.
const LAG: u64 = 8;
/// How long the endpoint lags, in ticks.
const LAGGING_TICKS: u64 = 24;

/// An endpoint serves a fork of its own.
#[derive(Debug)]
pub(super) struct LyingEndpoint;

/// An endpoint is behind the others.
#[derive(Debug)]
pub(super) struct LaggingEndpoint;

impl Fault for LyingEndpoint {
    fn name(&self) -> &'static str {
        "lying-endpoint"
    }

    fn summary(&self) -> &'static str {
        "for twelve blocks' time one of the chain's three execution clients serves a fork that hashes properly and executes invalid messages"
    }

    fn expected(&self, chain_id: u64) -> Finding {
        Finding::Outvoted { chain_id, oddity: Oddity::Lies }
    }

    fn endpoint(&self) -> Option<EndpointFault> {
        Some(EndpointFault::Lies { ticks: LYING_TICKS })
    }

    fn is_citable(&self) -> bool {
        true
    }
}

impl Fault for LaggingEndpoint {
    fn name(&self) -> &'static str {
        "lagging-endpoint"
    }

    fn summary(&self) -> &'static str {
        "for twenty-four blocks' time one of the chain's three execution clients is eight blocks behind the others"
    }

    fn expected(&self, chain_id: u64) -> Finding {
        Finding::Outvoted { chain_id, oddity: Oddity::Lags }
    }

    fn endpoint(&self) -> Option<EndpointFault> {
        Some(EndpointFault::Lags { by: LAG, ticks: LAGGING_TICKS })
    }

    fn is_citable(&self) -> bool {
        true
    }
}
