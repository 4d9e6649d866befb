//! [`UnresolvedWatch`]: reports which blocks were found invalid and are not resolved, across restarts.
//!
//! A verdict is logged and reported when it is reached; later it is found here: in a gauge of what is
//! unresolved, which is read from the ledger and so outlives every restart, and in a line for each block at
//! the start. That an operator has resolved a block, from another process, is reported when it is seen. It
//! judges nothing.

mod metrics;

pub(crate) use metrics::UnresolvedMetrics;

use crate::ledger::{Ledger, LedgerError, ResolvedBlock, Unresolved};
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often the ledger is checked: an operator resolves a block from another process.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// How many unresolved blocks are logged one by one at the start: the newest.
const MAX_LOGGED: u32 = 100;

/// Keeps the gauge of unresolved blocks current.
#[derive(Debug)]
pub(crate) struct UnresolvedWatch {
    ledger: Ledger,
    metrics: UnresolvedMetrics,
    /// The resolution that was seen last.
    seen: u64,
}

impl UnresolvedWatch {
    /// Sets the gauge, and logs each unresolved block once. Anyone who reads metrics afterwards finds what
    /// earlier runs found.
    pub(crate) async fn begin(ledger: Ledger, metrics: UnresolvedMetrics) -> Result<Self, LedgerError> {
        let mut watch = Self { ledger, metrics, seen: 0 };
        // What earlier runs reported is counted, and not reported again.
        watch.note_resolved(|_| ()).await?;
        let count = watch.publish().await?;
        let unresolved = watch.ledger.unresolved(MAX_LOGGED).await?;
        for block in &unresolved {
            log(block);
        }
        let unnamed = count.saturating_sub(u64::try_from(unresolved.len()).unwrap_or(u64::MAX));
        if unnamed > 0 {
            warn!(
                blocks = unnamed,
                "more invalid blocks are unresolved; list them with crosscheck_attestations"
            );
        }
        Ok(watch)
    }

    /// Keeps the gauge current until cancelled.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(crate) async fn run(mut self, cancel: CancellationToken) -> Result<(), LedgerError> {
        let mut look = tokio::time::interval(LOOK_INTERVAL);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                _ = look.tick() => {}
            }
            self.note_resolved(log_resolved).await?;
            self.publish().await?;
        }
    }

    /// Records the blocks that an operator has resolved since.
    async fn note_resolved(&mut self, tell: fn(&ResolvedBlock)) -> Result<(), LedgerError> {
        loop {
            let resolved = self.ledger.resolved_after(self.seen).await?;
            let Some(last) = resolved.last().map(|block| block.id) else { return Ok(()) };
            for block in &resolved {
                self.metrics.resolved(block.key.chain_id);
                tell(block);
            }
            self.seen = last;
        }
    }

    /// How many there are.
    async fn publish(&self) -> Result<u64, LedgerError> {
        let counts = self.ledger.unresolved_counts().await?;
        self.metrics.unresolved(&counts);
        self.metrics.ledger_bytes(self.ledger.bytes().await);
        Ok(counts.iter().map(|count| count.count).sum())
    }
}

fn log(block: &Unresolved) {
    let Unresolved { key: incident, verdict, reason, detail, since, attribution } = block;
    let (chain_id, number, hash) = (incident.chain_id, incident.number, incident.hash);
    let (reason, detail) = (reason.as_deref().unwrap_or_default(), detail.as_deref().unwrap_or_default());
    warn!(%chain_id, number, %hash, verdict, reason, detail, attribution = attribution.name(), since = since.0, %incident,
          "unresolved invalid block from an earlier run; after the incident, run `crosscheck resolve`");
}

fn log_resolved(block: &ResolvedBlock) {
    let ResolvedBlock { key, verdict, reason, at, .. } = block;
    let (chain_id, number, hash) = (key.chain_id, key.number, key.hash);
    info!(%chain_id, number, %hash, verdict, reason, at = at.0, "operator resolved this block");
}
