//! What is asked of the configured endpoints: `crosscheck check --online`, and the start of `crosscheck run`.

use crate::metrics::scrape;
use crate::paused_chains::{PausedChains, entries_of_901 as entries};
use crate::program::{Running, call, crosscheck, eventually};
use crate::twisted_endpoint::{Twist, TwistedEndpoint};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Output;

/// Runs the program to its end, beside the servers of the test.
async fn check_online(config: &Path) -> (i32, String) {
    let mut program = crosscheck(&["check", "--online", "--config"]);
    program.arg(config);
    let ended = tokio::task::spawn_blocking(move || program.output().unwrap()).await;
    let Output { status, stdout, stderr } = ended.unwrap();
    let text = [stdout, stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    (status.code().unwrap(), text)
}

#[track_caller]
fn assert_ended((code, text): &(i32, String), expected: i32, says: &[&str]) {
    assert_eq!(*code, expected, "{text}");
    for part in says {
        assert!(text.contains(part), "{part:?} is missing from:\n{text}");
    }
}

/// The grade of a finding about a chain, as its row has it.
fn grades<'a>(text: &'a str, chain: &str, asked: &str, probe: &str) -> Vec<&'a str> {
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty());
        Some([cells.next()?, cells.next()?, cells.next()?, cells.next()?])
    });
    let is_it = |row: &[&str; 4]| row[1] == chain && row[2].starts_with(asked) && row[3] == probe;
    rows.filter(is_it).map(|row| row[0]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn working_endpoints_pass_the_probes() {
    let chains = PausedChains::start().await;
    let ended = check_online(&chains.config(|_| {})).await;
    assert_ended(
        &ended,
        0,
        &["the configuration is valid: chains 901, 902", " 0 not determined, 0 doubt, 0 fault"],
    );
    let text = &ended.1;
    for probe in ["chain-id", "methods", "clock", "version"] {
        assert_eq!(grades(text, "L1", "l1", probe), ["ok"], "{probe} of L1: {text}");
    }
    for chain in ["901", "902"] {
        for (asked, probes) in [
            ("l1", &["genesis", "system-config", "signer"][..]),
            ("execution", &["chain-id", "genesis", "methods", "receipts", "version"]),
            (
                "rollup-node",
                &["chain-id", "genesis", "rules", "heads", "methods", "safe-heads", "safe-means", "version"],
            ),
            ("gossip", &["peers"]),
        ] {
            for probe in probes {
                assert_eq!(grades(text, chain, asked, probe), ["ok"], "{asked} {probe} of {chain}: {text}");
            }
        }
    }
    assert!(!text.contains("to do:"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn problems_of_endpoints_are_reported() {
    let chains = PausedChains::start().await;
    let client = TwistedEndpoint::before(&chains.written.execution("901")).await;
    let node = TwistedEndpoint::before(&chains.written.rollup_node("901")).await;
    let config = chains.config(|config| {
        let chain = config["chains"]["901"].as_table_mut().unwrap();
        chain["execution"] = toml::Value::from(vec![client.url.clone()]);
        chain["rollup_node"] = node.url.clone().into();
    });
    let other = format!("0x{}", "77".repeat(32));
    let rows = [
        (
            &client,
            "eth_chainId",
            Twist::Answer(json!("0x386")),
            1,
            "chain-id: it serves chain 902, not chain 901",
        ),
        (
            &node,
            "optimism_rollupConfig",
            Twist::Change("/genesis/l2/hash", json!(other)),
            1,
            "it is another chain with the same id",
        ),
        (
            &node,
            "optimism_rollupConfig",
            Twist::Change("/genesis/l1/hash", json!(other)),
            1,
            "it is another chain with the same id",
        ),
        (
            &node,
            "optimism_rollupConfig",
            Twist::Change("/l1_chain_id", json!(1)),
            1,
            "chain 901 is derived from 1",
        ),
        (&node, "optimism_rollupConfig", Twist::Change("/block_time", json!(7)), 1, "block_time is 7"),
        (
            &client,
            "eth_getBlockByHash",
            Twist::Missing,
            1,
            "methods: it does not serve eth_getBlockByHash (no block can be read)",
        ),
        (
            &client,
            "eth_getBlockReceipts",
            Twist::Answer(Value::Null),
            0,
            "messages may cite blocks that are up to",
        ),
        (&node, "optimism_safeHeadAtL1Block", Twist::Missing, 0, "start op-node with --safedb.path"),
    ];
    for (endpoint, method, twist, code, says) in rows {
        endpoint.twist(method, Some(twist.clone()));
        let ended = check_online(&config).await;
        let grade = if code == 1 { "\nfault: " } else { "\ndoubt: " };
        assert_ended(&ended, code, &[says, grade, "\n  to do: "]);
        assert!(!ended.1.contains("\nnot determined: ") || method != "eth_chainId", "{twist:?}: {}", ended.1);
        endpoint.twist(method, None);
    }
    assert_ended(&check_online(&config).await, 0, &[" 0 doubt, 0 fault"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_or_signer_or_absent_endpoint_is_reported() {
    let chains = PausedChains::start().await;
    let now: u64 = std::fs::read_to_string(chains.written.clock_file()).unwrap().trim().parse().unwrap();
    let slow = chains.dir.path().join("slow-clock");
    std::fs::write(&slow, (now - 3600).to_string()).unwrap();
    let config = chains.config(|config| {
        config.insert("clock".into(), format!("file:{}", slow.display()).into());
    });
    assert_ended(
        &check_online(&config).await,
        1,
        &["s ahead of this machine's clock", "set the clock (NTP)"],
    );

    let stranger = "0x2222222222222222222222222222222222222222";
    let config = chains.config(|config| {
        let chain = config["chains"]["901"].as_table_mut().unwrap();
        chain.insert("unsafe_block_signer".into(), stranger.into());
    });
    assert_ended(
        &check_online(&config).await,
        1,
        &["signer: the SystemConfig", "remove unsafe_block_signer"],
    );

    // Nobody listens there.
    let config = chains.config(|config| {
        let both = vec!["http://user:hunter2@127.0.0.1:9/key".to_owned(), chains.written.execution("901")];
        config["chains"]["901"]["execution"] = toml::Value::from(both);
    });
    let ended = check_online(&config).await;
    assert_ended(
        &ended,
        2,
        &["\nnot determined: chain 901, execution #0 http://127.0.0.1:9, chain-id", " 0 fault"],
    );
    assert_eq!(grades(&ended.1, "901", "execution #1", "receipts"), ["ok"], "{}", ended.1);
    assert!(!ended.1.contains("hunter2") && !ended.1.contains("/key"), "{}", ended.1);
}

/// What blocks readiness for the endpoints of the first chain.
async fn obstacle(rpc: &str) -> Option<Option<String>> {
    let status = call(rpc, "crosscheck_status", &[]).await?;
    let reasons: Vec<String> = serde_json::from_value(status["reasons"].clone()).ok()?;
    Some(reasons.into_iter().find(|reason| reason.starts_with("chain 901 endpoints: ")))
}

/// The execution client is another chain's with the same id: as far as it goes, the rollup node's is.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_with_an_endpoint_of_another_chain_is_not_ready_until_fixed() {
    let chains = PausedChains::start().await;
    let client = TwistedEndpoint::before(&chains.written.execution("901")).await;
    let node = TwistedEndpoint::before(&chains.written.rollup_node("901")).await;
    let config = chains.config(|config| {
        let chain = config["chains"]["901"].as_table_mut().unwrap();
        chain["execution"] = toml::Value::from(vec![client.url.clone()]);
        chain["rollup_node"] = node.url.clone().into();
    });
    let other = format!("0x{}", "77".repeat(32));
    node.twist("optimism_rollupConfig", Some(Twist::Change("/genesis/l2/hash", json!(other))));
    client.twist("eth_getBlockReceipts", Some(Twist::Answer(Value::Null)));
    let log = chains.dir.path().join("sidecar.log");
    let arguments = ["run", "--config", config.to_str().unwrap(), "--log-format", "json"];
    let sidecar = Running::start(&arguments, &log);
    let rpc = chains.written.rpc();
    let says = format!("genesis.l2 is {other} by its rollup node and 0x");
    eventually("the other genesis to be in the way", || async {
        obstacle(&rpc).await?.filter(|obstacle| obstacle.contains(&says))
    })
    .await;
    eventually("the endpoints to be asked", || async {
        let text = std::fs::read_to_string(&log).unwrap();
        text.contains("configured endpoints were checked").then_some(())
    })
    .await;
    let status = call(&rpc, "crosscheck_status", &[]).await.unwrap();
    assert_eq!(status["ready"], false, "{status}");

    node.twist("optimism_rollupConfig", None);
    eventually("the right genesis", || async { obstacle(&rpc).await?.is_none().then_some(()) }).await;
    // Every endpoint is watched for being slow.
    let page = eventually("the metrics", || scrape(chains.written.http())).await;
    for (chain, kind) in [("l1", "l1"), ("901", "execution"), ("901", "rollup-node"), ("902", "execution")] {
        let series = format!(
            "crosscheck_endpoint_timeout_percent{{chain_id=\"{chain}\",endpoint=\"0\",kind=\"{kind}\"}} "
        );
        assert!(page.lines().any(|line| line.starts_with(&series)), "{series} is missing");
        let timed = format!(
            "crosscheck_endpoint_seconds_count{{chain_id=\"{chain}\",endpoint=\"0\",kind=\"{kind}\"}} "
        );
        let count = page.lines().find_map(|line| line.strip_prefix(&timed)?.parse::<u64>().ok());
        assert!(count.is_some_and(|count| count > 0), "{timed} is {count:?}");
    }
    assert!(sidecar.terminate().success());
    let waiting = entries(&log, "waiting for endpoints");
    let of_endpoints = waiting.iter().filter(|entry| entry["part"] == "chain 901 endpoints");
    assert_eq!(of_endpoints.count(), 1, "told once");
    assert_eq!(entries(&log, "endpoints serve the right chain").len(), 1);
    // What only the probes tell: the receipts. The genesis is told already.
    let doubts = entries(&log, "endpoint is in doubt");
    let probes: Vec<&str> = doubts.iter().map(|entry| entry["probe"].as_str().unwrap()).collect();
    assert_eq!(probes, ["receipts"], "{doubts:?}");
    assert!(doubts[0]["advice"].as_str().unwrap().starts_with("messages may cite blocks"), "{doubts:?}");
    assert!(entries(&log, "endpoint is at fault").is_empty());
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(!text.contains("\"level\":\"ERROR\""), "nobody is accused: {text}");
}
