//! Second opinions: two programs beside the same chains are asked by each other, and then one of them differs.

use crate::metrics::scrape;
use crate::paused_chains::PausedChains;
use crate::program::{Running, call, crosscheck, eventually};
use crate::twisted_endpoint::{Twist, TwistedEndpoint};
use alloy::primitives::{B256, U256, keccak256};
use crosscheck_devnet::free_addrs::free_addrs;
use serde_json::{Value, json};
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

/// The super root of these output roots.
fn super_root(timestamp: u64, outputs: &[(u64, B256)]) -> B256 {
    let mut preimage = vec![1];
    preimage.extend(timestamp.to_be_bytes());
    for (chain, output) in outputs {
        preimage.extend(U256::from(*chain).to_be_bytes::<32>());
        preimage.extend(output.as_slice());
    }
    keccak256(preimage)
}

/// What an op-supernode says that has other blocks at a timestamp.
fn other_root(timestamp: u64) -> Value {
    let outputs = [(901, B256::repeat_byte(1)), (902, B256::repeat_byte(2))];
    let chains = outputs.map(|(chain, output)| json!({ "ChainID": chain.to_string(), "Output": output }));
    let preimage = json!({ "timestamp": format!("{timestamp:#x}"), "chains": chains });
    json!({
        "current_l1": { "hash": B256::repeat_byte(3), "number": 3 },
        "data": { "super_root": super_root(timestamp, &outputs), "super": preimage },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_agree_until_one_of_them_differs() {
    let chains = PausedChains::start_pausing_at(&[PAUSED_AT]).await;
    let [rpc, http, other_rpc, other_http] = free_addrs().unwrap();
    let config = chains.config(|config| other(config, "other", other_rpc, other_http));
    let log = chains.dir.path().join("other.log");
    let _other = Running::start(&["run", "--config", config.to_str().unwrap()], &log);
    let (own_url, other_url) = (format!("http://{rpc}"), format!("http://{other_rpc}"));
    let finalized = || async {
        let status = call(&other_url, "supernode_syncStatus", &[]).await?;
        status["finalized_timestamp"].as_u64().filter(|timestamp| *timestamp > 0)
    };
    let timestamp = eventually("a final timestamp", finalized).await;

    let supernode = TwistedEndpoint::before(&other_url).await;
    let config = chains.config(|config| {
        other(config, "own", rpc, http);
        let mut opinions = Table::new();
        opinions.insert("supernodes".into(), vec![supernode.url.clone()].into());
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

    let (_own, log) = chains.sidecar(&config);
    let agreed = || async {
        let text = scrape(http).await?;
        let has_agreed = |kind: &str| compared(&text, kind, "agrees").is_some_and(|times| times > 0);
        (has_agreed("supernode") && has_agreed("filter")).then_some(text)
    };
    let text = eventually("agreement", agreed).await;
    for kind in ["supernode", "filter"] {
        assert_eq!(compared(&text, kind, "differs"), Some(0));
    }

    let genesis = json!({
        "l1Block": { "hash": B256::repeat_byte(3), "number": 0 },
        "safeHead": { "hash": B256::repeat_byte(4), "number": 0 },
    });
    supernode.twist("optimism_safeHeadAtL1Block", Some(Twist::Answer(genesis)));
    supernode.twist("superroot_atTimestamp", Some(Twist::Answer(other_root(timestamp))));
    let differ = || async {
        let page = call(&own_url, "crosscheck_events", &[json!({ "kinds": ["super-roots-differ"] })]).await?;
        page["events"].as_array()?.first().cloned()
    };
    let event = eventually("the difference", differ).await;
    assert_eq!((&event["timestamp"], &event["block"]["chain_id"]), (&json!(timestamp), &json!(901)));
    assert_eq!(event["answers"][1]["by"], "supernode #0");
    assert_eq!(event["answers"][1]["super_root"], other_root(timestamp)["data"]["super_root"]);
    let status = call(&own_url, "crosscheck_status", &[]).await.unwrap();
    let reasons = status["reasons"].as_array().unwrap();
    assert!(!reasons.iter().any(|reason| reason.as_str().unwrap().contains("supernode #0")), "{reasons:?}");
    let said = std::fs::read_to_string(log).unwrap();
    assert!(said.contains("super root of an op-supernode differs"), "{said}");
}
