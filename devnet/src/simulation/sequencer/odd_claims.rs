//! What a chain's claimants call safe that the chain does not, as the script has it.

use super::{Sequencer, SequencerError};
use crate::faults::{Claimant, FaultPlan};
use crate::simulation::OddClaim;
use std::sync::Arc;

impl Sequencer {
    /// What claimants call safe in a tick in place of the chain's own safe head.
    ///
    /// # Errors
    /// When a block that only a claimant has cannot be built.
    pub(crate) fn odd_claims(
        &mut self,
        tick: u64,
        plan: &FaultPlan,
    ) -> Result<Vec<OddClaim>, SequencerError> {
        let lying = self.lying_claim(plan)?;
        let differing = self.differing_claim(tick, plan)?;
        Ok(lying.into_iter().chain(differing).collect())
    }

    /// A block that is derived, and is to be replaced.
    fn lying_claim(&self, plan: &FaultPlan) -> Result<Option<OddClaim>, SequencerError> {
        let heads = self.heads();
        let of = |height| plan.at(self.chain_id(), height).filter(|planned| planned.fault.is_claimed);
        let Some(fault) = (heads.safe.saturating_add(1)..=heads.local_safe).find_map(of).copied() else {
            return Ok(None);
        };
        let block = self.canonical(fault.block)?;
        let own = block.hash;
        Ok(Some(OddClaim { claimant: Claimant::Lying, fault, block, own }))
    }

    /// A block in the place of one that is safe. Nobody else has it.
    fn differing_claim(&mut self, tick: u64, plan: &FaultPlan) -> Result<Option<OddClaim>, SequencerError> {
        let planned = plan.differing_claimant(self.chain_id(), tick);
        let Some(fault) = planned.filter(|planned| planned.block <= self.heads().safe).copied() else {
            self.claimed = None;
            return Ok(None);
        };
        let own = self.canonical(fault.block)?;
        let known = self.claimed.take().filter(|block| block.header.parent_hash == own.header.parent_hash);
        let block = known.map_or_else(|| self.with_other_transactions(&own), Ok)?;
        self.claimed = Some(Arc::clone(&block));
        Ok(Some(OddClaim { claimant: Claimant::Differing, fault, block, own: own.hash }))
    }
}
