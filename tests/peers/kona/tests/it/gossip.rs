//! Blocks over TCP, both ways. Each time a stranger's block goes first, so that a side that accepts anything
//! fails.

use crate::blocks::{Version, address, block, kona_envelope, payload};
use crate::kona_node::KonaNode;
use crate::our_node::{OurNode, Word, topic};
use alloy_primitives::B256;
use rstest::rstest;

/// The sequencer's key.
const SEQUENCER: B256 = B256::repeat_byte(0x11);

/// Somebody else's.
const STRANGER: B256 = B256::repeat_byte(0x22);

#[rstest]
#[case::v3(Version::V3)]
#[case::v4(Version::V4)]
#[tokio::test(flavor = "multi_thread")]
async fn kona_accepts_our_block(#[case] version: Version) {
    let sequencer = address(&SEQUENCER);
    let mut ours = OurNode::start(sequencer, None).await;
    let mut kona = KonaNode::start(version, sequencer, Some(&ours.addr)).await;
    let (strange, good) = (block(version, 6), block(version, 7));
    ours.publish(version, &STRANGER, &payload(version, &strange)).await;
    ours.publish(version, &SEQUENCER, &payload(version, &good)).await;
    // Down to the signature it is what kona would have sent.
    assert_eq!(kona.next_block().await, kona_envelope(version, &good, &SEQUENCER));
}

#[rstest]
#[case::v3(Version::V3)]
#[case::v4(Version::V4)]
#[tokio::test(flavor = "multi_thread")]
async fn we_accept_a_block_of_kona(#[case] version: Version) {
    let sequencer = address(&SEQUENCER);
    let kona = KonaNode::start(version, sequencer, None).await;
    let mut ours = OurNode::start(sequencer, Some(&kona.addr)).await;
    let (strange, good) = (block(version, 6), block(version, 7));
    kona.publish(kona_envelope(version, &strange, &STRANGER)).await;
    kona.publish(kona_envelope(version, &good, &SEQUENCER)).await;
    assert_eq!(ours.next().await, Word::Refused("wrong-signer".to_owned()));
    let accepted =
        Word::Accepted { topic: topic(version).to_owned(), number: 7, hash: good.header.hash_slow() };
    assert_eq!(ours.next().await, accepted);
}
