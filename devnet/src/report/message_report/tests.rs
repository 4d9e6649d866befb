//! Scripted messages against seen ones, and alarms about others.

use super::*;
use crate::faults::{FaultPlan, FaultSpec};
use crate::findings::{CitedRecord, TrackedRecord, record};
use rstest::rstest;

const HASH: B256 = B256::repeat_byte(0xaa);
const ORPHAN: B256 = B256::repeat_byte(0xbb);

fn planted(fault: &str, executed: &[(u64, B256)]) -> PlantedFault {
    let specs: Vec<FaultSpec> = vec![fault.parse().unwrap()];
    let plan = FaultPlan::new(&specs, &[901, 902], Some(160)).unwrap();
    let executed = executed.iter().map(|(number, hash)| place(*number, *hash)).collect();
    PlantedFault { fault: *plan.iter().next().unwrap(), attestations: Vec::new(), claimed: None, executed }
}

fn place(number: u64, hash: B256) -> MessagePlace {
    record(1, number, hash, "valid").place()
}

fn ended(number: u64, hash: B256, status: &str, state: &str) -> TrackedRecord {
    TrackedRecord { state: state.to_owned(), ..record(1, number, hash, status) }
}

fn seen(records: Vec<TrackedRecord>) -> SeenMessages {
    let mut seen = SeenMessages::default();
    seen.take(records);
    seen
}

fn found(planted: &PlantedFault, records: Vec<TrackedRecord>) -> MessageReport {
    let seen = seen(records);
    let script = ScriptedEffects::new(core::slice::from_ref(planted), &seen, RunMode::ATTESTED);
    MessageReport::of(planted, &script, &seen).unwrap()
}

#[rstest]
#[case::as_it_is("invalid", "finalized", true)]
#[case::believed("valid", "finalized", false)]
#[case::not_final("invalid", "tracked", false)]
#[case::undecided("unknown", "finalized", false)]
fn a_scripted_message_is_found_as_what_it_is_or_not(
    #[case] status: &str,
    #[case] state: &str,
    #[case] is: bool,
) {
    let planted = planted("invalid-message@20", &[(20, HASH)]);
    let report = found(&planted, vec![ended(20, HASH, status, state)]);
    assert_eq!(report.is_as_expected(), is, "{report:?}");
}

#[test]
fn a_message_that_was_never_seen_is_not_found() {
    let planted = planted("invalid-message@20", &[(20, HASH)]);
    assert_eq!(found(&planted, vec![]).found, None);
    assert!(!found(&planted, vec![]).is_as_expected());
}

#[test]
fn a_block_that_was_built_twice_counts_once() {
    let planted = planted("justified-replacement@20", &[(20, ORPHAN), (20, HASH)]);
    let orphaned = ended(20, ORPHAN, "unknown", "orphaned");
    assert!(found(&planted, vec![orphaned.clone(), ended(20, HASH, "invalid", "resolved")]).is_as_expected());
    assert!(!found(&planted, vec![orphaned]).is_as_expected());
}

#[test]
fn each_block_of_a_run_must_be_seen() {
    let planted = planted("replacement-chain@20", &[(20, HASH), (21, HASH), (22, HASH)]);
    let resolved = |number| ended(number, HASH, "invalid", "resolved");
    assert!(found(&planted, vec![resolved(20), resolved(21), resolved(22)]).is_as_expected());
    assert_eq!(found(&planted, vec![resolved(20), resolved(22)]).found, None);
}

#[test]
fn faults_without_messages_have_no_report() {
    let planted = planted("wrong-signer@20", &[]);
    assert_eq!(MessageReport::of(&planted, &ScriptedEffects::default(), &seen(vec![])), None);
}

fn alarms(planted: &[PlantedFault], records: Vec<TrackedRecord>) -> usize {
    let seen = seen(records);
    ScriptedEffects::new(planted, &seen, RunMode::ATTESTED).message_alarms(&seen).len()
}

#[rstest]
#[case::valid(record(1, 30, HASH, "valid"), 0)]
#[case::unknown(record(1, 30, HASH, "unknown"), 0)]
#[case::invalid(record(1, 30, HASH, "invalid"), 1)]
#[case::undeclared(TrackedRecord { declared: false, ..record(1, 30, HASH, "valid") }, 1)]
#[case::flipped(TrackedRecord { flips: 2, ..record(1, 30, HASH, "valid") }, 1)]
fn what_nothing_explains_is_an_alarm(#[case] record: TrackedRecord, #[case] expected: usize) {
    assert_eq!(alarms(&[], vec![record.clone()]), expected);
    assert_eq!(alarms(&[planted("invalid-message@30", &[(30, HASH)])], vec![record]), 0);
}

/// The records cite block 9 of chain 902.
#[rstest]
#[case::cites_the_fork("sibling-wrong-fork@10:902", 0)]
#[case::cites_below_the_fork("sibling-wrong-fork@12:902", 1)]
#[case::cites_above_the_fork("sibling-wrong-fork@3:902", 0)]
#[case::executed_on_the_fork("sibling-wrong-fork@30:901", 0)]
#[case::fork_of_another_height("sibling-wrong-fork@40:901", 1)]
fn what_another_fork_explains_is_none(#[case] fork: &str, #[case] expected: usize) {
    assert_eq!(alarms(&[planted(fork, &[])], vec![record(1, 30, HASH, "invalid")]), expected);
}

/// The block cites block 12, and that cites block 9 of chain 902, where a fork is served in the ticks 10 to
/// 17.
#[rstest]
#[case::while_it_is_served(16, 0)]
#[case::long_after(30, 1)]
fn messages_that_cite_another_branch_indirectly_are_tolerated_while_it_is_served(
    #[case] number: u64,
    #[case] expected: usize,
) {
    let cites = |chain_id: u64, block_number| CitedRecord { chain_id: ChainId::from(chain_id), block_number };
    let flipped = |number, cited| TrackedRecord {
        initiating: Some(cited),
        flips: 2,
        ..record(1, number, HASH, "valid")
    };
    let records = vec![flipped(number, cites(901, 12)), flipped(12, cites(902, 9))];
    assert_eq!(alarms(&[planted("sibling-wrong-fork@10:902", &[])], records.clone()), expected);
    assert_eq!(alarms(&[], records), 2);
}

#[test]
fn a_suspect_that_nobody_planted_is_an_alarm() {
    let suspect = |id, hash| crate::findings::ObservedSuspect {
        id,
        chain_id: ChainId::from(901),
        number: 30,
        hash,
        reason: Some("expired".to_owned()),
    };
    let mut seen = SeenMessages::default();
    seen.record_suspects(vec![suspect(1, HASH), suspect(2, ORPHAN)]);
    let script =
        ScriptedEffects::new(&[planted("expired-message@30", &[(30, HASH)])], &seen, RunMode::ATTESTED);
    let alarms = script.message_alarms(&seen);
    assert_eq!(alarms.len(), 1);
    assert_eq!(alarms[0].hash, Some(ORPHAN));
    assert_eq!(alarms[0].found.to_string(), "message: suspect (expired)");
}

#[rstest]
#[case::valid(Some("valid"), false)]
#[case::unknown(Some("unknown"), true)]
#[case::invalid(Some("invalid"), true)]
#[case::never_seen(None, true)]
fn an_honest_message_must_be_seen_to_be_valid(#[case] status: Option<&str>, #[case] is_missed: bool) {
    let seen = seen(status.map(|status| record(1, 30, HASH, status)).into_iter().collect());
    let place = place(30, HASH);
    assert_eq!(MissedMessage::of(place, seen.at(&place)).is_some(), is_missed);
}
