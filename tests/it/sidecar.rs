//! `crosscheck run` in a process of its own: it watches chains in another, and loses nothing when it is
//! killed.

use crate::metrics::scrape;
use crate::program::{
    Running, Written, attestations, call, crosscheck, eventually, go_on, joined, paused_at,
};
use crosscheck_devnet::free_addrs::free_addrs;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;

/// Chains alone, which wait for a sidecar, stop at these blocks, and are served on after their last one.
pub(crate) fn devnet(dir: &Path, faults: &[&str], pauses: &[u64]) -> Running {
    let dir_argument = dir.to_str().unwrap();
    let mut arguments = vec![
        "devnet",
        "--fast",
        "--no-sidecar",
        "--seed",
        "5",
        "--blocks",
        "120",
        "--stay",
        "--dir",
        dir_argument,
        "--await-sidecar",
        "300",
    ];
    let pauses: Vec<String> = pauses.iter().map(u64::to_string).collect();
    arguments.extend(pauses.iter().flat_map(|block| ["--pause-at", block]));
    arguments.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
    Running::start(&arguments, &dir.join("devnet.log"))
}

fn sidecar(dir: &Path) -> Running {
    let config = dir.join("crosscheck.toml");
    Running::start(
        &["run", "--config", config.to_str().unwrap(), "--log-format", "json"],
        &dir.join("sidecar.log"),
    )
}

fn is_decided(record: &Value, chain: u64, number: u64) -> bool {
    record["chain_id"] == chain && record["number"] == number && record["verdict"] != "open"
}

async fn decided(rpc: &str, chain: u64, number: u64) {
    eventually(&format!("a verdict on block {number} of chain {chain}"), || async {
        attestations(rpc).await?.iter().any(|record| is_decided(record, chain, number)).then_some(())
    })
    .await;
}

/// Verdicts by chain and block hash; a block with two records would show.
fn verdicts(records: &[Value]) -> BTreeMap<(u64, String), String> {
    let mut verdicts = BTreeMap::new();
    for record in records.iter().filter(|record| record["verdict"] != "open") {
        let key = (record["chain_id"].as_u64().unwrap(), record["hash"].as_str().unwrap().to_owned());
        let verdict = format!("{} {} {}", record["verdict"], record["reason"], record["decided_at"]);
        assert_eq!(verdicts.insert(key, verdict), None, "two records of one block: {record}");
    }
    verdicts
}

/// How often the log says that a block is invalid.
fn alarms(log: &Path) -> BTreeMap<String, usize> {
    let mut alarms = BTreeMap::new();
    for line in std::fs::read_to_string(log).unwrap().lines() {
        let Ok(entry) = serde_json::from_str::<Value>(line) else { continue };
        if entry["message"] == "sequencer attested an invalid block" {
            *alarms.entry(format!("{} {}", entry["chain_id"], entry["number"])).or_default() += 1;
        }
    }
    alarms
}

/// What was said at a start of what earlier runs found invalid.
fn told_at_start(log: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(log).unwrap();
    let entries = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let said = "unresolved invalid block from an earlier run";
    let told = entries.filter(|entry| entry["message"].as_str().is_some_and(|text| text.starts_with(said)));
    let words = |entry: Value| {
        assert!(
            entry["hash"].is_string() && entry["since"].is_number() && entry["level"] == "WARN",
            "{entry}"
        );
        let words =
            ["chain_id", "number", "verdict", "reason", "attribution"].map(|field| match &entry[field] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            });
        words.join(" ")
    };
    told.map(words).collect()
}

/// The lines of a log with this message.
fn said(log: &Path, message: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap();
    let entries = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    entries.filter(|entry| entry["message"].as_str().is_some_and(|said| said.contains(message))).collect()
}

/// Without its bundle the first block of a fork that this build does not know rests on the rollup node's
/// claim, which is reported and counted. The fork is reported at the start, with its date.
#[tokio::test]
async fn an_unknown_fork_is_reported_before_its_activation_and_with_the_source_of_its_first_block() {
    let dir = TempDir::new().unwrap();
    let _chains = devnet(dir.path(), &["lagoon-activation@20"], &[30]);
    let file = dir.path().join("crosscheck.toml");
    let config = Written::wait_for(&file).await;
    let text = std::fs::read_to_string(&file).unwrap();
    let unnamed: Vec<_> = text.lines().filter(|line| !line.starts_with("upgrade_bundles")).collect();
    assert!(unnamed.len() < text.lines().count());
    std::fs::write(&file, unnamed.join("\n")).unwrap();
    let _sidecar = sidecar(dir.path());
    let (rpc, log) = (config.rpc(), dir.path().join("sidecar.log"));
    let forks = eventually("the unknown fork", || async {
        let status = call(&rpc, "crosscheck_status", &[]).await?;
        let chain = status["chains"].as_array()?.iter().find(|chain| chain["chain_id"] == 901)?.clone();
        chain["unknown_forks"].as_array().filter(|forks| !forks.is_empty()).cloned()
    })
    .await;
    assert_eq!((forks.len(), &forks[0]["fork"]), (1, &"tempest".into()), "{forks:?}");
    // The line may come to the file after the answer.
    let told = async |message: &str| {
        eventually(message, || async { Some(said(&log, message)).filter(|told| !told.is_empty()) }).await
    };
    let at_start = told("chain has a fork that this build does not know").await;
    assert_eq!(at_start.len(), 1, "{at_start:?}");
    assert_eq!((&at_start[0]["level"], &at_start[0]["from"]), (&"WARN".into(), &forks[0]["date"]));
    decided(&rpc, 901, 24).await;
    eventually("the count", || async {
        let text = scrape(config.http()).await?;
        text.contains("crosscheck_upgrades_from_node_total{chain_id=\"901\"} 1\n").then_some(())
    })
    .await;
    let taken = told("upgrade transactions taken from the rollup node").await;
    assert_eq!(taken.len(), 1, "{taken:?}");
    assert_eq!(
        (&taken[0]["level"], &taken[0]["number"], &taken[0]["fork"], &taken[0]["transactions"]),
        (&"WARN".into(), &20.into(), &"tempest".into(), &3.into())
    );
    let records = attestations(&rpc).await.unwrap();
    assert!(records.iter().all(|record| ["open", "upheld"].contains(&record["verdict"].as_str().unwrap())));
}

#[tokio::test]
async fn a_kill_loses_no_verdict_and_repeats_none() {
    let dir = TempDir::new().unwrap();
    let chains = devnet(dir.path(), &["invalid-message@20", "wrong-payload-hash@45:902"], &[30, 60]);
    let config = Written::wait_for(&dir.path().join("crosscheck.toml")).await;
    let first = sidecar(dir.path());
    decided(&config.rpc(), 901, 24).await;
    let before = verdicts(&attestations(&config.rpc()).await.unwrap());
    // A verdict is told in the log after it can be asked for.
    let log = dir.path().join("sidecar.log");
    eventually("the first alarm", || async { (alarms(&log).len() == 1).then_some(()) }).await;
    paused_at(dir.path(), 30).await;
    first.kill();
    // The second lie is reported while nobody listens.
    go_on(dir.path());
    paused_at(dir.path(), 60).await;
    let second = sidecar(dir.path());
    // Anyone who was not there finds what the first one found.
    let unresolved = |chain: u64, attribution: &str, blocks: u64| {
        let labels = format!("attribution=\"{attribution}\",chain_id=\"{chain}\",verdict=\"violated\"");
        format!("crosscheck_unresolved_violations{{{labels}}} {blocks}")
    };
    let served = eventually("metrics", || scrape(config.http())).await;
    assert!(
        served.contains(&unresolved(901, "attributable", 1))
            && served.contains(&unresolved(902, "ancestor", 0)),
        "{served}"
    );
    assert_eq!(told_at_start(&log), ["901 20 violated invalid-message attributable"]);
    joined(&config.rpc(), &[901, 902]).await;
    go_on(dir.path());
    for chain in [901, 902] {
        for number in [30, 45, 60] {
            decided(&config.rpc(), chain, number).await;
        }
    }
    let records = eventually("everything up to block 60 to be decided", || async {
        let records = attestations(&config.rpc()).await?;
        let lower =
            records.iter().filter(|record| record["number"].as_u64().is_some_and(|number| number <= 60));
        let decided = lower.filter(|record| record["verdict"] != "open").count();
        (decided == 120).then_some(records)
    })
    .await;
    let after = verdicts(&records);
    for (block, verdict) in &before {
        assert_eq!(after.get(block), Some(verdict), "a verdict from before the kill");
    }
    let violated: Vec<(u64, u64)> = records
        .iter()
        .filter(|record| record["verdict"] == "violated")
        .map(|record| (record["chain_id"].as_u64().unwrap(), record["number"].as_u64().unwrap()))
        .collect();
    assert_eq!(violated.len(), 2, "{violated:?}");
    assert!(violated.contains(&(901, 20)) && violated.contains(&(902, 45)), "{violated:?}");
    eventually("the second alarm", || async { (alarms(&log).len() == 2).then_some(()) }).await;
    // Its attestation came while nobody listened: it is known as an ancestor.
    let both = [unresolved(901, "attributable", 1), unresolved(902, "ancestor", 1)];
    eventually("the second one to be counted", || async {
        let served = scrape(config.http()).await?;
        both.iter().all(|line| served.contains(line)).then_some(())
    })
    .await;
    // An operator deals with one of them, in another process.
    let hash = records.iter().find(|record| record["verdict"] == "violated" && record["chain_id"] == 901);
    let (file, hash) =
        (dir.path().join("crosscheck.toml"), hash.unwrap()["hash"].as_str().unwrap().to_owned());
    let block = ["--chain", "901", "--number", "20", "--hash", &hash, "--reason", "a devnet's lie"];
    let resolved = crosscheck(&["resolve", "--config", file.to_str().unwrap()]).args(block).output().unwrap();
    assert!(resolved.status.success(), "{resolved:?}");
    eventually("it to be counted no longer", || async {
        scrape(config.http()).await?.contains(&unresolved(901, "attributable", 0)).then_some(())
    })
    .await;
    assert!(second.terminate().success());
    assert_eq!(alarms(&log).into_values().collect::<Vec<_>>(), [1, 1], "each alarm once");
    assert!(chains.terminate().success());
}

#[tokio::test]
async fn missing_endpoints_are_reported_and_the_program_waits() {
    let dir = TempDir::new().unwrap();
    let config = dir.path().join("crosscheck.toml");
    let [rpc, http] = free_addrs().unwrap();
    let text = format!(
        "data_dir = {:?}\nrpc.addr = \"{rpc}\"\nhttp.addr = \"{http}\"\n\
         [chains.901]\nexecution = [\"http://127.0.0.1:9\"]\nrollup_node = \"http://127.0.0.1:9\"\n\
         block_time = 2\ninterop_time = 0\nunsafe_block_signer = \"0x{}\"\n\
         [chains.901.p2p]\nlisten = [\"/ip4/127.0.0.1/tcp/0\"]\n",
        dir.path().join("data"),
        "11".repeat(20)
    );
    std::fs::write(&config, text).unwrap();
    let running = Running::start(&["run", "--config", config.to_str().unwrap()], &dir.path().join("log"));
    let http = http.to_string();
    let healthy = |ready: bool| {
        let mut arguments = vec!["healthcheck", "--addr", &http];
        arguments.extend(ready.then_some("--ready"));
        crosscheck(&arguments).output().unwrap()
    };
    eventually("the server to answer", || async { healthy(false).status.success().then_some(()) }).await;
    let reasons = eventually("the reason", || async {
        let answer = String::from_utf8(healthy(true).stderr).unwrap();
        answer.contains("did not answer").then_some(answer)
    })
    .await;
    assert!(reasons.contains("chain 901 endpoints") && reasons.contains("http://127.0.0.1:9"), "{reasons}");
    let status = call(&format!("http://{rpc}"), "crosscheck_status", &[]).await.unwrap();
    assert_eq!(status["ready"], false);
    assert!(running.terminate().success());
}

/// Two of them would share a node key, and each would report half of the events.
#[tokio::test]
async fn only_one_program_runs_in_a_data_dir() {
    let dir = TempDir::new().unwrap();
    let configuration = |name: &str, addrs: [std::net::SocketAddr; 2]| {
        let [rpc, http] = addrs;
        let path = dir.path().join(name);
        let text = format!(
            "data_dir = {:?}\nrpc.addr = \"{rpc}\"\nhttp.addr = \"{http}\"\n\
             [chains.901]\nexecution = [\"http://127.0.0.1:9\"]\nrollup_node = \"http://127.0.0.1:9\"\n\
             block_time = 2\ninterop_time = 0\nunsafe_block_signer = \"0x{}\"\n\
             [chains.901.p2p]\nlisten = [\"/ip4/127.0.0.1/tcp/0\"]\n",
            dir.path().join("data"),
            "11".repeat(20)
        );
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let [rpc, http, other_rpc, other_http] = free_addrs().unwrap();
    let first = configuration("first.toml", [rpc, http]);
    let second = configuration("second.toml", [other_rpc, other_http]);
    let running = Running::start(&["run", "--config", &first], &dir.path().join("log"));
    let url = format!("http://{rpc}");
    eventually("the first to run", || async { call(&url, "crosscheck_status", &[]).await }).await;
    let refused = crosscheck(&["run", "--config", &second]).output().unwrap();
    let complaint = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{complaint}");
    assert!(complaint.contains(&format!("data is in use by process {}", running.id())), "{complaint}");
    assert!(call(&url, "crosscheck_status", &[]).await.is_some(), "the first runs on");
    // The system takes the lock back, however the process ended.
    running.kill();
    let running = Running::start(&["run", "--config", &second], &dir.path().join("log"));
    let url = format!("http://{other_rpc}");
    eventually("the second to run", || async { call(&url, "crosscheck_status", &[]).await }).await;
    assert!(running.terminate().success());
}

#[test]
fn an_unusable_ledger_is_refused_with_a_reason() {
    let dir = TempDir::new().unwrap();
    let config = dir.path().join("crosscheck.toml");
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let ledger = data.join("ledger.sqlite");
    std::fs::write(
        &ledger,
        "my shopping list: eggs, milk, and a database header of a hundred bytes or a little more than that",
    )
    .unwrap();
    let before = std::fs::read(&ledger).unwrap();
    let text = format!(
        "data_dir = {data:?}\n[chains.901]\nexecution = [\"http://127.0.0.1:9\"]\n\
         rollup_node = \"http://127.0.0.1:9\"\nblock_time = 2\ninterop_time = 0\nunsafe_block_signer = \"0x{}\"\n",
        "11".repeat(20)
    );
    std::fs::write(&config, text).unwrap();
    let output = crosscheck(&["run", "--config", config.to_str().unwrap()]).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(complaint.contains("ledger.sqlite cannot be read as a database"), "{complaint}");
    assert_eq!(std::fs::read(&ledger).unwrap(), before);
}

/// A sidecar that may have one case of each chain open misses nothing: the rest waits in the ledger.
#[tokio::test]
async fn cases_beyond_the_bound_are_judged_later() {
    let dir = TempDir::new().unwrap();
    let chains = devnet(dir.path(), &["long-outage@15", "invalid-message@30"], &[10, 60]);
    let config = Written::wait_for(&dir.path().join("crosscheck.toml")).await;
    let file = dir.path().join("crosscheck.toml");
    let written = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{written}\n[audit]\nmax_open = 2\n")).unwrap();
    let running = sidecar(dir.path());
    paused_at(dir.path(), 10).await;
    joined(&config.rpc(), &[901, 902]).await;
    go_on(dir.path());
    paused_at(dir.path(), 60).await;
    go_on(dir.path());
    let records = eventually("everything up to block 60 to be decided", || async {
        let records = attestations(&config.rpc()).await?;
        let lower =
            records.iter().filter(|record| record["number"].as_u64().is_some_and(|number| number <= 60));
        (lower.filter(|record| record["verdict"] != "open").count() == 120).then_some(records)
    })
    .await;
    let violated: Vec<_> = records.iter().filter(|record| record["verdict"] == "violated").collect();
    assert_eq!(violated.len(), 1, "{violated:?}");
    assert_eq!((&violated[0]["chain_id"], &violated[0]["number"]), (&Value::from(901), &Value::from(30)));
    let log = std::fs::read_to_string(dir.path().join("sidecar.log")).unwrap();
    assert!(log.contains("further blocks wait in the ledger"), "there was room for all");
    assert!(running.terminate().success() && chains.terminate().success());
}
