//! What is measured of the program itself: its version, what it takes of the machine, and which of its parts work.

use super::Metrics;
use super::catalogue::Catalogue;
use crate::process_use::ProcessUse;
use parking_lot::Mutex;
use prometheus::{Counter, IntGauge, IntGaugeVec};
use std::collections::BTreeSet;

#[derive(Debug)]
pub(super) struct ProcessMetrics {
    build: IntGaugeVec,
    ready: IntGaugeVec,
    /// The parts that were shown.
    shown: Mutex<BTreeSet<String>>,
    cpu: Counter,
    resident: IntGauge,
    virtual_: IntGauge,
    threads: IntGauge,
    open_fds: IntGauge,
    max_fds: IntGauge,
    began: IntGauge,
}

impl ProcessMetrics {
    pub(super) fn new(catalogue: &mut Catalogue) -> Result<Self, prometheus::Error> {
        Ok(Self {
            build: catalogue.gauge("build_info", "The program's version; always 1", &["version"])?,
            ready: catalogue.gauge(
                "ready",
                "Whether a part of the program works; it is ready where none is 0. /readyz says what is in the way",
                &["part"],
            )?,
            shown: Mutex::default(),
            cpu: catalogue.process_counter(
                "process_cpu_seconds_total",
                "Processor time that the process has taken, in seconds",
            )?,
            resident: catalogue
                .process_gauge("process_resident_memory_bytes", "Memory of the machine that the process has")?,
            virtual_: catalogue
                .process_gauge("process_virtual_memory_bytes", "Memory that the process has addresses for")?,
            threads: catalogue.process_gauge("process_threads", "Threads of the process")?,
            open_fds: catalogue
                .process_gauge("process_open_fds", "Files and sockets that the process has open")?,
            max_fds: catalogue
                .process_gauge("process_max_fds", "Files and sockets that the process may have open")?,
            began: catalogue.process_gauge(
                "process_start_time_seconds",
                "When the process began, in seconds since 1970",
            )?,
        })
    }

    /// Tells the version.
    pub(super) fn preset(&self) {
        self.build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
    }
}

impl Metrics {
    /// What the process takes of the machine.
    pub fn process(&self, found: &ProcessUse) {
        let of = &self.0.of_process;
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
    pub fn parts<'a>(&self, parts: impl IntoIterator<Item = (&'a str, bool)>) {
        let of = &self.0.of_process;
        let mut shown = of.shown.lock();
        let mut gone = shown.clone();
        for (part, works) in parts {
            of.ready.with_label_values(&[part]).set(i64::from(works));
            gone.remove(part);
            shown.insert(part.to_owned());
        }
        for part in gone {
            of.ready.with_label_values(&[&part]).set(1);
        }
    }
}
