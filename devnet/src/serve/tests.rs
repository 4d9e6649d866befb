//! The servers' answers, read back by op-alloy's types and checked against the headers that they came with.

use super::server::SERVER_ERROR_CODE;
use super::*;
use crate::faults::{FaultPlan, FaultSpec};
use crate::l1::{L1, UNSAFE_BLOCK_SIGNER_SLOT};
use crate::simulation::{ChainHeads, ChainTick, Rewind, Superchain, SuperchainParams};
use crate::timing::Schedule;
use alloy::{
    consensus::{ReceiptEnvelope, ReceiptWithBloom, proofs, transaction::SignerRecoverable},
    eips::Encodable2718,
    primitives::{Address, B256, Bloom, U64},
    rpc::types::{Block, Log, TransactionReceipt},
};
use crosscheck_core::message::CROSS_L2_INBOX;
use crosscheck_p2p::UnixSeconds;
use futures::FutureExt;
use jsonrpsee::RpcModule;
use jsonrpsee::types::error::INVALID_PARAMS_CODE;
use op_alloy::{
    consensus::{OpReceipt, OpReceiptEnvelope},
    rpc_types::{OpTransactionReceipt, Transaction},
};
use parking_lot::RwLock;
use rstest::rstest;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

struct World {
    chain: Arc<RwLock<ChainStore>>,
    l1: Arc<RwLock<L1>>,
    superchain: Superchain,
}

/// Two chains after 30 ticks, with these faults; the stores are those of the first chain.
fn world(faults: &[&str]) -> World {
    let specs: Vec<FaultSpec> = faults.iter().map(|text| text.parse().unwrap()).collect();
    let plan = FaultPlan::new(&specs, &SuperchainParams::chain_ids(2), Some(40)).unwrap();
    let schedule = Schedule { genesis_time: UnixSeconds(1_767_225_600), block_time: 2, blocks: Some(40) };
    let mut superchain = Superchain::new(SuperchainParams { chains: 2, schedule, seed: 7, plan }).unwrap();
    let genesis = Arc::clone(superchain.sequencers()[0].chain().genesis());
    let chain = Arc::new(RwLock::new(ChainStore::new(901, genesis)));
    for _ in 0..30 {
        let tick = superchain.tick().unwrap();
        chain.write().apply(&tick.chains[0]);
    }
    let l1 = Arc::new(RwLock::new(superchain.l1().clone()));
    World { chain, l1, superchain }
}

impl World {
    async fn execution(&self, method: &str, params: Value) -> Result<Value, (i32, String)> {
        let module = execution_module(Arc::clone(&self.chain)).unwrap();
        call(&module, method, params).await
    }

    async fn l1(&self, method: &str, params: Value) -> Result<Value, (i32, String)> {
        call(&l1_module(Arc::clone(&self.l1)).unwrap(), method, params).await
    }

    async fn node(&self, method: &str, params: Value) -> Value {
        call(&rollup_node_module(self.rollup_node()).unwrap(), method, params).await.unwrap()
    }

    fn rollup_node(&self) -> SimulatedRollupNode {
        SimulatedRollupNode {
            chain: Arc::clone(&self.chain),
            l1: Arc::clone(&self.l1),
            dependencies: vec![901, 902],
            expiry_window: 32,
            interop_time: 0,
            block_time: 2,
            system_config: Address::repeat_byte(0xc0),
            batcher: Address::repeat_byte(0xba),
            upgrade: None,
            is_plain: false,
        }
    }
}

async fn call<C: Send + Sync + 'static>(
    module: &RpcModule<C>,
    method: &str,
    params: Value,
) -> Result<Value, (i32, String)> {
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let (response, _) = module.raw_json_request(&request, 1).await.unwrap();
    let mut response: Value = serde_json::from_str(response.get()).unwrap();
    match response.get("error") {
        Some(error) => {
            Err((error["code"].as_i64().unwrap() as i32, error["message"].as_str().unwrap().to_owned()))
        }
        None => Ok(response["result"].take()),
    }
}

fn parse<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

#[tokio::test]
async fn a_node_that_keeps_few_blocks_has_the_newest_and_genesis() {
    let mut world = world(&[]);
    let genesis = Arc::clone(world.chain.read().genesis());
    let mut store = ChainStore::new(901, Arc::clone(&genesis)).keeping(10);
    let blocks: Vec<_> =
        (1..=30).map(|number| Arc::clone(world.chain.read().canonical(number).unwrap())).collect();
    for block in &blocks {
        let (number, safe_at) = (block.number(), vec![(block.number(), block.number())]);
        let heads = ChainHeads { unsafe_head: number, local_safe: number, safe: number, finalized: number };
        store.apply(&ChainTick { built: vec![Arc::clone(block)], heads, safe_at, ..ChainTick::idle(901) });
    }
    world.chain = Arc::new(RwLock::new(store));
    let known = async |number: u64| {
        let block = world.execution("eth_getBlockByNumber", json!([U64::from(number), false])).await.unwrap();
        !block.is_null()
    };
    assert!(known(0).await && !known(1).await && !known(20).await && known(21).await && known(30).await);
    let [gone, kept] = [&blocks[0], &blocks[29]].map(|block| block.transactions[0].tx_hash());
    let store = world.chain.read().clone();
    assert!(store.by_hash(blocks[0].hash).is_none() && store.transaction(gone).is_none());
    assert!(store.transaction(kept).is_some());
    assert_eq!((store.safe_head_at(0), store.safe_head_at(30)), (Some((0, 0)), Some((30, 30))));
}

#[tokio::test]
async fn full_blocks_hash_to_their_names_and_hold_their_transactions() {
    let world = world(&[]);
    for number in 0..=30_u64 {
        let answer = world.execution("eth_getBlockByNumber", json!([U64::from(number), true])).await.unwrap();
        let block: Block<Transaction> = parse(answer.clone());
        assert_eq!(block.header.inner.number, number);
        assert_eq!(block.header.inner.hash_slow(), block.header.hash);
        let transactions = block.transactions.as_transactions().unwrap();
        let envelopes: Vec<_> = transactions.iter().map(|tx| tx.inner.inner.inner().clone()).collect();
        let root = proofs::ordered_trie_root_with_encoder(&envelopes, |tx, buf| tx.encode_2718(buf));
        assert_eq!(root, block.header.inner.transactions_root);
        assert_eq!(block.withdrawals.clone().unwrap().len(), 0);
        assert_eq!(serde_json::to_value(&block).unwrap(), answer, "the types add and drop nothing");
        let by_hash = world.execution("eth_getBlockByHash", json!([block.header.hash, false])).await.unwrap();
        let by_hash: Block<Transaction> = parse(by_hash);
        let hashes: Vec<B256> = envelopes.iter().map(|tx| tx.tx_hash()).collect();
        assert_eq!(by_hash.transactions.hashes().collect::<Vec<_>>(), hashes);
        assert!(number == 0 || by_hash.transactions.is_hashes());
    }
}

#[tokio::test]
async fn deposits_have_their_nonce_and_receipt_version() {
    let world = world(&[]);
    let answer = world.execution("eth_getBlockReceipts", json!(["latest"])).await.unwrap();
    assert_eq!(answer[0]["type"], "0x7e");
    assert_eq!(answer[0]["depositNonce"], json!(U64::from(29)));
    assert_eq!(answer[0]["depositReceiptVersion"], "0x1");
    let block = world.execution("eth_getBlockByNumber", json!(["latest", true])).await.unwrap();
    let deposit = &block["transactions"][0];
    assert_eq!(deposit["type"], "0x7e");
    for field in ["sourceHash", "mint", "from", "to", "value", "gas", "input", "depositReceiptVersion"] {
        assert!(deposit.get(field).is_some(), "{field} is missing from {deposit}");
    }
}

#[tokio::test]
async fn receipts_hash_to_the_root_of_their_header() {
    let world = world(&[]);
    for number in 1..=30_u64 {
        let header = world.chain.read().canonical(number).unwrap().header.clone();
        let answer = world.execution("eth_getBlockReceipts", json!([U64::from(number)])).await.unwrap();
        let receipts: Vec<OpTransactionReceipt> = parse(answer);
        let envelopes: Vec<OpReceiptEnvelope> =
            receipts.iter().cloned().map(OpReceiptEnvelope::from).collect();
        let root =
            proofs::ordered_trie_root_with_encoder(&envelopes, |receipt, buf| receipt.encode_2718(buf));
        assert_eq!(root, header.receipts_root);
        let gas: u64 = receipts.iter().map(|receipt| receipt.inner.gas_used).sum();
        assert_eq!(gas, header.gas_used);
        let footprint: u64 = receipts.iter().filter_map(|receipt| receipt.inner.blob_gas_used).sum();
        assert_eq!(Some(footprint), header.blob_gas_used);
        let indices: Vec<_> = receipts.iter().flat_map(logs_of).map(|log| log.log_index.unwrap()).collect();
        assert_eq!(indices, (0..indices.len() as u64).collect::<Vec<_>>());
    }
}

fn logs_of(receipt: &OpTransactionReceipt) -> Vec<Log> {
    let ReceiptWithBloom { receipt, .. } = receipt.inner.inner.clone();
    match receipt {
        OpReceipt::Deposit(deposit) => deposit.inner.logs,
        OpReceipt::Legacy(inner)
        | OpReceipt::Eip2930(inner)
        | OpReceipt::Eip1559(inner)
        | OpReceipt::Eip7702(inner)
        | OpReceipt::PostExec(inner) => inner.logs,
    }
}

#[tokio::test]
async fn a_transactions_receipt_is_that_of_its_block_with_l1_fees() {
    let world = world(&[]);
    let all = world.execution("eth_getBlockReceipts", json!(["latest"])).await.unwrap();
    for receipt in all.as_array().unwrap() {
        let one =
            world.execution("eth_getTransactionReceipt", json!([receipt["transactionHash"]])).await.unwrap();
        assert_eq!(&one, receipt);
        for field in ["l1GasPrice", "l1Fee", "l1BaseFeeScalar", "l1BlobBaseFee", "l1BlobBaseFeeScalar"] {
            assert!(one.get(field).is_some(), "{field} is missing from {one}");
        }
        let is_deposit = one["type"] == "0x7e";
        assert_eq!(one["l1Fee"] == "0x0", is_deposit);
    }
    let unknown = world.execution("eth_getTransactionReceipt", json!([B256::repeat_byte(9)])).await.unwrap();
    assert_eq!(unknown, Value::Null);
}

#[rstest]
#[case::latest("latest", 30)]
#[case::pending("pending", 30)]
#[case::safe("safe", 26)]
#[case::finalized("finalized", 17)]
#[case::earliest("earliest", 0)]
#[case::number("0x5", 5)]
#[tokio::test]
async fn tags(#[case] tag: &str, #[case] number: u64) {
    let world = world(&[]);
    let block = world.execution("eth_getBlockByNumber", json!([tag, false])).await.unwrap();
    assert_eq!(block["number"], json!(U64::from(number)));
    let receipts = world.execution("eth_getBlockReceipts", json!([tag])).await.unwrap();
    assert_eq!(receipts.as_array().unwrap().is_empty(), number == 0);
}

#[tokio::test]
async fn an_unknown_block_is_null() {
    let world = world(&[]);
    let absent = B256::repeat_byte(9);
    for (method, params) in [
        ("eth_getBlockByNumber", json!(["0x1f", false])),
        ("eth_getBlockByHash", json!([absent, false])),
        ("eth_getBlockReceipts", json!([absent])),
        ("eth_getBlockReceipts", json!([{ "blockHash": absent }])),
        ("eth_getTransactionByHash", json!([absent])),
    ] {
        assert_eq!(world.execution(method, params).await, Ok(Value::Null), "{method}");
    }
}

#[rstest]
#[case::no_block("eth_getBlockByNumber", json!([]))]
#[case::word_for_a_block("eth_getBlockByNumber", json!(["soon", false]))]
#[case::short_hash("eth_getBlockByHash", json!(["0x12", false]))]
#[case::number_for_a_flag("eth_getBlockByNumber", json!(["latest", 1]))]
#[case::no_filter("eth_getLogs", json!([]))]
#[tokio::test]
async fn bad_params_are_errors(#[case] method: &str, #[case] params: Value) {
    let (code, _) = world(&[]).execution(method, params).await.unwrap_err();
    assert_eq!(code, INVALID_PARAMS_CODE);
}

#[tokio::test]
async fn a_block_that_is_built_twice_is_the_tip_before_the_other_takes_its_height() {
    let mut world = world(&["unsafe-reorg@31"]);
    let tick = world.superchain.tick().unwrap();
    assert!(tick.chains[1].split().is_none());
    let (first, rest) = tick.chains[0].split().unwrap();
    let mut tips = Vec::new();
    for part in [first, rest] {
        world.chain.write().apply(&part);
        let tip = world.execution("eth_getBlockByNumber", json!(["latest", false])).await.unwrap();
        tips.push((tip["number"].clone(), tip["hash"].clone()));
    }
    let hashes: Vec<_> =
        tick.chains[0].built.iter().map(|block| (json!("0x1f"), json!(block.hash))).collect();
    assert_eq!(tips, hashes);
}

#[tokio::test]
async fn a_replaced_block_is_found_by_hash_only() {
    let mut world = world(&["justified-replacement@29"]);
    let original = Arc::clone(world.chain.read().canonical(29).unwrap());
    for _ in 0..10 {
        let tick = world.superchain.tick().unwrap();
        world.chain.write().apply(&tick.chains[0]);
    }
    let replacement = Arc::clone(world.chain.read().canonical(29).unwrap());
    assert_ne!(replacement.hash, original.hash);
    let by_hash = world.execution("eth_getBlockByHash", json!([original.hash, false])).await.unwrap();
    assert_eq!(by_hash["hash"], json!(original.hash));
    let orphan = json!([{ "blockHash": original.hash }]);
    let receipts = world.execution("eth_getBlockReceipts", orphan).await.unwrap();
    assert_eq!(receipts.as_array().unwrap().len(), original.receipts.len());
    let canonical_only = json!([{ "blockHash": original.hash, "requireCanonical": true }]);
    assert_eq!(world.execution("eth_getBlockReceipts", canonical_only).await, Ok(Value::Null));
    let orphaned = json!([original.transactions[1].tx_hash()]);
    assert_eq!(world.execution("eth_getTransactionReceipt", orphaned).await, Ok(Value::Null));
}

#[tokio::test]
async fn in_an_outage_every_method_answers_an_error() {
    let mut world = world(&["rpc-outage@31"]);
    let tick: ChainTick = world.superchain.tick().unwrap().chains.remove(0);
    world.chain.write().apply(&tick);
    for method in execution_module(Arc::clone(&world.chain)).unwrap().method_names() {
        assert_eq!(world.execution(method, json!([])).await.unwrap_err().0, SERVER_ERROR_CODE, "{method}");
    }
    assert_eq!(world.node("optimism_syncStatus", json!([])).await["unsafe_l2"]["number"], 31);
}

#[tokio::test(start_paused = true)]
async fn a_rewound_client_has_a_sibling_as_its_tip_and_the_node_keeps_its_answers() {
    async fn at(world: &World, tag: &str) -> Value {
        world.execution("eth_getBlockByNumber", json!([tag, false])).await.unwrap()
    }
    let mut world = world(&[]);
    let own = Arc::clone(world.chain.read().canonical(27).unwrap());
    let other = Arc::clone(world.chain.read().canonical(26).unwrap());
    let mut tick: ChainTick = world.superchain.tick().unwrap().chains.remove(0);
    tick.rewind = Some(Rewind { kept: 27, sibling: Some(Arc::clone(&other)) });
    world.chain.write().apply(&tick);
    assert_eq!(at(&world, "latest").await["hash"], json!(other.hash));
    assert_eq!(at(&world, "finalized").await["number"], json!(U64::from(26)));
    assert_eq!(at(&world, "0x1c").await, Value::Null);
    assert!(world.node("optimism_syncStatus", json!([])).now_or_never().is_none());
    tick.rewind = Some(Rewind { kept: 27, sibling: None });
    world.chain.write().apply(&tick);
    assert_eq!(at(&world, "latest").await["hash"], json!(own.hash));
    assert_ne!(at(&world, "finalized").await["number"], json!(U64::from(26)));
    tick.rewind = None;
    world.chain.write().apply(&tick);
    assert_eq!(world.node("optimism_syncStatus", json!([])).await["unsafe_l2"]["number"], 31);
}

/// A derived block is safe to it at once, and it knows nothing of other chains.
#[tokio::test]
async fn a_plain_node_checks_no_messages() {
    let world = world(&[]);
    let node = world.rollup_node();
    let plain = rollup_node_module(SimulatedRollupNode { is_plain: true, ..node.clone() }).unwrap();
    let status = call(&plain, "optimism_syncStatus", json!([])).await.unwrap();
    assert_eq!(status["safe_l2"], status["local_safe_l2"]);
    assert!(call(&plain, "supernode_syncStatus", json!([])).await.is_err());
    let verifying = world.node("optimism_syncStatus", json!([])).await;
    assert_ne!(verifying["safe_l2"], verifying["local_safe_l2"]);
}

#[tokio::test]
async fn a_client_that_does_not_link_up_has_another_block_by_number_only() {
    async fn at(world: &World, number: u64) -> Value {
        world.execution("eth_getBlockByNumber", json!([U64::from(number), false])).await.unwrap()
    }
    let mut world = world(&["unlinked-client@27"]);
    let own = Arc::clone(world.chain.read().canonical(27).unwrap());
    let served = at(&world, 27).await;
    assert_ne!(served["hash"], json!(own.hash));
    assert_eq!(served["parentHash"], json!(own.header.parent_hash));
    assert_eq!(at(&world, 28).await["parentHash"], json!(own.hash));
    for hash in [&served["hash"], &json!(own.hash)] {
        let found = world.execution("eth_getBlockByHash", json!([hash, false])).await.unwrap();
        assert_eq!(&found["hash"], hash);
    }
    for _ in 30..39 {
        let tick: ChainTick = world.superchain.tick().unwrap().chains.remove(0);
        world.chain.write().apply(&tick);
    }
    assert_eq!(at(&world, 27).await["hash"], json!(own.hash), "twelve blocks later");
}

#[tokio::test]
async fn a_rollup_node_without_heads_answers_zeros_and_sees_l1() {
    let mut world = world(&["zero-heads@31"]);
    let tick: ChainTick = world.superchain.tick().unwrap().chains.remove(0);
    world.chain.write().apply(&tick);
    let status = world.node("optimism_syncStatus", json!([])).await;
    for head in
        ["unsafe_l2", "cross_unsafe_l2", "pending_safe_l2", "local_safe_l2", "safe_l2", "finalized_l2"]
    {
        assert_eq!(
            (&status[head]["hash"], &status[head]["number"]),
            (&json!(B256::ZERO), &json!(0)),
            "{head}"
        );
    }
    assert_ne!(status["head_l1"]["hash"], json!(B256::ZERO));
    assert!(
        world.execution("eth_getBlockByNumber", json!(["latest", false])).await.unwrap()["hash"].is_string()
    );
}

#[tokio::test]
async fn logs_are_filtered_by_range_address_and_topic() {
    let world = world(&[]);
    let client = &world;
    let logs = |filter: Value| async move {
        let answer = client.execution("eth_getLogs", json!([filter])).await;
        answer.map(parse::<Vec<Log>>)
    };
    let all = logs(json!({ "fromBlock": "0x0", "toBlock": "latest" })).await.unwrap();
    let expected: usize =
        (0..=30).map(|number| world.chain.read().canonical(number).unwrap().logs().count()).sum();
    assert_eq!(all.len(), expected);
    let inbox = logs(json!({ "fromBlock": "0x0", "address": CROSS_L2_INBOX })).await.unwrap();
    let of_inbox: Vec<_> = all.iter().filter(|log| log.inner.address == CROSS_L2_INBOX).cloned().collect();
    assert!(!of_inbox.is_empty());
    assert_eq!(inbox, of_inbox);
    let one = &of_inbox[0];
    let by_hash = json!({ "blockHash": one.block_hash, "topics": [null, one.inner.data.topics()[1]] });
    assert_eq!(logs(by_hash).await.unwrap(), std::slice::from_ref(one));
    assert!(logs(json!({ "fromBlock": "0x20", "toBlock": "0xffffff" })).await.unwrap().is_empty());
    assert!(logs(json!({ "blockHash": B256::repeat_byte(9) })).await.is_err());
}

#[tokio::test]
async fn the_sync_status_names_every_head() {
    let status = world(&[]).node("optimism_syncStatus", json!([])).await;
    let number = |field: &str| status[field]["number"].as_u64().unwrap();
    let l2 = ["unsafe_l2", "cross_unsafe_l2", "pending_safe_l2", "local_safe_l2", "safe_l2", "finalized_l2"];
    assert_eq!(l2.map(number), [30, 30, 29, 29, 26, 17]);
    let l1 = ["current_l1", "head_l1", "safe_l1", "finalized_l1", "current_l1_finalized"];
    assert_eq!(l1.map(number), [10, 10, 8, 6, 6]);
    assert_eq!(status["safe_l2"]["l1origin"]["number"], 8);
    assert_eq!(status["safe_l2"]["sequenceNumber"], 2);
    for field in ["hash", "parentHash", "timestamp"] {
        assert!(status["safe_l2"].get(field).is_some() && status["head_l1"].get(field).is_some());
    }
}

#[tokio::test]
async fn the_rollup_config_has_every_fork_from_genesis_on() {
    let world = world(&[]);
    let config = world.node("optimism_rollupConfig", json!([])).await;
    for fork in ["regolith", "canyon", "ecotone", "holocene", "isthmus", "jovian", "interop", "lagoon"] {
        assert_eq!(config[format!("{fork}_time")], 0, "{fork}");
    }
    assert_eq!((&config["l2_chain_id"], &config["block_time"]), (&json!(901), &json!(2)));
    assert_eq!(config["genesis"]["l2"]["hash"], json!(world.chain.read().genesis().hash));
    assert_eq!(config["genesis"]["l1"]["hash"], json!(world.l1.read().block_by_number(0).unwrap().hash));
    assert_eq!(config["chain_op_config"]["eip1559Elasticity"], 6);
}

#[tokio::test]
async fn the_dependency_set_names_all_chains_and_the_window() {
    let set = world(&[]).node("optimism_dependencySet", json!([])).await;
    assert_eq!(set, json!({ "dependencies": { "901": {}, "902": {} }, "overrideMessageExpiryWindow": 32 }));
}

#[tokio::test]
async fn the_output_is_that_of_the_chain() {
    let world = world(&[]);
    let chain = world.superchain.sequencers()[0].chain();
    let hash = chain.canonical(12).unwrap().hash;
    let output = world.node("optimism_outputAtBlock", json!(["0xc"])).await;
    let expected = chain.output_root(hash).unwrap();
    assert_eq!(output["outputRoot"], json!(expected.output_root));
    assert_eq!(output["stateRoot"], json!(expected.state_root));
    assert_eq!(output["withdrawalStorageRoot"], json!(expected.withdrawal_storage_root));
    assert_eq!(output["blockRef"]["hash"], json!(hash));
    assert_eq!(output["syncStatus"]["unsafe_l2"]["number"], 30);
}

#[tokio::test]
async fn l1_blocks_hold_the_transactions_and_receipts_of_their_roots() {
    let world = world(&[]);
    let mut logged = 0;
    for number in 0..=10_u64 {
        let answer = world.l1("eth_getBlockByNumber", json!([U64::from(number), true])).await.unwrap();
        let block: Block = parse(answer.clone());
        assert_eq!(serde_json::to_value(&block).unwrap(), answer, "the types add and drop nothing");
        let header = &block.header.inner;
        let transactions: Vec<_> =
            block.transactions.as_transactions().unwrap().iter().map(|tx| tx.inner.inner().clone()).collect();
        assert_eq!(proofs::calculate_transaction_root(&transactions), header.transactions_root);
        for tx in &transactions {
            let sender = tx.recover_signer().unwrap();
            let receipt = world.l1("eth_getTransactionReceipt", json!([tx.tx_hash()])).await.unwrap();
            assert_eq!(receipt["from"], json!(sender));
        }
        let receipts = world.l1("eth_getBlockReceipts", json!([block.header.hash])).await.unwrap();
        let receipts: Vec<TransactionReceipt> = parse(receipts);
        let primitive: Vec<ReceiptEnvelope> =
            receipts.iter().map(|receipt| receipt.inner.clone().map_logs(|log| log.inner)).collect();
        assert_eq!(proofs::calculate_receipt_root(&primitive), header.receipts_root);
        let bloom = primitive.iter().fold(Bloom::ZERO, |bloom, receipt| bloom | *receipt.logs_bloom());
        assert_eq!(bloom, header.logs_bloom);
        assert_eq!(receipts.iter().map(|receipt| receipt.gas_used).sum::<u64>(), header.gas_used);
        let logs = world.l1("eth_getLogs", json!([{ "blockHash": block.header.hash }])).await.unwrap();
        let of_receipts: Vec<Log> =
            receipts.iter().flat_map(|receipt| receipt.inner.logs().to_vec()).collect();
        logged += of_receipts.len();
        assert_eq!(parse::<Vec<Log>>(logs), of_receipts);
    }
    assert!(logged > 4, "only {logged} logs in ten L1 blocks");
}

#[tokio::test]
async fn l1_serves_headers_and_the_signer() {
    let world = world(&[]);
    assert_eq!(world.l1("eth_chainId", json!([])).await, Ok(json!("0x384")));
    for (tag, number) in [("latest", 10), ("safe", 8), ("finalized", 6), ("earliest", 0), ("0x3", 3)] {
        let answer = world.l1("eth_getBlockByNumber", json!([tag, false])).await.unwrap();
        let block: Block = parse(answer.clone());
        assert_eq!((block.header.inner.number, block.header.inner.hash_slow()), (number, block.header.hash));
        assert_eq!(world.l1("eth_getBlockByHash", json!([block.header.hash, false])).await, Ok(answer));
    }
    let sequencer = &world.superchain.sequencers()[0];
    let config = sequencer.chain().params().system_config;
    let signer = sequencer.keys().sequencer.address().into_word();
    for block in [json!("latest"), json!("finalized"), json!({ "blockHash": world.l1.read().head().hash })] {
        let slot = json!([config, UNSAFE_BLOCK_SIGNER_SLOT, block]);
        assert_eq!(world.l1("eth_getStorageAt", slot).await, Ok(json!(signer)));
    }
    let unknown = world.l1("eth_getStorageAt", json!([config, "0x0", "0xff"])).await;
    assert_eq!(unknown.unwrap_err().0, SERVER_ERROR_CODE);
}

#[tokio::test]
async fn the_rollup_node_knows_which_head_an_l1_block_led_to() {
    let world = world(&[]);
    // Thirty ticks: L1 block 9 came in tick 27 and brought blocks 24 to 26, which are cross-safe since tick
    // 29.
    for (l1_block, safe_head) in [(1, 2), (2, 5), (9, 26), (10, 26)] {
        let answer = world.node("optimism_safeHeadAtL1Block", json!([U64::from(l1_block)])).await;
        let expected = world.superchain.sequencers()[0].chain().canonical(safe_head).unwrap();
        assert_eq!(answer["safeHead"], json!({ "hash": expected.hash, "number": safe_head }));
        let origin = world.superchain.l1().block_by_number(l1_block.min(9)).unwrap();
        assert_eq!(answer["l1Block"], json!({ "hash": origin.hash, "number": origin.number() }));
    }
}

#[tokio::test]
async fn an_execution_client_says_which_network_it_serves_and_what_it_is() {
    let world = world(&[]);
    let chain_id = world.chain.read().chain_id();
    assert_eq!(world.execution("net_version", json!([])).await, Ok(json!(chain_id.to_string())));
    let version = world.execution("web3_clientVersion", json!([])).await.unwrap();
    assert!(version.as_str().is_some_and(|version| version.starts_with("crosscheck-devnet/")), "{version}");
}
