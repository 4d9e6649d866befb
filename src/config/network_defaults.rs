//! Adds the known defaults of named networks to the settings of their chains. Written settings win.
//!
//! A chain with endpoints only must receive gossip too: it finds peers by discovery, at ports of its own.

use super::ConfigError;
use crate::networks::{KnownNetwork, NetworkName};
use crosscheck_p2p::ChainId;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use toml::{Table, Value};

/// The first port for gossip that is given out: above our own servers', and none of op-node's, which may run
/// beside.
const FIRST_PORT: u16 = 9647;

/// Fills in the chains of the networks that `network` names. A name that is not a network's is left for the
/// parser to refuse.
///
/// # Errors
/// If a chain needs a port and none is free.
pub(super) fn apply_network_defaults(table: &mut Table) -> Result<(), ConfigError> {
    let named = table.get("network").and_then(Value::as_array).into_iter().flatten();
    let names: Vec<NetworkName> =
        named.filter_map(Value::as_str).filter_map(|name| name.parse().ok()).collect();
    let mut ports = Ports::free_in(table);
    for network in names.into_iter().filter_map(|name| name.network().ok()) {
        let chains = table.entry("chains").or_insert_with(|| Value::Table(Table::new()));
        if let Some(chain) = chains.as_table_mut().and_then(|chains| section(chains, network.chain_id)) {
            fill_in(chain, &network, &mut ports)?;
        }
    }
    Ok(())
}

/// The chain's section, however its id is spelt there. `None`: what is there is not a section.
fn section(chains: &mut Table, chain_id: ChainId) -> Option<&mut Table> {
    let spelt = chains.keys().find(|name| name.parse::<ChainId>().is_ok_and(|id| id == chain_id)).cloned();
    let name = spelt.unwrap_or_else(|| chain_id.to_string());
    chains.entry(name).or_insert_with(|| Value::Table(Table::new())).as_table_mut()
}

fn fill_in(chain: &mut Table, network: &KnownNetwork, ports: &mut Ports) -> Result<(), ConfigError> {
    // TOML's numbers end there: no block is ever so late.
    let number = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    chain.entry("block_time").or_insert_with(|| number(network.block_time));
    // When it activates on a network for which this build knows no time stays unknown.
    if let Some(time) = network.interop_time() {
        chain.entry("interop_time").or_insert_with(|| number(time.0));
    }
    let set = network.dependency_set.iter().map(|chain_id| Value::String(chain_id.to_string()));
    chain.entry("dependency_set").or_insert_with(|| Value::Array(set.collect()));
    // It has no effect, and is refused, if the chain is only monitored.
    if chain.contains_key("rollup_node") {
        let address = network.system_config.to_string();
        chain.entry("system_config").or_insert_with(|| Value::String(address));
        let p2p = chain.entry("p2p").or_insert_with(|| Value::Table(Table::new()));
        let bootnodes = network.bootnodes.iter().map(|bootnode| Value::String(bootnode.to_string()));
        if let Some(p2p) = p2p.as_table_mut() {
            p2p.entry("bootnodes").or_insert_with(|| Value::Array(bootnodes.collect()));
            fill_in_ports(p2p, network.chain_id, ports)?;
        }
    }
    Ok(())
}

/// A chain that lists static peers, even an empty list, does not look for others.
fn fill_in_ports(p2p: &mut Table, chain_id: ChainId, ports: &mut Ports) -> Result<(), ConfigError> {
    let is_looking = !p2p.contains_key("static_peers") && !p2p.contains_key("discovery");
    if p2p.contains_key("listen") && !is_looking {
        return Ok(());
    }
    let port = ports.take().ok_or_else(|| no_free_port(chain_id))?;
    let listen = || Value::Array(vec![Value::String(format!("/ip4/127.0.0.1/tcp/{port}"))]);
    p2p.entry("listen").or_insert_with(listen);
    if is_looking {
        p2p.insert("discovery".to_owned(), Value::String(format!("0.0.0.0:{port}")));
    }
    Ok(())
}

fn no_free_port(chain_id: ChainId) -> ConfigError {
    ConfigError::Missing {
        key: format!("chains.{chain_id}.p2p.listen"),
        reason: format!("other settings use every port from {FIRST_PORT} on"),
        fix: format!("set it to a port below {FIRST_PORT}, and chains.{chain_id}.p2p.discovery likewise"),
    }
}

/// The ports that settings use.
struct Ports {
    taken: BTreeSet<u16>,
}

impl Ports {
    fn free_in(table: &Table) -> Self {
        let text = |section: &str, key: &str| table.get(section)?.get(key)?.as_str();
        let servers = ["rpc", "http", "follow"].into_iter().filter_map(|section| text(section, "addr"));
        let p2p = table.get("chains").and_then(Value::as_table).into_iter().flat_map(Table::values);
        let p2p: Vec<&Value> = p2p.filter_map(|chain| chain.get("p2p")).collect();
        let discovery = p2p.iter().filter_map(|p2p| p2p.get("discovery")?.as_str());
        let listen = p2p.iter().filter_map(|p2p| p2p.get("listen")?.as_array()).flatten();
        let listen = listen.filter_map(Value::as_str).filter_map(tcp_port);
        let sockets = servers.chain(discovery).filter_map(|addr| addr.parse::<SocketAddr>().ok());
        Self { taken: sockets.map(|addr| addr.port()).chain(listen).collect() }
    }

    /// Takes the lowest port that is free. `None`: there is none.
    fn take(&mut self) -> Option<u16> {
        let port = (FIRST_PORT..=u16::MAX).find(|port| !self.taken.contains(port))?;
        self.taken.insert(port);
        Some(port)
    }
}

/// The port of `/ip4/<address>/tcp/<port>`.
fn tcp_port(address: &str) -> Option<u16> {
    address.split_once("/tcp/")?.1.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(listen: impl Iterator<Item = u16>) -> Table {
        let listen: Vec<String> = listen.map(|port| format!("\"/ip4/127.0.0.1/tcp/{port}\"")).collect();
        let text = format!(
            "network = [\"op-mainnet\"]\n[chains.10]\nrollup_node = \"http://127.0.0.1:1\"\n\
             [chains.901.p2p]\nlisten = [{}]\n",
            listen.join(",")
        );
        text.parse().unwrap()
    }

    #[test]
    fn the_last_port_can_be_used() {
        let mut table = table(FIRST_PORT..u16::MAX);
        apply_network_defaults(&mut table).unwrap();
        assert_eq!(table["chains"]["10"]["p2p"]["discovery"].as_str(), Some("0.0.0.0:65535"));
    }

    #[test]
    fn a_chain_for_which_no_port_is_free_is_refused() {
        let error = apply_network_defaults(&mut table(FIRST_PORT..=u16::MAX)).unwrap_err().to_string();
        assert!(error.contains("chains.10.p2p.listen is not set"), "{error}");
        assert!(error.contains("every port from 9647 on"), "{error}");
    }
}
