//! Lays what is known of the named networks under the settings of their chains. What is written there wins.

use crate::networks::{KnownNetwork, NetworkName};
use crosscheck_p2p::ChainId;
use toml::{Table, Value};

/// Fills in the chains of the networks that `network` names. What is no network is left for the parser to refuse.
pub(super) fn lay_under(table: &mut Table) {
    let named = table.get("network").and_then(Value::as_array).into_iter().flatten();
    let names: Vec<NetworkName> =
        named.filter_map(Value::as_str).filter_map(|name| name.parse().ok()).collect();
    for network in names.into_iter().filter_map(|name| name.network().ok()) {
        let chains = table.entry("chains").or_insert_with(|| Value::Table(Table::new()));
        if let Some(chain) = chains.as_table_mut().and_then(|chains| section(chains, network.chain_id)) {
            fill_in(chain, &network);
        }
    }
}

/// The chain's section, however its id is spelt there. `None`: what is there is no section.
fn section(chains: &mut Table, chain_id: ChainId) -> Option<&mut Table> {
    let spelt = chains.keys().find(|name| name.parse::<ChainId>().is_ok_and(|id| id == chain_id)).cloned();
    let name = spelt.unwrap_or_else(|| chain_id.to_string());
    chains.entry(name).or_insert_with(|| Value::Table(Table::new())).as_table_mut()
}

fn fill_in(chain: &mut Table, network: &KnownNetwork) {
    // TOML's numbers end there: no block is ever so late.
    let number = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    chain.entry("block_time").or_insert_with(|| number(network.block_time));
    // When it activates on a network for which this build knows no time stays unknown.
    if let Some(time) = network.interop_time() {
        chain.entry("interop_time").or_insert_with(|| number(time.0));
    }
    let set = network.dependency_set.iter().map(|chain_id| Value::String(chain_id.to_string()));
    chain.entry("dependency_set").or_insert_with(|| Value::Array(set.collect()));
    // Of no use, and refused, where the chain is only monitored.
    if chain.contains_key("rollup_node") {
        let address = network.system_config.to_string();
        chain.entry("system_config").or_insert_with(|| Value::String(address));
        let p2p = chain.entry("p2p").or_insert_with(|| Value::Table(Table::new()));
        let bootnodes = network.bootnodes.iter().map(|bootnode| Value::String(bootnode.to_string()));
        if let Some(p2p) = p2p.as_table_mut() {
            p2p.entry("bootnodes").or_insert_with(|| Value::Array(bootnodes.collect()));
        }
    }
}
