//! Cases of rollup nodes, of L1 and of heads, as they were answered: `crosscheck run` and `crosscheck audit`
//! read them.

use super::recorded::{Answers, Recorded};
use crate::program::{Running, call, crosscheck, eventually};
use crosscheck_devnet::free_addrs::free_addrs;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use tempfile::TempDir;

/// The block that is judged, and the blocks around it that are recorded.
const BLOCK: &str = "149000001";
const PARENT: &str = "0x8e18f40";

/// The settings of a chain.
fn chain(execution: &[&str], more: &str) -> String {
    let execution: Vec<String> = execution.iter().map(|url| format!("{url:?}")).collect();
    format!("[chains.10]\nexecution = [{}]\nblock_time = 2\n{more}\n", execution.join(", "))
}

/// The settings of a rollup node whose gossip nobody joins.
fn followed(url: &str) -> String {
    let signer = "0xAAAA45d9549EDA09E70937013520214382Ffc4A2";
    format!("rollup_node = {url:?}\nunsafe_block_signer = {signer:?}\n[chains.10.p2p]\nlisten = []")
}

/// A Crosscheck that runs.
struct Watching {
    rpc: String,
    http: SocketAddr,
    dir: TempDir,
    _program: Running,
}

impl Watching {
    fn start(settings: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let [rpc, http] = free_addrs().unwrap();
        let head = format!(
            "data_dir = {:?}\nrpc.addr = \"{rpc}\"\nhttp.addr = \"{http}\"\n",
            dir.path().join("data")
        );
        let config = dir.path().join("crosscheck.toml");
        std::fs::write(&config, head + settings).unwrap();
        let arguments = ["run", "--config", config.to_str().unwrap(), "--log-format", "json"];
        let program = Running::start(&arguments, &dir.path().join("log"));
        Self { rpc: format!("http://{rpc}"), http, dir, _program: program }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    /// What blocks readiness, once that is so.
    async fn until(&self, what: &str, holds: impl Fn(&[String]) -> bool) {
        eventually(what, || async {
            let status = call(&self.rpc, "crosscheck_status", &[]).await?;
            let reasons: Vec<String> = serde_json::from_value(status["reasons"].clone()).ok()?;
            holds(&reasons).then_some(())
        })
        .await;
    }
}

/// Runs a chain with a rollup node that answers so.
async fn run(node: Answers) -> (Watching, Recorded, Recorded) {
    let execution = Recorded::serving("08-kona-rollup-config-chain-name/el.json").await;
    let node = Recorded::with(node, |_| ()).await;
    let watching = Watching::start(&chain(&[&execution.url], &followed(&node.url)));
    (watching, execution, node)
}

pub(super) async fn a_chain_by_its_name_is_ready() {
    let (watching, _execution, _node) = run(Answers::of("08-kona-rollup-config-chain-name/rn.json")).await;
    watching.until("the chain to be ready", <[String]>::is_empty).await;
}

pub(super) async fn a_window_of_0_is_no_window() {
    let (watching, _execution, _node) = run(Answers::of("28-dependency-set-answers/rn.json")).await;
    watching.until("the chain to be ready", <[String]>::is_empty).await;
}

pub(super) async fn unknown_heads_are_awaited() {
    let (watching, _execution, _node) = run(Answers::of("29-heads-not-known-yet/rn.json")).await;
    let says = |reasons: &[String], words: &str| reasons.iter().any(|reason| reason.contains(words));
    let told = |reasons: &[String]| {
        says(reasons, "has no local-safe head") && says(reasons, "no finalized block of it is known yet")
    };
    watching.until("the missing heads to be told of", told).await;
    let log = watching.log();
    assert!(!log.contains("was removed from its execution endpoints"), "it read far back: {log}");
}

pub(super) async fn an_endpoint_that_is_behind_finds_no_block_invalid() {
    let file = "08-kona-rollup-config-chain-name/el.json";
    let (at_tip, behind) = (Answers::of(file), Answers::of(file));
    let tip = at_tip.result("eth_getBlockByNumber [\"0x8e18f41\",true]")["hash"].as_str().unwrap().to_owned();
    let lacks = [
        "eth_getBlockByNumber [\"0x8e18f41\",true]".to_owned(),
        "eth_getBlockByNumber [\"0x8e18f41\",false]".to_owned(),
        format!("eth_getBlockByHash [{tip:?},true]"),
        format!("eth_getBlockByHash [{tip:?},false]"),
    ];
    let behind = behind.with_tip(&format!("eth_getBlockByNumber [{PARENT:?},true]"));
    let behind = behind.with(&lacks.each_ref().map(String::as_str), &Value::Null);
    let (first, second) = (Recorded::with(at_tip, |_| ()).await, Recorded::with(behind, |_| ()).await);
    let watching =
        Watching::start(&chain(&[&first.url, &second.url], "interop_time = 0\ndependency_set = [\"10\"]"));
    watching.until("the chain to be ready", <[String]>::is_empty).await;
    let text = crate::metrics::scrape(watching.http).await.unwrap();
    let accused = text.lines().filter(|line| line.starts_with("crosscheck_endpoint_disagreements_total"));
    let accused: Vec<&str> = accused.filter(|line| !line.ends_with(" 0")).collect();
    assert!(accused.is_empty(), "{accused:?}");
}

/// Audits the block that is recorded. The exit code, and the report.
async fn audit(node: Answers, l1: Answers) -> (Option<i32>, Value) {
    let execution = Answers::of("09-kona-rollup-config-without-regolith/el.json");
    let execution = execution.with_tip("eth_getBlockByNumber [\"0x8e18f41\",true]");
    let execution = Recorded::with(execution, |_| ()).await;
    let l1 = l1.with_tip("eth_getBlockByNumber [\"finalized\",false]");
    let (node, l1) = (Recorded::with(node, |_| ()).await, Recorded::with(l1, |_| ()).await);
    let more = format!(
        "rollup_node = {:?}\nsystem_config = \"0x229047fed2591dbec1ef1118d64f7af3db9eb290\"\n[l1]\nexecution = {:?}",
        node.url, l1.url
    );
    let dir = TempDir::new().unwrap();
    let report = audit_with(dir.path(), &chain(&[&execution.url], &more)).await;
    drop((execution, node, l1));
    report
}

async fn audit_with(dir: &Path, settings: &str) -> (Option<i32>, Value) {
    let config = dir.join("crosscheck.toml");
    std::fs::write(&config, settings).unwrap();
    let mut program = crosscheck(&["audit", "--config", config.to_str().unwrap(), "--chain", "10"]);
    program.args(["--from", BLOCK, "--to", BLOCK]);
    let output = tokio::task::spawn_blocking(move || program.output().unwrap()).await.unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no report: {complaint}"));
    (output.status.code(), report)
}

fn assert_upheld((code, report): &(Option<i32>, Value)) {
    assert_eq!((*code, &report["verdicts"]["upheld"]), (Some(0), &json!(1)), "{report}");
}

pub(super) async fn regolith_follows_from_later_forks() {
    let of = |file: &str| Answers::of(&format!("09-kona-rollup-config-without-regolith/{file}"));
    assert_upheld(&audit(of("rn.json"), of("l1.json")).await);
}

/// Its receipts are not asked for: nothing in the block of L1 concerns the chain.
pub(super) async fn an_l1_without_receipts_by_hash_is_sufficient() {
    let of = |file: &str| Answers::of(&format!("12-erigon-receipts-only-by-number/{file}"));
    assert_upheld(&audit(of("rn.json"), of("l1.json")).await);
}
