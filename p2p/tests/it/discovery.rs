//! Nodes that know one bootnode find each other, those of another chain are not dialled, and a restart loses
//! nobody.

use crate::support::{HeldPort, NOW, Node, until};
use crosscheck_p2p::{Bootnode, ChainId, DiscoveryConfig, NodeIdentity, Topic, ValidationRules};
use k256::elliptic_curve::sec1::ToEncodedPoint as _;
use std::time::Duration;

fn config(bootnodes: Vec<Bootnode>) -> DiscoveryConfig {
    DiscoveryConfig { bootnodes, interval: Duration::from_millis(200), ..DiscoveryConfig::new() }
}

async fn start(bootnodes: Vec<Bootnode>, chain: u64, topics: Vec<Topic>) -> Node {
    Node::start_with(&[], NodeIdentity::generate(), |network| {
        network.chain_id = ChainId::from(chain);
        network.rules = ValidationRules::new(ChainId::from(chain));
        network.topics = topics;
        network.discovery = Some(config(bootnodes));
        network.dial_interval = Duration::from_millis(200);
    })
    .await
}

async fn record(node: &Node) -> Bootnode {
    until("a record", async || node.handle.discovery().unwrap().record.is_some()).await;
    node.handle.discovery().unwrap().record.unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_find_each_other_through_a_bootnode_of_another_chain() {
    let bootnode = start(vec![], 902, Topic::ALL.to_vec()).await;
    let known = vec![record(&bootnode).await];
    let a = start(known.clone(), 901, Topic::ALL.to_vec()).await;
    let b = start(known.clone(), 901, vec![Topic::BlocksV4]).await;
    until("each other", async || a.is_connected_to(&b).await && b.is_connected_to(&a).await).await;
    assert!(!a.is_connected_to(&bootnode).await && !b.is_connected_to(&bootnode).await);
    until("the bootnode in the table", async || {
        a.handle.discovery().unwrap().table.contains(&known[0].to_string())
    })
    .await;
    let found = a.handle.known_peers().await.unwrap();
    let found = found.iter().find(|peer| peer.peer_id == b.handle.peer_id()).unwrap();
    assert!(found.known.chain_id.is_none_or(|chain| chain == 901));
}

/// The bootnode is known by its address only: it has to be asked for its record, and does not answer at
/// first.
#[tokio::test(flavor = "multi_thread")]
async fn a_bootnode_that_starts_later_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("node.key");
    std::fs::write(&key, "11".repeat(32)).unwrap();
    let public = k256::SecretKey::from_slice(&[0x11; 32]).unwrap().public_key().to_encoded_point(false);
    let public: String = public.as_bytes()[1..].iter().map(|byte| format!("{byte:02x}")).collect();
    // Where only TCP is asked for by other tests, and no system gives a port away.
    let port = HeldPort::draw();
    let listen = port.socket();
    let a =
        start(vec![format!("enode://{public}@{listen}").parse().unwrap()], 901, Topic::ALL.to_vec()).await;
    until("a first search", async || a.handle.discovery().unwrap().record.is_some()).await;
    let late = Node::start_with(&[], NodeIdentity::load_or_create(&key).unwrap(), |network| {
        network.discovery = Some(DiscoveryConfig { listen, ..config(vec![]) });
    })
    .await;
    until("the bootnode", async || a.is_connected_to(&late).await).await;
}

/// Discovery asks over IPv6 only those whose record has `udp6`.
#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_a_node_with_an_ipv6_socket_has_its_ipv6_port() {
    let node = Node::start_with(&[], NodeIdentity::generate(), |network| {
        let listen = (std::net::Ipv6Addr::LOCALHOST, 0).into();
        network.discovery = Some(DiscoveryConfig { listen, ..config(vec![]) });
    })
    .await;
    let record: enr::Enr<enr::CombinedKey> = record(&node).await.to_string().parse().unwrap();
    let socket = record.udp6_socket().unwrap();
    assert_eq!((*socket.ip(), record.ip4(), record.udp4()), (std::net::Ipv6Addr::LOCALHOST, None, None));
    assert_ne!(socket.port(), 0);
    assert!(record.tcp6().is_some() && record.tcp4().is_none());
}

/// The sequence number of a node's record. Others keep the record with the largest.
async fn sequence_number(node: &Node) -> u64 {
    let text = record(node).await.to_string();
    text.parse::<enr::Enr<enr::CombinedKey>>().unwrap().seq()
}

/// Both starts are in the same second.
#[tokio::test(flavor = "multi_thread")]
async fn the_record_after_a_restart_replaces_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("node.key");
    std::fs::write(&key, "12".repeat(32)).unwrap();
    let start = async || {
        Node::start_with(&[], NodeIdentity::load_or_create(&key).unwrap(), |network| {
            network.peer_file = Some(dir.path().join("peers.json"));
            network.discovery = Some(config(vec![]));
        })
        .await
    };
    let before = start().await;
    let first = sequence_number(&before).await;
    before.stop().await;
    let second = sequence_number(&start().await).await;
    assert!(second > first, "{second} after {first}");
    assert!(first >= NOW.0 * 1_000, "no smaller than what op-node told under the same key: {first}");
}

/// A node that has no bootnode, and is no static peer of anybody's, is found by whoever met it before a
/// restart.
#[tokio::test(flavor = "multi_thread")]
async fn discovery_begins_with_peers_of_the_run_before() {
    let dir = tempfile::tempdir().unwrap();
    let (b, peer_file) = (start(vec![], 902, Topic::ALL.to_vec()).await, dir.path().join("peers.json"));
    let known = record(&b).await.to_string();
    let entry = format!(
        r#"{{"id": "{}", "addrs": ["/ip4/127.0.0.1/tcp/1"], "enr": "{known}", "last_seen": {}}}"#,
        b.handle.peer_id(),
        NOW.0
    );
    std::fs::write(&peer_file, format!(r#"{{"peers": [{entry}]}}"#)).unwrap();
    let a = Node::start_with(&[], NodeIdentity::generate(), |network| {
        network.peer_file = Some(peer_file);
        network.discovery = Some(config(vec![]));
    })
    .await;
    until("a first search", async || a.handle.discovery().unwrap().record.is_some()).await;
    assert!(a.handle.discovery().unwrap().table.contains(&known));
}
