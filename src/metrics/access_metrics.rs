//! What is measured of the checks of access lists: how many, what was answered and why, how long it took; and the failsafe.

use super::Metrics;
use super::catalogue::Catalogue;
use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec};
use std::time::Duration;

/// The methods that check access lists.
const METHODS: [&str; 2] = ["interop_checkAccessList", "supervisor_checkAccessList"];

/// The code of a list whose messages are all there.
const VALID: &str = "valid";

/// Upper bounds of the histogram, in seconds: callers wait for two.
const CHECK_SECONDS: [f64; 12] =
    [0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 2.0];

#[derive(Debug)]
pub(super) struct AccessMetrics {
    checks: IntCounterVec,
    refusals: IntCounterVec,
    seconds: HistogramVec,
    failsafe: IntGaugeVec,
}

impl AccessMetrics {
    pub(super) fn new(catalogue: &mut Catalogue) -> Result<Self, prometheus::Error> {
        Ok(Self {
            checks: catalogue.counter(
                "access_checks_total",
                "Access lists checked, by method and answered code; valid where it is none",
                &["method", "code"],
            )?,
            refusals: catalogue.counter(
                "access_refusals_total",
                "Access lists refused, by what stood against them",
                &["reason"],
            )?,
            seconds: catalogue.histogram(
                "access_check_seconds",
                "Time from reading an access list to its answer",
                &["method"],
                &CHECK_SECONDS,
            )?,
            failsafe: catalogue.gauge(
                "failsafe",
                "Whether the failsafe is on: 1 while every access list is refused",
                &[],
            )?,
        })
    }

    /// Sets every counter to 0.
    pub(super) fn preset(&self) {
        self.failsafe.with_label_values::<&str>(&[]);
        for method in METHODS {
            self.seconds.with_label_values(&[method]);
            self.checks.with_label_values(&[method, VALID]);
        }
    }
}

impl Metrics {
    /// What a check of an access list may answer: sets its counters to 0.
    pub(crate) fn access_checks_answer(&self, codes: &[i32], reasons: &[&'static str]) {
        let access = &self.0.of_access;
        for (method, code) in
            METHODS.into_iter().flat_map(|method| codes.iter().map(move |code| (method, code)))
        {
            access.checks.with_label_values(&[method, code.to_string().as_str()]);
        }
        for reason in reasons {
            access.refusals.with_label_values(&[reason]);
        }
    }

    /// An access list was checked. `refused`: the code that was answered, and why; `None`: every message is there.
    pub(crate) fn access_checked(
        &self,
        method: &'static str,
        refused: Option<(i32, &'static str)>,
        took: Duration,
    ) {
        let access = &self.0.of_access;
        let code = refused.map_or_else(|| VALID.to_owned(), |(code, _)| code.to_string());
        access.checks.with_label_values(&[method, code.as_str()]).inc();
        access.seconds.with_label_values(&[method]).observe(took.as_secs_f64());
        if let Some((_, reason)) = refused {
            access.refusals.with_label_values(&[reason]).inc();
        }
    }

    /// Whether the failsafe is on.
    pub fn failsafe(&self, is_on: bool) {
        self.0.of_access.failsafe.with_label_values::<&str>(&[]).set(i64::from(is_on));
    }
}
