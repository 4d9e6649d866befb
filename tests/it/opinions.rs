//! Second opinions: of two programs, one asks the other for super roots and access checks. They are beside
//! the same chains, or beside chains that have other blocks.

use crate::metrics::scrape;
use crate::paused_chains::{PausedChains, entries};
use crate::program::{Running, call, crosscheck, eventually};
use crate::twisted_endpoint::{Twist, TwistedEndpoint};
use alloy::primitives::B256;
use crosscheck_devnet::free_addrs::free_addrs;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use toml::Table;

/// By then blocks are final and interop is active.
const PAUSED_AT: u64 = 36;

/// The configuration with other addresses and another data directory.
fn other(config: &mut Table, name: &str, rpc: SocketAddr, http: SocketAddr) {
    let data_dir = format!("{}-{name}", config["data_dir"].as_str().unwrap());
    config.insert("data_dir".into(), data_dir.into());
    config.remove("follow");
    for (section, addr) in [("rpc", rpc), ("http", http)] {
        config[section].as_table_mut().unwrap().insert("addr".into(), addr.to_string().into());
    }
}

/// How often the answers of a kind of endpoint came to this.
fn compared(text: &str, kind: &str, outcome: &str) -> Option<u64> {
    let line = format!("crosscheck_opinions_total{{kind=\"{kind}\",outcome=\"{outcome}\"}} ");
    text.lines().find_map(|row| row.strip_prefix(&line))?.parse().ok()
}

/// Waits until a program calls a block final.
async fn has_final_block(url: &str) {
    let finalized = || async {
        let status = call(url, "supernode_syncStatus", &[]).await?;
        status["finalized_timestamp"].as_u64().filter(|timestamp| *timestamp > 0)
    };
    eventually("a final timestamp", finalized).await;
}

/// Another program beside chains, which serves at these addresses.
fn other_program(chains: &PausedChains, rpc: SocketAddr, http: SocketAddr) -> Running {
    let config = chains.config(|config| other(config, "other", rpc, http));
    Running::start(&["run", "--config", config.to_str().unwrap()], &chains.dir.path().join("other.log"))
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_beside_the_same_chains_agree() {
    let chains = PausedChains::start_pausing_at(&[PAUSED_AT]).await;
    let [rpc, http, other_rpc, other_http] = free_addrs().unwrap();
    let _other = other_program(&chains, other_rpc, other_http);
    let other_url = format!("http://{other_rpc}");
    has_final_block(&other_url).await;

    let config = chains.config(|config| {
        other(config, "own", rpc, http);
        let mut opinions = Table::new();
        opinions.insert("supernodes".into(), vec![other_url.clone()].into());
        opinions.insert("filters".into(), vec![other_url.clone()].into());
        opinions.insert("interval".into(), "1s".into());
        config.insert("opinions".into(), opinions.into());
    });
    let checked = crosscheck(&["check", "--online", "--config", config.to_str().unwrap()]).output().unwrap();
    let checked = String::from_utf8(checked.stdout).unwrap();
    assert!(checked.contains("it runs the dependency set 901, 902"), "{checked}");
    assert!(
        checked.contains("it is not in passthrough: it refuses an access list that must be refused"),
        "{checked}"
    );

    let (_own, _log) = chains.sidecar(&config);
    let agreed = || async {
        let text = scrape(http).await?;
        let has_agreed = |kind: &str| compared(&text, kind, "agrees").is_some_and(|times| times > 0);
        (has_agreed("supernode") && has_agreed("filter")).then_some(text)
    };
    let text = eventually("agreement", agreed).await;
    for kind in ["supernode", "filter"] {
        assert_eq!(compared(&text, kind, "differs"), Some(0));
    }
}

/// The events of this kind that a program has reported.
async fn events(rpc: SocketAddr, kind: &str) -> Option<Vec<Value>> {
    let page = json!({ "kinds": [kind] });
    let page = call(&format!("http://{rpc}"), "crosscheck_events", &[page]).await?;
    Some(page["events"].as_array()?.clone())
}

/// A clock of a test's own. Returns the time that it began at.
fn copy_clock(from: &Path, to: &Path) -> u64 {
    std::fs::copy(from, to).unwrap();
    std::fs::read_to_string(to).unwrap().trim().parse().unwrap()
}

/// The record of an op-supernode that has derived its chains from their genesis on.
fn derived_from_genesis() -> Value {
    let genesis = |byte| json!({ "hash": B256::repeat_byte(byte), "number": 0 });
    json!({ "l1Block": genesis(1), "safeHead": genesis(2) })
}

/// The op-supernode is beside chains that have other blocks: its super root differs for as long as it is. Its
/// answers to access lists are not reported by then: their initiating blocks are others, or may be.
#[tokio::test(flavor = "multi_thread")]
async fn a_lasting_difference_is_reported_once_and_accuses_nobody() {
    let chains = PausedChains::start_pausing_at(&[PAUSED_AT]).await;
    let strangers = PausedChains::start_from(6, &[PAUSED_AT]).await;
    let [rpc, http, other_rpc, other_http] = free_addrs().unwrap();
    let other_url = format!("http://{other_rpc}");
    let stranger = other_program(&strangers, other_rpc, other_http);
    has_final_block(&other_url).await;
    let supernode = TwistedEndpoint::before(&other_url).await;
    supernode.twist("optimism_safeHeadAtL1Block", Some(Twist::Answer(derived_from_genesis())));

    let clock = chains.dir.path().join("own-clock");
    let began = copy_clock(Path::new(chains.written.clock_file()), &clock);
    let config = chains.config(|config| {
        other(config, "own", rpc, http);
        config.insert("clock".into(), format!("file:{}", clock.display()).into());
        let mut opinions = Table::new();
        opinions.insert("supernodes".into(), vec![supernode.url.clone()].into());
        opinions.insert("filters".into(), vec![other_url.clone()].into());
        opinions.insert("interval".into(), "1s".into());
        config.insert("opinions".into(), opinions.into());
    });
    let (_own, log) = chains.sidecar(&config);
    let has_differed = |times: u64| async move {
        let text = scrape(http).await?;
        compared(&text, "supernode", "differs").filter(|found| *found >= times)
    };
    let found = eventually("a difference", || has_differed(2)).await;
    assert_eq!(events(rpc, "super-roots-differ").await, Some(vec![]), "it has not lasted");

    std::fs::write(&clock, format!("{:020}\n", began + 61)).unwrap();
    let reported = || async { events(rpc, "super-roots-differ").await?.first().cloned() };
    let event = eventually("the difference is reported", reported).await;
    let answers = event["answers"].as_array().unwrap();
    assert_eq!(answers.len(), 2, "{event}");
    assert_ne!(answers[0]["super_root"], answers[1]["super_root"], "{event}");
    eventually("it is found again", || has_differed(found + 3)).await;
    assert_eq!(events(rpc, "super-roots-differ").await.unwrap().len(), 1, "it is reported once");
    let warned = "super root of an op-supernode differs; find out which is right and fix the other";
    assert_eq!(entries(&log, warned).len(), 1);
    assert_eq!(events(rpc, "access-checks-differ").await, Some(vec![]), "the blocks may be others");

    stranger.kill();
    let _same = other_program(&chains, other_rpc, other_http);
    let agrees = || async { entries(&log, "second opinion agrees again").pop() };
    eventually("agreement again", agrees).await;
    assert_eq!(events(rpc, "verdict").await, Some(vec![]), "nobody is accused");
}
