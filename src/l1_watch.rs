//! [`L1Watch`]: the task that reports an L1 that does not move, or does not answer: one task for all chains.
//!
//! It uses the reader that all parts share, so they find its answers there. It judges nothing.

use crate::health::{Health, HealthPart};
use crate::sources::{L1Client, L1Reader, L1Source};
use crate::stalled_heads::{StalledHeads, WatchedHead};
use alloy::eips::BlockNumHash;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often L1 is asked: a little more often than it makes blocks, and than others would have to ask
/// themselves.
const POLL: Duration = Duration::from_secs(10);

/// The shortest time between two questions.
const SHORTEST_POLL: Duration = Duration::from_millis(500);

/// Watches L1's latest block.
#[derive(Debug)]
pub(crate) struct L1Watch<S = L1Client> {
    l1: L1Reader<S>,
    stalled: Vec<StalledHeads>,
    health: Health,
}

impl<S: L1Source> L1Watch<S> {
    /// A watch of this L1, as all chains read it. `stalled` reports it, one a chain: each has its own
    /// patience.
    pub(crate) fn new(l1: L1Reader<S>, stalled: Vec<StalledHeads>, health: Health) -> Self {
        health.expect(&HealthPart::L1Endpoint);
        Self { l1, stalled, health }
    }

    /// Watches until cancelled.
    pub(crate) async fn run(mut self, cancel: CancellationToken) {
        let pause = self.pause();
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = self.check() => {}
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Often enough for the least patient.
    fn pause(&self) -> Duration {
        let least = self.stalled.iter().map(|stalled| stalled.bound(WatchedHead::L1)).min();
        let half = least.and_then(|least| least.checked_div(2));
        half.map_or(POLL, |half| half.clamp(SHORTEST_POLL, POLL))
    }

    /// Checks once where L1 is.
    async fn check(&mut self) {
        let head = match self.l1.refresh().await {
            Ok(()) => self.l1.head().await,
            Err(error) => Err(error),
        };
        match head {
            Ok(head) => {
                // What was never in the way has nothing to recover from.
                let is_reported = self.health.reason(&HealthPart::L1Endpoint).is_some();
                if let Some(outage) = self.health.clear(&HealthPart::L1Endpoint).filter(|_| is_reported) {
                    info!(lasted_s = outage.seconds(), "L1 is readable again");
                }
                self.report(Some(head.id()));
            }
            Err(error) => {
                let problem = format!("its latest block cannot be read: {error}");
                if self.health.set_not_ready(&HealthPart::L1Endpoint, problem.clone()) {
                    warn!(problem, "L1 cannot be read; blocks are not checked against L1");
                }
                self.report(None);
            }
        }
    }

    fn report(&mut self, at: Option<BlockNumHash>) {
        let now = Instant::now();
        self.stalled.iter_mut().for_each(|stalled| stalled.check(WatchedHead::L1, at, now));
    }
}

#[cfg(test)]
mod tests;
