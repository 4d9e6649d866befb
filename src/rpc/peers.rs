//! `crosscheck_peers`: whom the chains' networks are connected to.

use crate::gossip::NetworkHandles;
use crosscheck_p2p::{ChainId, PeerInfo, Topic};
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::proc_macros::rpc;
use serde::Serialize;

/// A connected peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeerRecord {
    /// On which chain's network.
    pub chain_id: ChainId,
    /// Its id.
    pub peer_id: String,
    /// Where it was reached, or reached us from. `null`: not known.
    pub addr: Option<String>,
    /// What it subscribed to.
    pub topics: Vec<Topic>,
    /// On which topics it is in our mesh.
    pub mesh: Vec<Topic>,
}

impl PeerRecord {
    fn new(chain_id: ChainId, peer: PeerInfo) -> Self {
        let addr = peer.addr.map(|addr| addr.to_string());
        Self { chain_id, peer_id: peer.peer_id.to_string(), addr, topics: peer.topics, mesh: peer.mesh }
    }
}

/// The method.
#[rpc(server, namespace = "crosscheck")]
pub(super) trait PeersApi {
    /// The connected peers, of all chains or of one.
    #[method(name = "peers")]
    async fn peers(&self, chain_id: Option<ChainId>) -> RpcResult<Vec<PeerRecord>>;
}

/// What the method reads.
#[derive(Clone, Debug)]
pub(super) struct PeersRpc {
    /// The networks.
    pub networks: NetworkHandles,
}

#[async_trait]
impl PeersApiServer for PeersRpc {
    async fn peers(&self, chain_id: Option<ChainId>) -> RpcResult<Vec<PeerRecord>> {
        let mut records = Vec::new();
        for (chain_id, network) in self.networks.of(chain_id) {
            // A network that has ended has no peers; that it ended is told elsewhere.
            let peers = network.peers().await.unwrap_or_default();
            records.extend(peers.into_iter().map(|peer| PeerRecord::new(chain_id, peer)));
        }
        Ok(records)
    }
}
