//! `crosscheck message check`: messages of a live devnet, the good and the bad.

use crate::program::{Running, Written, call, crosscheck, eventually};
use serde_json::{Value, json};
use tempfile::TempDir;

const INBOX: &str = "0x4200000000000000000000000000000000000022";

/// A number in 0x-hex.
fn number(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().strip_prefix("0x").unwrap(), 16).unwrap()
}

/// The message executed at or after a height of chain 901: its block and log index.
async fn executed(url: &str, from: u64, to: u64) -> Option<(u64, u64)> {
    let filter =
        json!({ "address": INBOX, "fromBlock": format!("{from:#x}"), "toBlock": format!("{to:#x}") });
    let logs = call(url, "eth_getLogs", &[filter]).await?;
    let log = logs.as_array()?.first()?.clone();
    Some((number(&log["blockNumber"]), number(&log["logIndex"])))
}

/// Runs the check; its exit code and what it printed.
fn check(arguments: &[&str]) -> (Option<i32>, Value) {
    let mut program = crosscheck(&["message", "check", "--json"]);
    let output = program.args(arguments).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    let found = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{complaint}"));
    (output.status.code(), found)
}

fn states(found: &Value, state: &str) -> usize {
    found["clauses"].as_array().unwrap().iter().filter(|clause| clause["state"] == state).count()
}

#[tokio::test]
async fn a_message_is_checked_against_live_endpoints() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().to_str().unwrap();
    let fault = "wrong-payload-hash@20";
    let mut arguments =
        vec!["devnet", "--fast", "--no-sidecar", "--seed", "4", "--dir", path, "--fault", fault];
    arguments.extend(["--blocks", "40", "--stay"]);
    let running = Running::start(&arguments, &dir.path().join("devnet.log"));
    let config = Written::wait_for(&dir.path().join("crosscheck.toml")).await;
    let (first, second) = (config.execution("901"), config.execution("902"));
    let (block, log) = eventually("a message", || executed(&first, 1, 19)).await;
    let (bad_block, bad_log) = eventually("the bad message", || executed(&first, 20, 20)).await;
    let file = dir.path().join("crosscheck.toml");
    let by_config = ["--config", file.to_str().unwrap(), "--executing-chain", "901"];

    let (block, log) = (block.to_string(), log.to_string());
    let named = ["--block", &block, "--log-index", &log];
    let (code, found) = check(&[&by_config[..], &named].concat());
    assert_eq!((code, &found["verdict"]), (Some(0), &json!("valid")), "{found}");
    assert_eq!(states(&found, "ok"), 11, "{found}");
    // The proof is there to be followed: the log at the index has the checksum of the message.
    assert_eq!(found["initiating"]["log"]["checksum"], found["checksum"]);
    let id = &found["identifier"];
    let header = [json!(format!("{:#x}", id["block_number"].as_u64().unwrap())), json!(false)];
    let initiating = if id["chain_id"] == 901 { &first } else { &second };
    let header = call(initiating, "eth_getBlockByNumber", &header).await.unwrap();
    assert_eq!(found["initiating"]["block"]["hash"], header["hash"]);
    assert_eq!(found["initiating"]["block"]["receipts_root"], header["receiptsRoot"]);

    // The same by its transaction, of which all that it executes is checked.
    let block_number =
        [json!(format!("{:#x}", found["executing"]["block"]["number"].as_u64().unwrap())), json!(false)];
    let executing = call(&first, "eth_getBlockByNumber", &block_number).await.unwrap();
    let place = usize::try_from(found["executing"]["transaction_index"].as_u64().unwrap()).unwrap();
    let transaction = executing["transactions"][place].as_str().unwrap();
    let (code, by_transaction) = check(&[&by_config[..], &["--tx", transaction]].concat());
    assert_eq!(code, Some(0), "{by_transaction}");
    assert!(by_transaction.as_array().unwrap().contains(&found), "{by_transaction}");
    let (code, no_message) =
        check(&[&by_config[..], &["--tx", executing["transactions"][0].as_str().unwrap()]].concat());
    assert_eq!((code, &no_message[0]["verdict"]), (Some(2), &json!("unknown")), "{no_message}");
    assert!(no_message[0]["detail"].as_str().unwrap().contains("executes no message"), "{no_message}");
    let (code, nowhere) = check(&[&by_config[..], &["--tx", &format!("0x{}", "11".repeat(32))]].concat());
    assert_eq!((code, &nowhere[0]["verdict"]), (Some(2), &json!("unknown")), "{nowhere}");
    // For people the verdict comes first.
    let mut plain = crosscheck(&["message", "check"]);
    let plain = plain.args(by_config).args(["--tx", transaction]).output().unwrap();
    assert!(String::from_utf8_lossy(&plain.stdout).starts_with("valid\n"), "{plain:?}");

    // The same by its fields, and without a configuration.
    let field = |name: &str| id[name].as_str().map_or_else(|| id[name].to_string(), str::to_owned);
    let executed_at = found["executing"]["block"]["timestamp"].to_string();
    let endpoints = [format!("901={first}"), format!("902={second}")];
    let fields = |payload: &str| {
        check(&[
            "--execution",
            &endpoints[0],
            "--execution",
            &endpoints[1],
            "--executing-chain",
            "901",
            "--executing-timestamp",
            &executed_at,
            "--origin",
            &field("origin"),
            "--block-number",
            &field("block_number"),
            "--log-index",
            &field("log_index"),
            "--timestamp",
            &field("timestamp"),
            "--chain-id",
            &field("chain_id"),
            "--payload-hash",
            payload,
        ])
    };
    let (code, by_fields) = fields(found["payload_hash"].as_str().unwrap());
    assert_eq!((code, &by_fields["checksum"]), (Some(0), &found["checksum"]));
    let (code, other) = fields(&format!("0x{}", "11".repeat(32)));
    assert_eq!((code, &other["reason"]), (Some(1), &json!("payload-mismatch")));

    let (bad_block, bad_log) = (bad_block.to_string(), bad_log.to_string());
    let (code, bad) = check(&[&by_config[..], &["--block", &bad_block, "--log-index", &bad_log]].concat());
    assert_eq!(
        (code, &bad["verdict"], &bad["reason"]),
        (Some(1), &json!("invalid"), &json!("payload-mismatch"))
    );
    assert_eq!((states(&bad, "ok"), states(&bad, "broken")), (9, 1), "{bad}");

    // What a configuration does not say of interop is asked of the rollup nodes; what it says and they say
    // otherwise decides nothing.
    let text = std::fs::read_to_string(&file).unwrap();
    let of_interop = ["interop_time", "dependency_set", "message_expiry_window"];
    let is_said = |line: &&str| of_interop.iter().any(|key| line.starts_with(&format!("{key} = ")));
    assert_eq!(text.lines().filter(is_said).count(), 5, "{text}");
    let unsaid: Vec<&str> = text.lines().filter(|line| !is_said(line)).collect();
    let other = text.replace("interop_time = ", "interop_time = 1");
    for (text, code, verdict) in [(unsaid.join("\n"), 0, "valid"), (other, 2, "unknown")] {
        let path = dir.path().join("other.toml");
        std::fs::write(&path, text).unwrap();
        let by_config = ["--config", path.to_str().unwrap(), "--executing-chain", "901"];
        let (found_code, found) = check(&[&by_config[..], &named].concat());
        assert_eq!((found_code, &found["verdict"]), (Some(code), &json!(verdict)), "{found}");
    }

    // A block that is not there yet, and endpoints that do not answer, decide nothing.
    let (code, future) = check(&[&by_config[..], &["--block", "1000000000", "--log-index", "0"]].concat());
    assert_eq!((code, &future["verdict"]), (Some(2), &json!("unknown")), "{future}");
    assert!(running.terminate().success());
    let (code, gone) = check(&[&by_config[..], &named].concat());
    assert_eq!((code, &gone["verdict"]), (Some(2), &json!("unknown")), "{gone}");
}

/// What only shows in other blocks: the cited block executes an invalid message, or a cycle holds the
/// message.
#[tokio::test]
async fn the_blocks_that_a_message_depends_on_are_checked() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().to_str().unwrap();
    let mut arguments =
        vec!["devnet", "--fast", "--no-sidecar", "--seed", "4", "--dir", path, "--chains", "3"];
    arguments.extend(["--fault", "transitive-invalid@15", "--fault", "message-cycle-attested@30"]);
    arguments.extend(["--fault", "same-timestamp-mutual@40", "--blocks", "60", "--stay"]);
    let running = Running::start(&arguments, &dir.path().join("devnet.log"));
    let config = Written::wait_for(&dir.path().join("crosscheck.toml")).await;
    let urls = [config.execution("901"), config.execution("902")];
    let file = dir.path().join("crosscheck.toml");
    let check = async |chain: usize, block: u64| {
        let (block, log) = eventually("a message", || executed(&urls[chain], block, block)).await;
        let chain = ["901", "902"][chain];
        let (block, log) = (block.to_string(), log.to_string());
        let arguments = ["--config", file.to_str().unwrap(), "--executing-chain", chain, "--block", &block];
        check(&[&arguments[..], &["--log-index", &log]].concat())
    };
    // Whatever the chains' last blocks cite or are cited by is there.
    eventually("the last block", || executed(&urls[0], 55, 60)).await;
    for (chain, block, reason) in [(0, 15, "initiating-block-invalid"), (0, 30, "cycle"), (1, 30, "cycle")] {
        let (code, found) = check(chain, block).await;
        assert_eq!((code, &found["verdict"], &found["reason"]), (Some(1), &json!("invalid"), &json!(reason)));
        assert_eq!((states(&found, "ok"), states(&found, "broken")), (10, 1), "{found}");
    }
    for chain in [0, 1] {
        let (code, found) = check(chain, 40).await;
        assert_eq!((code, &found["verdict"]), (Some(0), &json!("valid")), "no cycle: {found}");
    }
    assert!(running.terminate().success());
}

#[test]
fn an_incomplete_message_is_bad_usage() {
    for arguments in [
        &["--execution", "901=http://127.0.0.1:9", "--executing-chain", "901", "--log-index", "1"][..],
        &[
            "--execution",
            "http://127.0.0.1:9",
            "--executing-chain",
            "901",
            "--block",
            "1",
            "--log-index",
            "1",
        ],
        &["--executing-chain", "901", "--block", "1", "--log-index", "1", "--origin", "0x00"],
    ] {
        let output = crosscheck(&["message", "check"]).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
