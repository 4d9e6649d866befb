//! [`OpinionMetrics`]: what is measured of second opinions.

use super::outcome::Outcome;
use crate::metrics::{EndpointKind, Metrics};
use prometheus::{IntCounterVec, IntGaugeVec};

/// The kinds of endpoints whose opinions are asked for.
const KINDS: [EndpointKind; 2] = [EndpointKind::Supernode, EndpointKind::Filter];

/// What is measured of second opinions. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct OpinionMetrics {
    compared: IntCounterVec,
    differ: IntGaugeVec,
}

impl OpinionMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// If another room has a metric of one of these names.
    pub(crate) fn register(metrics: &Metrics) -> Result<Self, prometheus::Error> {
        let compared = metrics.counter(
            "opinions_total",
            "Answers of op-supernodes and interop filters that were compared with Crosscheck's, by outcome; none if one of both has no opinion",
            &["kind", "outcome"],
        )?;
        for kind in KINDS {
            for outcome in Outcome::<()>::NAMES {
                compared.with_label_values(&[kind.name(), outcome]);
            }
        }
        let differ = metrics.gauge(
            "opinions_differ",
            "Whether an op-supernode or interop filter gave an answer that differs from Crosscheck's, also when asked again, and the difference has not ended",
            &["kind", "endpoint"],
        )?;
        Ok(Self { compared, differ })
    }

    /// An answer was compared.
    pub(super) fn compared<A>(&self, kind: EndpointKind, outcome: &Outcome<A>) {
        self.compared.with_label_values(&[kind.name(), outcome.name()]).inc();
    }

    /// Whether the endpoint at this place of its list and the program differ.
    pub(crate) fn differ(&self, kind: EndpointKind, place: usize, differ: bool) {
        self.differ.with_label_values(&[kind.name(), place.to_string().as_str()]).set(i64::from(differ));
    }
}
