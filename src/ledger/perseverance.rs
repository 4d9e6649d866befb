//! [`Backoff`]: what happens when the ledger cannot be used: wait and retry. No writer continues before its write
//! is done, and no task before it has read what it needs. A caller of a method gets the error at once.
//!
//! Errors in the file's contents are not retried.

use super::{Ledger, LedgerError};
use crate::health::Health;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// What cannot be done with the ledger.
#[derive(Debug, Clone, Copy)]
enum Doing {
    Writing,
    Reading,
}

impl Doing {
    /// The part of the program on `/readyz`.
    const fn part(self) -> &'static str {
        match self {
            Self::Writing => "ledger",
            Self::Reading => "ledger reads",
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
pub(super) struct Perseverance {
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

impl Perseverance {
    const fn outage(&self, doing: Doing) -> &Outage {
        match doing {
            Doing::Writing => &self.writing,
            Doing::Reading => &self.reading,
        }
    }

    fn report(&self, doing: Doing, error: &LedgerError) {
        let done = match doing {
            Doing::Writing => "written",
            Doing::Reading => "read",
        };
        self.health.obstruct(doing.part(), format!("it cannot be {done}: {error}"));
        if self.outage(doing).is_reported.swap(true, Ordering::AcqRel) {
            return;
        }
        match doing {
            Doing::Writing => {
                warn!(%error, "ledger cannot be written, nothing is judged or reported; free space on the disk of \
                               data_dir, or check the disk");
            }
            Doing::Reading => {
                warn!(%error, "ledger cannot be read, everything that needs it waits; check the disk of data_dir");
            }
        }
    }

    /// It was done: if no write waits any more, the outage is over.
    fn done(&self, doing: Doing) {
        let Outage { waiting, is_reported } = self.outage(doing);
        let is_over = waiting.load(Ordering::Acquire) == 0 && is_reported.swap(false, Ordering::AcqRel);
        if is_over && let Some(outage) = self.health.clear(doing.part()) {
            let seconds = outage.seconds();
            match doing {
                Doing::Writing => info!(seconds, "ledger is writable again"),
                Doing::Reading => info!(seconds, "ledger is readable again"),
            }
        }
    }

    /// Retries until it is done, or the program ends.
    async fn until_done<T, F>(&self, doing: Doing, mut attempt: impl FnMut() -> F) -> Result<T, LedgerError>
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
                        self.done(doing);
                    }
                    return other;
                }
            };
            let _waiting = waiting.get_or_insert_with(|| Waiting::begin(&self.outage(doing).waiting));
            self.report(doing, &error);
            if self.cancel.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return Err(error);
            }
            pause = pause.saturating_mul(2).min(self.backoff.longest);
        }
    }
}

impl Ledger {
    /// The same ledger, which waits where it cannot be written, as on a full disk, or read, until it can be or the token is cancelled.
    #[must_use]
    pub fn persevering(mut self, health: Health, cancel: CancellationToken, backoff: Backoff) -> Self {
        let (writing, reading) = (Outage::default(), Outage::default());
        let perseverance = Perseverance { health, cancel, backoff, writing, reading };
        self.perseverance = Some(Arc::new(perseverance));
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
        match &self.perseverance {
            Some(perseverance) => perseverance.until_done(Doing::Writing, write).await,
            None => write().await,
        }
    }

    /// Reads until it is done, unless the ledger is a prompt one.
    pub(super) async fn reread<T, F>(&self, mut read: impl FnMut() -> F) -> Result<T, LedgerError>
    where
        F: Future<Output = Result<T, LedgerError>>,
    {
        match self.perseverance.as_ref().filter(|_| !self.is_prompt) {
            Some(perseverance) => perseverance.until_done(Doing::Reading, read).await,
            None => read().await,
        }
    }
}
