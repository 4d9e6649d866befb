//! [`Refusals`]: the gossip frames refused lately. Bounded: the oldest make room.

use crate::metrics::{Limit, Metrics};
use alloy::primitives::{Address, B256};
use crosscheck_p2p::{ChainId, PeerId, Refusal, RefusalVerdict, Topic, UnixSeconds};
use parking_lot::Mutex;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::Arc;

/// How many refusals are remembered.
const MAX_REFUSALS: usize = 4096;

/// A gossip frame that was ignored or rejected.
#[derive(Debug, Clone, Serialize)]
pub struct RefusalRecord {
    /// Its place in the order of refusals, greater than any of an earlier run.
    pub id: u64,
    /// When it came.
    pub at: UnixSeconds,
    /// The peer that sent it.
    pub peer: String,
    /// The chain.
    pub chain_id: ChainId,
    /// The topic.
    pub topic: Topic,
    /// `ignore` or `reject`.
    pub verdict: &'static str,
    /// The rule's stable name.
    pub reason: &'static str,
    /// What is wrong, for people.
    pub detail: String,
    /// The payload hash, if the frame came that far.
    pub payload_hash: Option<B256>,
    /// Who signed, if that is known.
    pub signer: Option<Address>,
    /// The height that the block claims, unchecked.
    pub number: Option<u64>,
    /// The hash that the block claims, unchecked.
    pub hash: Option<B256>,
}

/// The gossip frames refused lately. Clones share them.
#[derive(Debug, Clone)]
pub struct Refusals {
    recent: Arc<Mutex<(u64, VecDeque<RefusalRecord>)>>,
    metrics: Metrics,
}

impl Refusals {
    /// None so far.
    pub fn new(metrics: Metrics) -> Self {
        Self { recent: Arc::default(), metrics }
    }

    /// The same, numbered after this: greater numbers than any run before gave.
    #[must_use]
    pub fn after_number(self, number: u64) -> Self {
        self.recent.lock().0 = number;
        self
    }

    /// Remembers a refusal.
    pub fn note(
        &self,
        chain_id: ChainId,
        topic: Topic,
        verdict: RefusalVerdict,
        refusal: &Refusal,
        peer: PeerId,
        at: UnixSeconds,
    ) {
        let mut recent = self.recent.lock();
        let (last, records) = &mut *recent;
        *last = last.saturating_add(1);
        if records.len() >= MAX_REFUSALS {
            records.pop_front();
            self.metrics.limit_reached(Limit::Refusals);
        }
        records.push_back(RefusalRecord {
            id: *last,
            at,
            peer: peer.to_string(),
            chain_id,
            topic,
            verdict: verdict.name(),
            reason: refusal.reason.code(),
            detail: refusal.reason.to_string(),
            payload_hash: refusal.payload_hash.map(|hash| hash.as_b256()),
            signer: refusal.signer,
            number: refusal.claimed.as_deref().map(|block| block.number),
            hash: refusal.claimed.as_deref().map(|block| block.hash),
        });
    }

    /// The refusals after this one, oldest first.
    pub fn after(&self, id: u64, limit: usize) -> Vec<RefusalRecord> {
        self.recent.lock().1.iter().filter(|record| record.id > id).take(limit).cloned().collect()
    }
}
