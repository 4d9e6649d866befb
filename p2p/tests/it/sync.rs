//! Missed blocks are asked for by number, over real sockets, and are believed only if they are the ancestors
//! of what was signed.

use crate::support::{Node, block, chain, in_time, sequencer, until};
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

/// The peer follows another fork, and has a block of its own at the height: it says what it knows, and is not
/// to blame.
#[tokio::test(flavor = "multi_thread")]
async fn a_block_on_another_branch_is_not_accepted_and_not_blamed() {
    let blocks = linked(5);
    let mut rival = Node::start(&[]).await;
    let source = Node::start(&[&rival]).await;
    rival.meshed_with(&source).await;
    let mut other = blocks[1].clone();
    other.payload.gas_used += 1;
    other.payload.block_hash = other.payload.recompute_hash();
    publish(&source, &other).await;
    assert_eq!(rival.next_block().await.hash(), other.payload.block_hash);
    source.stop().await;

    let mut late = Node::start(&[&rival]).await;
    late.meshed_with(&rival).await;
    knows_protocols(&late, &rival).await;
    let honest = Node::start(&[&late]).await;
    late.meshed_with(&honest).await;
    for number in [1, 3] {
        publish(&honest, &blocks[number - 1]).await;
        assert_eq!(late.next_block().await.number(), number as u64);
    }
    until("the answer", async || rival.handle.counters().served > 0).await;
    // Anyone who is blamed leaves the mesh with the next heartbeat, which the keeper waits for.
    let mut keeper = Node::start(&[&late]).await;
    late.meshed_with(&keeper).await;
    knows_protocols(&late, &keeper).await;
    publish(&honest, &blocks[3]).await;
    assert_eq!((late.next_block().await.number(), keeper.next_block().await.number()), (4, 4));
    let peers = late.handle.peers().await.unwrap();
    assert!(peers.iter().all(|peer| peer.application_score >= 0.0), "{peers:?}");
    assert!(
        peers
            .iter()
            .any(|peer| peer.peer_id == rival.handle.peer_id() && peer.mesh.contains(&Topic::BlocksV4))
    );
    assert_eq!(late.handle.counters().filled, 0);
}
