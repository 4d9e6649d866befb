//! [`Outcome`]: what a call and a transaction of an inbox gave.

use super::row::Row;
use crate::supersim::{Mined, Node};
use alloy::primitives::{Address, B256, Bytes, LogData};
use serde_json::Value;

/// Everything that a caller can see, but for the gas that it took and the log's emitter.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome {
    /// Of each call: what it returned, or what it reverted with.
    pub(super) answers: Vec<Result<Bytes, Bytes>>,
    /// Whether the transaction succeeded.
    pub(super) succeeded: bool,
    /// The logs that the inbox emitted.
    pub(super) logs: Vec<LogData>,
}

impl Outcome {
    /// Makes the call on an inbox: without a block first, and then in one.
    pub(super) async fn of(row: &Row, node: &Node, from: Address, inbox: Address) -> Self {
        let transaction = row.transaction(from, inbox);
        let answer = call(node, &transaction).await;
        let hash: B256 = node.call("eth_sendTransaction", &[transaction]).await;
        let _mined: Value = node.call("evm_mine", &[]).await;
        let Mined { succeeded, logs, .. } = node.mined(hash).await;
        let logs = logs.iter();
        Self {
            answers: row.answers(answer),
            succeeded,
            logs: logs.filter(|log| log.address() == inbox).map(|log| log.data().clone()).collect(),
        }
    }
}

/// What a call returns, or what it reverts with.
pub(super) async fn call(node: &Node, transaction: &Value) -> Result<Bytes, Bytes> {
    node.ask("eth_call", &[transaction.clone(), "latest".into()]).await.map_err(|refusal| {
        assert!(refusal.message().contains("revert"), "the call is made: {refusal}");
        refusal.data().map_or_else(Bytes::new, |data| serde_json::from_str(data.get()).unwrap())
    })
}
