//! What a chain's rules are made of when L1's node answers, and when it does not.

use super::*;
use crate::audit::AuditMetrics;
use crate::metrics::Metrics;
use crate::sources::{EndpointLimits, L1Client};
use crate::telemetry::captured::Lines;
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{B256, Bytes, TxKind, address, hex};
use crosscheck_core::consolidation::TransactionDigest;
use crosscheck_core::consolidation::deposits::BlobSchedule;
use crosscheck_core::consolidation::sample::op_mainnet_json;
use crosscheck_core::proof::read_block;
use crosscheck_core::validity::DependencySet;
use crosscheck_devnet::fixture::Fixture;
use crosscheck_devnet::serve::{RunningServer, rpc_block, start};
use jsonrpsee::RpcModule;
use jsonrpsee::types::{ErrorObjectOwned, Params};
use op_alloy::consensus::TxDeposit;
use rstest::rstest;
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
    let reported = |_: Params<'_>, answer: &Value, _: &_| Ok::<_, ErrorObjectOwned>(answer.clone());
    module.register_method(method, reported).unwrap();
    start(module).await.unwrap()
}

/// A judge whose L1 client tells this, kept in this ledger.
async fn judge(method: &'static str, answer: Value, ledger: &Ledger) -> (L1Judge, [RunningServer; 2]) {
    let (judge, servers) = judge_of(op_mainnet_json(), method, answer).await;
    (judge.with_ledger(ledger.clone()), servers)
}

/// A judge of a chain with this rollup configuration.
async fn judge_of(config: Value, method: &'static str, answer: Value) -> (L1Judge, [RunningServer; 2]) {
    let servers = [serve(method, answer).await, serve("optimism_rollupConfig", config).await];
    let [l1, node] = [&servers[0], &servers[1]].map(RunningServer::url);
    let nodes = RollupNodes::new(CHAIN.into(), &[node.parse().unwrap()], LIMITS).unwrap();
    let chain = JudgedChain { chain_id: CHAIN.into(), nodes, is_of_several: false };
    let metrics =
        AuditMetrics::register(&Metrics::new(DependencySet::new(BTreeMap::new(), 1)).unwrap()).unwrap();
    let l1 = L1Reader::new(L1Client::new(l1.parse().unwrap(), LIMITS).unwrap());
    (L1Judge::new(l1, [chain], Arc::default(), metrics), servers)
}

/// The blob base fee after the fork, and how soon L1 is asked again.
async fn learnt(judge: &L1Judge) -> (Option<u128>, Duration) {
    let rules = judge.rules(CHAIN.into()).await.unwrap();
    let (until, _) = judge.chains.get(&CHAIN.into()).unwrap().known.lock().await.clone().unwrap();
    (rules.blobs.blob_base_fee(FORK, EXCESS), until.saturating_duration_since(Instant::now()))
}

/// The protocol's own deposit, with this calldata.
fn l1_attributes(calldata: &'static [u8]) -> Bytes {
    let depositor = address!("deaddeaddeaddeaddeaddeaddeaddeaddead0001");
    let l1_block = address!("4200000000000000000000000000000000000015");
    let input = Bytes::from_static(calldata);
    let deposit = TxDeposit { from: depositor, to: TxKind::Call(l1_block), input, ..TxDeposit::default() };
    deposit.encoded_2718().into()
}

const AURORA_SELECTOR: &[u8] = &hex!("a1b2c3d4 0000000000000000");
const JOVIAN_SELECTOR: &[u8] = &hex!("3db6be2b 0000000000000000");

/// A block whose first transaction tells no origin, by what a chain's node knows of its forks. Selectors
/// change with forks, and a node may be newer than this build, whether its configuration names the fork or
/// not.
#[rstest]
#[case::an_unknown_encoding(l1_attributes(AURORA_SELECTOR), None, "unsupported")]
#[case::an_unknown_encoding_of_a_known_fork(
    l1_attributes(AURORA_SELECTOR),
    Some(2_000_000_000),
    "unsupported"
)]
#[case::a_known_encoding_that_is_too_short(l1_attributes(JOVIAN_SELECTOR), None, "contradiction")]
#[case::the_same_before_an_unknown_fork(l1_attributes(JOVIAN_SELECTOR), Some(2_000_000_001), "contradiction")]
#[case::the_same_since_an_unknown_fork(l1_attributes(JOVIAN_SELECTOR), Some(2_000_000_000), "unsupported")]
#[case::no_deposit(Bytes::from_static(&[2, 0xc0]), None, "contradiction")]
#[case::no_deposit_since_an_unknown_fork(Bytes::from_static(&[2, 0xc0]), Some(2_000_000_000), "unsupported")]
#[tokio::test]
async fn a_block_that_names_no_origin(
    #[case] first: Bytes,
    #[case] zephyr: Option<u64>,
    #[case] expected: &str,
) {
    let mut config = op_mainnet_json();
    config["zephyr_time"] = zephyr.map_or(Value::Null, Value::from);
    let (judge, _servers) = judge_of(config, "eth_other", json!(null)).await;
    let fixture = Fixture::new(1);
    let parent = serde_json::to_string(&rpc_block(fixture.chain.canonical(0).unwrap(), true)).unwrap();
    let parent = read_block(&parent).unwrap().unwrap();
    let attributes = BlockAttributes {
        timestamp: UnixSeconds(2_000_000_000),
        transactions: vec![TransactionDigest::of(&first)],
        first_deposit: Some(first),
        ..BlockAttributes::of_block(&parent)
    };
    let key = BlockKey { chain_id: CHAIN.into(), number: 1, hash: B256::repeat_byte(1) };
    let around = Surroundings { parent, grandparent: None, node_block: None };
    let word = match judge.judge(key, &attributes, &around).await {
        Err(Wait { awaited: Awaited::L1, cause: Cause::Unsupported, .. }) => "unsupported",
        Ok(L1Answer::Contradicts(reason)) if matches!(*reason, L1Contradiction::NoOrigin(_)) => {
            "contradiction"
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(word, expected);
}

/// Whether it is known comes and goes: the first block is reported, and each is counted.
#[tokio::test]
async fn a_blob_base_fee_that_is_not_known_is_reported_once_and_counted_for_each_block() {
    let lines = Lines::capture();
    let (judge, _servers) = judge_of(op_mainnet_json(), "eth_other", json!(null)).await;
    for is_assumed in [false, true, false, true] {
        judge.note_blob_fee(CHAIN.into(), is_assumed);
    }
    assert_eq!(lines.count("WARN"), 1, "{}", lines.text());
    assert_eq!(lines.count("blob base fee is not checked"), 1);
    let counted = "crosscheck_blob_fees_assumed_total{chain_id=\"10\"} 2\n";
    assert!(judge.metrics.shared().render().unwrap().contains(counted));
}

#[tokio::test]
async fn learnt_blob_fractions_remain_after_a_restart_when_l1_no_longer_reports_them() {
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
