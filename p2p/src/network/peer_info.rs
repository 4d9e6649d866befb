//! [`PeerInfo`] and [`OwnInfo`]: what the node says about a peer, and of itself.
//!
//! A copy of the moment at which it was asked.

use super::{Direction, KnownPeer, ScoreInputs};
use crate::{ChainId, Topic};
use alloy_primitives::{B256, keccak256};
use libp2p::{Multiaddr, PeerId, identity::PublicKey};
use std::time::Duration;

/// A peer that is connected, or was, or was heard of.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PeerInfo {
    /// The peer.
    pub peer_id: PeerId,
    /// The id that discv5 knows it by, if its key is a secp256k1 key.
    pub node_id: Option<B256>,
    /// Where it was reached, or reached us from, if it is connected.
    pub addr: Option<Multiaddr>,
    /// Who opened the connection, if it is connected.
    pub direction: Option<Direction>,
    /// What it subscribed to.
    pub topics: Vec<Topic>,
    /// On which topics it is in our mesh.
    pub mesh: Vec<Topic>,
    /// What is remembered of it.
    pub known: KnownPeer,
    /// The last ping's round trip.
    pub latency: Option<Duration>,
    /// Its gossipsub score. With a score below zero it is in no mesh.
    pub score: f64,
    /// The part of the score that comes from our verdicts.
    pub application_score: f64,
    /// What that part is computed from.
    pub score_inputs: ScoreInputs,
    /// Whether it is neither pruned nor banned.
    pub protected: bool,
}

impl PeerInfo {
    /// Whether it is connected.
    pub const fn is_connected(&self) -> bool {
        self.addr.is_some()
    }
}

/// What the node says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnInfo {
    /// Its id.
    pub peer_id: PeerId,
    /// The id that discv5 knows it by.
    pub node_id: Option<B256>,
    /// The chain whose gossip it joins.
    pub chain_id: ChainId,
    /// The name that it gives itself.
    pub agent: String,
    /// The version of the protocols that it gives.
    pub protocol_version: String,
    /// The protocols that it answers by itself; those of gossip come with the peers.
    pub protocols: Vec<String>,
}

/// The Keccak hash of a peer's uncompressed key: what discv5 calls its node id. The key is read from the peer's id,
/// which holds it whole.
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
