//! Cases that stay open for long: [`OpenCaseWatch`] says so, [`LongOpenCases`] is where others read it.
//!
//! An open case may hold the vouched head, and followers with it. It never does so silently: a gauge has the
//! age of the oldest open case of each cause, and beyond the operator's patience the oldest is named, with
//! the reason in words, on `/readyz`, in the log and in the served status.

use super::AuditMetrics;
use super::open_cases::OpenCases;
use super::reasons::Reasons;
use crate::health::{Health, HealthPart};
use alloy::primitives::B256;
use crosscheck_core::case::{Cause, Wait};
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::ChainId;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{info, warn};

/// A chain's oldest case that has been open for too long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LongOpenCase {
    /// Its block's height.
    pub number: u64,
    /// Its block's hash.
    pub hash: B256,
    /// For how many seconds it had been open when this was last looked at.
    pub open_seconds: u64,
    /// What it waits for, for people.
    pub reason: String,
}

/// Each chain's, if there is one. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct LongOpenCases(Arc<Mutex<BTreeMap<ChainId, LongOpenCase>>>);

impl LongOpenCases {
    /// A chain's oldest case that has been open for too long.
    pub fn of(&self, chain_id: ChainId) -> Option<LongOpenCase> {
        self.0.lock().get(&chain_id).cloned()
    }

    pub(crate) fn set(&self, chain_id: ChainId, case: Option<LongOpenCase>) {
        let mut cases = self.0.lock();
        match case {
            Some(case) => cases.insert(chain_id, case),
            None => cases.remove(&chain_id),
        };
    }
}

/// Reports cases that stay open.
#[derive(Debug)]
pub struct OpenCaseWatch {
    patience: Duration,
    cases: LongOpenCases,
    health: Health,
    metrics: AuditMetrics,
    /// What was logged last of each chain.
    reported: BTreeMap<ChainId, (BlockKey, BTreeSet<Wait>)>,
}

impl OpenCaseWatch {
    /// A watch that reports cases that are open for longer than `patience`, there and to `cases`.
    pub const fn new(
        patience: Duration,
        cases: LongOpenCases,
        health: Health,
        metrics: AuditMetrics,
    ) -> Self {
        Self { patience, cases, health, metrics, reported: BTreeMap::new() }
    }

    /// Checks a chain's open cases.
    pub(super) fn check(&mut self, chain_id: ChainId, open: &OpenCases, reasons: &Reasons, now: Instant) {
        let ages = open.oldest_by_cause(chain_id, now);
        for cause in Cause::ALL {
            let age = ages.get(&cause).copied().unwrap_or_default();
            self.metrics.oldest_open_case(chain_id, cause.name(), age);
        }
        match open.oldest(chain_id, now).filter(|oldest| oldest.age > self.patience) {
            Some(oldest) => {
                let reason = reasons.in_words(oldest.waits);
                let BlockKey { number, hash, .. } = oldest.key;
                let open_seconds = oldest.age.as_secs();
                self.report(oldest.key, oldest.waits, &reason);
                self.cases.set(chain_id, Some(LongOpenCase { number, hash, open_seconds, reason }));
            }
            None => {
                self.cases.set(chain_id, None);
                self.health.clear(&HealthPart::OpenCases(chain_id));
                if self.reported.remove(&chain_id).is_some() {
                    info!(%chain_id, "no block is without a verdict for too long anymore");
                }
            }
        }
    }

    fn report(&mut self, key: BlockKey, waits: &BTreeSet<Wait>, reason: &str) {
        let BlockKey { chain_id, number, hash } = key;
        let patience = humantime::format_duration(self.patience);
        let obstacle = format!(
            "block {number} ({hash}) has been without a verdict for more than {patience}; it waits for {reason}"
        );
        self.health.set_not_ready(&HealthPart::OpenCases(chain_id), obstacle);
        let news = (key, waits.clone());
        if self.reported.get(&chain_id) != Some(&news) {
            warn!(%chain_id, number, %hash, reason, "block is without a verdict for too long; the vouched head may be waiting for it");
            self.reported.insert(chain_id, news);
        }
    }
}

#[cfg(test)]
mod tests;
