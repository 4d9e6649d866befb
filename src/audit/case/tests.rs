//! The life of a case, way by way.

use super::*;
use crate::consolidation::{Mismatch, sample};
use crate::interop::{ExecutingMessage, Identifier, Member, Message};
use crate::sources::{Executed, ProvenLog};
use alloy::primitives::Address;
use proptest::prelude::*;
use rstest::rstest;

const ORIGIN: Address = Address::repeat_byte(0xee);
const PAYLOAD: B256 = B256::repeat_byte(7);
const OWN: B256 = B256::ZERO;

fn set() -> DependencySet {
    let member = Member { interop_time: UnixSeconds(0), block_time: 2 };
    DependencySet::new([901, 902].map(|id| (ChainId::from(id), member)).into(), 50)
}

fn attributes(transactions: &[&'static str]) -> BlockAttributes {
    sample::block(transactions)
}

fn full() -> BlockAttributes {
    attributes(&["\x7e deposit", "\x02 user"])
}

fn deposits() -> BlockAttributes {
    attributes(&["\x7e deposit"])
}

fn key() -> BlockKey {
    BlockKey { chain_id: ChainId::from(901), number: 50, hash: OWN }
}

/// The block under audit hashes to [`OWN`], as test logs do.
fn case(attributes: BlockAttributes) -> Case {
    Case::new(key(), CaseRules::default(), attributes)
}

fn message(log_index: u32) -> Message {
    let identifier = Identifier {
        origin: ORIGIN,
        block_number: 10,
        log_index,
        timestamp: UnixSeconds(80),
        chain_id: ChainId::from(902),
    };
    Message { identifier, payload_hash: PAYLOAD }
}

/// The logs of the block under examination, which executes these messages.
fn executing(messages: &[Message]) -> ProvenLogs {
    let executed = messages.iter().enumerate().map(|(index, message)| {
        let log_index = u32::try_from(index).unwrap();
        let message = Ok(ExecutingMessage { log_index, message: *message });
        Executed { log_index, transaction_index: log_index, by_deposit: false, message }
    });
    ProvenLogs::for_tests(ChainId::from(901), 50, UnixSeconds(100), vec![]).with_executed(executed.collect())
}

/// Block 10 of chain 902: one log, at index 0.
fn initiating() -> ProvenLogs {
    let log = ProvenLog { origin: ORIGIN, payload_hash: PAYLOAD };
    ProvenLogs::for_tests(ChainId::from(902), 10, UnixSeconds(80), vec![log])
}

fn derived(case: &mut Case, hash: B256, attributes: &BlockAttributes, candidates: &[Candidate]) {
    let output = OutputV0 { state_root: B256::ZERO, withdrawals_root: B256::ZERO, block_hash: hash };
    case.learn(&set(), &Fact::Derived { hash, attributes, output, candidates });
}

fn name(case: &Case) -> &'static str {
    case.verdict().map_or("open", Verdict::name)
}

#[test]
fn a_derived_block_without_messages_is_upheld() {
    let mut case = case(full());
    assert_eq!(case.needs(), [Need::Derived].into());
    derived(&mut case, OWN, &full(), &[]);
    assert_eq!(case.needs(), [Need::Logs { hash: OWN, number: 50 }].into());
    case.learn(&set(), &Fact::Logs(&executing(&[])));
    assert_eq!(case.verdict(), Some(&Verdict::Upheld));
    assert!(case.needs().is_empty());
}

#[test]
fn a_valid_message_is_looked_up_and_upheld() {
    let mut case = case(full());
    derived(&mut case, OWN, &full(), &[]);
    case.learn(&set(), &Fact::Logs(&executing(&[message(0)])));
    let need = Need::Initiating { chain_id: 902.into(), number: 10, timestamp: UnixSeconds(80) };
    assert_eq!(case.needs(), [need].into());
    assert_eq!(name(&case), "open");
    case.learn(&set(), &Fact::Initiating(&initiating()));
    assert_eq!(name(&case), "upheld");
}

#[test]
fn a_proven_contradiction_is_a_violation_though_others_are_unknown() {
    let mut case = case(full());
    derived(&mut case, OWN, &full(), &[]);
    let mut elsewhere = message(0);
    elsewhere.identifier.block_number = 11;
    case.learn(&set(), &Fact::Logs(&executing(&[elsewhere, message(1)])));
    case.learn(&set(), &Fact::Initiating(&initiating()));
    let Some(Verdict::Violated(Violation::InvalidMessage(invalid))) = case.verdict() else { panic!() };
    assert_eq!((invalid.log_index, invalid.reason.code()), (1, "log-not-found"));
    assert_eq!(case.messages()[0].status, MessageStatus::Unknown);
}

#[test]
fn what_the_message_claims_by_itself_needs_no_other_chain() {
    let mut case = case(full());
    derived(&mut case, OWN, &full(), &[]);
    let mut stranger = message(0);
    stranger.identifier.chain_id = 999.into();
    case.learn(&set(), &Fact::Logs(&executing(&[stranger])));
    assert_eq!(name(&case), "violated");
}

#[rstest]
#[case::still_behind(9, 79, "open")]
#[case::past_it(9, 80, "violated")]
fn a_missing_initiating_block(#[case] number: u64, #[case] timestamp: u64, #[case] expected: &str) {
    let mut case = case(full());
    derived(&mut case, OWN, &full(), &[]);
    case.learn(&set(), &Fact::Logs(&executing(&[message(0)])));
    let chain_id = 902.into();
    case.learn(&set(), &Fact::InitiatingTip { chain_id, number, timestamp: UnixSeconds(timestamp) });
    assert_eq!(name(&case), expected);
}

#[test]
fn a_block_that_is_not_derived_is_discarded() {
    let mut case = case(attributes(&["\x7e deposit", "\x02 other"]));
    derived(&mut case, B256::repeat_byte(9), &full(), &[]);
    assert_eq!((name(&case), case.verdict().and_then(Verdict::reason)), ("discarded", Some("not-derived")));
}

#[test]
fn the_derived_attributes_under_another_hash_are_a_divergence() {
    let mut case = case(full());
    derived(&mut case, B256::repeat_byte(9), &full(), &[]);
    let reason = case.verdict().and_then(Verdict::reason);
    assert_eq!((name(&case), reason), ("discarded", Some("execution-divergence")));
}

fn asking_l1(attributes: &BlockAttributes) -> Case {
    let rules = CaseRules { ask_l1: true, replacement: ReplacementRule::DepositsOnly };
    let mut case = Case::new(key(), rules, attributes.clone());
    derived(&mut case, OWN, attributes, &[]);
    assert_eq!(case.needs(), [Need::L1].into());
    case
}

#[test]
fn a_block_that_l1_does_not_contradict_goes_on_to_its_messages() {
    let mut case = asking_l1(&full());
    case.learn(&set(), &Fact::L1Agrees);
    assert_eq!(case.needs(), [Need::Logs { hash: OWN, number: 50 }].into());
}

#[test]
fn a_forged_deposit_is_found_though_the_node_derived_it() {
    let mut case = asking_l1(&full());
    let mismatch = Mismatch::Deposit { index: 1, expected: None, found: Some(PAYLOAD) };
    case.learn(&set(), &Fact::L1Contradicts(&L1Contradiction::Attribute(mismatch)));
    let reason = case.verdict().and_then(Verdict::reason);
    assert_eq!((name(&case), reason), ("discarded", Some("forged-deposits")));
}

#[test]
fn a_block_whose_origin_l1_dropped_is_superseded() {
    let mut case = asking_l1(&full());
    case.learn(&set(), &Fact::OriginDropped(BlockNumHash { number: 7, hash: PAYLOAD }));
    assert_eq!(name(&case), "superseded");
}

#[test]
fn what_l1_says_counts_only_when_it_was_asked() {
    let mut case = case(full());
    case.learn(&set(), &Fact::L1Agrees);
    assert_eq!(case.needs(), [Need::Derived].into());
}

const ORIGINAL: B256 = B256::repeat_byte(9);

#[rstest]
#[case::of_an_invalid_block(1, "upheld-replacement", None)]
#[case::of_a_valid_block(0, "violated", Some("unjustified-replacement"))]
fn a_replacement_of_the_derived_block(
    #[case] log_index: u32,
    #[case] expected: &str,
    #[case] reason: Option<&str>,
) {
    let mut case = case(deposits());
    derived(&mut case, ORIGINAL, &full(), &[]);
    assert_eq!(case.needs(), [Need::Logs { hash: ORIGINAL, number: 50 }].into());
    let logs = executing(&[message(log_index)]).with_hash(ORIGINAL);
    case.learn(&set(), &Fact::Logs(&logs));
    case.learn(&set(), &Fact::Initiating(&initiating()));
    assert_eq!((name(&case), case.verdict().and_then(Verdict::reason)), (expected, reason));
    assert_eq!(case.replaced(), Some(ORIGINAL));
}

fn candidate() -> Candidate {
    Candidate::of(ORIGINAL, &full(), Replacement::DepositsOnly).unwrap()
}

#[rstest]
#[case::seen_and_invalid(1, "upheld-replacement")]
#[case::seen_and_valid(0, "upheld")]
fn a_replacement_that_the_chain_already_follows(#[case] log_index: u32, #[case] expected: &str) {
    let mut case = case(deposits());
    derived(&mut case, OWN, &deposits(), &[candidate()]);
    case.learn(&set(), &Fact::Logs(&executing(&[message(log_index)]).with_hash(ORIGINAL)));
    case.learn(&set(), &Fact::Initiating(&initiating()));
    assert_eq!(name(&case), expected);
}

#[test]
fn a_followed_replacement_whose_original_is_gone_is_still_what_l1_says() {
    let mut case = case(deposits());
    derived(&mut case, OWN, &deposits(), &[candidate()]);
    case.learn(&set(), &Fact::LogsGone);
    assert_eq!(name(&case), "upheld");
}

#[test]
fn a_derived_block_that_vanishes_is_asked_for_again() {
    let mut case = case(deposits());
    derived(&mut case, ORIGINAL, &full(), &[]);
    case.learn(&set(), &Fact::LogsGone);
    assert_eq!(case.needs(), [Need::Derived].into());
}

#[test]
fn other_blocks_logs_are_not_taken_for_the_examined_ones() {
    let mut case = case(full());
    derived(&mut case, OWN, &full(), &[]);
    case.learn(&set(), &Fact::Logs(&executing(&[]).with_hash(ORIGINAL)));
    assert_eq!(name(&case), "open");
}

proptest! {
    /// Facts may come in any order, twice, or unasked for: the verdict is the same, and stays.
    #[test]
    fn the_order_of_facts_does_not_matter(order in prop::collection::vec(0usize..4, 12..40), index in 0u32..2) {
        let mut case = case(full());
        let logs = executing(&[message(index)]);
        for step in order.into_iter().chain([0, 1, 2]) {
            let before = case.verdict().cloned();
            match step {
                0 => derived(&mut case, OWN, &full(), &[]),
                1 => case.learn(&set(), &Fact::Logs(&logs)),
                2 => case.learn(&set(), &Fact::Initiating(&initiating())),
                _ => case.learn(&set(), &Fact::LogsGone),
            }
            if before.is_some() {
                prop_assert_eq!(case.verdict().cloned(), before);
            }
        }
        prop_assert_eq!(name(&case), if index == 0 { "upheld" } else { "violated" });
    }
}
