//! A rollup node of no use for a while: every head that it names is all zero, it works by other rules, or it calls genesis
//! safe and final.

use super::Fault;
use crate::finding::Finding;

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

/// For how many ticks the node works by other rules.
const OTHER_RULES_TICKS: u64 = 6;

/// A rollup node says that interop activates at another time than the one configured.
#[derive(Debug)]
pub(super) struct ScheduleMismatch;

impl Fault for ScheduleMismatch {
    fn name(&self) -> &'static str {
        "schedule-mismatch"
    }

    fn summary(&self) -> &'static str {
        "for six blocks' time the chain's rollup node says that interop activates at another time than the one configured"
    }

    fn expected(&self, chain_id: u64) -> Finding {
        Finding::RulesDiffer { chain_id }
    }

    fn other_rules_ticks(&self) -> Option<u64> {
        Some(OTHER_RULES_TICKS)
    }

    /// The sidecar asks for the rules seldom, and all chains wait for it: a run would mostly wait.
    fn is_drawn(&self) -> bool {
        false
    }
}

/// For how many ticks the node calls genesis final.
const AT_GENESIS_TICKS: u64 = 10;

/// A rollup node calls genesis safe and final, as op-supernode does until it has verified something. If what followers are
/// served went back with it, the chain's follower would have gone backwards.
#[derive(Debug)]
pub(super) struct GenesisFinality;

impl Fault for GenesisFinality {
    fn name(&self) -> &'static str {
        "genesis-finality"
    }

    fn summary(&self) -> &'static str {
        "for ten blocks' time the chain's rollup node calls genesis safe and final, as op-supernode does at a start"
    }

    fn earliest_block(&self) -> u64 {
        // Before this nothing else has been final.
        24
    }

    fn expected(&self, chain_id: u64) -> Finding {
        Finding::GenesisFinal { chain_id }
    }

    fn at_genesis_ticks(&self) -> Option<u64> {
        Some(AT_GENESIS_TICKS)
    }

    fn is_citable(&self) -> bool {
        true
    }
}
