//! The `opp2p_*` methods: op-node's view of its peers, and its orders about them.
//!
//! One server may serve several chains: the path names the chain (`/<chain id>/`), or a last parameter does,
//! which op-node has not. Neither is needed where there is only one. What changes something is served only
//! where `rpc.admin` is true.

use super::front::PathChain;
use super::opp2p_types::{OfChain, OpPeerDump, OpPeerInfo, OpPeerStats, OpSubnet, node_id_text};
use crate::gossip::NetworkHandles;
use core::net::IpAddr;
use crosscheck_p2p::{
    ChainId, ConnectError, GateCommand, GateError, Multiaddr, NetworkClosed, NetworkHandle, PeerId, PeerInfo,
    Topic,
};
use jsonrpsee::Extensions;
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::proc_macros::rpc;
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::types::error::{CALL_EXECUTION_FAILED_CODE, INVALID_PARAMS_CODE};
use std::fmt::Display;
use std::time::Duration;
use tracing::info;

/// How long connecting a peer may take: op-node's bound.
const CONNECT: Duration = Duration::from_secs(30);

/// The methods that only read.
#[rpc(server, namespace = "opp2p")]
pub(super) trait Opp2pApi {
    /// The node itself.
    #[method(name = "self", with_extensions)]
    async fn own(&self, chain: Option<OfChain>) -> RpcResult<OpPeerInfo>;

    /// The connected peers, or everybody known.
    #[method(name = "peers", with_extensions)]
    async fn peers(&self, connected: bool, chain: Option<OfChain>) -> RpcResult<OpPeerDump>;

    /// How many there are.
    #[method(name = "peerStats", with_extensions)]
    async fn peer_stats(&self, chain: Option<OfChain>) -> RpcResult<OpPeerStats>;

    /// The node records in discovery's table.
    #[method(name = "discoveryTable", with_extensions)]
    async fn discovery_table(&self, chain: Option<OfChain>) -> RpcResult<Vec<String>>;

    /// Peers that were blocked.
    #[method(name = "listBlockedPeers", with_extensions)]
    async fn blocked_peers(&self, chain: Option<OfChain>) -> RpcResult<Vec<String>>;

    /// Addresses that were blocked.
    #[method(name = "listBlockedAddrs", with_extensions)]
    async fn blocked_addrs(&self, chain: Option<OfChain>) -> RpcResult<Vec<IpAddr>>;

    /// Subnets that were blocked.
    #[method(name = "listBlockedSubnets", with_extensions)]
    async fn blocked_subnets(&self, chain: Option<OfChain>) -> RpcResult<Vec<OpSubnet>>;
}

/// The methods that change something.
#[rpc(server, namespace = "opp2p")]
pub(super) trait Opp2pAdminApi {
    /// Shuts a peer out, and disconnects it.
    #[method(name = "blockPeer", with_extensions)]
    async fn block_peer(&self, peer: String, chain: Option<OfChain>) -> RpcResult<()>;

    /// Lets a peer in again, banned ones too.
    #[method(name = "unblockPeer", with_extensions)]
    async fn unblock_peer(&self, peer: String, chain: Option<OfChain>) -> RpcResult<()>;

    /// Shuts an address out.
    #[method(name = "blockAddr", with_extensions)]
    async fn block_addr(&self, addr: IpAddr, chain: Option<OfChain>) -> RpcResult<()>;

    /// Lets an address in again.
    #[method(name = "unblockAddr", with_extensions)]
    async fn unblock_addr(&self, addr: IpAddr, chain: Option<OfChain>) -> RpcResult<()>;

    /// Shuts a subnet out.
    #[method(name = "blockSubnet", with_extensions)]
    async fn block_subnet(&self, subnet: OpSubnet, chain: Option<OfChain>) -> RpcResult<()>;

    /// Lets a subnet in again.
    #[method(name = "unblockSubnet", with_extensions)]
    async fn unblock_subnet(&self, subnet: OpSubnet, chain: Option<OfChain>) -> RpcResult<()>;

    /// Never prunes nor bans a peer.
    #[method(name = "protectPeer", with_extensions)]
    async fn protect_peer(&self, peer: String, chain: Option<OfChain>) -> RpcResult<()>;

    /// Treats a peer as any other again.
    #[method(name = "unprotectPeer", with_extensions)]
    async fn unprotect_peer(&self, peer: String, chain: Option<OfChain>) -> RpcResult<()>;

    /// Connects a peer, and waits for it.
    #[method(name = "connectPeer", with_extensions)]
    async fn connect_peer(&self, addr: String, chain: Option<OfChain>) -> RpcResult<()>;

    /// Disconnects a peer. It may come back.
    #[method(name = "disconnectPeer", with_extensions)]
    async fn disconnect_peer(&self, peer: String, chain: Option<OfChain>) -> RpcResult<()>;
}

/// What the methods ask.
#[derive(Clone, Debug)]
pub(super) struct Opp2pRpc {
    /// The networks.
    pub networks: NetworkHandles,
}

impl Opp2pRpc {
    fn network(&self, path: &Extensions, chain: Option<OfChain>) -> RpcResult<NetworkHandle> {
        self.network_of(path, chain).map(|(_, network)| network)
    }

    fn network_of(&self, path: &Extensions, chain: Option<OfChain>) -> RpcResult<(ChainId, NetworkHandle)> {
        let of_path = path.get::<PathChain>().map(|chain| chain.0);
        let wanted = chain.map(OfChain::id).or(of_path);
        let mut networks = self.networks.of(wanted).into_iter();
        match (networks.next(), networks.next(), wanted) {
            (Some(network), None, _) => Ok(network),
            (Some(_), Some(_), _) => {
                let chains: Vec<_> = self.networks.of(None).iter().map(|(id, _)| id.to_string()).collect();
                Err(bad_params(&format!(
                    "give one of the chains {} as the last parameter, or ask at /<chain id>/",
                    chains.join(", ")
                )))
            }
            (None, _, Some(chain_id)) => {
                Err(bad_params(&format!("the gossip of chain {chain_id} is not joined")))
            }
            (None, _, None) => Err(failed(&"no chain's gossip is joined")),
        }
    }

    async fn gate(&self, path: &Extensions, chain: Option<OfChain>, command: GateCommand) -> RpcResult<()> {
        let (chain_id, network) = self.network_of(path, chain)?;
        network.gate(command).await.map_err(|error: GateError| failed(&error))?;
        info!(%chain_id, order = %command, "operator's peer command executed");
        Ok(())
    }
}

#[async_trait]
impl Opp2pApiServer for Opp2pRpc {
    async fn own(&self, path: &Extensions, chain: Option<OfChain>) -> RpcResult<OpPeerInfo> {
        let network = self.network(path, chain)?;
        let own = network.own_info().await.map_err(closed)?;
        let addrs = network.listen_addrs().await.map_err(closed)?;
        Ok(OpPeerInfo {
            peer_id: own.peer_id.to_string(),
            node_id: node_id_text(own.node_id),
            user_agent: own.agent,
            protocol_version: own.protocol_version,
            enr: network.discovery().and_then(|view| view.record).unwrap_or_default(),
            addresses: addrs.iter().map(ToString::to_string).collect(),
            protocols: own.protocols,
            chain_id: own.chain_id.as_u64().unwrap_or_default(),
            gossip_blocks: true,
            ..OpPeerInfo::default()
        })
    }

    async fn peers(
        &self,
        path: &Extensions,
        connected: bool,
        chain: Option<OfChain>,
    ) -> RpcResult<OpPeerDump> {
        let network = self.network(path, chain)?;
        let peers = if connected { network.peers().await } else { network.known_peers().await };
        let peers = peers.map_err(closed)?;
        let block_list = network.block_list().await.map_err(closed)?;
        let banned = block_list.peers.iter().chain(block_list.bans.keys());
        Ok(OpPeerDump {
            total_connected: peers.iter().filter(|peer| peer.is_connected()).count(),
            peers: peers.into_iter().map(|peer| (peer.peer_id.to_string(), peer.into())).collect(),
            banned_peers: banned.map(ToString::to_string).collect(),
            banned_ips: block_list.addrs.into_iter().collect(),
            banned_subnets: block_list.subnets.into_iter().map(OpSubnet).collect(),
        })
    }

    async fn peer_stats(&self, path: &Extensions, chain: Option<OfChain>) -> RpcResult<OpPeerStats> {
        let network = self.network(path, chain)?;
        let known = network.known_peers().await.map_err(closed)?;
        let block_list = network.block_list().await.map_err(closed)?;
        let on = |topic: Topic| {
            known
                .iter()
                .filter(|peer: &&PeerInfo| peer.is_connected() && peer.topics.contains(&topic))
                .count()
        };
        Ok(OpPeerStats {
            connected: known.iter().filter(|peer| peer.is_connected()).count(),
            table: network.discovery().map_or(0, |view| view.table.len()),
            blocks_topic: on(Topic::BlocksV1),
            blocks_topic_v2: on(Topic::BlocksV2),
            blocks_topic_v3: on(Topic::BlocksV3),
            blocks_topic_v4: on(Topic::BlocksV4),
            banned: block_list.peers.len().saturating_add(block_list.bans.len()),
            known: known.len(),
        })
    }

    async fn discovery_table(&self, path: &Extensions, chain: Option<OfChain>) -> RpcResult<Vec<String>> {
        let view = self.network(path, chain)?.discovery();
        view.map(|view| view.table).ok_or_else(|| failed(&"discovery disabled"))
    }

    async fn blocked_peers(&self, path: &Extensions, chain: Option<OfChain>) -> RpcResult<Vec<String>> {
        let block_list = self.network(path, chain)?.block_list().await.map_err(closed)?;
        Ok(block_list.peers.iter().map(ToString::to_string).collect())
    }

    async fn blocked_addrs(&self, path: &Extensions, chain: Option<OfChain>) -> RpcResult<Vec<IpAddr>> {
        Ok(self.network(path, chain)?.block_list().await.map_err(closed)?.addrs.into_iter().collect())
    }

    async fn blocked_subnets(&self, path: &Extensions, chain: Option<OfChain>) -> RpcResult<Vec<OpSubnet>> {
        let block_list = self.network(path, chain)?.block_list().await.map_err(closed)?;
        Ok(block_list.subnets.into_iter().map(OpSubnet).collect())
    }
}

#[async_trait]
impl Opp2pAdminApiServer for Opp2pRpc {
    async fn block_peer(&self, path: &Extensions, peer: String, chain: Option<OfChain>) -> RpcResult<()> {
        self.gate(path, chain, GateCommand::BlockPeer(peer_id(&peer)?)).await
    }

    async fn unblock_peer(&self, path: &Extensions, peer: String, chain: Option<OfChain>) -> RpcResult<()> {
        self.gate(path, chain, GateCommand::UnblockPeer(peer_id(&peer)?)).await
    }

    async fn block_addr(&self, path: &Extensions, addr: IpAddr, chain: Option<OfChain>) -> RpcResult<()> {
        self.gate(path, chain, GateCommand::BlockAddr(addr)).await
    }

    async fn unblock_addr(&self, path: &Extensions, addr: IpAddr, chain: Option<OfChain>) -> RpcResult<()> {
        self.gate(path, chain, GateCommand::UnblockAddr(addr)).await
    }

    async fn block_subnet(
        &self,
        path: &Extensions,
        subnet: OpSubnet,
        chain: Option<OfChain>,
    ) -> RpcResult<()> {
        self.gate(path, chain, GateCommand::BlockSubnet(subnet.0)).await
    }

    async fn unblock_subnet(
        &self,
        path: &Extensions,
        subnet: OpSubnet,
        chain: Option<OfChain>,
    ) -> RpcResult<()> {
        self.gate(path, chain, GateCommand::UnblockSubnet(subnet.0)).await
    }

    async fn protect_peer(&self, path: &Extensions, peer: String, chain: Option<OfChain>) -> RpcResult<()> {
        self.gate(path, chain, GateCommand::Protect(peer_id(&peer)?)).await
    }

    async fn unprotect_peer(&self, path: &Extensions, peer: String, chain: Option<OfChain>) -> RpcResult<()> {
        self.gate(path, chain, GateCommand::Unprotect(peer_id(&peer)?)).await
    }

    async fn connect_peer(&self, path: &Extensions, addr: String, chain: Option<OfChain>) -> RpcResult<()> {
        let (chain_id, network) = self.network_of(path, chain)?;
        let addr: Multiaddr =
            addr.parse().map_err(|error| bad_params(&format!("bad peer address: {error}")))?;
        match tokio::time::timeout(CONNECT, network.connect(addr.clone())).await {
            Ok(connected) => connected.map_err(|error: ConnectError| failed(&error))?,
            Err(_) => return Err(failed(&format!("not connected within {} s", CONNECT.as_secs()))),
        }
        let order = format!("connect {addr}");
        info!(%chain_id, order, "operator's peer command executed");
        Ok(())
    }

    async fn disconnect_peer(
        &self,
        path: &Extensions,
        peer: String,
        chain: Option<OfChain>,
    ) -> RpcResult<()> {
        // Not to be connected is what was asked for.
        let (chain_id, network) = self.network_of(path, chain)?;
        let peer = peer_id(&peer)?;
        let _was_connected = network.disconnect(peer).await.map_err(closed)?;
        let order = format!("disconnect peer {peer}");
        info!(%chain_id, order, "operator's peer command executed");
        Ok(())
    }
}

fn peer_id(text: &str) -> RpcResult<PeerId> {
    text.parse().map_err(|error| bad_params(&format!("bad peer id: {error}")))
}

pub(super) fn bad_params(problem: &dyn Display) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(INVALID_PARAMS_CODE, problem.to_string(), None::<()>)
}

fn failed(problem: &dyn Display) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(CALL_EXECUTION_FAILED_CODE, problem.to_string(), None::<()>)
}

fn closed(error: NetworkClosed) -> ErrorObjectOwned {
    failed(&error)
}

#[cfg(test)]
mod tests;
