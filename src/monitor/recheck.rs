//! [`Recheck`]: holds back what there is to report of a message that was just found invalid, until the
//! endpoints confirm the blocks that this rests on.
//!
//! The view of one chain may be behind a reorg that the other chain's block knows of already: what the
//! message cites is there, on the new fork. So the executing block and the cited one are asked for once more
//! before an alarm is raised. While the endpoints name other blocks nothing is reported: the views will
//! follow. Endpoints that do not answer are not waited for for ever, for the views are what they agreed on
//! last.
//!
//! It never decides a status, and never holds back what protects followers.

use super::MonitorMetrics;
use crate::metrics::EndpointKind;
use crate::pieces::Pieces;
use crate::shared_tracker::SharedTracker;
use crate::sources::ExecutionClient;
use alloy::primitives::B256;
use crosscheck_core::tracker::{Change, Ending, MessageEvent, MessageKey};
use crosscheck_core::validity::MessageStatus;
use crosscheck_p2p::ChainId;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{debug, error};

/// How many messages are checked at once.
const AT_ONCE: usize = 16;

/// The pause after the first check that decided nothing; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause between two checks of one message.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// After this many panics of checks of one message it is reported nevertheless: a bug of ours must not
/// suppress an alarm.
const MAX_PANICS: u32 = 3;

/// For how long endpoints that do not answer are asked.
const ASKED_FOR: Duration = Duration::from_secs(10);

/// Holds back what there is to report of invalid messages.
#[derive(Debug)]
pub(super) struct Recheck {
    clients: Arc<BTreeMap<ChainId, ExecutionClient>>,
    tracker: SharedTracker,
    metrics: MonitorMetrics,
    /// What happened to each message that is checked, in order.
    held: BTreeMap<MessageKey, Vec<MessageEvent>>,
    /// Those whose turn has not come.
    queue: VecDeque<MessageKey>,
    /// Whether each is to be reported.
    running: Pieces<PendingCheck, bool>,
}

/// A message that is checked.
#[derive(Clone, Copy, Debug)]
struct PendingCheck {
    key: MessageKey,
    /// How often a check of it has panicked.
    panics: u32,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CheckResult {
    /// The endpoints have the blocks of the views.
    Confirmed,
    /// They have others.
    Contradicted,
    /// One did not answer.
    Unanswered,
}

/// A block that a status rests on. `hash`: `None` if the view has none at that height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ground {
    chain_id: ChainId,
    number: u64,
    hash: Option<B256>,
}

impl Recheck {
    /// Asks these clients about what is on the tracker.
    pub(super) fn new(
        clients: BTreeMap<ChainId, ExecutionClient>,
        tracker: SharedTracker,
        metrics: MonitorMetrics,
    ) -> Self {
        let (held, queue, running) = (BTreeMap::new(), VecDeque::new(), Pieces::new());
        Self { clients: Arc::new(clients), tracker, metrics, held, queue, running }
    }

    /// The events to pass on now that this has happened, in order. `is_known`: the message was reported as
    /// invalid before.
    pub(super) fn pass(&mut self, event: &MessageEvent, is_known: bool) -> Vec<MessageEvent> {
        let key = event.key;
        match event.change {
            Change::Status { to: MessageStatus::Invalid(_), .. } if !is_known => {
                if !self.held.contains_key(&key) {
                    self.queue.push_back(key);
                }
                self.held.entry(key).or_default().push(event.clone());
                Vec::new()
            }
            // It was invalid by a view that was behind, or its block was reorged out with that view.
            Change::Status { .. } | Change::Ended(Ending::Orphaned { .. }) => {
                self.held.remove(&key);
                vec![event.clone()]
            }
            Change::Ended(_) => {
                let mut events = self.release(&key);
                events.push(event.clone());
                events
            }
            Change::Discovered
            | Change::Undeclared
            | Change::Level { .. }
            | Change::Displaced
            | Change::Readopted => match self.held.get_mut(&key) {
                Some(held) => {
                    held.push(event.clone());
                    Vec::new()
                }
                None => vec![event.clone()],
            },
        }
    }

    /// What was held back of a message.
    pub(super) fn release(&mut self, key: &MessageKey) -> Vec<MessageEvent> {
        self.held.remove(key).unwrap_or_default()
    }

    /// Waits until the endpoints confirm what is held back of a message.
    pub(super) async fn next(&mut self) -> MessageKey {
        loop {
            self.start();
            match self.running.next().await {
                Some((pending_check, Ok(true))) => return pending_check.key,
                Some((_, Ok(false))) => {}
                Some((PendingCheck { key, panics }, Err(error))) => {
                    error!(%error, executing = %key.block, log_index = key.log_index,
                           "recheck of an invalid message crashed; retrying");
                    let again = PendingCheck { key, panics: panics.saturating_add(1) };
                    if again.panics >= MAX_PANICS {
                        return key;
                    }
                    self.begin(again, LONGEST_PAUSE);
                }
                None => std::future::pending().await,
            }
        }
    }

    fn start(&mut self) {
        while self.running.len() < AT_ONCE {
            let Some(key) = self.queue.pop_front() else { return };
            self.begin(PendingCheck { key, panics: 0 }, Duration::ZERO);
        }
    }

    /// Checks a message after a pause, if something is held back of it.
    fn begin(&mut self, pending_check: PendingCheck, pause: Duration) {
        if !self.held.contains_key(&pending_check.key) {
            return;
        }
        let checker = Checker {
            clients: Arc::clone(&self.clients),
            tracker: self.tracker.clone(),
            metrics: self.metrics.clone(),
        };
        self.running.begin(pending_check, async move {
            tokio::time::sleep(pause).await;
            checker.check_until_settled(pending_check.key).await
        });
    }
}

/// Looks at one message.
struct Checker {
    clients: Arc<BTreeMap<ChainId, ExecutionClient>>,
    tracker: SharedTracker,
    metrics: MonitorMetrics,
}

impl Checker {
    /// `false`: the message is invalid no longer.
    async fn check_until_settled(&self, key: MessageKey) -> bool {
        let mut unanswered_since = None;
        let mut pause = FIRST_PAUSE;
        while let Some(grounds) = self.grounds(&key) {
            let result = self.check(&grounds).await;
            unanswered_since = match result {
                CheckResult::Unanswered => unanswered_since.or_else(|| Some(Instant::now())),
                CheckResult::Confirmed | CheckResult::Contradicted => None,
            };
            if is_to_be_reported(result, unanswered_since.map(|since| since.elapsed())) {
                return true;
            }
            debug!(executing = %key.block, log_index = key.log_index, ?result, "rechecking an invalid message");
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
        false
    }

    /// The blocks that it rests on that the message is invalid: its own, and what its chain's view has at the
    /// cited height. `None`: it is not invalid.
    fn grounds(&self, key: &MessageKey) -> Option<Vec<Ground>> {
        let tracker = self.tracker.read();
        let message = tracker.message(key)?;
        if !matches!(message.status(), MessageStatus::Invalid(_)) {
            return None;
        }
        let block = key.block;
        let mut grounds =
            vec![Ground { chain_id: block.chain_id, number: block.number, hash: Some(block.hash) }];
        if let Some(cited) = message.message().map(|message| message.identifier)
            && let Some(view) = tracker.chain(cited.chain_id)
            // What is below a view was asked for when it was checked.
            && view.first().is_some_and(|first| first <= cited.block_number)
        {
            let hash = view.block(cited.block_number).map(|block| block.key.hash);
            grounds.push(Ground { chain_id: cited.chain_id, number: cited.block_number, hash });
        }
        Some(grounds)
    }

    async fn check(&self, grounds: &[Ground]) -> CheckResult {
        for Ground { chain_id, number, hash } in grounds {
            let Some(client) = self.clients.get(chain_id) else { continue };
            match client.canonical_hash(*number).await {
                Ok(canonical) if canonical == *hash => {}
                Ok(_) => return CheckResult::Contradicted,
                Err(error) => {
                    self.metrics.shared.source_failed(*chain_id, EndpointKind::Execution);
                    debug!(%chain_id, %error, "source failed; its answer stays unknown");
                    return CheckResult::Unanswered;
                }
            }
        }
        CheckResult::Confirmed
    }
}

/// Whether an invalid message is reported. `unanswered`: for how long there has been no answer.
fn is_to_be_reported(result: CheckResult, unanswered: Option<Duration>) -> bool {
    match result {
        CheckResult::Confirmed => true,
        CheckResult::Contradicted => false,
        CheckResult::Unanswered => unanswered.is_some_and(|since| since >= ASKED_FOR),
    }
}

#[cfg(test)]
mod tests;
