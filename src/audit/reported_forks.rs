//! [`ReportedForks`]: reports once each fork of a chain that is taken from its node, or that this build does
//! not know.
//!
//! It compares nothing and changes no rule.

use super::rules_asker::Consultation;
use crosscheck_core::consolidation::date;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::BTreeSet;
use tracing::{info, warn};

/// The forks of one chain that were reported. One that is put off is reported again, with its new date.
#[derive(Debug)]
pub(crate) struct ReportedForks {
    chain_id: ChainId,
    reported: BTreeSet<(String, UnixSeconds)>,
}

impl ReportedForks {
    /// Nothing was reported of this chain.
    pub(crate) const fn of(chain_id: ChainId) -> Self {
        Self { chain_id, reported: BTreeSet::new() }
    }

    /// Reports what is news.
    pub(crate) fn report(&mut self, answer: &Consultation) {
        let chain_id = self.chain_id;
        for fork in answer.unknown_forks.iter().flat_map(|forks| forks.iter()) {
            if self.reported.insert((fork.name.clone(), fork.time)) {
                warn!(%chain_id, fork = fork.name, from = fork.date(),
                      "chain has a fork that this build does not know, later differences from L1 are unknown; upgrade Crosscheck");
            }
        }
        // Of a node that differs nothing is taken.
        for taken in answer.taken_forks.iter().filter(|_| answer.differences.is_empty()) {
            if self.reported.insert((taken.fork.to_string(), taken.time)) {
                info!(%chain_id, fork = %taken.fork, from = date(taken.time),
                      "fork time taken from the rollup node");
            }
        }
    }
}
