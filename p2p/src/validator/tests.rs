//! Frames judged on both topics: what is accepted, what is refused and why, and what is taken for the same
//! block.

use super::*;
use crate::{
    BlockSigner, SigningDomain,
    sample::{
        self, NOW, altered, chain, envelope, frame, padded, payload, sequencer, signed_frame, signers, twin,
    },
};
use Topic::{BlocksV4, CrossSafeBlocksV1};
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Address, B256, U256};
use rstest::rstest;
use std::sync::Arc;

fn validator() -> Validator {
    Validator::new(ValidationRules::new(chain()))
}

fn judge(topic: Topic, frame: &Bytes) -> Judgement {
    validator().judge(topic, frame, &signers(), NOW)
}

/// `"accept"`, or the verdict and the rule.
fn outcome(judgement: &Judgement) -> String {
    let code = judgement.refusal().map(|refusal| format!(" {}", refusal.reason.code()));
    format!("{}{}", judgement.name(), code.unwrap_or_default())
}

fn at(seconds: i64) -> UnixSeconds {
    UnixSeconds(NOW.0.checked_add_signed(seconds).unwrap())
}

#[rstest]
#[case(BlocksV4)]
#[case(CrossSafeBlocksV1)]
fn a_valid_block_is_accepted_with_all_that_was_proven(#[case] topic: Topic) {
    let envelope = envelope(5, |_| ());
    let frame = frame(&envelope, topic);
    let Judgement::Accept(block) = judge(topic, &frame) else { panic!("not accepted") };
    assert_eq!(block.envelope(), &envelope);
    assert_eq!((block.topic(), block.chain_id(), block.number()), (topic, chain(), 5));
    assert_eq!(block.signer(), sequencer().address());
    assert_eq!(block.domain(), topic.domains()[0]);
    assert_eq!(block.frame(), &frame);
    assert_eq!(block.message_id(), crate::message_id(&topic.path(chain()), &frame));
    assert_eq!(block.payload_hash(), crate::PayloadHash::of(&envelope.encode().unwrap()));
}

#[test]
fn a_message_id_that_is_known_is_not_computed_again() {
    let frame = frame(&envelope(5, |_| ()), BlocksV4);
    let known = crate::message_id("another", &frame);
    let judged = validator().judge_message(BlocksV4, &frame, Some(known), &signers(), NOW);
    let Judgement::Accept(block) = judged else { panic!("not accepted") };
    assert_eq!(block.message_id(), known);
}

#[rstest]
#[case::zero_domain_on_blocks(BlocksV4, SigningDomain::Zero, "accept")]
#[case::own_domain_on_blocks(BlocksV4, SigningDomain::CrossSafeBlocksV1, "reject wrong-signer")]
#[case::zero_domain_on_cross_safe(CrossSafeBlocksV1, SigningDomain::Zero, "accept")]
#[case::own_domain_on_cross_safe(CrossSafeBlocksV1, SigningDomain::CrossSafeBlocksV1, "accept")]
fn domains(#[case] topic: Topic, #[case] domain: SigningDomain, #[case] expected: &str) {
    let frame = envelope(5, |_| ()).sign(&sequencer(), domain, chain()).unwrap().frame();
    let judgement = judge(topic, &frame);
    assert_eq!(outcome(&judgement), expected);
    if let Judgement::Accept(block) = judgement {
        assert_eq!(block.domain(), domain);
    }
}

#[rstest]
#[case::garbage(&b"\xff\xff\xff\xff"[..], "reject bad-snappy")]
#[case::empty(b"", "reject bad-snappy")]
#[case::size_lie(b"\xff\xff\xff\xff\x0f\x00", "reject declared-size-too-large")]
#[case::nothing_inside(b"\x00", "reject declared-size-too-small")]
fn length(#[case] frame: &[u8], #[case] expected: &str) {
    assert_eq!(outcome(&judge(BlocksV4, &Bytes::copy_from_slice(frame))), expected);
}

#[test]
fn no_signer_known_is_ignored_before_the_signature_is_looked_at() {
    let frame = altered(&frame(&envelope(5, |_| ()), BlocksV4), |bytes| bytes[64] = 9);
    let judgement = validator().judge(BlocksV4, &frame, &Signers::default(), NOW);
    assert_eq!(outcome(&judgement), "ignore no-signer-known");
}

#[rstest]
fn recovery_ids_beyond_seven_are_rejected(#[values(8, 9, 27, 28, 35, 36, 37, 255)] id: u8) {
    let frame = altered(&frame(&envelope(5, |_| ()), BlocksV4), |bytes| bytes[64] = id);
    assert_eq!(outcome(&judge(BlocksV4, &frame)), "reject bad-recovery-id");
}

/// Ids 2 and 3 are well formed; for an ordinary signature they recover to nobody or to somebody else.
#[rstest]
fn recovery_ids_two_and_three_are_read(#[values(2, 3)] id: u8) {
    let frame = altered(&frame(&envelope(5, |_| ()), BlocksV4), |bytes| bytes[64] = id);
    let outcome = outcome(&judge(BlocksV4, &frame));
    assert!(["reject wrong-signer", "reject bad-signature"].contains(&outcome.as_str()), "{outcome}");
}

/// What anybody can make of a signed frame: op-node takes and relays it, and never the original after it.
#[rstest]
#[case::twin(|frame: &Bytes| altered(frame, |bytes| twin(bytes)))]
#[case::recovery_id_plus_four(|frame: &Bytes| altered(frame, |bytes| bytes[64] += 4))]
#[case::both(|frame: &Bytes| altered(frame, |bytes| { twin(bytes); bytes[64] += 4; }))]
#[case::length_of_six_bytes(|frame: &Bytes| padded(frame, 6).into())]
#[case::length_of_ten_bytes(|frame: &Bytes| padded(frame, 10).into())]
#[case::all_at_once(|frame: &Bytes| padded(&altered(frame, |bytes| { twin(bytes); bytes[64] += 4; }), 10).into())]
fn a_rewrapped_block_is_read_as_the_same_block(
    #[case] rewrap: fn(&Bytes) -> Bytes,
    #[values(BlocksV4, CrossSafeBlocksV1)] topic: Topic,
) {
    let original = frame(&envelope(5, |_| ()), topic);
    let rewrapped = rewrap(&original);
    assert_ne!(rewrapped, original);
    let mut validator = validator();
    let Judgement::Accept(block) = validator.judge(topic, &rewrapped, &signers(), NOW) else { panic!() };
    // The id is that of what travelled; what is kept is the canonical form.
    assert_eq!(block.message_id(), crate::message_id(&topic.path(chain()), &rewrapped));
    assert_eq!(block.frame(), &original);
    assert_eq!(block.signature()[..], crate::snappy::decompress(&original).unwrap()[..65]);
    assert_eq!(outcome(&validator.judge(topic, &original, &signers(), NOW)), "ignore already-seen");
}

/// Whatever half `s` lies in: it is the sender who is to blame for a signature by nobody who may sign.
#[rstest]
fn random_bytes_are_the_senders_fault(#[values(false, true)] high_s: bool, #[values(1, 2, 3, 4)] seed: u8) {
    let junk = altered(&frame(&envelope(5, |_| ()), BlocksV4), |bytes| {
        bytes[..64].fill(seed);
        if high_s {
            twin(bytes);
        }
    });
    let judgement = judge(BlocksV4, &junk);
    let outcome = outcome(&judgement);
    assert!(["reject wrong-signer", "reject bad-signature"].contains(&outcome.as_str()), "{outcome}");
    assert_eq!(judgement.refusal().unwrap().reason.at_fault(BlocksV4).name(), "sender");
}

#[rstest]
#[case::zero_r(0..32)]
#[case::zero_s(32..64)]
fn a_zero_scalar_is_rejected(#[case] scalar: core::ops::Range<usize>) {
    let frame = altered(&frame(&envelope(5, |_| ()), BlocksV4), |bytes| bytes[scalar].fill(0));
    assert_eq!(outcome(&judge(BlocksV4, &frame)), "reject bad-signature");
}

#[rstest]
#[case(BlocksV4)]
#[case(CrossSafeBlocksV1)]
fn another_signer_is_rejected_and_named(#[case] topic: Topic) {
    let other = BlockSigner::from_bytes(&B256::repeat_byte(0x22)).unwrap();
    let frame = envelope(5, |_| ()).sign(&other, topic.domains()[0], chain()).unwrap().frame();
    let judgement = judge(topic, &frame);
    assert_eq!(outcome(&judgement), "reject wrong-signer");
    assert_eq!(judgement.refusal().unwrap().signer, Some(other.address()));
}

#[rstest]
#[case::its_attestation(CrossSafeBlocksV1, true, "accept")]
#[case::the_sequencers_attestation(CrossSafeBlocksV1, false, "reject wrong-signer")]
#[case::its_unsafe_block(BlocksV4, true, "reject wrong-signer")]
#[case::the_sequencers_unsafe_block(BlocksV4, false, "accept")]
fn a_separate_attester_signs_the_cross_safe_topic_alone(
    #[case] topic: Topic,
    #[case] signed_by_attester: bool,
    #[case] expected: &str,
) {
    let attester = BlockSigner::from_bytes(&B256::repeat_byte(0x22)).unwrap();
    let signers = signers().with_attester(attester.address());
    let signer = if signed_by_attester { attester } else { sequencer() };
    let frame = envelope(5, |_| ()).sign(&signer, topic.domains()[0], chain()).unwrap().frame();
    assert_eq!(outcome(&validator().judge(topic, &frame, &signers, NOW)), expected);
}

#[test]
fn another_chains_block_is_rejected() {
    let frame = envelope(5, |_| ()).sign(&sequencer(), SigningDomain::Zero, 902.into()).unwrap().frame();
    assert_eq!(outcome(&judge(BlocksV4, &frame)), "reject wrong-signer");
}

/// The same undecodable bytes, once from a stranger and once from the sequencer: only the sequencer's
/// reach the decoder. Were the payload decoded first, both would be `payload-truncated`.
#[test]
fn the_signature_is_checked_before_the_payload_is_decoded() {
    let signed = signed_frame(b"no payload", BlocksV4);
    let stranger = Signers::of(Address::repeat_byte(7));
    let judgement = validator().judge(BlocksV4, &signed, &stranger, NOW);
    assert_eq!(outcome(&judgement), "reject wrong-signer");
    assert_eq!(outcome(&judge(BlocksV4, &signed)), "reject payload-truncated");
}

#[rstest]
#[case::blocks_at_the_edge(BlocksV4, 60, "accept")]
#[case::blocks_too_old(BlocksV4, 61, "reject too-old")]
#[case::blocks_ahead_at_the_edge(BlocksV4, -5, "accept")]
#[case::blocks_from_the_future(BlocksV4, -6, "reject from-the-future")]
#[case::cross_safe_at_the_edge(CrossSafeBlocksV1, 43_200, "accept")]
#[case::cross_safe_too_old(CrossSafeBlocksV1, 43_201, "ignore too-old")]
#[case::cross_safe_ahead_at_the_edge(CrossSafeBlocksV1, -5, "accept")]
#[case::cross_safe_from_the_future(CrossSafeBlocksV1, -6, "reject from-the-future")]
fn window(#[case] topic: Topic, #[case] age: i64, #[case] expected: &str) {
    let frame = frame(&envelope(5, |_| ()), topic);
    assert_eq!(outcome(&validator().judge(topic, &frame, &signers(), at(age))), expected);
}

#[test]
fn a_wrong_block_hash_is_rejected() {
    let mut envelope = envelope(5, |_| ());
    envelope.payload.block_hash.0[0] ^= 1;
    assert_eq!(outcome(&judge(BlocksV4, &frame(&envelope, BlocksV4))), "reject block-hash-mismatch");
}

#[test]
fn the_block_hash_covers_the_parent_beacon_block_root() {
    let mut envelope = envelope(5, |_| ());
    sample::blobs(&mut envelope.payload).parent_beacon_block_root.0[0] ^= 1;
    assert_eq!(outcome(&judge(BlocksV4, &frame(&envelope, BlocksV4))), "reject block-hash-mismatch");
}

#[test]
fn a_withdrawal_is_rejected() {
    let withdrawal = Withdrawal { index: 1, validator_index: 2, address: Address::ZERO, amount: 3 };
    let envelope = envelope(5, |payload| sample::withdrawals(payload).push(withdrawal));
    assert_eq!(outcome(&judge(BlocksV4, &frame(&envelope, BlocksV4))), "reject withdrawals-not-empty");
}

#[rstest]
#[case::excess_blob_gas(1, 0, "reject excess-blob-gas")]
#[case::jovian_blob_gas_used(0, 131_072, "accept")]
#[case::no_blob_gas_used(0, 0, "accept")]
fn blob_gas(#[case] excess: u64, #[case] used: u64, #[case] expected: &str) {
    let envelope = envelope(5, |payload| {
        sample::blobs(payload).excess_blob_gas = excess;
        sample::blobs(payload).blob_gas_used = used;
    });
    assert_eq!(outcome(&judge(BlocksV4, &frame(&envelope, BlocksV4))), expected);
}

#[test]
fn an_empty_transaction_is_rejected() {
    let envelope = envelope(5, |payload| payload.transactions.push(Bytes::new()));
    assert_eq!(outcome(&judge(BlocksV4, &frame(&envelope, BlocksV4))), "reject empty-transaction");
}

/// Its header would hash as the one with the largest base fee that fits: only the rule tells them apart.
#[test]
fn a_base_fee_beyond_a_header_is_rejected() {
    let envelope = envelope(5, |payload| payload.base_fee_per_gas = U256::MAX);
    assert_eq!(outcome(&judge(BlocksV4, &frame(&envelope, BlocksV4))), "reject base-fee-too-large");
}

#[rstest]
#[case(BlocksV4)]
#[case(CrossSafeBlocksV1)]
fn the_same_block_again_is_ignored(#[case] topic: Topic) {
    let mut validator = validator();
    let frame = frame(&envelope(5, |_| ()), topic);
    assert_eq!(outcome(&validator.judge(topic, &frame, &signers(), NOW)), "accept");
    assert_eq!(outcome(&validator.judge(topic, &frame, &signers(), NOW)), "ignore already-seen");
}

#[test]
fn topics_remember_blocks_separately() {
    let mut validator = validator();
    let frame = envelope(5, |_| ()).sign(&sequencer(), SigningDomain::Zero, chain()).unwrap().frame();
    assert_eq!(outcome(&validator.judge(BlocksV4, &frame, &signers(), NOW)), "accept");
    assert_eq!(outcome(&validator.judge(CrossSafeBlocksV1, &frame, &signers(), NOW)), "accept");
}

/// A bystander's replay of an unsafe block and the genuine attestation of it, in any order.
#[rstest]
#[case::replay_first(&["zero", "own"], &["accept", "accept"])]
#[case::genuine_first(&["own", "zero"], &["accept", "ignore already-seen"])]
#[case::replays_around(
    &["zero", "zero", "own", "zero", "own"],
    &["accept", "ignore already-seen", "accept", "ignore already-seen", "ignore already-seen"]
)]
fn a_replay_does_not_suppress_the_genuine_attestation(#[case] domains: &[&str], #[case] expected: &[&str]) {
    let mut validator = validator();
    let judged = domains.iter().map(|domain| {
        let domain = if *domain == "own" { SigningDomain::CrossSafeBlocksV1 } else { SigningDomain::Zero };
        let frame = envelope(5, |_| ()).sign(&sequencer(), domain, chain()).unwrap().frame();
        let judgement = validator.judge(CrossSafeBlocksV1, &frame, &signers(), NOW);
        if let Judgement::Accept(block) = &judgement {
            assert_eq!((block.domain(), block.rivals()), (domain, &[][..]));
        }
        outcome(&judgement)
    });
    assert_eq!(judged.collect::<Vec<_>>(), expected);
}

/// The sequencer rebuilt a height again and again, and a bystander replayed each of its unsafe blocks.
#[test]
fn replays_are_not_counted_against_genuine_attestations() {
    let mut validator = validator();
    let mut judge = |gas_used, domain| {
        let envelope = envelope(5, |payload| payload.gas_used = gas_used);
        let frame = envelope.sign(&sequencer(), domain, chain()).unwrap().frame();
        outcome(&validator.judge(CrossSafeBlocksV1, &frame, &signers(), NOW))
    };
    let full = "ignore too-many-at-height";
    for gas_used in 0..6 {
        assert_eq!(judge(gas_used, SigningDomain::Zero), "accept");
    }
    assert_eq!(judge(6, SigningDomain::Zero), full);
    for gas_used in 2..8 {
        assert_eq!(judge(gas_used, SigningDomain::CrossSafeBlocksV1), "accept");
    }
    assert_eq!(judge(8, SigningDomain::CrossSafeBlocksV1), full);
    assert_eq!(judge(7, SigningDomain::Zero), full);
}

/// op-node lets six through and then refuses whatever comes, a known block included.
#[rstest]
#[case(BlocksV4, "reject too-many-at-height")]
#[case(CrossSafeBlocksV1, "ignore too-many-at-height")]
fn different_blocks_at_a_height_up_to_the_bound(#[case] topic: Topic, #[case] past_it: &str) {
    let mut validator = validator();
    let mut judge = |gas_used| {
        let frame = frame(&envelope(5, |payload| payload.gas_used = gas_used), topic);
        outcome(&validator.judge(topic, &frame, &signers(), NOW))
    };
    for gas_used in 0..6 {
        assert_eq!(judge(gas_used), "accept");
    }
    assert_eq!(judge(6), past_it);
    assert_eq!(judge(0), past_it);
}

#[rstest]
fn two_blocks_of_a_height_are_both_delivered_and_the_second_is_flagged(
    #[values(BlocksV4, CrossSafeBlocksV1)] topic: Topic,
) {
    let mut validator = validator();
    let mut accept = |number, gas_used| {
        let frame = frame(&envelope(number, |payload| payload.gas_used = gas_used), topic);
        let judgement = validator.judge(topic, &frame, &signers(), NOW);
        let Judgement::Accept(block) = judgement else { panic!("{judgement:?}") };
        block
    };
    let (first, second, other) = (accept(5, 1), accept(5, 2), accept(6, 1));
    assert!(first.rivals().is_empty() && other.rivals().is_empty());
    let hashes = |block: &ValidBlock| block.rivals().iter().map(|rival| rival.hash).collect::<Vec<_>>();
    assert_eq!(hashes(&second), [first.hash()]);
    assert_eq!(hashes(&accept(5, 3)), [first.hash(), second.hash()]);
    assert!(second.rivals().iter().all(|rival| rival.is_attributable == topic.is_cross_safe()));
}

#[rstest]
#[case::the_settled_block(5, 0, "ignore already-settled")]
#[case::another_of_its_height(5, 1, "accept")]
#[case::another_height(4, 0, "accept")]
fn attestations_of_settled_blocks_are_ignored(
    #[case] number: u64,
    #[case] gas_used: u64,
    #[case] expected: &str,
) {
    let mut validator = validator();
    let settled = envelope(5, |payload| payload.gas_used = 0).payload.block_hash;
    validator.set_settled(Arc::new([(5, settled)].into_iter().collect()));
    let frame = |topic| frame(&envelope(number, |payload| payload.gas_used = gas_used), topic);
    let judged = validator.judge(CrossSafeBlocksV1, &frame(CrossSafeBlocksV1), &signers(), NOW);
    assert_eq!(outcome(&judged), expected);
    let judged = validator.judge(BlocksV4, &frame(BlocksV4), &signers(), NOW);
    assert_eq!(outcome(&judged), "accept", "an unsafe block has no mark");
}

/// Sixteen blocks of each two seconds are remembered for as long as their topic lets them in: none comes in
/// twice.
#[rstest]
fn blocks_with_one_timestamp_are_remembered_for_their_whole_window(
    #[values(BlocksV4, CrossSafeBlocksV1)] topic: Topic,
) {
    let (past, per_time) = (250, 16);
    let mut validator = Validator::new(ValidationRules::new(chain()).with_windows(past, past, 5));
    let frame = |number: u64| {
        let timestamp = UnixSeconds(NOW.0 + number / per_time * 2);
        frame(&envelope(number, |payload| payload.timestamp = timestamp), topic)
    };
    let mut judge = |number, now| outcome(&validator.judge(topic, &frame(number), &signers(), now));
    let last = past / 2 * per_time + per_time - 1;
    for number in 0..=last {
        let now = UnixSeconds(NOW.0 + number / per_time * 2);
        assert_eq!(judge(number, now), "accept", "block {number}");
    }
    let now = UnixSeconds(NOW.0 + past);
    assert_eq!([judge(0, now), judge(last, now)], ["ignore already-seen"; 2]);
}

/// A batch is promoted: hundreds of attestations at once, some of them twice, each taken once and in order.
#[test]
fn a_burst_of_attestations_is_absorbed_in_order() {
    let mut validator = validator();
    let numbers = 1_000..1_400;
    let sent = numbers.clone().flat_map(|number| [number, number - number % 7]);
    let mut accepted = Vec::new();
    for number in sent {
        let frame = frame(&envelope(number, |_| ()), CrossSafeBlocksV1);
        match validator.judge(CrossSafeBlocksV1, &frame, &signers(), at(3_600)) {
            Judgement::Accept(block) => accepted.push(block.number()),
            Judgement::Ignore(refusal) | Judgement::Reject(refusal) => {
                assert_eq!(refusal.reason.code(), "already-seen");
            }
        }
    }
    accepted.retain(|number| numbers.contains(number));
    assert_eq!(accepted, numbers.collect::<Vec<_>>());
}

#[test]
fn late_attestations_do_not_make_the_clock_of_unsafe_blocks_doubted() {
    let mut validator = validator();
    for number in 0..20 {
        let frame = frame(&envelope(number, |_| ()), CrossSafeBlocksV1);
        let judged = validator.judge(CrossSafeBlocksV1, &frame, &signers(), at(50_000));
        assert_eq!(outcome(&judged), "ignore too-old");
    }
    let frame = frame(&envelope(5, |_| ()), BlocksV4);
    assert_eq!(outcome(&validator.judge(BlocksV4, &frame, &signers(), at(100))), "reject too-old");
}

#[test]
fn the_previous_signer_is_honoured_while_its_grace_lasts() {
    let frame = |number| frame(&envelope(number, |_| ()), BlocksV4);
    let mut signers = signers();
    assert!(signers.change_to(Address::repeat_byte(7), at(-10), 20));
    let mut validator = validator();
    assert_eq!(outcome(&validator.judge(BlocksV4, &frame(1), &signers, at(10))), "accept");
    assert_eq!(outcome(&validator.judge(BlocksV4, &frame(2), &signers, at(11))), "reject wrong-signer");
}

#[test]
fn a_refused_block_is_not_marked_as_seen() {
    let mut validator = validator();
    let frame = frame(&envelope(5, |_| ()), BlocksV4);
    for (signers, now) in [(Signers::default(), NOW), (signers(), at(100)), (signers(), at(-100))] {
        assert_ne!(outcome(&validator.judge(BlocksV4, &frame, &signers, now)), "accept");
    }
    assert_eq!(outcome(&validator.judge(BlocksV4, &frame, &signers(), NOW)), "accept");
}

#[test]
fn reopening_checks_every_rule_except_time_and_history() {
    let rules = ValidationRules::new(chain());
    let good = frame(&envelope(5, |payload| payload.timestamp = UnixSeconds(1)), BlocksV4);
    assert_eq!(Validator::reopen(&rules, BlocksV4, &good, &signers()).unwrap().number(), 5);
    let bad = altered(&good, |bytes| *bytes.last_mut().unwrap() ^= 1);
    assert_eq!(
        Validator::reopen(&rules, BlocksV4, &bad, &signers()).unwrap_err().reason.code(),
        "wrong-signer"
    );
}

#[test]
fn the_unknown_signer_of_a_frame_can_be_recovered() {
    let frame = frame(&envelope(5, |_| ()), CrossSafeBlocksV1);
    let recovered = crate::recover_signers(CrossSafeBlocksV1, chain(), &frame).unwrap();
    assert_eq!(recovered[0].signer, sequencer().address());
    assert_eq!(recovered[0].domain, SigningDomain::CrossSafeBlocksV1);
}

#[test]
fn a_flipped_bit_anywhere_is_never_accepted() {
    let frame = frame(&envelope(5, |_| ()), BlocksV4);
    let size = crate::snappy::decompress(&frame).unwrap().len();
    for position in (0..size).step_by(7) {
        let bad = altered(&frame, |bytes| bytes[position] ^= 0x10);
        assert_ne!(outcome(&judge(BlocksV4, &bad)), "accept", "byte {position}");
    }
}

#[test]
fn malformed_reasons_keep_their_own_code() {
    let reason = Reason::from(crate::MalformedPayload::Truncated { size: 1, needed: 2 });
    assert_eq!(reason.code(), "payload-truncated");
    assert_eq!(payload(5).number, 5);
}
