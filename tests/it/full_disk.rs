//! A disk that takes nothing more: what is known is answered, nothing is judged or told, and all of it is
//! made up for once there is room.
//!
//! No test may mount a small file system. Here it is every file that takes nothing more: the system lets the
//! program write none (`RLIMIT_FSIZE`), until it may again. SQLite calls that an I/O error and not a full
//! disk; how a full disk is waited out is the same.

use crate::metrics::scrape;
use crate::paused_chains::{PausedChains, entries, reasons};
use crate::program::{Running, call, eventually, go_on, joined, paused_at};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Sets how large a file of a program may get.
fn limit_files(program: &Running, bytes: &str) {
    let (pid, limit) = (program.id().to_string(), format!("--fsize={bytes}:"));
    let status = Command::new("prlimit").args(["--pid", &pid, &limit]).status().unwrap();
    assert!(status.success(), "{limit}");
}

/// How large a file of a program may get.
fn file_limit(program: &Running) -> String {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", program.id())).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max file size")).unwrap();
    line.split_whitespace().next().unwrap().to_owned()
}

/// Everything of this kind that was reported, in its order.
async fn told(rpc: &str, kind: &str) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), json!(null));
    loop {
        let page = json!({ "after": after, "limit": 1000, "kinds": [kind] });
        let page = call(rpc, "crosscheck_events", &[page]).await.unwrap();
        all.extend(page["events"].as_array().unwrap().iter().cloned());
        if page["next"].is_null() {
            return all;
        }
        after = page["next"].clone();
    }
}

async fn vouched(rpc: &str, height: u64) {
    eventually(&format!("block {height} to be vouched for"), || async {
        let status = call(rpc, "crosscheck_status", &[]).await?;
        let chains = status["chains"].as_array()?;
        chains.iter().all(|chain| chain["vouched"].as_u64() >= Some(height)).then_some(())
    })
    .await;
}

fn said_once(log: &Path, message: &str, level: &str) {
    let said = entries(log, message);
    assert!(matches!(&said[..], [entry] if entry["level"] == level), "{message}: {said:?}");
}

const CANNOT_BE_WRITTEN: &str = "ledger cannot be written, nothing is judged or reported; free space on the disk of \
                                 data_dir, or check the disk";

#[tokio::test(flavor = "multi_thread")]
async fn writes_wait_for_a_full_disk_and_reads_are_answered() {
    let chains = PausedChains::start_pausing_at(&[12, 30]).await;
    let config = chains.config(|_| {});
    let log = chains.dir.path().join("sidecar.log");
    let arguments = ["run", "--config", config.to_str().unwrap(), "--log-format", "json"];
    let sidecar = Running::start_that_may_be_limited(&arguments, &log);
    let rpc = chains.written.rpc();
    eventually("an answer", || async { call(&rpc, "crosscheck_status", &[]).await }).await;
    joined(&rpc, &[901, 902]).await;
    go_on(chains.dir.path());
    paused_at(chains.dir.path(), 30).await;
    vouched(&rpc, 12).await;

    let before = file_limit(&sidecar);
    limit_files(&sidecar, "1");
    go_on(chains.dir.path());
    eventually("the ledger to be in the way", || async {
        reasons(&rpc).await?.into_iter().find(|reason| reason.starts_with("ledger: it cannot be written: "))
    })
    .await;
    let verdicts = told(&rpc, "verdict").await;
    assert!(!verdicts.is_empty());
    let first = json!({ "after": 0, "limit": 1 });
    let page = call(&rpc, "crosscheck_attestations", &[first]).await.unwrap();
    assert_eq!(page["attestations"][0]["verdict"], "upheld", "{page}");
    let metrics = scrape(chains.written.http()).await.unwrap();
    assert!(metrics.contains("crosscheck_unresolved_violations"), "{metrics}");

    limit_files(&sidecar, &before);
    vouched(&rpc, 40).await;
    eventually("the ledger to be out of the way", || async {
        reasons(&rpc).await?.iter().all(|reason| !reason.starts_with("ledger: ")).then_some(())
    })
    .await;
    let all = told(&rpc, "verdict").await;
    assert!(all.starts_with(&verdicts), "what was told stays as it was");
    let mut blocks: Vec<String> = all.iter().map(|event| event["block"].to_string()).collect();
    blocks.sort();
    let number = blocks.len();
    blocks.dedup();
    assert_eq!(blocks.len(), number, "each is told once, however often it was tried");
    assert!(all.iter().all(|event| event["verdict"] == "upheld"), "{all:?}");
    assert!(sidecar.terminate().success());
    said_once(&log, CANNOT_BE_WRITTEN, "WARN");
    said_once(&log, "ledger is writable again", "INFO");
}
