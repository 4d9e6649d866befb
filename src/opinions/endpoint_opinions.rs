//! [`EndpointOpinions`]: the state of an endpoint: what was counted of it, whether it has opinions, and
//! whether they differ from ours.

use super::OpinionMetrics;
use super::difference_book::{Difference, DifferenceBook, RoundChange};
use super::outcome::{NoOpinion, Outcome};
use crate::ledger::{Ledger, LedgerError};
use crate::metrics::EndpointKind;
use crate::sources::EndpointNames;
use crosscheck_core::events::Event;
use crosscheck_p2p::Clock;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{debug, info, warn};

/// An endpoint whose opinions are asked for, and what that takes.
#[derive(Clone, Debug)]
pub(crate) struct OpinionEndpoint {
    /// What it is.
    pub(crate) kind: EndpointKind,
    /// Its place among those of its kind.
    pub(crate) place: usize,
    /// Its name, as in answers to callers.
    pub(crate) name: String,
    /// How often it is asked.
    pub(crate) interval: Duration,
    /// Where differences are reported.
    pub(crate) ledger: Ledger,
    /// Where the time comes from.
    pub(crate) clock: Arc<dyn Clock>,
    /// The names of endpoints in events.
    pub(crate) names: EndpointNames,
    /// What is counted.
    pub(crate) metrics: OpinionMetrics,
}

/// The state of an endpoint: whether it has opinions, and whether they differ.
#[derive(Debug)]
pub(super) struct EndpointOpinions<K, A> {
    pub(super) endpoint: OpinionEndpoint,
    pub(super) book: DifferenceBook<K, A>,
    /// Since when it has had no opinion for a reason that somebody has to fix.
    silent_since: Option<Instant>,
}

impl<K: Ord, A: Difference> EndpointOpinions<K, A> {
    /// Nothing was asked yet.
    pub(super) fn new(endpoint: OpinionEndpoint) -> Self {
        endpoint.metrics.differ(endpoint.kind, endpoint.place, false);
        Self { endpoint, book: DifferenceBook::new(), silent_since: None }
    }

    /// Records the outcomes of a round. Returns a difference that is to be reported.
    pub(super) fn note(&mut self, round: Vec<(K, Outcome<A>)>) -> Option<A> {
        for (_, outcome) in &round {
            self.endpoint.metrics.compared(self.endpoint.kind, outcome);
        }
        self.note_silence(&round);
        let change = self.book.note(round, self.endpoint.clock.now());
        let OpinionEndpoint { kind, place, metrics, .. } = &self.endpoint;
        metrics.differ(*kind, *place, self.book.is_reported());
        match change {
            RoundChange::None => None,
            RoundChange::Differ(difference) => Some(difference),
            RoundChange::AgreeAgain => {
                info!(endpoint = self.endpoint.name, "second opinion agrees again");
                None
            }
            RoundChange::Undecided => {
                info!(
                    endpoint = self.endpoint.name,
                    "difference of a second opinion can no longer be decided"
                );
                None
            }
        }
    }

    /// Reports a difference as an event.
    ///
    /// # Errors
    /// If the ledger cannot be written.
    pub(super) async fn report(&self, event: &Event) -> Result<(), LedgerError> {
        self.endpoint.ledger.report(event, self.endpoint.clock.now()).await
    }

    /// Logs that none of its answers can be used, and when that ends.
    fn note_silence(&mut self, round: &[(K, Outcome<A>)]) {
        let endpoint = self.endpoint.name.as_str();
        let reasons = round.iter().filter_map(|(_, outcome)| match outcome {
            Outcome::None(why) => Some(why),
            Outcome::Agrees | Outcome::Differs(_) => None,
        });
        let reasons: Vec<&NoOpinion> = reasons.collect();
        if let Some(problem) = reasons.first() {
            debug!(endpoint, %problem, "no second opinion");
        }
        let is_silent = !round.is_empty() && reasons.len() == round.len();
        match reasons.into_iter().find(|why| why.needs_fix()).filter(|_| is_silent) {
            Some(problem) if self.silent_since.is_none() => {
                self.silent_since = Some(Instant::now());
                warn!(endpoint, %problem, "endpoint gives no second opinion; check it");
            }
            Some(_) => {}
            None if round.is_empty() => {}
            None => {
                if let Some(since) = self.silent_since.take() {
                    let lasted_s = since.elapsed().as_secs();
                    info!(endpoint, lasted_s, "endpoint can give second opinions again");
                }
            }
        }
    }
}
