//! The life of a case, way by way.

use super::*;
use crate::case::L1Contradiction;
use crate::consolidation::{Mismatch, Replacement, sample};
use crate::message::{ExecutingMessage, Identifier, Message};
use crate::proof::{Executed, OutputV0, ProvenLog};
use crate::validity::{Member, SameTimestamp};
use alloy::eips::BlockNumHash;
use alloy::primitives::Address;
use crosscheck_p2p::UnixSeconds;
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
fn executing(messages: &[Message]) -> Arc<ProvenLogs> {
    executing_as(OWN, messages)
}

fn executing_as(hash: B256, messages: &[Message]) -> Arc<ProvenLogs> {
    let executed = messages.iter().enumerate().map(|(index, message)| {
        let log_index = u32::try_from(index).unwrap();
        let message = ExecutingMessage { log_index, message: *message };
        Executed { log_index, transaction_index: log_index, by_deposit: false, message }
    });
    let logs = ProvenLogs::for_tests(901.into(), 50, UnixSeconds(100), vec![]);
    Arc::new(logs.with_executed(executed.collect()).with_hash(hash))
}

/// Block 10 of chain 902: one log, at index 0.
fn initiating() -> ProvenLogs {
    let log = ProvenLog { origin: ORIGIN, payload_hash: PAYLOAD };
    ProvenLogs::for_tests(ChainId::from(902), 10, UnixSeconds(80), vec![log])
}

/// Everything there is to know of the messages that cite block 10 of chain 902.
fn look_up(case: &mut Case) {
    case.learn(&set(), &initiated(initiating()));
    case.learn(&set(), &cited(true));
}

fn initiated(logs: ProvenLogs) -> Fact {
    Fact::Initiating { logs: Arc::new(logs), is_valid: false }
}

fn cited(is_valid: bool) -> Fact {
    Fact::CitedBlock { key: BlockKey { chain_id: 902.into(), number: 10, hash: B256::ZERO }, is_valid }
}

fn derived(case: &mut Case, hash: B256, attributes: &BlockAttributes, candidates: &[Candidate]) {
    let output = OutputV0 { state_root: B256::ZERO, withdrawals_root: B256::ZERO, block_hash: hash };
    let (attributes, candidates) = (attributes.clone(), candidates.to_vec());
    let derived = DerivedBlock { hash, attributes, output, candidates, is_second_hand: false };
    case.learn(&set(), &Fact::Derived(Box::new(derived)));
}

fn name(case: &Case) -> &'static str {
    case.verdict().map_or("open", Verdict::name)
}

#[test]
fn a_derived_block_without_messages_is_upheld() {
    let mut case = case(full());
    assert_eq!(case.needs(), [Need::Fact(FactNeed::Derived)].into());
    derived(&mut case, OWN, &full(), &[]);
    assert_eq!(case.needs(), [Need::Fact(FactNeed::Logs { hash: OWN, number: 50 })].into());
    case.learn(&set(), &Fact::Logs(executing(&[])));
    assert_eq!(case.verdict(), Some(&Verdict::Upheld));
    assert!(case.needs().is_empty());
}

#[test]
fn a_block_with_a_valid_message_is_upheld_after_the_lookup() {
    let mut case = case(full());
    derived(&mut case, OWN, &full(), &[]);
    case.learn(&set(), &Fact::Logs(executing(&[message(0)])));
    let need =
        Need::Fact(FactNeed::Initiating { chain_id: 902.into(), number: 10, timestamp: UnixSeconds(80) });
    assert_eq!(case.needs(), [need].into());
    assert_eq!(name(&case), "open");
    case.learn(&set(), &initiated(initiating()));
    assert_eq!(
        case.needs(),
        [Need::Around(AroundNeed::CitedBlock { chain_id: 902.into(), number: 10 })].into()
    );
    assert_eq!(name(&case), "open");
    case.learn(&set(), &cited(true));
    assert_eq!(name(&case), "upheld");
}

#[test]
fn a_proven_contradiction_is_a_violation_even_if_other_messages_are_unknown() {
    let mut case = case(full());
    derived(&mut case, OWN, &full(), &[]);
    let mut elsewhere = message(0);
    elsewhere.identifier.block_number = 11;
    case.learn(&set(), &Fact::Logs(executing(&[elsewhere, message(1)])));
    case.learn(&set(), &initiated(initiating()));
    let Some(Verdict::Violated(Violation::InvalidMessage(invalid))) = case.verdict() else { panic!() };
    assert_eq!((invalid.log_index, invalid.reason.code()), (1, "log-not-found"));
    assert_eq!(case.messages()[0].status, MessageStatus::Unknown);
}

#[test]
fn a_claim_that_is_invalid_by_itself_needs_no_other_chain() {
    let mut case = case(full());
    derived(&mut case, OWN, &full(), &[]);
    let mut stranger = message(0);
    stranger.identifier.chain_id = 999.into();
    case.learn(&set(), &Fact::Logs(executing(&[stranger])));
    assert_eq!(name(&case), "violated");
}

#[rstest]
#[case::still_behind(9, 79, "open")]
#[case::at_it(9, 80, "open")]
#[case::past_it(9, 81, "violated")]
fn a_missing_initiating_block(#[case] number: u64, #[case] timestamp: u64, #[case] expected: &str) {
    let mut case = case(full());
    derived(&mut case, OWN, &full(), &[]);
    case.learn(&set(), &Fact::Logs(executing(&[message(0)])));
    let chain_id = 902.into();
    case.learn(&set(), &Fact::InitiatingTip { chain_id, number, timestamp: UnixSeconds(timestamp) });
    assert_eq!(name(&case), expected);
}

/// The chain's node has the deposits-only block in its place already: what was wrong with it is found all the
/// same.
#[rstest]
#[case::an_invalid_message(1, "violated", "invalid-message")]
#[case::all_valid(0, "discarded", "not-derived")]
fn a_block_that_was_replaced_before_it_was_examined(
    #[case] log_index: u32,
    #[case] verdict: &str,
    #[case] reason: &str,
) {
    let mut case = case(full());
    derived(&mut case, B256::repeat_byte(9), &deposits(), &[]);
    assert_eq!(name(&case), "open");
    case.learn(&set(), &Fact::Logs(executing(&[message(log_index)])));
    look_up(&mut case);
    assert_eq!((name(&case), case.verdict().and_then(Verdict::reason)), (verdict, Some(reason)));
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

#[test]
fn a_message_is_valid_only_if_its_cited_block_is_valid() {
    let mut case = case(full());
    derived(&mut case, OWN, &full(), &[]);
    case.learn(&set(), &Fact::Logs(executing(&[message(0)])));
    case.learn(&set(), &initiated(initiating()));
    case.learn(&set(), &cited(false));
    let Some(Verdict::Violated(Violation::InvalidMessage(invalid))) = case.verdict() else { panic!() };
    assert_eq!(invalid.reason.code(), "initiating-block-invalid");
}

/// That a block is valid says nothing of the log that stood in another: it is looked for again.
#[test]
fn a_valid_block_that_took_the_place_of_the_cited_one_is_examined() {
    let mut case = case(full());
    derived(&mut case, OWN, &full(), &[]);
    case.learn(&set(), &Fact::Logs(executing(&[message(0)])));
    case.learn(&set(), &initiated(initiating()));
    let other = B256::repeat_byte(3);
    let key = BlockKey { chain_id: 902.into(), number: 10, hash: other };
    case.learn(&set(), &Fact::CitedBlock { key, is_valid: true });
    let need =
        Need::Fact(FactNeed::Initiating { chain_id: 902.into(), number: 10, timestamp: UnixSeconds(80) });
    assert_eq!((name(&case), case.needs()), ("open", [need].into()));
    let empty = ProvenLogs::for_tests(902.into(), 10, UnixSeconds(80), vec![]).with_hash(other);
    case.learn(&set(), &initiated(empty));
    assert_eq!(
        (name(&case), case.verdict().and_then(Verdict::reason)),
        ("violated", Some("invalid-message"))
    );
}

/// Chain 901 is named by stripping alone as long as the message that closes its own cycle is not known.
#[test]
fn rule_dependence_is_known_only_once_all_messages_are_checked() {
    let at = |chain: u64, log_index: u32, cited: u64, cited_log_index: u32| SameTimestamp {
        chain_id: chain.into(),
        log_index,
        cited_chain_id: cited.into(),
        cited_log_index,
    };
    let some = [at(901, 0, 903, 0), at(902, 0, 901, 0), at(902, 1, 902, 2)];
    let all = [some.as_slice(), &[at(903, 0, 901, 0)]].concat();
    for (messages, verdict, is_rule_dependent) in [(&some[..], "upheld", true), (&all, "violated", false)] {
        let mut case = case_of_contemporary();
        case.learn(&set(), &Fact::SameTimestamp { messages: some.to_vec(), is_complete: false });
        assert_eq!((name(&case), case.is_rule_dependent()), ("open", false));
        case.learn(&set(), &Fact::SameTimestamp { messages: messages.to_vec(), is_complete: true });
        assert_eq!((name(&case), case.is_rule_dependent()), (verdict, is_rule_dependent));
    }
}

#[test]
fn a_deposit_log_survives_the_replacement_of_its_block() {
    let mut case = case(full());
    derived(&mut case, OWN, &full(), &[]);
    case.learn(&set(), &Fact::Logs(executing(&[message(0)])));
    case.learn(&set(), &initiated(initiating().with_deposit_logs(1)));
    case.learn(&set(), &cited(false));
    assert_eq!(name(&case), "upheld");
}

#[test]
fn a_message_that_a_deposit_executes_is_a_violation() {
    let mut case = case(full());
    derived(&mut case, OWN, &full(), &[]);
    let executed = Executed { by_deposit: true, ..executing(&[message(0)]).executed()[0] };
    let logs = Arc::unwrap_or_clone(executing(&[])).with_executed(vec![executed]);
    case.learn(&set(), &Fact::Logs(Arc::new(logs)));
    let Some(Verdict::Violated(Violation::InvalidMessage(invalid))) = case.verdict() else { panic!() };
    assert_eq!(invalid.reason.code(), "executed-by-deposit");
}

const NOW: UnixSeconds = UnixSeconds(100);

/// A message that cites log 0 of block 20 of chain 902, of the examined block's own timestamp.
fn contemporary() -> Message {
    let mut message = message(0);
    message.identifier.block_number = 20;
    message.identifier.timestamp = NOW;
    message
}

/// The case of a block that executes [`contemporary`], everything known but for the cycles of its timestamp.
fn case_of_contemporary() -> Case {
    let mut case = case(full());
    derived(&mut case, OWN, &full(), &[]);
    case.learn(&set(), &Fact::Logs(executing(&[contemporary()])));
    let log = ProvenLog { origin: ORIGIN, payload_hash: PAYLOAD };
    let logs = ProvenLogs::for_tests(902.into(), 20, NOW, vec![log]);
    case.learn(&set(), &initiated(logs));
    let key = BlockKey { chain_id: 902.into(), number: 20, hash: B256::ZERO };
    case.learn(&set(), &Fact::CitedBlock { key, is_valid: true });
    assert_eq!(case.needs(), [Need::Around(AroundNeed::SameTimestamp { timestamp: NOW })].into());
    case
}

fn edge(chain: u64, cited: u64) -> SameTimestamp {
    SameTimestamp { chain_id: chain.into(), log_index: 0, cited_chain_id: cited.into(), cited_log_index: 0 }
}

#[rstest]
#[case::one_way(&[edge(901, 902)], true, "upheld")]
#[case::one_way_as_far_as_is_known(&[edge(901, 902)], false, "open")]
#[case::cycle(&[edge(901, 902), edge(902, 901)], true, "violated")]
#[case::cycle_among_those_known(&[edge(901, 902), edge(902, 901)], false, "violated")]
#[case::cycle_of_others(&[edge(901, 902), edge(903, 904), edge(904, 903)], true, "upheld")]
fn messages_of_one_timestamp(
    #[case] messages: &[SameTimestamp],
    #[case] is_complete: bool,
    #[case] expected: &str,
) {
    let mut case = case_of_contemporary();
    case.learn(&set(), &Fact::SameTimestamp { messages: messages.to_vec(), is_complete });
    assert_eq!(name(&case), expected);
    let code = match case.messages()[0].status {
        MessageStatus::Invalid(reason) => Some(reason.code()),
        MessageStatus::Valid | MessageStatus::Unknown => None,
    };
    assert_eq!(code, (expected == "violated").then_some("cycle"));
}

#[test]
fn a_message_of_its_own_block_needs_no_other_block() {
    let mut case = case(full());
    derived(&mut case, OWN, &full(), &[]);
    let mut own = contemporary();
    (own.identifier.chain_id, own.identifier.block_number) = (901.into(), 50);
    let log = ProvenLog { origin: ORIGIN, payload_hash: PAYLOAD };
    let executed = Executed { log_index: 1, ..executing(&[own]).executed()[0] };
    let logs = ProvenLogs::for_tests(901.into(), 50, NOW, vec![log]).with_executed(vec![executed]);
    case.learn(&set(), &Fact::Logs(Arc::new(logs.clone())));
    case.learn(&set(), &initiated(logs));
    assert_eq!(case.needs(), [Need::Around(AroundNeed::SameTimestamp { timestamp: NOW })].into());
}

fn asking_l1(attributes: &BlockAttributes) -> Case {
    let rules = CaseRules { ask_l1: true, replacement: ReplacementRule::DepositsOnly };
    let mut case = Case::new(key(), rules, attributes.clone());
    derived(&mut case, OWN, attributes, &[]);
    assert_eq!(case.needs(), [Need::Fact(FactNeed::L1)].into());
    case
}

#[test]
fn a_block_that_l1_does_not_contradict_continues_to_its_messages() {
    let mut case = asking_l1(&full());
    case.learn(&set(), &Fact::L1Agrees { taken: None });
    assert_eq!(case.needs(), [Need::Fact(FactNeed::Logs { hash: OWN, number: 50 })].into());
}

#[test]
fn a_forged_deposit_is_found_though_the_node_derived_it() {
    let mut case = asking_l1(&full());
    let mismatch = Mismatch::Deposit { index: 1, expected: None, found: Some(PAYLOAD) };
    case.learn(&set(), &Fact::L1Contradicts(Box::new(L1Contradiction::Attribute(mismatch))));
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
fn the_l1_answer_counts_only_if_it_was_requested() {
    let mut case = case(full());
    case.learn(&set(), &Fact::L1Agrees { taken: None });
    assert_eq!(case.needs(), [Need::Fact(FactNeed::Derived)].into());
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
    assert_eq!(case.needs(), [Need::Fact(FactNeed::Logs { hash: ORIGINAL, number: 50 })].into());
    let logs = executing_as(ORIGINAL, &[message(log_index)]);
    case.learn(&set(), &Fact::Logs(Arc::clone(&logs)));
    look_up(&mut case);
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
    case.learn(&set(), &Fact::Logs(executing_as(ORIGINAL, &[message(log_index)])));
    look_up(&mut case);
    assert_eq!(name(&case), expected);
}

#[test]
fn a_followed_replacement_is_upheld_even_if_its_original_is_unavailable() {
    let mut case = case(deposits());
    derived(&mut case, OWN, &deposits(), &[candidate()]);
    case.learn(&set(), &Fact::LogsGone);
    assert_eq!(name(&case), "upheld");
}

#[test]
fn a_derived_block_that_disappears_is_requested_again() {
    let mut case = case(deposits());
    derived(&mut case, ORIGINAL, &full(), &[]);
    case.learn(&set(), &Fact::LogsGone);
    assert_eq!(case.needs(), [Need::Fact(FactNeed::Derived)].into());
}

const FORMER: B256 = B256::repeat_byte(5);

/// Another block that [`deposits`] would replace.
fn former() -> Candidate {
    let attributes = attributes(&["\x7e deposit", "\x02 former"]);
    Candidate::of(FORMER, &attributes, Replacement::DepositsOnly).unwrap()
}

/// L1 may have said another block when the replacement was attested: then that was right if that one was
/// wrong.
#[rstest]
#[case::that_was_wrong(Some(1), "open", Some(FORMER))]
#[case::that_no_node_has_any_more(None, "open", Some(FORMER))]
#[case::that_was_valid_too(Some(0), "violated", Some(ORIGINAL))]
fn a_replacement_of_a_block_that_l1_derived_earlier(
    #[case] log_index: Option<u32>,
    #[case] before: &str,
    #[case] replaced: Option<B256>,
) {
    let mut case = case(deposits());
    derived(&mut case, ORIGINAL, &full(), &[candidate(), former()]);
    case.learn(&set(), &Fact::Logs(executing_as(ORIGINAL, &[message(0)])));
    look_up(&mut case);
    assert_eq!(
        (name(&case), case.needs()),
        ("open", [Need::Fact(FactNeed::Logs { hash: FORMER, number: 50 })].into())
    );
    assert!(case.accuses_if_valid());
    match log_index {
        Some(log_index) => {
            case.learn(&set(), &Fact::Logs(executing_as(FORMER, &[message(log_index)])));
            look_up(&mut case);
        }
        None => case.learn(&set(), &Fact::LogsGone),
    }
    assert_eq!((name(&case), case.replaced()), (before, replaced));
    if before == "open" {
        assert_eq!(case.needs(), [Need::Fact(FactNeed::Final)].into());
        case.learn(&set(), &Fact::Final);
        assert_eq!((name(&case), case.replaced(), case.needs()), ("superseded", replaced, [].into()));
    } else {
        let of_derived: Vec<_> = case.messages().iter().map(|checked| checked.status).collect();
        assert_eq!(of_derived, [MessageStatus::Valid]);
        assert_eq!(case.examined().map(|logs| logs.hash()), Some(ORIGINAL));
    }
}

/// What L1 says now need not have the same deposits.
#[rstest]
#[case::that_was_wrong(1, "superseded", None)]
#[case::that_was_valid(0, "discarded", Some("not-derived"))]
fn a_replacement_where_l1_derives_a_block_with_other_deposits(
    #[case] log_index: u32,
    #[case] verdict: &str,
    #[case] reason: Option<&str>,
) {
    let mut case = case(deposits());
    derived(&mut case, ORIGINAL, &attributes(&["\x7e other deposit", "\x02 user"]), &[former()]);
    assert_eq!(
        (name(&case), case.needs()),
        ("open", [Need::Fact(FactNeed::Logs { hash: FORMER, number: 50 })].into())
    );
    case.learn(&set(), &Fact::Logs(executing_as(FORMER, &[message(log_index)])));
    look_up(&mut case);
    case.learn(&set(), &Fact::Final);
    assert_eq!((name(&case), case.verdict().and_then(Verdict::reason)), (verdict, reason));
}

#[test]
fn a_replacement_of_an_invalid_derived_block_is_upheld_without_further_checks() {
    let mut case = case(deposits());
    derived(&mut case, ORIGINAL, &full(), &[former()]);
    case.learn(&set(), &Fact::Logs(executing_as(ORIGINAL, &[message(1)])));
    look_up(&mut case);
    assert_eq!((name(&case), case.replaced()), ("upheld-replacement", Some(ORIGINAL)));
}

#[test]
fn logs_of_another_block_are_not_mistaken_for_those_of_the_examined_block() {
    let mut case = case(full());
    derived(&mut case, OWN, &full(), &[]);
    case.learn(&set(), &Fact::Logs(executing_as(ORIGINAL, &[])));
    assert_eq!(name(&case), "open");
}

proptest! {
    /// Facts may come in any order, twice, or unasked for: the verdict is the same, and stays.
    #[test]
    fn the_order_of_facts_does_not_matter(order in prop::collection::vec(0usize..5, 12..40), index in 0u32..2) {
        let mut case = case(full());
        let logs = executing(&[message(index)]);
        for step in order.into_iter().chain([0, 1, 2, 3]) {
            let before = case.verdict().cloned();
            match step {
                0 => derived(&mut case, OWN, &full(), &[]),
                1 => case.learn(&set(), &Fact::Logs(Arc::clone(&logs))),
                2 => case.learn(&set(), &initiated(initiating())),
                3 => case.learn(&set(), &cited(true)),
                _ => case.learn(&set(), &Fact::LogsGone),
            }
            if before.is_some() {
                prop_assert_eq!(case.verdict().cloned(), before);
            }
        }
        prop_assert_eq!(name(&case), if index == 0 { "upheld" } else { "violated" });
    }
}

/// The chain's node has this block at the height, by the answer of the source that it follows.
fn repeated(case: &mut Case, hash: B256, attributes: &BlockAttributes) {
    let output = OutputV0 { state_root: B256::ZERO, withdrawals_root: B256::ZERO, block_hash: hash };
    let (attributes, candidates) = (attributes.clone(), Vec::new());
    let derived = DerivedBlock { hash, attributes, output, candidates, is_second_hand: true };
    case.learn(&set(), &Fact::Derived(Box::new(derived)));
}

/// What is used against a block because the node has another, which that node has not derived, waits for
/// another node that has.
#[rstest]
#[case::another_block(attributes(&["\x7e other", "\x02 other"]), "not-derived")]
#[case::the_same_by_another_hash(full(), "execution-divergence")]
#[case::its_replacement(deposits(), "not-derived")]
fn a_case_waits_for_corroboration(#[case] theirs: BlockAttributes, #[case] expected: &str) {
    let open = || {
        let mut case = case(full());
        repeated(&mut case, ORIGINAL, &theirs);
        case.learn(&set(), &Fact::Logs(executing(&[])));
        assert_eq!(case.needs(), [Need::Fact(FactNeed::Corroboration { derived: ORIGINAL })].into());
        assert_eq!(name(&case), "open");
        case
    };
    let mut said = open();
    said.learn(&set(), &Fact::Corroborated { derived: OWN });
    assert_eq!(name(&said), "open", "that was said of another block");
    said.learn(&set(), &Fact::Corroborated { derived: ORIGINAL });
    assert_eq!(said.verdict().and_then(Verdict::reason), Some(expected));
    let mut contradicted = open();
    let contradiction = L1Contradiction::Attribute(Mismatch::TransactionCount { expected: 1, found: 2 });
    contradicted.learn(&set(), &Fact::L1Contradicts(Box::new(contradiction)));
    assert_eq!(contradicted.verdict().and_then(Verdict::reason), Some("contradicts-l1"));
    let mut dropped = open();
    dropped.learn(&set(), &Fact::OriginDropped(BlockNumHash { number: 1, hash: B256::ZERO }));
    assert_eq!(name(&dropped), "superseded");
    let mut anew = open();
    anew.learn(&set(), &Fact::DerivedOther);
    repeated(&mut anew, OWN, &full());
    anew.learn(&set(), &Fact::Logs(executing(&[])));
    assert_eq!(name(&anew), "upheld");
}

#[test]
fn an_invalid_message_needs_no_second_opinion() {
    let mut case = case(full());
    repeated(&mut case, ORIGINAL, &deposits());
    case.learn(&set(), &Fact::Logs(executing(&[message(1)])));
    case.learn(&set(), &initiated(initiating()));
    assert_eq!(case.verdict().and_then(Verdict::reason), Some("invalid-message"));
}

/// A replacement is upheld by what is wrong with the original, and not judged unjustified by a repeated
/// answer.
#[rstest]
#[case::of_an_invalid_block(1, "upheld-replacement")]
#[case::of_a_valid_block(0, "open")]
fn a_replacement_of_a_repeated_block(#[case] log_index: u32, #[case] expected: &str) {
    let mut case = case(deposits());
    repeated(&mut case, ORIGINAL, &full());
    case.learn(&set(), &Fact::Logs(executing_as(ORIGINAL, &[message(log_index)])));
    look_up(&mut case);
    assert_eq!(name(&case), expected);
    if expected == "open" {
        case.learn(&set(), &Fact::Corroborated { derived: ORIGINAL });
        assert_eq!(case.verdict().and_then(Verdict::reason), Some("unjustified-replacement"));
    }
}
