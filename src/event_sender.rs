//! [`EventSender`]: the task that passes on to subscribers what the ledger says is reported, in its order.
//!
//! It reports nothing that is not durable, and of nothing twice. What was written while nobody passed it on,
//! as before a crash, is not sent again: it is read by its id. It never waits for a subscriber.

use crate::ledger::{EventFilter, Ledger, LedgerError, StoredEvent};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// How many events may wait for the slowest subscriber. One that is further behind is dropped.
pub(crate) const EVENT_CAPACITY: usize = 1024;

/// How many events are read at once.
const BATCH: u32 = 256;

/// How often the ledger is checked without a notification: another program may have written one.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// Passes on what is reported.
#[derive(Debug)]
pub(crate) struct EventSender {
    ledger: Ledger,
    subscribers: broadcast::Sender<StoredEvent>,
    /// The last event that was passed on.
    last: u64,
}

impl EventSender {
    /// A sender of what is written from now on.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(crate) async fn begin(
        ledger: Ledger,
        subscribers: broadcast::Sender<StoredEvent>,
    ) -> Result<Self, LedgerError> {
        let last = ledger.last_event().await?;
        Ok(Self { ledger, subscribers, last })
    }

    /// Passes on until cancelled.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(crate) async fn run(mut self, cancel: CancellationToken) -> Result<(), LedgerError> {
        let mut written = self.ledger.watch_events();
        let mut look = tokio::time::interval(LOOK_INTERVAL);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_more = match self.send_batch().await {
                Ok(is_more) => is_more,
                Err(error) if error.is_transient() => {
                    debug!(%error, "events cannot be read now; retrying");
                    false
                }
                Err(error) => return Err(error),
            };
            if is_more && !cancel.is_cancelled() {
                continue;
            }
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                Ok(()) = written.changed() => {}
                _ = look.tick() => {}
            }
        }
    }

    /// Passes on one batch. Returns whether there is more.
    async fn send_batch(&mut self) -> Result<bool, LedgerError> {
        let filter = EventFilter { after: self.last, limit: BATCH, ..EventFilter::default() };
        let read = self.ledger.events(filter).await?;
        for event in read.items {
            // Nobody has to listen.
            let _unheard = self.subscribers.send(event);
        }
        self.last = read.cursor;
        Ok(read.is_more)
    }
}

#[cfg(test)]
mod tests;
