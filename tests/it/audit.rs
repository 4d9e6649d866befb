//! `crosscheck audit`: past blocks, from the endpoints alone.

use crate::program::{Running, Written, call, crosscheck, eventually};
use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;

/// A devnet that has gone past cross-safe block `height` on both chains, and its directory.
async fn devnet(height: u64, fault: &str) -> (TempDir, Running) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().to_str().unwrap();
    let mut arguments =
        vec!["devnet", "--fast", "--no-sidecar", "--seed", "4", "--dir", path, "--fault", fault];
    arguments.extend(["--blocks", "60", "--stay"]);
    let running = Running::start(&arguments, &dir.path().join("devnet.log"));
    let config = Written::wait_for(&dir.path().join("crosscheck.toml")).await;
    for chain in ["901", "902"] {
        eventually("the chain to go on", || async {
            let params = ["safe".into(), false.into()];
            let head = call(&config.execution(chain), "eth_getBlockByNumber", &params).await?;
            (u64::from_str_radix(head["number"].as_str()?.strip_prefix("0x")?, 16).ok()? >= height)
                .then_some(())
        })
        .await;
    }
    (dir, running)
}

fn audit(dir: &Path, chain: &str, to: &str, more: &[&str]) -> (Option<i32>, Value) {
    let config = dir.join("crosscheck.toml");
    let mut arguments =
        vec!["audit", "--config", config.to_str().unwrap(), "--chain", chain, "--from", "1", "--to", to];
    arguments.extend(more);
    let output = crosscheck(&arguments).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no report: {complaint}"));
    (output.status.code(), report)
}

#[tokio::test]
async fn a_past_range_is_audited_and_the_audit_continues() {
    let (dir, running) = devnet(40, "wrong-payload-hash@20").await;
    let (code, report) = audit(dir.path(), "902", "40", &[]);
    assert_eq!((code, &report["blocks"], &report["verdicts"]["upheld"]), (Some(0), &40.into(), &40.into()));
    assert!(report["messages"].as_u64().unwrap() > 0, "{report}");

    let config = dir.path().join("crosscheck.toml");
    let beyond =
        ["audit", "--config", config.to_str().unwrap(), "--chain", "902", "--from", "1", "--to", "9999999"];
    let output = crosscheck(&beyond).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(64), "{complaint}");
    assert!(complaint.contains("--to 9999999 is above the local-safe head of chain 902"), "{complaint}");

    let state = dir.path().join("state.jsonl");
    let resume = ["--resume", state.to_str().unwrap()];
    let (code, report) = audit(dir.path(), "901", "19", &resume);
    assert_eq!((code, &report["audited_now"]), (Some(0), &19.into()));
    // A line that was cut off with the program does not count.
    let mut kept = std::fs::read_to_string(&state).unwrap();
    kept.truncate(kept.len() - 10);
    std::fs::write(&state, kept).unwrap();
    let (code, report) = audit(dir.path(), "901", "40", &resume);
    assert_eq!((code, &report["audited_now"], &report["blocks"]), (Some(1), &22.into(), &40.into()));
    let problems = report["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 1, "{report}");
    assert_eq!((&problems[0]["number"], &problems[0]["reason"]), (&20.into(), &"invalid-message".into()));
    assert!(running.terminate().success());
}

#[tokio::test]
async fn a_block_that_cannot_be_judged_is_open_and_not_a_success() {
    let (dir, running) = devnet(10, "unknown-chain@9").await;
    let config = std::fs::read_to_string(dir.path().join("crosscheck.toml")).unwrap();
    // L1 is gone: nothing can be used against it, and nothing is said to be wrong.
    let l1 = config.lines().find(|line| line.starts_with("execution = \"")).unwrap();
    let config = config.replace(l1, "execution = \"http://127.0.0.1:9\"");
    std::fs::write(dir.path().join("crosscheck.toml"), config).unwrap();
    let (code, report) = audit(dir.path(), "902", "2", &["--concurrency", "2"]);
    assert_eq!((code, &report["verdicts"]["open"]), (Some(2), &2.into()), "{report}");
    assert!(
        report["problems"][0]["detail"].as_str().unwrap().contains("did not answer eth_getBlockByNumber"),
        "{report}"
    );
    assert!(running.terminate().success());
}

/// What an audit says of each block up to 24.
fn details(dir: &Path, state: &str) -> (Option<i32>, Vec<String>) {
    let state = dir.join(state);
    let (code, _) = audit(dir, "901", "24", &["--resume", state.to_str().unwrap()]);
    let lines = std::fs::read_to_string(&state).unwrap();
    let outcomes = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let told = outcomes.filter(|outcome| outcome["verdict"].is_string()).map(|outcome| {
        format!("{} {}", outcome["verdict"].as_str().unwrap(), outcome["detail"].as_str().unwrap())
    });
    (code, told.collect())
}

/// The first block of a fork and the next: by its bundle, by the rollup node's claim without one, and by a
/// wrong bundle, which accuses nobody.
#[tokio::test]
async fn the_first_block_of_an_unknown_fork_is_judged() {
    let (dir, running) = devnet(24, "lagoon-activation@20").await;
    let word = "the 3 upgrade transactions of the fork tempest, and 520000 gas for them, are taken from the rollup node";
    let is_upheld = |told: &[String]| told.len() == 24 && told.iter().all(|told| told.starts_with("upheld "));

    let (code, told) = details(dir.path(), "named.jsonl");
    assert!(code == Some(0) && is_upheld(&told), "{told:?}");
    assert!(!told.iter().any(|told| told.contains(word)), "{told:?}");

    let config = std::fs::read_to_string(dir.path().join("crosscheck.toml")).unwrap();
    let unnamed: Vec<_> = config.lines().filter(|line| !line.starts_with("upgrade_bundles")).collect();
    std::fs::write(dir.path().join("crosscheck.toml"), unnamed.join("\n")).unwrap();
    let (code, told) = details(dir.path(), "unnamed.jsonl");
    assert!(code == Some(0) && is_upheld(&told), "{told:?}");
    let by_word: Vec<_> = told.iter().enumerate().filter(|(_, told)| told.contains(word)).collect();
    assert!(by_word.len() == 1 && by_word[0].0 == 19, "{told:?}");

    std::fs::write(dir.path().join("crosscheck.toml"), config).unwrap();
    let bundle = dir.path().join("tempest_nut_bundle.json");
    let wrong = std::fs::read_to_string(&bundle).unwrap().replace("70000", "70001");
    std::fs::write(&bundle, wrong).unwrap();
    let (code, told) = details(dir.path(), "wrong.jsonl");
    assert_eq!(code, Some(2));
    let open: Vec<_> = told.iter().enumerate().filter(|(_, told)| told.starts_with("open ")).collect();
    assert_eq!(open.iter().map(|(at, _)| at + 1).collect::<Vec<_>>(), [20, 21], "{told:?}");
    assert!(open.iter().all(|(_, told)| told.contains("this build does not support it")), "{open:?}");
    assert!(running.terminate().success());
}

#[test]
fn bad_ranges_and_chains_are_bad_usage() {
    let dir = TempDir::new().unwrap();
    let config = dir.path().join("crosscheck.toml");
    let text = "[chains.901]\nexecution = [\"http://127.0.0.1:9\"]\nrollup_node = \"http://127.0.0.1:9\"\n\
                block_time = 2\ninterop_time = 0\n\
                unsafe_block_signer = \"0x1111111111111111111111111111111111111111\"\n";
    std::fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    for (chain, from, to, says) in
        [("901", "5", "4", "below --from 5"), ("902", "1", "2", "[chains.902]"), ("901", "0", "2", "--from")]
    {
        let arguments = ["audit", "--config", config, "--chain", chain, "--from", from, "--to", to];
        let output = crosscheck(&arguments).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{complaint}");
        assert!(complaint.contains(says), "{complaint}");
    }
}
