//! [`SuspectWatcher`]: the task that checks gossiped blocks before any receipt of them exists, and says later
//! what became of what they declared.
//!
//! What is not known already is not a suspect. A suspicion that rests on a chain's view is confirmed with the
//! chain's endpoints before it is reported, without holding up the next block.

use super::MonitorMetrics;
use super::confirmation::Confirmation;
use crate::ledger::{Ledger, LedgerError};
use crate::metrics::Limit;
use crate::monitor::Suspects;
use crate::shared_tracker::SharedTracker;
use crate::sources::ExecutionClient;
use crosscheck_core::events::{Suspect, SuspectOutcome, SuspectRecord, suspects};
use crosscheck_core::message::BlockKey;
use crosscheck_core::proof::{LogIndex, inbox_keys};
use crosscheck_core::tracker::ObservedBlock;
use crosscheck_p2p::{ChainId, Clock, ValidBlock};
use futures::stream::{FuturesUnordered, StreamExt};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How many messages may wait for the watcher.
pub const SUSPECT_INBOX: usize = 1024;

/// How many suspects may wait for their block. Beyond it those of the lowest height are given up.
const MAX_PENDING: usize = 4096;

/// How many suspects of one block are reported. The rest is counted.
const MAX_PER_BLOCK: usize = 256;

/// Of how many blocks suspicions are confirmed at once. Beyond it they are not reported, and counted.
const MAX_CONFIRMING: usize = 64;

/// The inputs of the watcher.
#[derive(Debug)]
pub enum SuspectMessage {
    /// A valid unsafe block came in by gossip.
    Gossip {
        /// The block.
        block: ValidBlock,
        /// When it came in.
        at: Instant,
    },
    /// A block is canonical, and its receipts are proven.
    Observed(Arc<ObservedBlock>),
}

/// What the watcher works with.
#[derive(Debug)]
pub struct SuspectWatcherParts {
    /// What it is sent.
    pub inbox: mpsc::Receiver<SuspectMessage>,
    /// What is known of the chains.
    pub tracker: SharedTracker,
    /// Their proven logs.
    pub index: LogIndex,
    /// Who confirms suspicions.
    pub clients: BTreeMap<ChainId, ExecutionClient>,
    /// Where suspects are noted, and from where they are reported.
    pub ledger: Ledger,
    /// Where users find them.
    pub suspects: Suspects,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// What is counted.
    pub metrics: MonitorMetrics,
}

/// Checks gossiped blocks, and reports their suspects.
#[derive(Debug)]
pub struct SuspectWatcher {
    parts: SuspectWatcherParts,
    confirmation: Confirmation,
}

/// Suspects that wait for their block, by its chain and height.
#[derive(Debug, Default)]
struct Pending {
    chains: BTreeMap<ChainId, OfChain>,
    count: usize,
}

/// Those of one chain, by height.
#[derive(Debug, Default)]
struct OfChain {
    by_height: BTreeMap<u64, Vec<(u64, Suspect)>>,
    count: usize,
}

impl Pending {
    fn add(&mut self, id: u64, suspect: Suspect) {
        let of_chain = self.chains.entry(suspect.block.chain_id).or_default();
        of_chain.by_height.entry(suspect.block.number).or_default().push((id, suspect));
        of_chain.count = of_chain.count.saturating_add(1);
        self.count = self.count.saturating_add(1);
        while self.count > MAX_PENDING {
            // The chain with the most suspects makes room: no chain displaces another's.
            let most = self.chains.iter().max_by_key(|(_, of_chain)| of_chain.count);
            let oldest =
                most.and_then(|(chain_id, of)| Some((*chain_id, *of.by_height.first_key_value()?.0)));
            let Some((chain_id, number)) = oldest else { return };
            let _given_up = self.take(chain_id, number);
        }
    }

    fn take(&mut self, chain_id: ChainId, number: u64) -> Vec<(u64, Suspect)> {
        let Some(of_chain) = self.chains.get_mut(&chain_id) else { return Vec::new() };
        let taken = of_chain.by_height.remove(&number).unwrap_or_default();
        of_chain.count = of_chain.count.saturating_sub(taken.len());
        self.count = self.count.saturating_sub(taken.len());
        taken
    }
}

impl SuspectWatcher {
    /// A watcher that knows of no suspect yet.
    pub fn new(parts: SuspectWatcherParts) -> Self {
        let confirmation = Confirmation::new(parts.clients.clone(), parts.metrics.clone());
        Self { parts, confirmation }
    }

    /// Watches until cancelled.
    ///
    /// # Errors
    /// If the ledger fails: nothing is reported that cannot be written down.
    pub async fn run(mut self, cancel: CancellationToken) -> Result<(), LedgerError> {
        let mut pending = Pending::default();
        let mut confirming = FuturesUnordered::new();
        loop {
            let message = tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                Some((key, at, confirmed)) = confirming.next() => {
                    self.record(&mut pending, key, confirmed, at).await?;
                    continue;
                }
                message = self.parts.inbox.recv() => message,
            };
            match message {
                None => return Ok(()),
                Some(SuspectMessage::Gossip { block, at }) => {
                    let (key, found) = self.inspect(&block);
                    let (resting, sure): (Vec<_>, Vec<_>) =
                        found.into_iter().partition(|suspect| suspect.rests_on_view);
                    self.record(&mut pending, key, sure, at).await?;
                    if !resting.is_empty() && confirming.len() < MAX_CONFIRMING {
                        let confirmation = self.confirmation.clone();
                        confirming.push(async move { (key, at, confirmation.confirm(resting).await) });
                    } else if !resting.is_empty() {
                        self.parts.metrics.shared.limit_reached(Limit::SuspectConfirmation);
                    }
                }
                Some(SuspectMessage::Observed(block)) => self.settle(&mut pending, &block),
            }
        }
    }

    /// The suspects in a gossiped block, by what is known now.
    fn inspect(&self, block: &ValidBlock) -> (BlockKey, Vec<Suspect>) {
        let key = BlockKey { chain_id: block.chain_id(), number: block.number(), hash: block.hash() };
        let declared = inbox_keys(&block.payload().transactions);
        self.parts.metrics.suspects.undecodable_transactions(block.chain_id(), declared.undecodable);
        if declared.transactions.is_empty() {
            return (key, Vec::new());
        }
        let mut found = suspects(
            &self.parts.tracker.read(),
            &self.parts.index,
            key,
            block.timestamp(),
            &declared.transactions,
        );
        if found.len() > MAX_PER_BLOCK {
            self.parts.metrics.shared.limit_reached(Limit::SuspectsPerBlock);
            found.truncate(MAX_PER_BLOCK);
        }
        (key, found)
    }

    /// Notes a block's suspects, and reports those that are news.
    async fn record(
        &self,
        pending: &mut Pending,
        key: BlockKey,
        found: Vec<Suspect>,
        at: Instant,
    ) -> Result<(), LedgerError> {
        if found.is_empty() {
            return Ok(());
        }
        let new = match self.parts.ledger.note_suspects(&found, self.parts.clock.now()).await {
            Err(error @ LedgerError::OutOfRange { .. }) => {
                warn!(chain_id = %key.chain_id, %error, "suspect does not fit the ledger; not reported");
                return Ok(());
            }
            other => other?,
        };
        for (suspect, id) in found.into_iter().zip(new) {
            let Some(id) = id else { continue };
            let record = SuspectRecord { id, ..suspect.record() };
            self.report(&record, at);
            self.parts.suspects.note(record);
            pending.add(id, suspect);
        }
        // The chain's endpoints may have been faster than gossip.
        let canonical =
            self.parts.tracker.read().chain(key.chain_id).and_then(|view| view.block(key.number).cloned());
        if let Some(canonical) = canonical {
            self.settle(pending, &canonical);
        }
        Ok(())
    }

    fn report(&self, record: &SuspectRecord, at: Instant) {
        let incident = record.block;
        let BlockKey { chain_id, number, hash } = incident;
        let (transaction, reason, detail) = (record.transaction_hash, record.reason, &record.detail);
        let initiating = record.access.map(|access| access.chain_id);
        self.parts.metrics.suspects.suspect(chain_id, initiating, at.elapsed());
        warn!(%chain_id, number, %hash, %transaction, reason, detail, %incident,
              "gossiped transaction declares an invalid message");
    }

    fn settle(&self, pending: &mut Pending, canonical: &ObservedBlock) {
        for (id, suspect) in pending.take(canonical.key.chain_id, canonical.key.number) {
            let outcome = suspect.outcome(canonical);
            self.parts.suspects.settle(id, outcome);
            self.parts.metrics.suspects.suspect_settled(suspect.block.chain_id, outcome);
            if outcome == SuspectOutcome::Executed {
                let incident = suspect.block;
                let BlockKey { chain_id, number, hash } = incident;
                info!(%chain_id, number, %hash, transaction = %suspect.transaction_hash, %incident,
                      "suspect was executed");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;
    use crosscheck_core::events::SuspectFault;
    use crosscheck_core::validity::InvalidReason;

    fn suspect(chain_id: u64, number: u64) -> Suspect {
        Suspect {
            block: BlockKey { chain_id: chain_id.into(), number, hash: B256::ZERO },
            transaction_hash: B256::ZERO,
            transaction_index: 1,
            entry: 0,
            access: None,
            fault: SuspectFault::Invalid(InvalidReason::ExecutedByDeposit),
            rests_on_view: false,
        }
    }

    /// The chain with the lower id waits for a block when the other one floods.
    #[test]
    fn no_chain_displaces_the_suspects_of_another() {
        let mut pending = Pending::default();
        pending.add(0, suspect(901, 7));
        for number in 0..5_000 {
            pending.add(1 + number, suspect(902, number));
        }
        assert_eq!(pending.count, MAX_PENDING);
        assert_eq!(pending.take(901.into(), 7).len(), 1);
        assert!(pending.take(902.into(), 0).is_empty() && pending.take(902.into(), 4_999).len() == 1);
        assert_eq!(pending.count, MAX_PENDING - 2);
    }
}
