//! [`InteropConfig`], [`ConsolidationConfig`]: what applies to the messages of all chains, and what blocks
//! are checked against.

use super::form::{choice, list, whole};
use super::section::section;
use super::{BundleFile, Text};
use crosscheck_core::validity::{CycleRule, DEFAULT_EXPIRY_WINDOW};
use serde::{Deserialize, Serialize};

section! {
    /// The messages of all chains.
    pub struct InteropConfig at "interop.", per_chain: false {
        /// How long after its initiation a message may be executed. If it is set and a chain's rollup node
        /// reports another value, that chain is not ready until one of them is corrected.
        message_expiry_window: Option<u64> = None, whole(1..=DEFAULT_EXPIRY_WINDOW).of("seconds")
            .if_above("the protocol's window is seven days")
            .unset("the value of each chain's rollup node, or seven days (the protocol's value) if the node does not report one")
            .example("604800");

        /// The most memory for the proven logs of all chains. Logs that do not fit are fetched and proven
        /// again when they are needed.
        log_index_mib: usize = 512, whole(1..=1_048_576).of("MiB");

        /// The rule by which the chains' nodes decide which blocks a cycle of messages of one timestamp makes
        /// invalid.
        cycle_rule: CycleRule = CycleRule::default(), choice(&[
            ("both", "nodes of either kind may be in use: a block that is invalid by one rule only is reported as rule-dependent, and never as invalid"),
            ("stripping", "op-supernode and kona up to September 2026"),
            ("components", "newer versions"),
        ]);
    }
}

impl InteropConfig {
    /// How many seconds after its initiation a message may be executed: the protocol's number, if it is not
    /// set.
    pub fn expiry_window(&self) -> u64 {
        self.message_expiry_window.unwrap_or(DEFAULT_EXPIRY_WINDOW)
    }

    /// How many bytes the proven logs of all chains may take.
    pub const fn log_index_bytes(&self) -> usize {
        self.log_index_mib.saturating_mul(1024 * 1024)
    }
}

/// Who says which deposits a block must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DepositSource {
    /// L1 alone: no L2 node is trusted for it.
    L1,
    /// The chain's own rollup node.
    Sibling,
}

section! {
    /// What blocks are checked against.
    pub struct ConsolidationConfig at "consolidation.", per_chain: false {
        /// The authority for the deposits that a block must have.
        deposits: Option<DepositSource> = None, choice(&[
            ("l1", "L1 data alone, no L2 node is trusted; needs l1.execution"),
            ("sibling", "the chain's rollup node"),
        ])
            .unset("\"l1\" if l1.execution is set, otherwise \"sibling\"")
            .example("\"l1\"");

        /// The upgrade bundles of forks that this build does not know. The fork is written as in its key of
        /// the rollup configuration (zephyr_time), and the path is that of the JSON file as published
        /// upstream (op-core/nuts/bundles/). Write "fork:Label=path" if the source hashes use another word
        /// than the capitalized name of the fork. The SHA-256 of the file is logged at start: compare it with
        /// fork_lock.toml upstream. Without a bundle the upgrade transactions of the fork's first block are
        /// taken from the chain's rollup node, and that is logged.
        upgrade_bundles: Vec<Text<BundleFile>> = Vec::new(), list("fork=path texts")
            .example("[\"zephyr=zephyr_nut_bundle.json\"]");
    }
}
