//! How fast messages are judged once the blocks that they cite are known: one by one, and a timestamp at a
//! time.

#![allow(missing_docs, reason = "criterion's macro makes a function without them")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a benchmark may fail loudly, like a test"
)]

use alloy::consensus::proofs::calculate_receipt_root;
use alloy::consensus::{Eip658Value, Header, Receipt, ReceiptWithBloom};
use alloy::primitives::{Address, B256, Bytes, Log, LogData, U256, logs_bloom};
use alloy::rpc::types::{Block, BlockTransactions, Header as RpcHeader, Log as RpcLog, TransactionReceipt};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use crosscheck_core::case::{Closure, Maturity};
use crosscheck_core::message::{
    CROSS_L2_INBOX, Checksum, EXECUTING_MESSAGE_TOPIC, Identifier, InboxAccess, Message, payload_hash,
};
use crosscheck_core::proof::{LogIndex, ProvenLogs, VerifiedBlock};
use crosscheck_core::validity::{
    AccessContext, CycleRule, DependencySet, Execution, Member, SameTimestamp, Validity, check_access,
    check_access_log, check_claim, check_log, cyclic_chains,
};
use crosscheck_p2p::{ChainId, UnixSeconds};
use op_alloy::consensus::{OpReceipt, OpReceiptEnvelope};
use op_alloy::rpc_types::{L1BlockInfo, OpTransactionReceipt, Transaction};
use std::hint::black_box;
use std::sync::Arc;

const CHAINS: u64 = 20;
const BLOCKS: u64 = 50;
const LOGS: u32 = 20;

/// Messages of one timestamp that each chain executes.
const EXECUTED: u32 = 50;

fn set() -> DependencySet {
    let member = Member { interop_time: UnixSeconds(0), block_time: 2 };
    DependencySet::new((1..=CHAINS).map(|id| (ChainId::from(id), member)).collect(), 604_800)
}

const fn time(number: u64) -> UnixSeconds {
    UnixSeconds(1_000 + 2 * number)
}

fn emitted(chain: u64, number: u64, log_index: u32) -> Log {
    let word = |value: u64| B256::from(U256::from(value));
    let topics = vec![word(chain), word(number), word(u64::from(log_index))];
    Log {
        address: Address::repeat_byte(0xee),
        data: LogData::new_unchecked(topics, Bytes::from_static(&[7; 96])),
    }
}

/// The message that a chain's emitter put at this place.
fn message(chain: u64, number: u64, log_index: u32) -> Message {
    let log = emitted(chain, number, log_index);
    let identifier = Identifier {
        origin: log.address,
        block_number: number,
        log_index,
        timestamp: time(number),
        chain_id: chain.into(),
    };
    Message { identifier, payload_hash: payload_hash(&log.data) }
}

fn executing(message: &Message) -> Log {
    let id = &message.identifier;
    let words = [
        id.origin.into_word(),
        U256::from(id.block_number).into(),
        U256::from(id.log_index).into(),
        U256::from(id.timestamp.0).into(),
        B256::from(id.chain_id.to_be_bytes()),
    ];
    let topics = vec![EXECUTING_MESSAGE_TOPIC, message.payload_hash];
    let data = words.iter().flat_map(|word| word.0).collect::<Vec<_>>().into();
    Log { address: CROSS_L2_INBOX, data: LogData::new_unchecked(topics, data) }
}

/// A proven block with these logs, all of one transaction.
fn block(chain: u64, number: u64, logs: Vec<Log>) -> Arc<ProvenLogs> {
    let logs_bloom = logs_bloom(&logs);
    let logs = logs.into_iter().map(|log| RpcLog { inner: log, ..RpcLog::default() }).collect();
    let status = Eip658Value::Eip658(true);
    let receipt = OpReceipt::Eip1559(Receipt { status, cumulative_gas_used: 21_000, logs });
    let receipt = OpTransactionReceipt {
        inner: TransactionReceipt {
            inner: ReceiptWithBloom { receipt, logs_bloom },
            transaction_hash: B256::ZERO,
            transaction_index: Some(0),
            block_hash: None,
            block_number: Some(number),
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
    };
    let receipts_root = calculate_receipt_root(&[OpReceiptEnvelope::from(receipt.clone())]);
    let header = Header { number, timestamp: time(number).0, receipts_root, ..Header::default() };
    let block =
        Block::<Transaction, RpcHeader>::new(RpcHeader::new(header), BlockTransactions::Full(Vec::new()));
    let block = VerifiedBlock::verify(block).unwrap();
    Arc::new(ProvenLogs::prove(ChainId::from(chain), &block, &[receipt]).unwrap())
}

/// A message, and the hash of the block that it cites.
fn warm(index: &LogIndex) -> Vec<(Message, B256)> {
    let places = (1..=CHAINS).flat_map(|chain| (1..=BLOCKS).map(move |number| (chain, number)));
    let cited = places.flat_map(|(chain, number)| {
        let logs = block(chain, number, (0..LOGS).map(|at| emitted(chain, number, at)).collect());
        index.insert(Arc::clone(&logs));
        (0..LOGS).map(move |at| (message(chain, number, at), logs.hash()))
    });
    let mut cited: Vec<_> = cited.collect();
    // Neighbours in the list cite different chains and blocks.
    cited.sort_by_key(|(message, _)| message.payload_hash);
    cited
}

fn single(criterion: &mut Criterion) {
    let (set, index) = (set(), LogIndex::new(1 << 30));
    let cited = warm(&index);
    let at = time(BLOCKS + 1);
    let mut group = criterion.benchmark_group("warm checks of messages");
    group.throughput(Throughput::Elements(cited.len() as u64));
    group.bench_function("executed", |bencher| {
        let execution = Execution { chain_id: 1.into(), timestamp: at };
        bencher.iter(|| {
            for (message, hash) in black_box(&cited) {
                check_claim(&set, execution, message).unwrap();
                check_log(message, &index.get(message.identifier.chain_id, *hash).unwrap()).unwrap();
            }
        });
    });
    let declared = cited.iter().map(|(message, hash)| {
        let id = message.identifier;
        let access = InboxAccess {
            chain_id: id.chain_id,
            block_number: id.block_number,
            timestamp: id.timestamp,
            log_index: id.log_index,
            checksum: Checksum::of(message),
        };
        (access, *hash)
    });
    let declared: Vec<_> = declared.collect();
    group.bench_function("declared", |bencher| {
        let context = AccessContext { executing: Some(1.into()), timestamp: at, timeout: 7_200 };
        bencher.iter(|| {
            for (access, hash) in black_box(&declared) {
                check_access(&set, context, access).unwrap();
                check_access_log(access, &index.get(access.chain_id, *hash).unwrap()).unwrap();
            }
        });
    });
    group.finish();
}

/// Every chain's block of one timestamp: it emits, and then executes what others emitted. With `cyclic`, each
/// executes first what the next one emits last: a ring.
fn contemporaries(cyclic: bool) -> Vec<Arc<ProvenLogs>> {
    let last = EXECUTED + LOGS;
    let logs = |chain: u64| {
        let emits = (0..LOGS).map(move |at| emitted(chain, 9, at));
        let executes = (0..EXECUTED).map(move |at| {
            let other = (chain + u64::from(at) % (CHAINS - 1)) % CHAINS + 1;
            let is_ring = cyclic && at == 0;
            executing(&if is_ring {
                message(chain % CHAINS + 1, 9, last)
            } else {
                message(other, 9, at % LOGS)
            })
        });
        emits.chain(executes).chain([emitted(chain, 9, last)]).collect()
    };
    (1..=CHAINS).map(|chain| block(chain, 9, logs(chain))).collect()
}

fn timestamp(criterion: &mut Criterion) {
    let set = set();
    let mut group = criterion.benchmark_group("1000 same-timestamp messages over 20 chains");
    group.throughput(Throughput::Elements(CHAINS * u64::from(EXECUTED)));
    let blocks = contemporaries(true);
    let messages: Vec<SameTimestamp> = blocks
        .iter()
        .flat_map(|logs| {
            let execution = Execution { chain_id: logs.chain_id(), timestamp: logs.timestamp() };
            logs.executed().iter().filter_map(move |executed| SameTimestamp::of(execution, executed))
        })
        .collect();
    assert_eq!(messages.len(), 1_000);
    assert_eq!(cyclic_chains(CycleRule::default(), &messages).len() as u64, CHAINS);
    group.bench_function("cycles", |bencher| {
        bencher.iter(|| cyclic_chains(CycleRule::default(), black_box(&messages)));
    });
    for (name, cyclic, expected) in [("valid", false, Validity::Valid), ("a ring", true, Validity::Invalid)] {
        let blocks = contemporaries(cyclic);
        let closure = |blocks: Vec<Arc<ProvenLogs>>| {
            let mut blocks = blocks.into_iter();
            let mut closure = Closure::of(&set, blocks.next().unwrap());
            blocks.for_each(|logs| closure.insert(logs, Maturity::Open));
            closure.validities()
        };
        assert!(closure(blocks.clone()).values().all(|standing| *standing == expected));
        group.bench_function(format!("checks, cycles and transitive validity: {name}"), |bencher| {
            bencher.iter_batched(|| blocks.clone(), closure, BatchSize::SmallInput);
        });
    }
    group.finish();
}

criterion_group!(benches, single, timestamp);
criterion_main!(benches);
