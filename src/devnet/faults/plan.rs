//! [`FaultPlan`]: the faults of one run, checked against its chains and its length.

use super::{Fault, FaultSpec};
use crate::devnet::finding::Finding;
use std::collections::BTreeMap;

/// Two replacements of one chain are at least so many blocks apart: by then the first one's descendants have been
/// built anew and derived.
pub(super) const REPLACEMENT_DISTANCE: u64 = 8;

/// One fault of the run, in its place.
#[derive(Clone, Copy, Debug)]
pub struct PlannedFault {
    /// The fault.
    pub fault: &'static dyn Fault,
    /// The chain.
    pub chain_id: u64,
    /// The height.
    pub block: u64,
}

impl PlannedFault {
    /// What the sidecar must find.
    pub fn expected(&self) -> Finding {
        self.fault.expected(self.chain_id)
    }
}

/// All faults of the run: at most one a block of a chain.
#[derive(Clone, Debug, Default)]
pub struct FaultPlan {
    by_place: BTreeMap<(u64, u64), PlannedFault>,
    order: Vec<(u64, u64)>,
}

/// A fault that cannot be scripted where it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultPlanError {
    /// The chain is none of the run.
    #[error("--fault {fault}: there is no chain {chain_id}, the chains are {first} to {last} (--chains)")]
    UnknownChain {
        /// The fault as it was given.
        fault: String,
        /// The chain that it names.
        chain_id: u64,
        /// The first chain of the run.
        first: u64,
        /// The last chain of the run.
        last: u64,
    },
    /// The run ends before the block.
    #[error("--fault {fault}: the run ends at block {blocks} (--blocks)")]
    PastTheEnd {
        /// The fault as it was given.
        fault: String,
        /// The length of the run.
        blocks: u64,
    },
    /// The fault cannot happen so early.
    #[error("--fault {fault}: this fault needs block {earliest} or later")]
    TooEarly {
        /// The fault as it was given.
        fault: String,
        /// The first block at which it can happen.
        earliest: u64,
    },
    /// Two faults on one block.
    #[error(
        "--fault {fault}: block {block} of chain {chain_id} has the fault {other} already, move one of them"
    )]
    Collision {
        /// The fault as it was given.
        fault: String,
        /// The chain.
        chain_id: u64,
        /// The height.
        block: u64,
        /// The fault that was given before.
        other: &'static str,
    },
    /// Two replacements of one chain are too close: blocks would be rebuilt so often and so late that gossip drops
    /// them.
    #[error(
        "--fault {fault}: block {other} of chain {chain_id} is replaced too, leave {REPLACEMENT_DISTANCE} blocks between"
    )]
    CloseReplacements {
        /// The fault as it was given.
        fault: String,
        /// The chain.
        chain_id: u64,
        /// The other replaced block.
        other: u64,
    },
    /// Two outages of one client overlap.
    #[error("--fault {fault}: chain {chain_id} answers errors already, since the outage at block {other}")]
    OverlappingOutages {
        /// The fault as it was given.
        fault: String,
        /// The chain.
        chain_id: u64,
        /// The block of the other outage.
        other: u64,
    },
}

impl FaultPlan {
    /// Puts each fault in its place.
    ///
    /// # Errors
    /// A fault names a chain or a block that the run does not have, comes too early, or collides with another.
    pub fn new(specs: &[FaultSpec], chain_ids: &[u64], blocks: Option<u64>) -> Result<Self, FaultPlanError> {
        let mut plan = Self::default();
        for spec in specs {
            let planned = place(spec, chain_ids, blocks)?;
            plan.check_free(spec, &planned)?;
            plan.by_place.insert((planned.chain_id, planned.block), planned);
            plan.order.push((planned.chain_id, planned.block));
        }
        Ok(plan)
    }

    /// The fault at a block of a chain.
    pub fn at(&self, chain_id: u64, block: u64) -> Option<&PlannedFault> {
        self.by_place.get(&(chain_id, block))
    }

    /// The faults in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &PlannedFault> {
        self.order.iter().filter_map(|place| self.by_place.get(place))
    }

    /// The outage that a chain's execution client has in a tick.
    pub fn outage(&self, chain_id: u64, tick: u64) -> Option<&PlannedFault> {
        let mut faults = self.by_place.range((chain_id, 0)..=(chain_id, tick)).map(|(_, planned)| planned);
        faults.find(|planned| ends_at(planned).is_some_and(|end| tick < end))
    }

    fn check_free(&self, spec: &FaultSpec, planned: &PlannedFault) -> Result<(), FaultPlanError> {
        let PlannedFault { chain_id, block, .. } = *planned;
        if let Some(other) = self.at(chain_id, block) {
            let other = other.fault.name();
            return Err(FaultPlanError::Collision { fault: spec.to_string(), chain_id, block, other });
        }
        let overlaps = |other: &&PlannedFault| {
            let ends = ends_at(other).zip(ends_at(planned));
            other.chain_id == chain_id && ends.is_some_and(|(a, b)| other.block < b && block < a)
        };
        if let Some(other) = self.iter().find(overlaps) {
            let (fault, other) = (spec.to_string(), other.block);
            return Err(FaultPlanError::OverlappingOutages { fault, chain_id, other });
        }
        let is_close = |other: &&PlannedFault| {
            let replaced = other.fault.is_replaced() && planned.fault.is_replaced();
            other.chain_id == chain_id && replaced && other.block.abs_diff(block) < REPLACEMENT_DISTANCE
        };
        self.iter().find(is_close).map_or(Ok(()), |other| {
            let (fault, other) = (spec.to_string(), other.block);
            Err(FaultPlanError::CloseReplacements { fault, chain_id, other })
        })
    }
}

/// The first tick after a fault's outage, if it is one.
fn ends_at(planned: &PlannedFault) -> Option<u64> {
    planned.fault.outage_ticks().map(|ticks| planned.block.saturating_add(ticks))
}

fn place(spec: &FaultSpec, chain_ids: &[u64], blocks: Option<u64>) -> Result<PlannedFault, FaultPlanError> {
    let (first, last) =
        (chain_ids.first().copied().unwrap_or_default(), chain_ids.last().copied().unwrap_or_default());
    let chain_id = spec.chain_id.unwrap_or(first);
    let fault = spec.to_string();
    if !chain_ids.contains(&chain_id) {
        return Err(FaultPlanError::UnknownChain { fault, chain_id, first, last });
    }
    if let Some(blocks) = blocks.filter(|blocks| spec.block > *blocks) {
        return Err(FaultPlanError::PastTheEnd { fault, blocks });
    }
    let earliest = spec.fault.earliest_block();
    if spec.block < earliest {
        return Err(FaultPlanError::TooEarly { fault, earliest });
    }
    Ok(PlannedFault { fault: spec.fault, chain_id, block: spec.block })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn plan(specs: &[&str]) -> Result<FaultPlan, FaultPlanError> {
        let specs: Vec<FaultSpec> = specs.iter().map(|text| text.parse().unwrap()).collect();
        FaultPlan::new(&specs, &[901, 902], Some(60))
    }

    #[rstest]
    #[case::unknown_chain(&["invalid-message@15:903"], "no chain 903")]
    #[case::past_the_end(&["invalid-message@61"], "ends at block 60")]
    #[case::genesis(&["wrong-signer@0"], "block 1 or later")]
    #[case::message_too_early(&["invalid-message@7"], "block 8 or later")]
    #[case::nothing_expired_yet(&["expired-message@17"], "block 18 or later")]
    #[case::two_on_one_block(&["not-derived@20", "wrong-signer@20:901"], "has the fault not-derived already")]
    #[case::overlapping_outages(&["rpc-outage@20", "rpc-outage@29"], "since the outage at block 20")]
    #[case::overlapping_outages_backwards(&["rpc-outage@29", "rpc-outage@20"], "since the outage at block 29")]
    #[case::close_replacements(
        &["justified-replacement@20", "justified-replacement@27"],
        "leave 8 blocks between"
    )]
    fn refuses(#[case] specs: &[&str], #[case] message: &str) {
        let error = plan(specs).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }

    #[test]
    fn one_block_of_two_chains_takes_two_faults_and_order_is_kept() {
        let plan =
            plan(&["wrong-signer@20:902", "not-derived@20", "rpc-outage@30", "rpc-outage@40"]).unwrap();
        let places: Vec<_> = plan.iter().map(|fault| (fault.chain_id, fault.block)).collect();
        assert_eq!(places, [(902, 20), (901, 20), (901, 30), (901, 40)]);
        assert_eq!(plan.at(902, 20).unwrap().fault.name(), "wrong-signer");
    }

    #[rstest]
    #[case::far_enough(&["justified-replacement@28", "justified-replacement@20"])]
    #[case::on_two_chains(&["justified-replacement@20", "justified-replacement@20:902"])]
    #[case::among_others(&["justified-replacement@20", "invalid-message@21", "not-derived@22"])]
    fn accepts(#[case] specs: &[&str]) {
        assert_eq!(plan(specs).unwrap().iter().count(), specs.len());
    }

    #[rstest]
    #[case::before(29, None)]
    #[case::first_tick(30, Some(30))]
    #[case::last_tick(39, Some(30))]
    #[case::after(40, None)]
    fn an_outage_lasts_ten_ticks(#[case] tick: u64, #[case] since: Option<u64>) {
        let plan = plan(&["rpc-outage@30"]).unwrap();
        assert_eq!(plan.outage(901, tick).map(|planned| planned.block), since);
        assert!(plan.outage(902, tick).is_none());
    }
}
