//! [`ProcessMetrics`]: what is measured of the program itself: its version, what it takes of the machine, and
//! which of its parts work.

use crate::health::HealthPart;
use crate::metrics::Metrics;
use crate::process_use::ProcessUse;
use crate::telemetry::quiet;
use parking_lot::Mutex;
use prometheus::{Counter, IntGauge, IntGaugeVec};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is measured of the program itself. Clones share it.
#[derive(Clone, Debug)]
pub struct ProcessMetrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Metrics,
    build: IntGaugeVec,
    ready: IntGaugeVec,
    /// The parts that were shown.
    shown: Mutex<BTreeSet<HealthPart>>,
    cpu: Counter,
    resident: IntGauge,
    virtual_: IntGauge,
    threads: IntGauge,
    open_fds: IntGauge,
    max_fds: IntGauge,
    began: IntGauge,
}

impl ProcessMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// If another room has a metric of one of these names.
    pub fn register(metrics: &Metrics) -> Result<Self, prometheus::Error> {
        let unprinted = quiet::unprinted()?;
        metrics.adopt(quiet::NAME, quiet::HELP, &quiet::LABELS, unprinted)?;
        for library in quiet::LIBRARIES {
            unprinted.with_label_values(&[library]);
        }
        let inner = Inner {
            shared: metrics.clone(),
            build: metrics.gauge("build_info", "The program's version; always 1", &["version"])?,
            ready: metrics.gauge(
                "ready",
                "Whether a part of the program works; it is ready if none is 0. /readyz gives the reasons",
                &["part"],
            )?,
            shown: Mutex::default(),
            cpu: metrics.process_counter(
                "process_cpu_seconds_total",
                "Processor time used by the process, in seconds",
            )?,
            resident: metrics
                .process_gauge("process_resident_memory_bytes", "Resident memory of the process")?,
            virtual_: metrics
                .process_gauge("process_virtual_memory_bytes", "Virtual memory of the process")?,
            threads: metrics.process_gauge("process_threads", "Threads of the process")?,
            open_fds: metrics
                .process_gauge("process_open_fds", "Files and sockets that the process has open")?,
            max_fds: metrics
                .process_gauge("process_max_fds", "Files and sockets that the process may have open")?,
            began: metrics.process_gauge(
                "process_start_time_seconds",
                "When the process started, in seconds since 1970",
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

    /// Tells the version.
    fn preset(&self) {
        self.0.build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
    }

    /// What the process takes of the machine.
    pub fn process(&self, found: &ProcessUse) {
        let of = &self.0;
        of.cpu.inc_by((found.cpu.as_secs_f64() - of.cpu.get()).max(0.0));
        let gauges = [
            (&of.resident, found.resident_bytes),
            (&of.virtual_, found.virtual_bytes),
            (&of.threads, found.threads),
            (&of.open_fds, found.open_fds),
            (&of.max_fds, found.max_fds.unwrap_or(u64::MAX)),
            (&of.began, found.began.0),
        ];
        for (gauge, value) in gauges {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        }
    }

    /// Which parts of the program work. One that is no longer named is no longer in the way.
    pub fn parts(&self, parts: impl IntoIterator<Item = (HealthPart, bool)>) {
        let of = &self.0;
        let mut shown = of.shown.lock();
        let mut gone = shown.clone();
        for (part, works) in parts {
            of.ready.with_label_values(&[part.to_string()]).set(i64::from(works));
            gone.remove(&part);
            shown.insert(part);
        }
        for part in gone {
            of.ready.with_label_values(&[part.to_string()]).set(1);
        }
    }
}
