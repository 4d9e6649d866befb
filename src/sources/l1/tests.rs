//! A client against a server that tells the truth, and against one that does not.

use super::*;
use alloy::consensus::proofs::calculate_receipt_root;
use alloy::consensus::{Header as ConsensusHeader, Receipt, ReceiptEnvelope, TxReceipt};
use alloy::primitives::{Bytes, Log, keccak256};
use alloy::rpc::types::Header;
use jsonrpsee::RpcModule;
use jsonrpsee::server::{Server, ServerHandle};
use jsonrpsee::types::ErrorObjectOwned;
use rstest::rstest;
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const PORTAL: Address = Address::repeat_byte(7);

/// What the server answers, and how often it was asked for receipts.
struct Answers {
    block: Value,
    receipts: Value,
    asked: Arc<AtomicUsize>,
}

struct Served {
    client: L1Client,
    asked: Arc<AtomicUsize>,
    _server: ServerHandle,
}

async fn serve(block: Value, receipts: Value) -> Served {
    let asked = Arc::new(AtomicUsize::new(0));
    let mut module = RpcModule::new(Answers { block, receipts, asked: Arc::clone(&asked) });
    for method in ["eth_getBlockByNumber", "eth_getBlockByHash"] {
        let answer = |_: jsonrpsee::types::Params<'_>, answers: &Answers, _: &_| {
            Ok::<_, ErrorObjectOwned>(answers.block.clone())
        };
        module.register_method(method, answer).unwrap();
    }
    module
        .register_method("eth_getBlockReceipts", |_, answers, _| {
            answers.asked.fetch_add(1, Ordering::SeqCst);
            Ok::<_, ErrorObjectOwned>(answers.receipts.clone())
        })
        .unwrap();
    module
        .register_method("eth_config", |_, _, _| {
            let blobs = json!({ "baseFeeUpdateFraction": 5_007_716, "max": 9, "target": 6 });
            let current = json!({ "activationTime": 5, "blobSchedule": blobs, "chainId": "0x384" });
            Ok::<_, ErrorObjectOwned>(json!({ "current": current, "next": null, "last": null }))
        })
        .unwrap();
    let server = Server::builder().build("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", server.local_addr().unwrap()).parse().unwrap();
    let limits = EndpointLimits {
        timeout: Duration::from_secs(300),
        max_response_bytes: 1 << 20,
        max_concurrent_requests: 4,
    };
    Served { client: L1Client::new(url, limits).unwrap(), asked, _server: server.start(module) }
}

fn receipts() -> Vec<ReceiptEnvelope> {
    let logs = vec![Log::new_unchecked(PORTAL, vec![B256::repeat_byte(1)], Bytes::from_static(b"data"))];
    vec![ReceiptEnvelope::Eip1559(Receipt { status: true.into(), cumulative_gas_used: 21_000, logs }.into())]
}

/// The same receipt as a node serves it.
fn rpc_receipts() -> Value {
    let ReceiptEnvelope::Eip1559(receipt) = &receipts()[0] else { panic!() };
    json!([{
        "type": "0x2", "status": "0x1", "cumulativeGasUsed": "0x5208", "logsBloom": receipt.logs_bloom,
        "logs": [{
            "address": PORTAL, "topics": [B256::repeat_byte(1)], "data": "0x64617461", "blockHash": B256::ZERO,
            "blockNumber": "0x7", "transactionHash": B256::ZERO, "transactionIndex": "0x0", "logIndex": "0x0",
            "removed": false,
        }],
        "transactionHash": B256::ZERO, "transactionIndex": "0x0", "blockHash": B256::ZERO, "blockNumber": "0x7",
        "gasUsed": "0x5208", "effectiveGasPrice": "0x1", "from": Address::ZERO, "to": Address::ZERO,
        "contractAddress": null,
    }])
}

fn header() -> VerifiedL1Header {
    let receipts_root = calculate_receipt_root(&receipts());
    let logs_bloom = receipts()[0].bloom();
    VerifiedL1Header::seal(ConsensusHeader {
        number: 7,
        receipts_root,
        logs_bloom,
        ..ConsensusHeader::default()
    })
}

/// The header as a node serves it, with what else a block has.
fn rpc_block() -> Value {
    let mut block = serde_json::to_value(Header::new(header().header().clone())).unwrap();
    block["transactions"] = json!([B256::ZERO]);
    block["uncles"] = json!([]);
    block
}

#[test]
fn the_slot_is_the_hash_of_its_name() {
    assert_eq!(UNSAFE_BLOCK_SIGNER_SLOT, keccak256("systemconfig.unsafeblocksigner"));
}

#[tokio::test]
async fn a_block_and_its_logs_are_verified_and_kept() {
    let served = serve(rpc_block(), rpc_receipts()).await;
    let client = &served.client;
    let block = client.block_by_number(7).await.unwrap().unwrap();
    assert_eq!(*block, header());
    assert_eq!(client.block_by_hash(header().hash()).await.unwrap(), Some(Arc::clone(&block)));
    for _ in 0..2 {
        let logs = client.logs(&block, &[PORTAL]).await.unwrap().unwrap();
        assert_eq!(logs.of(PORTAL).count(), 1);
    }
    assert_eq!(served.asked.load(Ordering::SeqCst), 1, "what is proven is not asked for again");
    let others = client.logs(&block, &[Address::ZERO]).await.unwrap().unwrap();
    assert_eq!(others.of(PORTAL).count(), 0, "logs are kept by contract");
}

/// What clients write that no hash covers, in a block and in its receipt.
#[rstest]
#[case::a_blob_gas_price_without_a_prefix(|_: &mut Value, receipt: &mut Value| receipt["blobGasPrice"] = json!("ab3"))]
#[case::a_price_that_is_none(|_: &mut Value, receipt: &mut Value| receipt["effectiveGasPrice"] = json!(false))]
#[case::no_gas_used(|_: &mut Value, receipt: &mut Value| receipt["gasUsed"] = Value::Null)]
#[case::an_empty_contract(|_: &mut Value, receipt: &mut Value| receipt["contractAddress"] = json!(""))]
#[case::a_log_index_that_is_none(|_: &mut Value, receipt: &mut Value| receipt["logs"][0]["logIndex"] = json!("ab3"))]
#[case::a_log_time_that_is_none(|_: &mut Value, receipt: &mut Value| receipt["logs"][0]["blockTimestamp"] = json!([]))]
#[case::a_size_that_is_none(|block: &mut Value, _: &mut Value| block["size"] = json!("ab3"))]
#[case::a_total_difficulty_that_is_none(|block: &mut Value, _: &mut Value| block["totalDifficulty"] = json!({}))]
#[tokio::test]
async fn fields_that_no_hash_covers_are_ignored(#[case] change: fn(&mut Value, &mut Value)) {
    let (mut block, mut receipts) = (rpc_block(), rpc_receipts());
    change(&mut block, &mut receipts[0]);
    let served = serve(block, receipts).await;
    let block = served.client.block_by_number(7).await.unwrap().unwrap();
    assert_eq!(*block, header());
    assert_eq!(served.client.logs(&block, &[PORTAL]).await.unwrap().unwrap().of(PORTAL).count(), 1);
}

#[tokio::test]
async fn a_block_other_than_the_requested_one_is_refused() {
    let served = serve(rpc_block(), Value::Null).await;
    assert!(matches!(served.client.block_by_number(8).await, Err(SourceError::Untrustworthy { .. })));
    assert!(matches!(served.client.block_by_hash(B256::ZERO).await, Err(SourceError::Untrustworthy { .. })));
}

#[tokio::test]
async fn a_header_that_does_not_hash_to_its_name_is_refused() {
    let mut block = rpc_block();
    block["timestamp"] = json!("0x1");
    let served = serve(block, Value::Null).await;
    assert!(matches!(served.client.block_by_number(7).await, Err(SourceError::Untrustworthy { .. })));
}

#[tokio::test]
async fn receipts_that_prove_nothing_are_refused() {
    let mut receipts = rpc_receipts();
    receipts[0]["logs"] = json!([]);
    let served = serve(rpc_block(), receipts).await;
    let outcome = served.client.logs(&header(), &[PORTAL]).await;
    assert!(matches!(outcome, Err(SourceError::Untrustworthy { .. })));
}

/// A node that has the header and no receipts yet, and one that has no block yet.
#[tokio::test]
async fn an_endpoint_that_is_behind_is_reported_as_behind() {
    let served = serve(rpc_block(), json!([])).await;
    let error = served.client.logs(&header(), &[PORTAL]).await.unwrap_err();
    assert!(matches!(error, SourceError::Incomplete { .. }), "{error}");
    let served = serve(Value::Null, Value::Null).await;
    let error = served.client.latest_hash().await.unwrap_err().to_string();
    assert!(error.contains("it has no latest block; it is behind") && !error.contains("trust"), "{error}");
}

#[tokio::test]
async fn a_missing_block_is_none() {
    let served = serve(Value::Null, Value::Null).await;
    assert_eq!(served.client.block_by_number(7).await.unwrap(), None);
    assert_eq!(served.client.logs(&header(), &[PORTAL]).await.unwrap(), None);
}

/// Erigon once took no block hashes there; others do not have the method.
#[tokio::test]
async fn receipts_are_fetched_one_by_one_where_block_receipts_are_not_served() {
    let mut module = RpcModule::new(());
    let mut block = rpc_block();
    block["transactions"] = json!([B256::repeat_byte(5)]);
    module.register_method("eth_getBlockByHash", move |_, (), _| block.clone()).unwrap();
    module.register_method("eth_getTransactionReceipt", |_, (), _| rpc_receipts()[0].clone()).unwrap();
    let server = Server::builder().build("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", server.local_addr().unwrap()).parse().unwrap();
    let _server = server.start(module);
    let limits = EndpointLimits {
        timeout: Duration::from_secs(300),
        max_response_bytes: 1 << 20,
        max_concurrent_requests: 4,
    };
    let client = L1Client::new(url, limits).unwrap();
    assert!(client.logs(&header(), &[PORTAL]).await.unwrap().is_some());
}

/// Several chains have contracts on one L1.
#[tokio::test]
async fn chains_share_the_logs_of_an_l1_block() {
    let served = serve(rpc_block(), rpc_receipts()).await;
    let other = Address::repeat_byte(9);
    // Nothing of the other contract was kept of this block when its logs were asked for.
    for contracts in [&[PORTAL][..], &[PORTAL, other], &[PORTAL], &[other, PORTAL]] {
        let logs = served.client.logs(&header(), contracts).await.unwrap().unwrap();
        assert_eq!((logs.of(PORTAL).count(), logs.of(other).count()), (1, 0));
    }
    assert_eq!(served.asked.load(Ordering::SeqCst), 2);
    let next = ConsensusHeader { number: 8, ..header().header().clone() };
    let next = VerifiedL1Header::seal(next);
    for contracts in [&[PORTAL][..], &[PORTAL, other]] {
        served.client.logs(&next, contracts).await.unwrap().unwrap();
    }
    assert_eq!(served.asked.load(Ordering::SeqCst), 3, "of the next block all chains' are kept at once");
}

#[tokio::test]
async fn a_block_without_receipts_needs_no_request() {
    let served = serve(Value::Null, Value::Null).await;
    let empty = VerifiedL1Header::seal(ConsensusHeader {
        receipts_root: alloy::consensus::constants::EMPTY_RECEIPTS,
        ..ConsensusHeader::default()
    });
    let logs = served.client.logs(&empty, &[PORTAL]).await.unwrap().unwrap();
    assert_eq!((logs.of(PORTAL).count(), served.asked.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test]
async fn the_blob_schedule_is_learnt() {
    let served = serve(Value::Null, Value::Null).await;
    let reported = served.client.reported_blobs().await.unwrap();
    let fractions = [(UnixSeconds(5), 5_007_716)].into();
    assert_eq!(reported, ReportedBlobs { in_force: Some(UnixSeconds(5)), fractions });
}
