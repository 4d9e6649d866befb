//! [`Backoff`]: what happens when the ledger cannot be used: wait and retry. No writer continues before its
//! write is done, and no task before it has read what it needs. A caller of a method gets the error at once.
//!
//! Errors in the file's contents are not retried.

use super::{Ledger, LedgerError};
use crate::health::{Health, HealthPart};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// What cannot be done with the ledger.
#[derive(Debug, Clone, Copy)]
enum Access {
    Writing,
    Reading,
}

impl Access {
    /// The part of the program on `/readyz`.
    const fn part(self) -> HealthPart {
        match self {
            Self::Writing => HealthPart::Ledger,
            Self::Reading => HealthPart::LedgerReads,
        }
    }
}

/// How long it is waited before a write is retried: twice as long each time.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// At first.
    pub first: Duration,
    /// At most.
    pub longest: Duration,
}

impl Backoff {
    /// As a running program waits.
    pub const STANDARD: Self = Self { first: Duration::from_millis(250), longest: Duration::from_secs(10) };
}

/// Who waits for the ledger to be usable.
#[derive(Debug)]
pub(super) struct LedgerRetry {
    health: Health,
    cancel: CancellationToken,
    backoff: Backoff,
    writing: Outage,
    reading: Outage,
}

/// Who waits to write, or to read.
#[derive(Debug, Default)]
struct Outage {
    /// How many wait.
    waiting: AtomicUsize,
    /// Whether it was reported that they must.
    is_reported: AtomicBool,
}

/// Somebody who waits, until dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl LedgerRetry {
    const fn outage(&self, access: Access) -> &Outage {
        match access {
            Access::Writing => &self.writing,
            Access::Reading => &self.reading,
        }
    }

    fn report(&self, access: Access, error: &LedgerError) {
        let done = match access {
            Access::Writing => "written",
            Access::Reading => "read",
        };
        self.health.set_not_ready(&access.part(), format!("it cannot be {done}: {error}"));
        if self.outage(access).is_reported.swap(true, Ordering::AcqRel) {
            return;
        }
        match access {
            Access::Writing => {
                warn!(%error, "ledger cannot be written, nothing is judged or reported; free space on the disk of \
                               data_dir, or check the disk");
            }
            Access::Reading => {
                warn!(%error, "ledger cannot be read, everything that needs it waits; check the disk of data_dir");
            }
        }
    }

    /// It was done: if no write waits any more, the outage is over.
    fn done(&self, access: Access) {
        let Outage { waiting, is_reported } = self.outage(access);
        let is_over = waiting.load(Ordering::Acquire) == 0 && is_reported.swap(false, Ordering::AcqRel);
        if is_over && let Some(outage) = self.health.clear(&access.part()) {
            let seconds = outage.seconds();
            match access {
                Access::Writing => info!(seconds, "ledger is writable again"),
                Access::Reading => info!(seconds, "ledger is readable again"),
            }
        }
    }

    /// Retries until it is done, or the program ends.
    async fn until_done<T, F>(&self, access: Access, mut attempt: impl FnMut() -> F) -> Result<T, LedgerError>
    where
        F: Future<Output = Result<T, LedgerError>>,
    {
        let (mut waiting, mut pause) = (None, self.backoff.first);
        loop {
            let error = match attempt().await {
                Err(error) if error.is_transient() => error,
                other => {
                    drop(waiting);
                    if other.is_ok() {
                        self.done(access);
                    }
                    return other;
                }
            };
            let _waiting = waiting.get_or_insert_with(|| Waiting::begin(&self.outage(access).waiting));
            self.report(access, &error);
            if self.cancel.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return Err(error);
            }
            pause = pause.saturating_mul(2).min(self.backoff.longest);
        }
    }
}

impl Ledger {
    /// The same ledger, which waits where it cannot be written, as on a full disk, or read, until it can be
    /// or the token is cancelled.
    #[must_use]
    pub fn with_retries(mut self, health: Health, cancel: CancellationToken, backoff: Backoff) -> Self {
        let (writing, reading) = (Outage::default(), Outage::default());
        let ledger_retry = LedgerRetry { health, cancel, backoff, writing, reading };
        self.ledger_retry = Some(Arc::new(ledger_retry));
        self
    }

    /// The same ledger, which does not wait where it cannot be read. For anyone who answers a caller.
    #[must_use]
    pub fn without_waiting(&self) -> Self {
        let mut prompt = self.clone();
        prompt.is_prompt = true;
        prompt
    }

    /// Does a write, all or nothing, until it is done.
    pub(super) async fn retry_until_done<T, F>(&self, mut write: impl FnMut() -> F) -> Result<T, LedgerError>
    where
        F: Future<Output = Result<T, LedgerError>>,
    {
        match &self.ledger_retry {
            Some(ledger_retry) => ledger_retry.until_done(Access::Writing, write).await,
            None => write().await,
        }
    }

    /// Reads until it is done, unless the ledger is a prompt one.
    pub(super) async fn retry_read<T, F>(&self, mut read: impl FnMut() -> F) -> Result<T, LedgerError>
    where
        F: Future<Output = Result<T, LedgerError>>,
    {
        match self.ledger_retry.as_ref().filter(|_| !self.is_prompt) {
            Some(ledger_retry) => ledger_retry.until_done(Access::Reading, read).await,
            None => read().await,
        }
    }
}
