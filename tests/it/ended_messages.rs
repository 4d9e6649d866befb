//! Messages whose life is over, and that were not plainly valid, are answered the same after a kill and a
//! restart: as they were, under the same number.

use crate::program::{Running, Written, call, eventually, go_on, joined, paused_at};
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

/// Every message that is listed, read page by page.
async fn listed(rpc: &str) -> Option<Vec<Value>> {
    let (mut all, mut after) = (Vec::new(), json!(null));
    loop {
        let page = call(rpc, "crosscheck_messages", &[json!({ "after": after, "limit": 2 })]).await?;
        all.extend(page["messages"].as_array()?.iter().cloned());
        if page["next"].is_null() {
            return Some(all);
        }
        after = page["next"].clone();
    }
}

/// Those whose life is over, and that were not plainly valid.
pub(crate) async fn over(rpc: &str) -> Option<Vec<Value>> {
    let is_over = |message: &Value| !["tracked", "displaced"].contains(&message["state"].as_str().unwrap());
    let is_plain = |message: &Value| {
        let is_final = message["state"] == "finalized" && message["status"] == "valid";
        is_final && message["declared"] == true && message["flips"] == 0
    };
    let mut messages = listed(rpc).await?;
    messages.retain(|message| is_over(message) && !is_plain(message));
    Some(messages)
}

/// Where a message is: its chain and height.
fn place(message: &Value) -> (u64, u64) {
    let number = |field: &str| message["executing"][field].as_u64().unwrap();
    (number("chain_id"), number("number"))
}

/// Waits until a message at a place is said to be this.
async fn awaited(rpc: &str, at: (u64, u64), field: &str, said: &str) {
    eventually(&format!("the message at {at:?} to be {said}"), || async {
        let messages = listed(rpc).await?;
        messages.iter().any(|message| place(message) == at && message[field] == said).then_some(())
    })
    .await;
}

/// Holds that each of these is answered as it is here, one by one and by its number.
async fn answered_as(rpc: &str, messages: &[Value]) {
    for message in messages {
        let executing = &message["executing"];
        let query = json!({
            "chain_id": executing["chain_id"], "hash": executing["hash"], "log_index": message["log_index"],
        });
        assert_eq!(call(rpc, "crosscheck_message", &[query]).await.as_ref(), Some(message));
        let before = message["sequence"].as_u64().unwrap() - 1;
        let page = call(rpc, "crosscheck_messages", &[json!({ "after": before, "limit": 1 })]).await.unwrap();
        assert_eq!(page["messages"], json!([message]));
        assert!(page["cursor"].as_u64().unwrap() > before);
    }
}

fn sidecar(dir: &Path) -> Running {
    let config = dir.join("crosscheck.toml");
    Running::start(&["run", "--config", config.to_str().unwrap()], &dir.join("sidecar.log"))
}

#[tokio::test]
async fn an_ended_message_is_answered_the_same_after_a_kill() {
    let dir = TempDir::new().unwrap();
    let home = dir.path().to_str().unwrap();
    let mut arguments =
        vec!["devnet", "--fast", "--no-sidecar", "--seed", "3", "--dir", home, "--blocks", "70", "--stay"];
    for block in ["12", "26", "52"] {
        arguments.extend(["--pause-at", block]);
    }
    for fault in ["invalid-message@15", "undeclared-access@20", "justified-replacement@25:902"] {
        arguments.extend(["--fault", fault]);
    }
    let chains = Running::start(&arguments, &dir.path().join("devnet.log"));
    let config = Written::wait_for(&dir.path().join("crosscheck.toml")).await;
    let rpc = config.rpc();
    paused_at(dir.path(), 12).await;
    let first = sidecar(dir.path());
    joined(&rpc, &[901, 902]).await;
    go_on(dir.path());
    paused_at(dir.path(), 26).await;
    // It is about to be replaced.
    awaited(&rpc, (902, 25), "status", "invalid").await;
    go_on(dir.path());
    paused_at(dir.path(), 52).await;
    awaited(&rpc, (901, 15), "state", "finalized").await;
    awaited(&rpc, (901, 20), "state", "finalized").await;
    awaited(&rpc, (902, 25), "state", "resolved").await;
    let ended = over(&rpc).await.unwrap();
    let places: Vec<_> = ended.iter().map(place).collect();
    for at in [(901, 15), (901, 20), (902, 25)] {
        assert!(places.contains(&at), "{places:?}");
    }
    answered_as(&rpc, &ended).await;
    first.kill();

    let second = sidecar(dir.path());
    let again = eventually("an answer", || over(&rpc)).await;
    assert_eq!(again, ended, "before any block was read");
    answered_as(&rpc, &ended).await;
    // What is read again is not news, and what comes later has later numbers.
    go_on(dir.path());
    eventually("the last messages to be final", || async {
        let status = call(&rpc, "crosscheck_status", &[]).await?;
        let is_final = status["chains"].as_array()?.iter().all(|chain| chain["finalized"] == 70);
        let open = call(&rpc, "crosscheck_messages", &[json!({ "open_only": true })]).await?;
        (is_final && open["messages"] == json!([])).then_some(())
    })
    .await;
    let later = over(&rpc).await.unwrap();
    assert!(later.starts_with(&ended), "{later:#?}\nbefore: {ended:#?}");
    let newest =
        |messages: &[Value]| messages.iter().map(|message| message["sequence"].as_u64()).max().unwrap();
    assert!(later[ended.len()..].iter().all(|message| message["sequence"].as_u64() > newest(&ended)));
    second.kill();

    let third = sidecar(dir.path());
    assert_eq!(eventually("an answer", || over(&rpc)).await, later);
    answered_as(&rpc, &later).await;
    assert!(third.terminate().success() && chains.terminate().success());
}
