//! One of a chain's three endpoints that is not like the others, and a client whose own answers do not fit.

use super::{EndpointFault, Fault};
use crate::finding::{Finding, Oddity};

/// How long the endpoint lies, in ticks.
const LYING_TICKS: u64 = 12;
/// How far the endpoint is behind, in ticks: its blocks are local-safe elsewhere before it has them.
const LAG: u64 = 8;
/// How long the endpoint lags, in ticks.
const LAGGING_TICKS: u64 = 24;

/// How long the client's blocks do not link up, in ticks: the block is attested meanwhile.
const UNLINKED_TICKS: u64 = 12;

/// How many blocks of another branch a stale client has.
const STALE_BLOCKS: u64 = 4;

/// An endpoint serves a fork of its own.
#[derive(Debug)]
pub(super) struct LyingEndpoint;

/// An endpoint is behind the others.
#[derive(Debug)]
pub(super) struct LaggingEndpoint;

/// A client has a block by its number that its next block does not stand on.
#[derive(Debug)]
pub(super) struct UnlinkedClient;

/// A client has a branch by number that the chain's next block does not stand on.
#[derive(Debug)]
pub(super) struct StaleEndpoint;

impl Fault for UnlinkedClient {
    fn name(&self) -> &'static str {
        "unlinked-client"
    }

    fn summary(&self) -> &'static str {
        "for twelve blocks' time the chain's execution client has a sibling of the block at its height, by number, under blocks that stand on the block itself"
    }

    fn expected(&self, chain_id: u64) -> Finding {
        Finding::Unlinked { chain_id }
    }

    fn unlinked_ticks(&self) -> Option<u64> {
        Some(UNLINKED_TICKS)
    }
}

impl Fault for StaleEndpoint {
    fn name(&self) -> &'static str {
        "stale-endpoint"
    }

    fn summary(&self) -> &'static str {
        "for twelve blocks' time the chain's execution client has another branch of four blocks from the block on, by number, under blocks that stand on the chain's own"
    }

    fn expected(&self, chain_id: u64) -> Finding {
        Finding::Unlinked { chain_id }
    }

    fn blocks(&self) -> u64 {
        STALE_BLOCKS
    }

    fn unlinked_ticks(&self) -> Option<u64> {
        Some(UNLINKED_TICKS)
    }

    fn unlinked_blocks(&self) -> u64 {
        STALE_BLOCKS
    }
}

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
