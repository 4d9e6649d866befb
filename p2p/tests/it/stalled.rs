//! A peer that stops reading: it costs the memory of one queue for a short time only, and a frame for which
//! its queue has no room is reported to the caller that publishes it.

use crate::support::{Node, block, chain, in_time, sequencer, until};
use alloy_primitives::Bytes;
use crosscheck_p2p::{Multiaddr, NodeIdentity, PublishError, SigningDomain, Topic};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// This many blocks are far larger together than what a connection buffers while its other end does not read.
const LARGE: u64 = 100;

/// The address of a peer's socket, and the same peer's at another socket.
fn moved(addr: &Multiaddr, to: SocketAddr) -> (SocketAddr, Multiaddr) {
    let addr = addr.to_string();
    let parts: Vec<&str> = addr.split('/').collect();
    let [_, "ip4", ip, "tcp", port, "p2p", id] = parts[..] else { panic!("{addr}") };
    let socket = format!("{ip}:{port}").parse().unwrap();
    (socket, format!("/ip4/{}/tcp/{}/p2p/{id}", to.ip(), to.port()).parse().unwrap())
}

/// Copies bytes both ways. Once `stalls` is true, it no longer reads from the other end.
async fn carry(listener: TcpListener, to: SocketAddr, mut stalls: watch::Receiver<bool>) {
    let (inbound, _) = listener.accept().await.unwrap();
    let outbound = TcpStream::connect(to).await.unwrap();
    let (mut from_dialler, mut to_dialler) = inbound.into_split();
    let (mut from_target, mut to_target) = outbound.into_split();
    let there = async { drop(tokio::io::copy(&mut from_dialler, &mut to_target).await) };
    let back = async {
        let mut bytes = vec![0; 64 * 1024];
        loop {
            if *stalls.borrow() {
                // Returns when the sender is dropped.
                while stalls.changed().await.is_ok() {}
            }
            match from_target.read(&mut bytes).await {
                Ok(read @ 1..) => to_dialler.write_all(&bytes[..read]).await.unwrap(),
                _ => return,
            }
        }
    };
    tokio::join!(there, back);
}

/// A peer in the node's mesh. While the sender's value is true, it reads nothing; it reads again once the
/// sender is dropped.
async fn stallable_peer_of(node: &Node) -> (Node, watch::Sender<bool>, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (target, proxy) = moved(&node.addrs().await.remove(0), listener.local_addr().unwrap());
    let (stall, stalls) = watch::channel(false);
    let mut carrying = JoinSet::new();
    carrying.spawn(carry(listener, target, stalls));
    let peer =
        Node::start_with(&[], NodeIdentity::generate(), |config| config.static_peers = vec![proxy]).await;
    node.meshed_with(&peer).await;
    (peer, stall, carrying)
}

/// Large blocks fill the buffers of the connection; small ones, which are cheap, then fill the queue in front
/// of it.
fn frame(number: u64, large: &[Bytes]) -> Bytes {
    let transactions = if number <= LARGE { large.to_vec() } else { vec![] };
    block(number, transactions).sign(&sequencer(), SigningDomain::Zero, chain()).unwrap().frame()
}

fn large() -> [Bytes; 2] {
    [Bytes::from(vec![0x7e; 1_000]), Bytes::from(noise(100_000))]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_for_which_no_queue_had_room_cannot_be_published_again_and_the_next_one_can() {
    let (node, large, topic) = (Node::start(&[]).await, large(), Topic::BlocksV4);
    let (mut peer, stall, _carrying) = stallable_peer_of(&node).await;
    stall.send_replace(true);
    let mut number = 0;
    let (lost, error) = in_time("a full queue", async {
        loop {
            number += 1;
            let frame = frame(number, &large);
            if let Err(error) = node.handle.publish(topic, frame.clone()).await {
                return (frame, error);
            }
        }
    })
    .await;
    assert_eq!(error, PublishError::QueuesFull { topic, peers: 1 });
    let again = node.handle.publish(topic, lost.clone()).await;
    assert!(matches!(again, Err(PublishError::Duplicate { .. })), "{again:?}");
    drop(stall);
    assert_eq!(peer.next_block().await.number(), 1);
    let again = node.handle.publish(topic, lost).await;
    assert!(matches!(again, Err(PublishError::Duplicate { .. })), "{again:?}");
    let lost = number;
    until("room in the queue", async || {
        number += 1;
        node.handle.publish(topic, frame(number, &[])).await.is_ok()
    })
    .await;
    loop {
        match peer.next_block().await.number() {
            received if received == number => return,
            received => assert_ne!(received, lost),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_does_not_read_is_disconnected_and_others_receive_everything() {
    let node = Node::start(&[]).await;
    let (deaf, stall, _carrying) = stallable_peer_of(&node).await;
    let mut reader = Node::start(&[&node]).await;
    node.meshed_with(&reader).await;
    stall.send_replace(true);

    let (large, mut number) = (large(), 0);
    in_time("the deaf peer to be disconnected", async {
        while node.is_connected_to(&deaf).await {
            number += 1;
            node.handle.publish(Topic::BlocksV4, frame(number, &large)).await.unwrap();
            assert_eq!(reader.next_block().await.number(), number);
        }
    })
    .await;
    assert!(node.is_connected_to(&reader).await);
    assert!(node.handle.block_list().await.unwrap().bans.is_empty());
}

/// Bytes that cannot be compressed.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..bytes).map(|_| draw()).collect()
}
