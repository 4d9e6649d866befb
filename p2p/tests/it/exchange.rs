//! Honest nodes exchange blocks over TCP.

use crate::support::{Node, block, chain, frame, sequencer};
use alloy_primitives::{Bytes, keccak256};
use crosscheck_p2p::{NetworkConfig, NodeIdentity, PublishError, SigningDomain, Topic, message_id};

#[tokio::test(flavor = "multi_thread")]
async fn blocks_arrive_on_every_topic_as_they_were_sent() {
    let a = Node::start(&[]).await;
    let mut b = Node::start(&[&a]).await;
    a.meshed_with(&b).await;
    for topic in Topic::ALL {
        let frame = frame(7, &sequencer(), topic);
        let id = a.handle.publish(topic, frame.clone()).await.unwrap();
        let block = b.next_block().await;
        assert_eq!((block.topic(), block.number(), block.frame()), (topic, 7, &frame));
        assert_eq!((block.message_id(), id), (id, message_id(&topic.path(chain()), &frame)));
        assert_eq!(block.domain().is_attributable(), topic.is_cross_safe());
        assert_eq!(block.payload().version(), topic.version());
    }
    assert_eq!(b.handle.counters().frames().accepted, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_between_two_others_passes_blocks_on() {
    let middle = Node::start(&[]).await;
    let a = Node::start(&[&middle]).await;
    let mut c = Node::start(&[&middle]).await;
    a.meshed_with(&middle).await;
    middle.meshed_with(&c).await;
    a.handle.publish(Topic::BlocksV4, frame(9, &sequencer(), Topic::BlocksV4)).await.unwrap();
    assert_eq!(c.next_block().await.number(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_batch_of_attestations_arrives_whole_and_in_order() {
    const BATCH: u64 = 300;
    let a = Node::start(&[]).await;
    let mut b = Node::start(&[&a]).await;
    a.meshed_with(&b).await;
    for number in 0..BATCH {
        let frame = frame(number, &sequencer(), Topic::CrossSafeBlocksV1);
        a.handle.publish(Topic::CrossSafeBlocksV1, frame).await.unwrap();
    }
    for number in 0..BATCH {
        assert_eq!(b.next_block().await.number(), number);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_of_megabytes_arrives() {
    let noise = |seed: u32| -> Bytes {
        (0..1_000u32)
            .flat_map(|word| keccak256([seed.to_le_bytes(), word.to_le_bytes()].concat()).0)
            .collect()
    };
    let big = block(3, (0..100).map(noise).collect());
    let frame = big.sign(&sequencer(), SigningDomain::Zero, chain()).unwrap().frame();
    assert!(frame.len() > 3_000_000);
    let a = Node::start(&[]).await;
    let mut b = Node::start(&[&a]).await;
    a.meshed_with(&b).await;
    a.handle.publish(Topic::BlocksV4, frame).await.unwrap();
    assert_eq!(b.next_block().await.envelope(), &big);
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_without_peers_is_an_error_and_can_be_retried() {
    let a = Node::start(&[]).await;
    let (topic, frame) = (Topic::CrossSafeBlocksV1, frame(1, &sequencer(), Topic::CrossSafeBlocksV1));
    let nobody = a.handle.publish(topic, frame.clone()).await;
    assert_eq!(nobody, Err(PublishError::NoPeers { topic }));
    let mut b = Node::start(&[&a]).await;
    a.meshed_with(&b).await;
    let message_id = a.handle.publish(topic, frame.clone()).await.unwrap();
    assert_eq!(b.next_block().await.number(), 1);
    let again = a.handle.publish(topic, frame).await;
    assert_eq!(again, Err(PublishError::Duplicate { topic, message_id }));
}

/// A sequencer that only publishes need not listen to its own topics.
#[tokio::test(flavor = "multi_thread")]
async fn publishing_needs_no_subscription() {
    let mut b = Node::start(&[]).await;
    let publish_only = |config: &mut NetworkConfig| config.topics.clear();
    let a = Node::start_with(&[&b], NodeIdentity::generate(), publish_only).await;
    let frame = frame(4, &sequencer(), Topic::BlocksV4);
    crate::support::until("a subscriber", async || {
        let peers = a.handle.peers().await.unwrap();
        peers.iter().any(|peer| peer.topics.contains(&Topic::BlocksV4))
    })
    .await;
    a.handle.publish(Topic::BlocksV4, frame).await.unwrap();
    assert_eq!(b.next_block().await.number(), 4);
}
