//! [`PlannedFault`]: one fault in its place, when it happens there, and what it leaves room for. Pure.

use super::FaultPlanError;
use super::effects::{Attested, DisturbanceKind, L1Drop, Publication};
use super::fault::ScriptedFault;
use crate::findings::SidecarFinding;
use crate::timing::{CROSS_SAFE_TICKS, L1_FINALITY_DEPTH, TICKS_PER_L1_BLOCK};

/// A block that is replaced or dropped is removed within this many ticks.
pub(super) const REMOVED_WITHIN: u64 = 6;
/// What is derived from the next L1 block is final within this many ticks.
const FINAL_WITHIN: u64 = (L1_FINALITY_DEPTH + 2) * TICKS_PER_L1_BLOCK;

/// One fault of the run, or one part of it, in its place.
#[derive(Clone, Copy, Debug)]
pub struct PlannedFault {
    /// What happens.
    pub fault: &'static ScriptedFault,
    /// The chain.
    pub chain_id: u64,
    /// The height.
    pub block: u64,
    /// Which of the fault's parts this is; 0 is the fault itself.
    pub part: usize,
    /// Which of the plan's faults.
    pub(super) group: usize,
    /// Whether nobody attests anything in this run.
    pub(crate) is_unattested: bool,
}

impl PlannedFault {
    /// The last height at which it happens.
    pub(crate) fn last(&self) -> u64 {
        self.block.saturating_add(self.fault.blocks.saturating_sub(1))
    }

    /// Whether it shows in attestations of its own, one for each of its blocks.
    pub(crate) fn is_attested(&self) -> bool {
        self.fault.disturbance.is_none()
    }

    /// What nodes of its chain do meanwhile, if it disturbs any.
    pub(crate) fn disturbance(&self) -> Option<DisturbanceKind> {
        self.fault.disturbance.map(|disturbance| disturbance.kind)
    }

    /// Whether it disturbs one of three endpoints.
    pub(super) fn is_of_one_endpoint(&self) -> bool {
        self.disturbance().is_some_and(DisturbanceKind::is_of_one_endpoint)
    }

    fn is_unlinked(&self) -> bool {
        self.disturbance().is_some_and(DisturbanceKind::is_unlinked)
    }

    /// The first tick after its nodes are as they should be, if they are ever not.
    pub(crate) fn ends_at(&self) -> Option<u64> {
        self.fault.disturbance.map(|disturbance| self.block.saturating_add(disturbance.ticks))
    }

    /// The heights at which its chain's nodes are on another branch, if they are: from the start of the
    /// block's epoch.
    pub(crate) fn other_branch_heights(&self) -> Option<core::ops::Range<u64>> {
        let end = self.ends_at().filter(|_| self.disturbance() == Some(DisturbanceKind::OtherBranch))?;
        let epoch = self.block.checked_div(TICKS_PER_L1_BLOCK)?.saturating_mul(TICKS_PER_L1_BLOCK);
        Some(epoch..end)
    }

    /// The heights of all chains whose attested blocks are removed because L1 reorgs out their origins, and
    /// those above them.
    pub(crate) fn dropped_heights(&self) -> Option<core::ops::Range<u64>> {
        let tick = self.l1_reorg_tick().filter(|_| self.drops_all_attested())?;
        let l1_blocks = tick.checked_div(TICKS_PER_L1_BLOCK)?.saturating_add(1);
        let first = l1_blocks.saturating_sub(self.fault.l1_drop?.blocks());
        Some(first.saturating_mul(TICKS_PER_L1_BLOCK)..tick)
    }

    /// Which of its chain's endpoints is not like the others, if one is: any but the last, which is the
    /// rollup node's.
    pub(crate) fn odd_endpoint(&self) -> usize {
        usize::from(!self.block.is_multiple_of(2))
    }

    /// Whether all nodes of its chain are disturbed, and not only one.
    pub(super) fn disturbs_all_nodes(&self) -> bool {
        self.disturbance().is_some_and(DisturbanceKind::is_of_chain_nodes)
    }

    /// Whether it needs the chain's blocks to remain. A block that is replayed and then removed is never
    /// attested.
    pub(super) fn needs_stable_blocks(&self) -> bool {
        self.is_of_one_endpoint()
            || self.is_unlinked()
            || self.fault.is_replayed
            || self.fault.has_claimants()
    }

    /// Whether its blocks are removed, and others take their places.
    pub(super) fn is_removed(&self) -> bool {
        self.fault.is_replaced() || self.fault.is_dropped() || self.becomes_canonical()
    }

    /// The last tick in which it makes a difference to a chain.
    fn until(&self, chain_id: u64) -> u64 {
        let dropped = self.l1_reorg_tick().filter(|_| self.drops_all_attested() || self.is_undone());
        // A vouched head leaves a block that was upheld once another is final in its place.
        let is_left = self.is_undone() && self.chain_id == chain_id;
        let left = dropped.filter(|_| is_left).map(|tick| tick.saturating_add(FINAL_WITHIN));
        self.ends_at().max(dropped).max(left).unwrap_or_default().max(self.last())
    }

    /// Whether L1 reorgs out the origins of attested blocks of all chains.
    pub(crate) fn drops_all_attested(&self) -> bool {
        self.fault.l1_drop == Some(L1Drop::AllButFinal)
    }

    /// Whether L1 reorgs out what brought its block, once it is replaced or another was attested in its
    /// place.
    pub(crate) fn is_undone(&self) -> bool {
        self.fault.l1_drop == Some(L1Drop::Batch)
    }

    /// Whether the block that is attested in its block's place is the chain's when L1 has reorged out what
    /// brought its block.
    pub(crate) fn becomes_canonical(&self) -> bool {
        self.is_undone() && self.fault.attested != Attested::Block
    }

    /// Whether its block is replaced, and that is undone after its replacement was attested.
    pub(crate) fn is_undone_after_attestation(&self) -> bool {
        self.is_undone() && !self.becomes_canonical() && self.fault.publication == Publication::AsPromoted
    }

    /// Whether its block is replaced, and that is undone before its replacement is attested.
    pub(crate) fn is_undone_before_attestation(&self) -> bool {
        self.is_undone() && !self.becomes_canonical() && !self.is_undone_after_attestation()
    }

    /// Whether what L1 reorgs out for this leaves another no room, however different their blocks are.
    pub(super) fn conflicts_with(&self, other: &Self) -> bool {
        let touches = self.chain_id == other.chain_id || other.fault.l1_drop.is_some();
        self.drops_all_attested() || (self.is_undone() && touches)
    }

    /// The tick in which L1 reorgs out its newest blocks: the first from the block's own on in which nothing
    /// that is cross-safe is built on them; or the first of its kind in which the block itself, or its
    /// replacement, is cross-safe.
    pub(crate) fn l1_reorg_tick(&self) -> Option<u64> {
        let after = match self.fault.l1_drop? {
            L1Drop::BelowCrossSafety => 0,
            L1Drop::AllButFinal | L1Drop::Batch => TICKS_PER_L1_BLOCK.saturating_add(CROSS_SAFE_TICKS),
        };
        let first = self.block.saturating_add(after);
        let mut ticks = first..=first.saturating_add(TICKS_PER_L1_BLOCK);
        ticks.find(|tick| tick.checked_rem(TICKS_PER_L1_BLOCK) == Some(1))
    }

    /// What the sidecar must find.
    pub(crate) fn expected(&self) -> SidecarFinding {
        let unattested = self.fault.expected_unattested.filter(|_| self.is_unattested);
        unattested.map_or_else(|| self.fault.expected(self.chain_id), |expected| expected(self.chain_id))
    }

    /// How many blocks are between those that this and another affect; 0 if they overlap.
    pub(super) fn distance(&self, other: &Self) -> u64 {
        let before = other.block.saturating_sub(self.until(other.chain_id));
        before.max(self.block.saturating_sub(other.until(self.chain_id)))
    }

    /// Whether a block of this fault is removed while the other disturbs nodes.
    pub(super) fn is_removed_unseen(&self, other: &Self) -> bool {
        let gone = self.last().saturating_add(REMOVED_WITHIN).saturating_add(self.fault.unsettled_ticks());
        let gone = gone.max(self.l1_reorg_tick().filter(|_| self.is_undone()).unwrap_or_default());
        self.is_removed()
            && other.disturbs_all_nodes()
            && other.block < gone
            && self.block < other.until(self.chain_id)
    }

    /// A chain has one fork, and from its first block on deposits cannot be checked against L1. That block,
    /// if these two faults conflict because of it.
    pub(super) fn unknown_fork_with(&self, other: &Self) -> Option<u64> {
        let is_after = |fork: &Self, later: &Self| {
            fork.fault.begins_fork()
                && (later.fault.begins_fork() || (later.fault.forges_deposit() && later.block >= fork.block))
        };
        let is_same = self.chain_id == other.chain_id;
        let fork = [(other, self), (self, other)].into_iter().find(|(fork, later)| is_after(fork, later));
        fork.filter(|_| is_same).map(|(fork, _)| fork.block)
    }

    /// Whether this builds blocks of a chain again, or keeps its nodes from showing them.
    pub(super) fn reorgs_or_disturbs(&self, chain_id: u64) -> bool {
        let of_chain = self.chain_id == chain_id;
        self.fault.l1_drop.is_some()
            || (of_chain && (self.is_removed() || self.disturbs_all_nodes() || self.fault.is_rebuilt()))
    }

    pub(super) fn too_close(&self, name: String, chain_id: u64) -> FaultPlanError {
        FaultPlanError::TooClose { fault: name, other: self.fault.name, block: self.block, chain_id }
    }
}
