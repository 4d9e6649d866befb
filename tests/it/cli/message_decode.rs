//! `crosscheck message decode`: event logs and access lists.

use super::{FAILED, OK, USAGE, assert_code, json, run, run_with_input, stderr, stdout};
use rstest::rstest;
use serde_json::json;

const TOPIC: &str = "0x5c37832d2e8d10e346e55ad62071a6a2f9fa5130614ef2ec6617555c6f467ba7";
const INBOX: &str = "0x4200000000000000000000000000000000000022";
/// A log seen on an interop devnet, from the monorepo's `logs_test.go`.
const PAYLOAD_HASH: &str = "0xc3f57e1f0dd62a4f77787d834029bfeaab8894022c47edbe13b044fb658c9190";
const DATA: &str = "0x\
    0000000000000000000000005fbdb2315678afecb367f032d93f642f64180aa3\
    000000000000000000000000000000000000000000000000000000000000119d\
    0000000000000000000000000000000000000000000000000000000000000000\
    000000000000000000000000000000000000000000000000000000006724d563\
    00000000000000000000000000000000000000000000000000000000000dbc68";
const LOOKUP: &str = "0x0100000000000000000dbc68000000000000119d000000006724d56300000000";
const CHECKSUM: &str = "0x0307d89c993b125400cb5868be4cbbafa6a6b1d9b8a6d530d49e8c4a30fb2aa1";

fn log(address: &str, topics: &[&str]) -> String {
    json!({ "address": address, "topics": topics, "data": DATA, "logIndex": "0x3", "removed": false })
        .to_string()
}

fn expected() -> serde_json::Value {
    json!({
        "identifier": {
            "origin": "0x5fbdb2315678afecb367f032d93f642f64180aa3", "block_number": 4509, "log_index": 0,
            "timestamp": 1_730_467_171, "chain_id": 900_200,
        },
        "payload_hash": PAYLOAD_HASH,
        "log_hash": "0x23f2ee61b4ce30421cb54672ef1f589e6dfb35a3c193da9b80d4693e9d516c5b",
        "checksum": CHECKSUM,
        "access_list": [LOOKUP, CHECKSUM],
    })
}

#[test]
fn a_log_of_an_rpc_answer_is_decoded() {
    let input = log(INBOX, &[TOPIC, PAYLOAD_HASH]);
    let output = run_with_input(&["message", "decode", "-", "--json"], input.as_bytes());
    assert_code(&output, OK);
    assert_eq!(json(&output), expected());
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log.json");
    std::fs::write(&file, input).unwrap();
    let output = run(["message", "decode", file.to_str().unwrap(), "--json"]);
    assert_eq!(json(&output), expected());
}

/// As `eth_getLogs` and `eth_getTransactionReceipt` answer it.
#[rstest]
#[case::a_list(|log| format!("[{log}]"))]
#[case::a_response(|log| format!(r#"{{"jsonrpc":"2.0","id":1,"result":[{log}]}}"#))]
#[case::a_receipt(|log| format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"status":"0x1","logs":[{log}]}}}}"#))]
fn the_only_log_of_an_answer_is_decoded(#[case] answer: fn(String) -> String) {
    let input = answer(log(INBOX, &[TOPIC, PAYLOAD_HASH]));
    let output = run_with_input(&["message", "decode", "-", "--json"], input.as_bytes());
    assert_code(&output, OK);
    assert_eq!(json(&output), expected());
}

#[rstest]
#[case::none("[]", "it has 0 of them")]
#[case::several("[{}, {}]", "it has 2 of them")]
#[case::no_answer(r#"{"result":null}"#, "is not an event log")]
fn one_of_several_logs_must_be_selected(#[case] input: &str, #[case] says: &str) {
    let output = run_with_input(&["message", "decode", "-"], input.as_bytes());
    assert_code(&output, USAGE);
    assert!(stderr(&output).contains(says), "{}", stderr(&output));
}

#[test]
fn raw_topics_and_data() {
    let output =
        run(["message", "decode", "--topic", TOPIC, "--topic", PAYLOAD_HASH, "--data", DATA, "--json"]);
    assert_code(&output, OK);
    assert_eq!(json(&output), expected());
}

#[test]
fn the_output_for_people() {
    let output = run(["message", "decode", "--topic", TOPIC, "--topic", PAYLOAD_HASH, "--data", DATA]);
    assert_code(&output, OK);
    let text = stdout(&output);
    let line = text.lines().find(|line| line.starts_with("identifier.chain_id ")).unwrap();
    assert!(line.ends_with(" 900200"), "{text}");
}

#[test]
fn an_access_list() {
    let output = run(["message", "decode", "--json", "--access-list", LOOKUP, CHECKSUM]);
    assert_code(&output, OK);
    let declared = json!({
        "chain_id": 900_200, "block_number": 4509, "timestamp": 1_730_467_171, "log_index": 0, "checksum": CHECKSUM,
    });
    assert_eq!(json(&output), json!({ "messages": [declared] }));
    let joined = format!("{LOOKUP},{CHECKSUM},{LOOKUP},{CHECKSUM}");
    let output = run(["message", "decode", "--json", "--access-list", &joined]);
    assert_eq!(json(&output)["messages"].as_array().unwrap().len(), 2);
}

#[rstest]
#[case::other_contract(log("0x4200000000000000000000000000000000000023", &[TOPIC, PAYLOAD_HASH]), "not an ExecutingMessage")]
#[case::other_event(log(INBOX, &[PAYLOAD_HASH, PAYLOAD_HASH]), "not an ExecutingMessage")]
#[case::a_topic_short(log(INBOX, &[TOPIC]), "has 2 topics, this one has 1")]
fn a_log_that_is_not_a_message(#[case] input: String, #[case] says: &str) {
    let output = run_with_input(&["message", "decode", "-"], input.as_bytes());
    assert_code(&output, FAILED);
    assert!(stderr(&output).contains(says), "{}", stderr(&output));
}

#[test]
fn an_invalid_access_list_is_not_a_success() {
    let output = run(["message", "decode", "--access-list", LOOKUP]);
    assert_code(&output, FAILED);
    assert!(stderr(&output).contains("before the last message's checksum"), "{}", stderr(&output));
}

#[rstest]
#[case::nothing(&[])]
#[case::topics_without_data(&["--topic", TOPIC])]
#[case::both_forms(&["-", "--access-list", LOOKUP])]
#[case::short_key(&["--access-list", "0x01"])]
#[case::no_json(&["-"])]
fn misuse(#[case] arguments: &[&str]) {
    let output = run_with_input(&[&["message", "decode"], arguments].concat(), b"no json");
    assert_code(&output, USAGE);
}
