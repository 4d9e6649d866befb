//! What was scripted against what was found: found, missed, mistaken, and found where nothing was scripted.

use super::*;
use crate::faults::{FaultPlan, FaultSpec};
use crate::findings::record as message_record;
use crate::findings::{
    AttestationRecord, BlockRecord, HoldRecord, ObservedChainStatus, ObservedMessage, ObservedRefusal,
    SidecarStatus, TrackedRecord, WaitRecord, WithdrawnVerdictPage, WithdrawnVerdictRecord,
};
use crate::findings::{EndpointOddity, ExpectedStatus};
use crate::observation::DisputedBlock;
use rstest::rstest;
use serde_json::json;

const LIE: B256 = B256::repeat_byte(0xbb);
const SIGNED: B256 = B256::repeat_byte(0x51);
const OTHER: B256 = B256::repeat_byte(0x0c);

fn planted(fault: &str) -> PlantedFault {
    let specs: Vec<FaultSpec> = vec![fault.parse().unwrap()];
    let fault = *FaultPlan::new(&specs, &[901, 902], Some(60)).unwrap().iter().next().unwrap();
    let published_at = Some(Duration::from_millis(100));
    let attestation = PlantedAttestation { hash: LIE, payload_hash: Some(SIGNED), published_at };
    let executed = fault.fault.expected_message.map(|_| message_record(1, 20, LIE, "valid").place());
    PlantedFault {
        fault,
        attestations: vec![attestation],
        claimed: None,
        executed: executed.into_iter().collect(),
    }
}

/// Takes in each planted message as it must be seen.
fn see_messages(seen: &mut Observations, planted: &[PlantedFault]) {
    for (planted, sequence) in planted.iter().zip(1..) {
        let Some(expected) = planted.fault.fault.expected_message else { continue };
        let (status, reason) = match expected.status {
            ExpectedStatus::Valid => ("valid", None),
            ExpectedStatus::Invalid(reason) => ("invalid", Some(reason.to_owned())),
        };
        let record = message_record(sequence, 20, LIE, status);
        let state = expected.ending.to_owned();
        seen.messages.take(vec![TrackedRecord { reason, state, declared: !expected.undeclared, ..record }]);
    }
}

fn record(id: u64, hash: B256, verdict: &str) -> AttestationRecord {
    AttestationRecord {
        id,
        chain_id: ChainId::from(901),
        number: 20,
        hash,
        origin: "attested".to_owned(),
        attributable: Some(true),
        verdict: verdict.to_owned(),
        reason: None,
        decided_after_ms: Some(12),
        waits: Vec::new(),
        messages: Vec::new(),
    }
}

fn violated(id: u64, hash: B256, reason: &str, rule: Option<&str>) -> AttestationRecord {
    let message = |status: &str, reason: Option<&str>| ObservedMessage {
        status: status.to_owned(),
        reason: reason.map(ToOwned::to_owned),
    };
    let messages = rule.map(|rule| vec![message("valid", None), message("invalid", Some(rule))]);
    let reason = Some(reason.to_owned());
    AttestationRecord { reason, messages: messages.unwrap_or_default(), ..record(id, hash, "violated") }
}

fn refusal(payload_hash: B256, verdict: &str, reason: &str) -> ObservedRefusal {
    ObservedRefusal {
        id: 1,
        chain_id: ChainId::from(901),
        topic: "cross-safe-blocksv1".to_owned(),
        verdict: verdict.to_owned(),
        reason: reason.to_owned(),
        payload_hash: Some(payload_hash),
    }
}

fn held_up(record: AttestationRecord) -> AttestationRecord {
    let wait = WaitRecord { chain_id: ChainId::from(901), cause: "endpoint-error".to_owned() };
    AttestationRecord { verdict: "open".to_owned(), waits: vec![wait], ..record }
}

fn seen(attestations: Vec<AttestationRecord>, refusals: Vec<ObservedRefusal>) -> Observations {
    let mut seen = Observations::default();
    seen.record_attestations(attestations, &[901]);
    seen.record_refusals(refusals, Duration::from_millis(130));
    seen
}

fn chain(chain_id: u64) -> ObservedChainStatus {
    ObservedChainStatus {
        chain_id: chain_id.into(),
        gossiped: None,
        unsafe_head: None,
        local_safe: None,
        safe: None,
        finalized: None,
        vouched: None,
        hold: None,
        open: 0,
    }
}

fn report(planted: &[PlantedFault], seen: &Observations) -> DevnetReport {
    let mut seen = seen.clone();
    see_messages(&mut seen, planted);
    DevnetReport::new(7, RunMode::ATTESTED, Vec::new(), planted, &seen)
}

#[rstest]
#[case::invalid_message("invalid-message@20", violated(1, LIE, "invalid-message", Some("log-not-found")))]
#[case::wrong_payload_hash(
    "wrong-payload-hash@20",
    violated(1, LIE, "invalid-message", Some("payload-mismatch"))
)]
#[case::wrong_log_index("wrong-log-index@20", violated(1, LIE, "invalid-message", Some("wrong-log-index")))]
#[case::expired_message("expired-message@20", violated(1, LIE, "invalid-message", Some("expired")))]
#[case::unknown_chain("unknown-chain@20", violated(1, LIE, "invalid-message", Some("unknown-chain")))]
#[case::unjustified_replacement(
    "unjustified-replacement@20",
    violated(1, LIE, "unjustified-replacement", None)
)]
#[case::justified_replacement("justified-replacement@20", record(1, LIE, "upheld-replacement"))]
#[case::not_derived("not-derived@20", record(1, LIE, "discarded"))]
fn found_as_what_it_is(#[case] fault: &str, #[case] record: AttestationRecord) {
    let report = report(&[planted(fault)], &seen(vec![record], vec![]));
    assert!(report.is_as_scripted(), "{report:?}");
    assert_eq!(report.faults[0].detected_after_ms, Some(12));
}

#[rstest]
#[case::nothing_seen("invalid-message@20", vec![], None)]
#[case::another_block("invalid-message@20", vec![record(1, OTHER, "upheld")], None)]
#[case::still_open("invalid-message@20", vec![record(1, LIE, "open")], Some("open"))]
#[case::believed("invalid-message@20", vec![record(1, LIE, "upheld")], Some("upheld"))]
#[case::another_rule(
    "invalid-message@20",
    vec![violated(1, LIE, "invalid-message", Some("expired"))],
    Some("violated: invalid-message (expired)")
)]
#[case::another_reason(
    "invalid-message@20",
    vec![violated(1, LIE, "premature", None)],
    Some("violated: premature")
)]
#[case::justified_taken_for_plain("justified-replacement@20", vec![record(1, LIE, "upheld")], Some("upheld"))]
#[case::unknown_verdict("not-derived@20", vec![record(1, LIE, "dubious")], Some("violated: dubious"))]
#[case::impostor_believed("wrong-signer@20", vec![record(1, LIE, "upheld")], Some("upheld"))]
#[case::only_the_replay_kept(
    "replay-first@20",
    vec![AttestationRecord { attributable: Some(false), ..record(1, LIE, "upheld") }],
    Some("upheld, kept as a replay only")
)]
#[case::outage_not_met("rpc-outage@20", vec![record(1, OTHER, "upheld")], None)]
fn missed_or_mistaken(
    #[case] fault: &str,
    #[case] records: Vec<AttestationRecord>,
    #[case] found: Option<&str>,
) {
    let report = report(&[planted(fault)], &seen(records, vec![]));
    assert!(!report.is_as_scripted());
    assert_eq!(report.faults[0].found.as_ref().map(ToString::to_string).as_deref(), found);
}

#[test]
fn a_wrong_signer_is_found_in_the_refusals_and_timed_from_its_publication() {
    let ancestor = AttestationRecord { origin: "ancestor".to_owned(), ..record(1, LIE, "upheld") };
    let seen = seen(vec![ancestor], vec![refusal(SIGNED, "reject", "wrong-signer")]);
    let report = report(&[planted("wrong-signer@20")], &seen);
    assert!(report.is_as_scripted(), "{report:?}");
    assert_eq!(report.faults[0].detected_after_ms, Some(30));
}

#[test]
fn an_impostors_block_that_was_only_an_ancestor_is_not_its_finding() {
    let ancestor = AttestationRecord { origin: "ancestor".to_owned(), ..record(1, LIE, "upheld") };
    let report = report(&[planted("wrong-signer@20")], &seen(vec![ancestor], vec![]));
    assert_eq!(report.faults[0].found, None);
}

#[rstest]
#[case::upheld_afterwards(&["open", "upheld"], Some("open, then upheld (901 execution client answered errors)"), true)]
#[case::open_to_the_end(&["open"], Some("open (901 execution client answers errors)"), false)]
#[case::discarded_afterwards(&["open", "discarded"], Some("discarded: not-derived"), false)]
fn an_outage(#[case] verdicts: &[&str], #[case] found: Option<&str>, #[case] as_scripted: bool) {
    let mut seen = Observations::default();
    for verdict in verdicts {
        let record = record(1, OTHER, verdict);
        seen.record_attestations(vec![if record.is_open() { held_up(record) } else { record }], &[901]);
    }
    let mut outage = planted("rpc-outage@20");
    outage.attestations.clear();
    let report = report(&[outage], &seen);
    assert_eq!(report.faults[0].found.as_ref().map(ToString::to_string).as_deref(), found);
    assert_eq!(report.is_as_scripted(), as_scripted);
}

#[rstest]
#[case::told_and_recovered(&["unknown", "known"], Some("heads unknown, then known (901 rollup node reported none)"), true)]
#[case::never_told(&["known", "known"], None, false)]
#[case::not_recovered(&["unknown", "unknown"], None, false)]
#[case::taken_for_heads(&["zero", "known"], Some("unknown heads treated as height 0 (901 rollup node reported none)"), false)]
fn a_node_without_heads(#[case] statuses: &[&str], #[case] found: Option<&str>, #[case] as_scripted: bool) {
    let mut seen = Observations::default();
    for (status, now) in statuses.iter().zip([&[901][..], &[]]) {
        let height = match *status {
            "known" => json!(9),
            "zero" => json!(0),
            _ => json!(null),
        };
        let reasons: &[&str] = match *status {
            "unknown" => {
                &["chain 901 heads: the rollup node has no heads yet (it waits for its first block)"]
            }
            _ => &[],
        };
        seen.status = serde_json::from_value(json!({
            "ready": reasons.is_empty(), "reasons": reasons,
            "chains": [{
                "chain_id": 901, "gossiped": 9, "vouched": 1, "open": 0,
                "unsafe_head": height, "local_safe": height, "safe": height, "finalized": height,
            }],
        }))
        .unwrap();
        seen.observe_unknown_heads(now);
    }
    let mut fault = planted("zero-heads@20");
    fault.attestations.clear();
    let report = report(&[fault], &seen);
    assert_eq!(report.faults[0].found.as_ref().map(ToString::to_string).as_deref(), found);
    assert_eq!(report.is_as_scripted(), as_scripted);
}

#[test]
fn an_outage_is_not_judged_by_blocks_that_another_fault_explains() {
    let lie = violated(1, LIE, "invalid-message", Some("log-not-found"));
    let honest = record(2, OTHER, "upheld");
    let mut seen = seen(vec![held_up(lie.clone()), held_up(honest.clone())], vec![]);
    seen.record_attestations(vec![lie, honest], &[901]);
    let report = report(&[planted("invalid-message@20"), planted("rpc-outage@21")], &seen);
    assert!(report.is_as_scripted(), "{report:?}");
}

#[rstest]
#[case::violated(violated(1, OTHER, "invalid-message", Some("expired")), true)]
#[case::discarded(record(1, OTHER, "discarded"), true)]
#[case::unknown_verdict(record(1, OTHER, "dubious"), true)]
#[case::upheld(record(1, OTHER, "upheld"), false)]
#[case::superseded(record(1, OTHER, "superseded"), false)]
#[case::open(record(1, OTHER, "open"), false)]
fn verdicts_that_nothing_explains(#[case] record: AttestationRecord, #[case] alarm: bool) {
    let report = report(&[], &seen(vec![record], vec![]));
    assert_eq!(report.false_alarms.len(), usize::from(alarm));
    assert_eq!(report.is_as_scripted(), !alarm);
}

#[rstest]
#[case::rejected("reject", true)]
#[case::ignored("ignore", false)]
fn unexplained_refusals_are_false_alarms(#[case] verdict: &str, #[case] alarm: bool) {
    let report = report(&[], &seen(vec![], vec![refusal(OTHER, verdict, "block-hash-mismatch")]));
    assert_eq!(report.false_alarms.len(), usize::from(alarm));
}

#[test]
fn a_verdict_without_the_message_is_half_of_what_must_be_found() {
    let planted = [planted("invalid-message@20")];
    let seen = seen(vec![violated(1, LIE, "invalid-message", Some("log-not-found"))], vec![]);
    assert!(report(&planted, &seen).is_as_scripted());
    let half = DevnetReport::new(7, RunMode::ATTESTED, Vec::new(), &planted, &seen);
    assert_eq!(half.faults[0].found.as_ref(), Some(&half.faults[0].expected));
    assert!(!half.is_as_scripted());
}

#[test]
fn a_missed_message_and_an_accused_one_fail_the_run() {
    let place = message_record(1, 30, OTHER, "valid").place();
    let missed = MissedMessage::of(place, None).unwrap();
    let report = DevnetReport { missed: vec![missed], ..report(&[], &Observations::default()) };
    assert!(!report.is_as_scripted());
    let mut seen = Observations::default();
    seen.messages.take(vec![message_record(1, 30, OTHER, "invalid")]);
    let report = DevnetReport::new(7, RunMode::ATTESTED, Vec::new(), &[], &seen);
    assert_eq!(report.false_alarms[0].found.to_string(), "message: invalid (log-not-found), tracked");
    assert!(!report.is_as_scripted());
}

#[rstest]
#[case::named(0, EndpointOddity::Lies, true)]
#[case::another_endpoint(1, EndpointOddity::Lies, false)]
#[case::named_for_something_else(0, EndpointOddity::Lags, false)]
fn a_lying_endpoint_must_be_named(#[case] place: usize, #[case] oddity: EndpointOddity, #[case] found: bool) {
    let mut planted = planted("lying-endpoint@20");
    planted.attestations.clear();
    let mut seen = Observations::default();
    seen.record_odd_endpoints([(901, place, oddity)]);
    let report = report(&[planted], &seen);
    assert_eq!(report.is_as_scripted(), found);
    let text = "outvoted (an endpoint of 901 serves another branch)";
    assert_eq!(report.faults[0].expected.to_string(), text);
}

#[rstest]
#[case::as_it_must(true, false, 1, true)]
#[case::never_named(false, false, 1, false)]
#[case::named_to_the_end(true, true, 1, false)]
#[case::told_again_and_again(true, false, 2, false)]
fn an_unlinked_client_must_be_reported_once(
    #[case] was_named: bool,
    #[case] is_named: bool,
    #[case] times: u64,
    #[case] found: bool,
) {
    let mut seen = Observations::default();
    for is_named in [was_named, is_named] {
        let reason =
            "chain 901 monitor: its execution client contradicts itself: its block 21 ...".to_owned();
        let chain = ObservedChainStatus {
            chain_id: 901.into(),
            gossiped: None,
            unsafe_head: None,
            local_safe: None,
            safe: None,
            finalized: None,
            vouched: None,
            hold: None,
            open: 0,
        };
        let reasons = if is_named { vec![reason] } else { Vec::new() };
        seen.record_status(SidecarStatus { ready: !is_named, reasons, chains: vec![chain] });
    }
    seen.record_contradictions([(901, times)]);
    let mut planted = planted("unlinked-client@20");
    planted.attestations.clear();
    assert_eq!(report(&[planted], &seen).is_as_scripted(), found);
}

#[rstest]
#[case::as_it_must("upheld-replacement", &[LIE, OTHER], true, true)]
#[case::the_replacement_is_accused("discarded", &[LIE, OTHER], true, false)]
#[case::one_block_is_not_named("upheld-replacement", &[LIE], true, false)]
#[case::nothing_is_told("upheld-replacement", &[], true, false)]
#[case::it_is_told_for_ever("upheld-replacement", &[LIE, OTHER], false, false)]
fn nodes_on_a_replaced_block_are_reported_with_both_blocks(
    #[case] verdict: &str,
    #[case] named: &[B256],
    #[case] is_over: bool,
    #[case] found: bool,
) {
    let mut seen = seen(vec![record(1, LIE, verdict)], Vec::new());
    let names: Vec<String> = named.iter().map(ToString::to_string).collect();
    let reason = format!("chain 901 branch: its nodes remain on {}", names.join(", replaced by "));
    let stale = SidecarStatus { ready: false, reasons: vec![reason], chains: Vec::new() };
    seen.record_status(if named.is_empty() { SidecarStatus::default() } else { stale });
    seen.observe_remaining(901, LIE, OTHER);
    if is_over {
        seen.record_status(SidecarStatus { ready: true, ..SidecarStatus::default() });
    }
    assert_eq!(report(&[planted("plain-sibling@20")], &seen).is_as_scripted(), found);
}

#[rstest]
#[case::as_it_must("upheld-replacement", 11, true)]
#[case::the_replacement_is_accused("discarded", 11, false)]
#[case::the_label_of_the_client_is_believed("upheld-replacement", 18, false)]
fn nothing_is_final_because_a_client_is_taken_back(
    #[case] verdict: &str,
    #[case] finalized: u64,
    #[case] found: bool,
) {
    let mut seen = seen(vec![record(1, LIE, verdict)], Vec::new());
    let chain = ObservedChainStatus {
        chain_id: 901.into(),
        gossiped: None,
        unsafe_head: None,
        local_safe: None,
        safe: None,
        finalized: Some(finalized),
        vouched: None,
        hold: None,
        open: 0,
    };
    seen.record_status(SidecarStatus { ready: true, reasons: Vec::new(), chains: vec![chain] });
    seen.observe_rewind(901, 11);
    assert_eq!(report(&[planted("rewind-sibling@20")], &seen).is_as_scripted(), found);
}

#[rstest]
#[case::as_it_must("upheld", 2, [1, 1], true)]
#[case::the_dropped_one_is_accused("discarded", 2, [1, 1], false)]
#[case::not_attested_anew("upheld", 1, [1, 1], false)]
#[case::a_head_stays("upheld", 2, [1, 0], false)]
#[case::a_head_goes_back_twice("upheld", 2, [2, 1], false)]
fn what_l1_dropped_stays_upheld_and_every_head_leaves_it(
    #[case] dropped: &str,
    #[case] attestations: usize,
    #[case] left: [u64; 2],
    #[case] found: bool,
) {
    let mut planted = planted("l1-reorg-final@20");
    let anew = PlantedAttestation { hash: OTHER, ..planted.attestations[0] };
    planted.attestations.push(anew);
    planted.attestations.truncate(attestations);
    let mut seen = seen(vec![record(1, LIE, dropped), record(2, OTHER, "upheld")], Vec::new());
    let chains = vec![chain(901), chain(902)];
    seen.record_status(SidecarStatus { ready: true, reasons: Vec::new(), chains });
    seen.record_l1_retractions([(901, left[0]), (902, left[1])]);
    assert_eq!(report(&[planted], &seen).is_as_scripted(), found);
}

#[rstest]
#[case::as_it_must("unreplaced@20", "upheld-replacement", 2, 1, 0, true)]
#[case::the_replacement_is_accused("unreplaced@20", "violated", 2, 1, 0, false)]
#[case::nothing_in_its_place("unreplaced@20", "upheld-replacement", 1, 1, 0, false)]
#[case::the_head_stays("unreplaced@20", "upheld-replacement", 2, 0, 0, false)]
#[case::said_to_be_an_equivocation("unreplaced@20", "upheld-replacement", 2, 1, 1, false)]
#[case::its_word_comes_late("unreplaced-unseen@20", "superseded", 2, 0, 0, true)]
#[case::its_late_word_is_accused("unreplaced-unseen@20", "violated", 2, 0, 0, false)]
fn what_was_replaced_and_is_undone_is_used_against_no_one(
    #[case] fault: &str,
    #[case] verdict: &str,
    #[case] attestations: usize,
    #[case] left: u64,
    #[case] equivocations: u64,
    #[case] found: bool,
) {
    let mut planted = planted(fault);
    let anew = PlantedAttestation { hash: OTHER, ..planted.attestations[0] };
    planted.attestations.push(anew);
    planted.attestations.truncate(attestations);
    let mut seen = seen(vec![record(1, LIE, verdict), record(2, OTHER, "upheld")], Vec::new());
    see_messages(&mut seen, core::slice::from_ref(&planted));
    seen.record_replaced_retractions([(901, left), (902, 5)]);
    seen.record_equivocations([(901, equivocations), (902, 0)]);
    assert_eq!(report(&[planted], &seen).is_as_scripted(), found);
}

#[rstest]
#[case::as_it_must("unjustified-replacement", 1, "upheld", 0, 1, true)]
#[case::it_stays_accused("unjustified-replacement", 1, "violated", 1, 0, false)]
#[case::nothing_is_told("unjustified-replacement", 1, "upheld", 0, 0, false)]
#[case::told_twice("unjustified-replacement", 1, "upheld", 0, 2, false)]
#[case::still_counted("unjustified-replacement", 1, "upheld", 1, 1, false)]
#[case::never_counted("unjustified-replacement", 0, "upheld", 0, 1, false)]
#[case::accused_of_something_else("invalid-message", 1, "upheld", 0, 1, false)]
fn a_verdict_that_l1_makes_untrue_is_taken_back_and_nothing_is_left_of_it(
    #[case] reason: &str,
    #[case] counted: u64,
    #[case] verdict: &str,
    #[case] left: u64,
    #[case] reported: u64,
    #[case] found: bool,
) {
    let mut planted = planted("verdict-taken-back@20");
    planted.attestations.push(planted.attestations[0]);
    let status = |hold: Option<u64>| SidecarStatus {
        ready: true,
        reasons: Vec::new(),
        chains: vec![ObservedChainStatus { hold: hold.map(|number| HoldRecord { number }), ..chain(901) }],
    };
    let wrong = DisputedBlock { chain_id: 901, number: 20, hash: LIE, holds: true };
    let mut seen = seen(vec![violated(1, LIE, reason, None)], Vec::new());
    seen.record_status(status(None));
    seen.record_unresolved([(901, counted), (902, 5)].into());
    assert!(!seen.is_accused(&wrong), "it holds no head");
    seen.record_status(status(Some(20)));
    seen.observe_accusation(&wrong);
    let event = |id| WithdrawnVerdictRecord {
        id,
        block: BlockRecord { chain_id: 901.into(), number: 20, hash: LIE },
        verdict: "violated".to_owned(),
        reason: Some(reason.to_owned()),
    };
    seen.record_withdrawn_verdicts(WithdrawnVerdictPage {
        events: (1..=reported).map(event).collect(),
        cursor: 9,
    });
    assert_eq!(seen.first_unsettled(), (reported > 0).then_some(1), "it is read again");
    let now = match verdict {
        "violated" => violated(1, LIE, reason, None),
        verdict => record(1, LIE, verdict),
    };
    seen.record_attestations(vec![now], &[]);
    seen.record_unresolved([(901, left)].into());
    assert!(!seen.is_cleared(&wrong), "it still holds the head");
    seen.record_status(status(None));
    seen.observe_clearing(&wrong);
    assert_eq!(report(&[planted], &seen).is_as_scripted(), found);
    assert_eq!(seen.withdrawn_verdicts.cursor(), 9);
}

#[test]
fn accusing_the_block_of_a_wrong_signer_is_a_false_alarm() {
    let accused = AttestationRecord { origin: "ancestor".to_owned(), ..record(1, LIE, "discarded") };
    let seen = seen(vec![accused], vec![refusal(SIGNED, "reject", "wrong-signer")]);
    assert_eq!(report(&[planted("wrong-signer@20")], &seen).false_alarms.len(), 1);
}

#[test]
fn a_hash_counts_on_its_own_chain_only() {
    let elsewhere = AttestationRecord { chain_id: ChainId::from(902), ..record(1, LIE, "discarded") };
    let report = report(&[planted("not-derived@20")], &seen(vec![elsewhere], vec![]));
    assert_eq!((report.faults[0].found.clone(), report.false_alarms.len()), (None, 1));
}

const FOLLOWER: FollowerReport = FollowerReport {
    chain_id: 901,
    safe: 14,
    finalized: 9,
    left_honest_chain: false,
    went_backwards: false,
    beyond_violation: false,
    led_onto_invalid: false,
    rejected_statuses: 2,
};

#[rstest]
#[case::sound(FOLLOWER, true)]
#[case::off_the_chain(FollowerReport { left_honest_chain: true, ..FOLLOWER }, false)]
#[case::backwards(FollowerReport { went_backwards: true, ..FOLLOWER }, false)]
#[case::too_far(FollowerReport { beyond_violation: true, ..FOLLOWER }, false)]
#[case::onto_invalid(FollowerReport { led_onto_invalid: true, ..FOLLOWER }, false)]
fn a_follower_that_was_misled_fails_the_run(#[case] follower: FollowerReport, #[case] as_scripted: bool) {
    let report = DevnetReport { followers: vec![follower], ..report(&[], &seen(vec![], vec![])) };
    assert_eq!(report.is_as_scripted(), as_scripted);
}

/// What one invalid message decides leaves no time for the others; elsewhere a message without an answer is a
/// miss.
#[rstest]
#[case::violated("violated", 0, 1)]
#[case::upheld("upheld", 1, 0)]
#[case::open("open", 1, 0)]
fn a_message_without_an_answer_counts_by_its_block(
    #[case] verdict: &str,
    #[case] unknown: u64,
    #[case] unchecked: u64,
) {
    let message = ObservedMessage { status: "unknown".to_owned(), reason: None };
    let record = AttestationRecord { messages: vec![message], ..record(1, LIE, verdict) };
    let counts = count_messages(&seen(vec![record], vec![]));
    assert_eq!((counts.executed, counts.unknown, counts.unchecked), (1, unknown, unchecked));
}

#[test]
fn the_json_has_the_agreed_shape() {
    let chains = vec![ChainReport {
        chain_id: 901,
        unsafe_head: 60,
        local_safe: 59,
        safe: 58,
        finalized: 57,
        vouched: Some(14),
    }];
    let mut seen = seen(vec![violated(1, LIE, "invalid-message", Some("log-not-found"))], vec![]);
    let planted = [planted("invalid-message@20")];
    see_messages(&mut seen, &planted);
    let report = DevnetReport::new(7, RunMode::ATTESTED, chains, &planted, &seen);
    let expected = json!({
        "seed": 7,
        "chains": [{
            "chain_id": 901, "unsafe": 60, "local_safe": 59, "safe": 58, "finalized": 57, "vouched": 14
        }],
        "attestations": {
            "received": 1, "upheld": 0, "upheld_replacement": 0, "violated": 1, "discarded": 0, "open": 0
        },
        "unattested": {
            "received": 0, "upheld": 0, "upheld_replacement": 0, "violated": 0, "discarded": 0, "open": 0
        },
        "messages": { "executed": 2, "valid": 1, "invalid": 1, "unknown": 0, "unchecked": 0 },
        "tracked": {
            "seen": 1, "valid": 0, "invalid": 1, "undeclared": 0, "flipped": 0, "resolved": 0, "suspects": 0
        },
        "faults": [{
            "name": "invalid-message",
            "chain_id": 901,
            "block": 20,
            "expected": "violated: invalid-message (log-not-found)",
            "found": "violated: invalid-message (log-not-found)",
            "detected_after_ms": 12,
            "message": { "expected": "invalid (log-not-found), finalized", "found": "invalid (log-not-found), finalized" },
        }],
        "false_alarms": [],
        "missed": [],
        "followers": [],
        "requests": { "execution": { "whole block": 3 }, "rollup_node": {}, "l1": {} },
    });
    let execution = [("whole block".to_owned(), 3)].into();
    let report = DevnetReport { requests: RequestCounts { execution, ..RequestCounts::default() }, ..report };
    assert_eq!(serde_json::to_value(&report).unwrap(), expected);
}
