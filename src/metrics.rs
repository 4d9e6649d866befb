//! [`Metrics`]: what Prometheus reads, and what several rooms count. Labels are chains, names of verdicts and
//! the like: nothing that a peer or a message can choose. Counters of configured chains start at 0, so that
//! increases can be alerted on.
//!
//! Each room registers what it alone measures; nothing here knows a room.

mod catalogue;
mod endpoint_kind;
mod limit;
mod measured_head;

#[cfg(test)]
pub(crate) use catalogue::MetricKind;
pub use catalogue::{Definition, metrics_table};
pub use endpoint_kind::EndpointKind;
pub use limit::Limit;
pub use measured_head::MeasuredHead;

use catalogue::Catalogue;
use crosscheck_core::validity::DependencySet;
use crosscheck_p2p::ChainId;
use prometheus::proto::MetricFamily;
use prometheus::{Counter, Encoder, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, TextEncoder};
use std::sync::Arc;
use std::time::Duration;

/// The label of an initiating chain outside the dependency set.
pub(crate) const UNKNOWN_CHAIN: &str = "unknown";

/// The registry of everything that is measured, and what several rooms count. Clones share it.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    catalogue: Catalogue,
    set: DependencySet,
    head_still: IntGaugeVec,
    heads: IntGaugeVec,
    source_failures: IntCounterVec,
    limits: IntCounterVec,
}

impl Metrics {
    /// Metrics of a superchain.
    ///
    /// # Errors
    /// If two metrics have one name: a mistake in this file.
    pub fn new(set: DependencySet) -> Result<Self, prometheus::Error> {
        let catalogue = Catalogue::new()?;
        let inner = Inner {
            head_still: catalogue.gauge(
                "head_still_seconds",
                "For how long a head has not moved",
                &["chain_id", "head"],
            )?,
            heads: catalogue.gauge("head_number", "Height of a head", &["chain_id", "level"])?,
            source_failures: catalogue.counter(
                "source_failures_total",
                "Requests that an endpoint failed to answer",
                &["chain_id", "source"],
            )?,
            limits: catalogue.counter("limit_reached_total", "How often a limit was reached", &["limit"])?,
            set,
            catalogue,
        };
        let metrics = Self(Arc::new(inner));
        for (id, source) in
            metrics.chain_ids().iter().flat_map(|id| EndpointKind::OF_CHAINS.map(|source| (id, source)))
        {
            metrics.0.source_failures.with_label_values(&[id.as_str(), source.name()]);
        }
        for limit in Limit::ALL {
            metrics.0.limits.with_label_values(&[limit.name()]);
        }
        Ok(metrics)
    }

    /// Registers a counter.
    ///
    /// # Errors
    /// If there is one of that name.
    pub(crate) fn counter(
        &self,
        name: &str,
        help: &'static str,
        labels: &'static [&'static str],
    ) -> Result<IntCounterVec, prometheus::Error> {
        self.0.catalogue.counter(name, help, labels)
    }

    /// Registers a gauge.
    ///
    /// # Errors
    /// If there is one of that name.
    pub(crate) fn gauge(
        &self,
        name: &str,
        help: &'static str,
        labels: &'static [&'static str],
    ) -> Result<IntGaugeVec, prometheus::Error> {
        self.0.catalogue.gauge(name, help, labels)
    }

    /// Registers a histogram with these upper bounds.
    ///
    /// # Errors
    /// If there is one of that name.
    pub(crate) fn histogram(
        &self,
        name: &str,
        help: &'static str,
        labels: &'static [&'static str],
        buckets: &[f64],
    ) -> Result<HistogramVec, prometheus::Error> {
        self.0.catalogue.histogram(name, help, labels, buckets)
    }

    /// Registers a counter of the process, under the name that it has in every program.
    ///
    /// # Errors
    /// If there is one of that name.
    pub(crate) fn process_counter(
        &self,
        name: &str,
        help: &'static str,
    ) -> Result<Counter, prometheus::Error> {
        self.0.catalogue.process_counter(name, help)
    }

    /// Registers a gauge of the process, under the name that it has in every program.
    ///
    /// # Errors
    /// If there is one of that name.
    pub(crate) fn process_gauge(
        &self,
        name: &str,
        help: &'static str,
    ) -> Result<IntGauge, prometheus::Error> {
        self.0.catalogue.process_gauge(name, help)
    }

    /// Registers a counter that is kept elsewhere, for the whole program.
    ///
    /// # Errors
    /// If there is one of that name.
    pub(crate) fn adopt(
        &self,
        name: &str,
        help: &'static str,
        labels: &'static [&'static str],
        counter: &IntCounterVec,
    ) -> Result<(), prometheus::Error> {
        self.0.catalogue.adopt(name, help, labels, counter)
    }

    /// The configured chains: their counters start at 0.
    pub(crate) fn chain_ids(&self) -> Vec<String> {
        self.0.set.chain_ids().map(|id| id.to_string()).collect()
    }

    /// The label of the chain that a message cites.
    pub(crate) fn initiating(&self, initiating: Option<ChainId>) -> String {
        let member = initiating.filter(|chain_id| self.0.set.contains(*chain_id));
        member.map_or_else(|| UNKNOWN_CHAIN.to_owned(), |chain_id| chain_id.to_string())
    }

    /// Every metric as it is defined.
    pub fn definitions(&self) -> Vec<Definition> {
        self.0.catalogue.definitions()
    }

    /// Every metric as it is now.
    pub(crate) fn gather(&self) -> Vec<MetricFamily> {
        self.0.catalogue.gather()
    }

    /// For how long a head has not moved.
    pub(crate) fn head_stalled(&self, chain_id: ChainId, head: MeasuredHead, still_for: Duration) {
        let seconds = i64::try_from(still_for.as_secs()).unwrap_or(i64::MAX);
        self.0.head_still.with_label_values(&[chain_id.to_string().as_str(), head.name()]).set(seconds);
    }

    /// The height of a head.
    pub fn head(&self, chain_id: ChainId, head: MeasuredHead, number: u64) {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.0.heads.with_label_values(&[chain_id.to_string().as_str(), head.name()]).set(number);
    }

    /// An endpoint failed to answer.
    pub fn source_failed(&self, chain_id: ChainId, source: EndpointKind) {
        self.0.source_failures.with_label_values(&[chain_id.to_string().as_str(), source.name()]).inc();
    }

    /// A bound was reached.
    pub fn limit_reached(&self, limit: Limit) {
        self.limits_reached(limit, 1);
    }

    /// A bound was reached this many times.
    pub fn limits_reached(&self, limit: Limit, times: u64) {
        self.0.limits.with_label_values(&[limit.name()]).inc_by(times);
    }

    /// Everything in Prometheus' text format.
    ///
    /// # Errors
    /// If a metric cannot be written as text.
    pub fn render(&self) -> Result<String, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.gather(), &mut text)?;
        String::from_utf8(text).map_err(|error| prometheus::Error::Msg(error.to_string()))
    }
}

/// A count as a gauge has it.
pub(crate) fn as_gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
