//! What is measured of the ledger: what it holds that is still to be dealt with.

use super::catalogue::Catalogue;
use super::{Metrics, as_gauge};
use crate::audit::Verdict;
use crate::ledger::{Attribution, UnresolvedCount};
use parking_lot::Mutex;
use prometheus::IntGaugeVec;
use std::collections::BTreeSet;

#[derive(Debug)]
pub(super) struct LedgerMetrics {
    unresolved: IntGaugeVec,
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
            shown: Mutex::default(),
        })
    }

    /// Sets the gauges of these chains to 0.
    pub(super) fn preset(&self, ids: &[String]) {
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
    /// How many blocks that were found wrong are not resolved. Of what is left out there is none.
    pub fn unresolved(&self, counts: &[UnresolvedCount]) {
        self.0.of_ledger.set(counts);
    }
}
