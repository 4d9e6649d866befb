//! What is measured of suspects: gossiped transactions that declare messages which break a rule.

use super::catalogue::Catalogue;
use super::message_metrics::{EXECUTING, INITIATING};
use super::{Metrics, UNKNOWN_CHAIN};
use crosscheck_core::events::SuspectOutcome;
use crosscheck_p2p::ChainId;
use prometheus::{HistogramVec, IntCounterVec};
use std::time::Duration;

/// Upper bounds of the histogram from gossip to suspicion, in seconds.
const SUSPICION_SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// What may become of a suspect.
const OUTCOMES: [(SuspectOutcome, &str); 3] = [
    (SuspectOutcome::Executed, "executed"),
    (SuspectOutcome::NotExecuted, "not-executed"),
    (SuspectOutcome::Dropped, "dropped"),
];

#[derive(Debug)]
pub(super) struct SuspectMetrics {
    suspects: IntCounterVec,
    outcomes: IntCounterVec,
    suspicion_seconds: HistogramVec,
    undecodable: IntCounterVec,
}

impl SuspectMetrics {
    pub(super) fn new(catalogue: &mut Catalogue) -> Result<Self, prometheus::Error> {
        Ok(Self {
            suspects: catalogue.counter(
                "suspects_total",
                "Gossiped transactions that declare a message which breaks a rule",
                &[EXECUTING, INITIATING],
            )?,
            outcomes: catalogue.counter(
                "suspect_outcomes_total",
                "What became of suspects",
                &[EXECUTING, "outcome"],
            )?,
            suspicion_seconds: catalogue.histogram(
                "suspicion_seconds",
                "Time from the arrival of a gossiped block to a suspect in it",
                &[EXECUTING],
                &SUSPICION_SECONDS,
            )?,
            undecodable: catalogue.counter(
                "undecodable_transactions_total",
                "Transactions that name the inbox and cannot be read",
                &["chain_id"],
            )?,
        })
    }

    /// Sets every counter of these chains to 0.
    pub(super) fn preset(&self, ids: &[String]) {
        for id in ids {
            self.undecodable.with_label_values(&[id]);
            self.suspicion_seconds.with_label_values(&[id]);
            for (_, outcome) in OUTCOMES {
                self.outcomes.with_label_values(&[id.as_str(), outcome]);
            }
            for initiating in ids.iter().map(String::as_str).chain([UNKNOWN_CHAIN]) {
                self.suspects.with_label_values(&[id.as_str(), initiating]);
            }
        }
    }
}

impl Metrics {
    /// A suspect was told, so long after its block came in by gossip.
    pub fn suspect(&self, executing: ChainId, initiating: Option<ChainId>, after: Duration) {
        let (executing, initiating) = (executing.to_string(), self.initiating(initiating));
        let of_suspects = &self.0.of_suspects;
        of_suspects.suspicion_seconds.with_label_values(&[&executing]).observe(after.as_secs_f64());
        of_suspects.suspects.with_label_values(&[executing, initiating]).inc();
    }

    /// It is known what became of a suspect.
    pub fn suspect_settled(&self, executing: ChainId, outcome: SuspectOutcome) {
        if let Some((_, name)) = OUTCOMES.into_iter().find(|(each, _)| *each == outcome) {
            let executing = executing.to_string();
            self.0.of_suspects.outcomes.with_label_values(&[executing.as_str(), name]).inc();
        }
    }

    /// Transactions name the inbox and cannot be read.
    pub fn undecodable_transactions(&self, chain_id: ChainId, transactions: usize) {
        let transactions = u64::try_from(transactions).unwrap_or(u64::MAX);
        self.0.of_suspects.undecodable.with_label_values(&[chain_id.to_string()]).inc_by(transactions);
    }
}
