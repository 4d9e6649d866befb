//! [`SuspectMetrics`]: what is measured of suspects: gossiped transactions that declare messages which break
//! a rule.

use super::message_metrics::{EXECUTING, INITIATING};
use crate::metrics::{Metrics, UNKNOWN_CHAIN};
use crosscheck_core::events::SuspectOutcome;
use crosscheck_p2p::ChainId;
use prometheus::{HistogramVec, IntCounterVec};
use std::sync::Arc;
use std::time::Duration;

/// Upper bounds of the histogram from gossip to suspicion, in seconds.
const SUSPICION_SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// What may become of a suspect.
const OUTCOMES: [(SuspectOutcome, &str); 3] = [
    (SuspectOutcome::Executed, "executed"),
    (SuspectOutcome::NotExecuted, "not-executed"),
    (SuspectOutcome::Dropped, "dropped"),
];

/// What is measured of suspects. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct SuspectMetrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Metrics,
    suspects: IntCounterVec,
    outcomes: IntCounterVec,
    suspicion_seconds: HistogramVec,
    undecodable: IntCounterVec,
}

impl SuspectMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// If another room has a metric of one of these names.
    pub(crate) fn register(metrics: &Metrics) -> Result<Self, prometheus::Error> {
        let inner = Inner {
            shared: metrics.clone(),
            suspects: metrics.counter(
                "suspects_total",
                "Gossiped transactions that declare an invalid message",
                &[EXECUTING, INITIATING],
            )?,
            outcomes: metrics.counter(
                "suspect_outcomes_total",
                "What became of suspects",
                &[EXECUTING, "outcome"],
            )?,
            suspicion_seconds: metrics.histogram(
                "suspicion_seconds",
                "Time from the arrival of a gossiped block to a suspect in it",
                &[EXECUTING],
                &SUSPICION_SECONDS,
            )?,
            undecodable: metrics.counter(
                "undecodable_transactions_total",
                "Transactions that refer to the inbox and cannot be read",
                &["chain_id"],
            )?,
        };
        let metrics = Self(Arc::new(inner));
        metrics.preset();
        Ok(metrics)
    }

    /// What several rooms count.
    pub(crate) fn shared(&self) -> &Metrics {
        &self.0.shared
    }

    /// Sets every counter of a configured chain to 0.
    fn preset(&self) {
        let ids = self.shared().chain_ids();
        for id in &ids {
            self.0.undecodable.with_label_values(&[id]);
            self.0.suspicion_seconds.with_label_values(&[id]);
            for (_, outcome) in OUTCOMES {
                self.0.outcomes.with_label_values(&[id.as_str(), outcome]);
            }
            for initiating in ids.iter().map(String::as_str).chain([UNKNOWN_CHAIN]) {
                self.0.suspects.with_label_values(&[id.as_str(), initiating]);
            }
        }
    }

    /// A suspect was reported, this long after its block arrived by gossip.
    pub(crate) fn suspect(&self, executing: ChainId, initiating: Option<ChainId>, after: Duration) {
        let (executing, initiating) = (executing.to_string(), self.shared().initiating(initiating));
        let of_suspects = &self.0;
        of_suspects.suspicion_seconds.with_label_values(&[&executing]).observe(after.as_secs_f64());
        of_suspects.suspects.with_label_values(&[executing, initiating]).inc();
    }

    /// It is known what became of a suspect.
    pub(crate) fn suspect_settled(&self, executing: ChainId, outcome: SuspectOutcome) {
        if let Some((_, name)) = OUTCOMES.into_iter().find(|(each, _)| *each == outcome) {
            let executing = executing.to_string();
            self.0.outcomes.with_label_values(&[executing.as_str(), name]).inc();
        }
    }

    /// Transactions name the inbox and cannot be read.
    pub(crate) fn undecodable_transactions(&self, chain_id: ChainId, transactions: usize) {
        let transactions = u64::try_from(transactions).unwrap_or(u64::MAX);
        self.0.undecodable.with_label_values(&[chain_id.to_string()]).inc_by(transactions);
    }
}
