//! Crosscheck's side: receipts are proven against their header, the rules are checked against what they say,
//! and the tracker is told of the block.

use crate::superchain::{PlainBlock, Superchain};
use alloy::consensus::proofs::calculate_receipt_root;
use alloy::consensus::{Header, Receipt};
use alloy::rpc::types::{Block, BlockTransactions, Header as RpcHeader};
use alloy_primitives::{B256, Log, LogData, map::HashMap};
use crosscheck_core::message::BlockKey;
use crosscheck_core::proof::{LogIndex, ProvenLogs, VerifiedBlock};
use crosscheck_core::tracker::{Change, Input, MessageEvent, ObservedBlock, Tracker, TrackerLimits};
use crosscheck_core::validity::{
    CycleRule, DEFAULT_EXPIRY_WINDOW, DependencySet, Execution, Member, MessageStatus, SameTimestamp, check_executed,
    check_log, cyclic_chains,
};
use crosscheck_p2p::{ChainId, UnixSeconds};
use op_alloy::consensus::OpReceiptEnvelope;
use op_alloy::rpc_types::OpTransactionReceipt;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a height took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Took {
    /// Proving the receipts of its blocks.
    pub proving: Duration,
    /// The rules alone, checked against proven logs: what kona's graph does.
    pub rules: Duration,
    /// The tracker: discovering and deciding its messages, and telling of it.
    pub tracking: Duration,
}

/// A tracker and its index.
#[derive(Debug)]
pub struct OurSide {
    set: DependencySet,
    tracker: Tracker,
    index: LogIndex,
    tips: HashMap<u64, B256>,
    hashes: HashMap<(ChainId, u64), B256>,
    /// How many messages were found valid.
    pub valid: u64,
}

impl OurSide {
    /// A side that knows the chains, but no blocks.
    pub fn new(superchain: &Superchain) -> Self {
        let member = Member { interop_time: UnixSeconds(0), block_time: 1 };
        let members = superchain.chain_ids().map(|chain_id| (ChainId::from(chain_id), member)).collect();
        let index = LogIndex::new(usize::MAX);
        let limits = TrackerLimits { max_messages: usize::MAX, retention: u64::MAX, ended_kept: 0 };
        let set = DependencySet::new(members, DEFAULT_EXPIRY_WINDOW);
        let tracker = Tracker::new(set.clone(), index.clone(), limits);
        Self { set, tracker, index, tips: HashMap::default(), hashes: HashMap::default(), valid: 0 }
    }

    /// Takes the blocks of a height in: how long that takes, and which chains have an invalid message.
    pub fn take(&mut self, blocks: &[PlainBlock]) -> (Took, BTreeSet<u64>) {
        let answers: Vec<_> = blocks.iter().map(|block| self.answers(block)).collect();
        let (mut took, mut invalid, mut height) = (Took::default(), BTreeSet::new(), Vec::new());
        for (chain_id, block, receipts) in answers {
            let began = Instant::now();
            let logs = ProvenLogs::prove(ChainId::from(chain_id), &block, &receipts).expect("true receipts");
            took.proving += began.elapsed();
            let began = Instant::now();
            let logs = Arc::new(logs);
            self.index.insert(Arc::clone(&logs));
            height.push(Arc::clone(&logs));
            let outcome = self.tracker.apply(Input::Block(Arc::new(observed(&block, &logs))));
            took.tracking += began.elapsed();
            assert!(outcome.refused.is_none() && outcome.requests.is_empty());
            for event in &outcome.events {
                self.note(event, &mut invalid);
            }
        }
        let began = Instant::now();
        let broken = self.broken(&height);
        took.rules = began.elapsed();
        assert_eq!(broken, invalid, "the tracker and the rules differ");
        (took, invalid)
    }

    /// The chains whose block at one height breaks a rule.
    fn broken(&self, height: &[Arc<ProvenLogs>]) -> BTreeSet<u64> {
        let (mut broken, mut same_timestamp) = (BTreeSet::new(), Vec::new());
        for logs in height {
            let execution = Execution { chain_id: logs.chain_id(), timestamp: logs.timestamp() };
            for executed in logs.executed() {
                let holds = check_executed(&self.set, execution, executed).and_then(|message| {
                    let id = &message.identifier;
                    let key = self.hashes[&(id.chain_id, id.block_number)];
                    check_log(&message, &self.index.get(id.chain_id, key).expect("proven logs"))
                });
                if holds.is_err() {
                    broken.insert(logs.chain_id());
                }
                same_timestamp.extend(SameTimestamp::of(execution, executed));
            }
        }
        broken.extend(cyclic_chains(CycleRule::default(), &same_timestamp));
        broken.into_iter().map(|chain_id| chain_id.as_u256().to()).collect()
    }

    fn note(&mut self, event: &MessageEvent, invalid: &mut BTreeSet<u64>) {
        match event.change {
            Change::Status { to: MessageStatus::Valid, .. } => self.valid += 1,
            Change::Status { to: MessageStatus::Invalid(_), .. } => {
                invalid.insert(event.key.block.chain_id.as_u256().to());
            }
            _ => {}
        }
    }

    /// What an endpoint would answer for a block.
    fn answers(&mut self, block: &PlainBlock) -> (u64, VerifiedBlock, Vec<OpTransactionReceipt>) {
        let receipts: Vec<OpTransactionReceipt> = (0_u64..).zip(&block.logs).map(rpc_receipt).collect();
        let envelopes: Vec<OpReceiptEnvelope> = receipts.iter().cloned().map(Into::into).collect();
        let header = Header {
            parent_hash: self.tips.get(&block.chain_id).copied().unwrap_or_default(),
            number: block.number,
            timestamp: block.timestamp,
            receipts_root: calculate_receipt_root(&envelopes),
            extra_data: block.chain_id.to_be_bytes().to_vec().into(),
            ..Header::default()
        };
        let header = RpcHeader::new(header);
        self.tips.insert(block.chain_id, header.hash);
        self.hashes.insert((ChainId::from(block.chain_id), block.number), header.hash);
        let block_answer = Block {
            header,
            uncles: Vec::new(),
            transactions: BlockTransactions::Full(Vec::new()),
            withdrawals: None,
        };
        (block.chain_id, VerifiedBlock::verify(block_answer).expect("a true header"), receipts)
    }
}

fn observed(block: &VerifiedBlock, logs: &ProvenLogs) -> ObservedBlock {
    ObservedBlock { transactions: Vec::new(),
        key: BlockKey { chain_id: logs.chain_id(), number: block.number(), hash: block.hash() },
        parent_hash: block.header().parent_hash,
        timestamp: block.timestamp(),
        executed: logs.executed().to_vec(),
        undeclared: Vec::new(),
        is_deposits_only: false,
    }
}

fn rpc_receipt((place, log): (u64, &crate::superchain::PlainLog)) -> OpTransactionReceipt {
    let data = LogData::new_unchecked(log.topics.clone(), log.data.clone());
    let logged = Log { address: log.address, data };
    let receipt = Receipt { status: true.into(), cumulative_gas_used: 0, logs: vec![logged] }.with_bloom();
    let (zero, nobody) = (B256::ZERO, alloy_primitives::Address::ZERO);
    let receipt = json!({
        "type": "0x2", "status": "0x1", "cumulativeGasUsed": "0x0", "logsBloom": receipt.logs_bloom,
        "logs": [{
            "address": log.address, "topics": log.topics, "data": log.data, "removed": false, "logIndex": null,
            "blockHash": null, "blockNumber": null, "transactionHash": null, "transactionIndex": null,
        }],
        "transactionHash": zero, "transactionIndex": format!("{place:#x}"), "blockHash": zero, "blockNumber": "0x0",
        "gasUsed": "0x0", "effectiveGasPrice": "0x0", "from": nobody, "to": nobody,
    });
    serde_json::from_value(receipt).expect("a receipt as clients send it")
}
