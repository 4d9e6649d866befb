//! [`RefusalWatch`]: reports a chain whose gossip is being refused because of this program's own settings:
//! who signs, or what a block looks like. On `/readyz`, in the log and in a gauge.
//!
//! Anybody can send frames that are refused, so a stranger's count only where honest ones would come between:
//! among unsafe blocks, of which a live chain has one every few seconds. On the cross-safe topic, which may
//! be silent for long, only those count that a static or trusted peer sends, or that the sequencer itself has
//! signed.

use super::GossipMetrics;
use crate::health::{Health, HealthPart};
use alloy::primitives::Address;
use crosscheck_p2p::{AtFault, ChainId, PeerId, Reason, Topic};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;
use tracing::{info, warn};

/// How many frames in a row must be refused, however patient the operator is.
const AT_LEAST: u64 = 8;

/// After this time without another refusal the row ends.
const OVER_AFTER: Duration = Duration::from_secs(5 * 60);

/// What is gossiped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gossip {
    /// Unsafe blocks, of any version.
    Unsafe,
    /// Attestations.
    CrossSafe,
}

impl Gossip {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::Unsafe, Self::CrossSafe];

    const fn of(topic: Topic) -> Self {
        if topic.is_cross_safe() { Self::CrossSafe } else { Self::Unsafe }
    }

    /// Its name in metrics.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Unsafe => "unsafe",
            Self::CrossSafe => "cross-safe",
        }
    }

    const fn in_words(self) -> &'static str {
        match self {
            Self::Unsafe => "unsafe blocks",
            Self::CrossSafe => "attestations",
        }
    }
}

/// Frames that were refused in a row.
#[derive(Clone, Copy, Debug)]
struct Row {
    count: u64,
    since: Instant,
    last: Instant,
    is_reported: bool,
}

/// Reports gossip that is refused frame after frame.
#[derive(Debug)]
pub struct RefusalWatch {
    chain_id: ChainId,
    patience: Duration,
    /// Static and trusted peers.
    known: BTreeSet<PeerId>,
    /// Who signed the last unsafe block that was accepted.
    sequencer: Option<Address>,
    rows: BTreeMap<Gossip, Row>,
    health: Health,
    metrics: GossipMetrics,
}

impl RefusalWatch {
    /// A watch that reports a row that has lasted longer than `patience`. The peers are the static and the
    /// trusted ones.
    pub const fn new(
        chain_id: ChainId,
        patience: Duration,
        known: BTreeSet<PeerId>,
        health: Health,
        metrics: GossipMetrics,
    ) -> Self {
        Self { chain_id, patience, known, sequencer: None, rows: BTreeMap::new(), health, metrics }
    }

    /// What is reported of it to [`Health`].
    const fn part(&self, gossip: Gossip) -> HealthPart {
        match gossip {
            Gossip::Unsafe => HealthPart::RefusedUnsafeBlocks(self.chain_id),
            Gossip::CrossSafe => HealthPart::RefusedAttestations(self.chain_id),
        }
    }

    /// A frame was accepted.
    pub(super) fn accepted(&mut self, topic: Topic, signer: Address) {
        if !topic.is_cross_safe() {
            self.sequencer = Some(signer);
        }
        self.end(Gossip::of(topic), "one was accepted");
    }

    /// A frame was refused.
    pub(super) fn refused(&mut self, topic: Topic, reason: &Reason, from: PeerId, now: Instant) {
        if !self.counts(topic, reason, from) {
            return;
        }
        let gossip = Gossip::of(topic);
        let row =
            self.rows.entry(gossip).or_insert(Row { count: 0, since: now, last: now, is_reported: false });
        row.count = row.count.saturating_add(1);
        row.last = now;
        row.is_reported |= row.count >= AT_LEAST && now.saturating_duration_since(row.since) >= self.patience;
        let row = *row;
        self.metrics.refused_in_a_row(self.chain_id, gossip.name(), row.count);
        if row.is_reported {
            self.report(gossip, row.count, reason);
        }
    }

    /// Time has passed.
    pub(super) fn check(&mut self, now: Instant) {
        for gossip in Gossip::ALL {
            let last = self.rows.get(&gossip).map(|row| row.last);
            if last.is_some_and(|last| now.saturating_duration_since(last) >= OVER_AFTER) {
                self.end(gossip, "none came lately");
            }
        }
    }

    /// Whether a refusal speaks of what this program holds for right, and is not a stranger's to bring about.
    fn counts(&self, topic: Topic, reason: &Reason, from: PeerId) -> bool {
        let signer = match reason {
            Reason::WrongSigner { recovered, .. } => Some(*recovered),
            Reason::TooManyAtHeight { .. } => return false,
            reason if reason.is_out_of_window() || reason.at_fault(topic) != AtFault::Signer => return false,
            _ => None,
        };
        let by_sequencer = signer.is_some() && signer == self.sequencer;
        !topic.is_cross_safe() || by_sequencer || self.known.contains(&from)
    }

    fn report(&self, gossip: Gossip, count: u64, reason: &Reason) {
        let (chain_id, what, code) = (self.chain_id, gossip.in_words(), reason.code());
        let patience = humantime::format_duration(self.patience);
        let advice = self.advice(gossip, reason);
        let problem = format!(
            "all {what} in more than {patience} were refused, {count} in a row, the last for {code} ({reason}); {advice}"
        );
        if self.health.set_not_ready(&self.part(gossip), problem.clone()) {
            warn!(%chain_id, problem, "gossip is being refused");
        }
    }

    fn advice(&self, gossip: Gossip, reason: &Reason) -> String {
        let id = self.chain_id;
        match (reason, gossip) {
            (Reason::WrongSigner { .. }, Gossip::Unsafe) => {
                format!(
                    "check chains.{id}.unsafe_block_signer, or chains.{id}.system_config and l1.execution"
                )
            }
            (Reason::WrongSigner { .. }, Gossip::CrossSafe) => format!("check chains.{id}.attester"),
            _ => "the chain may have a fork that this version does not know: upgrade Crosscheck".to_owned(),
        }
    }

    fn end(&mut self, gossip: Gossip, why: &str) {
        let Some(row) = self.rows.remove(&gossip) else { return };
        self.metrics.refused_in_a_row(self.chain_id, gossip.name(), 0);
        if !row.is_reported {
            return;
        }
        if let Some(outage) = self.health.clear(&self.part(gossip)) {
            let (lasted_s, refused) = (outage.seconds(), row.count);
            let (chain_id, gossip) = (self.chain_id, gossip.name());
            info!(%chain_id, gossip, lasted_s, refused, why, "gossip is no longer being refused");
        }
    }
}

#[cfg(test)]
mod tests;
