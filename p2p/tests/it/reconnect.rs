//! Static peers are found again; a node keeps its name.

use crate::support::{HeldPort, Node, chain, frame, in_time, sequencer, until};
use crosscheck_p2p::{
    ChainId, Network, NetworkConfig, NetworkEvent, NetworkTaskError, NodeIdentity, PeerInfo, Signers,
    SystemClock, Topic, ValidationRules,
};
use std::sync::Arc;
use tokio::sync::watch;

#[tokio::test(flavor = "multi_thread")]
async fn a_static_peer_that_restarts_is_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("node.key");
    let port = HeldPort::draw();
    let start = || {
        let identity = NodeIdentity::load_or_create(&key).unwrap();
        Node::start_with(&[], identity, |config| config.listen = vec![port.addr()])
    };
    let a = start().await;
    let id = a.handle.peer_id();
    let mut b = Node::start(&[&a]).await;
    b.meshed_with(&a).await;
    a.stop().await;

    let a = start().await;
    assert_eq!(a.handle.peer_id(), id);
    b.meshed_with(&a).await;
    a.meshed_with(&b).await;
    a.handle.publish(Topic::BlocksV4, frame(2, &sequencer(), Topic::BlocksV4)).await.unwrap();
    assert_eq!(b.next_block().await.number(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_are_listed_and_their_connections_are_reported() {
    let mut a = Node::start(&[]).await;
    let b = Node::start(&[&a]).await;
    let id = b.handle.peer_id();
    a.meshed_with(&b).await;
    b.meshed_with(&a).await;
    let peers = b.handle.peers().await.unwrap();
    let [peer] = &peers[..] else { panic!("{peers:?}") };
    assert_eq!((peer.peer_id, &peer.addr), (a.handle.peer_id(), &a.addrs().await.pop()));
    assert_eq!((&peer.topics[..], &peer.mesh[..]), (&Topic::ALL[..], &Topic::ALL[..]));
    assert!(matches!(a.next_event().await, NetworkEvent::PeerConnected { peer_id, .. } if peer_id == id));
    b.stop().await;
    assert!(matches!(a.next_event().await, NetworkEvent::PeerDisconnected { peer_id } if peer_id == id));
    assert_eq!(a.handle.peers().await, Ok(vec![]));
}

/// A peer that subscribes to nothing is nobody to hear from.
#[tokio::test(flavor = "multi_thread")]
async fn subscribers_are_counted_and_reported() {
    let a = Node::start(&[]).await;
    let mut subscribers = a.handle.subscribers();
    assert_eq!(*subscribers.borrow_and_update(), 0);
    let deaf = Node::start_with(&[&a], NodeIdentity::generate(), |config| config.topics = Vec::new()).await;
    until("a connection", async || a.is_connected_to(&deaf).await).await;
    let b = Node::start(&[&a]).await;
    in_time("a subscriber", subscribers.wait_for(|count| *count > 0)).await.unwrap();
    a.meshed_with(&b).await;
    assert_eq!(*subscribers.borrow(), 1);
    b.stop().await;
    in_time("its end", subscribers.wait_for(|count| *count == 0)).await.unwrap();
    assert!(a.is_connected_to(&deaf).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_starts_later_is_found() {
    let (port, key) = (HeldPort::draw(), NodeIdentity::generate());
    let full = port.addr().with_p2p(key.peer_id()).unwrap();
    let early =
        Node::start_with(&[], NodeIdentity::generate(), |config| config.static_peers = vec![full]).await;
    let late = Node::start_with(&[], key, |config| config.listen = vec![port.addr()]).await;
    early.meshed_with(&late).await;
}

/// The configured address leads nowhere; where the peer really listens was learnt when it came by itself. The
/// clock of the known peers is stalled: only the static peers' own round can find it again.
#[tokio::test(flavor = "multi_thread")]
async fn a_static_peer_is_dialled_where_it_was_found_when_its_configured_address_is_stale() {
    let (stale, port) = (HeldPort::draw(), HeldPort::draw());
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("node.key");
    let identity = || NodeIdentity::load_or_create(&key).unwrap();
    let full = stale.addr().with_p2p(identity().peer_id()).unwrap();
    let a = Node::start_with(&[], NodeIdentity::generate(), |config| config.static_peers = vec![full]).await;
    let b = Node::start_with(&[&a], identity(), |config| config.listen = vec![port.addr()]).await;
    a.meshed_with(&b).await;
    until("the peer's listening address", async || {
        let known = a.handle.known_peers().await.unwrap();
        let is_learnt =
            |peer: &PeerInfo| peer.peer_id == b.handle.peer_id() && peer.known.addrs.contains(&port.addr());
        known.iter().any(is_learnt)
    })
    .await;
    b.stop().await;
    until("the peer to be gone", async || a.handle.peers().await.unwrap().is_empty()).await;

    let b = Node::start_with(&[], identity(), |config| config.listen = vec![port.addr()]).await;
    b.meshed_with(&a).await;
    a.meshed_with(&b).await;
}

/// An address of the documentation range, which no machine has.
#[tokio::test]
async fn an_address_that_is_not_ours_is_a_clear_error() {
    let mut config = NetworkConfig::new(chain());
    config.listen = vec!["/ip4/203.0.113.1/tcp/0".parse().unwrap()];
    let error = refused(config);
    assert!(matches!(error, NetworkTaskError::Listen { .. }), "{error}");
}

#[tokio::test]
async fn a_static_peer_without_an_id_is_a_clear_error() {
    let mut config = NetworkConfig::new(chain());
    config.static_peers = vec!["/ip4/127.0.0.1/tcp/9222".parse().unwrap()];
    let error = refused(config);
    assert!(matches!(error, NetworkTaskError::StaticPeer(_)), "{error}");
}

#[tokio::test]
async fn rules_of_another_chain_are_a_clear_error() {
    let mut config = NetworkConfig::new(chain());
    config.rules = ValidationRules::new(ChainId::from(902));
    let error = refused(config);
    assert!(matches!(error, NetworkTaskError::RulesOfAnotherChain { .. }), "{error}");
}

#[test]
fn without_a_runtime_there_is_a_clear_error() {
    assert_eq!(refused(NetworkConfig::new(chain())), NetworkTaskError::NoRuntime);
}

fn refused(config: NetworkConfig) -> NetworkTaskError {
    let (_signers, receiver) = watch::channel(Signers::default());
    Network::new(config, NodeIdentity::generate(), Arc::new(SystemClock), receiver).err().unwrap()
}
