//! The table of rules in the crate's documentation, checked against the validator: one test per row, named
//! after it.
//!
//! Each row has a scene: a frame that breaks this rule, and on its topic no rule before it. The verdict, the
//! reason and who is at fault must be what the row says; a row without a test, or a test without a row,
//! fails.

use crate::{
    AtFault, BlockSigner, GossipForkTimes, Judgement, RefusalVerdict, Signers, Topic, UnixSeconds,
    ValidationRules, Validator,
    payload_layout::{MAX_TRANSACTIONS, WITHDRAWAL_BYTES},
    sample::{self, NOW, altered, chain, envelope, envelope_of, frame, signed_frame, signers},
};
use Topic::{BlocksV1, BlocksV2, BlocksV3, BlocksV4, CrossSafeBlocksV1};
use alloy_eips::{BlockNumHash, eip4895::Withdrawal};
use alloy_primitives::{Address, B256, Bytes, U256};
use rstest::{Context, rstest};
use std::{collections::BTreeSet, sync::Arc};

/// Where the fixed fields of a version 4 payload lie, the root in front counted.
const EXTRA_DATA: usize = 32 + 436;
const TRANSACTIONS: usize = 32 + 504;
const WITHDRAWALS: usize = 32 + 508;
const END_OF_FIXED: usize = 32 + 560;
/// The sample's extra data is 17 bytes long.
const TABLE: usize = END_OF_FIXED + 17;

/// What a frame is judged in.
struct Scene {
    validator: Validator,
    frame: Bytes,
    signers: Signers,
    now: UnixSeconds,
}

impl Scene {
    /// A frame that comes to a validator which has seen nothing, from a known signer, in time.
    fn of(frame: Bytes) -> Self {
        let validator = Validator::new(ValidationRules::new(chain()));
        Self { validator, frame, signers: signers(), now: NOW }
    }

    /// A sound block of the topic's version.
    fn sound(topic: Topic) -> Self {
        Self::of(sound(topic))
    }

    /// A version 4 block whose signed bytes `change` has been at before they were signed.
    fn resigned(topic: Topic, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut signed = envelope(5, |_| ()).encode().unwrap().to_vec();
        change(&mut signed);
        Self::of(signed_frame(&signed, topic))
    }

    /// A block that hashes to what it claims, with this done to it.
    fn changed(topic: Topic, change: impl FnOnce(&mut crate::ExecutionPayload)) -> Self {
        Self::of(frame(&envelope(5, change), topic))
    }

    fn judge(&mut self, topic: Topic) -> Judgement {
        self.validator.judge(topic, &self.frame, &self.signers, self.now)
    }
}

fn sound(topic: Topic) -> Bytes {
    frame(&envelope_of(topic.version(), 5), topic)
}

fn put(bytes: &mut [u8], at: usize, offset: usize) {
    bytes[at..at + 4].copy_from_slice(&u32::try_from(offset).unwrap().to_le_bytes());
}

/// One row of the table.
#[derive(Debug)]
struct Row {
    code: &'static str,
    blocks: &'static str,
    cross_safe: &'static str,
    fault: [&'static str; 2],
}

/// The rows, read from the documentation.
fn rows() -> Vec<Row> {
    let lines = include_str!("lib.rs").lines().filter_map(|line| line.strip_prefix("//! | `"));
    let row = |line: &'static str| {
        let cells: Vec<_> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [code, blocks, cross_safe, fault, specification, ..] = cells[..] else { panic!("{line}") };
        assert!(!specification.is_empty(), "{code} has no line of the specification");
        let fault = fault.split_once(" / ").map_or([fault, fault], |(blocks, other)| [blocks, other]);
        Row { code, blocks, cross_safe, fault }
    };
    lines.map(row).collect()
}

#[rstest]
#[case::declared_size_too_large(|_| Scene::of(Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0])))]
#[case::declared_size_too_small(|topic| Scene::of(altered(&sound(topic), |bytes| bytes.truncate(65))))]
#[case::bad_snappy(|topic| Scene::of(sound(topic).slice(..sound(topic).len() - 1)))]
#[case::no_signer_known(|topic| Scene { signers: Signers::default(), ..Scene::sound(topic) })]
#[case::bad_recovery_id(|topic| Scene::of(altered(&sound(topic), |bytes| bytes[64] = 27)))]
#[case::bad_signature(|topic| Scene::of(altered(&sound(topic), |bytes| bytes[..32].fill(0))))]
#[case::wrong_signer(|topic| Scene { signers: Signers::of(Address::repeat_byte(7)), ..Scene::sound(topic) })]
#[case::signer_in_doubt(|topic| Scene {
    signers: Signers { is_stale: true, ..Signers::of(Address::repeat_byte(7)) },
    ..Scene::sound(topic)
})]
#[case::payload_truncated(|topic| Scene::resigned(topic, |signed| signed.truncate(END_OF_FIXED - 1)))]
#[case::extra_data_offset(|topic| Scene::resigned(topic, |signed| put(signed, EXTRA_DATA, 561)))]
#[case::offsets_out_of_order(|topic| Scene::resigned(topic, |signed| put(signed, TRANSACTIONS, 559)))]
#[case::extra_data_too_long(|topic| Scene::resigned(topic, |signed| {
    signed.splice(END_OF_FIXED..END_OF_FIXED, [0; 16]);
    put(signed, TRANSACTIONS, 560 + 33);
    put(signed, WITHDRAWALS, 560 + 33 + 13);
}))]
#[case::transaction_offset(|topic| Scene::resigned(topic, |signed| put(signed, TABLE, 7)))]
#[case::too_many_transactions(|topic| Scene::resigned(topic, |signed| {
    let size = (MAX_TRANSACTIONS + 1) * 4;
    signed.truncate(END_OF_FIXED);
    signed.extend((0..=MAX_TRANSACTIONS).flat_map(|_| u32::try_from(size).unwrap().to_le_bytes()));
    put(signed, TRANSACTIONS, 560);
    put(signed, WITHDRAWALS, 560 + size);
}))]
#[case::withdrawals_size(|topic| Scene::resigned(topic, |signed| signed.push(0)))]
#[case::too_many_withdrawals(|topic| {
    Scene::resigned(topic, |signed| signed.extend(vec![0; 17 * WITHDRAWAL_BYTES]))
})]
#[case::too_old(|topic| {
    let max_age = ValidationRules::new(chain()).max_age_secs_on(topic);
    Scene { now: UnixSeconds(NOW.0 + max_age + 1), ..Scene::sound(topic) }
})]
#[case::from_the_future(|topic| Scene { now: UnixSeconds(NOW.0 - 6), ..Scene::sound(topic) })]
#[case::empty_transaction(|topic| {
    Scene::changed(topic, |payload| payload.transactions.push(Bytes::new()))
})]
#[case::base_fee_too_large(|topic| {
    Scene::changed(topic, |payload| payload.base_fee_per_gas = U256::from(1) << 64)
})]
#[case::block_hash_mismatch(|topic| Scene::resigned(topic, |signed| signed[32 + 472] ^= 1))]
#[case::withdrawals_not_empty(|topic| {
    Scene::changed(topic, |payload| sample::withdrawals(payload).push(Withdrawal::default()))
})]
#[case::blob_gas_before_jovian(|topic| {
    let jovian = Some(UnixSeconds(NOW.0 + 1));
    let forks = GossipForkTimes { jovian, ..GossipForkTimes::AT_GENESIS };
    let validator = Validator::new(ValidationRules { forks, ..ValidationRules::new(chain()) });
    Scene { validator, ..Scene::sound(topic) }
})]
#[case::excess_blob_gas(|topic| {
    Scene::changed(topic, |payload| sample::blobs(payload).excess_blob_gas = 1)
})]
#[case::replayable_domain(|topic: Topic| {
    let rules = ValidationRules { accepts_zero_domain: false, ..ValidationRules::new(chain()) };
    let zero = envelope(5, |_| ()).sign(&sample::sequencer(), crate::SigningDomain::Zero, chain());
    Scene { validator: Validator::new(rules), ..Scene::of(if topic.is_cross_safe() { zero.unwrap().frame() } else { sound(topic) }) }
})]
#[case::already_settled(|topic| {
    let mut scene = Scene::sound(topic);
    let hash = envelope(5, |_| ()).payload.block_hash;
    scene.validator.set_settled(Arc::new([(5, hash)].into_iter().collect()));
    scene
})]
#[case::too_many_at_height(|topic| {
    let mut scene = Scene::sound(topic);
    for gas_used in 0..6 {
        scene.frame = Scene::changed(topic, |payload| payload.gas_used = gas_used).frame;
        assert_eq!(scene.judge(topic).name(), "accept");
    }
    scene.frame = Scene::changed(topic, |payload| payload.gas_used = 6).frame;
    scene
})]
#[case::already_seen(|topic| {
    let mut scene = Scene::sound(topic);
    assert_eq!(scene.judge(topic).name(), "accept");
    scene
})]
fn row(
    #[context] context: Context,
    #[case] scene: fn(Topic) -> Scene,
    #[values(BlocksV4, CrossSafeBlocksV1)] topic: Topic,
) {
    let code = context.description.unwrap().replace('_', "-");
    let rows = rows();
    let row = rows.iter().find(|row| row.code == code).unwrap_or_else(|| panic!("no row {code}"));
    let (verdict, fault) =
        if topic.is_cross_safe() { (row.cross_safe, row.fault[1]) } else { (row.blocks, row.fault[0]) };
    let judgement = scene(topic).judge(topic);
    assert_eq!(judgement.name(), if verdict == "—" { "accept" } else { verdict }, "{judgement:?}");
    if let Some(refusal) = judgement.refusal() {
        assert_eq!(refusal.reason.code(), code);
        assert_eq!(refusal.reason.at_fault(topic).name(), fault);
    }
}

#[test]
fn every_row_has_a_test() {
    let (cases, _) = include_str!("rule_rows.rs").split_once("\nfn row(").unwrap();
    let tested = cases.lines().filter_map(|line| line.strip_prefix("#[case::"));
    let tested: BTreeSet<_> = tested.map(|rest| rest.split_once('(').unwrap().0.replace('_', "-")).collect();
    assert_eq!(rows().into_iter().map(|row| row.code.to_owned()).collect::<BTreeSet<_>>(), tested);
}

#[test]
fn every_reason_has_a_row() {
    let codes = |source: &'static str| {
        let (_, code) = source.split_once("pub const fn code(&self)").unwrap();
        let codes = code.lines().filter_map(|line| line.split_once("=> \"")?.1.strip_suffix("\","));
        codes.collect::<BTreeSet<_>>()
    };
    let reasons = codes(include_str!("reason.rs"));
    let malformed = codes(include_str!("payload_layout.rs"));
    // Only encoding meets that one.
    let expected: BTreeSet<_> =
        reasons.union(&malformed).copied().filter(|code| *code != "payload-too-large").collect();
    assert_eq!(rows().iter().map(|row| row.code).collect::<BTreeSet<_>>(), expected);
}

#[test]
fn the_codes_are_those_of_the_rows() {
    assert_eq!(rows().iter().map(|row| row.code).collect::<Vec<_>>(), crate::Reason::CODES);
}

/// Where two rules are broken at once, the row above is named.
#[test]
fn the_rows_are_in_the_order_of_the_checks() {
    let codes: Vec<_> = rows().iter().map(|row| row.code).collect();
    let place = |code: &str| codes.iter().position(|row| *row == code).unwrap();
    let order = [
        "declared-size-too-large",
        "no-signer-known",
        "bad-recovery-id",
        "wrong-signer",
        "payload-truncated",
        "too-old",
        "block-hash-mismatch",
        "withdrawals-not-empty",
        "excess-blob-gas",
        "already-settled",
        "too-many-at-height",
        "already-seen",
    ];
    assert!(order.is_sorted_by_key(|code| place(code)));
    let stranger = BlockSigner::from_bytes(&B256::repeat_byte(0x22)).unwrap();
    // From a stranger, malformed, late, of a wrong hash: whatever is mended, the next rule is named.
    let bad = |payload: &mut crate::ExecutionPayload| {
        sample::blobs(payload).excess_blob_gas = 1;
        sample::withdrawals(payload).push(Withdrawal::default());
    };
    let mut wrong_hash = envelope(5, bad);
    wrong_hash.payload.block_hash.0[0] ^= 1;
    let own = |envelope: &crate::Envelope| frame(envelope, BlocksV4);
    let by_stranger = wrong_hash.sign(&stranger, sample::own_domain(BlocksV4), chain()).unwrap().frame();
    let mut malformed = wrong_hash.encode().unwrap().to_vec();
    put(&mut malformed, EXTRA_DATA, 0);
    let late = UnixSeconds(NOW.0 + 61);
    let found = [
        (altered(&by_stranger, |bytes| bytes[64] = 9), Signers::default(), late),
        (altered(&by_stranger, |bytes| bytes[64] = 9), signers(), late),
        (by_stranger, signers(), late),
        (signed_frame(&malformed, BlocksV4), signers(), late),
        (own(&wrong_hash), signers(), late),
        (own(&wrong_hash), signers(), NOW),
        (own(&envelope(5, bad)), signers(), NOW),
        (own(&envelope(5, |payload| sample::blobs(payload).excess_blob_gas = 1)), signers(), NOW),
    ]
    .map(|(frame, signers, now)| {
        let judgement = Scene { signers, now, ..Scene::of(frame) }.judge(BlocksV4);
        judgement.refusal().map(|refusal| refusal.reason.code())
    });
    assert_eq!(
        found.map(Option::unwrap)[..],
        order[1..9]
            .iter()
            .map(|code| match *code {
                "payload-truncated" => "extra-data-offset",
                other => other,
            })
            .collect::<Vec<_>>()[..]
    );
}

/// What an operator learns about a frame that was refused.
#[rstest]
fn a_refusal_names_the_block_that_the_frame_claims_to_be(
    #[values(BlocksV1, BlocksV2, BlocksV3, BlocksV4, CrossSafeBlocksV1)] topic: Topic,
) {
    let envelope = envelope_of(topic.version(), 5);
    let claimed = Some(BlockNumHash { number: 5, hash: envelope.payload.block_hash });
    let of = |signers, now, frame| {
        let judgement = Scene { signers, now, ..Scene::of(frame) }.judge(topic);
        judgement.refusal().unwrap().claimed.as_deref().copied()
    };
    let stranger = Signers::of(Address::repeat_byte(7));
    assert_eq!(of(stranger, NOW, sound(topic)), claimed, "by a stranger");
    assert_eq!(of(Signers::default(), NOW, sound(topic)), claimed, "by nobody knows whom");
    assert_eq!(of(signers(), UnixSeconds(0), sound(topic)), claimed, "by who may sign");
    let short = altered(&sound(topic), |bytes| bytes.truncate(65 + 471));
    assert_eq!(of(stranger, NOW, short), None);
    assert_eq!(of(stranger, NOW, sound(topic).slice(1..)), None, "it cannot be opened");
}

#[rstest]
fn a_valid_block_of_every_version_is_accepted_on_its_topic(
    #[values(BlocksV1, BlocksV2, BlocksV3, BlocksV4, CrossSafeBlocksV1)] topic: Topic,
) {
    let Judgement::Accept(block) = Scene::sound(topic).judge(topic) else { panic!("not accepted") };
    assert_eq!(block.payload().version(), topic.version());
    assert_eq!(block.envelope(), &envelope_of(topic.version(), 5));
}

/// Withdrawals before version 2, blob fields before 3, none from then on, no withdrawals root in 4: op-node
/// checks for each; here the layout of a version has room for its own fields and no others.
#[rstest]
fn a_payload_of_another_version_does_not_follow_the_layout(
    #[values(BlocksV1, BlocksV2, BlocksV3, BlocksV4, CrossSafeBlocksV1)] topic: Topic,
    #[values(BlocksV1, BlocksV2, BlocksV3, BlocksV4)] other: Topic,
) {
    if topic.version() == other.version() {
        return;
    }
    let frame = frame(&envelope_of(other.version(), 5), topic);
    let judgement = Scene::of(frame).judge(topic);
    let refusal = judgement.refusal().unwrap();
    assert_eq!(refusal.reason.verdict(topic), RefusalVerdict::Reject);
    assert!(matches!(refusal.reason, crate::Reason::Malformed(_)), "{refusal:?}");
    assert_eq!(refusal.reason.at_fault(topic), AtFault::Signer);
}

#[rstest]
#[case::last_block_before(99, "reject")]
#[case::first_block_of_jovian(100, "accept")]
fn blob_gas_is_a_footprint_from_jovian_on(
    #[case] timestamp: u64,
    #[case] expected: &str,
    #[values(BlocksV3, BlocksV4)] topic: Topic,
) {
    let forks = GossipForkTimes { jovian: Some(UnixSeconds(100)), ..GossipForkTimes::AT_GENESIS };
    let envelope = envelope(5, |payload| {
        payload.version_fields = sample::version_fields(topic.version());
        payload.timestamp = UnixSeconds(timestamp);
        sample::blobs(payload).blob_gas_used = 7;
    });
    let validator = Validator::new(ValidationRules { forks, ..ValidationRules::new(chain()) });
    let mut scene = Scene { validator, now: UnixSeconds(100), ..Scene::of(frame(&envelope, topic)) };
    assert_eq!(scene.judge(topic).name(), expected);
}
