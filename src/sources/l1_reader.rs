//! [`L1Reader`]: which blocks L1 has, asked for once for all who want to know.
//!
//! It asks for the latest block now and then, joins that to what it knows, and answers from there. That a
//! block is on L1 may be some seconds old; that another one has its place is looked up at that moment. A
//! caller that is about to find a block invalid asks [`L1Reader::refresh`] first. It judges nothing.

use super::l1_chain::{At, L1Chain};
use super::{L1Client, SourceError};
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_core::proof::VerifiedL1Header;
use parking_lot::Mutex;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// How old an answer may be: less than a slot of L1.
const FRESH: Duration = Duration::from_secs(11);

/// How many blocks are gone back from a new head to one that is known: about thirteen minutes of L1.
const MAX_STEPS: usize = 64;

type Header = Arc<VerifiedL1Header>;

/// What L1 is asked for.
pub trait L1Source: Send + Sync {
    /// The latest block.
    fn latest(&self) -> impl Future<Output = Result<Header, SourceError>> + Send;

    /// A block, canonical or not.
    fn by_hash(&self, hash: B256) -> impl Future<Output = Result<Option<Header>, SourceError>> + Send;

    /// The canonical block at a height.
    fn by_number(&self, number: u64) -> impl Future<Output = Result<Option<Header>, SourceError>> + Send;
}

impl L1Source for L1Client {
    async fn latest(&self) -> Result<Header, SourceError> {
        self.latest().await
    }

    async fn by_hash(&self, hash: B256) -> Result<Option<Header>, SourceError> {
        self.block_by_hash(hash).await
    }

    async fn by_number(&self, number: u64) -> Result<Option<Header>, SourceError> {
        self.block_by_number(number).await
    }
}

/// Answers which blocks L1 has. Clones share what is known.
#[derive(Clone, Debug)]
pub struct L1Reader<S = L1Client>(Arc<Inner<S>>);

#[derive(Debug)]
struct Inner<S> {
    source: S,
    fresh: Duration,
    known: Mutex<Known>,
    /// How many looks were begun.
    begun: AtomicU64,
    /// The outcome of the newest read that ended, and its number. Locked while L1 is asked: one read at a
    /// time.
    ended: tokio::sync::Mutex<Option<(u64, Result<(), SourceError>)>>,
}

#[derive(Debug, Default)]
struct Known {
    chain: L1Chain,
    /// When the newest look that succeeded was begun.
    at: Option<Instant>,
}

impl L1Reader {
    /// A reader of what this client says.
    pub fn new(client: L1Client) -> Self {
        Self::of(client, FRESH)
    }

    /// The client, for what cannot be answered from here.
    pub fn client(&self) -> &L1Client {
        &self.0.source
    }
}

impl<S: L1Source> L1Reader<S> {
    /// A reader whose answers are at most so old.
    pub(crate) fn of(source: S, fresh: Duration) -> Self {
        let (known, begun) = (Mutex::default(), AtomicU64::new(0));
        Self(Arc::new(Inner { source, fresh, known, begun, ended: tokio::sync::Mutex::default() }))
    }

    /// L1's latest block.
    ///
    /// # Errors
    /// If L1 does not answer.
    pub async fn head(&self) -> Result<Header, SourceError> {
        self.ensure_fresh().await?;
        let head = self.0.known.lock().chain.head().cloned();
        match head {
            Some(head) => Ok(head),
            None => self.0.source.latest().await,
        }
    }

    /// The canonical block at the height of this one. `None`: L1 is not that far. That it is another one, or
    /// none, was found out after this was called.
    ///
    /// # Errors
    /// If L1 does not answer.
    pub async fn at(&self, claimed: BlockNumHash) -> Result<Option<Header>, SourceError> {
        self.ensure_fresh().await?;
        let known = match self.known_at(claimed.number) {
            At::Known(header) => Some(header),
            // A block this far below the head is requested directly: the head adds no information about it.
            At::NotKept => self.fetch_below(claimed.number).await?,
            At::Above => None,
        };
        if let Some(header) = known.filter(|header| header.hash() == claimed.hash) {
            return Ok(Some(header));
        }
        self.refresh().await?;
        match self.known_at(claimed.number) {
            At::Known(header) if header.hash() == claimed.hash => Ok(Some(header)),
            At::Known(header) if self.is_in_run(&header) => Ok(Some(header)),
            At::Known(_) | At::NotKept => self.fetch_below(claimed.number).await,
            At::Above => Ok(None),
        }
    }

    /// The blocks after this height that are known, oldest first.
    pub(crate) fn after(&self, number: u64) -> Vec<Header> {
        self.0.known.lock().chain.after(number)
    }

    /// Whether this block is known to be canonical, by what L1 said last.
    pub(crate) fn has(&self, block: BlockNumHash) -> bool {
        matches!(self.known_at(block.number), At::Known(header) if header.hash() == block.hash)
    }

    /// How often L1 was seen to leave a branch. What was learnt before the newest time may not be so any
    /// more.
    pub fn reorg_count(&self) -> u64 {
        self.0.known.lock().chain.reorg_count()
    }

    /// Asks for L1's latest block now, or waits for a look that was begun after this was called.
    ///
    /// # Errors
    /// If L1 does not answer.
    pub async fn refresh(&self) -> Result<(), SourceError> {
        let begun = self.0.begun.load(Ordering::SeqCst);
        let mut ended = self.0.ended.lock().await;
        if let Some((_, outcome)) = ended.as_ref().filter(|(look, _)| *look > begun) {
            return outcome.clone();
        }
        let look = self.0.begun.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        let outcome = self.ask(Instant::now()).await;
        *ended = Some((look, outcome.clone()));
        outcome
    }

    /// Makes sure that what is known is fresh.
    async fn ensure_fresh(&self) -> Result<(), SourceError> {
        let at = self.0.known.lock().at;
        if at.is_some_and(|at| at.elapsed() < self.0.fresh) {
            return Ok(());
        }
        self.refresh().await
    }

    /// Asks for the latest block, and for those between it and what is known.
    async fn ask(&self, now: Instant) -> Result<(), SourceError> {
        let mut path = vec![self.0.source.latest().await?];
        while path.len() < MAX_STEPS {
            let missing = path.last().and_then(|last| self.0.known.lock().chain.missing_parent(last));
            let Some(hash) = missing else { break };
            let Some(parent) = self.0.source.by_hash(hash).await? else { break };
            path.push(parent);
        }
        let mut known = self.0.known.lock();
        known.chain.adopt(&path);
        known.at = Some(now);
        Ok(())
    }

    fn known_at(&self, number: u64) -> At {
        self.0.known.lock().chain.at(number)
    }

    /// Whether the block is one of those that are joined to the head.
    fn is_in_run(&self, header: &VerifiedL1Header) -> bool {
        let known = header.number().checked_sub(1).map(|below| self.after(below));
        known.is_some_and(|known| known.first().is_some_and(|first| first.hash() == header.hash()))
    }

    /// Asks for a block below those that are joined to the head.
    async fn fetch_below(&self, number: u64) -> Result<Option<Header>, SourceError> {
        let left = self.reorg_count();
        let header = self.0.source.by_number(number).await?;
        if let Some(header) = &header {
            self.0.known.lock().chain.keep_below(Arc::clone(header), left);
        }
        Ok(header)
    }
}

#[cfg(test)]
mod tests;
