//! What anybody can do without a key who is quicker than the mesh: send a signed block on in another form
//! than the one it was sent in. Over sockets, before the honest relay: every block arrives, and no honest
//! peer is blamed. And junk under any signature costs its sender its standing.

use crate::support::{Node, frame, in_time, sequencer, until};
use alloy_primitives::{Bytes, U256};
use crosscheck_p2p::{NetworkEvent, PublishError, Topic};
use rstest::rstest;

const TOPIC: Topic = Topic::BlocksV4;
const BLOCKS: u64 = 12;
/// This many rejected frames are enough for a ban: beyond 16 each costs score, from the 21st on much.
const JUNK: u64 = 24;

fn altered(frame: &Bytes, change: impl FnOnce(&mut [u8])) -> Bytes {
    let mut bytes = vec![0; snap::raw::decompress_len(frame).unwrap()];
    snap::raw::Decoder::new().decompress(frame, &mut bytes).unwrap();
    change(&mut bytes);
    snap::raw::Encoder::new().compress_vec(&bytes).unwrap().into()
}

fn is_high(s: U256) -> bool {
    s > order() >> 1
}

fn order() -> U256 {
    U256::from_str_radix("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16).unwrap()
}

fn turn(bytes: &mut [u8]) {
    let s = order() - U256::from_be_slice(&bytes[32..64]);
    bytes[32..64].copy_from_slice(&s.to_be_bytes::<32>());
    bytes[64] ^= 1;
}

fn twin(frame: &Bytes) -> Bytes {
    altered(frame, turn)
}

fn recovery_id_plus_four(frame: &Bytes) -> Bytes {
    altered(frame, |bytes| bytes[64] += 4)
}

/// The length of the sample's frames takes two bytes; here it takes six.
fn padded(frame: &Bytes) -> Bytes {
    assert!(frame[0] & 0x80 != 0 && frame[1] & 0x80 == 0);
    [&[frame[0], frame[1] | 0x80, 0x80, 0x80, 0x80, 0], &frame[2..]].concat().into()
}

/// The next block, as it is kept.
async fn next_frame(node: &mut Node) -> Bytes {
    in_time("a block", async {
        loop {
            match node.next_event().await {
                NetworkEvent::Block { block, .. } => return block.frame().clone(),
                NetworkEvent::Refused { refusal, .. } => assert_eq!(refusal.reason.code(), "already-seen"),
                NetworkEvent::Filled { .. }
                | NetworkEvent::PeerConnected { .. }
                | NetworkEvent::PeerDisconnected { .. } => {}
            }
        }
    })
    .await
}

#[rstest]
#[case::twin(twin)]
#[case::recovery_id_plus_four(recovery_id_plus_four)]
#[case::padded(padded)]
#[tokio::test(flavor = "multi_thread")]
async fn a_rewrapped_copy_does_not_suppress_the_block(#[case] rewrap: fn(&Bytes) -> Bytes) {
    let mut node = Node::start(&[]).await;
    let (attacker, honest) = (Node::start(&[&node]).await, Node::start(&[&node]).await);
    attacker.meshed_with(&node).await;
    honest.meshed_with(&node).await;
    for height in 1..=BLOCKS {
        let original = frame(height, &sequencer(), TOPIC);
        attacker.handle.publish(TOPIC, rewrap(&original)).await.unwrap();
        assert_eq!(next_frame(&mut node).await, original, "block {height}");
        // A padded frame has the original's id, and may have come round to the honest peer by now.
        let published = honest.handle.publish(TOPIC, original).await;
        assert!(matches!(published, Ok(_) | Err(PublishError::Duplicate { .. })), "{published:?}");
    }
    // What comes last is judged last: by then all that was sent before has been.
    let last = frame(BLOCKS + 1, &sequencer(), TOPIC);
    honest.handle.publish(TOPIC, last.clone()).await.unwrap();
    assert_eq!(next_frame(&mut node).await, last);
    assert_eq!(
        (node.handle.counters().frames().accepted, node.handle.counters().frames().rejected),
        (BLOCKS + 1, 0)
    );
    assert!(node.handle.block_list().await.unwrap().bans.is_empty());
    for peer in node.handle.peers().await.unwrap() {
        assert!(peer.score >= 0.0 && peer.application_score >= 0.0, "{peer:?}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn random_bytes_under_any_signature_lead_to_a_ban(#[values(false, true)] high_s: bool) {
    let node = Node::start(&[]).await;
    let sender = Node::start(&[&node]).await;
    sender.meshed_with(&node).await;
    for number in 1..=JUNK {
        let junk = altered(&frame(number, &sequencer(), TOPIC), |bytes| {
            bytes[63] ^= 1;
            if is_high(U256::from_be_slice(&bytes[32..64])) != high_s {
                turn(bytes);
            }
        });
        match sender.handle.publish(TOPIC, junk).await {
            Ok(_) | Err(PublishError::NoPeers { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        let rejected = || node.handle.counters().frames().rejected;
        until("the verdict, or the ban", async || rejected() >= number || is_banning(&node).await).await;
    }
    until("the ban", async || is_banning(&node).await).await;
    assert_eq!(node.handle.counters().frames().ignored, 0);
}

async fn is_banning(node: &Node) -> bool {
    !node.handle.block_list().await.unwrap().bans.is_empty()
}
