//! [`ClaimantWatcher`]: the task that asks one claimant which block it calls cross-safe.
//!
//! It passes the answer on, and judges nothing. A claimant that does not answer, is on another chain or names
//! no block is reported. Until it is known that a claimant verifies messages, what it calls safe is no claim:
//! a plain node calls a block safe that it has derived.

use super::{AuditMetrics, AuditorMessage, Claim};
use crate::health::{Health, HealthPart};
use crate::ledger::Claimant;
use crate::metrics::EndpointKind;
use crate::sources::{RollupNode, SourceError, SyncStatus};
use alloy::eips::BlockNumHash;
use crosscheck_core::heads::{L2BlockRef, SafeMeans};
use crosscheck_p2p::ChainId;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// The longest pause between two attempts at a claimant that does not answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// After how many answers it is asked again which chain it is on. It may be another program by then.
const CHAIN_EVERY: u32 = 30;

/// What a watcher of a claimant needs.
#[derive(Debug)]
pub struct ClaimantWatcherParts {
    /// The chain.
    pub chain_id: ChainId,
    /// Its name, as in answers to callers.
    pub name: String,
    /// The claimant.
    pub node: RollupNode,
    /// How often to ask.
    pub interval: Duration,
    /// Who gets its claims.
    pub auditor: mpsc::Sender<AuditorMessage>,
    /// Where readiness is reported.
    pub health: Health,
    /// What is counted.
    pub metrics: AuditMetrics,
}

/// Asks one claimant.
#[derive(Debug)]
pub struct ClaimantWatcher {
    parts: ClaimantWatcherParts,
}

/// Whether heads are those of a node that verifies messages, itself or through its source: its safe head is
/// below its local-safe head. On a plain node they are the same.
pub fn shows_that_it_verifies(heads: &SyncStatus) -> bool {
    let number = |head: Option<L2BlockRef>| head.map(|head| head.number);
    number(heads.safe_l2).zip(number(heads.local_safe_l2)).is_some_and(|(safe, local_safe)| safe < local_safe)
}

/// Why there is no claim.
#[derive(Debug, thiserror::Error)]
enum NoClaim {
    /// The claimant does not answer, or is on another chain.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It names no cross-safe block.
    #[error("it names no safe block; it may be starting, or it has lost its database")]
    NoHead,
}

impl ClaimantWatcher {
    /// A watcher that has asked nothing yet.
    pub const fn new(parts: ClaimantWatcherParts) -> Self {
        Self { parts }
    }

    /// What this watcher reports to [`Health`].
    pub fn part(&self) -> HealthPart {
        HealthPart::Claimant { chain_id: self.parts.chain_id, name: self.parts.name.clone() }
    }

    /// Asks until cancelled.
    pub async fn run(self, cancel: CancellationToken) {
        tokio::select! {
            () = cancel.cancelled() => {}
            never = self.watch() => match never {},
        }
    }

    async fn watch(self) -> Infallible {
        let (mut pause, mut asked, mut verifies) = (self.parts.interval, 0_u32, false);
        loop {
            match self.ask(asked.is_multiple_of(CHAIN_EVERY), &mut verifies).await {
                Ok(block) => {
                    (pause, asked) = (self.parts.interval, asked.wrapping_add(1));
                    self.note_answer();
                    self.pass_on(block, verifies, asked).await;
                }
                Err(error) => {
                    (pause, asked) = (pause.saturating_mul(2).min(LONGEST_PAUSE).max(self.parts.interval), 0);
                    // It may be another program when it answers again.
                    verifies = false;
                    self.note_failure(&error);
                }
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn ask(&self, asks_chain: bool, verifies: &mut bool) -> Result<BlockNumHash, NoClaim> {
        let ClaimantWatcherParts { chain_id, node, .. } = &self.parts;
        if asks_chain {
            node.check_chain(*chain_id).await?;
            *verifies |= node.safe_means(*chain_id).await? == SafeMeans::CrossSafe;
        }
        let heads = node.status().await?.heads();
        *verifies |= shows_that_it_verifies(&heads);
        Ok(heads.safe_l2.ok_or(NoClaim::NoHead)?.position())
    }

    async fn pass_on(&self, block: BlockNumHash, verifies: bool, asked: u32) {
        let (chain_id, name) = (self.parts.chain_id, self.parts.name.clone());
        if !verifies {
            if asked == CHAIN_EVERY {
                info!(%chain_id, claimant = name, "claimant is not known to verify messages yet; its safe head is not a claim");
            }
            return;
        }
        let claim = Claim { chain_id, block, claimant: Claimant::Endpoint(name) };
        // A closed inbox means that the program is stopping.
        let _ended = self.parts.auditor.send(AuditorMessage::Claim(claim)).await;
    }

    fn note_answer(&self) {
        if let Some(outage) = self.parts.health.clear(&self.part()) {
            let (lasted_s, repeats) = (outage.seconds(), outage.repeats);
            info!(chain_id = %self.parts.chain_id, claimant = self.parts.name, lasted_s, repeats, "claimant answers");
        }
    }

    fn note_failure(&self, error: &NoClaim) {
        let ClaimantWatcherParts { chain_id, name, health, metrics, .. } = &self.parts;
        if matches!(error, NoClaim::Source(_)) {
            metrics.shared().source_failed(*chain_id, EndpointKind::Claimant);
        }
        if health.set_not_ready(&self.part(), error.to_string()) {
            warn!(%chain_id, claimant = name, problem = %error, "claimant names no cross-safe block; check it");
        }
    }
}

#[cfg(test)]
mod tests;
