//! [`StalledHeads`]: reports a chain's heads that do not move, on `/readyz`, in the log and in a gauge.
//!
//! While a node takes no unsafe blocks because one was replaced, that is reported instead, without a warning.
//!
//! Anyone who polls a head hands it over with the time. A head that is stalled is not an accusation and stops
//! nothing: that a chain halts, or that its batches are not posted, is for an operator to find out.

use crate::health::{Health, HealthPart};
use crate::metrics::{MeasuredHead, Metrics};
use crate::unsafe_pause::UnsafePause;
use alloy::eips::BlockNumHash;
use crosscheck_core::heads::SafetyLevel;
use crosscheck_p2p::ChainId;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{info, warn};

/// A head that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum WatchedHead {
    /// The rollup node's unsafe head.
    Unsafe,
    /// The rollup node's local-safe head.
    LocalSafe,
    /// The rollup node's safe head, where it is another one than the local-safe head.
    Safe,
    /// The L1 block that the rollup node has reached.
    CurrentL1,
    /// The execution clients' latest block.
    Execution,
    /// The latest block of `l1.execution`. [`L1Watch`](crate::l1_watch::L1Watch) looks.
    L1,
    /// The vouched head, where the local-safe head is above it.
    Vouched,
}

impl WatchedHead {
    /// As metrics show it.
    const fn measured(self) -> MeasuredHead {
        match self {
            Self::Unsafe => MeasuredHead::Level(SafetyLevel::Unsafe),
            Self::LocalSafe => MeasuredHead::Level(SafetyLevel::LocalSafe),
            Self::Safe => MeasuredHead::Level(SafetyLevel::Safe),
            Self::CurrentL1 => MeasuredHead::CurrentL1,
            Self::Execution => MeasuredHead::Execution,
            Self::L1 => MeasuredHead::L1,
            Self::Vouched => MeasuredHead::Vouched,
        }
    }

    /// Its name in metrics.
    pub(crate) const fn name(self) -> &'static str {
        self.measured().name()
    }

    /// Its name in sentences.
    const fn in_words(self) -> &'static str {
        match self {
            Self::Unsafe => "the rollup node's unsafe head",
            Self::LocalSafe => "the rollup node's local-safe head",
            Self::Safe => "the rollup node's safe head",
            Self::CurrentL1 => "the rollup node's current L1 block",
            Self::Execution => "the execution client's latest block",
            Self::L1 => "L1's latest block",
            Self::Vouched => "the vouched head, which is below the local-safe head,",
        }
    }

    /// What an operator can check.
    const fn advice(self) -> &'static str {
        match self {
            Self::Unsafe => "check the sequencer and the node's peers",
            Self::LocalSafe => "check that the chain's batches are posted and that the node reads L1",
            Self::Safe => "check the batches and nodes of the chains whose messages it executes",
            Self::CurrentL1 => "check the node's L1 endpoint",
            Self::Execution => "check the execution client and the node that drives it",
            Self::L1 => "check the endpoint l1.execution",
            Self::Vouched => {
                "the next block is invalid, has no verdict, or was not attested: check crosscheck_status, the peers and the attester"
            }
        }
    }
}

/// For how long heads may be stalled before that is reported.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StallBounds {
    /// The unsafe head and the execution clients' latest block.
    pub(crate) unsafe_: Duration,
    /// The local-safe and the safe head.
    pub(crate) safe: Duration,
    /// L1's latest block, and the one that the rollup node has reached.
    pub(crate) l1: Duration,
    /// The vouched head.
    pub(crate) vouched: Duration,
}

impl StallBounds {
    /// Longer than any test runs.
    #[cfg(test)]
    pub(crate) const LONG: Self =
        Self { unsafe_: Duration::MAX, safe: Duration::MAX, l1: Duration::MAX, vouched: Duration::MAX };

    const fn of(self, head: WatchedHead) -> Duration {
        match head {
            WatchedHead::Unsafe | WatchedHead::Execution => self.unsafe_,
            WatchedHead::LocalSafe | WatchedHead::Safe => self.safe,
            WatchedHead::CurrentL1 | WatchedHead::L1 => self.l1,
            WatchedHead::Vouched => self.vouched,
        }
    }
}

/// Where a head is, and since when.
#[derive(Clone, Copy, Debug)]
struct WatchedPosition {
    at: BlockNumHash,
    since: Instant,
    is_reported: bool,
}

/// Reports one chain's heads that are stalled.
#[derive(Debug)]
pub(crate) struct StalledHeads {
    chain_id: ChainId,
    bounds: StallBounds,
    heads: BTreeMap<WatchedHead, WatchedPosition>,
    health: Health,
    metrics: Metrics,
}

impl StalledHeads {
    /// Nothing is known of the heads yet.
    pub(crate) const fn new(
        chain_id: ChainId,
        bounds: StallBounds,
        health: Health,
        metrics: Metrics,
    ) -> Self {
        Self { chain_id, bounds, heads: BTreeMap::new(), health, metrics }
    }

    /// For how long a head may be stalled.
    pub(crate) const fn bound(&self, head: WatchedHead) -> Duration {
        self.bounds.of(head)
    }

    /// What is reported of a head to [`Health`]. L1's is the same for all chains: it is reported once.
    const fn part(&self, head: WatchedHead) -> HealthPart {
        match head {
            WatchedHead::L1 => HealthPart::L1StalledHead,
            head => HealthPart::StalledHead { chain_id: self.chain_id, head: head.name() },
        }
    }

    /// Records where a head is now. `None`: unknown, which is reported elsewhere.
    pub(crate) fn check(&mut self, head: WatchedHead, at: Option<BlockNumHash>, now: Instant) {
        self.check_during(None, head, at, now);
    }

    /// The same, where `pause` explains that the head is stalled.
    pub(crate) fn check_during(
        &mut self,
        pause: Option<UnsafePause>,
        head: WatchedHead,
        at: Option<BlockNumHash>,
        now: Instant,
    ) {
        let before = self.heads.get(&head).copied();
        let Some(at) = at else {
            self.moved(head, before);
            self.heads.remove(&head);
            return;
        };
        let Some(before) = before.filter(|before| before.at == at) else {
            self.moved(head, before);
            self.heads.insert(head, WatchedPosition { at, since: now, is_reported: false });
            self.metrics.head_stalled(self.chain_id, head.measured(), Duration::ZERO);
            return;
        };
        let still_for = now.saturating_duration_since(before.since);
        self.metrics.head_stalled(self.chain_id, head.measured(), still_for);
        if still_for > self.bounds.of(head) {
            self.heads.insert(head, WatchedPosition { is_reported: true, ..before });
            self.report(head, at, pause);
        }
    }

    /// Whether a head, as it was last handed over, has been stuck for longer than it may.
    pub(crate) fn is_late(&self, head: WatchedHead, now: Instant) -> bool {
        self.stuck_for(head, now) > self.bounds.of(head)
    }

    /// Whether it has done so for more than half of that time.
    pub(crate) fn is_half_late(&self, head: WatchedHead, now: Instant) -> bool {
        self.stuck_for(head, now).saturating_mul(2) > self.bounds.of(head)
    }

    fn stuck_for(&self, head: WatchedHead, now: Instant) -> Duration {
        self.heads.get(&head).map_or(Duration::ZERO, |head| now.saturating_duration_since(head.since))
    }

    fn report(&self, head: WatchedHead, at: BlockNumHash, pause: Option<UnsafePause>) {
        let bound = humantime::format_duration(self.bounds.of(head));
        let BlockNumHash { number, hash } = at;
        let (what, advice) = (head.in_words(), head.advice());
        let condition = format!("{what} has been block {number} ({hash}) for more than {bound}");
        if let Some(pause) = pause {
            let reason = format!("{condition}: {pause}");
            if self.health.set_not_ready(&self.part(head), reason.clone()) {
                info!(chain_id = %self.chain_id, reason, "head is not moving after a replacement");
            }
            return;
        }
        let problem = format!("{condition}; {advice}");
        if self.health.set_not_ready(&self.part(head), problem.clone()) {
            warn!(chain_id = %self.chain_id, problem, "head is not moving");
        }
    }

    /// The head is another one than before, or is no longer known.
    fn moved(&self, head: WatchedHead, before: Option<WatchedPosition>) {
        if !before.is_some_and(|before| before.is_reported) {
            return;
        }
        if let Some(outage) = self.health.clear(&self.part(head)) {
            let lasted_s = outage.seconds();
            info!(chain_id = %self.chain_id, head = head.name(), lasted_s, "head is moving again");
        }
    }
}

#[cfg(test)]
mod tests;
