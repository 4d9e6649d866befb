//! What a chain's settings mean to its network.
//!
//! Relative files start at `data_dir`; names of files that are not set follow from the chain's id.

use crate::config::{ChainConfig, P2pConfig};
use crosscheck_p2p::{BlockList, ChainId, DiscoveryConfig, GaterLimits, NetworkConfig, ValidationRules};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The network of a chain, with the rules that apply to its blocks.
pub fn network_config(
    chain_id: ChainId,
    chain: &ChainConfig,
    rules: ValidationRules,
    data_dir: &Path,
) -> NetworkConfig {
    let p2p = &chain.p2p;
    let mut block_list = BlockList::default();
    for subnet in &p2p.blocked_subnets {
        // More subnets than the list holds do not fit a configuration file.
        let _full = block_list.block_subnet(subnet.0);
    }
    NetworkConfig {
        listen: p2p.listen.clone(),
        static_peers: p2p.static_peers.clone(),
        trusted_peers: p2p.trusted_peers.iter().map(|peer| peer.0).collect(),
        gater: gater_limits(p2p),
        block_list,
        peer_file: Some(data_dir.join(format!("p2p-{chain_id}.peers.json"))),
        discovery: discovery_config(p2p),
        block_time: Duration::from_secs(chain.block_time),
        verdict_scoring: p2p.verdict_scoring,
        topic_scoring: p2p.topic_scoring,
        rules,
        ..NetworkConfig::new(chain_id)
    }
}

/// The file of a chain's network key.
pub fn key_file(chain_id: ChainId, p2p: &P2pConfig, data_dir: &Path) -> PathBuf {
    let name = p2p.key_file.clone().unwrap_or_else(|| format!("p2p-{chain_id}.key").into());
    data_dir.join(name)
}

fn gater_limits(p2p: &P2pConfig) -> GaterLimits {
    GaterLimits {
        peers_low: p2p.peers_lo,
        peers_high: p2p.peers_hi,
        max_connections: p2p.peers_hi.saturating_mul(2),
        max_inbound: p2p.peers_hi.saturating_mul(2).saturating_sub(p2p.peers_lo),
        ban_duration_secs: p2p.ban_duration.as_secs(),
        ..GaterLimits::default()
    }
}

fn discovery_config(p2p: &P2pConfig) -> Option<DiscoveryConfig> {
    Some(DiscoveryConfig {
        listen: p2p.discovery?,
        advertise_ip: p2p.advertise_ip,
        advertise_tcp: p2p.advertise_tcp,
        advertise_udp: p2p.advertise_udp,
        bootnodes: p2p.bootnodes.clone(),
        ..DiscoveryConfig::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layers;

    fn chain(p2p: &str) -> ChainConfig {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("crosscheck.toml");
        let text = format!(
            "[chains.901]\nexecution = [\"http://127.0.0.1:1\"]\nrollup_node = \"http://127.0.0.1:2\"\n\
             block_time = 1\ninterop_time = 0\n\
             unsafe_block_signer = \"0x2222222222222222222222222222222222222222\"\n[chains.901.p2p]\n{p2p}\n"
        );
        std::fs::write(&path, text).unwrap();
        let config = Layers::default().file(&path).unwrap().parse().unwrap();
        config.chains.values().next().unwrap().clone()
    }

    fn network(p2p: &str) -> NetworkConfig {
        let chain_id = ChainId::from(901);
        network_config(chain_id, &chain(p2p), ValidationRules::new(chain_id), Path::new("/data"))
    }

    #[test]
    fn unset_keys_have_op_node_defaults_and_discovery_is_off() {
        let network = network("");
        assert_eq!(network.gater, GaterLimits::default());
        assert_eq!((network.discovery, network.topic_scoring, network.verdict_scoring), (None, false, true));
        assert_eq!(network.block_time, Duration::from_secs(1));
        assert_eq!(network.peer_file.unwrap(), Path::new("/data/p2p-901.peers.json"));
    }

    #[test]
    fn every_key_is_applied() {
        let peer = "16Uiu2HAmL5okaKLzxdzpvMDVvjr6HYy1CWkBCFXGdoStmoYEXPT3";
        let network = network(&format!(
            "trusted_peers = [\"{peer}\"]\nblocked_subnets = [\"203.0.113.7/24\"]\npeers_lo = 3\npeers_hi = 5\n\
             ban_duration = \"10s\"\ntopic_scoring = true\nverdict_scoring = false\ndiscovery = \"0.0.0.0:9222\"\n\
             advertise_ip = \"203.0.113.9\"\nadvertise_tcp = 1\nadvertise_udp = 2"
        ));
        assert!(network.trusted_peers.contains(&peer.parse().unwrap()) && network.topic_scoring);
        assert!(network.block_list.check_addr("203.0.113.1".parse().unwrap()).is_err());
        let gater = &network.gater;
        assert_eq!((gater.peers_low, gater.peers_high), (3, 5));
        assert_eq!((gater.max_connections, gater.max_inbound), (10, 7));
        assert_eq!(gater.ban_duration_secs, 10);
        assert!(!network.verdict_scoring);
        let discovery = network.discovery.unwrap();
        assert_eq!(discovery.listen, "0.0.0.0:9222".parse().unwrap());
        assert_eq!(discovery.advertise_ip, Some("203.0.113.9".parse().unwrap()));
        assert_eq!((discovery.advertise_tcp, discovery.advertise_udp), (Some(1), Some(2)));
    }

    #[test]
    fn a_key_file_is_named_after_its_chain_unless_it_is_named() {
        let file = |p2p| key_file(ChainId::from(901), &chain(p2p).p2p, Path::new("/data"));
        assert_eq!(file(""), Path::new("/data/p2p-901.key"));
        assert_eq!(file("key_file = \"/keys/node\""), Path::new("/keys/node"));
    }
}
