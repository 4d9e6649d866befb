//! [`RivalWatcher`]: the task that determines why two blocks of one height were attested, and reports it.
//!
//! It accuses no one: verdicts do. A cause that cannot be determined is reported as unknown, never as an
//! equivocation.

use super::AuditMetrics;
use super::rivals::{Pair, Rivals};
use crate::ledger::{Ledger, LedgerError};
use crate::metrics::EndpointKind;
use crate::sources::L1Reader;
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_core::case::{Origin, Relation, Side};
use crosscheck_core::consolidation::deposits::decode_l1_info;
use crosscheck_p2p::{ChainId, ValidBlock};
use lru::LruCache;
use std::num::NonZeroUsize;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

/// How many attested blocks may wait for the watcher.
pub const RIVAL_INBOX: usize = 1024;

/// How many attested blocks are remembered with their L1 origins.
const MAX_ORIGINS: NonZeroUsize = match NonZeroUsize::new(65_536) {
    Some(capacity) => capacity,
    None => NonZeroUsize::MIN,
};

/// An attested block as far as rivals go.
#[derive(Clone, Copy, Debug)]
struct Attested {
    /// The L1 block that it is built on, if it names one.
    origin: Option<BlockNumHash>,
    is_attributable: bool,
}

/// What a watcher of rivals works with.
#[derive(Debug)]
pub struct RivalWatcherParts {
    /// The verdicts on attested blocks.
    pub ledger: Ledger,
    /// L1, asked whether it reorged. Without it, fewer pairs can be distinguished.
    pub l1: Option<L1Reader>,
    /// The attested blocks.
    pub inbox: mpsc::Receiver<ValidBlock>,
    /// What is counted.
    pub metrics: AuditMetrics,
}

/// Finds out why two blocks of one height were attested.
#[derive(Debug)]
pub struct RivalWatcher {
    parts: RivalWatcherParts,
    attested: LruCache<(ChainId, B256), Attested>,
    rivals: Rivals,
}

impl RivalWatcher {
    /// A watcher that knows of no attested block yet.
    pub fn new(parts: RivalWatcherParts) -> Self {
        Self { parts, attested: LruCache::new(MAX_ORIGINS), rivals: Rivals::default() }
    }

    /// Watches until cancelled.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub async fn run(mut self, cancel: CancellationToken) -> Result<(), LedgerError> {
        loop {
            let due = self.rivals.next_due();
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                block = self.parts.inbox.recv() => match block {
                    Some(block) => self.on_block(&block),
                    None => return Ok(()),
                },
                () = sleep_until(due) => tokio::select! {
                    () = cancel.cancelled() => return Ok(()),
                    looked = self.check_due_pair() => looked?,
                },
            }
        }
    }

    /// Takes in an attested block.
    fn on_block(&mut self, block: &ValidBlock) {
        let (chain_id, number, newer) = (block.chain_id(), block.number(), block.hash());
        let first = block.payload().transactions.first();
        let info = first.and_then(|transaction| decode_l1_info(transaction).ok());
        let origin = info.map(|info| BlockNumHash { number: info.number, hash: info.hash });
        let known = self.attested.get(&(chain_id, newer)).is_some_and(|known| known.is_attributable);
        let is_attributable = known || block.domain().is_attributable();
        self.attested.put((chain_id, newer), Attested { origin, is_attributable });
        for rival in block.rivals() {
            let pair = Pair { chain_id, number, newer, older: rival.hash };
            if let Some(unknown) = self.rivals.note(pair, Instant::now()) {
                self.report(unknown, Relation::Unknown);
            }
        }
    }

    /// Checks the pair that has been due for longest.
    async fn check_due_pair(&mut self) -> Result<(), LedgerError> {
        let Some(pair) = self.rivals.due(Instant::now()) else { return Ok(()) };
        let cases = match self.parts.ledger.cases_at(pair.chain_id, pair.number).await {
            Err(LedgerError::OutOfRange { .. }) => Vec::new(),
            other => other?,
        };
        let mut sides = Vec::with_capacity(2);
        for hash in [pair.newer, pair.older] {
            let known = self.attested.peek(&(pair.chain_id, hash)).copied();
            let case = cases.iter().find(|case| case.hash == hash);
            sides.push(Side {
                hash,
                is_attributable: known.is_some_and(|known| known.is_attributable)
                    || case.is_some_and(|case| case.attributable == Some(true)),
                verdict: case.and_then(|case| case.verdict.clone()),
                replaces: case.and_then(|case| case.replaces),
                origin: self.origin(pair.chain_id, known.and_then(|known| known.origin)).await,
            });
        }
        let [newer, older] = &sides[..] else { return Ok(()) };
        let found = Relation::of(newer, older);
        if let Some(relation) = self.rivals.learn(pair, found, Instant::now()) {
            self.report(pair, relation);
        }
        Ok(())
    }

    /// Whether L1 has the block that an attested one is built on.
    async fn origin(&self, chain_id: ChainId, origin: Option<BlockNumHash>) -> Origin {
        let (Some(l1), Some(origin)) = (&self.parts.l1, origin) else { return Origin::Unknowable };
        // What it says may excuse a signer, or not: what was known before is not enough.
        let answer = match l1.refresh().await {
            Ok(()) => l1.at(origin).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(Some(block)) if block.hash() == origin.hash => Origin::Canonical,
            Ok(Some(_)) => Origin::Dropped,
            Ok(None) => Origin::NotYet,
            Err(error) => {
                self.parts.metrics.shared().source_failed(chain_id, EndpointKind::L1);
                debug!(%chain_id, %error, "L1 did not answer whether it reorged");
                Origin::NotYet
            }
        }
    }

    fn report(&self, pair: Pair, relation: Relation) {
        let Pair { chain_id, number, newer: hash, older: rival } = pair;
        self.parts.metrics.rival_attested(chain_id, relation);
        match relation {
            Relation::L1Reorg => {
                info!(%chain_id, number, %hash, %rival, "two attested blocks at one height: L1 reorg");
            }
            Relation::Replacement => {
                info!(%chain_id, number, %hash, %rival, "two attested blocks at one height: replacement of an invalid block");
            }
            Relation::Replayable => {
                info!(%chain_id, number, %hash, %rival, "two attested blocks at one height: possible replay");
            }
            Relation::Equivocation => {
                warn!(%chain_id, number, %hash, %rival, "equivocation: sequencer signed two blocks at one height");
            }
            Relation::Unknown => {
                warn!(%chain_id, number, %hash, %rival, "two attested blocks at one height: cause not known yet");
            }
        }
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
