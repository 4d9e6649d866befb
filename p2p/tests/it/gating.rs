//! Who is accepted, over real sockets: blocks, bans and their expiry, limits, and what a restart remembers.

use crate::support::{Node, block, chain, frame, sequencer, stranger, until};
use alloy_primitives::Bytes;
use core::ops::Range;
use crosscheck_p2p::{ConnectError, GateCommand, GaterLimits, NodeIdentity, SigningDomain, Topic};

async fn parted(a: &Node, b: &Node) {
    until("parting", async || !a.is_connected_to(b).await && !b.is_connected_to(a).await).await;
}

/// Distinct frames that a stranger signed: each is rejected.
async fn misbehave(node: &Node, frames: Range<u64>) {
    for number in frames {
        let envelope = block(number, vec![Bytes::from(vec![0x7e, 2])]);
        let frame = envelope.sign(&stranger(), SigningDomain::Zero, chain()).unwrap().frame();
        // Once the other side has had enough there is nobody left to publish to.
        let _published = node.handle.publish(Topic::BlocksV4, frame).await;
    }
}

/// Without its score's decay, which the machine's clock drives, the peer would stay banned forever: the hour
/// on the node's own clock is what lets it in again, and its score by then is what keeps it.
#[tokio::test(flavor = "multi_thread")]
async fn a_flooder_is_banned_and_accepted_again_after_an_hour() {
    let mut honest = Node::start_with(&[], NodeIdentity::generate(), |config| config.event_queue = 256).await;
    let hostile = Node::start(&[]).await;
    let addr = honest.addrs().await.remove(0);
    hostile.handle.connect(addr.clone()).await.unwrap();
    hostile.meshed_with(&honest).await;
    misbehave(&hostile, 0..400).await;
    parted(&honest, &hostile).await;
    let bans = honest.handle.block_list().await.unwrap().bans;
    assert!(bans.contains_key(&hostile.handle.peer_id()));
    assert_eq!(honest.handle.counters().banned, 1);
    // The handshake ends before the refusal is felt: the connection closes at once.
    let _refused = hostile.handle.connect(addr.clone()).await;
    parted(&honest, &hostile).await;
    honest.clock.advance(3_599);
    let _refused = hostile.handle.connect(addr.clone()).await;
    parted(&honest, &hostile).await;
    honest.clock.advance(1);
    until("an end of the ban", async || honest.handle.block_list().await.unwrap().bans.is_empty()).await;
    until("a connection", async || {
        let _refused = hostile.handle.connect(addr.clone()).await;
        honest.is_connected_to(&hostile).await
    })
    .await;
    while honest.events.try_recv().is_ok() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_static_peer_is_not_banned() {
    let honest = Node::start(&[]).await;
    let hostile = Node::start(&[&honest]).await;
    let exempt = hostile.handle.peer_id();
    honest.handle.gate(GateCommand::Protect(exempt)).await.unwrap();
    hostile.meshed_with(&honest).await;
    // A score recovers by itself: there is always another reason for a bad one.
    let mut sent = 0;
    until("a bad score", async || {
        misbehave(&hostile, sent..sent + 40).await;
        sent += 40;
        honest.handle.peers().await.unwrap().iter().any(|peer| peer.score < -100.0)
    })
    .await;
    assert!(honest.is_connected_to(&hostile).await);
    assert!(honest.handle.block_list().await.unwrap().bans.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_peer_is_disconnected_and_stays_out_until_it_is_unblocked() {
    let a = Node::start(&[]).await;
    let b = Node::start(&[&a]).await;
    a.meshed_with(&b).await;
    a.handle.gate(GateCommand::BlockPeer(b.handle.peer_id())).await.unwrap();
    parted(&a, &b).await;
    let addr = b.addrs().await.remove(0);
    assert!(matches!(a.handle.connect(addr).await, Err(ConnectError::NotDialled { .. })));
    a.handle.gate(GateCommand::UnblockPeer(b.handle.peer_id())).await.unwrap();
    a.meshed_with(&b).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_subnet_is_neither_dialled_nor_accepted() {
    let a = Node::start(&[]).await;
    let b = Node::start(&[&a]).await;
    a.meshed_with(&b).await;
    let subnet = "127.0.0.0/8".parse().unwrap();
    a.handle.gate(GateCommand::BlockSubnet(subnet)).await.unwrap();
    parted(&a, &b).await;
    let addr = b.addrs().await.remove(0);
    assert!(matches!(a.handle.connect(addr).await, Err(ConnectError::NotDialled { .. })));
    assert!(b.handle.connect(a.addrs().await.remove(0)).await.is_err(), "refused before the handshake");
    a.handle.gate(GateCommand::UnblockSubnet(subnet)).await.unwrap();
    a.meshed_with(&b).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_peers_stay_connected_than_the_high_limit() {
    let few = GaterLimits { peers_low: 2, peers_high: 3, ..GaterLimits::default() };
    let a = Node::start_with(&[], NodeIdentity::generate(), |config| config.gater = few).await;
    let mut others = Vec::new();
    for _ in 0..5 {
        let other = Node::start(&[]).await;
        other.handle.connect(a.addrs().await.remove(0)).await.unwrap();
        others.push(other);
    }
    until("five peers", async || a.handle.peers().await.unwrap().len() == 5).await;
    a.clock.advance(30);
    until("two peers", async || a.handle.peers().await.unwrap().len() == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_limited() {
    let few = GaterLimits { max_connections: 2, ..GaterLimits::default() };
    let a = Node::start_with(&[], NodeIdentity::generate(), |config| config.gater = few).await;
    let mut others = Vec::new();
    for _ in 0..2 {
        let other = Node::start(&[&a]).await;
        a.meshed_with(&other).await;
        others.push(other);
    }
    let late = Node::start(&[]).await;
    let _refused = late.handle.connect(a.addrs().await.remove(0)).await;
    parted(&a, &late).await;
    assert_eq!(a.handle.peers().await.unwrap().len(), 2);
    until("a count", async || a.handle.counters().connections_refused > 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_and_blocks_outlive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (file, key) = (dir.path().join("peers.json"), dir.path().join("node.key"));
    let start = async || {
        Node::start_with(&[], NodeIdentity::load_or_create(&key).unwrap(), |config| {
            config.peer_file = Some(file.clone());
            config.dial_interval = std::time::Duration::from_millis(100);
        })
        .await
    };
    let (a, mut b) = (start().await, Node::start(&[]).await);
    a.handle.connect(b.addrs().await.remove(0)).await.unwrap();
    a.handle.gate(GateCommand::BlockAddr("203.0.113.1".parse().unwrap())).await.unwrap();
    a.stop().await;
    let a = start().await;
    // It may come back before its going was noticed, and has to come again.
    until("a mesh", async || {
        a.clock.advance(60);
        a.handle.peers().await.unwrap().iter().any(|peer| !peer.mesh.is_empty())
    })
    .await;
    assert_eq!(a.handle.block_list().await.unwrap().addrs.len(), 1);
    b.meshed_with(&a).await;
    a.handle.publish(Topic::BlocksV4, frame(3, &sequencer(), Topic::BlocksV4)).await.unwrap();
    assert_eq!(b.next_block().await.number(), 3);
}

/// Opening a pipe that nobody reads waits forever, as a file on a network drive that is gone does.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_hangs_delays_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (file, pipe) = (dir.path().join("peers.json"), dir.path().join("peers.json.new"));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let a =
        Node::start_with(&[], NodeIdentity::generate(), |config| config.peer_file = Some(file.clone())).await;
    let mut b = Node::start(&[&a]).await;
    a.meshed_with(&b).await;
    b.meshed_with(&a).await;
    a.handle.publish(Topic::BlocksV4, frame(3, &sequencer(), Topic::BlocksV4)).await.unwrap();
    assert_eq!(b.next_block().await.number(), 3);
    let released = tokio::task::spawn_blocking(move || std::fs::read(pipe));
    a.stop().await;
    released.await.unwrap().unwrap();
    let known = std::fs::read_to_string(file).unwrap();
    assert!(known.contains(&b.handle.peer_id().to_string()), "{known}");
}
