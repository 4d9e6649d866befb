//! A small superchain that grows, forks and becomes final as scripted, and the inputs that a tracker gets
//! from it.
//!
//! Every block has eight logs: its executed messages at the even indices, logs that others may cite at the
//! odd ones.

use crate::message::{BlockKey, ExecutingMessage, Identifier, Message};
use crate::proof::{Executed, ProvenLog, ProvenLogs};
use crate::tracker::ObservedBlock;
use crate::validity::{DependencySet, Member};
use alloy::primitives::{Address, B256, keccak256};
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const ORIGIN: Address = Address::repeat_byte(0xee);
/// The timestamp of every chain's block 0.
pub(super) const START: u64 = 1_000;
pub(super) const WINDOW: u64 = 10;

/// A message that a block is to execute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) chain: u64,
    pub(super) number: u64,
    pub(super) log_index: u32,
    /// Added to the timestamp that the height has on its chain.
    pub(super) skew: i64,
    pub(super) payload: Payload,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payload {
    /// What the log at that place says.
    Right,
    /// What it says on some forks only.
    Forked,
    Wrong,
    /// A deposit executes it.
    Deposited,
}

/// How a block is to be.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    pub(super) claims: Vec<Claim>,
    /// Whether its odd logs say what they say on some forks only.
    pub(super) is_forked: bool,
    pub(super) is_deposits_only: bool,
    /// Whether deposits emitted its first two logs.
    pub(super) has_deposit_logs: bool,
    pub(super) undeclared: bool,
}

#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) block_times: BTreeMap<ChainId, u64>,
    pub(super) chains: BTreeMap<ChainId, Vec<Arc<ObservedBlock>>>,
    /// Every block that ever was.
    pub(super) logs: BTreeMap<B256, Arc<ProvenLogs>>,
    made: u64,
    /// When chain 1 activates interop; the others did long ago.
    late_activation: Option<u64>,
}

pub(super) fn chain(index: u64) -> ChainId {
    ChainId::from(901 + index)
}

fn payload(chain: ChainId, number: u64, log_index: u32, is_forked: bool) -> B256 {
    keccak256(format!("{chain} {number} {log_index} {is_forked}"))
}

impl World {
    /// Chains with these block times.
    pub(super) fn new(block_times: &[u64]) -> Self {
        let block_times = (0..).zip(block_times).map(|(index, time)| (chain(index), *time)).collect();
        Self { block_times, ..Self::default() }
    }

    /// The same, but chain 1 activates interop a little later than the others.
    pub(super) fn with_late_activation(self) -> Self {
        Self { late_activation: Some(START + 2), ..self }
    }

    pub(super) fn set(&self) -> DependencySet {
        let member = |(id, block_time): (&ChainId, &u64)| {
            let late = self.late_activation.filter(|_| *id == chain(1));
            let interop_time = UnixSeconds(late.unwrap_or(START - 10));
            (*id, Member { interop_time, block_time: *block_time })
        };
        DependencySet::new(self.block_times.iter().map(member).collect(), WINDOW)
    }

    pub(super) fn timestamp(&self, id: ChainId, number: u64) -> u64 {
        START + number * self.block_times.get(&id).copied().unwrap_or(1)
    }

    pub(super) fn tip(&self, id: ChainId) -> Option<&Arc<ObservedBlock>> {
        self.chains.get(&id).and_then(|blocks| blocks.last())
    }

    pub(super) fn message(&self, claim: &Claim) -> Message {
        let id = chain(claim.chain);
        let timestamp = self.timestamp(id, claim.number).saturating_add_signed(claim.skew);
        let payload_hash = match claim.payload {
            Payload::Wrong => B256::repeat_byte(9),
            other => payload(id, claim.number, claim.log_index, other == Payload::Forked),
        };
        let identifier = Identifier {
            origin: ORIGIN,
            block_number: claim.number,
            log_index: claim.log_index,
            timestamp: UnixSeconds(timestamp),
            chain_id: id,
        };
        Message { identifier, payload_hash }
    }

    /// A block on a chain's tip, or its block 0.
    pub(super) fn make(&mut self, id: ChainId, shape: &Shape) -> Arc<ObservedBlock> {
        let (number, parent_hash) =
            self.tip(id).map_or((0, B256::ZERO), |tip| (tip.key.number + 1, tip.key.hash));
        self.made += 1;
        let key = BlockKey { chain_id: id, number, hash: keccak256(format!("{id} {number} {}", self.made)) };
        let claims = if shape.is_deposits_only { &[][..] } else { &shape.claims[..] };
        let executed: Vec<Executed> = (0..).zip(claims).map(|(at, claim)| self.executed(at, claim)).collect();
        let block = Arc::new(ObservedBlock {
            transactions: Vec::new(),
            key,
            parent_hash,
            timestamp: UnixSeconds(self.timestamp(id, number)),
            undeclared: executed.iter().filter(|_| shape.undeclared).map(|e| e.log_index).take(1).collect(),
            executed,
            undecodable: Vec::new(),
            is_deposits_only: shape.is_deposits_only,
        });
        let count = if shape.is_deposits_only { 2 } else { 8 };
        let log = |index: u32| ProvenLog {
            origin: ORIGIN,
            payload_hash: payload(id, number, index, shape.is_forked),
        };
        let logs = ProvenLogs::for_tests(id, number, block.timestamp, (0..count).map(log).collect());
        let by_deposits = if shape.has_deposit_logs || shape.is_deposits_only { 2 } else { 0 };
        self.logs.insert(key.hash, Arc::new(logs.with_hash(key.hash).with_deposit_logs(by_deposits)));
        self.chains.entry(id).or_default().push(Arc::clone(&block));
        block
    }

    fn executed(&self, at: u32, claim: &Claim) -> Executed {
        let log_index = at * 2;
        let message = ExecutingMessage { log_index, message: self.message(claim) };
        let by_deposit = claim.payload == Payload::Deposited;
        Executed { log_index, transaction_index: at + 1, by_deposit, message }
    }

    /// Drops the blocks above a height, lowest first.
    pub(super) fn rewind(&mut self, id: ChainId, kept: u64) -> Vec<Arc<ObservedBlock>> {
        let Some(blocks) = self.chains.get_mut(&id) else { return Vec::new() };
        blocks.split_off(usize::try_from(kept + 1).unwrap().min(blocks.len()))
    }

    /// Puts a block that was dropped back on its parent.
    pub(super) fn restore(&mut self, block: &Arc<ObservedBlock>) {
        self.chains.entry(block.key.chain_id).or_default().push(Arc::clone(block));
    }
}
