//! A superchain that never stops: every block has real receipts under a real header, and messages that cite
//! other chains' blocks, all valid but those that are to be wrong.

mod receipt;

use alloy::consensus::Header;
use alloy::consensus::proofs::calculate_receipt_root;
use alloy::primitives::{Address, B256, Bytes, Log, LogData, keccak256};
use alloy::rpc::types::{Block, BlockTransactions, Header as RpcHeader};
use crosscheck_core::message::{BlockKey, CROSS_L2_INBOX, EXECUTING_MESSAGE_TOPIC, payload_hash};
use crosscheck_core::proof::{ProvenLogs, VerifiedBlock};
use crosscheck_core::tracker::ObservedBlock;
use crosscheck_core::validity::{DependencySet, Member};
use crosscheck_p2p::{ChainId, UnixSeconds};
use op_alloy::consensus::OpReceiptEnvelope;
use op_alloy::rpc_types::{OpTransactionReceipt, Transaction};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use receipt::receipt;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The timestamp of every chain's block 0.
pub(crate) const START: u64 = 1_000_000;

/// How far back a message cites, in blocks.
const REACH: u64 = 8;

/// A block as an execution client would give it.
pub(crate) struct Sample {
    chain_id: ChainId,
    block: Block<Transaction, RpcHeader>,
    receipts: Vec<OpTransactionReceipt>,
    /// The log indices of its invalid messages.
    #[allow(dead_code, reason = "one of the two benches has honest messages only")]
    pub(crate) invalid: Vec<u32>,
}

impl Sample {
    /// Its header and receipts, proven, and what the monitor makes of them.
    pub(crate) fn prove(self) -> (Arc<ProvenLogs>, Arc<ObservedBlock>) {
        let block = VerifiedBlock::verify(self.block).unwrap();
        let logs = ProvenLogs::prove(self.chain_id, &block, &self.receipts).unwrap();
        let observed = ObservedBlock {
            transactions: Vec::new(),
            key: BlockKey { chain_id: self.chain_id, number: block.number(), hash: block.hash() },
            parent_hash: block.header().parent_hash,
            timestamp: block.timestamp(),
            executed: logs.executed().to_vec(),
            undecodable: logs.undecodable().to_vec(),
            undeclared: Vec::new(),
            is_deposits_only: false,
        };
        (Arc::new(logs), Arc::new(observed))
    }
}

/// Chains that make a block a second, in turn.
pub(crate) struct Superchain {
    tips: Vec<Option<(u64, B256)>>,
    next: usize,
    messages: u32,
    invalid_every: u64,
    made: u64,
    /// Blocks with an invalid message: a valid one cites none of them.
    tainted: BTreeSet<(usize, u64)>,
    random: SmallRng,
}

impl Superchain {
    /// This many chains, with this many messages a block, of which one in `invalid_every` is wrong (0: none).
    pub(crate) fn new(chains: usize, messages: u32, invalid_every: u64) -> Self {
        let random = SmallRng::seed_from_u64(7);
        let tainted = BTreeSet::new();
        Self { tips: vec![None; chains], next: 0, messages, invalid_every, made: 0, tainted, random }
    }

    /// Their dependency set.
    pub(crate) fn set(&self) -> DependencySet {
        let member = Member { interop_time: UnixSeconds(0), block_time: 1 };
        DependencySet::new((0..self.tips.len()).map(|of| (chain(of), member)).collect(), 604_800)
    }

    /// The next block, of the next chain.
    pub(crate) fn next(&mut self) -> Sample {
        let of = self.next;
        self.next = (of + 1) % self.tips.len();
        let (number, parent_hash) =
            self.tips[of].map_or((0, B256::ZERO), |(number, hash)| (number + 1, hash));
        let mut invalid = Vec::new();
        let receipts: Vec<OpTransactionReceipt> = (0..self.messages)
            .map(|place| {
                let initiating = initiating(of, number, place);
                // A chain's first block has nobody to cite: another log keeps the places.
                let Some((log, is_wrong)) = self.executing(of, number) else {
                    return receipt(&[initiating.clone(), initiating]);
                };
                if is_wrong {
                    invalid.push(place * 2 + 1);
                    self.tainted.insert((of, number));
                }
                receipt(&[initiating, log])
            })
            .collect();
        let envelopes: Vec<OpReceiptEnvelope> = receipts.iter().cloned().map(Into::into).collect();
        let receipts_root = calculate_receipt_root(&envelopes);
        let timestamp = START + number;
        let header = Header { number, timestamp, parent_hash, receipts_root, ..Header::default() };
        let header = RpcHeader::new(header);
        self.tips[of] = Some((number, header.hash));
        let oldest = number.saturating_sub(4 * REACH);
        self.tainted.retain(|(_, number)| *number >= oldest);
        let block = Block::new(header, BlockTransactions::Full(Vec::new()));
        Sample { chain_id: chain(of), block, receipts, invalid }
    }

    /// A message of another chain's earlier block, executed. Whether it is wrong.
    fn executing(&mut self, of: usize, number: u64) -> Option<(Log, bool)> {
        let newest = number.checked_sub(1)?;
        let oldest = newest.saturating_sub(REACH);
        let (cited, height) = (0..64).find_map(|_| {
            let cited = (of + self.random.random_range(1..self.tips.len())) % self.tips.len();
            let height = self.random.random_range(oldest..=newest);
            (!self.tainted.contains(&(cited, height))).then_some((cited, height))
        })?;
        let place = self.random.random_range(0..self.messages);
        self.made += 1;
        let is_wrong = self.invalid_every > 0 && self.made.is_multiple_of(self.invalid_every);
        let log = initiating(cited, height, place);
        let mut payload = payload_hash(&log.data);
        if is_wrong {
            payload = keccak256(payload);
        }
        Some((executed(chain(cited), height, place, &log, payload), is_wrong))
    }
}

/// The log of a transaction that others may cite, the first of its two.
fn initiating(of: usize, number: u64, place: u32) -> Log {
    let seed = keccak256([&of.to_be_bytes()[..], &number.to_be_bytes(), &place.to_be_bytes()].concat());
    let topics = vec![keccak256("SentMessage(uint256,address,uint256,address,bytes)"), seed];
    let data = LogData::new_unchecked(topics, Bytes::from([seed.0, seed.0, seed.0, seed.0].concat()));
    Log { address: Address::from_word(seed), data }
}

fn executed(cited: ChainId, number: u64, place: u32, log: &Log, payload: B256) -> Log {
    let mut data = Vec::with_capacity(160);
    data.extend_from_slice(log.address.into_word().as_slice());
    for word in [number, u64::from(place * 2), START + number] {
        data.extend_from_slice(&[0; 24]);
        data.extend_from_slice(&word.to_be_bytes());
    }
    data.extend_from_slice(&cited.to_be_bytes());
    let data = LogData::new_unchecked(vec![EXECUTING_MESSAGE_TOPIC, payload], data.into());
    Log { address: CROSS_L2_INBOX, data }
}

fn chain(of: usize) -> ChainId {
    ChainId::from(u64::try_from(901 + of).unwrap())
}
