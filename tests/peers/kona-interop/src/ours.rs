//! Crosscheck's side: receipts are proven against their header, and the tracker is told of the block.

use crate::superchain::{PlainBlock, Superchain};
use alloy::consensus::proofs::calculate_receipt_root;
use alloy::consensus::{Header, Receipt, Sealable};
use alloy::rpc::types::{Block, BlockTransactions, Header as RpcHeader};
use alloy_primitives::{B256, Log, LogData, map::HashMap};
use crosscheck::interop::{BlockKey, DEFAULT_EXPIRY_WINDOW, DependencySet, Member, MessageStatus};
use crosscheck::monitor::{Change, Input, MessageEvent, ObservedBlock, Tracker, TrackerLimits};
use crosscheck::sources::{LogIndex, ProvenLogs, VerifiedBlock};
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
    /// Deciding its messages.
    pub deciding: Duration,
}

/// A tracker and its index.
#[derive(Debug)]
pub struct OurSide {
    tracker: Tracker,
    index: LogIndex,
    tips: HashMap<u64, B256>,
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
        Self { tracker: Tracker::new(set, index.clone(), limits), index, tips: HashMap::default(), valid: 0 }
    }

    /// Takes the blocks of a height in: how long that takes, and which chains have an invalid message.
    pub fn take(&mut self, blocks: &[PlainBlock]) -> (Took, BTreeSet<u64>) {
        let answers: Vec<_> = blocks.iter().map(|block| self.answers(block)).collect();
        let (mut took, mut invalid) = (Took::default(), BTreeSet::new());
        for (chain_id, block, receipts) in answers {
            let began = Instant::now();
            let logs = ProvenLogs::prove(ChainId::from(chain_id), &block, &receipts).expect("true receipts");
            took.proving += began.elapsed();
            let began = Instant::now();
            let logs = Arc::new(logs);
            self.index.insert(Arc::clone(&logs));
            let outcome = self.tracker.apply(Input::Block(Arc::new(observed(&block, &logs))));
            took.deciding += began.elapsed();
            assert!(outcome.refused.is_none() && outcome.requests.is_empty());
            for event in &outcome.events {
                self.note(event, &mut invalid);
            }
        }
        (took, invalid)
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
        let header = RpcHeader::new(header.seal_slow());
        self.tips.insert(block.chain_id, header.hash);
        let block_answer =
            Block { header, uncles: Vec::new(), transactions: BlockTransactions::Full(Vec::new()), withdrawals: None };
        (block.chain_id, VerifiedBlock::verify(block_answer).expect("a true header"), receipts)
    }
}

fn observed(block: &VerifiedBlock, logs: &ProvenLogs) -> ObservedBlock {
    ObservedBlock {
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
        "logs": [{ "address": log.address, "topics": log.topics, "data": log.data, "removed": false }],
        "transactionHash": zero, "transactionIndex": format!("{place:#x}"), "blockHash": zero, "blockNumber": "0x0",
        "gasUsed": "0x0", "effectiveGasPrice": "0x0", "from": nobody, "to": nobody,
    });
    serde_json::from_value(receipt).expect("a receipt as clients send it")
}
