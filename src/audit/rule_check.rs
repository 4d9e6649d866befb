//! [`differences`]: where the configuration of a chain's rollup node differs from Crosscheck's. Pure.
//!
//! It is not an accusation: the operator finds out which side is wrong. A value that the node does not report
//! is not a difference, and neither is a value that is not known here: a fork that was scheduled after this
//! build was made is taken from the node.

use crate::networks::KnownNetwork;
use alloy::eips::BlockNumHash;
use alloy::primitives::{Address, B256};
use core::fmt;
use crosscheck_core::consolidation::{Fork, ForkSchedule, UnknownForks};
use crosscheck_core::validity::{ChainRules, DEFAULT_EXPIRY_WINDOW, Learnt};
use crosscheck_p2p::{ChainId, UnixSeconds};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// From here on a time means "never" in a configuration: the largest number that TOML has.
const NEVER: u64 = i64::MAX.unsigned_abs();

/// What a rollup node says of the rules that it works by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NodeReport {
    /// Its rollup configuration.
    pub config: Option<ReportedConfig>,
    /// Its dependency set.
    pub dependencies: Option<BTreeSet<ChainId>>,
    /// How long messages may be executed, in seconds.
    pub expiry_window: Option<u64>,
}

/// What is compared of a rollup configuration, as `optimism_rollupConfig` answers it. What is left out is not
/// said.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct ReportedConfig {
    l1_chain_id: Option<u64>,
    l1_system_config_address: Option<Address>,
    block_time: Option<u64>,
    genesis: Option<ReportedGenesis>,
    #[serde(flatten)]
    forks: ForkSchedule,
    #[serde(default)]
    keep_karst_upgrade_gas: bool,
    pectra_blob_schedule_time: Option<u64>,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct ReportedGenesis {
    l1: Option<ReportedBlock>,
    l2: Option<ReportedBlock>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct ReportedBlock {
    hash: Option<B256>,
    number: Option<serde_json::Value>,
}

impl ReportedBlock {
    fn id(&self) -> Option<BlockNumHash> {
        Some(BlockNumHash { number: self.number.as_ref()?.as_u64()?, hash: self.hash? })
    }
}

impl ReportedConfig {
    /// When messages may be executed. `None`: that is not scheduled.
    pub(super) fn interop_time(&self) -> Option<UnixSeconds> {
        self.forks.interop_activation()
    }

    /// The forks in it that this build does not know.
    pub(super) fn unknown_forks(&self) -> UnknownForks {
        UnknownForks::among(&self.rest)
    }

    /// The hash of the block that it derives from.
    pub(super) fn genesis(&self) -> Option<B256> {
        self.genesis.as_ref()?.l2.as_ref()?.hash
    }

    /// The block that it derives from, with its height.
    pub(super) fn genesis_block(&self) -> Option<BlockNumHash> {
        self.genesis.as_ref()?.l2.as_ref()?.id()
    }

    /// The L1 block that that one is built on.
    pub(super) fn genesis_l1(&self) -> Option<BlockNumHash> {
        self.genesis.as_ref()?.l1.as_ref()?.id()
    }

    /// The L1 that it derives from.
    pub(super) fn l1_chain_id(&self) -> Option<ChainId> {
        self.l1_chain_id.map(ChainId::from)
    }
}

/// The rules that apply to a chain here.
#[derive(Clone, Debug)]
pub(super) struct OwnRules {
    /// What is known of the chain.
    pub chain: ChainRules,
    /// How long messages may be executed, in seconds. `None`: nobody has said.
    pub expiry_window: Option<u64>,
    /// From whom these were learnt.
    pub learnt: Learnt,
    /// The SystemConfig that names the chain's signer. `None`: none is configured.
    pub system_config: Option<Address>,
    /// What is built in, if the chain's network is named.
    pub network: Option<KnownNetwork>,
}

/// A rule in which the node differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleDifference {
    /// The rule, as the rollup configuration calls it.
    pub rule: String,
    /// What the node says.
    pub node: String,
    /// The value that applies here.
    pub own: String,
    /// Where that is from.
    pub source: String,
}

impl RuleDifference {
    /// An endpoint is of another chain than the one that the node derives.
    pub(super) fn of_witness(
        rule: &str,
        node: &impl fmt::Display,
        own: &impl fmt::Display,
        source: &str,
    ) -> Self {
        let (node, own) = (node.to_string(), own.to_string());
        Self { rule: rule.to_owned(), node, own, source: source.to_owned() }
    }

    /// The ledger is about a chain of another genesis.
    pub(super) fn of_ledger(node: B256, own: B256) -> Self {
        let (node, own) = (node.to_string(), own.to_string());
        let source = "the ledger: it belongs to another chain with this id, and no block is judged until that is \
                      corrected; use an empty data_dir for a new chain, or the previous endpoints for the old one".to_owned();
        Self { rule: "genesis.l2".to_owned(), node, own, source }
    }
}

impl fmt::Display for RuleDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, node, own, source } = self;
        write!(f, "{rule} is {node} by its rollup node and {own} by {source}")
    }
}

/// The forks of a named network that its node schedules, and of which nothing is built in: they are as the
/// node says.
///
/// Lagoon is not among them: the configuration has it, or learns it.
pub(super) fn taken_forks(own: &OwnRules, report: &NodeReport) -> Vec<TakenFork> {
    let (Some(network), Some(config)) = (&own.network, &report.config) else { return Vec::new() };
    let forks = compared_forks().filter(|fork| network.forks.activation(*fork).is_none());
    let time = |fork| scheduled(config.forks.activation(fork));
    forks.filter_map(|fork| Some(TakenFork { fork, time: time(fork)? })).collect()
}

/// A fork whose time is the node's claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TakenFork {
    /// Which.
    pub fork: Fork,
    /// When it takes force.
    pub time: UnixSeconds,
}

/// Those that are compared with what is built in. Lagoon is compared where the configuration has it.
fn compared_forks() -> impl Iterator<Item = Fork> {
    Fork::ALL.into_iter().filter(|fork| *fork != Fork::Lagoon)
}

/// A time, unless it is the one that says "never".
fn scheduled(time: Option<UnixSeconds>) -> Option<UnixSeconds> {
    time.filter(|time| time.0 < NEVER)
}

/// Where a node differs.
pub(super) fn differences(own: &OwnRules, report: &NodeReport) -> Vec<RuleDifference> {
    let mut found = Differences { own, list: Vec::new() };
    if let Some(config) = &report.config {
        found.of_chain(config);
        if let Some(network) = &own.network {
            found.of_network(config, network);
        }
    }
    if let (Some(node), Some(set)) = (&report.dependencies, &own.chain.dependencies) {
        let built_in = own.network.as_ref().is_some_and(|network| network.dependency_set == *set);
        let source = found.source(built_in, own.learnt.dependencies.as_deref());
        found.compare("the dependency set", &list(node), &list(set), source);
    }
    if let Some(window) = report.expiry_window {
        found.of_window(window);
    }
    found.list
}

struct Differences<'a> {
    own: &'a OwnRules,
    list: Vec<RuleDifference>,
}

impl Differences<'_> {
    fn of_chain(&mut self, config: &ReportedConfig) {
        let chain = &self.own.chain;
        let network = self.own.network.as_ref();
        let built_in = network.is_some_and(|network| network.block_time == chain.block_time);
        if let Some(block_time) = config.block_time {
            self.compare("block_time", &block_time, &chain.block_time, self.source(built_in, None));
        }
        if let (Some(node), Some(own)) = (config.l1_system_config_address, self.own.system_config) {
            let built_in = network.is_some_and(|network| network.system_config == own);
            self.compare("l1_system_config_address", &node, &own, self.source(built_in, None));
        }
        if let Some(time) = chain.interop_time {
            let built_in = network.is_some_and(|network| network.interop_time() == Some(time));
            let node = in_words(scheduled(config.interop_time()).map(|time| time.0));
            let own = in_words(scheduled(Some(time)).map(|time| time.0));
            let source = self.source(built_in, self.own.learnt.interop_time.as_deref());
            self.compare("lagoon_time", &node, &own, source);
        }
    }

    /// What is not set is learnt, if a chain can have it.
    fn of_window(&mut self, window: u64) {
        let source = self.source(false, self.own.learnt.expiry_window.as_deref());
        match self.own.expiry_window {
            Some(own) => self.compare("the message expiry window", &window, &own, source),
            None if (1..=DEFAULT_EXPIRY_WINDOW).contains(&window) => {}
            None => {
                let source = "the protocol, which does not allow a longer one".to_owned();
                self.compare("the message expiry window", &window, &DEFAULT_EXPIRY_WINDOW, source);
            }
        }
    }

    fn of_network(&mut self, config: &ReportedConfig, network: &KnownNetwork) {
        let built_in = || format!("the built-in facts of {}", network.name);
        if let Some(l1_chain_id) = config.l1_chain_id {
            self.compare("l1_chain_id", &l1_chain_id, &network.l1_chain_id, built_in());
        }
        if let Some(genesis) = config.genesis() {
            self.compare("genesis.l2", &genesis, &network.genesis.l2.hash, built_in());
        }
        for fork in compared_forks() {
            // Built-in facts cannot distinguish "not scheduled yet" from "called off": only a time is checked
            // against the node.
            let Some(own) = network.forks.activation(fork) else { continue };
            let time = |time: Option<UnixSeconds>| in_words(scheduled(time).map(|time| time.0));
            let node = config.forks.activation(fork);
            // Not every node says when Regolith was: all of these chains have always had it.
            if fork != Fork::Regolith || node.is_some() {
                self.compare(&format!("{fork}_time"), &time(node), &time(Some(own)), built_in());
            }
        }
        if let (Some(node), Some(own)) = (config.pectra_blob_schedule_time, network.pectra_blob_schedule) {
            self.compare("pectra_blob_schedule_time", &node, &own.0, built_in());
        }
        // A node that does not know Karst does not report its gas.
        if config.forks.activation(Fork::Karst).and(network.forks.activation(Fork::Karst)).is_some() {
            let (node, own) = (config.keep_karst_upgrade_gas, network.keep_karst_upgrade_gas);
            self.compare("keep_karst_upgrade_gas", &node, &own, built_in());
        }
    }

    /// The source of a rule that applies here.
    fn source(&self, built_in: bool, learnt_from: Option<&str>) -> String {
        match (learnt_from, &self.own.network) {
            (Some(node), _) => {
                format!("the earlier answer of {node}: if the new answer is right, restart Crosscheck")
            }
            (None, Some(network)) if built_in => format!("the built-in facts of {}", network.name),
            (None, _) => "the configuration".to_owned(),
        }
    }

    fn compare<T: PartialEq + fmt::Display>(&mut self, rule: &str, node: &T, own: &T, source: String) {
        if node == own {
            return;
        }
        let (node, own) = (node.to_string(), own.to_string());
        self.list.push(RuleDifference { rule: rule.to_owned(), node, own, source });
    }
}

fn in_words(time: Option<u64>) -> String {
    time.map_or_else(|| "not set".to_owned(), |time| time.to_string())
}

fn list(set: &BTreeSet<ChainId>) -> String {
    set.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
