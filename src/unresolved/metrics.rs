//! [`UnresolvedMetrics`]: measures the ledger: its size, and the invalid blocks that are not resolved.

use crate::ledger::{Attribution, UnresolvedCount};
use crate::metrics::{Metrics, as_gauge};
use crosscheck_core::case::VerdictKind;
use crosscheck_p2p::ChainId;
use parking_lot::Mutex;
use prometheus::IntGaugeVec;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is measured of the ledger. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct UnresolvedMetrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Metrics,
    unresolved: IntGaugeVec,
    resolved: IntGaugeVec,
    bytes: IntGaugeVec,
    /// The chains whose gauges were set: what is gone is set back to 0.
    shown: Mutex<BTreeSet<String>>,
}

/// The names of the verdicts that say that a block is not what was attested.
fn wrong() -> BTreeSet<&'static str> {
    VerdictKind::ALL.into_iter().filter(|kind| kind.is_wrong()).map(VerdictKind::name).collect()
}

impl UnresolvedMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// If another room has a metric of one of these names.
    pub(crate) fn register(metrics: &Metrics) -> Result<Self, prometheus::Error> {
        let inner = Inner {
            shared: metrics.clone(),
            unresolved: metrics.gauge(
                "unresolved_violations",
                "Violated and discarded blocks that no operator has resolved, earlier runs included, by attribution",
                &["chain_id", "verdict", "attribution"],
            )?,
            resolved: metrics.gauge(
                "resolved_blocks",
                "Blocks that an operator resolved with `crosscheck resolve`, earlier runs included",
                &["chain_id"],
            )?,
            bytes: metrics.gauge(
                "ledger_bytes",
                "Size of the ledger on disk, write-ahead log included",
                &[],
            )?,
            shown: Mutex::default(),
        };
        let metrics = Self(Arc::new(inner));
        metrics.preset();
        Ok(metrics)
    }

    /// Sets the gauges of the configured chains to 0.
    fn preset(&self) {
        let ids = self.0.shared.chain_ids();
        self.0.bytes.with_label_values::<&str>(&[]);
        for id in &ids {
            self.0.resolved.with_label_values(&[id]);
        }
        self.0.shown.lock().extend(ids.iter().cloned());
        self.set(&[]);
    }

    fn set(&self, counts: &[UnresolvedCount]) {
        let mut shown = self.0.shown.lock();
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
                self.0.unresolved.with_label_values(&labels).set(as_gauge(count));
            }
        }
    }

    /// How large the ledger is.
    pub(crate) fn ledger_bytes(&self, bytes: u64) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.0.bytes.with_label_values::<&str>(&[]).set(bytes);
    }

    /// One more block of a chain was resolved by an operator, in this run or before.
    pub(crate) fn resolved(&self, chain_id: ChainId) {
        self.0.resolved.with_label_values(&[chain_id.to_string()]).inc();
    }

    /// How many invalid blocks are not resolved. What is left out has none.
    pub(crate) fn unresolved(&self, counts: &[UnresolvedCount]) {
        self.set(counts);
    }
}
