//! What a sidecar must be told to watch a running devnet.

use super::config_file::{
    ChainConfig, ConsolidationSection, FollowSection, InteropConfig, L1Config, ListenConfig, P2pConfig,
    SidecarConfig,
};
use super::keyring::system_config_address;
use super::networks::Networks;
use super::nodes::{ChainNodes, Nodes};
use super::run_clock::RunClock;
use super::superchain::Superchain;
use std::{net::SocketAddr, path::Path};

/// Where the sidecar keeps its data, in the devnet's directory.
const DATA_DIR: &str = "sidecar";
/// A run fails whose sidecar does not end in time: that of a devnet has time on the busiest machine.
const SHUTDOWN_TIMEOUT: &str = "120s";
/// Messages cite what is at most some tens of blocks old: proven logs of days need not be kept, MiB.
const LOG_INDEX_MIB: u64 = 64;
/// The sidecar listens on a free port of loopback.
const LISTEN: &str = "/ip4/127.0.0.1/tcp/0";

/// Where a sidecar listens.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListenAddrs {
    /// Its JSON-RPC server.
    pub(super) rpc: SocketAddr,
    /// Its HTTP server for health and metrics.
    pub(super) http: SocketAddr,
    /// Its server for followers, if it is to have one.
    pub(super) follow: Option<SocketAddr>,
}

/// The configuration of a sidecar that watches this devnet and listens there.
///
/// `bundle` names the upgrade bundle of the fork that a chain comes to. It names no attester: the sidecar reads it from the `SystemConfig` on L1.
pub(super) fn sidecar_config(
    dir: &Path,
    clock: &RunClock,
    listen: &ListenAddrs,
    superchain: &Superchain,
    nodes: &Nodes,
    networks: &Networks,
    bundle: Option<String>,
) -> SidecarConfig {
    let schedule = &superchain.params().schedule;
    let chain = |chain: &ChainNodes| ChainConfig {
        execution: chain.execution_urls(),
        rollup_node: chain.rollup_node.url(),
        block_time: schedule.block_time,
        interop_time: schedule.interop_time().0,
        dependency_set: nodes.chains.iter().map(|nodes| nodes.chain_id.to_string()).collect(),
        system_config: system_config_address(chain.chain_id),
        p2p: P2pConfig { listen: vec![LISTEN.to_owned()], static_peers: networks.addrs(chain.chain_id) },
    };
    SidecarConfig {
        clock: clock.setting(),
        data_dir: dir.join(DATA_DIR),
        shutdown_timeout: SHUTDOWN_TIMEOUT,
        rpc: ListenConfig { addr: listen.rpc },
        http: ListenConfig { addr: listen.http },
        l1: L1Config { execution: nodes.l1.url() },
        interop: InteropConfig {
            message_expiry_window: schedule.expiry_window(),
            log_index_mib: LOG_INDEX_MIB,
        },
        consolidation: bundle.map(|bundle| ConsolidationSection { upgrade_bundles: vec![bundle] }),
        follow: listen.follow.map(|addr| FollowSection { mode: "attested", addr }),
        chains: nodes.chains.iter().map(|nodes| (nodes.chain_id.to_string(), chain(nodes))).collect(),
    }
}
