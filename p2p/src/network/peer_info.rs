//! [`PeerInfo`] and [`OwnInfo`]: what the node knows about a peer, and about itself.
//!
//! Copies, which do not change afterwards.

use super::{Direction, KnownPeer, ScoreInputs};
use crate::{ChainId, Topic};
use alloy_primitives::{B256, keccak256};
use libp2p::{Multiaddr, PeerId, identity::PublicKey};
use std::time::Duration;

/// A peer that is connected, was, or that a node record names.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PeerInfo {
    /// The peer's libp2p id.
    pub peer_id: PeerId,
    /// Its discv5 node id. `None`: its key is not a secp256k1 key.
    pub node_id: Option<B256>,
    /// The remote address of its first connection. `None`: it is not connected.
    pub addr: Option<Multiaddr>,
    /// Who opened that connection. `None`: it is not connected.
    pub direction: Option<Direction>,
    /// The topics of this chain that it is subscribed to.
    pub topics: Vec<Topic>,
    /// The topics on which it is in our mesh.
    pub mesh: Vec<Topic>,
    /// What is remembered of it across connections.
    pub known: KnownPeer,
    /// The round-trip time of the last ping. `None`: it has not answered one.
    pub latency: Option<Duration>,
    /// Its gossipsub score. With a score below zero it is in no mesh.
    pub score: f64,
    /// The part of the score that comes from our verdicts: from -371 to 10.
    pub application_score: f64,
    /// What that part is computed from.
    pub score_inputs: ScoreInputs,
    /// Whether it is exempt from pruning and bans: it is static, trusted, or protected.
    pub protected: bool,
}

impl PeerInfo {
    /// Whether it is connected.
    pub const fn is_connected(&self) -> bool {
        self.addr.is_some()
    }
}

/// What the node announces about itself to other nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnInfo {
    /// Its libp2p peer id.
    pub peer_id: PeerId,
    /// Its discv5 node id.
    pub node_id: Option<B256>,
    /// The chain whose gossip it joins.
    pub chain_id: ChainId,
    /// Its agent string: [`NetworkConfig::agent`](crate::NetworkConfig).
    pub agent: String,
    /// Its protocol version, as identify sends it.
    pub protocol_version: String,
    /// The request-response protocols that it serves.
    pub protocols: Vec<String>,
}

/// The discv5 node id of a peer: the Keccak-256 hash of its uncompressed key, which its peer id contains.
pub(super) fn node_id(peer_id: &PeerId) -> Option<B256> {
    let bytes = peer_id.to_bytes();
    let key = PublicKey::try_decode_protobuf(bytes.get(2..)?).ok()?.try_into_secp256k1().ok()?;
    Some(keccak256(key.to_bytes_uncompressed().get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeIdentity;
    use libp2p::identity::Keypair;

    #[test]
    fn a_node_id_is_the_one_of_its_record() {
        let identity = NodeIdentity::generate();
        let key = super::super::discovery::combined_key(identity.keypair()).unwrap();
        let record = discv5::Enr::empty(&key).unwrap();
        assert_eq!(node_id(&identity.peer_id()).unwrap().0, record.node_id().raw());
        assert_eq!(node_id(&Keypair::generate_ed25519().public().to_peer_id()), None);
    }
}
