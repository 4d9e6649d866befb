//! `crosscheck envelope inspect`: what a frame holds, and each way to spoil one with its own reason.

use super::frames::{CHAIN, TIME, altered, claiming, envelope, frame, later, resigned, sequencer, sound};
use super::{FAILED, OK, USAGE, assert_code, json, run, run_with_input, stderr};
use alloy::eips::eip4895::Withdrawal;
use alloy::hex;
use alloy::primitives::{Address, Bytes, U256};
use crosscheck_p2p::{ChainId, Frame, MAX_FRAME_BYTES, SigningDomain, Topic, message_id};
use rstest::rstest;
use serde_json::{Value, json};
use std::process::Output;

/// Where a field begins in the signed bytes: after the parent beacon block root.
const fn at(offset: usize) -> usize {
    32 + offset
}

/// What the frame is inspected as.
struct Question {
    topic: Topic,
    chain_id: u64,
    signer: Option<Address>,
    at: u64,
}

impl Question {
    fn on(topic: Topic) -> Self {
        Self { topic, chain_id: CHAIN, signer: Some(sequencer()), at: TIME }
    }

    fn arguments(&self, file: &str) -> Vec<String> {
        let mut arguments: Vec<String> = ["envelope", "inspect"].map(str::to_owned).into();
        arguments.push(format!("--chain-id={}", self.chain_id));
        arguments.push(format!("--topic={}", self.topic.name()));
        arguments.push(format!("--at={}", self.at));
        arguments.extend(self.signer.map(|signer| format!("--signer={signer}")));
        arguments.push(file.to_owned());
        arguments
    }

    fn ask(&self, content: &[u8]) -> Output {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        run(self.arguments(file.path().to_str().unwrap()))
    }
}

/// All that there is to say about the sound block.
fn accepted(topic: Topic, domain: SigningDomain) -> Value {
    let (envelope, frame) = (envelope(|_| ()), sound(domain));
    let named = Frame::open(&frame).unwrap().recover(Topic::CrossSafeBlocksV1, ChainId::from(CHAIN)).unwrap();
    let named: Vec<Value> = named
        .iter()
        .map(|of| json!({ "domain": of.domain.name(), "signer": format!("{:#x}", of.signer) }))
        .collect();
    assert!(named.contains(&json!({ "domain": domain.name(), "signer": format!("{:#x}", sequencer()) })));
    json!({
        "topic": topic.name(),
        "chain_id": CHAIN,
        "block": {
            "version": "v4",
            "number": 42,
            "hash": envelope.payload.block_hash,
            "parent_hash": envelope.payload.parent_hash,
            "timestamp": TIME,
            "transactions": 2,
        },
        "payload_hash": Frame::open(&frame).unwrap().payload_hash().as_b256(),
        "domain": domain.name(),
        "signer": format!("{:#x}", sequencer()),
        "recovered": named,
        "message_id": message_id(&topic.path(ChainId::from(CHAIN)), &frame).to_string(),
        "verdict": "accept",
        "reason": null,
        "detail": null,
        "note": null,
    })
}

#[rstest]
#[case::unsafe_block(Topic::BlocksV4, SigningDomain::Zero)]
#[case::attestation(Topic::CrossSafeBlocksV1, SigningDomain::CrossSafeBlocksV1)]
#[case::replayable_attestation(Topic::CrossSafeBlocksV1, SigningDomain::Zero)]
fn a_valid_frame_is_accepted_and_shown(#[case] topic: Topic, #[case] domain: SigningDomain) {
    let output = Question::on(topic).ask(&sound(domain));
    assert_code(&output, OK);
    assert_eq!(json(&output), accepted(topic, domain));
}

#[rstest]
#[case::raw(sound(SigningDomain::Zero).to_vec())]
#[case::hex(hex::encode_prefixed(sound(SigningDomain::Zero)).into_bytes())]
#[case::hex_line(format!("{}\n", hex::encode_prefixed(sound(SigningDomain::Zero))).into_bytes())]
fn a_file_and_standard_input_are_read_the_same_way(#[case] content: Vec<u8>) {
    let expected = accepted(Topic::BlocksV4, SigningDomain::Zero);
    let question = Question::on(Topic::BlocksV4);
    assert_eq!(json(&question.ask(&content)), expected);
    let arguments = question.arguments("-");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = run_with_input(&arguments, &content);
    assert_code(&output, OK);
    assert_eq!(json(&output), expected);
}

#[test]
fn without_a_configured_signer_the_actual_signer_is_shown() {
    let question = Question { signer: None, ..Question::on(Topic::CrossSafeBlocksV1) };
    let output = question.ask(&sound(SigningDomain::CrossSafeBlocksV1));
    assert_code(&output, OK);
    let mut shown = json(&output);
    assert!(shown["note"].as_str().unwrap().contains("no --signer is given"), "{shown}");
    shown["note"] = Value::Null;
    assert_eq!(shown, accepted(Topic::CrossSafeBlocksV1, SigningDomain::CrossSafeBlocksV1));
}

/// An attestation that is taken for a block of the default topic names an address of nobody; who signed is
/// shown beside it.
#[test]
fn the_signer_of_an_attestation_is_shown_on_any_topic() {
    let output = Question { signer: None, ..Question::on(Topic::BlocksV4) }
        .ask(&sound(SigningDomain::CrossSafeBlocksV1));
    let shown = json(&output);
    assert_ne!(shown["signer"], format!("{:#x}", sequencer()));
    let named = json!({ "domain": "cross-safe-blocksv1", "signer": format!("{:#x}", sequencer()) });
    assert!(shown["recovered"].as_array().unwrap().contains(&named), "{shown}");
}

#[track_caller]
fn assert_refused(output: &Output, verdict: &str, reason: &str) {
    assert_code(output, FAILED);
    let answer = json(output);
    assert_eq!((answer["verdict"].as_str(), answer["reason"].as_str()), (Some(verdict), Some(reason)));
    assert!(answer["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    assert!(stderr(output).is_empty(), "{}", stderr(output));
}

fn plain() -> Bytes {
    sound(SigningDomain::Zero)
}

#[rstest]
#[case::nothing(Bytes::new(), "bad-snappy")]
#[case::no_snappy(Bytes::from_static(b"what is this?"), "bad-snappy")]
#[case::claim_beyond_the_bound(claiming(MAX_FRAME_BYTES + 1), "declared-size-too-large")]
#[case::claim_of_four_gibibytes(claiming(u32::MAX as usize), "declared-size-too-large")]
#[case::claim_above_the_content(claiming(100_000), "bad-snappy")]
#[case::claim_below_the_content(claiming(100), "bad-snappy")]
#[case::claim_of_nothing(claiming(0), "bad-snappy")]
#[case::truncated(plain().slice(..plain().len() - 1), "bad-snappy")]
#[case::signature_alone(altered(&plain(), |bytes| bytes.truncate(65)), "declared-size-too-small")]
#[case::payload_truncated(resigned(|signed| signed.truncate(at(559))), "payload-truncated")]
#[case::extra_data_elsewhere(resigned(|signed| signed[at(436)] += 1), "extra-data-offset")]
#[case::offsets_out_of_order(resigned(|signed| signed[at(504)..at(508)].fill(0xff)), "offsets-out-of-order")]
#[case::offset_before_its_predecessor(resigned(|signed| signed[at(508)..at(512)].fill(0)), "offsets-out-of-order")]
#[case::bad_recovery_id(altered(&plain(), |bytes| bytes[64] = 8), "bad-recovery-id")]
#[case::no_signature(altered(&plain(), |bytes| bytes[..64].fill(0)), "bad-signature")]
#[case::payload_altered(altered(&plain(), |bytes| bytes[65 + at(412)] ^= 1), "wrong-signer")]
#[case::hash_of_another_block(resigned(|signed| signed[at(472)] ^= 1), "block-hash-mismatch")]
#[case::field_altered(resigned(|signed| signed[at(412)] ^= 1), "block-hash-mismatch")]
#[case::beacon_root_altered(resigned(|signed| signed[0] ^= 1), "block-hash-mismatch")]
#[case::excess_blob_gas(
    frame(&envelope(|payload| payload.version_fields = later(Vec::new(), 1)), SigningDomain::Zero),
    "excess-blob-gas"
)]
#[case::withdrawal(
    frame(&envelope(|payload| payload.version_fields = later(vec![Withdrawal::default()], 0)), SigningDomain::Zero),
    "withdrawals-not-empty"
)]
#[case::empty_transaction(
    frame(&envelope(|payload| payload.transactions.push(Bytes::new())), SigningDomain::Zero),
    "empty-transaction"
)]
#[case::base_fee(
    frame(&envelope(|payload| payload.base_fee_per_gas = U256::from(1) << 64), SigningDomain::Zero),
    "base-fee-too-large"
)]
fn a_corrupted_frame_is_rejected_with_its_reason(#[case] frame: Bytes, #[case] reason: &str) {
    assert_refused(&Question::on(Topic::BlocksV4).ask(&frame), "reject", reason);
}

#[rstest]
#[case::another_signer(
    Question { signer: Some(Address::repeat_byte(7)), ..Question::on(Topic::BlocksV4) },
    SigningDomain::Zero, "reject", "wrong-signer"
)]
#[case::another_chain(
    Question { chain_id: 902, ..Question::on(Topic::BlocksV4) },
    SigningDomain::Zero, "reject", "wrong-signer"
)]
#[case::another_topics_domain(
    Question::on(Topic::BlocksV4),
    SigningDomain::CrossSafeBlocksV1,
    "reject",
    "wrong-signer"
)]
#[case::too_old(
    Question { at: TIME + 61, ..Question::on(Topic::BlocksV4) },
    SigningDomain::Zero, "reject", "too-old"
)]
#[case::settled_long_ago(
    Question { at: TIME + 43_201, ..Question::on(Topic::CrossSafeBlocksV1) },
    SigningDomain::CrossSafeBlocksV1, "ignore", "too-old"
)]
#[case::from_the_future(
    Question { at: TIME - 6, ..Question::on(Topic::BlocksV4) },
    SigningDomain::Zero, "reject", "from-the-future"
)]
fn a_valid_frame_for_another_topic_or_chain_is_refused(
    #[case] question: Question,
    #[case] domain: SigningDomain,
    #[case] verdict: &str,
    #[case] reason: &str,
) {
    assert_refused(&question.ask(&sound(domain)), verdict, reason);
}

#[rstest]
#[case::oldest_block(Topic::BlocksV4, SigningDomain::Zero, TIME + 60)]
#[case::earliest_block(Topic::BlocksV4, SigningDomain::Zero, TIME - 5)]
#[case::oldest_attestation(Topic::CrossSafeBlocksV1, SigningDomain::CrossSafeBlocksV1, TIME + 43_200)]
fn the_edges_of_the_windows_are_inside(#[case] topic: Topic, #[case] domain: SigningDomain, #[case] at: u64) {
    assert_code(&Question { at, ..Question::on(topic) }.ask(&sound(domain)), OK);
}

#[test]
fn a_frame_larger_than_the_network_carries_is_rejected() {
    let frame = vec![0xff; MAX_FRAME_BYTES + 1];
    let output = Question::on(Topic::BlocksV4).ask(&frame);
    assert_code(&output, FAILED);
    assert_eq!(json(&output)["verdict"], "reject");
}

#[rstest]
#[case::odd_digits(b"0x123".to_vec(), "not hex")]
#[case::no_digits(b"0xhello!".to_vec(), "not hex")]
fn invalid_hex_is_misuse(#[case] content: Vec<u8>, #[case] problem: &str) {
    let output = Question::on(Topic::BlocksV4).ask(&content);
    assert_code(&output, USAGE);
    assert!(stderr(&output).contains(problem), "{}", stderr(&output));
}

#[rstest]
#[case::endless("/dev/zero", USAGE, "more than")]
#[case::missing("/nowhere/frame", FAILED, "/nowhere/frame cannot be opened")]
#[case::directory("/", FAILED, "/ cannot be read")]
fn a_file_without_a_frame_is_refused(#[case] file: &str, #[case] code: i32, #[case] problem: &str) {
    let output = run(Question::on(Topic::BlocksV4).arguments(file));
    assert_code(&output, code);
    assert!(stderr(&output).contains(problem), "{}", stderr(&output));
}

#[rstest]
#[case::topic(&["--topic=blocks"], "--topic")]
#[case::chain_id(&["--chain-id=base"], "--chain-id")]
#[case::signer(&["--signer=0x12"], "--signer")]
fn a_bad_flag_is_misuse(#[case] flags: &[&str], #[case] problem: &str) {
    let arguments = ["envelope", "inspect", "-"].iter().chain(flags);
    let output = run(arguments);
    assert_code(&output, USAGE);
    assert!(stderr(&output).contains(problem), "{}", stderr(&output));
}
