//! What is measured of reading the chains: how far, from whom, and what is kept.

use super::catalogue::Catalogue;
use super::{Metrics, as_gauge};
use crate::sources::{EndpointKind, EndpointStanding, EndpointState, NodeStanding, NodeState};
use crosscheck_p2p::ChainId;
use prometheus::{Histogram, HistogramVec, IntCounterVec, IntGaugeVec};
use std::time::Duration;

/// Upper bounds of the histogram of endpoints' answers, in seconds.
const ENDPOINT_SECONDS: [f64; 9] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

#[derive(Debug)]
pub(super) struct ReadingMetrics {
    tip_age: IntGaugeVec,
    reorgs: IntCounterVec,
    contradictions: IntCounterVec,
    skipped: IntCounterVec,
    awaited: IntGaugeVec,
    log_index_bytes: IntGaugeVec,
    endpoint_state: IntGaugeVec,
    endpoint_disagreements: IntCounterVec,
    endpoint_failures: IntCounterVec,
    endpoint_pace: IntGaugeVec,
    endpoint_seconds: HistogramVec,
    node_state: IntGaugeVec,
    node_in_use: IntGaugeVec,
    second_opinion_repeated: IntGaugeVec,
    node_differences: IntGaugeVec,
}

impl ReadingMetrics {
    pub(super) fn new(catalogue: &mut Catalogue) -> Result<Self, prometheus::Error> {
        Ok(Self {
            tip_age: catalogue.gauge(
                "monitor_tip_age_seconds",
                "Age of the newest block that was read of a chain; of a chain of which none was read, the time since the start",
                &["chain_id"],
            )?,
            reorgs: catalogue.counter(
                "reorgs_total",
                "How often a chain dropped blocks that had been read",
                &["chain_id"],
            )?,
            contradictions: catalogue.counter(
                "client_contradictions_total",
                "How often the execution clients of a chain began to contradict themselves: their blocks do not link up",
                &["chain_id"],
            )?,
            skipped: catalogue.counter(
                "blocks_skipped_total",
                "Blocks whose messages nobody checks: they came while the program was away, and are older than monitor.retention",
                &["chain_id"],
            )?,
            awaited: catalogue.gauge(
                "awaited_blocks",
                "Cited blocks whose proven logs are being fetched",
                &[],
            )?,
            log_index_bytes: catalogue.gauge("log_index_bytes", "Memory that proven logs take", &[])?,
            endpoint_state: catalogue.gauge(
                "endpoint_state",
                "Whether an execution endpoint is in this state; endpoints are counted from 0 as configured",
                &["chain_id", "endpoint", "state"],
            )?,
            endpoint_disagreements: catalogue.counter(
                "endpoint_disagreements_total",
                "How often an execution endpoint was outvoted",
                &["chain_id", "endpoint"],
            )?,
            endpoint_failures: catalogue.counter(
                "endpoint_failures_total",
                "Answers of an execution endpoint that failed or did not hold",
                &["chain_id", "endpoint"],
            )?,
            endpoint_pace: catalogue.gauge(
                "endpoint_timeout_percent",
                "How much of the time that an endpoint may take half of its recent answers take at least; 0 if there are none",
                &["chain_id", "kind", "endpoint"],
            )?,
            endpoint_seconds: catalogue.histogram(
                "endpoint_seconds",
                "Time that an endpoint takes to answer a request, or until it is given up",
                &["chain_id", "kind", "endpoint"],
                &ENDPOINT_SECONDS,
            )?,
            node_state: catalogue.gauge(
                "rollup_node_state",
                "Whether a rollup node is in this state; nodes are counted from 0 as configured",
                &["chain_id", "node", "state"],
            )?,
            node_in_use: catalogue.gauge(
                "rollup_node_in_use",
                "Whether the chain's heads are taken from a rollup node",
                &["chain_id", "node"],
            )?,
            second_opinion_repeated: catalogue.gauge(
                "second_opinion_repeated",
                "Whether the rollup node in use follows a source, so that what it calls derived is that source's word",
                &["chain_id"],
            )?,
            node_differences: catalogue.gauge(
                "rollup_node_differences",
                "In how many ways the rollup nodes of a chain that has several differ",
                &["chain_id"],
            )?,
        })
    }

    /// Sets every counter of these chains to 0.
    pub(super) fn preset(&self, ids: &[String]) {
        self.awaited.with_label_values::<&str>(&[]);
        self.log_index_bytes.with_label_values::<&str>(&[]);
        for id in ids {
            self.reorgs.with_label_values(&[id]);
            self.contradictions.with_label_values(&[id]);
            self.skipped.with_label_values(&[id]);
        }
    }
}

impl Metrics {
    /// How old the newest block that was read of a chain is.
    pub fn tip_age(&self, chain_id: ChainId, age: Duration) {
        let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        self.0.of_reading.tip_age.with_label_values(&[chain_id.to_string()]).set(seconds);
    }

    /// A chain dropped blocks that had been read.
    pub fn reorg(&self, chain_id: ChainId) {
        self.0.of_reading.reorgs.with_label_values(&[chain_id.to_string()]).inc();
    }

    /// So many blocks of a chain are not read.
    pub(crate) fn blocks_skipped(&self, chain_id: ChainId, blocks: u64) {
        self.0.of_reading.skipped.with_label_values(&[chain_id.to_string()]).inc_by(blocks);
    }

    /// The execution clients of a chain begin to contradict themselves.
    pub fn contradicted(&self, chain_id: ChainId) {
        self.0.of_reading.contradictions.with_label_values(&[chain_id.to_string()]).inc();
    }

    /// How many cited blocks are being fetched.
    pub fn awaited_blocks(&self, blocks: usize) {
        self.0.of_reading.awaited.with_label_values::<&str>(&[]).set(as_gauge(blocks));
    }

    /// How much memory proven logs take.
    pub fn log_index_bytes(&self, bytes: usize) {
        self.0.of_reading.log_index_bytes.with_label_values::<&str>(&[]).set(as_gauge(bytes));
    }

    /// How the rollup nodes of a chain stand.
    pub fn rollup_nodes(&self, chain_id: ChainId, standings: &[NodeStanding]) {
        let (reading, id) = (&self.0.of_reading, chain_id.to_string());
        for standing in standings {
            let place = standing.place.to_string();
            for state in NodeState::ALL {
                let is_state = i64::from(standing.state == state);
                reading.node_state.with_label_values(&[id.as_str(), &place, state.name()]).set(is_state);
            }
            reading.node_in_use.with_label_values(&[&id, &place]).set(i64::from(standing.is_in_use));
        }
    }

    /// How much of the time that it may take an endpoint takes, in per cent.
    pub(crate) fn endpoint_pace(
        &self,
        kind: EndpointKind,
        chain_id: Option<ChainId>,
        place: usize,
        percent: u64,
    ) {
        let [chain, place] = endpoint_labels(chain_id, place);
        let labels = [chain.as_str(), kind.name(), &place];
        let percent = i64::try_from(percent).unwrap_or(i64::MAX);
        self.0.of_reading.endpoint_pace.with_label_values(&labels).set(percent);
    }

    /// Where the time of an endpoint's answers is counted.
    pub(crate) fn endpoint_seconds(
        &self,
        kind: EndpointKind,
        chain_id: Option<ChainId>,
        place: usize,
    ) -> Histogram {
        let [chain, place] = endpoint_labels(chain_id, place);
        self.0.of_reading.endpoint_seconds.with_label_values(&[chain.as_str(), kind.name(), &place])
    }

    /// Whether the word of the chain's rollup node in use is that of the source that it follows.
    pub fn second_opinion(&self, chain_id: ChainId, is_repeated: bool) {
        let gauge = &self.0.of_reading.second_opinion_repeated;
        gauge.with_label_values(&[chain_id.to_string()]).set(i64::from(is_repeated));
    }

    /// In how many ways the rollup nodes of a chain differ.
    pub fn rollup_node_differences(&self, chain_id: ChainId, differences: usize) {
        let differences = as_gauge(differences);
        self.0.of_reading.node_differences.with_label_values(&[chain_id.to_string()]).set(differences);
    }

    /// How the execution endpoints of a chain stand to each other.
    pub fn endpoints(&self, chain_id: ChainId, standings: &[EndpointStanding]) {
        let (reading, id) = (&self.0.of_reading, chain_id.to_string());
        for standing in standings {
            let place = standing.place.to_string();
            for state in EndpointState::NAMES {
                let is_state = i64::from(standing.state.name() == state);
                reading.endpoint_state.with_label_values(&[id.as_str(), &place, state]).set(is_state);
            }
            for (counter, total) in [
                (&reading.endpoint_disagreements, standing.disagreements),
                (&reading.endpoint_failures, standing.failures),
            ] {
                let counter = counter.with_label_values(&[id.as_str(), &place]);
                counter.inc_by(total.saturating_sub(counter.get()));
            }
        }
    }
}

/// The chain and the place of an endpoint, as its labels have them. L1's chain is called so.
fn endpoint_labels(chain_id: Option<ChainId>, place: usize) -> [String; 2] {
    let chain = chain_id.map_or_else(|| EndpointKind::L1.name().to_owned(), |id| id.to_string());
    [chain, place.to_string()]
}
