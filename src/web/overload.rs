//! [`Overload`]: what a server says when one of its bounds is reached: to the caller, to Prometheus and to
//! the log.
//!
//! A caller that is turned away hears HTTP 503 with JSON-RPC's -32603: to proxyd and op-reth that is not a
//! verdict on what was asked.

use crate::metrics::{Limit, Metrics};
use jsonrpsee::server::{HttpBody, HttpResponse};
use jsonrpsee::types::error::INTERNAL_ERROR_CODE;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::warn;

/// How often a bound that is reached is logged.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);

/// A bound of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bound {
    /// Which limit it is.
    pub limit: Limit,
    /// What to do about it.
    pub remedy: &'static str,
}

/// Reports bounds that are reached. Clones share what was reported.
#[derive(Clone, Debug)]
pub(crate) struct Overload {
    metrics: Metrics,
    reported: Arc<Mutex<BTreeMap<Bound, Instant>>>,
}

impl Overload {
    /// Nothing was reported yet.
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self { metrics, reported: Arc::default() }
    }

    /// Counts that a bound was reached, and warns of it once a minute.
    pub(crate) fn reached(&self, bound: Bound) {
        self.metrics.limit_reached(bound.limit);
        if self.is_log_due(bound) {
            warn!(
                limit = bound.limit.name(),
                advice = bound.remedy,
                "server limit reached; requests are refused"
            );
        }
    }

    fn is_log_due(&self, bound: Bound) -> bool {
        let (mut reported, now) = (self.reported.lock(), Instant::now());
        let is_news = reported.get(&bound).is_none_or(|last| now.duration_since(*last) >= REPORT_INTERVAL);
        if is_news {
            reported.insert(bound, now);
        }
        is_news
    }
}

/// What a caller that is turned away hears.
pub(crate) fn busy_response(reason: &str) -> HttpResponse {
    let body = serde_json::json!({
        "jsonrpc": "2.0", "id": null,
        "error": { "code": INTERNAL_ERROR_CODE, "message": busy_text(reason) },
    });
    let mut response = HttpResponse::new(HttpBody::from(body.to_string()));
    *response.status_mut() = hyper::StatusCode::SERVICE_UNAVAILABLE;
    let json = hyper::header::HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    response
}

/// The text for a refused caller.
pub(crate) fn busy_text(reason: &str) -> String {
    format!("busy: {reason}; ask again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosscheck_core::validity::DependencySet;

    const BOUND: Bound = Bound { limit: Limit::RpcConnections, remedy: "see who holds them" };
    const OTHER: Bound = Bound { limit: Limit::RpcWebsockets, remedy: "see who holds them" };

    #[tokio::test(start_paused = true)]
    async fn every_rejection_is_counted_and_logged_once_a_minute() {
        let metrics = Metrics::new(DependencySet::new(BTreeMap::new(), 1)).unwrap();
        let overload = Overload::new(metrics.clone());
        for _ in 0..3 {
            overload.reached(BOUND);
        }
        let counted = "crosscheck_limit_reached_total{limit=\"rpc-connections\"} 3";
        assert!(metrics.render().unwrap().contains(counted));
        assert!(!overload.is_log_due(BOUND) && overload.is_log_due(OTHER));
        tokio::time::advance(REPORT_INTERVAL).await;
        assert!(overload.is_log_due(BOUND));
    }
}
