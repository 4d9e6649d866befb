//! [`SupernodeWatcher`]: the task that compares the own super roots with those of one op-supernode.

use super::endpoint_opinions::{EndpointOpinions, OpinionEndpoint};
use super::outcome::{NoOpinion, Outcome};
use super::own::OwnRoots;
use super::root_rules::{RootsDiffer, compare, is_verified};
use crate::ledger::LedgerError;
use crate::rpc::OwnSuperRoot;
use crate::sources::{SafeHeadAtL1, SafeRecord, Supernode, is_no_such_method};
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::{BTreeMap, BTreeSet};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Compares the own super roots with those of one op-supernode.
#[derive(Debug)]
pub(crate) struct SupernodeWatcher<O> {
    supernode: Supernode,
    own: O,
    opinions: EndpointOpinions<UnixSeconds, RootsDiffer>,
    /// Where its records of safe heads began, when they were looked at last.
    records: BTreeMap<ChainId, SafeHeadAtL1>,
}

impl<O: OwnRoots> SupernodeWatcher<O> {
    /// A watcher that has asked nothing yet.
    pub(crate) fn new(supernode: Supernode, own: O, endpoint: OpinionEndpoint) -> Self {
        Self { supernode, own, opinions: EndpointOpinions::new(endpoint), records: BTreeMap::new() }
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
            let again = self.opinions.book.to_ask_again().next().map(|(timestamp, _)| *timestamp);
            let mut asked = again.unwrap_or(UnixSeconds(0));
            let outcome = self.ask(again, &mut asked).await.unwrap_or_else(Outcome::None);
            let Some(differ) = self.opinions.note(vec![(asked, outcome)]) else { continue };
            self.opinions.report(&differ.event(&self.opinions.endpoint.name)).await?;
            let RootsDiffer { block, timestamp, own, theirs } = differ;
            warn!(
                endpoint = self.opinions.endpoint.name, chain_id = %block.chain_id, number = block.number,
                timestamp = timestamp.0, own = %own.super_root, other = %theirs.super_root,
                "super root of an op-supernode differs; find out which is right and fix the other"
            );
        }
    }

    /// Asks for the super root at this timestamp again, or for the one up to which all chains are final.
    /// `asked`: which that is.
    async fn ask(
        &mut self,
        again: Option<UnixSeconds>,
        asked: &mut UnixSeconds,
    ) -> Result<Outcome<RootsDiffer>, NoOpinion> {
        let chains = self.supernode.chain_ids().await.map_err(|error| {
            if is_no_such_method(&error) {
                NoOpinion::NotSupernode
            } else {
                NoOpinion::Failed(error.to_string())
            }
        })?;
        if !self.own.is_set(&chains).map_err(|error| NoOpinion::OwnUnknown(error.to_string()))? {
            return Err(NoOpinion::OtherChains(chains));
        }
        let own = self.own_root(&chains, again).await?;
        *asked = own.timestamp;
        let theirs = self.supernode.super_root_at(own.timestamp).await;
        let theirs = theirs.map_err(|error| NoOpinion::Failed(error.to_string()))?;
        let outcome = compare(&own, theirs.as_ref());
        if let (Outcome::Differs(_), Some(theirs)) = (&outcome, &theirs) {
            self.check_verified(&own, theirs.current_l1).await?;
        }
        Ok(outcome)
    }

    async fn own_root(
        &self,
        chains: &BTreeSet<ChainId>,
        again: Option<UnixSeconds>,
    ) -> Result<OwnSuperRoot, NoOpinion> {
        let unknown = |reason: &dyn ToString| NoOpinion::OwnUnknown(reason.to_string());
        let timestamp = match again {
            Some(timestamp) => timestamp,
            None => self.own.finalized(chains).await.map_err(|error| unknown(&error))?,
        };
        if timestamp.0 == 0 {
            return Err(unknown(&"a chain has no final block yet"));
        }
        let own = self.own.super_root(chains, timestamp).await.map_err(|error| unknown(&error))?;
        own.ok_or_else(|| unknown(&"not every chain is verified at the timestamp yet"))
    }

    /// Checks that the op-supernode has verified what it answers, and not taken it over.
    async fn check_verified(&mut self, own: &OwnSuperRoot, current_l1: u64) -> Result<(), NoOpinion> {
        for (chain_id, output) in &own.chains {
            let known = self.records.get(chain_id).copied();
            let record = self.supernode.safe_record(*chain_id, current_l1, known).await;
            let record = record.map_err(|error| NoOpinion::Failed(error.to_string()))?;
            if let SafeRecord::Since(oldest) = record {
                self.records.insert(*chain_id, oldest);
            }
            if !is_verified(record, output.block.number) {
                return Err(NoOpinion::NotVerified(*chain_id));
            }
        }
        Ok(())
    }
}
