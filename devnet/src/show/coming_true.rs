//! The part of a run in which an attested block is wrong by one branch of L1, and right by the next.
//!
//! The chains wait until the sidecar holds the block against its signer, and until nothing is left of that: nothing here is seen by
//! luck.

use super::{Show, Tick};
use crate::faults::{FaultPlan, PlannedFault};
use crate::report::Planted;
use crate::taken_back::CalledWrong;

/// For this many ticks from the block's own it is checked what is made of it: by then it is attested for the second time.
const LOOKED_FOR: u64 = 16;

/// Whether an attested block is wrong in this tick, or has just become right.
pub(super) fn is_coming_true(plan: &FaultPlan, tick: u64) -> bool {
    plan.coming_true()
        .any(|planned| (planned.block..=planned.block.saturating_add(LOOKED_FOR)).contains(&tick))
}

impl Show {
    /// Before L1 makes an attested block right: waits until it is used against its signer.
    pub(super) async fn await_held_against(&mut self, tick: &Tick) {
        let next = tick.number.saturating_add(1);
        for wrong in self.called_wrong(1, |planned| planned.l1_reorg_tick() == Some(next)) {
            self.poll_until(tick, self.pace.patience(), |seen| seen.is_held_against(&wrong)).await;
            if let Some(watch) = &mut self.watch {
                watch.note_held_against(&wrong);
            }
        }
    }

    /// Once an attested block that L1 has made right is attested again: waits until nothing is used against it any more.
    pub(super) async fn await_let_go(&mut self, tick: &Tick) {
        let words = tick.chains.iter().flat_map(|chain| &chain.attestations);
        let attested: Vec<_> =
            words.filter_map(|word| Some((word.fault?.chain_id, word.fault?.block))).collect();
        for wrong in self.called_wrong(2, |planned| attested.contains(&(planned.chain_id, planned.block))) {
            self.poll_until(tick, self.pace.patience(), |seen| seen.is_let_go(&wrong)).await;
            if let Some(watch) = &mut self.watch {
                watch.note_let_go(&wrong);
            }
        }
    }

    /// The blocks of such faults that were attested this many times. Below an earlier lie of its chain none holds the vouched head.
    fn called_wrong(&self, times: usize, is_meant: impl Fn(&PlannedFault) -> bool) -> Vec<CalledWrong> {
        let plan = self.plan.faults();
        let of = |planted: &Planted| {
            let PlannedFault { chain_id, block: number, .. } = planted.fault;
            let holds = plan.first_lie(chain_id).is_none_or(|lie| number < lie);
            let hash = planted.words.first()?.hash;
            Some(CalledWrong { chain_id, number, hash, holds })
        };
        let meant = self.planted.iter().filter(|planted| {
            planted.fault.comes_true() && planted.words.len() == times && is_meant(&planted.fault)
        });
        meant.filter_map(of).collect()
    }
}
