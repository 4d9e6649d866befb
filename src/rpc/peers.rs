//! `crosscheck_peers`: whom the chains' networks are connected to.

use super::opp2p::bad_params;
use crate::gossip::NetworkHandles;
use crosscheck_p2p::{ChainId, Direction, PeerInfo, Topic};
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::proc_macros::rpc;
use serde::Serialize;

/// A connected peer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PeerRecord {
    /// On which chain's network.
    pub chain_id: ChainId,
    /// Its id.
    pub peer_id: String,
    /// Where it was reached, or reached us from. `null`: not known.
    pub addr: Option<String>,
    /// Who opened the connection: `inbound` or `outbound`.
    pub direction: Option<&'static str>,
    /// The name that it gives itself.
    pub agent: Option<String>,
    /// What it is worth: below zero it is in no mesh, below -100 it is banned.
    pub score: f64,
    /// Whether it is neither pruned nor banned.
    pub protected: bool,
    /// What it subscribed to.
    pub topics: Vec<Topic>,
    /// On which topics it is in our mesh.
    pub mesh: Vec<Topic>,
}

impl PeerRecord {
    fn new(chain_id: ChainId, peer: PeerInfo) -> Self {
        Self {
            chain_id,
            peer_id: peer.peer_id.to_string(),
            addr: peer.addr.map(|addr| addr.to_string()),
            direction: peer.direction.map(|direction| match direction {
                Direction::Inbound => "inbound",
                Direction::Outbound => "outbound",
            }),
            agent: peer.known.agent,
            score: peer.score,
            protected: peer.protected,
            topics: peer.topics,
            mesh: peer.mesh,
        }
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
        let networks = self.networks.of(chain_id);
        if let (Some(chain_id), true) = (chain_id, networks.is_empty()) {
            return Err(bad_params(&format!("the gossip of chain {chain_id} is not joined")));
        }
        let mut records = Vec::new();
        for (chain_id, network) in networks {
            // A network that has ended has no peers; that it ended is reported elsewhere.
            let peers = network.peers().await.unwrap_or_default();
            records.extend(peers.into_iter().map(|peer| PeerRecord::new(chain_id, peer)));
        }
        Ok(records)
    }
}
