//! [`FaultPlan`]: the faults of one run, checked against its chains and its length.

use super::{Attested, Fault, FaultSpec};
use crate::devnet::{finding::Finding, schedule::TICKS_PER_L1_BLOCK};
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
    /// The last height at which it happens.
    pub fn last(&self) -> u64 {
        self.block.saturating_add(self.fault.blocks().saturating_sub(1))
    }

    /// Whether it shows in attestations of its own, one for each of its blocks.
    pub fn is_attested(&self) -> bool {
        self.fault.outage_ticks().is_none() && self.fault.fork_ticks().is_none()
    }

    /// The tick in which L1 drops its newest blocks: the first from the block's own on in which nothing that is
    /// cross-safe stands on them.
    fn l1_reorg_tick(&self) -> Option<u64> {
        let first = self.block..=self.block.saturating_add(TICKS_PER_L1_BLOCK);
        self.fault.reorgs_l1().then_some(first)?.find(|tick| tick.checked_rem(TICKS_PER_L1_BLOCK) == Some(1))
    }

    /// What the sidecar must find.
    pub fn expected(&self) -> Finding {
        self.fault.expected(self.chain_id)
    }
}

/// All faults of the run: at most one a block of a chain. A fault of several blocks has each of them.
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
    /// The run ends before the fault can be found.
    #[error("--fault {fault}: the run ends at block {blocks} (--blocks), this fault needs block {last}")]
    PastTheEnd {
        /// The fault as it was given.
        fault: String,
        /// The length of the run.
        blocks: u64,
        /// The block that the run must have.
        last: u64,
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
        "--fault {fault}: block {other} of chain {chain_id} is replaced too, leave {REPLACEMENT_DISTANCE} blocks between for each"
    )]
    CloseReplacements {
        /// The fault as it was given.
        fault: String,
        /// The chain.
        chain_id: u64,
        /// The other replaced block.
        other: u64,
    },
    /// Two outages or forks of one chain's nodes overlap.
    #[error("--fault {fault}: the nodes of chain {chain_id} are disturbed already, since block {other}")]
    OverlappingOutages {
        /// The fault as it was given.
        fault: String,
        /// The chain.
        chain_id: u64,
        /// The block of the other fault.
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
            let blocks = planned.block..=planned.last();
            plan.by_place.extend(blocks.map(|block| ((planned.chain_id, block), planned)));
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

    /// The first height of a chain of which something is attested that does not hold.
    pub fn first_lie(&self, chain_id: u64) -> Option<u64> {
        self.lies(chain_id).map(|planned| planned.block).min()
    }

    /// The first height at which the chain's own block does not hold: nobody may take it, or what follows it, for safe.
    /// Where a sibling of it is attested instead, the chain's own block is as good as its ancestors.
    pub fn first_bad(&self, chain_id: u64) -> Option<u64> {
        let own = |planned: &&PlannedFault| planned.fault.attested() == Attested::Block;
        self.lies(chain_id).filter(own).map(|planned| planned.block).min()
    }

    fn lies(&self, chain_id: u64) -> impl Iterator<Item = &PlannedFault> {
        let of_chain = self.iter().filter(move |planned| planned.chain_id == chain_id);
        of_chain.filter(|planned| planned.expected().stops_followers())
    }

    /// Whether L1 drops its newest blocks in a tick.
    pub fn reorgs_l1(&self, tick: u64) -> bool {
        self.iter().any(|planned| planned.l1_reorg_tick() == Some(tick))
    }

    /// The fault for which a chain's nodes follow another fork in a tick.
    pub fn fork(&self, chain_id: u64, tick: u64) -> Option<&PlannedFault> {
        self.disturbance(chain_id, tick).filter(|planned| planned.fault.fork_ticks().is_some())
    }

    /// The outage that a chain's execution client has in a tick.
    pub fn outage(&self, chain_id: u64, tick: u64) -> Option<&PlannedFault> {
        self.disturbance(chain_id, tick).filter(|planned| planned.fault.outage_ticks().is_some())
    }

    fn disturbance(&self, chain_id: u64, tick: u64) -> Option<&PlannedFault> {
        let mut faults = self.by_place.range((chain_id, 0)..=(chain_id, tick)).map(|(_, planned)| planned);
        faults.find(|planned| ends_at(planned).is_some_and(|end| tick < end))
    }

    fn check_free(&self, spec: &FaultSpec, planned: &PlannedFault) -> Result<(), FaultPlanError> {
        let PlannedFault { chain_id, block, .. } = *planned;
        let taken = (block..=planned.last()).find_map(|block| Some((block, self.at(chain_id, block)?)));
        if let Some((block, other)) = taken {
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
            // Each block of a run is replaced and waited for on its own.
            let first = if other.block < block { *other } else { planned };
            let distance = REPLACEMENT_DISTANCE.saturating_mul(first.fault.blocks());
            other.chain_id == chain_id && replaced && other.block.abs_diff(block) < distance
        };
        self.iter().find(is_close).map_or(Ok(()), |other| {
            let (fault, other) = (spec.to_string(), other.block);
            Err(FaultPlanError::CloseReplacements { fault, chain_id, other })
        })
    }
}

/// The first tick after a fault's outage or other fork, if it is one.
fn ends_at(planned: &PlannedFault) -> Option<u64> {
    planned
        .fault
        .outage_ticks()
        .or(planned.fault.fork_ticks())
        .map(|ticks| planned.block.saturating_add(ticks))
}

fn place(spec: &FaultSpec, chain_ids: &[u64], blocks: Option<u64>) -> Result<PlannedFault, FaultPlanError> {
    let (first, last) =
        (chain_ids.first().copied().unwrap_or_default(), chain_ids.last().copied().unwrap_or_default());
    let chain_id = spec.chain_id.unwrap_or(first);
    let fault = spec.to_string();
    if !chain_ids.contains(&chain_id) {
        return Err(FaultPlanError::UnknownChain { fault, chain_id, first, last });
    }
    if let Some(blocks) = blocks.filter(|blocks| spec.fault.last_block(spec.block) > *blocks) {
        return Err(FaultPlanError::PastTheEnd { fault, blocks, last: spec.fault.last_block(spec.block) });
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
    #[case::run_past_the_end(&["attestations-out-of-order@56"], "needs block 61")]
    #[case::lost_to_the_end(&["attestations-lost@41"], "needs block 61")]
    #[case::inside_a_run(&["attestations-lost@20", "not-derived@39"], "block 39 of chain 901 has the fault attestations-lost")]
    #[case::run_over_another(&["not-derived@39", "attestations-lost@20"], "block 39 of chain 901 has the fault not-derived")]
    #[case::close_after_a_run(&["replacement-chain@10", "justified-replacement@33"], "block 10 of chain 901 is replaced too")]
    #[case::outage_on_another_fork(&["sibling-wrong-fork@20", "rpc-outage@27"], "since block 20")]
    #[case::overlapping_outages(&["rpc-outage@20", "rpc-outage@29"], "since block 20")]
    #[case::overlapping_outages_backwards(&["rpc-outage@29", "rpc-outage@20"], "since block 29")]
    #[case::close_replacements(
        &["justified-replacement@20", "justified-replacement@27"],
        "leave 8 blocks between for each"
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
    #[case::before_a_run(&["justified-replacement@10", "replacement-chain@18"])]
    #[case::among_others(&["justified-replacement@20", "invalid-message@21", "not-derived@22"])]
    fn accepts(#[case] specs: &[&str]) {
        assert_eq!(plan(specs).unwrap().iter().count(), specs.len());
    }

    #[test]
    fn a_lie_about_a_block_is_told_from_a_block_that_is_wrong() {
        let plan =
            plan(&["wrong-signer@9", "not-derived@20", "forged-deposit@30", "invalid-message@40"]).unwrap();
        assert_eq!((plan.first_lie(901), plan.first_bad(901)), (Some(20), Some(30)));
        assert_eq!((plan.first_lie(902), plan.first_bad(902)), (None, None));
    }

    #[rstest]
    #[case::in_its_own_tick(13, 13)]
    #[case::two_ticks_later(14, 16)]
    #[case::one_tick_later(15, 16)]
    fn l1_reorgs_right_after_a_block_of_its_own(#[case] block: u64, #[case] tick: u64) {
        let plan = plan(&[&format!("l1-reorg@{block}:902")]).unwrap();
        let ticks: Vec<_> = (0..60).filter(|tick| plan.reorgs_l1(*tick)).collect();
        assert_eq!(ticks, [tick]);
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
