//! Claimants that are of no use, beside one that is: they are named, and nothing that they say becomes a
//! verdict.

use crate::program::{DEADLINE, Running, Written, attestations, call, eventually, go_on, paused_at};
use crate::twisted_endpoint::{Twist, TwistedEndpoint};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Chains alone that nobody attests, which stop at a block and are served on after their last one.
fn chains(dir: &Path, pause: u64) -> Running {
    let (pause, dir_argument) = (pause.to_string(), dir.to_str().unwrap());
    let arguments = [
        "devnet",
        "--fast",
        "--no-sidecar",
        "--no-attester",
        "--seed",
        "5",
        "--blocks",
        "60",
        "--stay",
        "--dir",
        dir_argument,
        "--await-sidecar",
        "300",
        "--pause-at",
        &pause,
    ];
    Running::start(&arguments, &dir.join("devnet.log"))
}

/// A server that answers every request with a page for people. It ends with its tasks.
async fn page(tasks: &mut JoinSet<()>) -> String {
    const PAGE: &str = "<html><body>502 Bad Gateway</body></html>";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tasks.spawn(async move {
        while let Ok((mut caller, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            let _read = caller.read(&mut request).await;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length:";
            let _written = caller.write_all(format!("{head} {}\r\n\r\n{PAGE}", PAGE.len()).as_bytes()).await;
        }
    });
    url
}

/// The sidecar of a configuration that the devnet wrote, with these claimants of the first chain.
fn sidecar(dir: &Path, claimants: &[String]) -> Running {
    let written = std::fs::read_to_string(dir.join("crosscheck.toml")).unwrap();
    let mut config: toml::Table = written.parse().unwrap();
    let chain = config["chains"]["901"].as_table_mut().unwrap();
    chain.insert("claimants".to_owned(), toml::Value::from(claimants.to_vec()));
    config.insert("sources".to_owned(), toml::toml! { timeout = "2s" }.into());
    let path = dir.join("claimants.toml");
    std::fs::write(&path, config.to_string()).unwrap();
    let arguments = ["run", "--config", path.to_str().unwrap(), "--log-format", "json"];
    Running::start(&arguments, &dir.join("sidecar.log"))
}

fn name(place: usize) -> String {
    format!("claimant #{place} of chain 901")
}

async fn vouched(rpc: &str) -> Option<u64> {
    let status = call(rpc, "crosscheck_status", &[]).await?;
    status["chains"].as_array()?.iter().find(|chain| chain["chain_id"] == 901)?["vouched"].as_u64()
}

async fn events(rpc: &str, kinds: &[&str]) -> Option<Vec<Value>> {
    let page = call(rpc, "crosscheck_events", &[json!({ "kinds": kinds, "limit": 1_000 })]).await?;
    page["events"].as_array().cloned()
}

/// Why the sidecar is not ready, by the name of each of these claimants.
async fn reasons(rpc: &str, places: [usize; 3]) -> Option<[String; 3]> {
    let status = call(rpc, "crosscheck_status", &[]).await?;
    let reasons = status["reasons"].as_array()?;
    let reason = |place: usize| {
        let mut named =
            reasons.iter().filter_map(Value::as_str).filter(|reason| reason.starts_with(&name(place)));
        named.next().map(str::to_owned)
    };
    let [Some(first), Some(second), Some(third)] = places.map(reason) else { return None };
    Some([first, second, third])
}

#[tokio::test]
async fn odd_claimants_are_named_and_nothing_they_say_becomes_a_verdict() {
    let (dir, mut tasks) = (TempDir::new().unwrap(), JoinSet::new());
    let _chains = chains(dir.path(), 30);
    let config = Written::wait_for(&dir.path().join("crosscheck.toml")).await;
    let node = config.rollup_node("901");
    let honest = TwistedEndpoint::before(&node).await;
    let hanging = TwistedEndpoint::before(&node).await;
    for method in ["optimism_syncStatus", "optimism_rollupConfig"] {
        hanging.twist(method, Some(Twist::Late(DEADLINE)));
    }
    let returning = TwistedEndpoint::before(&node).await;
    let inventing = TwistedEndpoint::before(&node).await;
    let nobodys = "0xdeaddeaddeaddeaddeaddeaddeaddeaddeaddeaddeaddeaddeaddeaddeaddead";
    inventing.twist("optimism_syncStatus", Some(Twist::Change("/safe_l2/hash", nobodys.into())));
    let claimants = [
        honest.url.clone(),
        hanging.url.clone(),
        page(&mut tasks).await,
        config.rollup_node("902"),
        returning.url.clone(),
        inventing.url.clone(),
    ];
    let _sidecar = sidecar(dir.path(), &claimants);
    let rpc = config.rpc();
    paused_at(dir.path(), 30).await;
    eventually("the vouched head of the paused chain", || async {
        vouched(&rpc).await.filter(|at| *at >= 20)
    })
    .await;
    // As a proxy does with a pool of which one lags, or a node that was restarted.
    let old = call(&node, "optimism_outputAtBlock", &["0x3".into()]).await.unwrap()["blockRef"].clone();
    returning.twist("optimism_syncStatus", Some(Twist::Change("/safe_l2", old)));

    let [hangs, html, other] =
        eventually("the claimants of no use", || async { reasons(&rpc, [1, 2, 3]).await }).await;
    assert!(hangs.contains("optimism_rollupConfig"), "{hangs}");
    assert!(html.contains("optimism_rollupConfig") && html != hangs, "{html}");
    assert!(other.contains("it follows chain 902, not chain 901"), "{other}");

    let differ = || async { events(&rpc, &["claimants-differ"]).await.filter(|events| !events.is_empty()) };
    eventually("the invented block to be named", differ).await;
    go_on(dir.path());
    eventually("the last block", || async { vouched(&rpc).await.filter(|at| *at == 60) }).await;

    for event in events(&rpc, &["claimants-differ"]).await.unwrap() {
        let answers = event["answers"].as_array().unwrap();
        let named: BTreeSet<&str> = answers.iter().filter_map(|answer| answer["claimant"].as_str()).collect();
        let is_inventing = |claimant: &str| claimant.starts_with(&name(5));
        assert!(
            named.iter().any(|claimant| is_inventing(claimant)),
            "only the invented block differs: {event}"
        );
        let invented = |answer: &&Value| answer["claimant"].as_str().is_some_and(is_inventing);
        let invented = answers.iter().find(invented).unwrap();
        assert_eq!(invented["hash"], nobodys, "{event}");
    }
    assert_eq!(events(&rpc, &["claim-refuted"]).await.unwrap(), Vec::<Value>::new());
    for record in attestations(&rpc).await.unwrap() {
        assert!(record["hash"] != nobodys && record["attributable"].is_null(), "{record}");
        assert!(record["verdict"] == "upheld" || record["chain_id"] == 902, "{record}");
    }
}
