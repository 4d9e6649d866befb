//! Messages with an author, a sequence number or a signature, of which gossip here has none: they are dropped
//! before anybody judges them. Anyone who sends them is counted and blamed as for rejected frames.

use crate::{
    raw_peer::{GOSSIP, RawPeer, field, subscribe},
    support::{Node, chain, frame, sequencer, until},
};
use crosscheck_p2p::Topic;
use rstest::rstest;

const TOPIC: Topic = Topic::BlocksV4;
/// This many are enough for a ban: beyond 16 each costs score, from the 21st on much.
const MESSAGES: u64 = 24;

/// An RPC with a message that holds a sound block, and one field more.
fn message(number: u64, tag: u64, more: &[u8]) -> Vec<u8> {
    let data = frame(number, &sequencer(), TOPIC);
    let topic = TOPIC.path(chain());
    field(2, &[field(2, &data), field(4, topic.as_bytes()), field(tag, more)].concat())
}

#[rstest]
#[case::an_author(1, &[0, 36, 8, 1, 18, 32])]
#[case::a_sequence_number(3, &[0, 0, 0, 0, 0, 0, 0, 1])]
#[case::a_signature(5, &[7; 64])]
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_sends_messages_with_forbidden_fields_is_banned(#[case] tag: u64, #[case] more: &[u8]) {
    let node = Node::start(&[]).await;
    let raw = RawPeer::of(&node, GOSSIP.to_owned()).await;
    raw.send(&subscribe(&TOPIC.path(chain()))).await;
    let bans = async || node.handle.block_list().await.unwrap().bans.len();
    let counts = || node.handle.counters().frames();
    for number in 1..=MESSAGES {
        if bans().await > 0 {
            break;
        }
        raw.send(&message(number, tag, more)).await;
        until("the count, or the ban", async || counts().rejected >= number || bans().await > 0).await;
    }
    until("the ban", async || bans().await == 1).await;
    assert_eq!((counts().accepted, counts().ignored), (0, 0));
    assert!(counts().rejected > 20, "{:?}", counts());
}
