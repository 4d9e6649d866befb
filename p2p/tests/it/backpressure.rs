//! A program that does not take its blocks loses the latest frames, not the earliest, and the node stays up.

use crate::support::{Node, frame, sequencer, until};
use crosscheck_p2p::{NodeIdentity, Topic};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_ignores_and_counts_further_frames() {
    const SENT: u64 = 20;
    let a = Node::start(&[]).await;
    let mut b = Node::start_with(&[&a], NodeIdentity::generate(), |config| {
        config.event_queue = 2;
        config.judge_queue_frames = 2;
    })
    .await;
    a.meshed_with(&b).await;
    for number in 0..SENT {
        a.handle.publish(Topic::BlocksV4, frame(number, &sequencer(), Topic::BlocksV4)).await.unwrap();
    }
    // Two events, one being delivered and two waiting find room: the rest cannot.
    until("ignored frames", async || b.handle.counters().queue_full >= SENT - 5).await;
    assert_eq!(b.handle.peers().await.unwrap().len(), 1);
    let mut last = b.next_block().await.number();
    assert_eq!(last, 0);
    for number in SENT.. {
        // What finds no room now finds blocks held before it: there is always one to come.
        a.handle.publish(Topic::BlocksV4, frame(number, &sequencer(), Topic::BlocksV4)).await.unwrap();
        let next = b.next_block().await.number();
        assert!(next > last, "{next} after {last}");
        last = next;
        if last >= SENT {
            break;
        }
    }
}

/// One small frame fits a budget of one KiB, a second has to wait its turn.
#[tokio::test(flavor = "multi_thread")]
async fn the_queue_is_bounded_in_bytes_too() {
    let a = Node::start(&[]).await;
    let mut b = Node::start_with(&[&a], NodeIdentity::generate(), |config| {
        config.event_queue = 1;
        config.judge_queue_bytes = 1;
    })
    .await;
    a.meshed_with(&b).await;
    for number in 0..10 {
        a.handle.publish(Topic::BlocksV4, frame(number, &sequencer(), Topic::BlocksV4)).await.unwrap();
    }
    until("ignored frames", async || b.handle.counters().queue_full > 0).await;
    assert_eq!(b.next_block().await.number(), 0);
}
