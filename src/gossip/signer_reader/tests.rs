//! A reader against an L1 that changes its mind, reorgs, and is asked through a client that checks what it
//! says.

use super::*;
use crate::sources::{EndpointLimits, L1Client, UNSAFE_BLOCK_SIGNER_SLOT};
use alloy::consensus::proofs::calculate_receipt_root;
use alloy::consensus::{Header as ConsensusHeader, Receipt, ReceiptEnvelope, TxReceipt};
use alloy::primitives::{Bytes, Log, LogData, U256, keccak256};
use alloy::rpc::types::Header;
use jsonrpsee::RpcModule;
use jsonrpsee::server::{Server, ServerHandle};
use jsonrpsee::types::ErrorObjectOwned;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const CONFIG: Address = Address::repeat_byte(0xcf);
const ONE: Address = Address::repeat_byte(1);
const TWO: Address = Address::repeat_byte(2);
const THREE: Address = Address::repeat_byte(3);

#[derive(Clone)]
struct Block {
    header: VerifiedL1Header,
    receipts: Vec<ReceiptEnvelope>,
    signer: Address,
}

/// The canonical chain, last block last.
#[derive(Clone, Default)]
struct L1(Arc<Mutex<Vec<Block>>>);

impl L1 {
    /// A block in which these contracts emit that these are the signers; in its state `signer` is.
    fn produce(&self, updates: &[(Address, Address)], signer: Address) {
        let mut blocks = self.0.lock();
        let logs: Vec<_> = updates.iter().map(|(emitter, named)| update(*emitter, *named)).collect();
        let receipt = Receipt { status: true.into(), cumulative_gas_used: 21_000, logs };
        let receipts = vec![ReceiptEnvelope::Eip1559(receipt.into())];
        let parent = blocks.last().map(|block| block.header.hash()).unwrap_or_default();
        let header = VerifiedL1Header::seal(ConsensusHeader {
            number: u64::try_from(blocks.len()).unwrap(),
            parent_hash: parent,
            receipts_root: calculate_receipt_root(&receipts),
            logs_bloom: receipts[0].bloom(),
            extra_data: Bytes::copy_from_slice(signer.as_slice()),
            ..ConsensusHeader::default()
        });
        blocks.push(Block { header, receipts, signer });
    }

    fn reorg(&self, depth: usize) {
        let mut blocks = self.0.lock();
        let kept = blocks.len() - depth;
        blocks.truncate(kept);
    }

    fn block(&self, hash: &Value) -> Option<Block> {
        let hash: B256 = serde_json::from_value(hash.clone()).unwrap();
        self.0.lock().iter().find(|block| block.header.hash() == hash).cloned()
    }
}

fn update(emitter: Address, named: Address) -> Log {
    let event = keccak256("ConfigUpdate(uint256,uint8,bytes)");
    let data = [U256::from(32), U256::from(32), U256::from_be_slice(named.as_slice())];
    let data: Vec<u8> = data.iter().flat_map(|word| word.to_be_bytes::<32>()).collect();
    let topics = vec![event, B256::ZERO, B256::with_last_byte(3)];
    Log { address: emitter, data: LogData::new(topics, data.into()).unwrap() }
}

fn rpc_block(block: &Block) -> Value {
    let mut value = serde_json::to_value(Header::new(block.header.header().clone())).unwrap();
    value["transactions"] = json!([B256::ZERO]);
    value["uncles"] = json!([]);
    value
}

fn rpc_receipts(block: &Block) -> Value {
    let ReceiptEnvelope::Eip1559(receipt) = &block.receipts[0] else { panic!() };
    let logs = receipt.receipt.logs.iter().map(|log| {
        json!({
            "address": log.address, "topics": log.topics(), "data": log.data.data, "blockHash": B256::ZERO,
            "blockNumber": "0x7", "transactionHash": B256::ZERO, "transactionIndex": "0x0", "logIndex": "0x0",
            "removed": false,
        })
    });
    json!([{
        "type": "0x2", "status": "0x1", "cumulativeGasUsed": "0x5208", "logsBloom": receipt.logs_bloom,
        "logs": logs.collect::<Vec<_>>(), "transactionHash": B256::ZERO, "transactionIndex": "0x0",
        "blockHash": B256::ZERO, "blockNumber": "0x7", "gasUsed": "0x5208", "effectiveGasPrice": "0x1",
        "from": Address::ZERO, "to": Address::ZERO, "contractAddress": null,
    }])
}

/// What is asked of an L1, answered from the chain; the slot only at a block's hash.
fn answer(l1: &L1, method: &str, params: &[Value]) -> Value {
    match method {
        "eth_getBlockByNumber" => {
            assert_eq!(params[0], "latest");
            l1.0.lock().last().map_or(Value::Null, rpc_block)
        }
        "eth_getBlockByHash" => l1.block(&params[0]).as_ref().map_or(Value::Null, rpc_block),
        "eth_getBlockReceipts" => l1.block(&params[0]).as_ref().map_or(Value::Null, rpc_receipts),
        "eth_getStorageAt" => {
            assert_eq!(params[..2], [json!(CONFIG), json!(UNSAFE_BLOCK_SIGNER_SLOT)]);
            json!(l1.block(&params[2]["blockHash"]).unwrap().signer.into_word())
        }
        other => panic!("{other}"),
    }
}

async fn reader(l1: &L1) -> (SignerReader, ServerHandle) {
    let mut module = RpcModule::new(l1.clone());
    for method in ["eth_getBlockByNumber", "eth_getBlockByHash", "eth_getBlockReceipts", "eth_getStorageAt"] {
        module
            .register_method(method, move |params, l1, _| {
                Ok::<_, ErrorObjectOwned>(answer(l1, method, &params.parse::<Vec<Value>>().unwrap()))
            })
            .unwrap();
    }
    let server = Server::builder().build("127.0.0.1:0").await.unwrap();
    let client = client_of(&format!("http://{}", server.local_addr().unwrap()));
    (SignerReader::new(client, CONFIG), server.start(module))
}

/// A reader that asks again each time.
fn client_of(url: &str) -> L1Reader {
    let limits = EndpointLimits {
        timeout: Duration::from_secs(300),
        max_response_bytes: 1 << 20,
        max_concurrent_requests: 4,
    };
    L1Reader::of(L1Client::new(url.parse().unwrap(), limits).unwrap(), Duration::ZERO)
}

#[tokio::test]
async fn the_slot_at_the_latest_block_names_the_signer() {
    let l1 = L1::default();
    l1.produce(&[], ONE);
    let (mut reader, _server) = reader(&l1).await;
    assert_eq!(reader.read().await.unwrap(), [ONE]);
    // Something that is not an update of the signer was emitted.
    l1.produce(&[(CONFIG, Address::ZERO)], TWO);
    assert_eq!(reader.read().await.unwrap(), [TWO]);
}

#[tokio::test]
async fn the_slot_is_read_again_only_when_it_may_have_changed() {
    let l1 = L1::default();
    l1.produce(&[], ONE);
    let (mut reader, _server) = reader(&l1).await;
    assert_eq!(reader.read().await.unwrap(), [ONE]);
    // No L1 has such a block: the slot changes, and the contract says nothing.
    l1.produce(&[], TWO);
    assert_eq!(reader.read().await.unwrap(), [ONE]);
    reader.slot.as_mut().unwrap().read_at -= SLOT_KEPT;
    assert_eq!(reader.read().await.unwrap(), [TWO], "it is not believed for ever");
}

#[tokio::test]
async fn an_empty_slot_names_no_signer() {
    let l1 = L1::default();
    l1.produce(&[], Address::ZERO);
    let (mut reader, _server) = reader(&l1).await;
    assert!(reader.read().await.unwrap().is_empty());
}

#[tokio::test]
async fn intermediate_signers_are_reported_in_order_and_once() {
    let l1 = L1::default();
    l1.produce(&[(CONFIG, THREE)], ONE);
    let (mut reader, _server) = reader(&l1).await;
    assert_eq!(reader.read().await.unwrap(), [ONE], "what was before the first reading is of no interest");
    l1.produce(&[(CONFIG, TWO)], TWO);
    l1.produce(&[], TWO);
    l1.produce(&[(CONFIG, THREE), (CONFIG, ONE)], ONE);
    assert_eq!(reader.read().await.unwrap(), [TWO, THREE, ONE, ONE]);
    assert_eq!(reader.read().await.unwrap(), [ONE]);
    l1.produce(&[], ONE);
    assert_eq!(reader.read().await.unwrap(), [ONE]);
}

#[tokio::test]
async fn an_event_of_another_contract_names_no_signer() {
    let l1 = L1::default();
    l1.produce(&[], ONE);
    let (mut reader, _server) = reader(&l1).await;
    reader.read().await.unwrap();
    l1.produce(&[(Address::repeat_byte(7), THREE), (CONFIG, Address::ZERO)], ONE);
    assert_eq!(reader.read().await.unwrap(), [ONE]);
}

#[tokio::test]
async fn a_reorg_reverts_a_signer_change() {
    let l1 = L1::default();
    l1.produce(&[], ONE);
    let (mut reader, _server) = reader(&l1).await;
    l1.produce(&[(CONFIG, TWO)], TWO);
    assert_eq!(reader.read().await.unwrap(), [TWO]);
    l1.reorg(1);
    l1.produce(&[], ONE);
    assert_eq!(reader.read().await.unwrap(), [ONE]);
}

/// Events whose receipts do not hold count for nothing; the slot still does.
#[tokio::test]
async fn unproven_events_name_no_signer() {
    let l1 = L1::default();
    l1.produce(&[], ONE);
    let (mut reader, _server) = reader(&l1).await;
    reader.read().await.unwrap();
    l1.produce(&[(CONFIG, TWO)], ONE);
    {
        let mut blocks = l1.0.lock();
        let receipt =
            Receipt { status: true.into(), cumulative_gas_used: 21_000, logs: vec![update(CONFIG, THREE)] };
        blocks.last_mut().unwrap().receipts = vec![ReceiptEnvelope::Eip1559(receipt.into())];
    }
    assert_eq!(reader.read().await.unwrap(), [ONE]);
}

/// An L1 that does not answer: it refuses, or keeps silent.
#[rstest::rstest]
#[case::refuses(false)]
#[case::keeps_silent(true)]
#[tokio::test(start_paused = true)]
async fn a_signer_that_l1_does_not_confirm_is_in_doubt_after_a_while(#[case] is_silent: bool) {
    // Connections to it are accepted by the kernel only.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = if is_silent { silent.local_addr().unwrap().port() } else { 1 };
    let mut reader = SignerReader::new(client_of(&format!("http://127.0.0.1:{port}")), CONFIG);
    let (signers, mut known) = watch::channel(Signers::of(ONE));
    let started = Instant::now();
    let reading = async {
        loop {
            assert!(reader.read_or_doubt(&signers).await.is_err());
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        () = reading => {}
        changed = known.changed() => changed.unwrap(),
    }
    let after = started.elapsed();
    assert!(after >= FRESH && after < FRESH + Duration::from_secs(2), "{after:?}");
    assert_eq!(*known.borrow(), Signers { is_stale: true, ..Signers::of(ONE) }, "the last known one stays");
}

#[tokio::test]
async fn a_signer_that_l1_confirms_is_not_in_doubt() {
    let l1 = L1::default();
    l1.produce(&[], ONE);
    let (mut reader, _server) = reader(&l1).await;
    let (signers, known) = watch::channel(Signers::of(ONE));
    assert_eq!(reader.read_or_doubt(&signers).await.unwrap(), [ONE]);
    assert!(!known.borrow().is_stale);
}

#[tokio::test]
async fn an_unknown_signer_is_not_in_doubt() {
    let (signers, known) = watch::channel(Signers::default());
    doubt(&signers);
    assert_eq!(*known.borrow(), Signers::default());
}
