//! The devnet's `CrossL2Inbox` does what the real one does, call by call.
//!
//! The real one runs in supersim, behind the proxy contract that every predeploy has; ours is built on the
//! same chain, at an address of its own. Each call goes to both, first without a block and then in one, and
//! what comes back must be equal to the byte: return data, revert data, and the topics and data of the logs.
//! What may differ: the gas, the text of `version()`, and what the proxy says to its own admin.

mod outcome;
mod row;
mod rows;

use crate::supersim::{Chain, Supersim};
use alloy::primitives::{Address, address};
use alloy::sol_types::SolCall;
use crosscheck_core::message::CROSS_L2_INBOX;
use crosscheck_devnet::contracts::PREDEPLOYS;
use crosscheck_devnet::contracts::bindings::ICrossL2Inbox::versionCall;
use outcome::Outcome;
use serde_json::{Value, json};

/// Where ours stands.
const OURS: Address = address!("0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c22");

/// Puts our inbox on the chain.
async fn install(chain: &Chain) {
    let inbox = PREDEPLOYS.iter().find(|predeploy| predeploy.name == "CrossL2Inbox").unwrap();
    let code = inbox.bytecode().unwrap();
    let _null: Value = chain.inner.call("anvil_setCode", &[json!(OURS), json!(code)]).await;
    assert_ne!(code, chain.inner.code(CROSS_L2_INBOX).await, "they are two contracts");
}

#[tokio::test]
async fn each_call_has_the_same_result_on_both() {
    let (_supersim, [chain, _]) = Supersim::start().await;
    install(&chain).await;
    let accounts: Vec<Address> = chain.inner.call("eth_accounts", &[]).await;
    let mut differing = Vec::new();
    for row in rows::rows() {
        for inbox in [CROSS_L2_INBOX, OURS] {
            let outcome = Outcome::of(&row, &chain.inner, accounts[0], inbox).await;
            if outcome != row.outcome() {
                differing.push(format!("{} on {inbox}: {outcome:?}, not {:?}", row.name, row.outcome()));
            }
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// The one difference that is meant: anyone who asks the devnet's inbox for its version learns that it is not
/// the real one.
#[tokio::test]
async fn our_inbox_is_the_real_one_with_another_version() {
    let (_supersim, [chain, _]) = Supersim::start().await;
    install(&chain).await;
    let mut versions = Vec::new();
    for to in [CROSS_L2_INBOX, OURS] {
        let call = json!({ "to": to, "input": alloy::primitives::Bytes::from(versionCall {}.abi_encode()) });
        let answer = outcome::call(&chain.inner, &call).await.unwrap();
        versions.push(versionCall::abi_decode_returns(&answer).unwrap());
    }
    assert_eq!(versions, ["1.0.2", "1.0.2+crosscheck"]);
}
