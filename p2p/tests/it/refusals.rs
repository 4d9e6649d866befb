//! What is refused is reported, counted, and not passed on.

use crate::support::{Node, frame, framed, next_refusal, sequencer, stranger};
use alloy_primitives::Bytes;
use crosscheck_p2p::{RefusalVerdict, Signers, Topic};
use rstest::rstest;

#[rstest]
#[case(Topic::BlocksV4)]
#[case(Topic::CrossSafeBlocksV1)]
#[tokio::test(flavor = "multi_thread")]
async fn a_block_by_another_signer_is_rejected_and_names_the_signer(#[case] topic: Topic) {
    let a = Node::start(&[]).await;
    let mut b = Node::start(&[&a]).await;
    a.meshed_with(&b).await;
    a.handle.publish(topic, frame(7, &stranger(), topic)).await.unwrap();
    let (verdict, refusal) = next_refusal(&mut b).await;
    assert_eq!((verdict, refusal.reason.code()), (RefusalVerdict::Reject, "wrong-signer"));
    assert_eq!(refusal.signer, Some(stranger().address()));
    assert_eq!(b.handle.counters().frames().rejected, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_size_claim_from_a_peer_is_rejected() {
    let a = Node::start(&[]).await;
    let mut b = Node::start(&[&a]).await;
    a.meshed_with(&b).await;
    let lie = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]);
    a.handle.publish(Topic::BlocksV4, lie).await.unwrap();
    assert_eq!(next_refusal(&mut b).await.1.reason.code(), "declared-size-too-large");
}

/// The good block was sent after the bad one on the same way: had the bad one been passed on, it would have
/// come first.
#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_frame_is_not_passed_on() {
    let middle = Node::start(&[]).await;
    let a = Node::start(&[&middle]).await;
    let mut c = Node::start(&[&middle]).await;
    a.meshed_with(&middle).await;
    middle.meshed_with(&c).await;
    a.handle.publish(Topic::BlocksV4, frame(8, &stranger(), Topic::BlocksV4)).await.unwrap();
    a.handle.publish(Topic::BlocksV4, frame(9, &sequencer(), Topic::BlocksV4)).await.unwrap();
    assert_eq!(c.next_block().await.number(), 9);
    assert_eq!((c.handle.counters().frames().rejected, c.handle.counters().frames().ignored), (0, 0));
    assert_eq!(middle.handle.counters().frames().rejected, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signer_that_becomes_known_counts_from_then_on() {
    let a = Node::start(&[]).await;
    let mut b = Node::start(&[&a]).await;
    b.signers.send_replace(Signers::default());
    a.meshed_with(&b).await;
    a.handle.publish(Topic::BlocksV4, frame(7, &sequencer(), Topic::BlocksV4)).await.unwrap();
    let (verdict, refusal) = next_refusal(&mut b).await;
    assert_eq!((verdict, refusal.reason.code()), (RefusalVerdict::Ignore, "no-signer-known"));
    b.signers.send_replace(Signers::of(sequencer().address()));
    a.handle.publish(Topic::BlocksV4, frame(8, &sequencer(), Topic::BlocksV4)).await.unwrap();
    assert_eq!(b.next_block().await.number(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn attestations_of_settled_blocks_are_ignored_from_that_time_on() {
    let topic = Topic::CrossSafeBlocksV1;
    let a = Node::start(&[]).await;
    let mut b = Node::start(&[&a]).await;
    a.meshed_with(&b).await;
    a.handle.publish(topic, frame(6, &sequencer(), topic)).await.unwrap();
    assert_eq!(b.next_block().await.number(), 6);
    for number in [7, 5] {
        b.handle.mark_settled([(number, framed(number, topic).payload.block_hash)]);
    }
    a.handle.publish(topic, frame(7, &sequencer(), topic)).await.unwrap();
    let (verdict, refusal) = next_refusal(&mut b).await;
    assert_eq!((verdict, refusal.reason.code()), (RefusalVerdict::Ignore, "already-settled"));
    a.handle.publish(topic, frame(8, &sequencer(), topic)).await.unwrap();
    assert_eq!(b.next_block().await.number(), 8);
}
