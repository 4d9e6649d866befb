//! [`Monitor`]: the task that tracks every executing message of every chain.
//!
//! It alone writes the tracker. What is noteworthy is in the ledger before it is reported; what an earlier
//! run reported is not reported again.

use super::MonitorMetrics;
use super::counted::CountedEvents;
use super::fetcher::Fetcher;
use super::recheck::Recheck;
use super::report::{report, report_refused};
use super::{Cursors, SuspectMessage};
use crate::incidents::Incidents;
use crate::invalid_blocks::{InvalidBlocks, Prover};
use crate::ledger::{Ledger, LedgerError};
use crate::metrics::Limit;
use crate::shared_tracker::{SharedTracker, TrackerWriter};
use crate::sources::ExecutionClient;
use alloy::eips::BlockNumHash;
use crosscheck_core::events::{Filing, Notice, NoticeFilter, UnknownInboxEvents};
use crosscheck_core::heads::{SafetyHeads, SafetyLevel};
use crosscheck_core::message::BlockKey;
use crosscheck_core::proof::LogIndex;
use crosscheck_core::tracker::{
    ChainView, Change, Input, MessageEvent, MessageKey, ObservedBlock, Request, TrackerOutcome,
};
use crosscheck_core::validity::{MessageStatus, Validity};
use crosscheck_p2p::{ChainId, Clock, UnixSeconds};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How many messages may wait for the monitor. Beyond it the chains' readers wait.
pub const MONITOR_INBOX: usize = 1024;

/// How often expired messages are searched for, cursors are moved and gauges are set.
const TICK: Duration = Duration::from_secs(1);

/// How many notes of a chain are read back after a restart.
const MAX_RESTORED: u32 = 1_000_000;

/// What the monitor is sent.
#[derive(Debug)]
pub enum MonitorMessage {
    /// The first block of a chain, or the child of its tip.
    Block(Arc<ObservedBlock>),
    /// Blocks above this height are canonical no longer.
    Rewound {
        /// The chain.
        chain_id: ChainId,
        /// The highest height that stays.
        kept: u64,
    },
    /// How far a chain is.
    Heads {
        /// The chain.
        chain_id: ChainId,
        /// Its heads.
        heads: SafetyHeads,
    },
}

/// What the monitor works with.
#[derive(Debug)]
pub struct MonitorParts {
    /// The tracker that it writes.
    pub tracker: TrackerWriter,
    /// The execution clients, asked for blocks that messages cite.
    pub clients: BTreeMap<ChainId, ExecutionClient>,
    /// The proven logs of all chains.
    pub index: LogIndex,
    /// What it is sent.
    pub inbox: mpsc::Receiver<MonitorMessage>,
    /// Who says what became of suspects.
    pub suspects: mpsc::Sender<SuspectMessage>,
    /// What must not be lost, and from where it is reported.
    pub ledger: Ledger,
    /// Where invalid blocks are marked the moment that they are proven.
    pub invalid: InvalidBlocks,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// How many seconds messages are tracked for.
    pub retention: u64,
    /// Which alarms were raised, here or by the audit.
    pub incidents: Incidents,
    /// What is counted.
    pub metrics: MonitorMetrics,
}

/// The task that tracks every executing message.
#[derive(Debug)]
pub struct Monitor {
    parts: MonitorParts,
    tracker: SharedTracker,
    chains: Vec<ChainId>,
    fetcher: Fetcher,
    recheck: Recheck,
    filter: NoticeFilter,
    counted: CountedEvents,
    cursors: Cursors,
    unknown_events: UnknownInboxEvents,
    /// Messages that have ended, of which that is not news, though they were not plainly valid. They are not
    /// filed yet.
    ended: Vec<MessageKey>,
    /// How many messages were not tracked for want of room, as counted last.
    dropped: u64,
    /// When it started. The age of a chain that was not read counts from then.
    began: UnixSeconds,
}

impl Monitor {
    /// A monitor of the chains of the dependency set.
    pub fn new(parts: MonitorParts) -> Self {
        let tracker = parts.tracker.tracker();
        let chains = tracker.read().set().chain_ids().collect();
        let fetcher = Fetcher::new(parts.clients.clone(), parts.metrics.clone());
        let recheck = Recheck::new(parts.clients.clone(), tracker.clone(), parts.metrics.clone());
        let (filter, counted, cursors) =
            (NoticeFilter::default(), CountedEvents::default(), Cursors::default());
        let (unknown_events, began) = (UnknownInboxEvents::default(), parts.clock.now());
        Self {
            parts,
            tracker,
            chains,
            fetcher,
            recheck,
            filter,
            counted,
            cursors,
            unknown_events,
            ended: Vec::new(),
            dropped: 0,
            began,
        }
    }

    /// Tracks until cancelled.
    ///
    /// # Errors
    /// If the ledger fails: nothing is reported that cannot be written down.
    pub async fn run(mut self, cancel: CancellationToken) -> Result<(), LedgerError> {
        self.restore().await?;
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let tracker = self.tracker.clone();
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                message = self.parts.inbox.recv() => match message {
                    Some(message) => self.handle(message).await?,
                    None => return Ok(()),
                },
                input = self.fetcher.next(|request| is_needed(&tracker, request)) => {
                    self.apply(input, Vec::new()).await?;
                }
                key = self.recheck.next() => {
                    let events = self.recheck.release(&key);
                    let notes = self.notices_of(&events);
                    self.write_notices(notes).await?;
                }
                _ = tick.tick() => self.tick().await?,
            }
        }
    }

    /// Opens what an earlier run noted.
    async fn restore(&mut self) -> Result<(), LedgerError> {
        for chain_id in &self.chains {
            let cursor = self.parts.ledger.cursor(*chain_id).await?;
            if let Some(BlockNumHash { number, hash }) = cursor {
                self.cursors.restore(*chain_id, BlockNumHash { number, hash });
            }
            let above = cursor.map(|cursor| cursor.number);
            let noted = self.parts.ledger.noted_messages(*chain_id, above, MAX_RESTORED).await?;
            for (key, entry) in noted {
                self.filter.restore(key, entry);
            }
            for key in self.parts.ledger.settled_messages(*chain_id, above, MAX_RESTORED).await? {
                self.parts.tracker.recall(key);
            }
        }
        if !self.filter.is_empty() {
            info!(messages = self.filter.len(), "resuming tracked messages");
        }
        Ok(())
    }

    async fn handle(&mut self, message: MonitorMessage) -> Result<(), LedgerError> {
        match message {
            MonitorMessage::Block(block) => {
                let mut gone = self.filter.observe(&block);
                self.parts.metrics.messages.unknown_inbox_events(&block);
                gone.extend(Notice::undecodable(&block).filter(|note| self.unknown_events.pass(note)));
                self.apply(Input::Block(Arc::clone(&block)), gone).await?;
                if self.parts.suspects.try_send(SuspectMessage::Observed(block)).is_err() {
                    self.parts.metrics.shared.limit_reached(Limit::SuspectInbox);
                }
                Ok(())
            }
            MonitorMessage::Rewound { chain_id, kept } => {
                self.apply(Input::Rewound { chain_id, kept }, Vec::new()).await
            }
            MonitorMessage::Heads { chain_id, heads } => {
                self.apply(Input::Heads { chain_id, heads }, Vec::new()).await
            }
        }
    }

    /// Gives the tracker an input, and handles its outcome: first the ledger, then the world. `gone`: notes
    /// on messages of an earlier run.
    async fn apply(&mut self, input: Input, gone: Vec<Notice>) -> Result<(), LedgerError> {
        let TrackerOutcome { events, requests, refused, refused_steps } = self.parts.tracker.apply(input);
        report_refused(&self.parts.metrics.messages, refused, &refused_steps);
        for event in &events {
            if matches!(event.change, Change::Status { to, .. } if to != MessageStatus::Unknown) {
                self.update_mark(&event.key.block);
            }
        }
        self.fetcher.request(requests);
        let mut notes: Vec<(Notice, bool)> = gone.into_iter().map(|note| (note, false)).collect();
        for event in &events {
            if self.counted.is_first(event) {
                self.parts.metrics.messages.message_event(event);
            }
            self.cursors.on_event(event);
            let is_known = self.filter.is_invalid(&event.key);
            let events = self.recheck.pass(event, is_known);
            notes.extend(self.notices_of(&events));
        }
        self.write_notices(notes).await
    }

    /// What there is to note of events. With each: that its event was counted.
    fn notices_of(&mut self, events: &[MessageEvent]) -> Vec<(Notice, bool)> {
        let mut notes = Vec::new();
        for event in events {
            let (mut last, mut is_plain) = (None, true);
            if matches!(event.change, Change::Ended(_))
                && let Some(message) = self.tracker.read().message(&event.key)
            {
                (last, is_plain) = (Some(message.status()), message.has_ended_plainly());
            }
            let is_known = self.filter.get(&event.key).is_some();
            let note = self.filter.on_event(&self.proven(event), last);
            if note.is_none() && matches!(event.change, Change::Ended(_)) && (is_known || !is_plain) {
                self.ended.push(event.key);
            }
            notes.extend(note.map(|note| (note, true)));
        }
        notes
    }

    /// The event, its block no further than the chain's node can have proven it.
    fn proven(&self, event: &MessageEvent) -> MessageEvent {
        let tracker = self.tracker.read();
        let level = tracker
            .chain(event.key.block.chain_id)
            .map_or(event.level, |view| view.heads().proven(event.level, event.timestamp));
        MessageEvent { level, ..event.clone() }
    }

    /// Marks a block that has an invalid message, and one no longer of which every message is valid. As long
    /// as something is unknown, or another block is there, the last statement about it remains.
    fn update_mark(&self, block: &BlockKey) {
        let status = {
            let tracker = self.tracker.read();
            let view = tracker.chain(block.chain_id);
            let view = view.filter(|view| view.block(block.number).is_some_and(|known| known.key == *block));
            view.and_then(|view| view.validity_of(block.number))
        };
        match status {
            Some(Validity::Invalid) if !self.parts.invalid.prove(block, Prover::Monitor) => {
                self.parts.metrics.shared.limit_reached(Limit::InvalidBlocks);
            }
            Some(Validity::Valid) => self.parts.invalid.withdraw_proof(block, Prover::Monitor),
            _ => {}
        }
    }

    /// Writes notes down, from where they are reported, with what is kept of their messages, and reports
    /// those that are news. With each: whether its event was counted.
    ///
    /// Nobody else numbers changes meanwhile: what is listed under the numbers given here is durable before
    /// any later change is.
    async fn write_notices(&mut self, notes: Vec<(Notice, bool)>) -> Result<(), LedgerError> {
        let ended = std::mem::take(&mut self.ended);
        if notes.is_empty() && ended.is_empty() {
            return Ok(());
        }
        let (notes, counted): (Vec<Notice>, Vec<bool>) = notes.into_iter().unzip();
        let filings = Filing::all(&notes, &ended, &self.tracker.read());
        let written = self.parts.ledger.note_and_file(&notes, &filings, self.parts.clock.now()).await;
        let is_filed = written.is_ok();
        let is_new = match written {
            Err(error @ LedgerError::OutOfRange { .. }) => {
                warn!(%error, "message does not fit the ledger; logged without an event");
                vec![true; notes.len()]
            }
            other => other?,
        };
        let over: Vec<MessageKey> =
            filings.iter().filter(|it| is_filed && it.sequence().is_some()).map(Filing::key).collect();
        self.parts.tracker.file(&over, u64::try_from(over.len()).unwrap_or(u64::MAX));
        for ((note, counted), is_new) in notes.iter().zip(counted).zip(is_new) {
            if is_new {
                self.parts.metrics.messages.message_noted(note, counted);
                report(note, &self.parts.incidents);
            }
        }
        Ok(())
    }

    async fn tick(&mut self) -> Result<(), LedgerError> {
        let now = self.parts.clock.now();
        let late = self.filter.expire(now, self.parts.retention);
        self.apply(Input::Time(now), late).await?;
        self.publish();
        let mut moved = Vec::new();
        {
            let tracker = self.tracker.read();
            for chain_id in &self.chains {
                let Some(view) = tracker.chain(*chain_id) else { continue };
                let hash_at = |number| view.block(number).map(|block| block.key.hash);
                if let Some(cursor) = self.cursors.advance(*chain_id, view.heads().finalized, hash_at) {
                    moved.push((*chain_id, cursor));
                }
            }
        }
        if moved.is_empty() {
            return Ok(());
        }
        for (chain_id, cursor) in &moved {
            let gone = self.filter.orphan(*chain_id, cursor.number);
            self.write_notices(gone.into_iter().map(|note| (note, false)).collect()).await?;
        }
        self.parts.ledger.move_cursors(&moved).await?;
        for (chain_id, cursor) in moved {
            self.filter.settle(chain_id, cursor.number);
        }
        Ok(())
    }

    fn publish(&mut self) {
        let (metrics, now) = (&self.parts.metrics, self.parts.clock.now());
        let tracker = self.tracker.read();
        metrics.messages.tracked(tracker.counts(), tracker.open());
        for chain_id in &self.chains {
            let view = tracker.chain(*chain_id);
            let newest = view.and_then(ChainView::tip).map_or(self.began, |tip| tip.timestamp);
            metrics.reading.tip_age(*chain_id, Duration::from_secs(now.0.saturating_sub(newest.0)));
            let Some(view) = view else { continue };
            metrics.messages.open_messages_at(*chain_id, view.oldest_open().zip(view.newest_open()));
            if let Some(number) = view.cross_unsafe() {
                metrics.shared.head(*chain_id, SafetyLevel::CrossUnsafe.into(), number);
            }
        }
        metrics.shared.limits_reached(Limit::TrackedMessages, tracker.dropped().saturating_sub(self.dropped));
        self.dropped = tracker.dropped();
        metrics.reading.log_index_bytes(self.parts.index.bytes());
        metrics.reading.awaited_blocks(self.fetcher.len());
    }
}

/// Whether the answer to a request is still needed.
fn is_needed(tracker: &SharedTracker, request: &Request) -> bool {
    let (chain_id, _) = request.place();
    tracker.read().chain(chain_id).is_some_and(|view| view.awaits(request))
}

#[cfg(test)]
mod tests;
