//! `crosscheck devnet`: the sidecar finds every scripted lie, and cries wolf at nothing.

use crate::program::crosscheck;
use rstest::rstest;
use serde_json::Value;
use std::ops::RangeInclusive;

/// Ten faults, spread over the run.
const TEN_FAULTS: [&str; 10] = [
    "invalid-message@15",
    "wrong-payload-hash@20",
    "wrong-log-index@22:902",
    "expired-message@25",
    "unknown-chain@28",
    "unjustified-replacement@32",
    "justified-replacement@38:902",
    "not-derived@42",
    "wrong-signer@46",
    "rpc-outage@50",
];

fn run(chains: &str, seed: &str, blocks: &str, faults: &[&str]) -> (Option<i32>, Value, String) {
    let mut arguments =
        vec!["devnet", "--fast", "--report", "-", "--chains", chains, "--seed", seed, "--blocks", blocks];
    arguments.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
    let output = crosscheck(&arguments).output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no report: {error}\n{complaints}"));
    (output.status.code(), report, complaints)
}

#[test]
fn the_table_is_printed_without_a_terminal() {
    let arguments =
        ["devnet", "--fast", "--chains=1", "--seed=7", "--blocks=20", "--fault=wrong-payload-hash@9"];
    let output = crosscheck(&arguments).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{table}{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        table.contains("attestations: 20 received, 19 upheld, 0 upheld as replacement, 1 violated"),
        "{table}"
    );
    assert!(table.contains("│ wrong-payload-hash ┆ 901 "), "{table}");
}

#[rstest]
#[case::two_chains("2", "7")]
#[case::four_chains("4", "3")]
fn every_scripted_fault_is_found_and_named(#[case] chains: &str, #[case] seed: &str) {
    let (code, report, complaints) = run(chains, seed, "60", &TEN_FAULTS);
    assert_eq!(report["false_alarms"], serde_json::json!([]), "{complaints}");
    let faults = report["faults"].as_array().unwrap();
    assert_eq!(faults.len(), TEN_FAULTS.len());
    for fault in faults {
        assert_eq!(fault["found"], fault["expected"], "{fault}\n{complaints}");
    }
    let expected: Vec<&str> = faults.iter().map(|fault| fault["expected"].as_str().unwrap()).collect();
    for finding in [
        "violated: invalid-message (log-not-found)",
        "violated: invalid-message (payload-mismatch)",
        "violated: invalid-message (wrong-log-index)",
        "violated: invalid-message (expired)",
        "violated: invalid-message (unknown-chain)",
        "violated: unjustified-replacement",
        "upheld-replacement",
        "discarded: not-derived",
        "rejected: wrong-signer",
    ] {
        assert!(expected.contains(&finding), "{finding} is not among {expected:?}");
    }
    let attestations = &report["attestations"];
    assert_eq!((&attestations["violated"], &attestations["discarded"]), (&6.into(), &1.into()));
    assert_eq!((&attestations["upheld_replacement"], &attestations["open"]), (&1.into(), &0.into()));
    assert_eq!(report["messages"]["unknown"], 0);
    assert!(report["messages"]["valid"].as_u64().unwrap() > 20, "{report}");
    assert_eq!(code, Some(0), "{complaints}");
    // The first violated block stops the vouched head; a chain without one is vouched for to its end.
    assert_eq!(report["chains"][0]["vouched"], 14);
    if chains == "4" {
        assert_eq!(report["chains"][2]["vouched"], 60);
    }
}

#[rstest]
#[case::l1_reorg("l1-reorg@20", "upheld", 45..=45)]
#[case::unsafe_reorg("unsafe-reorg@20", "upheld", 45..=45)]
#[case::l1_reorg_final(
    "l1-reorg-final@21",
    "upheld, retracted, upheld again (L1 reorged out the origin on 901)",
    45..=45
)]
#[case::genesis_finality(
    "genesis-finality@26",
    "no head moved back, then on (901 rollup node called genesis final)",
    45..=45
)]
#[case::forged_deposit("forged-deposit@20", "discarded: forged-deposits", 19..=19)]
#[case::wrong_min_base_fee("wrong-min-base-fee@20", "discarded: not-derived", 19..=45)]
#[case::same_attributes_other_hash("same-attributes-other-hash@20", "discarded: execution-divergence", 19..=45)]
#[case::replacement_chain("replacement-chain@15", "upheld-replacement", 45..=45)]
#[case::withdrawn_local_safe("withdrawn-local-safe@20", "upheld-replacement", 45..=45)]
#[case::plain_sibling(
    "plain-sibling@20",
    "upheld-replacement, not ready, then ready (901 nodes remained on the replaced block)",
    45..=45
)]
#[case::rewind_sibling(
    "rewind-sibling@20",
    "upheld-replacement, nothing final before its time (901 client was rewound)",
    45..=45
)]
#[case::unreplaced(
    "unreplaced@20",
    "upheld-replacement, then upheld in its place (L1 reorged out what 901 had replaced)",
    45..=45
)]
#[case::unreplaced_unseen(
    "unreplaced-unseen@20",
    "superseded, then upheld in its place (L1 reorged out what 901 had replaced)",
    45..=45
)]
#[case::verdict_taken_back(
    "verdict-taken-back@20",
    "violated: unjustified-replacement, then withdrawn and upheld (L1 reorged out what 901 had in its place)",
    45..=45
)]
#[case::sibling_wrong_fork("sibling-wrong-fork@20", "open, then upheld (901 nodes were on another branch)", 45..=45)]
#[case::attestations_out_of_order("attestations-out-of-order@15", "upheld", 45..=45)]
#[case::attestations_lost("attestations-lost@10", "upheld as ancestor", 45..=45)]
#[case::lagoon_activation("lagoon-activation@20", "upheld", 45..=45)]
#[case::replay_first("replay-first@15", "upheld", 45..=45)]
#[case::child_first("child-first@20", "discarded: not-derived", 19..=45)]
fn a_single_consolidation_fault_is_found(
    #[case] fault: &str,
    #[case] finding: &str,
    #[case] stops: RangeInclusive<u64>,
) {
    let (code, report, complaints) = run("2", "1", "45", &[fault]);
    assert_eq!(report["false_alarms"], serde_json::json!([]), "{complaints}");
    let found = &report["faults"][0];
    assert_eq!((&found["expected"], &found["found"]), (&finding.into(), &finding.into()), "{complaints}");
    assert_followers(&report, &[stops, 45..=45]);
    assert_eq!(code, Some(0), "{complaints}");
}

/// The faults of consolidation that leave each other room, none of them before what a follower can pass.
const CONSOLIDATION: [&str; 9] = [
    "unsafe-reorg@12",
    "l1-reorg@20",
    "replacement-chain@24:902",
    "attestations-out-of-order@30",
    "sibling-wrong-fork@42:903",
    "attestations-lost@40",
    "forged-deposit@62:904",
    "wrong-min-base-fee@64",
    "same-attributes-other-hash@66:903",
];

#[test]
fn combined_consolidation_faults_are_found_and_named() {
    let (code, report, complaints) = run("4", "1", "75", &CONSOLIDATION);
    assert_eq!(report["false_alarms"], serde_json::json!([]), "{complaints}");
    for fault in report["faults"].as_array().unwrap() {
        assert_eq!(fault["found"], fault["expected"], "{fault}\n{complaints}");
    }
    assert_followers(&report, &[63..=75, 75..=75, 65..=75, 61..=61]);
    assert_eq!(code, Some(0), "{complaints}");
}

/// A node that checks no messages may stay on a replaced block. But where it has another block for good, and
/// that was upheld, the vouched head and the followers move over.
#[test]
fn a_replacement_that_l1_undoes_is_left_with_a_plain_node_too() {
    let (code, report, complaints) = run("2", "1", "80", &["plain-sibling@20", "unreplaced@45"]);
    for fault in report["faults"].as_array().unwrap() {
        assert_eq!(fault["found"], fault["expected"], "{fault}\n{complaints}");
    }
    assert_eq!(report["chains"][0]["vouched"], 80, "{complaints}");
    assert_followers(&report, &[80..=80, 80..=80]);
    assert_eq!(code, Some(0), "{complaints}");
}

/// Every follower stands where it may: before a block of its chain that is invalid; where only another block
/// was attested in a block's place, there or beyond. None was led astray.
fn assert_followers(report: &Value, stops: &[RangeInclusive<u64>]) {
    let followers = report["followers"].as_array().unwrap();
    assert_eq!(followers.len(), stops.len());
    for (follower, stop) in followers.iter().zip(stops) {
        assert!(stop.contains(&follower["safe"].as_u64().unwrap()), "{follower}");
        for led_astray in ["left_honest_chain", "went_backwards", "beyond_violation", "led_onto_invalid"] {
            assert_eq!(follower[led_astray], false, "{follower}");
        }
    }
}

#[test]
fn an_honest_superchain_raises_no_alarm() {
    let (code, report, complaints) = run("3", "11", "40", &[]);
    assert_eq!(report["false_alarms"], serde_json::json!([]), "{complaints}");
    assert_eq!(report["faults"], serde_json::json!([]));
    for chain in report["chains"].as_array().unwrap() {
        assert_eq!((&chain["vouched"], &chain["safe"]), (&40.into(), &40.into()), "{chain}");
    }
    assert_eq!(report["attestations"]["upheld"], 120);
    assert_eq!(code, Some(0), "{complaints}");
    let requests = &report["requests"];
    let whole = requests["execution"]["whole block"].as_u64().unwrap();
    assert!((120..150).contains(&whole), "each block is read once, whoever looks at it: {requests}");
    let l1: u64 = requests["l1"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert!(l1 < 90, "one reader asks L1 for all chains: {requests}");
}

#[rstest]
#[case::unknown_fault(&["--fault", "gremlins@5"], "gremlins")]
#[case::no_block(&["--fault", "invalid-message"], "invalid-message")]
#[case::beyond_the_run(&["--blocks", "10", "--fault", "invalid-message@20"], "20")]
#[case::no_such_chain(&["--fault", "invalid-message@20:909"], "909")]
#[case::too_many_chains(&["--chains", "33"], "33")]
#[case::no_chains(&["--chains", "0"], "0")]
fn bad_usage_is_explained(#[case] arguments: &[&str], #[case] named: &str) {
    let output = crosscheck(&[&["devnet", "--fast"], arguments].concat()).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{complaint}");
    assert!(complaint.contains(named), "{complaint}");
}
