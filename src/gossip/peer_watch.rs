//! [`PeerWatch`]: reports a chain without a peer, on `/readyz`, in the log and in a gauge.
//!
//! Only peers that subscribe to the chain's topics count: others pass nothing on. Having no peer is not an
//! accusation and stops nothing.

use super::GossipMetrics;
use crate::health::Health;
use crosscheck_p2p::ChainId;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often the gauge is brought up to date.
const REFRESH: Duration = Duration::from_secs(5);

/// Reports a chain without a peer.
#[derive(Debug)]
pub struct PeerWatch {
    chain_id: ChainId,
    patience: Duration,
    state: State,
    health: Health,
    metrics: GossipMetrics,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Alone { since: Instant, is_reported: bool },
    Heard,
}

impl PeerWatch {
    /// A watch that begins without a peer, and reports it once that has lasted longer than `patience`.
    pub const fn new(
        chain_id: ChainId,
        patience: Duration,
        health: Health,
        metrics: GossipMetrics,
        now: Instant,
    ) -> Self {
        Self { chain_id, patience, state: State::Alone { since: now, is_reported: false }, health, metrics }
    }

    /// The name of what is reported of a chain to [`Health`].
    pub fn part(chain_id: ChainId) -> String {
        format!("chain {chain_id} peers")
    }

    /// Watches until cancelled.
    pub async fn run(mut self, mut peers: watch::Receiver<usize>, cancel: CancellationToken) {
        let mut refresh = tokio::time::interval(REFRESH);
        refresh.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let count = *peers.borrow_and_update();
            self.count(count, Instant::now());
            let due = self.due();
            tokio::select! {
                () = cancel.cancelled() => return,
                changed = peers.changed() => if changed.is_err() {
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
        let chain_id = self.chain_id;
        match (self.state, peers) {
            (State::Alone { since, is_reported }, 1..) => {
                let alone_s = now.saturating_duration_since(since).as_secs();
                self.state = State::Heard;
                self.metrics.without_peer(chain_id, Duration::ZERO);
                self.health.clear(&Self::part(chain_id));
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
            State::Alone { since, is_reported: false } => since.checked_add(self.patience),
            State::Alone { is_reported: true, .. } | State::Heard => None,
        }
    }

    /// Time has passed.
    fn check(&mut self, now: Instant) {
        let State::Alone { since, is_reported } = self.state else { return };
        self.metrics.without_peer(self.chain_id, now.saturating_duration_since(since));
        if !is_reported && self.due().is_some_and(|due| due <= now) {
            self.state = State::Alone { since, is_reported: true };
            self.report();
        }
    }

    fn report(&self) {
        let chain_id = self.chain_id;
        let patience = humantime::format_duration(self.patience);
        let problem = format!(
            "no peer has subscribed to the chain's topics for {patience}, so no gossip is received; check \
             chains.{chain_id}.p2p.static_peers, or discovery and the firewall"
        );
        self.health.obstruct(&Self::part(chain_id), problem.clone());
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
