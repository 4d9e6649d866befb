//! How fast blocks are taken in: receipts as an execution client sends them, proven against the header's
//! receipts root and read into logs. Beside it the floor: the same hashes over the same bytes, and nothing
//! else.

#![allow(missing_docs, reason = "criterion's macro makes a function without them")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a benchmark may fail loudly, like a test"
)]

use alloy::consensus::{Eip658Value, Header, Receipt, ReceiptWithBloom};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, B256, Bytes, Log, LogData, U256, keccak256, logs_bloom};
use alloy::rlp::encode_fixed_size;
use alloy::rpc::types::{Block, BlockTransactions, Header as RpcHeader, Log as RpcLog, TransactionReceipt};
use alloy::trie::proof::ProofRetainer;
use alloy::trie::root::adjust_index_for_rlp;
use alloy::trie::{HashBuilder, Nibbles};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use crosscheck_core::message::{CROSS_L2_INBOX, EXECUTING_MESSAGE_TOPIC};
use crosscheck_core::proof::{ProvenLogs, VerifiedBlock};
use crosscheck_p2p::ChainId;
use op_alloy::consensus::{OpReceipt, OpReceiptEnvelope};
use op_alloy::rpc_types::{L1BlockInfo, OpTransactionReceipt, Transaction};
use std::hint::black_box;

/// How many logs a transaction emits.
const LOGS_A_TRANSACTION: usize = 4;

/// A block's receipts, its header, and every byte string that proving them hashes.
struct Sample {
    block: VerifiedBlock,
    receipts: Vec<OpTransactionReceipt>,
    preimages: Vec<Vec<u8>>,
}

impl Sample {
    fn of(transactions: usize) -> Self {
        let receipts: Vec<OpTransactionReceipt> = (0..transactions).map(receipt).collect();
        let envelopes: Vec<OpReceiptEnvelope> = receipts.iter().cloned().map(Into::into).collect();
        let (receipts_root, mut preimages) = trie(&envelopes);
        preimages.extend(envelopes.iter().flat_map(OpReceiptEnvelope::logs).map(payload));
        let header = RpcHeader::new(Header { number: 7, receipts_root, ..Header::default() });
        let block = Block::<Transaction, RpcHeader>::new(header, BlockTransactions::Full(Vec::new()));
        Self { block: VerifiedBlock::verify(block).unwrap(), receipts, preimages }
    }

    fn prove(&self) -> ProvenLogs {
        ProvenLogs::prove(ChainId::from(901), &self.block, &self.receipts).unwrap()
    }
}

/// The root of the receipts' trie, and its nodes.
fn trie(receipts: &[OpReceiptEnvelope]) -> (B256, Vec<Vec<u8>>) {
    let key = |index: usize| Nibbles::unpack(encode_fixed_size(&index));
    let retainer: ProofRetainer = (0..receipts.len()).map(key).collect();
    let mut builder = HashBuilder::default().with_proof_retainer(retainer);
    for place in 0..receipts.len() {
        let index = adjust_index_for_rlp(place, receipts.len());
        builder.add_leaf(key(index), &receipts[index].encoded_2718());
    }
    let root = builder.root();
    let nodes = builder.take_proof_nodes().into_inner().into_values();
    (root, nodes.filter(|node| node.len() >= 32).map(|node| node.to_vec()).collect())
}

fn payload(log: &Log) -> Vec<u8> {
    let topics = log.topics().iter().flat_map(|topic| topic.0);
    topics.chain(log.data.data.iter().copied()).collect()
}

/// Transfers mostly; every fourth log is an executed message.
fn logs(transaction: usize) -> Vec<Log> {
    let word = |value: usize| B256::from(U256::from(value));
    let log = |index: usize| {
        let seed = word(transaction * LOGS_A_TRANSACTION + index);
        if index == 0 {
            let mut data = [0; 160];
            for (place, value) in [(31, 0xaa), (63, 9), (95, 3), (127, 100), (159, 1)] {
                data[place] = value;
            }
            let topics = vec![EXECUTING_MESSAGE_TOPIC, keccak256(seed)];
            return Log { address: CROSS_L2_INBOX, data: LogData::new_unchecked(topics, data.into()) };
        }
        let topics = vec![keccak256("Transfer(address,address,uint256)"), keccak256(seed), seed];
        let data = Bytes::copy_from_slice(seed.as_slice());
        Log { address: Address::from_word(keccak256(seed)), data: LogData::new_unchecked(topics, data) }
    };
    (0..LOGS_A_TRANSACTION).map(log).collect()
}

fn receipt(transaction: usize) -> OpTransactionReceipt {
    let logs = logs(transaction);
    let logs_bloom = logs_bloom(&logs);
    let logs = logs.into_iter().map(|log| RpcLog { inner: log, ..RpcLog::default() }).collect();
    let status = Eip658Value::Eip658(true);
    let cumulative_gas_used = 21_000 * (transaction as u64 + 1);
    let receipt = OpReceipt::Eip1559(Receipt { status, cumulative_gas_used, logs });
    OpTransactionReceipt {
        inner: TransactionReceipt {
            inner: ReceiptWithBloom { receipt, logs_bloom },
            transaction_hash: keccak256(cumulative_gas_used.to_be_bytes()),
            transaction_index: Some(transaction as u64),
            block_hash: None,
            block_number: Some(7),
            gas_used: 21_000,
            effective_gas_price: 1,
            blob_gas_used: None,
            blob_gas_price: None,
            from: Address::ZERO,
            to: Some(Address::ZERO),
            contract_address: None,
        },
        l1_block_info: L1BlockInfo::default(),
        op_gas_refund: None,
    }
}

fn ingestion(criterion: &mut Criterion) {
    for (name, transactions) in [("1000 logs", 250), ("12 logs", 3)] {
        let sample = Sample::of(transactions);
        let proven = sample.prove();
        assert_eq!(proven.len(), transactions * LOGS_A_TRANSACTION);
        assert_eq!(proven.executed().len(), transactions);

        let mut group = criterion.benchmark_group(format!("ingestion of blocks of {name}"));
        group.throughput(Throughput::Elements((transactions * LOGS_A_TRANSACTION) as u64));
        group.bench_function("floor: hashing alone", |bencher| {
            bencher.iter(|| {
                for preimage in &sample.preimages {
                    black_box(keccak256(preimage));
                }
            });
        });
        group.bench_function("prove", |bencher| {
            bencher.iter(|| black_box(sample.prove()));
        });
        let json = serde_json::to_string(&sample.receipts).unwrap();
        group.bench_function("parse JSON", |bencher| {
            bencher.iter(|| serde_json::from_str::<Vec<OpTransactionReceipt>>(black_box(&json)).unwrap());
        });
        group.finish();
    }
}

criterion_group!(benches, ingestion);
criterion_main!(benches);
