//! Cases of blocks and receipts, as execution clients answered them: `crosscheck message check` proves logs
//! by them.

use super::recorded::{Answers, Envelope, Recorded};
use crate::program::crosscheck;
use alloy::primitives::{Bytes, keccak256};
use serde_json::{Value, json};

/// A message that a log of a block initiates, and where it is executed.
struct Question<'a> {
    chain: &'a str,
    number: u64,
    timestamp: u64,
    log_index: usize,
    origin: &'a str,
    payload_hash: String,
}

/// A log of nobody's.
fn no_log(chain: &'static str, number: u64, timestamp: u64) -> Question<'static> {
    let (origin, payload_hash) =
        ("0x1111111111111111111111111111111111111111", format!("0x{}", "22".repeat(32)));
    Question { chain, number, timestamp, log_index: 0, origin, payload_hash }
}

/// Checks the message against a server. Its exit code, and what it found.
async fn check(url: &str, question: &Question<'_>) -> (Option<i32>, Value) {
    let Question { chain, number, timestamp, log_index, origin, payload_hash } = question;
    let endpoint = format!("{chain}={url}");
    let [number, executed, timestamp, log_index] =
        [*number, timestamp + 2, *timestamp, *log_index as u64].map(|number| number.to_string());
    let mut program = crosscheck(&["message", "check", "--json", "--execution", &endpoint]);
    program.args(["--executing-chain", chain, "--executing-timestamp", &executed, "--origin", origin]);
    program.args(["--block-number", &number, "--log-index", &log_index, "--timestamp", &timestamp]);
    program.args(["--chain-id", chain, "--payload-hash", payload_hash]);
    let output = tokio::task::spawn_blocking(move || program.output().unwrap()).await.unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    let found = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no answer: {complaint}"));
    (output.status.code(), found)
}

pub(super) async fn a_block_of_nethermind_is_read() {
    let server = Recorded::serving("05-nethermind-is-system-tx/el.json").await;
    let (code, found) = check(&server.url, &no_log("10", 149_000_001, 1_770_000_014)).await;
    assert_eq!(
        (code, &found["reason"]),
        (Some(1), &json!("log-not-found")),
        "the block has no logs: {found}"
    );
}

/// The first and the last log of a recorded block are proven by its receipts root.
async fn is_proven(file: &str, chain: &str) {
    let answers = Answers::of(file);
    let hex =
        |value: &Value| u64::from_str_radix(value.as_str().unwrap().strip_prefix("0x").unwrap(), 16).unwrap();
    let block = answers.result("eth_getBlockByNumber").clone();
    let receipts = answers.result("eth_getBlockReceipts").as_array().unwrap().clone();
    let logs: Vec<&Value> = receipts.iter().flat_map(|receipt| receipt["logs"].as_array().unwrap()).collect();
    assert!(logs.len() > 30, "{}", logs.len());
    let server = Recorded::with(answers.clone(), |_| ()).await;
    for log_index in [0, logs.len() - 1] {
        let log = logs[log_index];
        let topics = log["topics"].as_array().unwrap().iter();
        let words = topics.chain([&log["data"]]).map(|hex| hex.as_str().unwrap().parse::<Bytes>().unwrap());
        let question = Question {
            chain,
            number: hex(&block["number"]),
            timestamp: hex(&block["timestamp"]),
            log_index,
            origin: log["address"].as_str().unwrap(),
            payload_hash: keccak256(words.flat_map(Vec::from).collect::<Vec<u8>>()).to_string(),
        };
        let (code, found) = check(&server.url, &question).await;
        assert_eq!((code, &found["verdict"]), (Some(0), &json!("valid")), "log {log_index}: {found}");
    }
}

pub(super) async fn logs_from_before_regolith_are_proven() {
    is_proven("06-base-goerli-pre-regolith/el.json", "84531").await;
}

pub(super) async fn logs_from_before_canyon_are_proven() {
    is_proven("07-pre-canyon-deposit-nonce/el.json", "10").await;
}

/// What a node answers that has lost a part of its data, and a part of the text that reports it.
fn losses(answers: &Answers) -> Vec<(&'static str, Answers, &'static str)> {
    let block = |edit: fn(&mut Value)| {
        let mut block = answers.result("eth_getBlockByNumber").clone();
        edit(&mut block["transactions"]);
        answers.clone().with(&["eth_getBlockByNumber", "eth_getBlockByHash"], &block)
    };
    let receipts = |edit: fn(&mut Vec<Value>)| {
        let mut receipts = answers.result("eth_getBlockReceipts").clone();
        edit(receipts.as_array_mut().unwrap());
        answers.clone().with(&["eth_getBlockReceipts"], &receipts)
    };
    vec![
        ("the last receipt", receipts(|receipts| drop(receipts.pop())), "6 of the receipts"),
        ("every receipt", receipts(Vec::clear), "0 of the receipts"),
        ("the order of receipts", receipts(|receipts| receipts.reverse()), "hash to"),
        ("the answer", answers.clone().with(&["eth_getBlockReceipts"], &Value::Null), "receipts"),
        ("every transaction", block(|transactions| *transactions = json!([])), "none of its transactions"),
        ("all but the hashes", block(hashes_alone), "without its transactions"),
    ]
}

fn hashes_alone(transactions: &mut Value) {
    let list = transactions.as_array().unwrap();
    *transactions = list.iter().map(|transaction| transaction["hash"].clone()).collect();
}

pub(super) async fn data_that_a_node_lost_is_unknown() {
    let answers = Answers::of("15-lost-receipts-and-empty-blocks/el.json");
    for (lost, answers, says) in losses(&answers) {
        let server = Recorded::with(answers, |_| ()).await;
        let (code, found) = check(&server.url, &lost_block()).await;
        assert_eq!((code, &found["verdict"]), (Some(2), &json!("unknown")), "{lost}: {found}");
        let told = found["detail"].as_str().unwrap();
        assert!(told.contains(says), "{lost}: {told}");
    }
    let server = Recorded::with(answers, |_| ()).await;
    let (code, found) = check(&server.url, &lost_block()).await;
    assert_eq!((code, &found["verdict"]), (Some(0), &json!("valid")), "nothing: {found}");
}

/// The first log of the block of seven kinds of transactions.
fn lost_block() -> Question<'static> {
    Question {
        origin: "0xe0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0",
        payload_hash: "0xdfb27ef65c57f6eaa90b98f1db7fad89eb8ae78a9f5508df8d8feb5897ff8a68".to_owned(),
        ..no_log("10", 149_000_001, 1_770_000_014)
    }
}

pub(super) async fn a_price_without_0x_is_ignored() {
    for file in ["l1.json", "l1-hex.json"] {
        let answers = Answers::of(&format!("13-erigon-blob-gas-price-without-0x/{file}"));
        let block = "eth_getBlockByNumber [\"0x1312d00\",false]";
        let hash = answers.result(block)["hash"].clone();
        let full = [
            format!("eth_getBlockByHash [{hash},true]"),
            "eth_getBlockByNumber [\"0x1312d00\",true]".to_owned(),
        ];
        let recorded = answers.result(block).clone();
        let answers = answers.with(&full.each_ref().map(String::as_str), &recorded).with_tip(block);
        let server = Recorded::with(answers, |_| ()).await;
        let (code, found) = check(&server.url, &no_log("1", 20_000_000, 1_770_000_000)).await;
        assert_eq!(
            (code, &found["reason"]),
            (Some(1), &json!("log-not-found")),
            "its receipts are proven: {found}"
        );
    }
}

/// Where receipts are not had by a block's hash, they are had one by one; where they are not had so either,
/// that is reported.
pub(super) async fn receipts_are_fetched_one_by_one_or_the_reason_is_reported() {
    let answers = Answers::of("15-lost-receipts-and-empty-blocks/el.json");
    let receipts = answers.result("eth_getBlockReceipts").as_array().unwrap().clone();
    let refusing = Answers::of("12-erigon-receipts-only-by-number/l1.json");
    let refusing = answers.with_answer_of("eth_getBlockReceipts", &refusing);
    let server = Recorded::with(refusing.clone(), |_| ()).await;
    let (code, found) = check(&server.url, &lost_block()).await;
    assert_eq!((code, &found["verdict"]), (Some(2), &json!("unknown")), "{found}");
    let told = found["detail"].as_str().unwrap();
    assert!(told.contains("Receipt") && !told.contains("do not trust"), "{told}");
    let each = receipts.iter().fold(refusing, |answers, receipt| {
        let asked = format!("eth_getTransactionReceipt [{}]", receipt["transactionHash"]);
        answers.with(&[&asked], receipt)
    });
    let server = Recorded::with(each, |_| ()).await;
    let (code, found) = check(&server.url, &lost_block()).await;
    assert_eq!((code, &found["verdict"]), (Some(0), &json!("valid")), "{found}");
}

pub(super) async fn odd_envelopes_are_read() {
    let odd: [(&str, Envelope); 2] = [
        ("an error that is null", |response| response["error"] = Value::Null),
        ("an id as text", |response| response["id"] = response["id"].to_string().into()),
    ];
    for (what, envelope) in odd {
        let answers = Answers::of("15-lost-receipts-and-empty-blocks/el.json");
        let server = Recorded::with(answers, envelope).await;
        let (code, found) = check(&server.url, &lost_block()).await;
        assert_eq!((code, &found["verdict"]), (Some(0), &json!("valid")), "{what}: {found}");
    }
}

/// What is said of a block with a transaction of a type that is not known here.
pub(super) async fn foreign(
    file: &str,
    chain: &'static str,
    number: u64,
    timestamp: u64,
) -> (Option<i32>, Value) {
    let server = Recorded::serving(file).await;
    check(&server.url, &no_log(chain, number, timestamp)).await
}
