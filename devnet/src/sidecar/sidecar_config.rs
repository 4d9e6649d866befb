//! The configuration with which a sidecar watches a running devnet.

use super::config_file::{
    ChainSection, ConsolidationSection, FollowSection, InteropSection, L1Section, ListenSection, P2pSection,
    SidecarConfig,
};
use crate::gossip::Networks;
use crate::keys::system_config_address;
use crate::serve::{ChainNodes, Nodes};
use crate::simulation::Superchain;
use crate::timing::RunClock;
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
pub(crate) struct ListenAddrs {
    /// Its JSON-RPC server.
    pub(crate) rpc: SocketAddr,
    /// Its HTTP server for health and metrics.
    pub(crate) http: SocketAddr,
    /// Its server for followers, if it is to have one, and its mode.
    pub(crate) follow: Option<(SocketAddr, &'static str)>,
}

/// The configuration of a sidecar that watches this devnet and listens there.
///
/// `bundle` names the upgrade bundle of the fork that begins on a chain. It names no attester: the sidecar
/// reads it from the `SystemConfig` on L1.
pub(crate) fn sidecar_config(
    dir: &Path,
    clock: &RunClock,
    listen: &ListenAddrs,
    superchain: &Superchain,
    nodes: &Nodes,
    networks: &Networks,
    bundle: Option<String>,
) -> SidecarConfig {
    let schedule = &superchain.params().schedule;
    let chain = |chain: &ChainNodes| ChainSection {
        execution: chain.execution_urls(),
        rollup_node: chain.rollup_node.url(),
        claimants: chain.claimant_urls(),
        block_time: schedule.block_time,
        interop_time: schedule.interop_time().0,
        dependency_set: nodes.chains.iter().map(|nodes| nodes.chain_id.to_string()).collect(),
        system_config: system_config_address(chain.chain_id),
        p2p: P2pSection { listen: vec![LISTEN.to_owned()], static_peers: networks.addrs(chain.chain_id) },
    };
    SidecarConfig {
        clock: clock.setting(),
        data_dir: dir.join(DATA_DIR),
        shutdown_timeout: SHUTDOWN_TIMEOUT,
        rpc: ListenSection { addr: listen.rpc },
        http: ListenSection { addr: listen.http },
        l1: L1Section { execution: nodes.l1.url() },
        interop: InteropSection {
            message_expiry_window: schedule.expiry_window(),
            log_index_mib: LOG_INDEX_MIB,
        },
        consolidation: bundle.map(|bundle| ConsolidationSection { upgrade_bundles: vec![bundle] }),
        follow: listen.follow.map(|(addr, mode)| FollowSection { mode, addr }),
        chains: nodes.chains.iter().map(|nodes| (nodes.chain_id.to_string(), chain(nodes))).collect(),
    }
}
