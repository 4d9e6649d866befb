//! Second opinions: of two programs beside the same chains, one asks the other for super roots and access
//! checks.

use crate::metrics::scrape;
use crate::paused_chains::PausedChains;
use crate::program::{Running, call, crosscheck, eventually};
use crosscheck_devnet::free_addrs::free_addrs;
use std::net::SocketAddr;
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

#[tokio::test(flavor = "multi_thread")]
async fn programs_beside_the_same_chains_agree() {
    let chains = PausedChains::start_pausing_at(&[PAUSED_AT]).await;
    let [rpc, http, other_rpc, other_http] = free_addrs().unwrap();
    let config = chains.config(|config| other(config, "other", other_rpc, other_http));
    let log = chains.dir.path().join("other.log");
    let _other = Running::start(&["run", "--config", config.to_str().unwrap()], &log);
    let other_url = format!("http://{other_rpc}");
    let finalized = || async {
        let status = call(&other_url, "supernode_syncStatus", &[]).await?;
        status["finalized_timestamp"].as_u64().filter(|timestamp| *timestamp > 0)
    };
    eventually("a final timestamp", finalized).await;

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
