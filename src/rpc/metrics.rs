//! [`RpcMetrics`]: what is measured of the checks of access lists, of the failsafe, and of subscribers.

use super::SupervisorError;
use crate::metrics::Metrics;
use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec};
use std::sync::Arc;
use std::time::Duration;

/// The methods that check access lists.
const METHODS: [&str; 2] = ["interop_checkAccessList", "supervisor_checkAccessList"];

/// The code of a list whose messages are all there.
const VALID: &str = "valid";

/// Upper bounds of the histogram, in seconds: callers wait for two.
const CHECK_SECONDS: [f64; 12] =
    [0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 2.0];

/// Why a subscriber to events is dropped: it is too far behind, or takes too long for one event.
const SUBSCRIBER_LOST: [&str; 2] = ["behind", "slow"];

/// What is measured of the RPC server. Clones share it.
#[derive(Clone, Debug)]
pub struct RpcMetrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Metrics,
    checks: IntCounterVec,
    refusals: IntCounterVec,
    seconds: HistogramVec,
    failsafe: IntGaugeVec,
    subscribers_dropped: IntCounterVec,
}

impl RpcMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// If another room has a metric of one of these names.
    pub fn register(metrics: &Metrics) -> Result<Self, prometheus::Error> {
        let inner = Inner {
            shared: metrics.clone(),
            checks: metrics.counter(
                "access_checks_total",
                "Access lists checked, by method and answered code; valid if there is no code",
                &["method", "code"],
            )?,
            refusals: metrics.counter(
                "access_refusals_total",
                "Access lists refused, by reason",
                &["reason"],
            )?,
            seconds: metrics.histogram(
                "access_check_seconds",
                "Time from reading an access list to its answer",
                &["method"],
                &CHECK_SECONDS,
            )?,
            failsafe: metrics.gauge(
                "failsafe",
                "Whether the failsafe is on: 1 while every access list is refused",
                &[],
            )?,
            subscribers_dropped: metrics.counter(
                "subscribers_dropped_total",
                "Subscribers to events that were dropped for being too slow; crosscheck_events has what they missed",
                &["reason"],
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

    /// Sets every counter to 0.
    fn preset(&self) {
        self.0.failsafe.with_label_values::<&str>(&[]);
        for method in METHODS {
            self.0.seconds.with_label_values(&[method]);
            self.0.checks.with_label_values(&[method, VALID]);
            for code in SupervisorError::CODES {
                self.0.checks.with_label_values(&[method, code.to_string().as_str()]);
            }
        }
        for reason in SupervisorError::REASONS {
            self.0.refusals.with_label_values(&[reason]);
        }
        for reason in SUBSCRIBER_LOST {
            self.0.subscribers_dropped.with_label_values(&[reason]);
        }
    }

    /// An access list was checked. `None`: every message is there.
    pub(crate) fn access_checked(
        &self,
        method: &'static str,
        refused: Option<&SupervisorError>,
        took: Duration,
    ) {
        let of = &self.0;
        let code = refused.map_or_else(|| VALID.to_owned(), |error| error.code().to_string());
        of.checks.with_label_values(&[method, code.as_str()]).inc();
        of.seconds.with_label_values(&[method]).observe(took.as_secs_f64());
        if let Some(error) = refused {
            of.refusals.with_label_values(&[error.reason()]).inc();
        }
    }

    /// Whether the failsafe is on.
    pub fn failsafe(&self, is_on: bool) {
        self.0.failsafe.with_label_values::<&str>(&[]).set(i64::from(is_on));
    }

    /// A subscriber to events was dropped.
    pub(crate) fn subscriber_dropped(&self, reason: &'static str) {
        self.0.subscribers_dropped.with_label_values(&[reason]).inc();
    }
}
