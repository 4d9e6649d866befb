//! [`EndpointMetrics`]: what is measured of how fast endpoints answer.

use crate::metrics::{EndpointKind, Metrics};
use crosscheck_p2p::ChainId;
use prometheus::Histogram;
use prometheus::{HistogramVec, IntGaugeVec};
use std::sync::Arc;

/// Upper bounds of the histogram of endpoints' answers, in seconds.
const ENDPOINT_SECONDS: [f64; 9] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// What is measured of how fast endpoints answer. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct EndpointMetrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    endpoint_pace: IntGaugeVec,
    endpoint_seconds: HistogramVec,
}

impl EndpointMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// If another room has a metric of one of these names.
    pub(crate) fn register(metrics: &Metrics) -> Result<Self, prometheus::Error> {
        let inner = Inner {
            endpoint_pace: metrics.gauge(
                "endpoint_timeout_percent",
                "Median time of an endpoint's recent answers, in percent of its timeout; 0 if there are none",
                &["chain_id", "kind", "endpoint"],
            )?,
            endpoint_seconds: metrics.histogram(
                "endpoint_seconds",
                "Time until an endpoint answers a request, or until the request is abandoned",
                &["chain_id", "kind", "endpoint"],
                &ENDPOINT_SECONDS,
            )?,
        };
        Ok(Self(Arc::new(inner)))
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
        self.0.endpoint_pace.with_label_values(&labels).set(percent);
    }

    /// Where the time of an endpoint's answers is counted.
    pub(crate) fn endpoint_seconds(
        &self,
        kind: EndpointKind,
        chain_id: Option<ChainId>,
        place: usize,
    ) -> Histogram {
        let [chain, place] = endpoint_labels(chain_id, place);
        self.0.endpoint_seconds.with_label_values(&[chain.as_str(), kind.name(), &place])
    }
}

/// The chain and the place of an endpoint, as its labels have them. L1's chain is called so.
fn endpoint_labels(chain_id: Option<ChainId>, place: usize) -> [String; 2] {
    let chain = chain_id.map_or_else(|| EndpointKind::L1.name().to_owned(), |id| id.to_string());
    [chain, place.to_string()]
}
