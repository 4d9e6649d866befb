//! [`FaultPlan`]: the faults of one run, checked against its chains and its length.

use super::effects::{Attested, DisturbanceKind, L1Drop};
use super::planned_fault::{PlannedFault, REMOVED_WITHIN};
use super::{FaultPlanError, FaultSpec};
use std::collections::BTreeMap;

/// Two replacements of one chain are at least this many blocks apart: by then the first one's descendants
/// have been built again and derived.
pub(super) const REPLACEMENT_DISTANCE: u64 = 8;
/// A fault of several blocks is at least this many blocks from one that builds blocks of its chains again.
pub(super) const TIED_DISTANCE: u64 = 12;
/// How many endpoints a chain has so that one can be outvoted.
const ENDPOINTS: usize = 3;

/// All faults of the run: at most one a block of a chain. A fault of several blocks has each of them.
#[derive(Clone, Debug, Default)]
pub struct FaultPlan {
    by_place: BTreeMap<(u64, u64), PlannedFault>,
    /// The parts of each fault, in the order in which the faults were given.
    groups: Vec<Vec<PlannedFault>>,
    /// Whether nobody attests anything.
    is_unattested: bool,
}

impl FaultPlan {
    /// Puts each fault in its place.
    ///
    /// # Errors
    /// A fault names a chain or a block that the run does not have, comes too early, or collides with
    /// another.
    pub fn new(specs: &[FaultSpec], chain_ids: &[u64], blocks: Option<u64>) -> Result<Self, FaultPlanError> {
        let mut plan = Self::default();
        for spec in specs {
            plan.add(spec, chain_ids, blocks)?;
        }
        Ok(plan)
    }

    /// No faults, in a run in which nobody attests anything.
    pub fn without_attester() -> Self {
        Self { is_unattested: true, ..Self::default() }
    }

    /// Puts one more fault in its place. If it has none, nothing changes.
    ///
    /// # Errors
    /// As [`FaultPlan::new`].
    pub fn add(
        &mut self,
        spec: &FaultSpec,
        chain_ids: &[u64],
        blocks: Option<u64>,
    ) -> Result<(), FaultPlanError> {
        let parts = self.place(spec, chain_ids, blocks)?;
        for part in &parts {
            self.check_free(spec, part)?;
            self.check_room(spec, part, parts.len() > 1)?;
        }
        for part in &parts {
            let blocks = part.block..=part.last();
            self.by_place.extend(blocks.map(|block| ((part.chain_id, block), *part)));
        }
        self.groups.push(parts);
        Ok(())
    }

    /// The fault at a block of a chain.
    pub fn at(&self, chain_id: u64, block: u64) -> Option<&PlannedFault> {
        self.by_place.get(&(chain_id, block))
    }

    /// All parts of all faults, in the order in which the faults were given.
    pub fn iter(&self) -> impl Iterator<Item = &PlannedFault> {
        self.groups.iter().flatten()
    }

    /// The parts of the fault to which a part belongs, the fault's own first.
    pub fn parts(&self, planned: &PlannedFault) -> &[PlannedFault] {
        self.groups.get(planned.group).map(Vec::as_slice).unwrap_or_default()
    }

    /// The first height of a chain of which something is attested that is invalid.
    pub(crate) fn first_invalid_attestation(&self, chain_id: u64) -> Option<u64> {
        self.lies(chain_id).map(|planned| planned.block).min()
    }

    /// The first height at which the chain's own block is invalid: nobody may take it, or what follows it,
    /// for safe. Where a sibling of it is attested instead, the chain's own block is as good as its
    /// ancestors.
    pub(crate) fn first_invalid_block(&self, chain_id: u64) -> Option<u64> {
        let own = |planned: &&PlannedFault| planned.fault.attested == Attested::Block;
        self.lies(chain_id).filter(own).map(|planned| planned.block).min()
    }

    fn lies(&self, chain_id: u64) -> impl Iterator<Item = &PlannedFault> {
        let of_chain = self.iter().filter(move |planned| planned.chain_id == chain_id);
        of_chain.filter(|planned| planned.expected().stops_followers())
    }

    /// Which of its blocks L1 reorgs out in a tick.
    pub(crate) fn reorgs_l1(&self, tick: u64) -> Option<L1Drop> {
        self.iter().find(|planned| planned.l1_reorg_tick() == Some(tick))?.fault.l1_drop
    }

    /// The fault for which L1 reorgs out what brought a replaced block of a chain in a tick.
    pub(crate) fn undone(&self, chain_id: u64, tick: u64) -> Option<&PlannedFault> {
        let due = |planned: &&PlannedFault| {
            planned.chain_id == chain_id && planned.is_undone() && planned.l1_reorg_tick() == Some(tick)
        };
        self.iter().find(due)
    }

    /// The faults for which the block that a chain's attester names is the chain's once L1 has reorged out
    /// another.
    pub(crate) fn becoming_canonical(&self) -> impl Iterator<Item = &PlannedFault> {
        self.iter().filter(|planned| planned.becomes_canonical())
    }

    /// The part for which a chain drops blocks at the start of a tick: the fault's own block came in the tick
    /// before.
    pub fn dropped(&self, chain_id: u64, tick: u64) -> Option<&PlannedFault> {
        let due = |planned: &&PlannedFault| {
            let own = self.parts(planned).first();
            planned.fault.is_dropped() && own.is_some_and(|own| own.block.saturating_add(1) == tick)
        };
        let recent = (chain_id, tick.saturating_sub(REMOVED_WITHIN))..=(chain_id, tick);
        self.by_place.range(recent).map(|(_, planned)| planned).find(due)
    }

    /// How many endpoints each chain needs: three where one of them is not like the others.
    pub fn endpoints(&self) -> usize {
        if self.iter().any(|planned| planned.is_of_one_endpoint()) { ENDPOINTS } else { 1 }
    }

    /// Whether a chain's inbox takes messages that nobody declared.
    pub(crate) fn patches_inbox(&self, chain_id: u64) -> bool {
        self.iter().any(|planned| planned.chain_id == chain_id && planned.fault.is_undeclared)
    }

    /// Whether a chain's rollup node checks no messages, in the whole run.
    pub(crate) fn has_plain_node(&self, chain_id: u64) -> bool {
        self.iter().any(|planned| planned.chain_id == chain_id && planned.fault.remain_ticks() > 0)
    }

    /// The height at which a fork with a bundle of upgrade deposits begins on a chain, if one does.
    pub(crate) fn first_block_of_fork(&self, chain_id: u64) -> Option<u64> {
        let begins = |planned: &&PlannedFault| planned.chain_id == chain_id && planned.fault.begins_fork();
        self.iter().find(begins).map(|planned| planned.block)
    }

    /// Whether a fork begins on any chain.
    pub(crate) fn begins_fork(&self) -> bool {
        self.iter().any(|planned| planned.fault.begins_fork())
    }

    /// The fault for which a chain's nodes are on another branch in a tick.
    pub fn other_branch(&self, chain_id: u64, tick: u64) -> Option<&PlannedFault> {
        self.disturbance_of(chain_id, tick, |kind| kind == DisturbanceKind::OtherBranch)
    }

    /// The fault for which a chain's client has another block at a height in a tick.
    pub fn unlinked(&self, chain_id: u64, tick: u64) -> Option<&PlannedFault> {
        self.disturbance_of(chain_id, tick, DisturbanceKind::is_unlinked)
    }

    /// The outage that a chain's execution client has in a tick.
    pub fn outage(&self, chain_id: u64, tick: u64) -> Option<&PlannedFault> {
        self.disturbance_of(chain_id, tick, |kind| kind == DisturbanceKind::Errors)
    }

    /// The fault for which a chain's rollup node is unusable in a tick: it names no heads, works by other
    /// rules, or calls genesis final.
    pub(crate) fn unknown_heads(&self, chain_id: u64, tick: u64) -> Option<&PlannedFault> {
        self.disturbance_of(chain_id, tick, DisturbanceKind::is_of_rollup_node)
    }

    /// The fault for which one of a chain's endpoints is not like the others in a tick, and how.
    pub fn endpoint(&self, chain_id: u64, tick: u64) -> Option<&PlannedFault> {
        self.disturbance_of(chain_id, tick, DisturbanceKind::is_of_one_endpoint)
    }

    /// Whether a chain has claimants, in the whole run.
    pub(crate) fn has_claimants(&self, chain_id: u64) -> bool {
        self.iter().any(|planned| planned.chain_id == chain_id && planned.fault.has_claimants())
    }

    /// The fault for which a claimant of a chain differs from the others in a tick.
    pub(crate) fn differing_claimant(&self, chain_id: u64, tick: u64) -> Option<&PlannedFault> {
        self.disturbance_of(chain_id, tick, |kind| kind == DisturbanceKind::ClaimantDiffers)
    }

    /// The first disturbance of a chain's nodes in a tick, if it is one of these.
    fn disturbance_of(
        &self,
        chain_id: u64,
        tick: u64,
        is_meant: impl Fn(DisturbanceKind) -> bool,
    ) -> Option<&PlannedFault> {
        self.disturbance(chain_id, tick).filter(|planned| planned.disturbance().is_some_and(is_meant))
    }

    fn disturbance(&self, chain_id: u64, tick: u64) -> Option<&PlannedFault> {
        let mut faults = self.by_place.range((chain_id, 0)..=(chain_id, tick)).map(|(_, planned)| planned);
        faults.find(|planned| planned.ends_at().is_some_and(|end| tick < end))
    }

    /// Whether this many blocks are between a fault and every other that affects one of its chains.
    pub(super) fn has_room(&self, parts: &[PlannedFault], blocks: u64) -> bool {
        let touches = |a: &PlannedFault, b: &PlannedFault| {
            a.chain_id == b.chain_id || a.fault.l1_drop.or(b.fault.l1_drop).is_some()
        };
        parts.iter().all(|part| {
            self.iter().filter(|other| touches(part, other)).all(|other| part.distance(other) >= blocks)
        })
    }

    /// The parts of a fault in their places.
    pub(super) fn place(
        &self,
        spec: &FaultSpec,
        chain_ids: &[u64],
        blocks: Option<u64>,
    ) -> Result<Vec<PlannedFault>, FaultPlanError> {
        if self.is_unattested && spec.fault.needs_attester() {
            return Err(FaultPlanError::NeedsAttester { fault: spec.to_string() });
        }
        let own = own_chain(spec, chain_ids)?;
        check_block(spec, blocks)?;
        let (needed, chains) = (spec.fault.chains, chain_ids.len());
        if needed > chains {
            return Err(FaultPlanError::TooFewChains { fault: spec.to_string(), needed, chains });
        }
        let (group, around) = (self.groups.len(), chain_ids.iter().cycle().skip(own));
        let chain = |after: usize| around.clone().nth(after).copied().unwrap_or_default();
        let is_unattested = self.is_unattested;
        let main = PlannedFault {
            fault: spec.fault,
            chain_id: chain(0),
            block: spec.block,
            part: 0,
            group,
            is_unattested,
        };
        let companions = (spec.fault.companions)(spec.block).into_iter().zip(1..);
        let companions = companions.map(|(companion, part)| PlannedFault {
            fault: companion.fault,
            chain_id: chain(companion.chain),
            block: companion.block,
            part,
            group,
            is_unattested,
        });
        Ok([main].into_iter().chain(companions).collect())
    }

    /// Whether no other fault has this block, disturbs the same nodes or has a block replaced next to it.
    fn check_free(&self, spec: &FaultSpec, planned: &PlannedFault) -> Result<(), FaultPlanError> {
        let PlannedFault { chain_id, block, .. } = *planned;
        let taken = (block..=planned.last()).find_map(|block| Some((block, self.at(chain_id, block)?)));
        if let Some((block, other)) = taken {
            let other = other.fault.name;
            return Err(FaultPlanError::Collision { fault: spec.to_string(), chain_id, block, other });
        }
        let overlaps = |other: &&PlannedFault| {
            let ends = other.ends_at().zip(planned.ends_at());
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
            let distance = REPLACEMENT_DISTANCE.saturating_mul(first.fault.blocks);
            let distance = distance.saturating_add(first.fault.unsettled_ticks());
            other.chain_id == chain_id && replaced && other.block.abs_diff(block) < distance
        };
        self.iter().find(is_close).map_or(Ok(()), |other| {
            let (fault, other) = (spec.to_string(), other.block);
            Err(FaultPlanError::CloseReplacements { fault, chain_id, other })
        })
    }

    /// Whether what must be seen of this fault and of the others can be seen, and what is tied together stays
    /// together.
    fn check_room(
        &self,
        spec: &FaultSpec,
        planned: &PlannedFault,
        needs_stable_blocks: bool,
    ) -> Result<(), FaultPlanError> {
        for other in self.iter() {
            let fault = || spec.to_string();
            if let Some(first) = planned.unknown_fork_with(other) {
                let chain_id = planned.chain_id;
                return Err(FaultPlanError::UnknownFork { fault: fault(), chain_id, first });
            }
            if let Some((gone, by)) =
                [(planned, other), (other, planned)].into_iter().find(|(a, b)| a.is_removed_unseen(b))
            {
                let (name, chain_id) = (gone.fault.name, by.chain_id);
                return Err(FaultPlanError::Unobservable { fault: fault(), name, chain_id });
            }
            let is_close = planned.distance(other) < TIED_DISTANCE;
            // Attested blocks that are removed are attested again: no other fault may change those blocks.
            if is_close && (planned.conflicts_with(other) || other.conflicts_with(planned)) {
                return Err(other.too_close(fault(), planned.chain_id));
            }
            let other_is_tied = self.parts(other).len() > 1 || other.needs_stable_blocks();
            let planned_is_tied = needs_stable_blocks || planned.needs_stable_blocks();
            if is_close && planned_is_tied && other.reorgs_or_disturbs(planned.chain_id) {
                return Err(other.too_close(fault(), planned.chain_id));
            }
            if is_close && other_is_tied && planned.reorgs_or_disturbs(other.chain_id) {
                return Err(other.too_close(fault(), other.chain_id));
            }
        }
        Ok(())
    }
}

/// The place of the fault's own chain among the chains.
fn own_chain(spec: &FaultSpec, chain_ids: &[u64]) -> Result<usize, FaultPlanError> {
    let (first, last) =
        (chain_ids.first().copied().unwrap_or_default(), chain_ids.last().copied().unwrap_or_default());
    let chain_id = spec.chain_id.unwrap_or(first);
    let own = chain_ids.iter().position(|id| *id == chain_id);
    own.ok_or_else(|| FaultPlanError::UnknownChain { fault: spec.to_string(), chain_id, first, last })
}

fn check_block(spec: &FaultSpec, blocks: Option<u64>) -> Result<(), FaultPlanError> {
    let fault = || spec.to_string();
    let last = spec.fault.last_block(spec.block);
    if let Some(blocks) = blocks.filter(|blocks| last > *blocks) {
        return Err(FaultPlanError::PastTheEnd { fault: fault(), blocks, last });
    }
    let (earliest, latest) = (spec.fault.earliest_block, spec.fault.latest_block);
    if spec.block < earliest {
        return Err(FaultPlanError::TooEarly { fault: fault(), earliest });
    }
    if spec.block > latest {
        return Err(FaultPlanError::TooLate { fault: fault(), latest });
    }
    Ok(())
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
    #[case::nothing_expired_yet(&["expired-message@19"], "block 20 or later")]
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
    #[case::unjudged(&["lagoon-activation@20", "forged-deposit@40"], "block 20 of chain 901 is the first of a fork")]
    #[case::unjudged_backwards(&["forged-deposit@40", "lagoon-activation@20"], "block 20 of chain 901 is the first of a fork")]
    #[case::two_forks(&["lagoon-activation@20", "lagoon-activation@40"], "block 20 of chain 901 is the first of a fork")]
    #[case::activation_long_ago(&["activation-block@19"], "block 18 or an earlier one")]
    #[case::too_few_chains(&["message-cycle-three@20"], "needs 3 chains, there are 2")]
    #[case::companion_on_a_taken_block(&["not-derived@20:902", "message-cycle-two@20"], "block 20 of chain 902 has the fault not-derived")]
    #[case::companion_takes_its_block(&["message-cycle-two@20", "not-derived@20:902"], "has the fault message-cycle-two already")]
    #[case::companion_around_the_chains(&["not-derived@20", "message-cycle-two@20:902"], "block 20 of chain 901 has the fault not-derived")]
    #[case::companion_before(&["not-derived@19:902", "transitive-invalid@20"], "block 19 of chain 902 has the fault not-derived")]
    #[case::tied_by_a_replacement(&["justified-replacement@30:902", "same-timestamp-message@20"], "justified-replacement@30 is too close")]
    #[case::tied_after_an_l1_reorg(&["l1-reorg@20", "remote-reorg@31"], "l1-reorg@20 is too close")]
    #[case::upset_after_the_tie(&["remote-reorg@20", "l1-reorg@31:902"], "remote-reorg@20 is too close")]
    #[case::liar_under_an_l1_reorg(&["lying-endpoint@20", "l1-reorg@30:902"], "lying-endpoint@20 is too close")]
    #[case::replays_under_an_l1_reorg(&["replay-first@20", "l1-reorg@30:902"], "replay-first@20 is too close")]
    #[case::replay_of_what_is_rebuilt(&["unsafe-reorg@30", "replay-first@20"], "unsafe-reorg@30 is too close")]
    #[case::gone_in_an_outage(&["rpc-outage@20", "justified-replacement@25:902"], "is removed while the nodes of chain 901")]
    #[case::gone_before_an_outage(&["justified-replacement@25:902", "rpc-outage@30"], "is removed while the nodes of chain 901")]
    #[case::outage_of_a_lying_endpoint(&["lying-endpoint@20", "rpc-outage@25"], "since block 20")]
    #[case::built_anew_with_a_fault(&["not-derived@20:902", "l1-reorg-final@30"], "not-derived@20 is too close")]
    #[case::fault_on_what_is_built_anew(&["l1-reorg-final@30", "not-derived@45:902"], "l1-reorg-final@30 is too close")]
    #[case::reorg_under_an_unlinked_client(&["unlinked-client@20", "l1-reorg@30:902"], "unlinked-client@20 is too close")]
    #[case::outage_of_an_unlinked_client(&["unlinked-client@20", "rpc-outage@25"], "since block 20")]
    #[case::longer_than_the_run(&["long-outage@20"], "needs block 120")]
    #[case::two_that_are_undone(&["unreplaced@20", "unreplaced@50"], "unreplaced@20 is too close")]
    #[case::fault_above_what_is_undone(&["unreplaced@20", "not-derived@30"], "unreplaced@20 is too close")]
    #[case::l1_reorg_before_it_is_undone(&["l1-reorg@20:902", "unreplaced@30"], "l1-reorg@20 is too close")]
    #[case::fault_above_what_comes_true(&["verdict-taken-back@20", "not-derived@30"], "verdict-taken-back@20 is too close")]
    #[case::comes_true_in_an_outage(&["verdict-taken-back@21", "rpc-outage@27:902"], "is removed while the nodes of chain 902")]
    #[case::undone_in_an_outage(&["unreplaced@21", "rpc-outage@27:902"], "is removed while the nodes of chain 902")]
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
        assert_eq!(plan.at(902, 20).unwrap().fault.name, "wrong-signer");
    }

    #[rstest]
    #[case::far_enough(&["justified-replacement@28", "justified-replacement@20"])]
    #[case::on_two_chains(&["justified-replacement@20", "justified-replacement@20:902"])]
    #[case::before_a_run(&["justified-replacement@10", "replacement-chain@18"])]
    #[case::far_from_an_l1_reorg(&["l1-reorg@20", "remote-reorg@33"])]
    #[case::seen_before_the_outage(&["justified-replacement@22:902", "rpc-outage@30"])]
    #[case::before_a_fork(&["forged-deposit@20", "lagoon-activation@40"])]
    #[case::forks_of_two_chains(&["lagoon-activation@20", "lagoon-activation@20:902", "not-derived@30"])]
    #[case::undone_beside_others(&["unreplaced@20", "not-derived@22:902", "rpc-outage@27:902"])]
    #[case::among_others(&["justified-replacement@20", "invalid-message@21", "not-derived@22"])]
    fn accepts(#[case] specs: &[&str]) {
        assert_eq!(plan(specs).unwrap().iter().filter(|part| part.part == 0).count(), specs.len());
    }

    #[test]
    fn invalid_attestations_and_invalid_blocks_are_distinguished() {
        let plan =
            plan(&["wrong-signer@9", "not-derived@20", "forged-deposit@30", "invalid-message@40"]).unwrap();
        assert_eq!(
            (plan.first_invalid_attestation(901), plan.first_invalid_block(901)),
            (Some(20), Some(30))
        );
        assert_eq!((plan.first_invalid_attestation(902), plan.first_invalid_block(902)), (None, None));
    }

    #[rstest]
    #[case::in_its_own_tick(13, 13)]
    #[case::two_ticks_later(14, 16)]
    #[case::one_tick_later(15, 16)]
    fn l1_reorgs_right_after_a_block_of_its_own(#[case] block: u64, #[case] tick: u64) {
        let plan = plan(&[&format!("l1-reorg@{block}:902")]).unwrap();
        let ticks: Vec<_> = (0..60).filter(|tick| plan.reorgs_l1(*tick).is_some()).collect();
        assert_eq!(ticks, [tick]);
    }

    #[rstest]
    #[case::first_of_its_epoch(21)]
    #[case::in_between(22)]
    #[case::last_of_its_epoch(23)]
    fn l1_drops_what_is_attested_once_its_epoch_is_cross_safe(#[case] block: u64) {
        let plan = plan(&[&format!("l1-reorg-final@{block}:902")]).unwrap();
        let ticks: Vec<_> = (0..60).filter(|tick| plan.reorgs_l1(*tick).is_some()).collect();
        assert_eq!(ticks, [28]);
        assert_eq!(plan.iter().find_map(PlannedFault::dropped_heights), Some(18..28));
    }

    #[rstest]
    #[case::first_of_its_epoch(21)]
    #[case::in_between(22)]
    #[case::last_of_its_epoch(23)]
    fn l1_drops_what_brought_a_block_that_is_replaced(#[case] block: u64) {
        let plan = plan(&[&format!("unreplaced@{block}:902")]).unwrap();
        let ticks: Vec<_> = (0..60).filter(|tick| plan.reorgs_l1(*tick).is_some()).collect();
        assert_eq!(ticks, [28]);
        assert_eq!(plan.undone(902, 28).map(|planned| planned.block), Some(block));
        assert!(plan.undone(901, 28).is_none() && plan.undone(902, 27).is_none());
        assert_eq!(plan.iter().find_map(PlannedFault::dropped_heights), None);
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

    #[test]
    fn a_node_names_no_heads_for_ten_ticks() {
        let plan = plan(&["zero-heads@30"]).unwrap();
        let ticks: Vec<_> = (0..60).filter(|tick| plan.unknown_heads(901, *tick).is_some()).collect();
        assert_eq!(ticks, (30..40).collect::<Vec<_>>());
        assert!(plan.unknown_heads(902, 30).is_none() && plan.outage(901, 30).is_none());
    }

    #[test]
    fn a_fault_of_several_chains_has_its_parts_in_their_places() {
        let specs: Vec<FaultSpec> = vec!["message-cycle-three@20:902".parse().unwrap()];
        let plan = FaultPlan::new(&specs, &[901, 902, 903], Some(60)).unwrap();
        let places: Vec<_> = plan.iter().map(|part| (part.chain_id, part.block, part.part)).collect();
        assert_eq!(places, [(902, 20, 0), (903, 20, 1), (901, 20, 2)]);
        assert_eq!(plan.parts(plan.at(901, 20).unwrap()).len(), 3);
    }

    #[rstest]
    #[case::of_the_block_before(20, 19)]
    #[case::of_the_same_timestamp(21, 21)]
    fn a_remote_reorg_drops_in_the_tick_after_the_execution(#[case] block: u64, #[case] dropped: u64) {
        let plan = plan(&[&format!("remote-reorg@{block}")]).unwrap();
        let due = |chain| {
            (0..60).filter_map(|tick| Some((tick, plan.dropped(chain, tick)?.block))).collect::<Vec<_>>()
        };
        assert_eq!((due(901), due(902)), (vec![], vec![(block + 1, dropped)]));
    }

    #[test]
    fn an_endpoint_fault_lasts_for_its_ticks() {
        let plan = plan(&["lying-endpoint@30"]).unwrap();
        let ticks: Vec<_> = (0..60).filter(|tick| plan.endpoint(901, *tick).is_some()).collect();
        assert_eq!(ticks, (30..42).collect::<Vec<_>>());
        assert!(plan.outage(901, 30).is_none() && plan.other_branch(901, 30).is_none());
    }
}
