//! The RPC of the real program, watching a devnet in another process.

use crate::program::{DEADLINE, Running, Written, call, crosscheck, eventually, go_on, joined, paused_at};
use crate::sidecar::devnet;
use jsonrpsee::core::client::{Subscription, SubscriptionClientT};
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::WsClientBuilder;
use serde_json::{Value, json};
use tempfile::TempDir;

/// An answer of the wanted shape: `null` and errors are asked for again.
async fn answer(rpc: &str, method: &str, params: &[Value]) -> Value {
    eventually(method, || async { call(rpc, method, params).await.filter(|answer| !answer.is_null()) }).await
}

#[tokio::test]
async fn a_running_program_answers_every_method() {
    let dir = TempDir::new().unwrap();
    // An event is reported once: the chains wait for anyone who listens.
    let chains = devnet(dir.path(), &["invalid-message@20"], &[5]);
    let config = Written::wait_for(&dir.path().join("crosscheck.toml")).await;
    let file = dir.path().join("crosscheck.toml");
    let arguments = ["run", "--config", file.to_str().unwrap(), "--log-format", "json"];
    let program = Running::start(&arguments, &dir.path().join("sidecar.log"));
    let rpc = config.rpc();
    answer(&rpc, "crosscheck_status", &[]).await;
    let websocket = WsClientBuilder::default().build(rpc.replace("http", "ws")).await.unwrap();
    let mut events: Subscription<Value> = websocket
        .subscribe("crosscheck_subscribeEvents", rpc_params![], "crosscheck_unsubscribeEvents")
        .await
        .unwrap();
    paused_at(dir.path(), 5).await;
    go_on(dir.path());

    // The message that the chains should never have executed is reported, with its reason.
    let invalid = tokio::time::timeout(DEADLINE, async {
        loop {
            let event = events.next().await.unwrap().unwrap();
            if event["kind"] == "message-invalid" {
                return event;
            }
        }
    });
    let invalid = invalid.await.unwrap();
    assert_eq!((&invalid["executing"]["number"], &invalid["reason"]), (&json!(20), &json!("log-not-found")));
    let query = json!({
        "chain_id": invalid["executing"]["chain_id"], "hash": invalid["executing"]["hash"],
        "log_index": invalid["log_index"],
    });
    let message = answer(&rpc, "crosscheck_message", &[query]).await;
    assert_eq!((&message["status"], &message["executing"]), (&json!("invalid"), &invalid["executing"]));
    eventually("a whole page of messages", || async {
        let page = call(&rpc, "crosscheck_messages", &[json!({ "limit": 5 })]).await?;
        (page["messages"].as_array()?.len() == 5).then_some(())
    })
    .await;

    for method in ["supervisor_localUnsafe", "supervisor_localSafe", "supervisor_finalized"] {
        let mut head = answer(&rpc, method, &[json!("0x385")]).await;
        if let Some(derived) = head.get_mut("derived").map(Value::take) {
            head = derived;
        }
        let by_number = [json!("901"), head["number"].clone()];
        assert_eq!(answer(&rpc, "interop_getBlockHashByNumber", &by_number).await, head["hash"], "{method}");
    }
    eventually("the head of the other chain", || async {
        let status = call(&rpc, "supervisor_syncStatus", &[]).await?;
        (status["chains"]["0x386"]["localUnsafe"]["number"].as_u64()? > 0).then_some(())
    })
    .await;
    answer(&rpc, "supervisor_finalizedL1", &[]).await;
    assert_eq!(answer(&rpc, "admin_getFailsafeEnabled", &[]).await, json!(false));
    assert!(call(&rpc, "admin_setFailsafeEnabled", &[json!(true)]).await.is_none());
    answer(&rpc, "crosscheck_suspects", &[]).await;

    let printed = crosscheck(&["messages", "--rpc", &rpc, "--all", "--json"]).output().unwrap();
    let printed: Vec<Value> = serde_json::from_slice(&printed.stdout).unwrap();
    assert!(printed.iter().any(|message| message["executing"] == invalid["executing"]));
    let table = crosscheck(&["messages", "--rpc", &rpc, "--chain", "901", "--all"]).output().unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("log-not-found") && !table.contains("│ 902   ┆"), "{table}");

    joined(&rpc, &[901, 902]).await;
    let peers = answer(&rpc, "crosscheck_peers", &[json!(901)]).await;
    assert!(peers.as_array().unwrap().iter().all(|peer| peer["chain_id"] == 901), "{peers}");
    assert!(peers.as_array().unwrap().iter().all(|peer| peer["score"].is_number()), "{peers}");
    let meshed = crosscheck(&["peers", "--rpc", &rpc]).output().unwrap();
    let meshed = String::from_utf8(meshed.stdout).unwrap();
    assert!(meshed.contains("blocksv4") && !meshed.contains(" 0 of them in a mesh"), "{meshed}");

    let unknown = crosscheck(&["peers", "--rpc", &rpc, "--chain", "5"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("the gossip of chain 5 is not joined"));

    assert!(program.terminate().success());
    assert!(chains.terminate().success());
    let output = crosscheck(&["messages", "--rpc", &rpc]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}
