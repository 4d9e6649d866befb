//! A peer that stops reading costs the memory of one queue for a moment, not for as long as it likes.

use crate::support::{Node, block, chain, in_time, sequencer};
use alloy_primitives::Bytes;
use crosscheck_p2p::{Multiaddr, NodeIdentity, SigningDomain, Topic};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// This many blocks are far larger together than what a connection takes that nobody reads from.
const LARGE: u64 = 100;

/// The address of a peer's socket, and the same peer's at another socket.
fn moved(addr: &Multiaddr, to: SocketAddr) -> (SocketAddr, Multiaddr) {
    let addr = addr.to_string();
    let parts: Vec<&str> = addr.split('/').collect();
    let [_, "ip4", ip, "tcp", port, "p2p", id] = parts[..] else { panic!("{addr}") };
    let socket = format!("{ip}:{port}").parse().unwrap();
    (socket, format!("/ip4/{}/tcp/{}/p2p/{id}", to.ip(), to.port()).parse().unwrap())
}

/// What carries bytes both ways until it is told to take no more from the other end.
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
                // Until the test ends.
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

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_does_not_read_is_disconnected_and_others_hear_everything() {
    let node = Node::start(&[]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (target, proxy) = moved(&node.addrs().await.remove(0), listener.local_addr().unwrap());
    let (stall, stalls) = watch::channel(false);
    let mut carrying = JoinSet::new();
    carrying.spawn(carry(listener, target, stalls));
    let deaf =
        Node::start_with(&[], NodeIdentity::generate(), |config| config.static_peers = vec![proxy]).await;
    let mut reader = Node::start(&[&node]).await;
    node.meshed_with(&deaf).await;
    node.meshed_with(&reader).await;
    stall.send_replace(true);

    // Large ones fill what the connection holds, and small ones, which cost next to nothing, the queue before it.
    let large = vec![Bytes::from(vec![0x7e; 1_000]), Bytes::from(noise(100_000))];
    let mut number = 0;
    in_time("the deaf peer to be let go", async {
        while node.is_connected_to(&deaf).await {
            number += 1;
            let transactions = if number <= LARGE { large.clone() } else { vec![] };
            let frame = block(number, transactions).sign(&sequencer(), SigningDomain::Zero, chain());
            node.handle.publish(Topic::BlocksV4, frame.unwrap().frame()).await.unwrap();
            assert_eq!(reader.next_block().await.number(), number);
        }
    })
    .await;
    assert!(node.is_connected_to(&reader).await);
    assert!(node.handle.block_list().await.unwrap().bans.is_empty());
}

/// Bytes that no compression makes smaller.
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
