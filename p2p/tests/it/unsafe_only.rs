//! A node may leave the cross-safe topic out, and be as good a node of the unsafe blocks.

use crate::support::{Node, frame, sequencer, until};
use crosscheck_p2p::{FrameCounts, NetworkEvent, NodeIdentity, PeerId, PublishError, Topic};

/// A node that joins the unsafe blocks alone.
async fn start_narrow(peers: &[&Node]) -> Node {
    Node::start_with(peers, NodeIdentity::generate(), |config| config.topics = Topic::BLOCKS.to_vec()).await
}

/// Waits until `peer` is in the node's mesh on the topics of unsafe blocks, and subscribed to no other.
async fn meshed_on_blocks(node: &Node, peer: PeerId) {
    until("a mesh on the topics of unsafe blocks", async || {
        let peers = node.handle.peers().await.unwrap();
        let Some(info) = peers.iter().find(|info| info.peer_id == peer) else { return false };
        assert!(!info.topics.contains(&Topic::CrossSafeBlocksV1), "{info:?}");
        info.mesh == Topic::BLOCKS && info.topics == Topic::BLOCKS
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_the_cross_safe_topic_receives_no_attestations() {
    let full = Node::start(&[]).await;
    let mut narrow = start_narrow(&[&full]).await;
    meshed_on_blocks(&full, narrow.handle.peer_id()).await;
    let (topic, attestation) = (Topic::CrossSafeBlocksV1, frame(7, &sequencer(), Topic::CrossSafeBlocksV1));
    let nobody = full.handle.publish(topic, attestation.clone()).await;
    assert_eq!(nobody, Err(PublishError::NoPeers { topic }));

    let mut other = Node::start(&[&full, &narrow]).await;
    full.meshed_with(&other).await;
    meshed_on_blocks(&other, narrow.handle.peer_id()).await;
    full.handle.publish(topic, attestation).await.unwrap();
    assert_eq!(other.next_block().await.topic(), topic);
    for topic in Topic::BLOCKS {
        full.handle.publish(topic, frame(8, &sequencer(), topic)).await.unwrap();
        let block = narrow.next_block().await;
        assert_eq!((block.topic(), block.number()), (topic, 8));
    }
    let counters = narrow.handle.counters();
    assert_eq!(*counters.by_topic.of(topic), FrameCounts::default());
    assert_eq!((counters.frames().accepted, counters.queue_full), (4, 0));
}

/// It passes unsafe blocks on, and may attest without hearing attestations.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_the_cross_safe_topic_relays_unsafe_blocks_and_may_publish_attestations() {
    let narrow = start_narrow(&[]).await;
    let (a, mut b) = (Node::start(&[&narrow]).await, Node::start(&[&narrow]).await);
    for node in [&a, &b] {
        meshed_on_blocks(node, narrow.handle.peer_id()).await;
    }
    until("both subscribers", async || *narrow.handle.subscribers().borrow() == 2).await;
    a.handle.publish(Topic::BlocksV4, frame(9, &sequencer(), Topic::BlocksV4)).await.unwrap();
    assert_eq!(b.next_block().await.number(), 9);
    let topic = Topic::CrossSafeBlocksV1;
    narrow.handle.publish(topic, frame(9, &sequencer(), topic)).await.unwrap();
    loop {
        if let NetworkEvent::Block { block, from, .. } = b.next_event().await {
            assert_eq!((block.topic(), from), (topic, narrow.handle.peer_id()));
            return;
        }
    }
}
