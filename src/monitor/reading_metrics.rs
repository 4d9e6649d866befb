//! [`ReadingMetrics`]: what is measured of reading the chains: how far, from whom, and what is kept.

use crate::metrics::{Metrics, as_gauge};
use crate::sources::{EndpointHealth, EndpointState};
use crosscheck_p2p::ChainId;
use prometheus::{IntCounterVec, IntGaugeVec};
use std::sync::Arc;
use std::time::Duration;

/// What is measured of reading the chains. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct ReadingMetrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Metrics,
    tip_age: IntGaugeVec,
    reorgs: IntCounterVec,
    contradictions: IntCounterVec,
    skipped: IntCounterVec,
    awaited: IntGaugeVec,
    log_index_bytes: IntGaugeVec,
    endpoint_state: IntGaugeVec,
    endpoint_disagreements: IntCounterVec,
    endpoint_failures: IntCounterVec,
}

impl ReadingMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// If another room has a metric of one of these names.
    pub(crate) fn register(metrics: &Metrics) -> Result<Self, prometheus::Error> {
        let inner = Inner {
            shared: metrics.clone(),
            tip_age: metrics.gauge(
                "monitor_tip_age_seconds",
                "Age of the newest block read of a chain; if none was read, the time since the start",
                &["chain_id"],
            )?,
            reorgs: metrics.counter(
                "reorgs_total",
                "How often a chain reorged out blocks that had been read",
                &["chain_id"],
            )?,
            contradictions: metrics.counter(
                "client_contradictions_total",
                "How often the execution clients of a chain started to contradict themselves: their blocks do not form a chain",
                &["chain_id"],
            )?,
            skipped: metrics.counter(
                "blocks_skipped_total",
                "Blocks whose messages are not checked: Crosscheck was down for longer than monitor.retention",
                &["chain_id"],
            )?,
            awaited: metrics.gauge(
                "awaited_blocks",
                "Cited blocks whose proven logs are being fetched",
                &[],
            )?,
            log_index_bytes: metrics.gauge("log_index_bytes", "Memory used by proven logs", &[])?,
            endpoint_state: metrics.gauge(
                "endpoint_state",
                "Whether an execution endpoint is in this state; endpoints are counted from 0 as configured",
                &["chain_id", "endpoint", "state"],
            )?,
            endpoint_disagreements: metrics.counter(
                "endpoint_disagreements_total",
                "How often an execution endpoint was outvoted",
                &["chain_id", "endpoint"],
            )?,
            endpoint_failures: metrics.counter(
                "endpoint_failures_total",
                "Answers of an execution endpoint that failed or were invalid",
                &["chain_id", "endpoint"],
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
        self.0.awaited.with_label_values::<&str>(&[]);
        self.0.log_index_bytes.with_label_values::<&str>(&[]);
        for id in self.shared().chain_ids() {
            self.0.reorgs.with_label_values(&[&id]);
            self.0.contradictions.with_label_values(&[&id]);
            self.0.skipped.with_label_values(&[&id]);
        }
    }

    /// How old the newest block that was read of a chain is.
    pub(crate) fn tip_age(&self, chain_id: ChainId, age: Duration) {
        let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        self.0.tip_age.with_label_values(&[chain_id.to_string()]).set(seconds);
    }

    /// A chain dropped blocks that had been read.
    pub(crate) fn reorg(&self, chain_id: ChainId) {
        self.0.reorgs.with_label_values(&[chain_id.to_string()]).inc();
    }

    /// This many blocks of a chain are not read.
    pub(crate) fn blocks_skipped(&self, chain_id: ChainId, blocks: u64) {
        self.0.skipped.with_label_values(&[chain_id.to_string()]).inc_by(blocks);
    }

    /// The execution clients of a chain begin to contradict themselves.
    pub(crate) fn contradicted(&self, chain_id: ChainId) {
        self.0.contradictions.with_label_values(&[chain_id.to_string()]).inc();
    }

    /// How many cited blocks are being fetched.
    pub(crate) fn awaited_blocks(&self, blocks: usize) {
        self.0.awaited.with_label_values::<&str>(&[]).set(as_gauge(blocks));
    }

    /// How much memory proven logs take.
    pub(crate) fn log_index_bytes(&self, bytes: usize) {
        self.0.log_index_bytes.with_label_values::<&str>(&[]).set(as_gauge(bytes));
    }

    /// The states of a chain's execution endpoints.
    pub(crate) fn endpoints(&self, chain_id: ChainId, health: &[EndpointHealth]) {
        let (of, id) = (&self.0, chain_id.to_string());
        for endpoint in health {
            let place = endpoint.place.to_string();
            for state in EndpointState::NAMES {
                let is_state = i64::from(endpoint.state.name() == state);
                of.endpoint_state.with_label_values(&[id.as_str(), &place, state]).set(is_state);
            }
            for (counter, total) in [
                (&of.endpoint_disagreements, endpoint.disagreements),
                (&of.endpoint_failures, endpoint.failures),
            ] {
                let counter = counter.with_label_values(&[id.as_str(), &place]);
                counter.inc_by(total.saturating_sub(counter.get()));
            }
        }
    }
}
