//! Cases of gossip frames, node records and event logs.

use super::logs::foreign;
use super::recorded::path;
use crate::program::crosscheck;
use crosscheck_p2p::Bootnode;
use serde_json::{Value, json};
use std::process::Output;

async fn run(arguments: &[&str]) -> Output {
    let mut program = crosscheck(arguments);
    tokio::task::spawn_blocking(move || program.output().unwrap()).await.unwrap()
}

fn json_of(output: &Output) -> Value {
    let complaint = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no answer: {complaint}"))
}

/// Inspects a frame: the exit code, and what is found.
async fn inspect(file: &str, arguments: &[&str]) -> (Option<i32>, Value) {
    let file = path(file);
    let output = run(&[&["envelope", "inspect"], arguments, &[file.to_str().unwrap()]].concat()).await;
    (output.status.code(), json_of(&output))
}

pub(super) async fn blob_gas_is_accepted_from_jovian_on() {
    for (jovian, code, reason) in
        [("1770000014", Some(0), Value::Null), ("1770000015", Some(1), json!("blob-gas-before-jovian"))]
    {
        let arguments = ["--chain-id=10", "--topic=blocksv4", "--at=1770000014", "--jovian-time", jovian];
        let (ended, found) = inspect("17-jovian-blob-gas-in-gossip/frame.bin", &arguments).await;
        assert_eq!((ended, &found["reason"]), (code, &reason), "Jovian at {jovian}: {found}");
    }
}

pub(super) async fn a_replay_binds_no_signer() {
    let arguments = [
        "--chain-id=10",
        "--topic=cross-safe-blocksv1",
        "--at=1770000014",
        "--signer=0xd41c057fd1c78805aac12b0a94a405c0461a6fbb",
    ];
    let (code, found) = inspect("37-zero-domain-replay/frame.bin", &arguments).await;
    assert_eq!(
        (code, &found["verdict"], &found["domain"]),
        (Some(0), &json!("accept"), &json!("zero")),
        "{found}"
    );
}

pub(super) async fn an_unknown_transaction_is_accepted_or_named() {
    let arguments = ["--chain-id=11142220", "--topic=blocksv4", "--at=1755630478"];
    let (code, found) = inspect("31-celo-cip64/frame.bin", &arguments).await;
    assert_eq!(
        (code, &found["verdict"]),
        (Some(0), &json!("accept")),
        "gossip does not look into it: {found}"
    );

    let names = |told: &str| told.contains("0x7b") && told.contains("transaction 1");
    let (code, found) = foreign("31-celo-cip64/el.json", "11142220", 2_346_490, 1_755_630_478).await;
    assert_eq!((code, &found["verdict"]), (Some(2), &json!("unknown")), "{found}");
    let told = found["detail"].as_str().unwrap();
    assert!(names(told) && !told.contains("do not trust"), "{told}");

    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    std::fs::write(&key, format!("0x{}", "11".repeat(32))).unwrap();
    let block = path("31-celo-cip64/block.json");
    let build = ["envelope", "build", "--chain-id=11142220", "--key-file", key.to_str().unwrap()];
    let output = run(&[&build[..], &[block.to_str().unwrap()]].concat()).await;
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && names(&complaint), "{complaint}");
}

pub(super) async fn a_log_is_decoded_as_it_was_answered() {
    let checksum = "0x0307d89c993b125400cb5868be4cbbafa6a6b1d9b8a6d530d49e8c4a30fb2aa1";
    for file in ["log.json", "logs.json", "response.json"] {
        let file = path(&format!("33-event-log-as-rpc-answers-it/{file}"));
        let output = run(&["message", "decode", "--json", file.to_str().unwrap()]).await;
        let found = json_of(&output);
        assert_eq!(
            (&found["checksum"], &found["identifier"]["chain_id"]),
            (&json!(checksum), &json!(900_200))
        );
    }
}

pub(super) async fn real_bootnodes_are_accepted() {
    let text = std::fs::read_to_string(path("22-bootnodes-and-static-peers-of-the-wild/nodes.txt")).unwrap();
    let nodes: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let refused = nodes.iter().filter_map(|node| Some((*node, node.parse::<Bootnode>().err()?.reason)));
    let refused: Vec<(&str, String)> = refused.collect();
    // Those that nobody can mean. What has a host name is taken.
    let reasons = [
        ("@127.0.0.1:30303", "its key is not a public key"),
        ("enode://abcd@192.168.0.1:30303", "its key is not a public key"),
        ("@::ffff:35.197.61.230:0?discport=30301", "write an IPv6 address in brackets"),
        ("enr:-", "its record has no UDP address"),
        ("enr:-", "its record has no UDP address"),
        ("enr:-IS4QHCYr", "base64"),
        ("enr:-", "InputTooShort"),
    ];
    assert_eq!((nodes.len(), refused.len()), (108, reasons.len()), "{refused:#?}");
    for ((node, reason), (part, says)) in refused.iter().zip(reasons) {
        assert!(node.contains(part) && reason.contains(says), "{node}: {reason}");
    }
}
