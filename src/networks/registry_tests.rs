//! What is compiled in is what the superchain registry says, and what was announced after it.

use super::{KnownNetwork, NetworkName};
use alloy::primitives::{Address, B256};
use crosscheck_core::consolidation::Fork;
use crosscheck_p2p::ChainId;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Made by `tests/peers/opstack`: `opstack registry`. It says itself from which module, and which commit of
/// the registry.
const REGISTRY: &str = include_str!("../../tests/data/superchain_registry.json");

/// What is newer than that. It says itself from where, and of which day.
const ANNOUNCED: &str = include_str!("../../tests/data/announced_schedule.json");

#[derive(Deserialize)]
struct Registry {
    source: String,
    commit: String,
    bootnodes: Vec<String>,
    chains: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    chain_id: u64,
    l1_chain_id: u64,
    block_time: u64,
    system_config: Address,
    batch_inbox: Address,
    genesis: Genesis,
    forks: BTreeMap<String, u64>,
    keep_karst_upgrade_gas: bool,
    pectra_blob_schedule_time: Option<u64>,
    dependencies: BTreeSet<u64>,
}

#[derive(Deserialize)]
struct Genesis {
    time: u64,
    l1: Id,
    l2: Id,
}

#[derive(Deserialize)]
struct Id {
    number: u64,
    hash: B256,
}

#[derive(Deserialize)]
struct Announced {
    source: String,
    date: String,
    lagoon: BTreeMap<u64, u64>,
    karst: BTreeMap<u64, u64>,
    dependency_sets: Vec<BTreeSet<u64>>,
    keep_karst_upgrade_gas: BTreeSet<u64>,
}

fn networks() -> impl Iterator<Item = KnownNetwork> {
    NetworkName::all().map(|name| name.network().unwrap())
}

/// The row of a network, with what was announced laid over it.
fn row(network: &KnownNetwork) -> Row {
    let (registry, announced): (Registry, Announced) =
        (serde_json::from_str(REGISTRY).unwrap(), serde_json::from_str(ANNOUNCED).unwrap());
    let id = network.chain_id.as_u64().unwrap();
    let mut row =
        registry.chains.into_iter().find(|row| row.chain_id == id).unwrap_or_else(|| panic!("{id}"));
    for (fork, times) in [("karst", announced.karst), ("lagoon", announced.lagoon)] {
        row.forks.extend(times.get(&id).map(|time| (fork.to_owned(), *time)));
    }
    row.dependencies.extend(announced.dependency_sets.into_iter().filter(|set| set.contains(&id)).flatten());
    row.dependencies.insert(id);
    row.keep_karst_upgrade_gas |= announced.keep_karst_upgrade_gas.contains(&id);
    row
}

#[test]
fn the_tables_name_their_sources() {
    let registry: Registry = serde_json::from_str(REGISTRY).unwrap();
    assert!(registry.source.contains("v1.19.6") && registry.commit.len() == 40);
    let announced: Announced = serde_json::from_str(ANNOUNCED).unwrap();
    assert!(announced.source.contains("op-node") && announced.date == "2026-11-25");
}

#[test]
fn every_fact_of_every_network_equals_the_registry() {
    for network in networks() {
        let (row, name) = (row(&network), network.name);
        assert_eq!((network.l1_chain_id, network.block_time), (row.l1_chain_id, row.block_time), "{name}");
        assert_eq!(
            (network.system_config, network.batch_inbox),
            (row.system_config, row.batch_inbox),
            "{name}"
        );
        assert_eq!(network.genesis.time.0, row.genesis.time, "{name}");
        for (found, wanted) in [(network.genesis.l1, row.genesis.l1), (network.genesis.l2, row.genesis.l2)] {
            assert_eq!((found.number, found.hash), (wanted.number, wanted.hash), "{name}");
        }
        assert_eq!(network.keep_karst_upgrade_gas, row.keep_karst_upgrade_gas, "{name}");
        let until = network.pectra_blob_schedule.map(|time| time.0);
        assert_eq!(until, row.pectra_blob_schedule_time, "{name}");
        let set: BTreeSet<ChainId> = row.dependencies.into_iter().map(ChainId::from).collect();
        assert_eq!(network.dependency_set, set, "{name}");
    }
}

#[test]
fn every_fork_of_every_network_equals_the_registry() {
    for network in networks() {
        let row = row(&network);
        // The registry has no key for what came before Canyon.
        for fork in Fork::ALL.into_iter().filter(|fork| *fork > Fork::Regolith) {
            let wanted = row.forks.get(&fork.to_string()).copied();
            let found = network.forks.activation(fork).map(|time| time.0);
            assert_eq!(found, wanted, "{} {fork}", network.name);
        }
    }
}

#[test]
fn lagoon_is_scheduled_where_it_was_announced() {
    let scheduled: BTreeMap<u64, u64> = networks()
        .filter_map(|network| Some((network.chain_id.as_u64()?, network.interop_time()?.0)))
        .collect();
    let announced: Announced = serde_json::from_str(ANNOUNCED).unwrap();
    assert_eq!(scheduled, announced.lagoon);
    assert_eq!(scheduled[&11_155_420], 1_796_918_401, "10 December 2026, 16:00:01 UTC");
    assert_eq!(scheduled[&10], 1_799_683_201, "11 January 2027, 16:00:01 UTC");
}

#[test]
fn the_bootnodes_equal_those_of_op_node() {
    let registry: Registry = serde_json::from_str(REGISTRY).unwrap();
    for network in networks() {
        let bootnodes: Vec<String> = network.bootnodes.iter().map(ToString::to_string).collect();
        assert_eq!(bootnodes, registry.bootnodes, "{}", network.name);
    }
}

/// The topic that a chain's blocks come on goes by its forks up to Isthmus: one that is missing cannot be
/// left to the node.
#[test]
fn every_network_has_the_forks_that_gossip_depends_on() {
    for network in networks() {
        assert!(network.forks.activation(Fork::Isthmus).is_some(), "{}", network.name);
    }
}

/// As config/default.toml says. When the published registry knows more of them, they can be added.
#[test]
fn networks_with_incomplete_registry_entries_are_left_out() {
    let registry: Registry = serde_json::from_str(REGISTRY).unwrap();
    let row = |id: u64| registry.chains.iter().find(|row| row.chain_id == id);
    // Shape, Shape Sepolia, HashKey Chain.
    for id in [360, 11_011, 177] {
        let forks = &row(id).unwrap().forks;
        assert!(forks.contains_key("granite") && !forks.contains_key("isthmus"), "{id}: {forks:?}");
        assert_eq!(NetworkName::of_chain(id.into()), None);
    }
    // Boba, sepolia-devnet-2.
    for id in [288, 420_130_015] {
        assert!(row(id).is_none(), "{id}");
    }
}

#[test]
fn chains_that_left_the_registry_have_no_name_here() {
    for gone in ["base", "base-sepolia"] {
        assert!(gone.parse::<NetworkName>().is_err(), "{gone}");
    }
}
