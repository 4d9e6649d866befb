//! Requests for blocks that do not end, over sockets. The bound of one in bytes is tested with the codec.

use crate::{
    raw_peer::RawPeer,
    support::{Node, chain, frame, sequencer, until},
};
use crosscheck_p2p::Topic;

/// Requests that the node reads at once, of one peer.
const AT_ONCE: usize = 4;
/// The block that the node has.
const HEIGHT: u64 = 7;

fn protocol() -> String {
    format!("/opstack/req/payload_by_number/{}/0", chain())
}

/// The code of the node's answer to a whole request. `None`: the node broke the stream off.
async fn asked(raw: &mut RawPeer) -> Option<u8> {
    raw.send_bytes(HEIGHT.to_le_bytes().to_vec()).await;
    let answer = raw.finish().await;
    raw.open().await;
    answer?.first().copied()
}

/// A peer that never ends its requests holds as many as it may, for ten seconds: no further one is read
/// meanwhile, others are answered, and afterwards so is it.
#[tokio::test(flavor = "multi_thread")]
async fn incomplete_requests_are_limited_in_number_and_time() {
    let mut node = Node::start(&[]).await;
    let honest = Node::start(&[&node]).await;
    honest.meshed_with(&node).await;
    honest.handle.publish(Topic::BlocksV4, frame(HEIGHT, &sequencer(), Topic::BlocksV4)).await.unwrap();
    assert_eq!(node.next_block().await.number(), HEIGHT);
    let mut raw = RawPeer::of(&node, protocol()).await;
    // The time of some may be over before the next is sent: then they are sent again.
    let mut stalled = Vec::new();
    until("no room for more", async || {
        for _ in 0..AT_ONCE {
            raw.send_bytes(vec![1, 2, 3]).await;
            stalled.push(raw.open().await);
        }
        asked(&mut raw).await.is_none()
    })
    .await;
    let mut other = RawPeer::of(&node, protocol()).await;
    assert_eq!(asked(&mut other).await, Some(0));
    until("the end of their time", async || asked(&mut raw).await == Some(0)).await;
    assert!(stalled.iter().all(|stream| !stream.is_closed()), "no end was our doing");
}
