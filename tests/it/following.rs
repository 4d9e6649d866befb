//! A follower of `crosscheck run`: what it is served while a chain grows, lies, and is let off by its
//! operator.

use crate::follow_contract::{L1View, check_as_kona_node, check_as_op_node, decode};
use crate::metrics::scrape;
use crate::paused_chains::entries;
use crate::program::{
    Running, Written, attestations, call, crosscheck, eventually, go_on, joined, paused_at,
};
use crate::sidecar::devnet;
use crosscheck::for_tests::ServedStatus;
use crosscheck_devnet::free_addrs::free_addrs;
use rstest::rstest;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use tempfile::TempDir;

/// What is said of a vouched head that is stalled.
async fn stalled_vouched(config: &Written) -> Option<String> {
    let status = call(&config.rpc(), "crosscheck_status", &[]).await?;
    let mut reasons = status["reasons"].as_array()?.iter().filter_map(Value::as_str);
    reasons.find(|reason| reason.contains("stalled vouched head")).map(str::to_owned)
}

/// A follower that applies both nodes' rules to each status, with clients of its own.
struct Follower {
    source: String,
    l1: String,
    execution: String,
    last: Option<ServedStatus>,
}

impl Follower {
    fn new(addr: SocketAddr, config: &Written, chain: &str) -> Self {
        let source = format!("http://{addr}/{chain}/");
        Self { source, l1: config.l1(), execution: config.execution(chain), last: None }
    }

    /// Takes the next status, if there is one.
    async fn poll(&mut self) -> Option<ServedStatus> {
        let status = decode(&call(&self.source, "optimism_syncStatus", &[]).await?).unwrap();
        let mut l1 = L1View::new();
        let heads = [status.local_safe_l2, status.safe_l2, status.finalized_l2];
        let mut heights: BTreeSet<u64> = heads.iter().map(|head| head.l1_origin.number).collect();
        heights.insert(status.l1.current_l1.number);
        for number in heights {
            let block =
                call(&self.l1, "eth_getBlockByNumber", &[format!("{number:#x}").into(), false.into()])
                    .await?;
            l1.insert(number, serde_json::from_value(block["hash"].clone()).unwrap());
        }
        let mut known = BTreeSet::new();
        for head in heads {
            let parameters = [head.hash.to_string().into(), false.into()];
            let block = call(&self.execution, "eth_getBlockByHash", &parameters).await?;
            if block["parentHash"] == head.parent_hash.to_string() {
                known.insert(head.hash);
            }
        }
        check_as_op_node(self.last.as_ref(), &status, &l1).unwrap();
        check_as_kona_node(self.last.as_ref(), &status, &l1, |head| known.contains(&head.hash)).unwrap();
        self.last = Some(status.clone());
        Some(status)
    }

    async fn until(&mut self, what: &str, wanted: impl Fn(&ServedStatus) -> bool) -> ServedStatus {
        let follower = tokio::sync::Mutex::new(self);
        eventually(what, || async { follower.lock().await.poll().await.filter(&wanted) }).await
    }
}

/// The blocks that an execution client could not tell of are passed by word, then judged. The audit's
/// beginning is moved.
#[tokio::test]
async fn an_operator_resolves_unjudged_blocks_and_moves_the_anchor() {
    let dir = TempDir::new().unwrap();
    let chains = devnet(dir.path(), &["invalid-message@16", "long-outage@17"], &[10, 40]);
    let path = dir.path().join("crosscheck.toml");
    let config = Written::wait_for(&path).await;
    let path = path.to_str().unwrap().to_owned();
    let log = dir.path().join("sidecar.log");
    let sidecar = Running::start(&["run", "--config", &path, "--log-format", "json"], &log);
    paused_at(dir.path(), 10).await;
    joined(&config.rpc(), &[901, 902]).await;
    go_on(dir.path());
    paused_at(dir.path(), 40).await;
    let record = async |number: u64| {
        let records = attestations(&config.rpc()).await?;
        records.into_iter().find(|record| record["chain_id"] == 901 && record["number"] == number)
    };
    let vouched = async || {
        let status = call(&config.rpc(), "crosscheck_status", &[]).await?;
        status["chains"].as_array()?.iter().find(|chain| chain["chain_id"] == 901)?["vouched"].as_u64()
    };
    let open = eventually("block 20 to be open", async || record(20).await).await;
    assert_eq!(open["verdict"], "open");
    let of = |command: &str, number: u64, hash: &Value, more: &[&str]| {
        let (number, hash) = (number.to_string(), hash.as_str().unwrap().to_owned());
        let arguments = [command, "--config", &path, "--chain", "901", "--number", &number, "--hash", &hash];
        let output =
            crosscheck(&arguments).args(["--reason", "a devnet's outage"]).args(more).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, error) = of("resolve", 20, &open["hash"], &[]);
    assert!(code == Some(64) && error.contains("--unjudged"), "{code:?} {error}");
    // The client cannot be asked: the operator's word counts.
    let (code, error) = of("anchor", 19, &open["parent_hash"], &[]);
    assert!(code == Some(0) && error.contains("used unchecked"), "{code:?} {error}");
    eventually("the head to be where it was moved", async || (vouched().await? == 19).then_some(())).await;
    let (code, error) = of("resolve", 20, &open["hash"], &["--unjudged"]);
    assert_eq!(code, Some(0), "{error}");
    eventually("the head to pass block 20", async || (vouched().await? == 20).then_some(())).await;
    assert_eq!(record(20).await.unwrap()["resolution"]["reason"], "a devnet's outage");
    let gauge = "crosscheck_resolved_blocks{chain_id=\"901\"} 1";
    eventually("the running program to see it", async || {
        scrape(config.http()).await?.lines().any(|line| line == gauge).then_some(())
    })
    .await;
    go_on(dir.path());
    eventually("block 20 to be judged", async || (record(20).await?["verdict"] == "upheld").then_some(()))
        .await;
    eventually("the head to go on", async || (vouched().await? > 60).then_some(())).await;
    let (code, error) = of("anchor", 19, &open["hash"], &[]);
    assert!(code == Some(64) && error.contains("nothing was written"), "{code:?} {error}");
    assert!(sidecar.terminate().success() && chains.terminate().success());
    let [passed] = &entries(&log, "operator resolved this block")[..] else { panic!("one block") };
    assert_eq!((&passed["number"], &passed["verdict"]), (&Value::from(20), &Value::from("open")));
    assert_eq!(passed["reason"], "a devnet's outage");
}

fn resolve(config: &str, hash: &str) -> std::process::Output {
    let arguments = ["resolve", "--config", config, "--chain", "901", "--number", "20"];
    crosscheck(&arguments).args(["--hash", hash, "--reason", "a devnet's lie"]).output().unwrap()
}

/// What is served: `attested` on top of the chain's own node, or `clamp` of an upstream that is polled by
/// itself. A forged deposit is found by the audit alone.
#[rstest]
#[case::attested("attested", "invalid-message@20", "invalid-message")]
#[case::clamp("clamp", "invalid-message@20", "invalid-message")]
#[case::found_by_the_audit_alone("clamp", "forged-deposit@20", "forged-deposits")]
#[tokio::test]
async fn an_invalid_block_stops_followers_until_it_is_resolved(
    #[case] mode: &str,
    #[case] fault: &str,
    #[case] reason: &str,
) {
    let dir = TempDir::new().unwrap();
    let chains = devnet(dir.path(), &[fault], &[]);
    let path = dir.path().join("crosscheck.toml");
    let config = Written::wait_for(&path).await;
    let path = path.to_str().unwrap().to_owned();
    let [addr] = free_addrs().unwrap();
    let served_at = addr.to_string();
    let mut arguments = vec!["run", "--config", &path, "--follow.mode", mode, "--follow.addr", &served_at];
    arguments.extend(["--set", "chains.901.vouched_stall=1s"]);
    // Another name for the same node: it counts as another upstream.
    let upstream =
        format!("chains.901.follow_upstream={}", config.rollup_node("901").replace("127.0.0.1", "localhost"));
    if mode == "clamp" {
        arguments.extend(["--set", &upstream]);
    }
    let sidecar = Running::start(&arguments, &dir.path().join("sidecar.log"));

    let mut follower = Follower::new(addr, &config, "901");
    let mut other = Follower::new(addr, &config, "902");
    let held = follower
        .until("the hold", |status| status.crosscheck_hold.is_some() && status.safe_l2.number >= 19)
        .await;
    assert_eq!((held.safe_l2.number, held.local_safe_l2.number), (19, 19));
    let hold = held.crosscheck_hold.unwrap();
    assert_eq!((hold.number, hold.reason.as_deref()), (20, Some(reason)));
    other.until("the other chain to go on", |status| status.safe_l2.number >= 30).await;
    let still = follower.until("a status", |_| true).await;
    assert_eq!(still.safe_l2.number, 19);
    let status = call(&config.rpc(), "crosscheck_status", &[]).await.unwrap();
    let holds: Vec<&Value> =
        status["chains"].as_array().unwrap().iter().map(|chain| &chain["hold"]).collect();
    assert_eq!((&holds[0]["number"], holds[1]), (&Value::from(20), &Value::Null));

    let told = eventually("word of the vouched head", || stalled_vouched(&config)).await;
    assert!(told.contains("chain 901") && told.contains("block 19 "), "{told}");

    let refused = resolve(&path, &format!("0x{}", "11".repeat(32)));
    assert_eq!(refused.status.code(), Some(64), "{}", String::from_utf8_lossy(&refused.stderr));
    let resolved = resolve(&path, &hold.hash.to_string());
    assert_eq!(resolved.status.code(), Some(0), "{}", String::from_utf8_lossy(&resolved.stderr));
    let free = follower.until("the head to move on", |status| status.safe_l2.number >= 30).await;
    assert_eq!(free.crosscheck_hold, None);
    let source = format!("http://{addr}/901");
    let rollup_config = call(&source, "optimism_rollupConfig", &[]).await.unwrap();
    assert_eq!(rollup_config["l2_chain_id"], 901);
    assert!(sidecar.terminate().success());
    assert!(chains.terminate().success());
}
