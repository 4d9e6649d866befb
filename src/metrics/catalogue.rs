//! [`Catalogue`]: every metric as it is defined, for the registry and for the documentation alike.

use core::fmt;
use parking_lot::Mutex;
use prometheus::proto::MetricFamily;
use prometheus::{
    Counter, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

/// What every metric's name begins with.
const PREFIX: &str = "crosscheck";

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Observations, counted by size.
    Histogram,
}

impl fmt::Display for MetricKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        })
    }
}

/// One metric as it is defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its full name.
    pub name: String,
    /// Its kind.
    pub kind: MetricKind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
}

/// Every metric as it is defined.
#[derive(Debug)]
pub(super) struct Catalogue {
    registry: Registry,
    /// What every program says about itself under the same names.
    process: Registry,
    definitions: Mutex<Vec<Definition>>,
}

impl Catalogue {
    /// No metric yet.
    pub(super) fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new_custom(Some(PREFIX.to_owned()), None)?;
        Ok(Self { registry, process: Registry::new(), definitions: Mutex::default() })
    }

    /// Every metric as it is defined.
    pub(super) fn definitions(&self) -> Vec<Definition> {
        self.definitions.lock().clone()
    }

    /// Every metric with its current value.
    pub(super) fn gather(&self) -> Vec<MetricFamily> {
        let mut families = self.registry.gather();
        families.extend(self.process.gather());
        families
    }

    /// A counter of the process, under the name that it has in every program.
    pub(super) fn process_counter(
        &self,
        name: &str,
        help: &'static str,
    ) -> Result<Counter, prometheus::Error> {
        let metric = Counter::new(name, help)?;
        self.process.register(Box::new(metric.clone()))?;
        self.define_whole(name.to_owned(), MetricKind::Counter, help, &[]);
        Ok(metric)
    }

    /// A gauge of the process, under the name that it has in every program.
    pub(super) fn process_gauge(
        &self,
        name: &str,
        help: &'static str,
    ) -> Result<IntGauge, prometheus::Error> {
        let metric = IntGauge::new(name, help)?;
        self.process.register(Box::new(metric.clone()))?;
        self.define_whole(name.to_owned(), MetricKind::Gauge, help, &[]);
        Ok(metric)
    }

    pub(super) fn counter(
        &self,
        name: &str,
        help: &'static str,
        labels: &'static [&'static str],
    ) -> Result<IntCounterVec, prometheus::Error> {
        let metric = IntCounterVec::new(Opts::new(name, help), labels)?;
        self.registry.register(Box::new(metric.clone()))?;
        self.define(name, MetricKind::Counter, help, labels);
        Ok(metric)
    }

    pub(super) fn gauge(
        &self,
        name: &str,
        help: &'static str,
        labels: &'static [&'static str],
    ) -> Result<IntGaugeVec, prometheus::Error> {
        let metric = IntGaugeVec::new(Opts::new(name, help), labels)?;
        self.registry.register(Box::new(metric.clone()))?;
        self.define(name, MetricKind::Gauge, help, labels);
        Ok(metric)
    }

    pub(super) fn histogram(
        &self,
        name: &str,
        help: &'static str,
        labels: &'static [&'static str],
        buckets: &[f64],
    ) -> Result<HistogramVec, prometheus::Error> {
        let metric = HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels)?;
        self.registry.register(Box::new(metric.clone()))?;
        self.define(name, MetricKind::Histogram, help, labels);
        Ok(metric)
    }

    /// A counter that is kept elsewhere, for the whole program.
    pub(super) fn adopt(
        &self,
        name: &str,
        help: &'static str,
        labels: &'static [&'static str],
        counter: &IntCounterVec,
    ) -> Result<(), prometheus::Error> {
        self.registry.register(Box::new(counter.clone()))?;
        self.define(name, MetricKind::Counter, help, labels);
        Ok(())
    }

    fn define(&self, name: &str, kind: MetricKind, help: &'static str, labels: &'static [&'static str]) {
        self.define_whole(format!("{PREFIX}_{name}"), kind, help, labels);
    }

    fn define_whole(
        &self,
        name: String,
        kind: MetricKind,
        help: &'static str,
        labels: &'static [&'static str],
    ) {
        self.definitions.lock().push(Definition { name, kind, labels, help });
    }
}

/// The metrics as a table in Markdown, by name.
pub fn metrics_table(definitions: &[Definition]) -> String {
    let mut rows: Vec<&Definition> = definitions.iter().collect();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    let mut table = "| metric | type | labels | what it says |\n| --- | --- | --- | --- |\n".to_owned();
    for Definition { name, kind, labels, help } in rows {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        table.push_str(&format!("| `{name}` | {kind} | {} | {help} |\n", labels.join(", ")));
    }
    table
}
