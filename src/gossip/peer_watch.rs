//! [`PeerWatch`]: reports a chain without a peer, on `/readyz`, in the log and in a gauge.
//!
//! Only peers that subscribe to the chain's topics count: others pass nothing on. Having no peer is not an
//! accusation and stops nothing.

use super::GossipMetrics;
use crate::health::{Health, HealthPart};
use crosscheck_p2p::ChainId;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often the gauge is brought up to date.
const REFRESH: Duration = Duration::from_secs(5);

/// What a watch of peers works with.
#[derive(Debug)]
pub struct PeerWatchParts {
    /// The chain.
    pub chain_id: ChainId,
    /// How many peers have subscribed to its topics.
    pub peers: watch::Receiver<usize>,
    /// For how long it may be without a peer.
    pub patience: Duration,
    /// Where readiness is reported.
    pub health: Health,
    /// What is measured.
    pub metrics: GossipMetrics,
}

/// Reports a chain without a peer.
#[derive(Debug)]
pub struct PeerWatch {
    parts: PeerWatchParts,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Alone { since: Instant, is_reported: bool },
    Heard,
}

impl PeerWatch {
    /// A watch that begins now, without a peer.
    pub fn new(parts: PeerWatchParts) -> Self {
        Self { parts, state: State::Alone { since: Instant::now(), is_reported: false } }
    }

    /// Watches until cancelled.
    pub async fn run(mut self, cancel: CancellationToken) {
        let mut refresh = tokio::time::interval(REFRESH);
        refresh.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let count = *self.parts.peers.borrow_and_update();
            self.count(count, Instant::now());
            let due = self.due();
            tokio::select! {
                () = cancel.cancelled() => return,
                changed = self.parts.peers.changed() => if changed.is_err() {
                    // The network has ended, and with it the program does.
                    cancel.cancelled().await;
                    return;
                },
                () = until(due) => {}
                _ = refresh.tick() => {}
            }
            self.check(Instant::now());
        }
    }

    /// This many peers there are now.
    fn count(&mut self, peers: usize, now: Instant) {
        let chain_id = self.parts.chain_id;
        match (self.state, peers) {
            (State::Alone { since, is_reported }, 1..) => {
                let alone_s = now.saturating_duration_since(since).as_secs();
                self.state = State::Heard;
                self.parts.metrics.without_peer(chain_id, Duration::ZERO);
                self.parts.health.clear(&HealthPart::Peers(chain_id));
                if is_reported {
                    info!(%chain_id, peers, alone_s, "chain has a gossip peer again");
                } else {
                    info!(%chain_id, peers, alone_s, "chain has a gossip peer");
                }
            }
            (State::Heard, 0) => {
                self.state = State::Alone { since: now, is_reported: false };
                info!(%chain_id, "last gossip peer of the chain disconnected");
            }
            (State::Alone { .. }, 0) | (State::Heard, 1..) => {}
        }
    }

    /// When the lack of peers must be reported, if it was not yet.
    fn due(&self) -> Option<Instant> {
        match self.state {
            State::Alone { since, is_reported: false } => since.checked_add(self.parts.patience),
            State::Alone { is_reported: true, .. } | State::Heard => None,
        }
    }

    /// Time has passed.
    fn check(&mut self, now: Instant) {
        let State::Alone { since, is_reported } = self.state else { return };
        self.parts.metrics.without_peer(self.parts.chain_id, now.saturating_duration_since(since));
        if !is_reported && self.due().is_some_and(|due| due <= now) {
            self.state = State::Alone { since, is_reported: true };
            self.report();
        }
    }

    fn report(&self) {
        let chain_id = self.parts.chain_id;
        let patience = humantime::format_duration(self.parts.patience);
        let problem = format!(
            "no peer has subscribed to the chain's topics for {patience}, so no gossip is received; check \
             chains.{chain_id}.p2p.static_peers, or discovery and the firewall"
        );
        self.parts.health.set_not_ready(&HealthPart::Peers(chain_id), problem.clone());
        warn!(%chain_id, problem, "chain has no gossip peer");
    }
}

/// Waits until then; without a time, forever.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
