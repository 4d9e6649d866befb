//! What is measured of the ledger: what it holds that is still to be dealt with.

use super::catalogue::Catalogue;
use super::{Metrics, as_gauge};
use crate::ledger::{Attribution, UnresolvedCount};
use crosscheck_core::case::Verdict;
use crosscheck_p2p::ChainId;
use parking_lot::Mutex;
use prometheus::IntGaugeVec;
use std::collections::BTreeSet;

#[derive(Debug)]
pub(super) struct LedgerMetrics {
    unresolved: IntGaugeVec,
    resolved: IntGaugeVec,
    bytes: IntGaugeVec,
    /// The chains whose gauges were set: what is gone is set back to 0.
    shown: Mutex<BTreeSet<String>>,
}

/// The names of the verdicts that say that a block is not what was attested.
fn wrong() -> BTreeSet<&'static str> {
    let names = Verdict::NAMES.iter().map(|(name, _)| *name);
    names.filter(|name| Verdict::is_wrong_by_name(name)).collect()
}

impl LedgerMetrics {
    pub(super) fn new(catalogue: &mut Catalogue) -> Result<Self, prometheus::Error> {
        Ok(Self {
            unresolved: catalogue.gauge(
                "unresolved_violations",
                "Violated and discarded blocks that no operator has resolved, former runs' included, by whom they can be held against",
                &["chain_id", "verdict", "attribution"],
            )?,
            resolved: catalogue.gauge(
                "resolved_blocks",
                "Blocks that an operator has passed over by `crosscheck resolve`, former runs included",
                &["chain_id"],
            )?,
            bytes: catalogue.gauge(
                "ledger_bytes",
                "Size of the ledger on the disk, with what is not moved into its file yet",
                &[],
            )?,
            shown: Mutex::default(),
        })
    }

    /// Sets the gauges of these chains to 0.
    pub(super) fn preset(&self, ids: &[String]) {
        self.bytes.with_label_values::<&str>(&[]);
        for id in ids {
            self.resolved.with_label_values(&[id]);
        }
        self.shown.lock().extend(ids.iter().cloned());
        self.set(&[]);
    }

    fn set(&self, counts: &[UnresolvedCount]) {
        let mut shown = self.shown.lock();
        shown.extend(counts.iter().map(|count| count.chain_id.to_string()));
        for chain_id in shown.iter() {
            for (verdict, attribution) in wrong()
                .into_iter()
                .flat_map(|verdict| Attribution::ALL.map(|attribution| (verdict, attribution)))
            {
                let is_it = |count: &&UnresolvedCount| {
                    count.verdict == verdict
                        && count.attribution == attribution
                        && count.chain_id.to_string() == *chain_id
                };
                let count = counts.iter().find(is_it).map_or(0, |count| count.count);
                let labels = [chain_id.as_str(), verdict, attribution.name()];
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                self.unresolved.with_label_values(&labels).set(as_gauge(count));
            }
        }
    }
}

impl Metrics {
    /// How large the ledger is.
    pub(crate) fn ledger_bytes(&self, bytes: u64) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.0.of_ledger.bytes.with_label_values::<&str>(&[]).set(bytes);
    }

    /// One more block of a chain was passed over by an operator, in this run or before.
    pub(crate) fn resolved(&self, chain_id: ChainId) {
        self.0.of_ledger.resolved.with_label_values(&[chain_id.to_string()]).inc();
    }

    /// How many blocks that were found wrong are not resolved. Of what is left out there is none.
    pub fn unresolved(&self, counts: &[UnresolvedCount]) {
        self.0.of_ledger.set(counts);
    }
}
