//! The stand-in's tracking of messages: it looks up what each cites, and what became of its block.

use super::SidecarDouble;
use crate::contracts::bindings::ICrossL2Inbox;
use alloy::{
    primitives::{B256, U256},
    rpc::types::Log,
    sol_types::SolEvent,
};
use crosscheck_core::message::CROSS_L2_INBOX;
use crosscheck_p2p::ChainId;
use jsonrpsee::{core::client::ClientT, http_client::HttpClient, rpc_params};
use serde_json::{Value, json};
use std::collections::HashMap;

/// All execution clients, by chain.
pub(super) type Clients = HashMap<ChainId, HttpClient>;

/// Tracks the messages of a chain, as far as its client answers.
pub(super) async fn track(chain_id: ChainId, clients: &Clients, double: &SidecarDouble) {
    let filter = json!({ "address": CROSS_L2_INBOX, "fromBlock": "0x0", "toBlock": "latest" });
    let Ok(logs) = clients[&chain_id].request::<Vec<Log>, _>("eth_getLogs", rpc_params![filter]).await else {
        return;
    };
    for log in logs {
        let place = (chain_id, log.block_hash.unwrap(), log.log_index.unwrap());
        if double.heard.lock().messages.contains_key(&place) {
            continue;
        }
        let Some(record) = discover(chain_id, &log, clients).await else { continue };
        double.heard.lock().tell(place, record);
    }
    let open: Vec<_> = {
        let heard = double.heard.lock();
        let of_chain = heard
            .messages
            .iter()
            .filter(|((chain, ..), record)| *chain == chain_id && record["state"] == "tracked");
        of_chain.map(|(place, record)| (*place, record.clone())).collect()
    };
    for (place, mut record) in open {
        if let Some(state) = state(&clients[&chain_id], place.1, &record).await {
            record["state"] = json!(state);
            double.heard.lock().tell(place, record);
        }
    }
}

async fn discover(chain_id: ChainId, log: &Log, clients: &Clients) -> Option<Value> {
    let event = ICrossL2Inbox::ExecutingMessage::decode_log(&log.inner).unwrap().data;
    let id = event.id;
    let initiating = ChainId::from(id.chainId.to::<u64>());
    let filter = json!({ "fromBlock": id.blockNumber, "toBlock": id.blockNumber });
    let cited: Vec<Log> = clients.get(&initiating)?.request("eth_getLogs", rpc_params![filter]).await.ok()?;
    let stands = cited.iter().any(|cited| cited.log_index.map(U256::from) == Some(id.logIndex));
    let (status, reason) = if stands { ("valid", None) } else { ("invalid", Some("log-not-found")) };
    Some(json!({
        "sequence": 0,
        "executing": {
            "chain_id": chain_id, "number": log.block_number, "hash": log.block_hash,
            "timestamp": log.block_timestamp,
        },
        "log_index": log.log_index,
        "initiating": { "chain_id": initiating, "block_number": id.blockNumber.to::<u64>() },
        "status": status, "reason": reason, "state": "tracked", "declared": true, "flips": 0,
        "history": [{ "from": "unknown", "to": status, "cause": "checked" }],
    }))
}

/// What became of the block, if something did.
async fn state(client: &HttpClient, hash: B256, record: &Value) -> Option<&'static str> {
    let number = record["executing"]["number"].as_u64().unwrap();
    let block =
        async |tag: Value| client.request::<Value, _>("eth_getBlockByNumber", rpc_params![tag, false]).await;
    let there = block(json!(U256::from(number))).await.ok()?;
    if there.is_null() {
        return None;
    }
    if there["hash"] != json!(hash) {
        return Some(if record["status"] == "invalid" { "resolved" } else { "orphaned" });
    }
    let finalized: U256 =
        serde_json::from_value(block(json!("finalized")).await.ok()?["number"].clone()).ok()?;
    (finalized >= U256::from(number)).then_some("finalized")
}
