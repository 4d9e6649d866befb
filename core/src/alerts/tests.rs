//! What is reported of events and of state: a table with a row for each rule, and the life of an incident.

use super::*;
use crate::events::{
    AccessCheckAnswer, ClaimantAnswer, Event, EventCause, EventMessage, ExecutingBlock, InvalidPromotion,
    StatusChange, SuperRootAnswer, SuspectOutcome, SuspectRecord,
};
use crate::heads::SafetyLevel;
use crate::message::BlockKey;
use crate::tracker::StatusCause;
use crate::validity::StatusKind;
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, UnixSeconds};
use rstest::rstest;

const START: UnixSeconds = UnixSeconds(1_000_000);

fn at(seconds: u64) -> UnixSeconds {
    UnixSeconds(START.0 + seconds)
}

fn block(number: u64, byte: u8) -> BlockKey {
    BlockKey { chain_id: ChainId::from(901), number, hash: B256::repeat_byte(byte) }
}

fn message(level: SafetyLevel) -> EventMessage {
    EventMessage {
        executing: ExecutingBlock { key: block(7, 1), timestamp: START },
        log_index: 3,
        transaction_hash: None,
        initiating_chain: Some(ChainId::from(902)),
        level,
    }
}

fn status(level: SafetyLevel, to: StatusKind) -> StatusChange {
    let cited = BlockKey { chain_id: ChainId::from(902), ..block(5, 9) };
    StatusChange {
        message: message(level),
        from: StatusKind::Unknown,
        to,
        reason: Some("log-not-found"),
        detail: Some("block 5 of chain 902 has 4 logs".to_owned()),
        cause: EventCause(StatusCause::CitedBlock { block: cited }),
    }
}

fn invalid_at(level: SafetyLevel) -> Event {
    Event::MessageInvalid(status(level, StatusKind::Invalid))
}

fn promotion() -> InvalidPromotion {
    InvalidPromotion { message: message(SafetyLevel::Safe), reason: None, detail: None }
}

fn verdict(of: BlockKey, name: &'static str, attributable: Option<bool>, ancestor_of: Option<B256>) -> Event {
    let detail = "executes an invalid message".to_owned();
    Event::Verdict { block: of, verdict: name.into(), reason: None, detail, attributable, ancestor_of }
}

fn violated() -> Event {
    verdict(block(7, 1), "violated", Some(true), None)
}

fn replacement() -> Event {
    verdict(block(7, 2), "upheld-replacement", Some(true), None)
}

fn ended(state: &'static str) -> Event {
    let message = message(SafetyLevel::LocalSafe);
    Event::Ended { message, status: StatusKind::Invalid, state, ended_by: None }
}

fn refuted() -> Event {
    Event::ClaimRefuted {
        block: block(7, 1),
        claimant: "claimant #0 of chain 901".to_owned(),
        claimed: BlockNumHash { number: 8, hash: B256::repeat_byte(3) },
        verdict: "violated".into(),
        reason: None,
        detail: "executes an invalid message".to_owned(),
    }
}

fn withdrawn() -> Event {
    Event::VerdictTakenBack { block: block(7, 1), verdict: "violated".into(), reason: None }
}

fn retraction(reason: &'static str) -> Event {
    let to = BlockNumHash { number: 6, hash: B256::repeat_byte(6) };
    Event::Retraction { chain_id: ChainId::from(901), from: to, to, reason }
}

fn differing(kind: &str) -> Event {
    let hash = B256::repeat_byte(4);
    match kind {
        "claimants" => {
            let answer = |name: &str| ClaimantAnswer { claimant: name.to_owned(), hash };
            let answers = [answer("b"), answer("a")];
            Event::ClaimantsDiffer { chain_id: ChainId::from(901), number: 7, answers }
        }
        "roots" => {
            let answer =
                |by: &str| SuperRootAnswer { by: by.to_owned(), super_root: hash, outputs: Vec::new() };
            let answers = [answer("supernode #0"), answer("crosscheck")];
            Event::SuperRootsDiffer { block: block(7, 1), timestamp: START, answers }
        }
        _ => {
            let answer =
                |by: &str| AccessCheckAnswer { by: by.to_owned(), is_valid: true, code: None, detail: None };
            let answers = [answer("filter #0"), answer("crosscheck")];
            Event::AccessChecksDiffer { message: message(SafetyLevel::Unsafe), answers }
        }
    }
}

fn suspect() -> Event {
    Event::Suspect(SuspectRecord {
        id: 1,
        block: block(7, 1),
        transaction_hash: B256::ZERO,
        transaction_index: 0,
        access: None,
        reason: "log-not-found",
        detail: "the log is not there".to_owned(),
        outcome: SuspectOutcome::Pending,
    })
}

/// Hands over an event, and returns what is reported.
fn hand(book: &mut AlertBook, event: &Event, now: UnixSeconds) -> Vec<Transition> {
    observe(event).into_iter().flat_map(|observed| book.observe(observed, Some(1), now)).collect()
}

/// A transition in words: what changed, the kind and the severity.
fn reported(transitions: &[Transition]) -> Vec<String> {
    let name = |transition: &Transition| match transition {
        Transition::Fired(_) => "fired",
        Transition::Escalated(_) => "escalated",
        Transition::Renotified(_) => "renotified",
        Transition::Resolved(_) => "resolved",
    };
    let text = |transition: &Transition| {
        let alert = transition.alert();
        format!("{} {:?} {}", name(transition), alert.kind, alert.severity.name())
    };
    transitions.iter().map(text).collect()
}

/// What the first sight of each event is reported as.
#[rstest]
#[case::unsafe_block(invalid_at(SafetyLevel::Unsafe), &["fired InvalidMessageUnsafe page"])]
#[case::cross_unsafe_block(invalid_at(SafetyLevel::CrossUnsafe), &["fired InvalidMessageUnsafe page"])]
#[case::derived_block(invalid_at(SafetyLevel::LocalSafe), &["fired InvalidMessageSafe page"])]
#[case::cross_safe_block(invalid_at(SafetyLevel::Safe), &["fired InvalidMessagePromoted all-hands"])]
#[case::promoted(Event::MessageInvalidSafe(promotion()), &["fired InvalidMessagePromoted all-hands"])]
#[case::promoted_to_final(Event::MessageInvalidFinal(promotion()), &["fired InvalidMessagePromoted all-hands"])]
#[case::became_invalid(
    Event::Flip(status(SafetyLevel::Unsafe, StatusKind::Invalid)),
    &["fired InvalidMessageUnsafe page", "fired MessageFlipped warning"]
)]
#[case::became_valid(
    Event::Flip(status(SafetyLevel::Unsafe, StatusKind::Valid)), &["fired MessageFlipped warning"]
)]
#[case::undeclared(Event::Undeclared(message(SafetyLevel::Unsafe)), &["fired UndeclaredAccess page"])]
#[case::undecodable(
    Event::Undecodable { message: message(SafetyLevel::Unsafe), detail: "it has 1 topic".to_owned() },
    &["fired UndecodableInboxLog warning"]
)]
#[case::suspect(suspect(), &["fired SuspectDeclared info"])]
#[case::ended(ended("resolved"), &[])]
#[case::attested(violated(), &["fired AttestationViolated page"])]
#[case::attested_on_top(
    verdict(block(7, 1), "violated", None, Some(B256::ZERO)), &["fired AttestationViolated page"]
)]
#[case::discarded(verdict(block(7, 1), "discarded", Some(true), None), &["fired AttestationViolated page"])]
#[case::replayed(
    verdict(block(7, 1), "violated", Some(false), None), &["fired AttestationViolatedReplayable warning"]
)]
#[case::derived(verdict(block(7, 1), "violated", None, None), &["fired InvalidBlockDerived page"])]
#[case::upheld(verdict(block(7, 1), "upheld", Some(true), None), &[])]
#[case::superseded(verdict(block(7, 1), "superseded", Some(true), None), &[])]
#[case::correctly_replaced(replacement(), &[])]
#[case::claim_refuted(refuted(), &["fired ClaimRefuted page"])]
#[case::claimants(differing("claimants"), &["fired ClaimantsDiffer warning"])]
#[case::super_roots(differing("roots"), &["fired SuperRootDiffers warning"])]
#[case::access_checks(differing("access"), &["fired AccessCheckDiffers warning"])]
#[case::withdrawn(withdrawn(), &["fired VerdictWithdrawn info"])]
#[case::l1_reorg(retraction("l1-reorg"), &["fired VouchedHeadMovedBack info"])]
#[case::disproven(retraction("disproven"), &["fired ResolvedBlockInvalid page"])]
fn an_event_is_reported_as(#[case] event: Event, #[case] expected: &[&str]) {
    let mut book = AlertBook::default();
    assert_eq!(reported(&hand(&mut book, &event, START)), expected);
    assert!(hand(&mut book, &event, START).is_empty(), "the same once more is no news");
}

/// The seed's rules: one incident, from the unsafe block to its end.
#[rstest]
#[case::attested_too(&[violated()], &[])]
#[case::claimed_too(&[refuted()], &[])]
#[case::promoted(
    &[Event::MessageInvalidSafe(promotion()), Event::MessageInvalidFinal(promotion())],
    &["escalated InvalidMessagePromoted all-hands"]
)]
#[case::replaced(&[replacement()], &["resolved InvalidMessageUnsafe page"])]
#[case::resolved(&[ended("resolved")], &["resolved InvalidMessageUnsafe page"])]
#[case::orphaned(&[ended("orphaned")], &["resolved InvalidMessageUnsafe page"])]
#[case::final_on_a_node_that_does_not_verify(&[ended("finalized")], &[])]
#[case::too_old(&[ended("expired")], &[])]
#[case::valid_after_all(
    &[Event::Flip(status(SafetyLevel::Unsafe, StatusKind::Valid))],
    &["resolved InvalidMessageUnsafe page", "fired MessageFlipped warning"]
)]
#[case::attested_and_replaced(&[violated(), replacement()], &["resolved AttestationViolated page"])]
#[case::promoted_and_replaced(
    &[Event::MessageInvalidSafe(promotion()), replacement(), ended("resolved")],
    &["escalated InvalidMessagePromoted all-hands"]
)]
fn an_incident_continues(#[case] events: &[Event], #[case] expected: &[&str]) {
    let mut book = AlertBook::default();
    let first = hand(&mut book, &invalid_at(SafetyLevel::Unsafe), START);
    let key = first[0].alert().key.clone();
    let next: Vec<Transition> = events.iter().flat_map(|event| hand(&mut book, event, at(1))).collect();
    assert_eq!(reported(&next), expected);
    let of_incident =
        next.iter().map(Transition::alert).filter(|alert| alert.key.family == Family::InvalidBlock);
    assert!(of_incident.into_iter().all(|alert| alert.key == key), "one incident has one key");
}

#[test]
fn a_replay_that_turns_out_binding_escalates() {
    let mut book = AlertBook::default();
    hand(&mut book, &verdict(block(7, 1), "violated", Some(false), None), START);
    assert_eq!(reported(&hand(&mut book, &violated(), at(1))), ["escalated AttestationViolated page"]);
    let withdrawn = reported(&hand(&mut book, &withdrawn(), at(2)));
    assert_eq!(withdrawn, ["resolved AttestationViolated page", "fired VerdictWithdrawn info"]);
}

fn unresolved(blocks: &[BlockKey]) -> Observed {
    let of = |block: &BlockKey| UnresolvedViolation {
        block: *block,
        is_binding: true,
        is_claimed: false,
        detail: "executes an invalid message".to_owned(),
    };
    Observed::Unresolved(blocks.iter().map(of).collect())
}

/// What the ledger has as unresolved is for an operator to end, also after a replacement.
#[test]
fn an_unresolved_violation_lasts_until_an_operator_resolves_it() {
    let mut book = AlertBook::default();
    hand(&mut book, &violated(), START);
    assert!(book.observe(unresolved(&[block(7, 1)]), None, at(1)).is_empty());
    assert!(hand(&mut book, &replacement(), at(2)).is_empty());
    let over = book.observe(unresolved(&[]), None, at(3));
    assert_eq!(reported(&over), ["resolved AttestationViolated page"]);
}

fn not_ready(parts: &[&str]) -> Observed {
    let of = |part: &&str| {
        let (kind, chain_id) = match *part {
            "L1 endpoint" => (AlertKind::L1Unreadable, None),
            "chain 901 peers" => (AlertKind::NoPeers, Some(ChainId::from(901))),
            "chain 901 clock" => (AlertKind::ClockWrong, Some(ChainId::from(901))),
            "ledger" => (AlertKind::LedgerFailing, None),
            _ => (AlertKind::EndpointSlow, None),
        };
        NotReady { part: (*part).to_owned(), kind, chain_id, reason: "no answer".to_owned() }
    };
    Observed::NotReady(parts.iter().map(of).collect())
}

#[test]
fn a_part_is_reported_after_its_patience_and_resolved_when_it_works() {
    let mut book = AlertBook::default();
    assert!(book.observe(not_ready(&["L1 endpoint", "chain 901 peers"]), None, START).is_empty());
    let after = book.tick(at(60));
    assert_eq!(reported(&after), ["fired NoPeers warning"]);
    assert_eq!(after[0].alert().key.to_string(), "NoPeers/901/chain 901 peers");
    assert_eq!(reported(&book.tick(at(300))), ["fired L1Unreadable page"]);
    let over = book.observe(not_ready(&["L1 endpoint"]), None, at(301));
    assert_eq!(reported(&over), ["resolved NoPeers warning"]);
    assert!(book.observe(not_ready(&["L1 endpoint", "chain 901 clock"]), None, at(302)).is_empty());
    let over = book.observe(not_ready(&[]), None, at(303));
    assert_eq!(
        reported(&over),
        ["resolved L1Unreadable page"],
        "what was never reported has no end to report"
    );
}

#[rstest]
#[case::info(suspect(), None)]
#[case::warning(verdict(block(7, 1), "violated", Some(false), None), Some(6 * 3600))]
#[case::page(invalid_at(SafetyLevel::Unsafe), Some(30 * 60))]
#[case::all_hands(Event::MessageInvalidSafe(promotion()), Some(5 * 60))]
fn what_lasts_is_reported_again(#[case] event: Event, #[case] after: Option<u64>) {
    let mut book = AlertBook::default();
    hand(&mut book, &event, START);
    match after {
        Some(after) => {
            assert!(book.tick(at(after - 1)).is_empty());
            assert!(matches!(book.tick(at(after))[..], [Transition::Renotified(_)]));
            assert!(book.tick(at(after + 1)).is_empty());
        }
        None => assert!(book.tick(at(14 * 60)).is_empty()),
    }
}

#[test]
fn what_has_no_end_of_its_own_is_over_after_a_while() {
    let mut book = AlertBook::default();
    hand(&mut book, &suspect(), START);
    hand(&mut book, &suspect(), at(600));
    assert!(book.tick(at(1499)).is_empty(), "it was seen again");
    assert_eq!(reported(&book.tick(at(1500))), ["resolved SuspectDeclared info"]);
    assert_eq!(book.firing().count(), 0);
}

#[test]
fn a_silence_holds_back_what_is_reported_and_not_what_is_known() {
    let mut book = AlertBook::default();
    let kind = Some(AlertKind::InvalidMessageUnsafe);
    book.silence(Silence { chain_id: Some(ChainId::from(901)), kind, until: at(100) });
    assert!(hand(&mut book, &invalid_at(SafetyLevel::Unsafe), START).is_empty());
    assert_eq!(book.firing().count(), 1);
    assert_eq!(reported(&book.tick(at(100))), ["fired InvalidMessageUnsafe page"]);
    book.silence(Silence { chain_id: None, kind, until: at(9999) });
    let promoted = hand(&mut book, &Event::MessageInvalidSafe(promotion()), at(101));
    assert_eq!(
        reported(&promoted),
        ["escalated InvalidMessagePromoted all-hands"],
        "another kind is reported"
    );
}

#[test]
fn the_end_of_what_was_reported_is_reported_in_a_silence() {
    let mut book = AlertBook::default();
    hand(&mut book, &invalid_at(SafetyLevel::Unsafe), START);
    book.silence(Silence { chain_id: None, kind: None, until: at(100) });
    assert_eq!(reported(&hand(&mut book, &replacement(), at(1))), ["resolved InvalidMessageUnsafe page"]);
}

#[test]
fn a_restart_neither_repeats_nor_loses() {
    let mut book = AlertBook::default();
    hand(&mut book, &invalid_at(SafetyLevel::Unsafe), START);
    book.observe(not_ready(&["ledger"]), None, START);
    let text = serde_json::to_string(&book.snapshot()).unwrap();
    let mut again = AlertBook::restore(serde_json::from_str(&text).unwrap());
    assert_eq!(again, book);
    assert!(hand(&mut again, &invalid_at(SafetyLevel::Unsafe), at(1)).is_empty());
    assert_eq!(reported(&again.tick(at(60))), ["fired LedgerFailing page"]);
    assert_eq!(reported(&hand(&mut again, &replacement(), at(61))), ["resolved InvalidMessageUnsafe page"]);
}

#[test]
fn a_clock_that_is_set_back_does_not_stop_reminders() {
    let mut book = AlertBook::default();
    hand(&mut book, &invalid_at(SafetyLevel::Unsafe), at(1_000_000));
    assert!(book.tick(START).is_empty());
    assert!(matches!(book.tick(at(30 * 60))[..], [Transition::Renotified(_)]));
}

#[test]
fn an_alert_says_what_is_at_stake_and_what_was_done() {
    let mut book = AlertBook::default();
    let fired = hand(&mut book, &invalid_at(SafetyLevel::Unsafe), START);
    let key = fired[0].alert().key.clone();
    let text = "12 ETH on chain 901".to_owned();
    book.observe(Observed::AtStake { key: key.clone(), text: text.clone() }, None, at(1));
    for step in 0..20 {
        book.observe(Observed::Done { key: key.clone(), text: format!("step {step}") }, None, at(2));
    }
    let alert = book.firing().next().unwrap();
    assert_eq!((alert.at_stake.as_ref(), alert.done.len()), (Some(&text), 16));
    assert_eq!((alert.done[15].as_str(), &alert.ids[..], alert.since), ("step 19", &[1][..], START));
    let over = book.observe(Observed::Acknowledged { key }, None, at(3));
    assert_eq!(reported(&over), ["resolved InvalidMessageUnsafe page"]);
}

#[test]
fn the_number_of_incidents_is_bounded_and_urgent_ones_stay() {
    let mut book = AlertBook::default();
    let invalid = |number: u64| {
        let key = AlertKey::invalid_block(block(number, 1));
        let (slot, kind) = (Slot::Message(0), AlertKind::InvalidMessageUnsafe);
        Observed::Begins { key, slot, kind, summary: String::new() }
    };
    let parts: Vec<String> = (0..5000).map(|place| format!("chain 901 part {place}")).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    book.observe(not_ready(&parts), None, START);
    assert_eq!(book.dropped(), 904);
    assert_eq!(reported(&book.observe(invalid(1), None, START)), ["fired InvalidMessageUnsafe page"]);
    assert_eq!(book.dropped(), 905);
}

#[test]
fn the_number_of_facts_of_an_incident_is_bounded_and_none_is_forgotten() {
    let mut book = AlertBook::default();
    let key = AlertKey::invalid_block(block(7, 1));
    let fact = |place| (key.clone(), Slot::Message(place));
    for place in 0..300 {
        let ((key, slot), kind) = (fact(place), AlertKind::InvalidMessageUnsafe);
        book.observe(Observed::Begins { key, slot, kind, summary: "x".repeat(9999) }, Some(9), START);
    }
    let ends = (0..300).flat_map(|place| {
        let (key, slot) = fact(place);
        book.observe(Observed::Ends { key, slot }, None, at(1))
    });
    assert_eq!(ends.count(), 0, "what was beyond the bound is not known to be over");
    assert!(serde_json::to_string(&book.snapshot()).unwrap().len() < 4096);
    assert_eq!(reported(&hand(&mut book, &replacement(), at(2))), ["resolved InvalidMessageUnsafe page"]);
}

#[test]
fn every_kind_is_there_once_and_in_order() {
    assert!(AlertKind::ALL.is_sorted());
    let names: std::collections::BTreeSet<String> = AlertKind::ALL.map(AlertKind::heading).into();
    assert_eq!(names.len(), AlertKind::ALL.len());
    let name = serde_json::to_value(AlertKind::InvalidMessageUnsafe).unwrap();
    assert_eq!(name, "invalid-message-unsafe");
    assert_eq!(AlertKind::NoPeers.runbook(), "docs/RUNBOOK.md#crosschecknopeers");
    for severity in Severity::ALL {
        assert_eq!(serde_json::to_value(severity).unwrap(), severity.name());
    }
}
