//! [`Backoff`]: what is done when the ledger cannot be written: wait and try again. Nobody who writes goes on before it is written.
//!
//! Reading goes on meanwhile. What is wrong with the file's contents is not waited out.

use super::{Ledger, LedgerError};
use crate::health::Health;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// The part of the program on `/readyz`.
const PART: &str = "ledger";

/// How long it is waited before a write is tried again: twice as long each time.
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

/// Who waits for the ledger to be writable.
#[derive(Debug)]
pub(super) struct Perseverance {
    health: Health,
    cancel: CancellationToken,
    backoff: Backoff,
    /// How many wait.
    waiting: AtomicUsize,
    /// Whether it was told that the ledger cannot be written.
    is_told: AtomicBool,
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
    fn tell(&self, error: &LedgerError) {
        self.health.obstruct(PART, format!("it cannot be written: {error}"));
        if !self.is_told.swap(true, Ordering::AcqRel) {
            warn!(%error, "the ledger cannot be written, and nothing more is judged or told: make room on the disk of data_dir, or see what is the matter with it; writing is tried again, and what can be read is answered");
        }
    }

    /// Something was written: if nobody waits any more, that is over.
    fn written(&self) {
        let is_over = self.waiting.load(Ordering::Acquire) == 0 && self.is_told.swap(false, Ordering::AcqRel);
        if is_over && let Some(outage) = self.health.clear(PART) {
            info!(seconds = outage.seconds(), "the ledger is written again");
        }
    }
}

impl Ledger {
    /// The same ledger, which waits where it cannot be written, as on a full disk, until it can be or the token is cancelled.
    #[must_use]
    pub fn persevering(mut self, health: Health, cancel: CancellationToken, backoff: Backoff) -> Self {
        let (waiting, is_told) = (AtomicUsize::default(), AtomicBool::default());
        let perseverance = Perseverance { health, cancel, backoff, waiting, is_told };
        self.perseverance = Some(Arc::new(perseverance));
        self
    }

    /// Does a write, all or nothing, until it is done.
    pub(super) async fn persevere<T, F>(&self, mut write: impl FnMut() -> F) -> Result<T, LedgerError>
    where
        F: Future<Output = Result<T, LedgerError>>,
    {
        let Some(perseverance) = &self.perseverance else { return write().await };
        let (mut waiting, mut pause) = (None, perseverance.backoff.first);
        loop {
            let error = match write().await {
                Err(error) if error.may_pass() => error,
                other => {
                    drop(waiting);
                    if other.is_ok() {
                        perseverance.written();
                    }
                    return other;
                }
            };
            let _waiting = waiting.get_or_insert_with(|| Waiting::begin(&perseverance.waiting));
            perseverance.tell(&error);
            if perseverance.cancel.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return Err(error);
            }
            pause = pause.saturating_mul(2).min(perseverance.backoff.longest);
        }
    }
}
