//! [`Fetcher`]: gets the proven logs that the tracker asks for. It retries until it has them, or they are no
//! longer needed.
//!
//! A failure is never an answer: the message that waits stays unknown.

use super::MonitorMetrics;
use crate::metrics::EndpointKind;
use crate::pieces::Pieces;
use crate::sources::{ExecutionClient, SourceError};
use crosscheck_core::tracker::{Input, Request};
use crosscheck_p2p::ChainId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;
use tracing::{debug, error};

/// How many requests are under way at once.
const AT_ONCE: usize = 16;

/// The pause after the first failure of a request; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest pause between two attempts at one request.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Gets proven logs. What waits is bounded by the messages that wait for it: each request is kept once.
#[derive(Debug)]
pub(super) struct Fetcher {
    clients: BTreeMap<ChainId, ExecutionClient>,
    metrics: MonitorMetrics,
    /// What is wanted, by when it is due.
    due: BTreeSet<(Instant, Request)>,
    /// The pause before the next attempt at each.
    wanted: BTreeMap<Request, Duration>,
    /// `None`: it was unavailable.
    running: Pieces<Request, Option<Input>>,
}

impl Fetcher {
    /// A fetcher that asks these clients.
    pub(super) fn new(clients: BTreeMap<ChainId, ExecutionClient>, metrics: MonitorMetrics) -> Self {
        Self { clients, metrics, due: BTreeSet::new(), wanted: BTreeMap::new(), running: Pieces::new() }
    }

    /// Requests these from now on.
    pub(super) fn request(&mut self, requests: impl IntoIterator<Item = Request>) {
        for request in requests {
            if let std::collections::btree_map::Entry::Vacant(entry) = self.wanted.entry(request) {
                entry.insert(FIRST_PAUSE);
                self.due.insert((Instant::now(), request));
            }
        }
    }

    /// How many requests are not answered yet.
    pub(super) fn len(&self) -> usize {
        self.wanted.len()
    }

    /// Waits for the next answer. `is_needed`: whether an attempt that failed is to be retried.
    pub(super) async fn next(&mut self, is_needed: impl Fn(&Request) -> bool) -> Input {
        loop {
            self.start_due();
            let wake = self.due.first().map(|(at, _)| *at).filter(|_| self.running.len() < AT_ONCE);
            tokio::select! {
                Some((request, outcome)) = self.running.next() => {
                    let input = outcome.unwrap_or_else(|error| {
                        error!(%error, ?request, "fetch crashed; retrying");
                        None
                    });
                    if let Some(input) = self.complete(request, input, &is_needed) { return input }
                }
                () = sleep_until(wake) => {}
            }
        }
    }

    fn complete(
        &mut self,
        request: Request,
        input: Option<Input>,
        is_needed: impl Fn(&Request) -> bool,
    ) -> Option<Input> {
        if input.is_some() || !is_needed(&request) {
            self.wanted.remove(&request);
            return input;
        }
        let pause = self.wanted.get_mut(&request)?;
        self.due.insert((Instant::now().checked_add(*pause)?, request));
        *pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        None
    }

    fn start_due(&mut self) {
        let now = Instant::now();
        while self.running.len() < AT_ONCE && self.due.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, request)) = self.due.pop_first() else { return };
            let (chain_id, _) = request.place();
            let Some(client) = self.clients.get(&chain_id).cloned() else { continue };
            let metrics = self.metrics.clone();
            self.running.begin(request, async move {
                fetch(&client, request).await.unwrap_or_else(|error| {
                    metrics.shared.source_failed(chain_id, EndpointKind::Execution);
                    debug!(%chain_id, %error, "source failed; its answer stays unknown");
                    None
                })
            });
        }
    }
}

async fn fetch(client: &ExecutionClient, request: Request) -> Result<Option<Input>, SourceError> {
    let block = match request {
        // A block that an endpoint no longer has says nothing about its height.
        Request::Logs(key) => match client.block_by_hash(key.hash).await? {
            Some(block) => block,
            None => return Ok(None),
        },
        // Nor has a chain that continues no block below: a client that lacks it is pruned, or behind.
        Request::Canonical { number, .. } => match client.known_block_by_number(number).await? {
            Some(block) => block,
            None => return Ok(None),
        },
    };
    let logs = client.logs(&block).await?;
    Ok(logs.map(|logs| Input::Answer { request, logs }))
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use crosscheck_core::validity::DependencySet;

    #[tokio::test(start_paused = true)]
    async fn a_fetch_that_panics_is_retried() {
        let metrics =
            MonitorMetrics::register(&Metrics::new(DependencySet::new([].into(), 100)).unwrap()).unwrap();
        let mut fetcher = Fetcher::new(BTreeMap::new(), metrics);
        let request = Request::Canonical { chain_id: ChainId::from(901), number: 9 };
        fetcher.wanted.insert(request, FIRST_PAUSE);
        fetcher.running.begin(request, async { panic!("as a test of panics wants it") });
        let begun = Instant::now();
        {
            let next = tokio::time::timeout(FIRST_PAUSE / 2, fetcher.next(|_| true));
            assert!(next.await.is_err());
        }
        assert_eq!(
            fetcher.due.first().map(|(at, request)| (*at - begun, *request)),
            Some((FIRST_PAUSE, request))
        );
        // Nobody needs it any more.
        fetcher.due.clear();
        fetcher.running.begin(request, async { panic!("as a test of panics wants it") });
        {
            let next = tokio::time::timeout(FIRST_PAUSE / 2, fetcher.next(|_| false));
            assert!(next.await.is_err());
        }
        assert_eq!((fetcher.len(), fetcher.due.len()), (0, 0));
    }
}
