//! A hostile peer sends 100,000 frames through a real socket, one kind after the other, while an honest one
//! sends blocks: every block arrives, and memory stays within its bound.
//!
//! Once with the defaults, by which the flooder is no longer listened to after a handful of frames; and once
//! with nothing to stop it, so that every frame is taken and judged.

use crate::support::{Node, block, chain, frame, in_time, sequencer, stranger};
use alloy_primitives::Bytes;
use crosscheck_p2p::{NetworkEvent, NodeIdentity, PublishError, SigningDomain, Topic};
use std::{process::Command, time::Duration};

/// Set where the test has its process to itself.
const ALONE: &str = "CROSSCHECK_TEST_ALONE";
const FRAMES: u64 = 100_000;
/// One honest block in so many hostile frames.
const HONEST_EVERY: u64 = 2_000;
/// What the process may grow by, both nodes and the generator included: twice what one peer's queue and one
/// judge's queue hold at most.
const MAX_GROWTH_KIB: u64 = 256 * 1024;

/// The process's resident memory. Linux only, as is the place where the bound is checked.
fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The hostile frame of a number, and where it goes: garbage, a claim of 4 GiB, a claim just over the bound,
/// the wrong signer, and what was valid on another topic.
fn hostile(number: u64, stolen: &Bytes) -> (Topic, Bytes) {
    let tail = number.to_le_bytes();
    let garbage = |head: &[u8]| Bytes::from([head, &tail].concat());
    match number % 5 {
        0 => (Topic::BlocksV4, garbage(&[0xff; 64])),
        1 => (Topic::BlocksV4, garbage(&[0xff, 0xff, 0xff, 0xff, 0x0f])),
        2 => (Topic::CrossSafeBlocksV1, garbage(&[0x81, 0x80, 0x80, 0x05])),
        3 => {
            let envelope = block(number, vec![]);
            (Topic::BlocksV4, envelope.sign(&stranger(), SigningDomain::Zero, chain()).unwrap().frame())
        }
        // A tail of its own makes each another message to gossip, and no snappy block.
        _ => (Topic::BlocksV3, garbage(stolen)),
    }
}

/// Publishes. If there is no room, the frame is lost, and the next one waits for a moment.
async fn push(node: &Node, topic: Topic, frame: Bytes) {
    match node.handle.publish(topic, frame).await {
        Err(PublishError::QueuesFull { .. }) => tokio::time::sleep(Duration::from_millis(2)).await,
        // Without peers: the flooder was banned.
        Ok(_) | Err(PublishError::NoPeers { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn honest_blocks_arrive_and_memory_stays_bounded_while_a_flooder_loses_its_score() {
    alone("honest_blocks_arrive_and_memory_stays_bounded_while_a_flooder_loses_its_score", true);
}

#[test]
fn honest_blocks_arrive_and_memory_stays_bounded_though_nothing_stops_the_flooder() {
    alone("honest_blocks_arrive_and_memory_stays_bounded_though_nothing_stops_the_flooder", false);
}

/// Has this test run once more in a process of its own, where no other test's memory is counted, and floods
/// there.
fn alone(test: &str, verdict_scoring: bool) {
    if std::env::var_os(ALONE).is_some() {
        tokio::runtime::Runtime::new().unwrap().block_on(flood(verdict_scoring));
        return;
    }
    let mut own = Command::new(std::env::current_exe().unwrap());
    let ended = own.args(["--exact", &format!("flood::{test}")]).env(ALONE, "").output().unwrap();
    let said = [ended.stdout, ended.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(ended.status.success() && said.contains("1 passed"), "{said}");
}

async fn flood(verdict_scoring: bool) {
    let mut node = Node::start_with(&[], NodeIdentity::generate(), |config| {
        config.event_queue = 4_096;
        config.verdict_scoring = verdict_scoring;
    })
    .await;
    let (flooder, honest) = (Node::start(&[&node]).await, Node::start(&[&node]).await);
    flooder.meshed_with(&node).await;
    honest.meshed_with(&node).await;
    let stolen = frame(1, &sequencer(), Topic::BlocksV4);
    let before = resident_kib();
    let (mut expected, mut most) = (0, 0);
    for number in 0..FRAMES {
        let (topic, hostile) = hostile(number, &stolen);
        push(&flooder, topic, hostile).await;
        if number % HONEST_EVERY == 0 {
            let height = 10 + number / HONEST_EVERY;
            push(&honest, Topic::BlocksV4, frame(height, &sequencer(), Topic::BlocksV4)).await;
            expected += 1;
            arrives(&mut node, height).await;
            most = most.max(resident_kib().unwrap_or_default());
        }
    }
    let counters = node.handle.counters();
    assert_eq!(counters.frames().accepted, expected);
    let seen = counters.frames().rejected + counters.queue_full;
    if verdict_scoring {
        assert!(seen < 10_000 && !node.handle.block_list().await.unwrap().bans.is_empty(), "{counters:?}");
    } else {
        assert!(seen > FRAMES / 2, "{counters:?}");
    }
    if let Some(before) = before {
        let growth = most.saturating_sub(before);
        assert!(growth < MAX_GROWTH_KIB, "memory grew by {growth} KiB from {before} KiB: {counters:?}");
    }
}

/// Waits for a block of this height.
async fn arrives(node: &mut Node, height: u64) {
    in_time("an honest block", async {
        loop {
            if let NetworkEvent::Block { block, .. } = node.next_event().await {
                assert_eq!(block.number(), height);
                return;
            }
        }
    })
    .await;
}
