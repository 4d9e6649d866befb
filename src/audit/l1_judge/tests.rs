//! What a chain's rules are made of when L1's node answers, and when it does not.

use super::*;
use crate::consolidation::deposits::BlobSchedule;
use crate::consolidation::op_mainnet_json;
use crate::devnet::serve::{RunningServer, start};
use crate::interop::DependencySet;
use crate::sources::{EndpointLimits, L1Client};
use jsonrpsee::RpcModule;
use jsonrpsee::types::{ErrorObjectOwned, Params};
use serde_json::{Value, json};
use tempfile::TempDir;

/// OP Mainnet.
const CHAIN: u64 = 10;
const LIMITS: EndpointLimits = EndpointLimits {
    timeout: Duration::from_secs(300),
    max_response_bytes: 1 << 20,
    max_concurrent_requests: 4,
};
/// After everything that is compiled in.
const FORK: UnixSeconds = UnixSeconds(1_900_000_000);
const EXCESS: u64 = 100_000_000;

async fn serve(method: &'static str, answer: Value) -> RunningServer {
    let mut module = RpcModule::new(answer);
    let told = |_: Params<'_>, answer: &Value, _: &_| Ok::<_, ErrorObjectOwned>(answer.clone());
    module.register_method(method, told).unwrap();
    start(module).await.unwrap()
}

/// A judge whose L1 client tells this, kept in this ledger.
async fn judge(method: &'static str, answer: Value, ledger: &Ledger) -> (L1Judge, [RunningServer; 2]) {
    let servers = [serve(method, answer).await, serve("optimism_rollupConfig", op_mainnet_json()).await];
    let [l1, node] = [&servers[0], &servers[1]].map(RunningServer::url);
    let nodes = RollupNodes::new(CHAIN.into(), &[node.parse().unwrap()], LIMITS).unwrap();
    let chain = JudgedChain { chain_id: CHAIN.into(), nodes, is_of_several: false };
    let metrics = Metrics::new(DependencySet::new(BTreeMap::new(), 1)).unwrap();
    let l1 = L1Reader::new(L1Client::new(l1.parse().unwrap(), LIMITS).unwrap());
    (L1Judge::new(l1, [chain], Arc::default(), metrics).keeping(ledger.clone()), servers)
}

/// The blob base fee after the fork, and how soon L1 is asked again.
async fn learnt(judge: &L1Judge) -> (Option<u128>, Duration) {
    let rules = judge.rules(CHAIN.into()).await.unwrap();
    let (until, _) = judge.chains.get(&CHAIN.into()).unwrap().known.lock().await.clone().unwrap();
    (rules.blobs.blob_base_fee(FORK, EXCESS), until.saturating_duration_since(Instant::now()))
}

#[tokio::test]
async fn what_l1_told_of_blob_base_fees_stays_when_it_tells_no_more_after_a_restart() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("ledger.sqlite");
    let ledger = Ledger::open(&path).await.unwrap();
    let fee = BlobSchedule::default().with(FORK, 20_000_000).blob_base_fee(FORK, EXCESS);
    assert!(fee.is_some());

    let (silent, _servers) = judge("eth_other", json!(null), &ledger).await;
    let (found, again) = learnt(&silent).await;
    assert!(found.is_none() && again <= RULES_RETRY, "nothing is known beyond what is compiled in");

    let current = json!({ "activationTime": FORK, "blobSchedule": { "baseFeeUpdateFraction": 20_000_000 } });
    let (talking, _servers) = judge("eth_config", json!({ "current": current }), &ledger).await;
    let (found, again) = learnt(&talking).await;
    assert!(found == fee && again > RULES_RETRY, "{found:?} {again:?}");
    ledger.close().await;

    let ledger = Ledger::open(&path).await.unwrap();
    let (silent, _servers) = judge("eth_other", json!(null), &ledger).await;
    let (found, again) = learnt(&silent).await;
    assert!(found == fee && again <= RULES_RETRY, "{found:?} {again:?}");
}
