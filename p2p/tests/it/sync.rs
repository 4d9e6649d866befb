//! Missed blocks are asked for by number, over real sockets, and are believed only if they are the ancestors of
//! what was signed.

use crate::support::{Node, block, chain, in_time, sequencer, stranger, until};
use alloy_primitives::B256;
use crosscheck_p2p::{Envelope, NetworkEvent, SigningDomain, Topic};

/// Blocks 1 to `count`, each the child of the one before.
fn linked(count: u64) -> Vec<Envelope> {
    let mut parent = B256::ZERO;
    (1..=count)
        .map(|number| {
            let mut envelope = block(number, vec![]);
            envelope.payload.parent_hash = parent;
            envelope.payload.timestamp.0 = envelope.payload.timestamp.0 - count + number;
            envelope.payload.block_hash = envelope.payload.recompute_hash();
            parent = envelope.payload.block_hash;
            envelope
        })
        .collect()
}

async fn publish(node: &Node, envelope: &Envelope) {
    let frame = envelope.sign(&sequencer(), SigningDomain::Zero, chain()).unwrap().frame();
    node.handle.publish(Topic::BlocksV4, frame).await.unwrap();
}

async fn knows_protocols(node: &Node, other: &Node) {
    let id = other.handle.peer_id();
    until("its protocols", async || {
        let peers = node.handle.peers().await.unwrap();
        peers.iter().any(|peer| {
            peer.peer_id == id && peer.known.protocols.iter().any(|name| name.contains("payload_by_number"))
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_filled_by_a_peer_that_has_the_blocks() {
    let blocks = linked(6);
    let source = Node::start(&[]).await;
    let mut keeper = Node::start(&[&source]).await;
    source.meshed_with(&keeper).await;
    for envelope in &blocks[..5] {
        publish(&source, envelope).await;
        assert_eq!(keeper.next_block().await.number(), envelope.payload.number);
    }
    // One that knows the first block only, and hears of the last one next.
    let mut late = Node::start(&[&keeper]).await;
    let first = Node::start(&[&late]).await;
    late.meshed_with(&first).await;
    late.meshed_with(&keeper).await;
    knows_protocols(&late, &keeper).await;
    publish(&first, &blocks[0]).await;
    assert_eq!(late.next_block().await.number(), 1);
    publish(&source, &blocks[5]).await;
    let mut filled = Vec::new();
    in_time("the gap", async {
        while filled.len() < 4 {
            match late.events.recv().await.unwrap() {
                NetworkEvent::Filled { envelope, .. } => filled.push(*envelope),
                NetworkEvent::Refused { refusal, .. } => panic!("{refusal:?}"),
                _ => {}
            }
        }
    })
    .await;
    filled.reverse();
    assert_eq!(filled, blocks[1..5]);
    assert_eq!((late.handle.counters().filled, keeper.handle.counters().served), (4, 4));
}

/// The peer follows another sequencer, and has a block of its own at the height.
#[tokio::test(flavor = "multi_thread")]
async fn another_block_at_the_height_is_not_taken() {
    let blocks = linked(3);
    let liar = Node::start(&[]).await;
    let other_sequencer = Node::start(&[&liar]).await;
    liar.signers.send_replace(crosscheck_p2p::Signers::of(stranger().address()));
    let mut late = Node::start(&[&liar]).await;
    late.meshed_with(&liar).await;
    liar.meshed_with(&other_sequencer).await;
    knows_protocols(&late, &liar).await;
    let mut forged = blocks[1].clone();
    forged.payload.gas_used += 1;
    forged.payload.block_hash = forged.payload.recompute_hash();
    let frame = forged.sign(&stranger(), SigningDomain::Zero, chain()).unwrap().frame();
    other_sequencer.handle.publish(Topic::BlocksV4, frame).await.unwrap();
    until("the forgery is kept", async || liar.handle.counters().accepted == 1).await;
    let honest = Node::start(&[&late]).await;
    late.meshed_with(&honest).await;
    publish(&honest, &blocks[0]).await;
    assert_eq!(late.next_block().await.number(), 1);
    publish(&honest, &blocks[2]).await;
    assert_eq!(late.next_block().await.number(), 3);
    until("a bad mark", async || {
        let peers = late.handle.peers().await.unwrap();
        peers.iter().any(|peer| peer.peer_id == liar.handle.peer_id() && peer.application_score < -10.0)
    })
    .await;
    assert_eq!(late.handle.counters().filled, 0);
}
