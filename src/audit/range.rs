//! [`RangeAudit`]: audits a past range of a chain from its endpoints, without gossip.
//!
//! Blocks are fetched and judged in parallel, on all cores, and handed out in order. It writes nothing: what
//! is done with an outcome is its caller's.

use super::{Investigation, Investigator};
use alloy::primitives::B256;
use crosscheck_core::case::{Case, Verdict, VerdictKind};
use crosscheck_core::consolidation::BlockAttributes;
use crosscheck_core::message::BlockKey;
use crosscheck_core::proof::VerifiedBlock;
use crosscheck_p2p::ChainId;
use futures::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How often a block is tried before it is left open.
const ATTEMPTS: u32 = 6;

/// The pause before the second attempt; it doubles with every further one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The verdict of a block that could not be judged.
const OPEN: &str = "open";

/// What was found out about one block of a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeOutcome {
    /// The block's height.
    pub number: u64,
    /// Its hash. `None`: the execution client did not give the block.
    pub hash: Option<B256>,
    /// The hash of its parent.
    pub parent_hash: Option<B256>,
    /// The verdict's name, or `open`.
    pub verdict: String,
    /// The reason for which it is invalid.
    pub reason: Option<String>,
    /// What was found, or what is missing, for people.
    pub detail: String,
    /// How many messages it executed.
    pub messages: usize,
}

impl RangeOutcome {
    /// Whether the block is valid.
    pub fn is_valid(&self) -> bool {
        self.verdict.parse().is_ok_and(VerdictKind::is_upheld)
    }

    /// Whether the block could not be judged.
    pub fn is_open(&self) -> bool {
        self.verdict == OPEN
    }

    fn open(number: u64, hash: Option<B256>, detail: String) -> Self {
        let verdict = OPEN.to_owned();
        Self { number, hash, parent_hash: None, verdict, reason: None, detail, messages: 0 }
    }
}

/// An audit of past blocks.
#[derive(Debug, Clone)]
pub struct RangeAudit {
    /// The chain.
    pub chain_id: ChainId,
    /// Who judges.
    pub investigator: Arc<Investigator>,
    /// How many blocks are under way at once.
    pub concurrency: usize,
}

impl RangeAudit {
    /// The outcomes of a range, lowest height first.
    pub fn outcomes(self, range: RangeInclusive<u64>) -> impl Stream<Item = RangeOutcome> {
        let concurrency = self.concurrency;
        stream::iter(range)
            .map(move |number| {
                let audit = self.clone();
                async move { audit.audit_apart(number).await }
            })
            .buffered(concurrency)
    }

    /// Audits a block in a task of its own, which ends with its caller.
    async fn audit_apart(self, number: u64) -> RangeOutcome {
        let mut task = JoinSet::new();
        task.spawn(async move { self.audit(number).await });
        match task.join_next().await {
            Some(Ok(outcome)) => outcome,
            Some(Err(error)) => RangeOutcome::open(number, None, format!("its audit crashed: {error}")),
            None => RangeOutcome::open(number, None, "its audit did not start".to_owned()),
        }
    }

    async fn audit(&self, number: u64) -> RangeOutcome {
        let mut pause = FIRST_PAUSE;
        let mut outcome = self.try_audit(number).await;
        for _ in 1..ATTEMPTS {
            if !outcome.is_open() {
                break;
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2);
            outcome = self.try_audit(number).await;
        }
        outcome
    }

    async fn try_audit(&self, number: u64) -> RangeOutcome {
        let block = match self.investigator.past_block(self.chain_id, number).await {
            Ok(Some(block)) => block,
            Ok(None) => {
                let detail = "the execution client does not have the block".to_owned();
                return RangeOutcome::open(number, None, detail);
            }
            Err(error) => return RangeOutcome::open(number, None, error.to_string()),
        };
        let key = BlockKey { chain_id: self.chain_id, number, hash: block.hash() };
        let case = Case::new(key, self.investigator.rules(key.chain_id), BlockAttributes::of_block(&block));
        let Investigation { case, waits, .. } = self.investigator.investigate(case).await;
        case.verdict().map_or_else(
            || {
                let missing = self.investigator.reasons().in_words(&waits);
                RangeOutcome::open(number, Some(key.hash), format!("waits for {missing}"))
            },
            |verdict| decided(&block, &case, verdict),
        )
    }
}

fn decided(block: &VerifiedBlock, case: &Case, verdict: &Verdict) -> RangeOutcome {
    RangeOutcome {
        number: block.number(),
        hash: Some(block.hash()),
        parent_hash: Some(block.header().parent_hash),
        verdict: verdict.name().to_owned(),
        reason: verdict.reason().map(ToOwned::to_owned),
        detail: case.detail().unwrap_or_default(),
        messages: case.messages().len(),
    }
}

#[cfg(test)]
mod tests;
