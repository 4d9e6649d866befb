//! The part of a run in which an attested block is not derived from one branch of L1, and is derived from the
//! next.
//!
//! The chains wait until the sidecar accuses the signer of the block, and until it has withdrawn that: no
//! observation depends on luck.

use super::{DevnetRun, Tick};
use crate::faults::{FaultPlan, PlannedFault};
use crate::observation::DisputedBlock;
use crate::report::PlantedFault;

/// For how many ticks from the block's own the sidecar is asked about it: by then it is attested for the
/// second time.
const LOOKED_FOR: u64 = 16;

/// Whether an attested block is not the derived one in this tick, or has just become it.
pub(super) fn is_becoming_canonical(plan: &FaultPlan, tick: u64) -> bool {
    plan.becoming_canonical()
        .any(|planned| (planned.block..=planned.block.saturating_add(LOOKED_FOR)).contains(&tick))
}

impl DevnetRun {
    /// Before a reorg of L1 makes an attested block the derived one: waits until the sidecar accuses its
    /// signer.
    pub(super) async fn await_accusation(&mut self, tick: &Tick) {
        let next = tick.number.saturating_add(1);
        for disputed in self.disputed_blocks(1, |planned| planned.l1_reorg_tick() == Some(next)) {
            self.poll_until(tick, self.pace.patience(), |seen| seen.is_accused(&disputed)).await;
            if let Some(watch) = &mut self.watch {
                watch.observe_accusation(&disputed);
            }
        }
    }

    /// Once such a block is attested again after the reorg: waits until the accusation is withdrawn.
    pub(super) async fn await_clearing(&mut self, tick: &Tick) {
        let attestations = tick.chains.iter().flat_map(|chain| &chain.attestations);
        let attested: Vec<_> = attestations
            .filter_map(|attestation| Some((attestation.fault?.chain_id, attestation.fault?.block)))
            .collect();
        for disputed in
            self.disputed_blocks(2, |planned| attested.contains(&(planned.chain_id, planned.block)))
        {
            self.poll_until(tick, self.pace.patience(), |seen| seen.is_cleared(&disputed)).await;
            if let Some(watch) = &mut self.watch {
                watch.observe_clearing(&disputed);
            }
        }
    }

    /// The blocks of such faults that were attested this many times. Above an earlier invalid attestation of
    /// its chain none holds the vouched head.
    fn disputed_blocks(&self, times: usize, is_meant: impl Fn(&PlannedFault) -> bool) -> Vec<DisputedBlock> {
        let plan = self.plan.faults();
        let of = |planted: &PlantedFault| {
            let PlannedFault { chain_id, block: number, .. } = planted.fault;
            let holds = plan.first_invalid_attestation(chain_id).is_none_or(|lie| number < lie);
            let hash = planted.attestations.first()?.hash;
            Some(DisputedBlock { chain_id, number, hash, holds })
        };
        let meant = self.planted.iter().filter(|planted| {
            planted.fault.becomes_canonical()
                && planted.attestations.len() == times
                && is_meant(&planted.fault)
        });
        meant.filter_map(of).collect()
    }
}
