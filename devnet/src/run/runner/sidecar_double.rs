//! A stand-in for the sidecar: it reads the configuration, joins gossip and serves the RPC as the real one
//! does, but has its verdicts from a list. It shows that a devnet can be heard, asked and watched.

mod messages;

use super::sidecar_double::messages::Clients;
use crate::sidecar::{RunningSidecar, SidecarError, SidecarStarter};
use alloy::primitives::{Address, B256};
use async_trait::async_trait;
use crosscheck_p2p::{
    ChainId, Clock, FileClock, Network, NetworkConfig, NetworkEvent, NodeIdentity, RefusalVerdict, Signers,
    Topic, ValidBlock,
};
use jsonrpsee::{
    RpcModule,
    core::client::ClientT,
    http_client::{HttpClient, HttpClientBuilder},
    rpc_params,
    server::{Server, ServerHandle},
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// A verdict, its reason, and the rule that a message breaks.
pub(super) type Verdict = (&'static str, Option<&'static str>, Option<&'static str>);

/// Which blocks it judges how; all others it upholds.
#[derive(Clone, Debug, Default)]
pub(super) struct SidecarDouble {
    pub(super) verdicts: HashMap<(u64, u64), Verdict>,
    pub(super) heard: Arc<Mutex<Heard>>,
}

/// What it heard.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    pub(super) unsafe_heads: HashMap<ChainId, u64>,
    pub(super) unsafe_blocks: Vec<(ChainId, u64)>,
    pub(super) attestations: Vec<Value>,
    pub(super) refusals: Vec<Value>,
    /// Executed messages: chain, block and log index.
    pub(super) messages: HashMap<(ChainId, B256, u64), Value>,
    /// How many changes of messages there were.
    pub(super) sequence: u64,
    /// How often the attestations were asked for.
    pub(super) asked: usize,
}

struct Running {
    cancel: CancellationToken,
    tasks: JoinSet<()>,
    server: ServerHandle,
}

#[async_trait]
impl RunningSidecar for Running {
    async fn shutdown(mut self: Box<Self>) -> Result<(), SidecarError> {
        self.cancel.cancel();
        while self.tasks.join_next().await.is_some() {}
        self.server.stop()?;
        Ok(())
    }
}

#[async_trait]
impl SidecarStarter for SidecarDouble {
    async fn start(self: Box<Self>, config: PathBuf) -> Result<Box<dyn RunningSidecar>, SidecarError> {
        let config: toml::Table = std::fs::read_to_string(config)?.parse()?;
        let clock = config["clock"].as_str().unwrap().strip_prefix("file:").unwrap();
        let clock: Arc<dyn Clock> = Arc::new(FileClock::open(clock)?);
        let l1 = client(config["l1"]["execution"].as_str().unwrap());
        let cancel = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let chains = config["chains"].as_table().unwrap();
        let clients: Arc<Clients> = Arc::new(
            chains
                .iter()
                .map(|(id, chain)| (id.parse().unwrap(), client(chain["execution"][0].as_str().unwrap())))
                .collect(),
        );
        for (chain_id, chain) in chains {
            let chain_id: ChainId = chain_id.parse()?;
            let signers = Signers::of(signer(&l1, chain).await);
            let mut network = NetworkConfig::new(chain_id);
            let peers = chain["p2p"]["static_peers"].as_array().unwrap();
            network.static_peers = peers.iter().map(|peer| peer.as_str().unwrap().parse().unwrap()).collect();
            let (known, signers) = watch::channel(signers);
            let (network, _, events) =
                Network::new(network, NodeIdentity::generate(), Arc::clone(&clock), signers)?;
            let ended = cancel.clone();
            tasks.spawn(async move {
                network.run(ended).await.unwrap();
                drop(known);
            });
            tasks.spawn(hear(chain_id, events, self.clone()));
            tasks.spawn(judge(chain_id, Arc::clone(&clients), self.clone(), cancel.clone()));
        }
        let server = serve(config["rpc"]["addr"].as_str().unwrap(), Arc::clone(&self.heard)).await;
        Ok(Box::new(Running { cancel, tasks, server }))
    }
}

fn client(url: &str) -> HttpClient {
    HttpClientBuilder::new().build(url).unwrap()
}

/// The signer as the chain's `SystemConfig` contract names it on L1.
async fn signer(l1: &HttpClient, chain: &toml::Value) -> Address {
    let slot = crate::l1::UNSAFE_BLOCK_SIGNER_SLOT;
    let params = rpc_params![chain["system_config"].as_str().unwrap(), slot, "latest"];
    let word: B256 = l1.request("eth_getStorageAt", params).await.unwrap();
    Address::from_word(word)
}

async fn hear(chain_id: ChainId, mut events: mpsc::Receiver<NetworkEvent>, double: Box<SidecarDouble>) {
    while let Some(event) = events.recv().await {
        let mut heard = double.heard.lock();
        match event {
            NetworkEvent::Block { block, .. } if block.topic() == Topic::BlocksV4 => {
                let head = heard.unsafe_heads.entry(chain_id).or_default();
                *head = block.number().max(*head);
                heard.unsafe_blocks.push((chain_id, block.number()));
            }
            NetworkEvent::Block { block, .. } => heard.attested(chain_id, &block),
            NetworkEvent::Refused { topic, verdict, refusal, .. } => {
                let id = heard.refusals.len() + 1;
                heard.refusals.push(json!({
                    "id": id,
                    "chain_id": chain_id,
                    "topic": topic,
                    "verdict": if verdict == RefusalVerdict::Reject { "reject" } else { "ignore" },
                    "reason": refusal.reason.code(),
                    "payload_hash": refusal.payload_hash,
                    "signer": refusal.signer,
                }));
            }
            NetworkEvent::Filled { .. }
            | NetworkEvent::PeerConnected { .. }
            | NetworkEvent::PeerDisconnected { .. } => {}
        }
    }
}

impl Heard {
    /// A message changed.
    fn tell(&mut self, place: (ChainId, B256, u64), mut record: Value) {
        self.sequence += 1;
        record["sequence"] = json!(self.sequence);
        self.messages.insert(place, record);
    }

    /// The messages that changed after a cursor, in order.
    fn changed_after(&self, after: u64, limit: usize) -> Vec<Value> {
        let sequence = |record: &Value| record["sequence"].as_u64().unwrap();
        let mut changed: Vec<_> =
            self.messages.values().filter(|record| sequence(record) > after).cloned().collect();
        changed.sort_by_key(sequence);
        changed.truncate(limit);
        changed
    }

    fn attested(&mut self, chain_id: ChainId, block: &ValidBlock) {
        self.add(chain_id, block.number().saturating_sub(1), block.parent_hash(), "ancestor");
        self.add(chain_id, block.number(), block.hash(), "attested");
    }

    fn add(&mut self, chain_id: ChainId, number: u64, hash: B256, origin: &str) {
        if number == 0 || self.attestations.iter().any(|known| known["hash"] == json!(hash)) {
            return;
        }
        let id = self.attestations.len() + 1;
        self.attestations.push(json!({
            "id": id, "chain_id": chain_id, "number": number, "hash": hash, "origin": origin, "verdict": "open",
            "reason": null, "decided_after_ms": null, "waits": [], "messages": [],
        }));
    }
}

/// Decides what is open, as soon as the chain's execution client answers.
async fn judge(
    chain_id: ChainId,
    clients: Arc<Clients>,
    double: Box<SidecarDouble>,
    cancel: CancellationToken,
) {
    while !cancel.is_cancelled() {
        let answer = clients[&chain_id].request::<Value, _>("eth_blockNumber", rpc_params![]).await;
        {
            let mut heard = double.heard.lock();
            let open = heard.attestations.iter_mut().filter(|record| record["verdict"] == "open");
            for record in open.filter(|record| record["chain_id"] == json!(chain_id)) {
                decide(record, chain_id, answer.is_ok(), &double.verdicts);
            }
        }
        messages::track(chain_id, &clients, &double).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn decide(record: &mut Value, chain_id: ChainId, answered: bool, verdicts: &HashMap<(u64, u64), Verdict>) {
    if !answered {
        record["waits"] = json!([{ "for": "block", "chain_id": chain_id, "cause": "endpoint-error" }]);
        return;
    }
    let place = (chain_id.as_u64().unwrap(), record["number"].as_u64().unwrap());
    let listed = verdicts.get(&place).filter(|_| record["origin"] == "attested");
    let (verdict, reason, rule) = *listed.unwrap_or(&("upheld", None, None));
    record["verdict"] = json!(verdict);
    record["reason"] = json!(reason);
    record["waits"] = json!([]);
    record["decided_after_ms"] = json!(3);
    if let Some(rule) = rule {
        record["messages"] = json!([{ "status": "invalid", "reason": rule }]);
    }
}

async fn serve(addr: &str, heard: Arc<Mutex<Heard>>) -> ServerHandle {
    let mut module = RpcModule::new(heard);
    module
        .register_method("crosscheck_status", |_, heard, _| {
            let heard = heard.lock();
            let chain = |(chain_id, head): (&ChainId, &u64)| {
                json!({
                    "chain_id": chain_id, "received": 0, "gossiped": head, "unsafe_head": head, "local_safe": null, "safe": null,
                    "finalized": null, "vouched": 1, "open": 0,
                })
            };
            let chains: Vec<_> = heard.unsafe_heads.iter().map(chain).collect();
            json!({ "version": "0", "ready": true, "reasons": [], "chains": chains })
        })
        .unwrap();
    for (method, field) in [("crosscheck_attestations", "attestations"), ("crosscheck_refusals", "refusals")]
    {
        module
            .register_method(method, move |params, heard, _| {
                let cursor: Value = params.one().unwrap();
                let mut heard = heard.lock();
                heard.asked += usize::from(field == "attestations");
                let all = if field == "refusals" { &heard.refusals } else { &heard.attestations };
                let after = cursor["after"].as_u64().unwrap() as usize;
                let limit = cursor["limit"].as_u64().unwrap() as usize;
                let page: Vec<_> = all.iter().skip(after).take(limit).cloned().collect();
                json!({ field: page, "next": null })
            })
            .unwrap();
    }
    module
        .register_method("crosscheck_messages", |params, heard, _| {
            let cursor: Value = params.one().unwrap();
            let limit = cursor["limit"].as_u64().unwrap() as usize;
            let messages = heard.lock().changed_after(cursor["after"].as_u64().unwrap(), limit);
            json!({ "messages": messages, "next": null })
        })
        .unwrap();
    module.register_method("crosscheck_suspects", |_, _, _| json!({ "suspects": [], "next": null })).unwrap();
    Server::builder().build(addr).await.unwrap().start(module)
}
