//! Ways to make Crosscheck blind: each is told on `/readyz` and in the log while it lasts, its end is told
//! too, and nobody is accused.

use crate::paused_chains::{PausedChains, entries, entries_of_901, reasons};
use crate::program::{Written, call, eventually, go_on};
use crate::twisted_endpoint::{Twist, TwistedEndpoint};
use crosscheck::for_tests::UNSAFE_BLOCK_SIGNER_SLOT;
use rstest::rstest;
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use toml::{Table, Value};

/// Heads of every chain that may be stalled no longer than this.
fn impatient(config: &mut Table, stalls: &[&str]) {
    for (_, chain) in config["chains"].as_table_mut().unwrap() {
        for stall in stalls {
            chain.as_table_mut().unwrap().insert((*stall).into(), "1s".into());
        }
    }
}

fn first_chain(config: &mut Table) -> &mut Table {
    config["chains"]["901"].as_table_mut().unwrap()
}

/// Waits until something that begins so, and holds all of this, blocks readiness.
async fn await_reason(rpc: &str, part: &str, says: &[&str]) -> String {
    eventually(&format!("{part} to be in the way"), || async {
        let reasons = reasons(rpc).await?;
        let is_it =
            |reason: &String| reason.starts_with(part) && says.iter().all(|says| reason.contains(says));
        reasons.into_iter().find(is_it)
    })
    .await
}

async fn await_no_reason(rpc: &str, part: &str) {
    eventually(&format!("{part} to be out of the way"), || async {
        reasons(rpc).await?.iter().all(|reason| !reason.starts_with(part)).then_some(())
    })
    .await;
}

/// Neither the log nor the ledger accuses anybody.
async fn no_attester_is_accused(rpc: &str, log: &Path) {
    let verdicts = call(rpc, "crosscheck_verdicts", &[json!({ "after": 0 })]).await.unwrap();
    assert!(!verdicts.to_string().contains("violated"), "{verdicts}");
    let text = std::fs::read_to_string(log).unwrap();
    assert!(!text.contains("\"level\":\"ERROR\""), "{text}");
}

/// Who signs each chain's blocks, by L1.
async fn signers(written: &Written) -> Vec<(String, String)> {
    let mut signers = Vec::new();
    for chain in ["901", "902"] {
        let slot = [json!(written.system_config(chain)), json!(UNSAFE_BLOCK_SIGNER_SLOT), json!("latest")];
        let word = call(&written.l1(), "eth_getStorageAt", &slot).await.unwrap();
        let address = word.as_str().unwrap().trim_start_matches("0x")[24..].to_owned();
        signers.push((chain.to_owned(), format!("0x{address}")));
    }
    signers
}

/// What is frozen while the chains continue.
#[derive(Clone, Copy, Debug)]
enum Frozen {
    ExecutionClient,
    RollupNode,
    L1,
    /// L1, where no chain reads its signer from it.
    L1WithoutSigners,
}

#[rstest]
#[case::execution_client(Frozen::ExecutionClient, &["unsafe_stall"], &["execution"])]
#[case::rollup_node(Frozen::RollupNode, &["unsafe_stall", "safe_stall", "l1_stall"], &["unsafe", "local-safe", "current-l1"])]
#[case::l1(Frozen::L1, &["l1_stall"], &["l1"])]
#[case::l1_with_signers_by_hand(Frozen::L1WithoutSigners, &["l1_stall"], &["l1"])]
#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_stuck_while_the_chains_continue_is_named(
    #[case] frozen: Frozen,
    #[case] stalls: &[&str],
    #[case] heads: &[&str],
) {
    let chains = PausedChains::start().await;
    let at = match frozen {
        Frozen::ExecutionClient => chains.written.execution("901"),
        Frozen::RollupNode => chains.written.rollup_node("901"),
        Frozen::L1 | Frozen::L1WithoutSigners => chains.written.l1(),
    };
    let endpoint = TwistedEndpoint::before(&at).await;
    let (method, twist) = match frozen {
        Frozen::ExecutionClient => ("eth_getBlockByNumber", Twist::Behind(9)),
        Frozen::RollupNode => {
            let method = "optimism_syncStatus";
            (method, Twist::Answer(call(&at, method, &[]).await.unwrap()))
        }
        Frozen::L1 | Frozen::L1WithoutSigners => ("eth_getBlockByNumber", Twist::Behind(1)),
    };
    let signers = match frozen {
        Frozen::L1WithoutSigners => signers(&chains.written).await,
        _ => Vec::new(),
    };
    endpoint.twist(method, Some(twist));
    let config = chains.config(|config| {
        impatient(config, stalls);
        match frozen {
            Frozen::ExecutionClient => {
                first_chain(config)["execution"] = Value::from(vec![endpoint.url.clone()]);
            }
            Frozen::RollupNode => first_chain(config)["rollup_node"] = endpoint.url.clone().into(),
            Frozen::L1 | Frozen::L1WithoutSigners => {
                config["l1"]["execution"] = endpoint.url.clone().into();
            }
        }
        for (chain, signer) in signers {
            let chain = config["chains"][&chain].as_table_mut().unwrap();
            chain.remove("system_config");
            chain.insert("unsafe_block_signer".into(), signer.into());
        }
    });
    let (sidecar, log) = chains.sidecar(&config);
    let rpc = chains.written.rpc();
    let part = |head: &str| match head {
        "l1" => "L1 stalled head: ".to_owned(),
        head => format!("chain 901 stalled {head} head: "),
    };
    for head in heads {
        await_reason(&rpc, &part(head), &["for more than 1s"]).await;
    }
    // The other chain's heads stand still, too, until the chains continue.
    let has_another = !matches!(frozen, Frozen::L1 | Frozen::L1WithoutSigners);
    if has_another {
        await_reason(&rpc, &format!("chain 902 stalled {} head: ", heads[0]), &[]).await;
    }
    go_on(chains.dir.path());
    let moved = |chain: &str, head: &str| {
        let told = entries(&log, "head is moving again");
        told.iter().any(|entry| entry["chain_id"] == chain && entry["head"] == head)
    };
    if has_another {
        eventually("the other chain to go on", || async { moved("902", heads[0]).then_some(()) }).await;
    }
    for head in heads {
        await_reason(&rpc, &part(head), &[]).await;
        assert!(!moved("901", head), "{head}");
    }
    endpoint.twist(method, None);
    for head in heads {
        eventually(&format!("{head} to move"), || async {
            let told = entries(&log, "head is moving again");
            told.iter()
                .any(|entry| entry["head"] == *head && (*head == "l1" || entry["chain_id"] == "901"))
                .then_some(())
        })
        .await;
    }
    no_attester_is_accused(&rpc, &log).await;
    assert!(sidecar.terminate().success());
    assert!(entries(&log, "head is not moving").iter().all(|entry| entry["level"] == "WARN"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superchain_that_halts_is_reported_until_it_continues() {
    let chains = PausedChains::start().await;
    let config = chains.config(|config| impatient(config, &["unsafe_stall", "safe_stall", "l1_stall"]));
    let (sidecar, log) = chains.sidecar(&config);
    let rpc = chains.written.rpc();
    let heads = ["unsafe", "execution", "local-safe", "current-l1"];
    for chain in ["901", "902"] {
        for head in heads {
            await_reason(&rpc, &format!("chain {chain} stalled {head} head: "), &["for more than 1s"]).await;
        }
    }
    await_reason(&rpc, "L1 stalled head: ", &["check the endpoint l1.execution"]).await;
    go_on(chains.dir.path());
    for head in heads {
        eventually(&format!("{head} to move"), || async {
            let told = entries_of_901(&log, "head is moving again");
            told.iter().any(|entry| entry["head"] == head).then_some(())
        })
        .await;
    }
    no_attester_is_accused(&rpc, &log).await;
    assert!(sidecar.terminate().success());
    let told = entries_of_901(&log, "head is not moving");
    assert!(told.len() >= heads.len() && told.iter().all(|entry| entry["level"] == "WARN"), "{told:?}");
}

/// An execution client that answers late, but not too late: heads and verdicts are late with it.
#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_takes_most_of_its_time_is_named_until_it_is_quick() {
    let chains = PausedChains::start().await;
    let client = TwistedEndpoint::before(&chains.written.execution("901")).await;
    let config = chains.config(|config| {
        let sources = config.entry("sources").or_insert_with(|| Table::new().into());
        sources.as_table_mut().unwrap().insert("timeout".into(), "2s".into());
        first_chain(config)["execution"] = Value::from(vec![client.url.clone()]);
    });
    client.twist("eth_getBlockByNumber", Some(Twist::Late(Duration::from_millis(1_200))));
    let (sidecar, log) = chains.sidecar(&config);
    let rpc = chains.written.rpc();
    let part = "chain 901 slow execution endpoint #0: ";
    await_reason(&rpc, part, &["more than 50 % of its timeout of 2s"]).await;
    client.twist("eth_getBlockByNumber", None);
    await_no_reason(&rpc, part).await;
    no_attester_is_accused(&rpc, &log).await;
    assert!(sidecar.terminate().success());
    let told = entries_of_901(&log, "endpoint is slow");
    assert!(matches!(&told[..], [entry] if entry["level"] == "WARN"), "{told:?}");
    assert_eq!(entries_of_901(&log, "endpoint is no longer slow").len(), 1);
}

/// Settings that fit another chain than the one that the endpoints serve.
#[rstest]
#[case::interop_time_in_milliseconds("interop_time", Value::Integer(1_796_918_401_000), &["1796918401000"])]
#[case::another_block_time("block_time", Value::Integer(7), &["block_time", "7"])]
#[case::another_set("dependency_set", Value::Array(vec![Value::Integer(901)]), &["902"])]
#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_the_rollup_node_contradicts_is_named_until_it_is_right(
    #[case] key: &str,
    #[case] wrong: Value,
    #[case] says: &[&str],
) {
    let chains = PausedChains::start().await;
    let config = chains.config(|config| {
        first_chain(config).insert(key.into(), wrong);
    });
    let (sidecar, log) = chains.sidecar(&config);
    let rpc = chains.written.rpc();
    await_reason(&rpc, "chain 901 endpoints: ", says).await;
    no_attester_is_accused(&rpc, &log).await;
    assert!(sidecar.terminate().success());
    let waiting = entries_of_901(&log, "waiting for endpoints");
    assert!(waiting.iter().any(|entry| entry["part"] == "chain 901 endpoints"), "told in the log");

    let (sidecar, log) = chains.sidecar(&chains.config(|_| {}));
    await_no_reason(&rpc, "chain 901 endpoints: ").await;
    eventually("the head to be vouched for", || async {
        let status = call(&rpc, "crosscheck_status", &[]).await?;
        status.to_string().contains("vouched").then_some(())
    })
    .await;
    no_attester_is_accused(&rpc, &log).await;
    assert!(sidecar.terminate().success());
}

/// The SystemConfig of another chain names another signer, and an L1 of another network knows neither.
#[rstest]
#[case::system_configs_swapped(true)]
#[case::l1_of_another_network(false)]
#[tokio::test(flavor = "multi_thread")]
async fn another_l1_or_system_config_is_named_and_no_block_found_invalid(#[case] are_swapped: bool) {
    let chains = PausedChains::start().await;
    let config = chains.config(|config| {
        if are_swapped {
            let [first, second] =
                ["901", "902"].map(|chain| config["chains"][chain]["system_config"].clone());
            config["chains"]["901"].as_table_mut().unwrap().insert("system_config".into(), second);
            config["chains"]["902"].as_table_mut().unwrap().insert("system_config".into(), first);
        } else {
            config["l1"]["execution"] = chains.written.execution("902").into();
        }
    });
    let (sidecar, log) = chains.sidecar(&config);
    let rpc = chains.written.rpc();
    let part = "chain 901 endpoints: ";
    let says: &[&str] = if are_swapped { &["l1_system_config_address"] } else { &["l1_chain_id"] };
    let reason = await_reason(&rpc, part, says).await;
    go_on(chains.dir.path());
    await_reason(&rpc, part, says).await;
    no_attester_is_accused(&rpc, &log).await;
    assert!(!reason.is_empty() && sidecar.terminate().success());
}
