//! `src/networks/registry/` beside what the published crate kona-registry knows of the chains. Bootnodes are
//! op-node's, not kona's.
//!
//! The files are read here as what they are, text: nothing of Crosscheck's own parser has a part in it.
//! kona-registry 0.4.5 ends with Isthmus, and knows not yet that World Chain had it; later forks are checked
//! against nothing here.

use alloy_primitives::{Address, B256};
use kona_genesis::{HardForkConfig, RollupConfig};
use kona_registry::ROLLUP_CONFIGS;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Network {
    chain_id: u64,
    l1_chain_id: u64,
    block_time: u64,
    system_config: Address,
    batch_inbox: Address,
    genesis: Genesis,
    forks: BTreeMap<String, u64>,
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

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../src/networks/registry")
}

fn networks() -> BTreeMap<String, Network> {
    let files = std::fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path());
    let named = files.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path));
    let read = |path: PathBuf| toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    named.filter(|(name, _)| name != "bootnodes").map(|(name, path)| (name, read(path))).collect()
}

#[test]
fn every_network_is_as_the_registry_has_it() {
    let networks = networks();
    assert!(networks.len() >= 21, "networks are missing");
    for (name, network) in networks {
        let known =
            ROLLUP_CONFIGS.get(&network.chain_id).unwrap_or_else(|| panic!("{name} is in no registry"));
        compare(&name, &network, known);
    }
}

fn compare(name: &str, network: &Network, known: &RollupConfig) {
    assert_eq!(network.l1_chain_id, known.l1_chain_id, "{name}: L1");
    assert_eq!(network.block_time, known.block_time, "{name}: block time");
    assert_eq!(network.system_config, known.l1_system_config_address, "{name}: SystemConfig");
    assert_eq!(network.batch_inbox, known.batch_inbox_address, "{name}: batch inbox");
    let Genesis { time, l1, l2 } = &network.genesis;
    let genesis = &known.genesis;
    assert_eq!(*time, genesis.l2_time, "{name}: genesis time");
    assert_eq!((l1.number, l1.hash), (genesis.l1.number, genesis.l1.hash), "{name}: genesis on L1");
    assert_eq!((l2.number, l2.hash), (genesis.l2.number, genesis.l2.hash), "{name}: genesis on L2");
    for (fork, expected) in forks(&known.hardforks) {
        let time = network.forks.get(&format!("{fork}_time")).copied();
        if expected.is_some() || !is_later_than_the_registry(name, fork) {
            assert_eq!(time, expected, "{name}: {fork}");
        }
    }
}

/// What the registry does not have yet.
fn is_later_than_the_registry(name: &str, fork: &str) -> bool {
    fork == "jovian" || (fork == "isthmus" && name.starts_with("worldchain"))
}

fn forks(known: &HardForkConfig) -> [(&'static str, Option<u64>); 9] {
    [
        // In force from the start on every chain of Bedrock; the registry does not write it down.
        ("regolith", Some(known.regolith_time.unwrap_or(0))),
        ("canyon", known.canyon_time),
        ("delta", known.delta_time),
        ("ecotone", known.ecotone_time),
        ("fjord", known.fjord_time),
        ("granite", known.granite_time),
        ("holocene", known.holocene_time),
        ("isthmus", known.isthmus_time),
        ("jovian", known.jovian_time),
    ]
}
