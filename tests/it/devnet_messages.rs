//! `crosscheck devnet`: every fault of messages, endpoints and outages is found in the messages that are
//! tracked, and in the verdicts, and no honest message is missed or accused.

use crate::program::crosscheck;
use rstest::rstest;
use serde_json::{Value, json};

fn run(arguments: &[&str], faults: &[&str]) -> (Option<i32>, Value, String) {
    let mut all = vec!["devnet", "--fast", "--report", "-"];
    all.extend(arguments);
    all.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
    let output = crosscheck(&all).output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no report: {error}\n{complaints}"));
    (output.status.code(), report, complaints)
}

/// Nothing was missed, nothing was accused that nobody scripted, and each fault was found as what it is.
fn assert_as_scripted((code, report, complaints): &(Option<i32>, Value, String)) {
    assert_eq!(report["false_alarms"], json!([]), "{complaints}");
    assert_eq!(report["missed"], json!([]), "{complaints}");
    for fault in report["faults"].as_array().unwrap() {
        assert_eq!(fault["found"], fault["expected"], "{fault}\n{complaints}");
        if !fault["message"].is_null() {
            assert_eq!(fault["message"]["found"], fault["message"]["expected"], "{fault}\n{complaints}");
        }
    }
    assert_eq!(*code, Some(0), "{complaints}");
}

/// The messages that are expected, in the order of the fault's parts; `-`: none.
#[rstest]
#[case::invalid_message("invalid-message@20", "1", &["invalid (log-not-found), finalized"])]
#[case::wrong_payload_hash("wrong-payload-hash@20", "1", &["invalid (payload-mismatch), finalized"])]
#[case::wrong_log_index("wrong-log-index@20", "1", &["invalid (wrong-log-index), finalized"])]
#[case::expired("expired-message@20", "1", &["invalid (expired), finalized"])]
#[case::unknown_chain("unknown-chain@20", "1", &["invalid (unknown-chain), finalized"])]
#[case::wrong_origin("wrong-origin@20", "1", &["invalid (wrong-origin), finalized"])]
#[case::wrong_block_number("wrong-block-number@20", "1", &["invalid (block-not-found), finalized"])]
#[case::wrong_timestamp("wrong-timestamp@20", "1", &["invalid (timestamp-mismatch), finalized"])]
#[case::wrong_chain_id("wrong-chain-id@20", "2", &["invalid (payload-mismatch), finalized"])]
#[case::future_message("future-message@20", "2", &["invalid (initiated-after-execution), finalized"])]
#[case::activation_block("activation-block@12", "2", &["invalid (not-active), finalized"])]
#[case::same_timestamp("same-timestamp-message@20", "1", &["valid, finalized", "-"])]
#[case::same_timestamp_mutual("same-timestamp-mutual@21", "1", &["valid, finalized", "valid, finalized"])]
#[case::cycle_of_two("message-cycle-two@20", "1", &["invalid (cycle), resolved"; 2])]
#[case::cycle_of_three("message-cycle-three@21", "1", &["invalid (cycle), resolved"; 3])]
#[case::cycle_attested("message-cycle-attested@20", "1", &["invalid (cycle), finalized"; 2])]
#[case::transitive("transitive-invalid@20", "1", &["invalid (initiating-block-invalid), finalized", "invalid (log-not-found), finalized"])]
#[case::remote_replacement("remote-replacement@20", "1", &["invalid (initiating-block-invalid), resolved", "invalid (log-not-found), resolved"])]
#[case::remote_reorg("remote-reorg@20", "1", &["invalid (payload-mismatch), flipped, resolved", "-"])]
#[case::remote_reorg_of_the_same_timestamp("remote-reorg@21", "2", &["invalid (payload-mismatch), flipped, resolved", "-"])]
#[case::undeclared_access("undeclared-access@20", "1", &["valid, undeclared, finalized"])]
#[case::justified_replacement("justified-replacement@20", "1", &["invalid (log-not-found), resolved"])]
#[case::replacement_chain("replacement-chain@20", "1", &["invalid (log-not-found), resolved"])]
#[case::rewind_sibling("rewind-sibling@20", "1", &["invalid (log-not-found), resolved"])]
#[case::plain_sibling("plain-sibling@20", "1", &["invalid (log-not-found), resolved"])]
#[case::unreplaced("unreplaced@20", "1", &["invalid (log-not-found), resolved"])]
#[case::lying_endpoint("lying-endpoint@15", "1", &["-"])]
#[case::lagging_endpoint("lagging-endpoint@12", "1", &["-"])]
#[case::unlinked_client("unlinked-client@20", "1", &["-"])]
#[case::stale_endpoint("stale-endpoint@20", "1", &["-"])]
#[case::unlinked_client_of_another_seed("unlinked-client@21", "3", &["-"])]
#[case::unsafe_reorg("unsafe-reorg@20", "1", &["-"])]
#[case::l1_reorg("l1-reorg@20", "1", &["-"])]
#[case::sibling_wrong_fork("sibling-wrong-fork@20", "1", &["-"])]
#[case::rpc_outage("rpc-outage@20", "1", &["-"])]
#[case::zero_heads("zero-heads@20", "1", &["-"])]
#[case::schedule_mismatch("schedule-mismatch@20", "1", &["-"])]
fn a_fault_of_messages_alone_is_found(#[case] fault: &str, #[case] seed: &str, #[case] messages: &[&str]) {
    let chains = if fault.starts_with("message-cycle-three") { "3" } else { "2" };
    let run = run(&["--chains", chains, "--seed", seed, "--blocks", "45"], &[fault]);
    assert_as_scripted(&run);
    let faults = run.1["faults"].as_array().unwrap();
    let found = faults.iter().map(|fault| fault["message"]["found"].as_str().unwrap_or("-"));
    assert_eq!(found.collect::<Vec<_>>(), messages);
    let tracked = &run.1["tracked"];
    assert!(tracked["valid"].as_u64().unwrap() > 20, "{tracked}");
}

/// The proof is one error, no matter which part has it first; that the block became cross-safe, and final,
/// are errors of their own.
#[rstest]
#[case::replaced("justified-replacement@20", &["invalid executing message included"])]
#[case::attested_and_final(
    "invalid-message@20",
    &[
        "consensus failure: invalid message in a cross-safe block; CRITICAL",
        "consensus failure: invalid message in a finalized block",
    ]
)]
fn one_incident_is_reported_with_one_error(#[case] fault: &str, #[case] expected: &[&str]) {
    let run = run(&["--chains", "2", "--seed", "1", "--blocks", "45"], &[fault]);
    assert_as_scripted(&run);
    let story: Vec<&str> = run.2.lines().filter(|line| line.contains("incident=901/20/0x")).collect();
    let errors: Vec<&str> = run.2.lines().filter(|line| line.contains(" ERROR ")).collect();
    assert!(errors.iter().all(|error| story.contains(error)), "no error without its incident: {errors:#?}");
    let told = |said: &str| errors.iter().filter(|error| error.contains(said)).count();
    assert!(expected.iter().all(|said| told(said) == 1), "{errors:#?}");
    // On a machine that is slow enough it is proven only when it is cross-safe already.
    let proofs = told("invalid executing message included") + told("sequencer attested an invalid block");
    let failures = told("consensus failure");
    assert!(proofs <= 1 && errors.len() == proofs + failures, "{errors:#?}");
    let key = |line: &str| line.split_once("incident=").map(|(_, key)| key[..73].to_owned());
    assert!(story.iter().all(|line| key(line) == key(story[0])), "{story:#?}");
    let is_suspect = |line: &&str| line.contains("gossiped transaction declares an invalid message");
    assert!(story.iter().any(is_suspect), "{story:#?}");
}

#[test]
fn a_hundred_blocks_are_caught_up_after_an_outage() {
    let run = run(&["--chains", "2", "--seed", "1", "--blocks", "125"], &["long-outage@20:902"]);
    assert_as_scripted(&run);
}

#[test]
fn an_honest_superchain_has_every_message_tracked_to_its_end() {
    let run = run(&["--chains", "3", "--seed", "5", "--blocks", "40", "--endpoints", "3"], &[]);
    assert_as_scripted(&run);
    let tracked = &run.1["tracked"];
    assert_eq!(tracked["seen"], tracked["valid"], "{tracked}");
    assert_eq!((&tracked["suspects"], &tracked["flipped"]), (&json!(0), &json!(0)));
}

#[rstest]
#[case::first("1")]
#[case::second("2")]
fn random_faults_are_found_and_named(#[case] seed: &str) {
    let run = run(&["--chains", "4", "--seed", seed, "--blocks", "200", "--random-faults", "24"], &[]);
    assert!(run.1["faults"].as_array().unwrap().len() >= 20, "{}", run.1["faults"]);
    assert_as_scripted(&run);
}

#[rstest]
#[case::cycle_without_chains(&["--chains", "2", "--fault", "message-cycle-three@20"], "needs 3 chains")]
#[case::too_late(&["--fault", "activation-block@40"], "block 18")]
#[case::draw_without_end(&["--random-faults", "3"], "--blocks")]
#[case::no_endpoint(&["--endpoints", "0"], "--endpoints 0")]
fn bad_usage_is_explained(#[case] arguments: &[&str], #[case] named: &str) {
    let output = crosscheck(&[&["devnet", "--fast"], arguments].concat()).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{complaint}");
    assert!(complaint.contains(named), "{complaint}");
}
