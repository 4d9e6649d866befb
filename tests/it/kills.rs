//! A sidecar that is killed again and again ends where one that was left alone ends.

use crate::ended_messages::over;
use crate::metrics::scrape;
use crate::program::{Running, Written, attestations, call, eventually, go_on, joined, paused_at};
use crosscheck_devnet::free_addrs::free_addrs;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// Blocks up to here are built.
const BUILT: u64 = 200;

/// When this block is built the chains wait until there are no more kills.
const PAUSED: u64 = 180;

/// Blocks up to here are compared.
const COMPARED: u64 = 120;

/// How often the sidecar is killed: `KILLS` times.
fn kills() -> u32 {
    std::env::var("KILLS").map_or(20, |kills| kills.parse().unwrap())
}

/// Verdicts by chain, height and block.
type Verdicts = BTreeMap<(u64, u64, String), (String, Value)>;

/// The configuration of a second sidecar, which shares nothing with the first but the chains.
fn another(config: &str, data_dir: &Path) -> String {
    let mut addrs = free_addrs::<3>().unwrap().into_iter();
    let mut other = String::new();
    for line in config.lines() {
        let line = if line.starts_with("addr = ") {
            format!("addr = \"{}\"", addrs.next().unwrap())
        } else if line.starts_with("data_dir = ") {
            format!("data_dir = {data_dir:?}")
        } else {
            line.to_owned()
        };
        other.push_str(&line);
        other.push('\n');
    }
    other
}

/// Everything decided, once every block up to [`COMPARED`] is.
async fn verdicts(rpc: &str) -> Verdicts {
    eventually("every block to be decided", || async {
        let records = attestations(rpc).await?;
        let records =
            records.iter().filter(|record| record["number"].as_u64().is_some_and(|n| n <= COMPARED));
        let mut verdicts = Verdicts::new();
        for record in records {
            if record["verdict"] == "open" {
                return None;
            }
            let (chain, number) = (record["chain_id"].as_u64()?, record["number"].as_u64()?);
            let verdict = (record["verdict"].as_str()?.to_owned(), record["reason"].clone());
            let before = verdicts.insert((chain, number, record["hash"].as_str()?.to_owned()), verdict);
            assert_eq!(before, None, "two records of one block");
        }
        (verdicts.len() as u64 == 2 * COMPARED).then_some(verdicts)
    })
    .await
}

/// Where the head of a chain that does not move any more is vouched for, and what is served for it.
async fn held(config: &Written, chain: u64) -> (Value, Value, Value) {
    let status = call(&config.rpc(), "crosscheck_status", &[]).await.unwrap();
    let known = status["chains"].as_array().unwrap().iter().find(|known| known["chain_id"] == chain).unwrap();
    let url = format!("{}/{chain}/", config.follow());
    let served = eventually("the held head to be served", || async {
        let served = call(&url, "optimism_syncStatus", &[]).await?;
        (served["safe_l2"]["number"] == known["vouched"]).then_some(served)
    })
    .await;
    (known["vouched"].clone(), served["safe_l2"].clone(), served["local_safe_l2"].clone())
}

/// Everything that was reported, in its order. `None`: the program does not answer now.
async fn events(rpc: &str) -> Option<Vec<Value>> {
    let (mut all, mut after) = (Vec::new(), json!(null));
    loop {
        let page = call(rpc, "crosscheck_events", &[json!({ "after": after, "limit": 1000 })]).await?;
        all.extend(page["events"].as_array()?.iter().cloned());
        if page["next"].is_null() {
            return Some(all);
        }
        after = page["next"].clone();
    }
}

/// Holds that each verdict was reported, once, and the gauge of wrong blocks is what the ledger says.
async fn told_once(config: &Written, verdicts: &Verdicts, events: &[Value]) {
    let ids: Vec<u64> = events.iter().map(|event| event["id"].as_u64().unwrap()).collect();
    assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
    let mut told: BTreeMap<(String, String), usize> = BTreeMap::new();
    for event in events.iter().filter(|event| event["kind"] == "verdict") {
        let hash = event["block"]["hash"].as_str().unwrap().to_owned();
        *told.entry((hash, event["attributable"].to_string())).or_default() += 1;
    }
    assert!(told.values().all(|times| *times == 1), "{told:?}");
    for (_, number, hash) in verdicts.keys() {
        assert!(
            told.keys().any(|(known, _)| known == hash),
            "the verdict on block {number} {hash} was not told"
        );
    }
    let messages = events.iter().filter(|event| event["kind"] == "message-invalid");
    let places: Vec<String> =
        messages.map(|event| format!("{} {}", event["executing"], event["log_index"])).collect();
    assert_eq!(places.len(), places.iter().collect::<BTreeSet<_>>().len(), "{places:?}");
    eventually("the gauge of wrong blocks to be what the ledger says", || async {
        let page = scrape(config.http()).await?;
        let gauge = page.lines().filter(|line| line.starts_with("crosscheck_unresolved_violations{"));
        let sum: f64 = gauge.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum();
        (sum == 2.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn kills_at_any_point_do_not_change_the_outcome() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    // The chains end, and so does the load of building them: however slow the machine, what is behind catches
    // up. Before that they wait for the sidecar that was killed: what it missed it learns from what is
    // attested later.
    let mut arguments = vec!["devnet", "--fast", "--no-sidecar", "--seed", "9", "--await-sidecar", "300"];
    let (blocks, pause) = (BUILT.to_string(), PAUSED.to_string());
    arguments.extend(["--blocks", &blocks, "--stay", "--pause-at", &pause]);
    let (home, log) = (path(""), dir.path().join("devnet.log"));
    arguments.extend(["--dir", &home]);
    for fault in ["invalid-message@25", "wrong-log-index@40:902", "attestations-lost@10:902"] {
        arguments.extend(["--fault", fault]);
    }
    let chains = Running::start(&arguments, &log);
    let config = Written::wait_for(&dir.path().join("crosscheck.toml")).await;
    let text = std::fs::read_to_string(path("crosscheck.toml")).unwrap();
    std::fs::write(path("second.toml"), another(&text, &dir.path().join("second"))).unwrap();
    let second_config = Written::wait_for(&dir.path().join("second.toml")).await;

    let start = |file: &str, log: &str| {
        Running::start(&["run", "--config", &path(file), "--log-format", "json"], &dir.path().join(log))
    };
    let first = start("crosscheck.toml", "first.log");
    let mut second = start("second.toml", "second.log");
    // How long it runs before each kill is drawn by lot; nothing below depends on how far it comes meanwhile.
    let mut lot = SmallRng::seed_from_u64(20);
    let (mut told, mut ended): (Vec<Value>, Vec<Value>) = Default::default();
    for _ in 0..kills() {
        tokio::time::sleep(Duration::from_millis(lot.random_range(100..1500))).await;
        if let Some(now) = events(&second_config.rpc()).await {
            assert!(now.starts_with(&told), "what was told stays as it was: {told:#?}, {now:#?}");
            told = now;
        }
        if let Some(now) = over(&second_config.rpc()).await {
            assert!(now.starts_with(&ended), "what has ended stays as it was: {ended:#?}, {now:#?}");
            ended = now;
        }
        second.kill();
        second = start("second.toml", "second.log");
    }
    paused_at(dir.path(), PAUSED).await;
    joined(&second_config.rpc(), &[901, 902]).await;
    go_on(dir.path());
    let (undisturbed, killed) = (verdicts(&config.rpc()).await, verdicts(&second_config.rpc()).await);
    assert_eq!(undisturbed, killed);
    let violated = killed.values().filter(|(verdict, _)| verdict == "violated").count();
    assert_eq!(violated, 2);
    let all = eventually("what was told", || async { events(&second_config.rpc()).await }).await;
    assert!(all.starts_with(&told), "what was told stays as it was");
    told_once(&second_config, &killed, &all).await;
    let over = eventually("what has ended", || async { over(&second_config.rpc()).await }).await;
    assert!(over.starts_with(&ended), "what has ended stays as it was");
    for chain in [901, 902] {
        assert_eq!(held(&config, chain).await, held(&second_config, chain).await);
    }
    // A kill may come between a verdict and its line in the log; none is reported twice.
    let log = std::fs::read_to_string(path("second.log")).unwrap();
    assert!(log.lines().filter(|line| line.contains("sequencer attested an invalid block")).count() <= 2);
    for running in [first, second, chains] {
        assert!(running.terminate().success());
    }
}
