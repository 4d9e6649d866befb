//! Hostile frames, signatures, signers and clocks that have crashed, fooled or isolated other nodes. Hostile
//! control messages are in `hostile_gossip`, requests by number in `hostile_sync`, connections in `gating`.

use crate::support::{NOW, Node, block, block_of, chain, frame, next_refusal, sequencer, stranger};
use allocation_counter::AllocationInfo;
use alloy_primitives::Bytes;
use crosscheck_p2p::{
    BlockSigner, Envelope, Judgement, MAX_FRAME_BYTES, MAX_OUT_OF_WINDOW, MalformedPayload, PayloadVersion,
    Refusal, RefusalVerdict, Signers, SigningDomain, Topic, UnixSeconds, ValidationRules, Validator,
    message_id,
};
use rstest::rstest;

/// What judging needs beside the frame itself: far below the frames at issue.
const SLACK: u64 = 256 * 1024;

fn validator() -> Validator {
    Validator::new(ValidationRules::new(chain()))
}

fn known() -> Signers {
    Signers::of(sequencer().address())
}

fn at(seconds: i64) -> UnixSeconds {
    UnixSeconds(NOW.0.checked_add_signed(seconds).unwrap())
}

fn judge(frame: &Bytes) -> Judgement {
    validator().judge(Topic::BlocksV4, frame, &known(), NOW)
}

#[track_caller]
fn refused(judgement: Judgement) -> Refusal {
    match judgement {
        Judgement::Accept(block) => panic!("accepted {block:?}"),
        Judgement::Ignore(refusal) | Judgement::Reject(refusal) => refusal,
    }
}

fn code(frame: &Bytes) -> &'static str {
    refused(judge(frame)).reason.code()
}

/// The most memory that judging a frame, and computing its id, took at once.
fn memory(frame: &Bytes) -> AllocationInfo {
    allocation_counter::measure(|| {
        message_id(&Topic::BlocksV4.path(chain()), frame);
        drop(judge(frame));
    })
}

fn compressed(bytes: &[u8]) -> Bytes {
    snap::raw::Encoder::new().compress_vec(bytes).unwrap().into()
}

fn decompressed(frame: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; snap::raw::decompress_len(frame).unwrap()];
    snap::raw::Decoder::new().decompress(frame, &mut bytes).unwrap();
    bytes
}

/// A block of many transactions, by this signer.
fn long_block(signer: &BlockSigner, transactions: usize) -> Bytes {
    let block = block(5, vec![Bytes::from_static(&[0x7e, 1, 2, 3]); transactions]);
    block.sign(signer, SigningDomain::Zero, chain()).unwrap().frame()
}

/// Seven bytes that claim to hold 4 GiB; others allocated what was claimed.
#[rstest]
#[case::four_gibibytes(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0])]
#[case::just_beyond_the_bound(&[0x81, 0x80, 0x80, 0x05, 0, 0, 0])]
fn a_false_size_claim_allocates_nothing(#[case] lie: &'static [u8]) {
    let lie = Bytes::from_static(lie);
    assert_eq!(code(&lie), "declared-size-too-large");
    assert!(memory(&lie).bytes_max < SLACK, "{:?}", memory(&lie));
}

/// A frame that the network carries and that really holds 200 MiB.
#[test]
fn a_decompression_bomb_is_not_decompressed() {
    let bomb = compressed(&vec![0; 200 << 20]);
    assert!(bomb.len() < MAX_FRAME_BYTES);
    assert_eq!(code(&bomb), "declared-size-too-large");
    assert!(memory(&bomb).bytes_max < SLACK, "{:?}", memory(&bomb));
}

/// The most that a frame may hold is held once at a time: by the id, then by the judge.
#[test]
fn the_largest_frame_is_in_memory_once() {
    let largest = compressed(&vec![0; MAX_FRAME_BYTES]);
    let limit = u64::try_from(MAX_FRAME_BYTES).unwrap() + SLACK;
    assert!(memory(&largest).bytes_max < limit, "{:?}", memory(&largest));
}

/// With ids that leave the topic out, a block replayed on the topic of another version keeps out the real
/// one.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_on_another_topic_does_not_suppress_the_block() {
    let a = Node::start(&[]).await;
    let mut b = Node::start(&[&a]).await;
    a.meshed_with(&b).await;
    let frame = frame(7, &sequencer(), Topic::BlocksV4);
    for wrong in [Topic::BlocksV1, Topic::BlocksV2, Topic::BlocksV3] {
        a.handle.publish(wrong, frame.clone()).await.unwrap();
        assert_eq!(next_refusal(&mut b).await.0, RefusalVerdict::Reject);
    }
    a.handle.publish(Topic::BlocksV4, frame.clone()).await.unwrap();
    assert_eq!(b.next_block().await.frame(), &frame);
}

#[test]
fn a_frame_too_short_for_a_signature_is_refused() {
    for size in 0..=65 {
        assert_eq!(code(&compressed(&vec![7; size])), "declared-size-too-small", "{size} bytes");
    }
    assert_ne!(code(&compressed(&[0; 66])), "declared-size-too-small");
}

/// Libraries take 225 of the 256 values and refuse two of the four that the wire knows. op-node built without
/// cgo reads 4 to 7 as 0 to 3.
#[test]
fn recovery_ids_0_to_7_are_read_and_no_others() {
    let sound = decompressed(&frame(7, &sequencer(), Topic::BlocksV4));
    assert!(sound[64] <= 1, "emitted as 0 or 1");
    let is_read = |id: &u8| {
        let mut bytes = sound.clone();
        bytes[64] = *id;
        let judgement = judge(&compressed(&bytes));
        judgement.refusal().is_none_or(|refusal| refusal.reason.code() != "bad-recovery-id")
    };
    assert_eq!((0..=u8::MAX).filter(is_read).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 7]);
}

/// Decoding makes a list of the transactions; a stranger's frame costs the same however many it holds.
#[test]
fn the_payload_of_another_signer_is_not_decoded() {
    let cost = |frame: &Bytes| allocation_counter::measure(|| drop(judge(frame)));
    let (few, many) = (long_block(&stranger(), 1), long_block(&stranger(), 5_000));
    assert_eq!((code(&few), code(&many)), ("wrong-signer", "wrong-signer"));
    assert_eq!(cost(&few).count_total, cost(&many).count_total);
    let decoded = cost(&long_block(&sequencer(), 5_000));
    let list = u64::try_from(5_000 * size_of::<Bytes>()).unwrap();
    assert!(decoded.bytes_total > cost(&many).bytes_total + list, "the measure sees a decoded list");
}

/// The same bytes that are no payload: only the sequencer's get as far as the decoder.
#[test]
fn the_reason_is_the_first_broken_rule() {
    let another_version = |signer: &BlockSigner| {
        let block = block_of(PayloadVersion::V2, 5, Vec::new());
        block.sign(signer, SigningDomain::Zero, chain()).unwrap().frame()
    };
    assert_eq!(code(&another_version(&stranger())), "wrong-signer");
    assert_eq!(code(&another_version(&sequencer())), "payload-truncated");
}

/// A stranger's copy of a block must not use up the block's place, nor its height's.
#[test]
fn only_valid_blocks_are_remembered() {
    let mut validator = validator();
    let mut judge = |frame: &Bytes| validator.judge(Topic::BlocksV4, frame, &known(), NOW);
    for number in 0..20 {
        assert_eq!(judge(&long_block(&stranger(), number)).name(), "reject");
        let mut forged = block(5, vec![Bytes::from_static(&[1]); number]);
        forged.payload.block_hash.0[0] ^= 1;
        let forged = forged.sign(&sequencer(), SigningDomain::Zero, chain()).unwrap().frame();
        assert_eq!(judge(&forged).name(), "reject");
    }
    // As in op-node, whose count is of blocks seen before: six get in.
    for number in 0..6 {
        assert_eq!(judge(&long_block(&sequencer(), number)).name(), "accept");
    }
    assert_eq!(refused(judge(&long_block(&sequencer(), 6))).reason.code(), "too-many-at-height");
}

async fn is_accepted(from: &Node, at: &mut Node, number: u64, signer: &BlockSigner, topic: Topic) -> bool {
    from.handle.publish(topic, frame(number, signer, topic)).await.unwrap();
    loop {
        match at.next_event().await {
            crosscheck_p2p::NetworkEvent::Block { block, .. } => {
                assert_eq!(block.number(), number);
                return true;
            }
            crosscheck_p2p::NetworkEvent::Refused { refusal, .. } => {
                assert_eq!(refusal.reason.code(), "wrong-signer");
                return false;
            }
            crosscheck_p2p::NetworkEvent::Filled { .. }
            | crosscheck_p2p::NetworkEvent::PeerConnected { .. }
            | crosscheck_p2p::NetworkEvent::PeerDisconnected { .. } => {}
        }
    }
}

/// A change of the key is not seen everywhere at once: 25 minutes of a chain's blocks were refused.
#[tokio::test(flavor = "multi_thread")]
async fn no_block_is_lost_when_the_signer_changes() {
    let (old, new) = (sequencer(), stranger());
    let topic = Topic::BlocksV4;
    let a = Node::start(&[]).await;
    let mut b = Node::start(&[&a]).await;
    a.meshed_with(&b).await;
    assert!(is_accepted(&a, &mut b, 1, &old, topic).await);
    assert!(!is_accepted(&a, &mut b, 2, &new, topic).await, "before L1 names the new signer");
    b.signers.send_modify(|signers| assert!(signers.change_to(new.address(), NOW, 60)));
    assert!(is_accepted(&a, &mut b, 3, &old, topic).await, "the previous signer is accepted");
    assert!(is_accepted(&a, &mut b, 4, &new, Topic::BlocksV3).await);
    assert!(!is_accepted(&a, &mut b, 5, &old, topic).await, "until the new one has signed, on any topic");
    assert!(is_accepted(&a, &mut b, 6, &new, topic).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_grace_of_the_previous_signer_ends_by_the_clock() {
    let (old, new) = (sequencer(), stranger());
    let a = Node::start(&[]).await;
    let mut b = Node::start(&[&a]).await;
    a.meshed_with(&b).await;
    b.signers.send_modify(|signers| assert!(signers.change_to(new.address(), at(-61), 60)));
    assert!(!is_accepted(&a, &mut b, 1, &old, Topic::BlocksV4).await);
    assert!(is_accepted(&a, &mut b, 2, &new, Topic::BlocksV4).await);
}

/// With the clock two minutes off, every honest block lies outside the window. Peers must not pay for that.
#[rstest]
#[case::fast(120, "too-old")]
#[case::slow(-120, "from-the-future")]
fn a_wrong_clock_does_not_ban_honest_peers(#[case] skew: i64, #[case] expected: &str) {
    let mut validator = validator();
    let mut judge = |number: u64, now| {
        let frame = frame(number, &sequencer(), Topic::BlocksV4);
        validator.judge(Topic::BlocksV4, &frame, &known(), now)
    };
    let out_of_window = u64::from(MAX_OUT_OF_WINDOW);
    for number in 0..out_of_window + 20 {
        let judgement = judge(number, at(skew));
        assert_eq!(judgement.name(), if number < out_of_window { "reject" } else { "ignore" });
        assert_eq!(refused(judgement).reason.code(), expected);
    }
    assert_eq!(judge(100, NOW).name(), "accept", "the clock is right again");
    assert_eq!(judge(101, at(skew)).name(), "reject", "and trusted again");
}

/// A stranger cannot bring the clock into doubt.
#[test]
fn only_signed_blocks_make_the_clock_doubted() {
    let mut validator = validator();
    for number in 0..100 {
        let frame = frame(number, &stranger(), Topic::BlocksV4);
        assert_eq!(validator.judge(Topic::BlocksV4, &frame, &known(), at(120)).name(), "reject");
    }
    let late = frame(100, &sequencer(), Topic::BlocksV4);
    assert_eq!(validator.judge(Topic::BlocksV4, &late, &known(), at(120)).name(), "reject");
}

/// Slices that are too short for what an offset promises, at every length and for every offset of every
/// version.
#[rstest]
fn no_truncated_input_is_read_beyond_its_end(
    #[values(PayloadVersion::V1, PayloadVersion::V2, PayloadVersion::V3, PayloadVersion::V4)]
    version: PayloadVersion,
) {
    let decode = |bytes: &[u8]| Envelope::decode(version, &Bytes::copy_from_slice(bytes));
    let sound = block_of(version, 5, vec![Bytes::from_static(&[0x7e, 1]); 3]).encode().unwrap();
    let root = if version.has_blob_fields() { 32 } else { 0 };
    let fixed =
        root + [508, 512, 528, 560][PayloadVersion::ALL.iter().position(|one| *one == version).unwrap()];
    for end in 0..fixed {
        assert!(matches!(decode(&sound[..end]), Err(MalformedPayload::Truncated { .. })), "cut at {end}");
    }
    for end in fixed..sound.len() {
        if let Ok(envelope) = decode(&sound[..end]) {
            assert_eq!(envelope.encode().unwrap(), sound[..end], "only what encodes to the same is read");
        }
    }
    let withdrawals_at = version.has_withdrawals().then_some(root + 508);
    let table = fixed + 17;
    for at in [root + 436, root + 504, table, table + 4, table + 8].into_iter().chain(withdrawals_at) {
        let right = u32::from_le_bytes(sound[at..at + 4].try_into().unwrap());
        let size = u32::try_from(sound.len()).unwrap();
        for offset in [0, 1, 3, 4, 8, right - 1, right + 1, size - 1, size, size + 1, u32::MAX - 3, u32::MAX]
        {
            let mut bytes = sound.to_vec();
            bytes[at..at + 4].copy_from_slice(&offset.to_le_bytes());
            if let Ok(envelope) = decode(&bytes) {
                assert_eq!(envelope.encode().unwrap(), bytes, "offset {offset} at {at}");
            }
        }
    }
}
