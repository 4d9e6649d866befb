//! [`Retention`]: the task that removes old upheld cases from the ledger, a few at a time.
//!
//! It decides when, and how old they must be. What may be removed is the ledger's to say.

use crate::ledger::{Ledger, LedgerError, Pruning};
use crosscheck_p2p::{Clock, UnixSeconds};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often the ledger is looked through.
const PASS_INTERVAL: Duration = Duration::from_secs(10 * 60);

/// How long others may write between two batches.
const PAUSE: Duration = Duration::from_millis(100);

/// How many cases are checked in one batch.
const BATCH: u32 = 256;

/// How far below the vouched head cases are kept however old they are: twice as far as any part reads.
const BELOW_HEAD: u64 = 8192;

/// Removes old upheld cases.
#[derive(Debug)]
pub(crate) struct Retention {
    ledger: Ledger,
    keep: Duration,
    clock: Arc<dyn Clock>,
}

impl Retention {
    /// Keeps cases of this ledger for that long.
    pub(crate) const fn new(ledger: Ledger, keep: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { ledger, keep, clock }
    }

    /// Removes until cancelled.
    ///
    /// # Errors
    /// If the ledger cannot be read when this begins.
    pub(crate) async fn run(self, cancel: CancellationToken) -> Result<(), LedgerError> {
        if !self.ledger.can_shrink().await? {
            info!(
                "ledger file does not shrink by itself; to shrink it, stop crosscheck and run: sqlite3 ledger.sqlite \
                 'PRAGMA auto_vacuum = INCREMENTAL; VACUUM;'"
            );
        }
        let mut pass = tokio::time::interval(PASS_INTERVAL);
        pass.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                _ = pass.tick() => {}
            }
            match cancel.run_until_cancelled(self.pass()).await {
                None => return Ok(()),
                Some(Ok(0)) => {}
                Some(Ok(removed)) => info!(removed, "old upheld cases removed from the ledger"),
                Some(Err(error)) => {
                    warn!(%error, "old upheld cases could not be removed from the ledger; retrying in 10 minutes");
                }
            }
        }
    }

    /// Goes once through what is old enough. Returns how many cases were removed.
    async fn pass(&self) -> Result<u64, LedgerError> {
        let before = UnixSeconds(self.clock.now().0.saturating_sub(self.keep.as_secs()));
        let (mut removed, mut after) = (0_u64, 0);
        loop {
            let pruning = Pruning { before, below_head: BELOW_HEAD, after, limit: BATCH };
            let pruned = self.ledger.prune(&pruning).await?;
            removed = removed.saturating_add(pruned.removed);
            let Some(next) = pruned.next else { return Ok(removed) };
            after = next;
            tokio::time::sleep(PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{CaseFilter, Decision, NewCase};
    use alloy::eips::BlockNumHash;
    use alloy::primitives::B256;
    use crosscheck_core::case::Verdict;
    use crosscheck_core::message::BlockKey;
    use crosscheck_p2p::ChainId;
    use std::collections::BTreeSet;
    use std::path::Path;
    use tokio::task::JoinSet;

    const DAY: u64 = 24 * 60 * 60;

    /// How long anything may take: far more than it ever takes, however busy the machine is.
    const DEADLINE: Duration = Duration::from_secs(300);

    #[derive(Debug)]
    struct Now(UnixSeconds);

    impl Clock for Now {
        fn now(&self) -> UnixSeconds {
            self.0
        }
    }

    /// A ledger of upheld blocks: one at height 1, and the vouched head far above it.
    async fn ledger(dir: &Path) -> Ledger {
        let ledger = Ledger::open(&dir.join("ledger.sqlite")).await.unwrap();
        let (chain_id, hash) = (ChainId::from(901), B256::repeat_byte(1));
        ledger.anchor(chain_id, BlockNumHash { number: BELOW_HEAD + 2, hash }).await.unwrap();
        for number in [1, BELOW_HEAD + 1] {
            let key = BlockKey { chain_id, number, hash };
            let (parent_hash, timestamp) = (B256::ZERO, UnixSeconds(1));
            let case = NewCase::Ancestor { key, parent_hash, timestamp, l1_origin: None };
            ledger.open_case(&case, UnixSeconds(DAY)).await.unwrap();
            let waits = BTreeSet::new();
            let decision = Decision {
                key,
                verdict: &Verdict::Upheld,
                detail: String::new(),
                messages: &[],
                replaces: None,
                l1: None,
                waits: &waits,
                at: UnixSeconds(DAY),
                after: Duration::ZERO,
            };
            ledger.decide(&decision).await.unwrap();
        }
        ledger
    }

    #[tokio::test]
    async fn cases_older_than_the_retention_are_removed_after_a_start() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = ledger(dir.path()).await;
        let keep = Duration::from_secs(30 * DAY);
        let young = Retention::new(ledger.clone(), keep, Arc::new(Now(UnixSeconds(31 * DAY))));
        assert_eq!(young.pass().await.unwrap(), 0);
        let clock = Arc::new(Now(UnixSeconds(31 * DAY + 1)));
        let retention = Retention::new(ledger.clone(), keep, clock);
        let (mut tasks, cancel) = (JoinSet::new(), CancellationToken::new());
        let running = cancel.clone();
        tasks.spawn(async move { retention.run(running).await.unwrap() });
        let gone = async {
            loop {
                let filter = CaseFilter { chain_id: None, after: 0, limit: 10 };
                let heights: Vec<u64> =
                    ledger.records(filter).await.unwrap().iter().map(|record| record.number).collect();
                if heights == [BELOW_HEAD + 1] {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, gone).await.unwrap();
        cancel.cancel();
        tasks.join_all().await;
    }
}
