//! Crosscheck against supersim: two chains with the real contracts, made by others, and checked by others
//! too.
//!
//! supersim's proxies refuse a transaction that would execute what is not a message; the anvils behind them
//! include whatever they are sent. So one message goes the users' way and is valid, and one goes past the
//! check and is not.

mod node;
mod process;
mod traffic;

pub(crate) use node::{Mined, Node};
pub(crate) use process::{Chain, Supersim};

use crate::program::{DEADLINE, Running, call, eventually};
use crosscheck::for_tests::{EndpointLimits, ExecutionClient};
use crosscheck_core::proof::{LogIndex, ProvenLogs};
use crosscheck_core::validity::{
    DEFAULT_EXPIRY_WINDOW, DependencySet, Execution, InvalidReason, Member, check_claim, check_log,
};
use crosscheck_devnet::free_addrs::free_addrs;
use crosscheck_p2p::{ChainId, UnixSeconds};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use traffic::Traffic;

/// How long Crosscheck's client waits for an anvil, and how much it takes from it.
const LIMITS: EndpointLimits =
    EndpointLimits { timeout: DEADLINE, max_response_bytes: 10 << 20, max_concurrent_requests: 4 };

/// The proven logs of a chain's blocks, from genesis to its head, on which proxy and anvil agree.
async fn proven(chain: &Chain) -> Vec<Arc<ProvenLogs>> {
    let urls = [&chain.proxy, &chain.inner].map(|node| node.url.parse().unwrap());
    let index = LogIndex::new(1 << 20);
    let client = ExecutionClient::new(ChainId::from(chain.id), &urls, urls.len(), LIMITS, index).unwrap();
    client.check_chain().await.unwrap();
    let mut proven = Vec::new();
    for number in 0..=chain.proxy.head().await.unwrap().number {
        let block = client.block_by_number(number).await.unwrap().expect("the block is there");
        proven.push(client.logs(&block).await.unwrap().expect("its receipts are there"));
    }
    proven
}

#[tokio::test]
async fn supersim_blocks_are_proven_and_their_messages_judged() {
    let (_supersim, [sender, receiver]) = Supersim::start().await;
    let Traffic { sent, valid, forged, invalid } = Traffic::make(&sender, &receiver).await;
    let initiating = proven(&sender).await;
    assert!(initiating.iter().all(|block| block.executed().is_empty()));
    let member = Member { interop_time: UnixSeconds(0), block_time: 2 };
    let members = [&sender, &receiver].map(|chain| (ChainId::from(chain.id), member));
    let set = DependencySet::new(members.into(), DEFAULT_EXPIRY_WINDOW);

    let mut judged = Vec::new();
    for block in proven(&receiver).await {
        for executed in block.executed() {
            let message = executed.message.message;
            let execution = Execution { chain_id: block.chain_id(), timestamp: block.timestamp() };
            assert_eq!(check_claim(&set, execution, &message), Ok(()));
            let cited = usize::try_from(message.identifier.block_number).unwrap();
            judged.push((block.number(), message, check_log(&message, &initiating[cited])));
        }
    }
    let contradiction =
        InvalidReason::PayloadMismatch { claimed: forged.payload_hash, found: sent.payload_hash };
    let expected = [(valid.block.number, sent, Ok(())), (invalid.block.number, forged, Err(contradiction))];
    assert_eq!(judged, expected);
}

/// More blocks than an anvil lags behind its head with `finalized`: two epochs.
const UNTIL_FINAL: u64 = 70;

/// A configuration that names nothing of the chains but where they are and how fast.
fn configure(dir: &Path, chains: [&Chain; 2]) -> (String, String) {
    let [rpc, http] = free_addrs().unwrap();
    let mut text =
        format!("data_dir = {:?}\nrpc.addr = \"{rpc}\"\nhttp.addr = \"{http}\"\n", dir.join("data"));
    let set = chains.map(|chain| chain.id);
    for Chain { id, proxy, .. } in chains {
        // Interop is active from the genesis of these chains on, whose configuration says 0.
        text += &format!(
            "[chains.{id}]\nexecution = [{:?}]\nblock_time = 2\ninterop_time = 0\ndependency_set = {set:?}\n",
            proxy.url
        );
    }
    let config = dir.join("crosscheck.toml");
    std::fs::write(&config, text).unwrap();
    (config.to_str().unwrap().to_owned(), format!("http://{rpc}"))
}

/// A log that is shown if the test fails: its directory goes with the test.
struct ShownOnFailure(PathBuf);

impl Drop for ShownOnFailure {
    #[allow(clippy::print_stderr, reason = "the test harness shows it with the failure")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(&self.0).unwrap_or_default());
        }
    }
}

/// Every message that Crosscheck knows, once this holds for all of them and there are at least two.
async fn messages(rpc: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Vec<Value> {
    let query = [json!({ "after": 0, "limit": 100 })];
    eventually(what, async || {
        let answer = call(rpc, "crosscheck_messages", &query).await?;
        let messages = answer["messages"].as_array()?.clone();
        (messages.len() >= 2 && messages.iter().all(&holds)).then_some(messages)
    })
    .await
}

#[tokio::test]
async fn crosscheck_ends_with_one_valid_and_one_invalid_message() {
    let (_supersim, [sender, receiver]) = Supersim::start().await;
    let dir = TempDir::new().unwrap();
    let (config, rpc) = configure(dir.path(), [&sender, &receiver]);
    let log = ShownOnFailure(dir.path().join("log"));
    let crosscheck = Running::start(&["run", "--config", &config], &log.0);
    let Traffic { sent, valid, forged, invalid } = Traffic::make(&sender, &receiver).await;
    messages(&rpc, "both messages to be decided", |message| message["status"] != "unknown").await;
    for chain in [&sender, &receiver] {
        let _null: Value = chain.inner.call("anvil_mine", &[UNTIL_FINAL.into(), 2.into()]).await;
    }
    let found = messages(&rpc, "both messages to be final", |message| message["state"] == "finalized").await;
    let expected =
        [(&sent, &valid, "valid", Value::Null), (&forged, &invalid, "invalid", "payload-mismatch".into())];
    assert_eq!(found.len(), expected.len(), "no message but these: {found:?}");
    for (message, mined, status, reason) in expected {
        let found = found.iter().find(|found| found["payload_hash"] == json!(message.payload_hash));
        let found = found.unwrap_or_else(|| panic!("the {status} message is known"));
        assert_eq!((&found["status"], &found["reason"]), (&status.into(), &reason), "{found}");
        assert_eq!(found["initiating"], json!(message.identifier));
        assert_eq!(found["executing"]["chain_id"], receiver.id);
        assert_eq!(found["executing"]["number"], mined.block.number);
        assert_eq!(found["executing"]["hash"], json!(mined.block.hash));
        assert_eq!(found["executing"]["timestamp"], mined.block.timestamp);
        assert_eq!((&found["declared"], &found["flips"]), (&true.into(), &0.into()), "{found}");
        assert_eq!(found["level"], "finalized");
    }
    assert!(crosscheck.terminate().success());
}
