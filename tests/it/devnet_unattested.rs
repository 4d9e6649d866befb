//! `crosscheck devnet --no-attester`: nobody attests anything, and what claimants say or rollup nodes derive
//! is audited instead.

use crate::program::crosscheck;
use rstest::rstest;
use serde_json::{Value, json};

fn run(arguments: &[&str], faults: &[&str]) -> (Option<i32>, Value, String) {
    let mut all = vec!["devnet", "--fast", "--report", "-", "--seed", "3"];
    all.extend(arguments);
    all.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
    let output = crosscheck(&all).output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no report: {error}\n{complaints}"));
    (output.status.code(), report, complaints)
}

#[rstest]
#[case::clamp("clamp")]
#[case::verified("verified")]
fn an_honest_superchain_is_vouched_for_to_its_end(#[case] mode: &str) {
    let (code, report, complaints) =
        run(&["--no-attester", "--follow-mode", mode, "--chains", "3", "--blocks", "40"], &[]);
    assert_eq!(code, Some(0), "{complaints}");
    assert_eq!(report["attestations"]["received"], 0);
    assert_eq!(
        (&report["unattested"]["received"], &report["unattested"]["upheld"]),
        (&json!(120), &json!(120))
    );
    for chain in report["chains"].as_array().unwrap() {
        assert_eq!(chain["vouched"], 40, "{chain}");
    }
    for follower in report["followers"].as_array().unwrap() {
        assert_eq!((&follower["safe"], &follower["finalized"]), (&json!(40), &json!(40)), "{follower}");
    }
}

#[rstest]
#[case::clamp("clamp")]
#[case::verified("verified")]
fn faults_of_messages_and_replacements_are_found_without_attestations(#[case] mode: &str) {
    let faults = ["justified-replacement@15", "remote-replacement@24:902", "invalid-message@45:903"];
    let arguments = ["--no-attester", "--follow-mode", mode, "--chains", "4", "--blocks", "60"];
    let (code, report, complaints) = run(&arguments, &faults);
    for fault in report["faults"].as_array().unwrap() {
        assert_eq!(fault["found"], fault["expected"], "{fault}\n{complaints}");
    }
    assert_eq!(code, Some(0), "{complaints}");
    let vouched: Vec<_> =
        report["chains"].as_array().unwrap().iter().map(|chain| chain["vouched"].clone()).collect();
    assert_eq!(vouched, [60, 60, 44, 60]);
    // What is not replaced stops the head that followers of other chains are served, if nobody else has
    // judged the chain.
    let due = if mode == "verified" { 44 } else { 60 };
    let safe: Vec<_> =
        report["followers"].as_array().unwrap().iter().map(|follower| follower["safe"].clone()).collect();
    assert_eq!(safe, [due, due, 44, due]);
}

/// A node that checks no messages remains on an invalid block, while L1 takes back the replacement of
/// another.
#[rstest]
#[case::clamp("clamp")]
#[case::verified("verified")]
fn a_node_that_remains_on_an_invalid_block_accuses_no_other_chain(#[case] mode: &str) {
    let arguments = ["--no-attester", "--follow-mode", mode, "--chains", "4", "--blocks", "60"];
    let (code, report, complaints) = run(&arguments, &["plain-sibling@20", "unreplaced@22:903"]);
    assert_eq!(report["false_alarms"], json!([]), "{complaints}");
    for fault in report["faults"].as_array().unwrap() {
        assert_eq!(fault["found"], fault["expected"], "{fault}\n{complaints}");
    }
    assert_eq!(code, Some(0), "{complaints}");
}

#[rstest]
#[case::attested(&[])]
#[case::clamp(&["--no-attester", "--follow-mode", "clamp"])]
#[case::verified(&["--no-attester"])]
fn odd_claimants_are_named(#[case] arguments: &[&str]) {
    let arguments = [&["--blocks", "65"], arguments].concat();
    let (code, report, complaints) = run(&arguments, &["claimants-differ@12", "lying-claimant@20:902"]);
    let found: Vec<_> =
        report["faults"].as_array().unwrap().iter().map(|fault| fault["found"].clone()).collect();
    let expected = [
        "reported with both answers (claimants of 901 call different blocks safe)",
        "upheld-replacement, claim refuted (a claimant of 902 called the replaced block safe)",
    ];
    assert_eq!(found, expected, "{complaints}");
    assert_eq!(code, Some(0), "{complaints}");
}

#[rstest]
#[case::heads_that_rest_on_nothing(&["--no-attester", "--follow-mode", "attested"], "--follow-mode attested")]
#[case::forged(&["--no-attester", "--fault", "wrong-signer@20"], "is found by attestations only")]
#[case::replayed(&["--no-attester", "--fault", "replay-first@20"], "is found by attestations only")]
#[case::late(&["--no-attester", "--fault", "unreplaced-unseen@20"], "is found by attestations only")]
fn what_needs_attestations_is_refused(#[case] arguments: &[&str], #[case] says: &str) {
    let output = crosscheck(&[&["devnet", "--fast"], arguments].concat()).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{complaint}");
    assert!(complaint.contains(says), "{complaint}");
}
