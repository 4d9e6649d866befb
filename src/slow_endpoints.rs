//! [`SlowEndpoints`]: reports endpoints that take most of the time that they may take, on `/readyz`, in the
//! log and in a gauge.
//!
//! A slow endpoint is not an accusation and stops nothing: its answers count as they come.

mod metrics;

pub(crate) use metrics::EndpointMetrics;

use crate::health::{Health, HealthPart};
use crate::metrics::EndpointKind;
use crate::sources::{EndpointPace, SLOW_ABOVE};
use crosscheck_p2p::ChainId;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often the endpoints are checked.
const EVERY: Duration = Duration::from_secs(1);

/// An endpoint that is watched.
#[derive(Clone, Debug)]
pub(crate) struct WatchedEndpoint {
    /// What it is.
    pub(crate) kind: EndpointKind,
    /// Its chain. `None`: L1.
    pub(crate) chain_id: Option<ChainId>,
    /// Its place among the chain's endpoints of its kind, counted from 0.
    pub(crate) place: usize,
    /// How long it takes.
    pub(crate) pace: EndpointPace,
}

impl WatchedEndpoint {
    /// What is reported of it to [`Health`].
    const fn part(&self) -> HealthPart {
        let Self { kind, chain_id, place, .. } = self;
        match *chain_id {
            Some(chain_id) => HealthPart::SlowEndpoint { chain_id, endpoint: kind.name(), place: *place },
            None => HealthPart::L1SlowEndpoint,
        }
    }
}

/// Reports slow endpoints.
#[derive(Debug)]
pub(crate) struct SlowEndpoints {
    endpoints: Vec<WatchedEndpoint>,
    health: Health,
    metrics: EndpointMetrics,
}

impl SlowEndpoints {
    /// A watch of these endpoints.
    pub(crate) const fn new(
        endpoints: Vec<WatchedEndpoint>,
        health: Health,
        metrics: EndpointMetrics,
    ) -> Self {
        Self { endpoints, health, metrics }
    }

    /// Watches until cancelled.
    pub(crate) async fn run(self, cancel: CancellationToken) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = ticks.tick() => self.check(Instant::now()),
            }
        }
    }

    /// Checks every endpoint.
    fn check(&self, now: Instant) {
        for endpoint in &self.endpoints {
            let look = endpoint.pace.current(now);
            self.metrics.endpoint_pace(endpoint.kind, endpoint.chain_id, endpoint.place, look.percent);
            match look.median.filter(|_| look.is_slow) {
                Some(median) => self.report(endpoint, median),
                None => self.clear(endpoint),
            }
        }
    }

    fn report(&self, endpoint: &WatchedEndpoint, median: Duration) {
        let (url, timeout) = (endpoint.pace.url(), humantime::format_duration(endpoint.pace.timeout()));
        let seconds = median.as_secs_f32();
        let problem = format!(
            "half of the answers of {url} take {seconds:.1} s or longer, more than {SLOW_ABOVE} % of its timeout of \
             {timeout}: heads and verdicts are late; reduce its load, or use another endpoint"
        );
        if self.health.set_not_ready(&endpoint.part(), problem.clone()) {
            let (chain_id, kind) = (endpoint.chain_id.map(tracing::field::display), endpoint.kind.name());
            warn!(chain_id, kind, place = endpoint.place, endpoint = %url, problem, "endpoint is slow");
        }
    }

    fn clear(&self, endpoint: &WatchedEndpoint) {
        // A part that was never reported has nothing to recover from.
        if self.health.reason(&endpoint.part()).is_none() {
            return;
        }
        if let Some(outage) = self.health.clear(&endpoint.part()) {
            let (chain_id, kind) = (endpoint.chain_id.map(tracing::field::display), endpoint.kind.name());
            let (url, lasted_s) = (endpoint.pace.url(), outage.seconds());
            info!(chain_id, kind, place = endpoint.place, endpoint = %url, lasted_s, "endpoint is no longer slow");
        }
    }
}

#[cfg(test)]
mod tests;
