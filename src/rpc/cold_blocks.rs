//! [`ColdBlocks`]: the proven logs of blocks that are not in memory. Each is fetched once, however many
//! callers wait for it, several at a time, and by a deadline; a fetch without a waiting caller ends.
//!
//! It judges nothing: what does not come in time, or for which there is no room, is an error that says so.

use super::SupervisorError;
use super::superchain_reader::SuperchainReader;
use crate::metrics::Limit;
use crate::sources::SourceError;
use crate::web::{Bound, Overload};
use alloy::primitives::B256;
use crosscheck_core::proof::{ProvenLogs, VerifiedBlock};
use crosscheck_p2p::ChainId;
use futures::future::{BoxFuture, Shared, WeakShared};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, stream};
use lru::LruCache;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

/// How many blocks may be fetched at once, for all callers together.
const MAX_FETCHES: usize = 64;

/// How many blocks of one list may be fetched at once.
const AT_ONCE: usize = 32;

/// How many lists may wait for blocks at once.
const MAX_WAITING: usize = 1024;

/// How many lists' blocks may be fetched on after the list was answered, and for how long.
const MAX_LEFT_BEHIND: usize = 64;
const LEFT_BEHIND: Duration = Duration::from_secs(30);

/// How much memory the hashes of settled blocks may take.
const REMEMBERED_BYTES: usize = 32 * 1024 * 1024;

/// What one of them takes: its entry in the list (key, value, two links), the allocator's part, and its slot
/// in the table, which may be half empty.
const REMEMBERED_ENTRY: usize =
    size_of::<(ChainId, u64, B256, [usize; 4])>() + 2 * (size_of::<(usize, usize)>() + 1);

const FULL: Bound = Bound {
    limit: Limit::ColdChecks,
    remedy: "too many access lists wait for blocks to be fetched; use faster execution endpoints, or more of \
             them, or raise interop.log_index_mib",
};

/// A block whose logs are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WantedBlock {
    /// The chain.
    pub chain_id: ChainId,
    /// The height.
    pub number: u64,
    /// The hash, if the block is in the view. `None`: the canonical block below it.
    pub in_view: Option<B256>,
}

type Fetched = Result<Arc<ProvenLogs>, SupervisorError>;
type Flight = Shared<BoxFuture<'static, Fetched>>;

/// Finds the logs of blocks. Clones share everything.
#[derive(Clone, Debug)]
pub(super) struct ColdBlocks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    superchain: SuperchainReader,
    fetches: Semaphore,
    waiting: Semaphore,
    left_behind: Mutex<JoinSet<()>>,
    flights: Flights,
    /// The hashes of blocks below the view: they are final.
    settled: Mutex<LruCache<(ChainId, u64), B256>>,
    overload: Overload,
}

impl ColdBlocks {
    /// Finds blocks of this superchain.
    pub(super) fn new(superchain: SuperchainReader, overload: Overload) -> Self {
        Self(Arc::new(Inner {
            superchain,
            fetches: Semaphore::new(MAX_FETCHES),
            waiting: Semaphore::new(MAX_WAITING),
            left_behind: Mutex::new(JoinSet::new()),
            flights: Flights::default(),
            settled: Mutex::new(LruCache::unbounded()),
            overload,
        }))
    }

    /// The logs of these blocks. Whatever is not there at the deadline is [`SupervisorError::Late`], and is
    /// fetched on for a while: a caller that asks again finds it.
    pub(super) async fn logs(
        &self,
        wanted: BTreeSet<WantedBlock>,
        deadline: Instant,
    ) -> BTreeMap<WantedBlock, Fetched> {
        let mut found = BTreeMap::new();
        let mut cold = Vec::new();
        for block in wanted {
            match self.0.known(block) {
                Some(logs) => drop(found.insert(block, Ok(logs))),
                None => cold.push(block),
            }
        }
        if cold.is_empty() {
            return found;
        }
        let Ok(_waiting) = self.0.waiting.try_acquire() else {
            self.0.overload.reached(FULL);
            found.extend(cold.into_iter().map(|block| (block, Err(SupervisorError::Busy))));
            return found;
        };
        let mut fetched = self.fetched(cold.clone());
        loop {
            match timeout_at(deadline, fetched.next()).await {
                Ok(Some((block, logs))) => drop(found.insert(block, logs)),
                Ok(None) => return found,
                Err(_) => break,
            }
        }
        self.continue_in_background(fetched);
        for block in cold {
            found.entry(block).or_insert_with(|| Err(SupervisorError::Late { what: block.to_string() }));
        }
        found
    }

    fn fetched(&self, blocks: Vec<WantedBlock>) -> BoxStream<'static, (WantedBlock, Fetched)> {
        let inner = Arc::clone(&self.0);
        let fetch = move |block| {
            let flight = inner.flight(block);
            async move { (block, flight.await) }
        };
        stream::iter(blocks).map(fetch).buffer_unordered(AT_ONCE).boxed()
    }

    /// Continues to fetch what a list waited for in vain.
    fn continue_in_background(&self, rest: BoxStream<'static, (WantedBlock, Fetched)>) {
        let mut left_behind = self.0.left_behind.lock();
        while left_behind.try_join_next().is_some() {}
        if left_behind.len() < MAX_LEFT_BEHIND {
            left_behind.spawn(async move {
                let _in_time = timeout(LEFT_BEHIND, rest.for_each(|_| std::future::ready(()))).await;
            });
        }
    }
}

impl Inner {
    /// Its hash, if that is known.
    fn hash(&self, block: WantedBlock) -> Option<B256> {
        block.in_view.or_else(|| self.settled.lock().get(&(block.chain_id, block.number)).copied())
    }

    fn known(&self, block: WantedBlock) -> Option<Arc<ProvenLogs>> {
        self.superchain.index.get(block.chain_id, self.hash(block)?)
    }

    fn flight(self: &Arc<Self>, block: WantedBlock) -> Flight {
        let inner = Arc::clone(self);
        self.flights.join(block, || async move { inner.fetch(block).await }.boxed())
    }

    async fn fetch(&self, block: WantedBlock) -> Fetched {
        let permit = self.fetches.acquire().await;
        let _permit = permit.map_err(|_closed| SupervisorError::Busy)?;
        let unproven = |error: SourceError| SupervisorError::unproven(block.to_string(), &error);
        let execution = &self.superchain.sources(block.chain_id)?.execution;
        let verified = match self.hash(block) {
            Some(hash) => execution.block_by_hash(hash).await,
            None => execution.block_by_number(block.number).await,
        };
        let verified = verified.map_err(unproven)?;
        // It exists, for it is below the tip: that no endpoint has it, or its receipts, says nothing about
        // it.
        let absent = || SupervisorError::Absent { what: block.to_string() };
        let verified = verified.ok_or_else(absent)?;
        let logs = execution.logs(&verified).await.map_err(unproven)?.ok_or_else(absent)?;
        if block.in_view.is_none() {
            self.remember(block, &verified);
        }
        Ok(logs)
    }

    fn remember(&self, block: WantedBlock, verified: &VerifiedBlock) {
        let mut settled = self.settled.lock();
        settled.put((block.chain_id, block.number), verified.hash());
        while settled.len().saturating_mul(REMEMBERED_ENTRY) > REMEMBERED_BYTES {
            settled.pop_lru();
        }
    }
}

impl core::fmt::Display for WantedBlock {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "block {} of chain {}", self.number, self.chain_id)
    }
}

/// What is being fetched, for anyone who wants it, too.
#[derive(Clone, Debug, Default)]
struct Flights(Arc<Mutex<InFlight>>);

#[derive(Debug, Default)]
struct InFlight {
    last: u64,
    by_block: BTreeMap<WantedBlock, (u64, WeakShared<BoxFuture<'static, Fetched>>)>,
}

/// Strikes a flight off the list when it has ended, or when no caller waits for it any more.
struct Landing {
    flights: Flights,
    block: WantedBlock,
    number: u64,
}

impl Flights {
    fn join(&self, block: WantedBlock, begin: impl FnOnce() -> BoxFuture<'static, Fetched>) -> Flight {
        let mut flights = self.0.lock();
        if let Some(flight) = flights.by_block.get(&block).and_then(|(_, flight)| flight.upgrade()) {
            return flight;
        }
        flights.last = flights.last.wrapping_add(1);
        let number = flights.last;
        let (landing, fetch) = (Landing { flights: self.clone(), block, number }, begin());
        let flight = async move {
            let _landing = landing;
            fetch.await
        };
        let flight = flight.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            flights.by_block.insert(block, (number, weak));
        }
        flight
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut flights = self.flights.0.lock();
        if flights.by_block.get(&self.block).is_some_and(|(number, _)| *number == self.number) {
            flights.by_block.remove(&self.block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::sync::atomic::{AtomicUsize, Ordering};

    fn block(number: u64) -> WantedBlock {
        WantedBlock { chain_id: ChainId::from(901), number, in_view: None }
    }

    #[tokio::test]
    async fn concurrent_callers_share_a_fetch_and_later_callers_start_a_new_one() {
        let (flights, begun) = (Flights::default(), Arc::new(AtomicUsize::new(0)));
        let (go, _) = tokio::sync::broadcast::channel::<()>(1);
        let join = |number| {
            flights.join(block(number), || {
                begun.fetch_add(1, Ordering::Relaxed);
                let mut gone = go.subscribe();
                async move {
                    let _told = gone.recv().await;
                    Err(SupervisorError::Busy)
                }
                .boxed()
            })
        };
        let (first, second, other) = (join(1), join(1), join(2));
        assert_eq!(begun.load(Ordering::Relaxed), 2);
        let released = async { go.send(()).unwrap() };
        let (first, second, other, _) = tokio::join!(first, second, other, released);
        assert!(first.is_err() && second.is_err() && other.is_err());
        assert!(flights.0.lock().by_block.is_empty());
        let _anew = join(1);
        assert_eq!(begun.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn a_fetch_without_waiting_callers_ends() {
        let flights = Flights::default();
        let forever = || futures::future::pending().boxed();
        let flight = flights.join(block(1), forever);
        assert_eq!(flights.0.lock().by_block.len(), 1);
        drop(flight);
        assert!(flights.0.lock().by_block.is_empty());
    }

    #[test]
    fn hashes_are_remembered_up_to_the_memory_bound() {
        let remembered = REMEMBERED_BYTES / REMEMBERED_ENTRY;
        assert!(remembered > 150_000, "{remembered}");
    }
}
