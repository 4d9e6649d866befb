//! [`FilterWatcher`]: the task that compares the own answers to access lists with those of one interop
//! filter.

use super::Sampler;
use super::access_rules::{ChecksDiffer, Opinion, compare, of_filter, of_own, on_one_branch};
use super::endpoint_opinions::{EndpointOpinions, OpinionEndpoint};
use super::outcome::{NoOpinion, Outcome};
use super::own::OwnChecks;
use super::sample::{Sample, is_canonical};
use crate::ledger::LedgerError;
use crate::shared_tracker::SharedTracker;
use crate::sources::InteropFilter;
use alloy::primitives::B256;
use crosscheck_core::message::Identifier;
use crosscheck_core::tracker::MessageKey;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// How many messages a filter is asked about in a round, beside those of which a difference was reported.
const ROOM: usize = 8;

/// Compares the own answers to access lists with those of one interop filter.
#[derive(Debug)]
pub(crate) struct FilterWatcher<O> {
    filter: InteropFilter,
    own: O,
    tracker: SharedTracker,
    sampler: Sampler,
    opinions: EndpointOpinions<MessageKey, ChecksDiffer>,
}

impl<O: OwnChecks> FilterWatcher<O> {
    /// A watcher that asks about the messages which change from now on.
    pub(crate) fn new(
        filter: InteropFilter,
        own: O,
        tracker: SharedTracker,
        endpoint: OpinionEndpoint,
    ) -> Self {
        let sampler = Sampler::new(&tracker.read());
        Self { filter, own, tracker, sampler, opinions: EndpointOpinions::new(endpoint) }
    }

    /// Asks until cancelled.
    ///
    /// # Errors
    /// If the ledger fails.
    pub(crate) async fn run(mut self, cancel: CancellationToken) -> Result<(), LedgerError> {
        tokio::select! {
            () = cancel.cancelled() => Ok(()),
            failed = self.watch() => failed,
        }
    }

    async fn watch(&mut self) -> Result<(), LedgerError> {
        loop {
            tokio::time::sleep(self.opinions.endpoint.interval).await;
            let round = self.round().await;
            let Some(differ) = self.opinions.note(round) else { continue };
            let differ = self.without_addresses(differ);
            self.opinions.report(&differ.event(&self.opinions.endpoint.name)).await?;
            let ChecksDiffer { sample, own, theirs, .. } = differ;
            let block = sample.key.block;
            warn!(
                endpoint = self.opinions.endpoint.name, chain_id = %block.chain_id, number = block.number,
                hash = %block.hash, log_index = sample.key.log_index, own = own.in_words(), other = theirs.in_words(),
                "access check of an interop filter differs; find out which is right and fix the other"
            );
        }
    }

    /// What there is to ask again, and what was decided since.
    fn samples(&mut self) -> Vec<Sample> {
        {
            let tracker = self.tracker.read();
            self.opinions.book.retain_suspected(|key| is_canonical(&tracker, key));
        }
        let mut samples: Vec<Sample> =
            self.opinions.book.to_ask_again().map(|(_, differ)| differ.sample.clone()).collect();
        let room = ROOM.saturating_sub(self.opinions.book.suspected());
        let new = self.sampler.take(&self.tracker.read(), room);
        let is_known = |sample: &Sample| samples.iter().any(|known| known.key == sample.key);
        let new: Vec<Sample> = new.into_iter().filter(|sample| !is_known(sample)).collect();
        samples.extend(new);
        samples
    }

    async fn round(&mut self) -> Vec<(MessageKey, Outcome<ChecksDiffer>)> {
        let samples = self.samples();
        let Some(first) = samples.first() else { return Vec::new() };
        let refusal = match self.filter.is_passthrough(first.key.block.chain_id).await {
            Ok(true) => Some(NoOpinion::Passthrough),
            Ok(false) => None,
            Err(error) => Some(NoOpinion::Failed(error.to_string())),
        };
        let mut outcomes = Vec::with_capacity(samples.len());
        for sample in samples {
            let outcome = match &refusal {
                Some(why) => Outcome::None(why.clone()),
                None => self.ask(&sample).await,
            };
            outcomes.push((sample.key, outcome));
        }
        outcomes
    }

    async fn ask(&self, sample: &Sample) -> Outcome<ChecksDiffer> {
        let (chain_id, timestamp) = (sample.key.block.chain_id, sample.message.executing.timestamp);
        let entries = sample.entries();
        let (own, theirs) = tokio::join!(
            self.own.check_access_list(&entries, chain_id, timestamp),
            self.filter.check_access_list(&entries, chain_id, timestamp),
        );
        let outcome = compare(sample, of_own(own), of_filter(theirs));
        let Outcome::Differs(differ) = outcome else { return outcome };
        let cited = sample.cited.identifier;
        match self.filter.block_hash(cited.chain_id, cited.block_number).await {
            Ok(theirs) => on_one_branch(differ, self.canonical_hash(cited), theirs),
            Err(error) => Outcome::None(NoOpinion::Failed(error.to_string())),
        }
    }

    /// The hash of the initiating block on the own chain. `None`: the tracker does not have the height.
    fn canonical_hash(&self, cited: Identifier) -> Option<B256> {
        let tracker = self.tracker.read();
        Some(tracker.chain(cited.chain_id)?.block(cited.block_number)?.key.hash)
    }

    /// The same, with names where the filter's words have addresses of endpoints.
    fn without_addresses(&self, differ: ChecksDiffer) -> ChecksDiffer {
        let theirs = match differ.theirs {
            Opinion::Valid => Opinion::Valid,
            Opinion::Invalid { detail } => {
                Opinion::Invalid { detail: self.opinions.endpoint.names.hide(&detail) }
            }
        };
        ChecksDiffer { theirs, ..differ }
    }
}
