//! [`BlobMemory`]: what L1's node has reported about blob base fees, kept over failures of the node and over
//! restarts.
//!
//! It asks nobody. A ledger that fails takes nothing away: what is not known stays unknown.

use crate::ledger::Ledger;
use crosscheck_core::consolidation::deposits::{BlobFractions, ReportedBlobs};
use std::collections::BTreeMap;
use tokio::sync::Mutex;
use tracing::warn;

/// What was reported, by the chain id of the L1.
#[derive(Debug, Default)]
pub(super) struct BlobMemory {
    ledger: Option<Ledger>,
    /// Of an L1 that is not here, the ledger was not read yet.
    known: Mutex<BTreeMap<u64, BlobFractions>>,
}

impl BlobMemory {
    /// What is in this ledger, too.
    pub(super) fn of(ledger: Ledger) -> Self {
        Self { ledger: Some(ledger), ..Self::default() }
    }

    /// Everything that was ever reported about an L1, with what its node reports now.
    ///
    /// A fork after the one in force is a plan: it counts as long as it is reported again, and for as long as
    /// nothing is reported.
    pub(super) async fn with(&self, l1_chain_id: u64, reported: Option<&ReportedBlobs>) -> BlobFractions {
        let mut known = self.known.lock().await;
        let mut fractions = match known.get(&l1_chain_id) {
            Some(fractions) => fractions.clone(),
            None => self.read(l1_chain_id).await,
        };
        if let Some(reported) = reported {
            fractions.retain(|since, _| reported.in_force.is_none_or(|in_force| *since <= in_force));
            fractions.extend(&reported.fractions);
            self.write(l1_chain_id, &fractions).await;
        }
        known.insert(l1_chain_id, fractions.clone());
        fractions
    }

    async fn read(&self, l1_chain_id: u64) -> BlobFractions {
        let Some(ledger) = &self.ledger else { return BlobFractions::new() };
        ledger.blob_fractions(l1_chain_id).await.unwrap_or_else(|error| {
            warn!(%error, "blob base fees could not be read from the ledger");
            BlobFractions::new()
        })
    }

    async fn write(&self, l1_chain_id: u64, fractions: &BlobFractions) {
        let Some(ledger) = &self.ledger else { return };
        if let Err(error) = ledger.keep_blob_fractions(l1_chain_id, fractions).await {
            warn!(%error, "blob base fees could not be written to the ledger; a restart loses them");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosscheck_p2p::UnixSeconds;
    use tempfile::TempDir;

    fn fractions(list: &[(u64, u64)]) -> BlobFractions {
        list.iter().map(|(since, fraction)| (UnixSeconds(*since), *fraction)).collect()
    }

    fn reported(in_force: Option<u64>, list: &[(u64, u64)]) -> ReportedBlobs {
        ReportedBlobs { in_force: in_force.map(UnixSeconds), fractions: fractions(list) }
    }

    #[tokio::test]
    async fn forks_of_the_past_stay_and_plans_are_replaced() {
        let memory = BlobMemory::default();
        assert_eq!(memory.with(1, None).await, fractions(&[]));
        let first = reported(Some(9), &[(5, 10), (9, 20), (50, 30)]);
        assert_eq!(memory.with(1, Some(&first)).await, fractions(&[(5, 10), (9, 20), (50, 30)]));
        // The plan is put off, and then kept.
        let later = reported(Some(9), &[(9, 20), (60, 30)]);
        assert_eq!(memory.with(1, Some(&later)).await, fractions(&[(5, 10), (9, 20), (60, 30)]));
        let after = reported(Some(60), &[(60, 30)]);
        assert_eq!(memory.with(1, Some(&after)).await, fractions(&[(5, 10), (9, 20), (60, 30)]));
        assert_eq!(memory.with(1, None).await, fractions(&[(5, 10), (9, 20), (60, 30)]));
        assert_eq!(memory.with(2, None).await, fractions(&[]));
        // Of a node that does not say what is in force nothing is dropped.
        assert_eq!(memory.with(1, Some(&reported(None, &[]))).await.len(), 3);
    }

    #[tokio::test]
    async fn the_fractions_survive_a_restart() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("ledger.sqlite");
        let ledger = Ledger::open(&path).await.unwrap();
        let memory = BlobMemory::of(ledger.clone());
        memory.with(1, Some(&reported(Some(5), &[(5, 10)]))).await;
        ledger.close().await;
        let ledger = Ledger::open(&path).await.unwrap();
        assert_eq!(BlobMemory::of(ledger).with(1, None).await, fractions(&[(5, 10)]));
    }

    #[tokio::test]
    async fn a_failing_ledger_removes_no_known_fraction() {
        let dir = TempDir::new().unwrap();
        let ledger = Ledger::open(&dir.path().join("ledger.sqlite")).await.unwrap();
        ledger.close().await;
        let memory = BlobMemory::of(ledger);
        assert_eq!(memory.with(1, Some(&reported(Some(5), &[(5, 10)]))).await, fractions(&[(5, 10)]));
        assert_eq!(memory.with(1, None).await, fractions(&[(5, 10)]));
    }
}
