//! Which disturbances of a tick end with it, and what has to be seen before they do. Pure.

use super::DevnetRun;
use crate::findings::EndpointOddity;
use crate::run::tick_view::{genesis_final, outages, unknown_heads};
use crate::simulation::{ChainTick, OddEndpoint, Tick};
use alloy::primitives::B256;

impl DevnetRun {
    /// The endpoints that are like the others again in the next tick.
    pub(super) fn ending_oddities(&self, tick: &Tick) -> Vec<(u64, usize, EndpointOddity)> {
        let next = tick.number.saturating_add(1);
        let plan = self.plan.faults();
        let ending = tick.chains.iter().filter(|chain| plan.endpoint(chain.chain_id, next).is_none());
        let oddity = |how: &OddEndpoint| match how {
            OddEndpoint::Lies(_) => EndpointOddity::Lies,
            OddEndpoint::Lags(_) => EndpointOddity::Lags,
        };
        let odd = ending
            .filter_map(|chain| chain.odd.as_ref().map(|(place, how)| (chain.chain_id, *place, oddity(how))));
        odd.collect()
    }

    /// The chains whose nodes are back on their own branch in the next tick.
    pub(super) fn ending_branches(&self, tick: &Tick) -> Vec<u64> {
        let next = tick.number.saturating_add(1);
        let ends = |chain: &&ChainTick| {
            chain.other_branch.is_some() && self.plan.faults().other_branch(chain.chain_id, next).is_none()
        };
        tick.chains.iter().filter(ends).map(|chain| chain.chain_id).collect()
    }

    /// The chains whose outages are over in the next tick.
    pub(super) fn ending_outages(&self, tick: &Tick) -> Vec<u64> {
        let next = tick.number.saturating_add(1);
        let ends = |chain_id: &u64| self.plan.faults().outage(*chain_id, next).is_none();
        outages(tick).into_iter().filter(ends).collect()
    }

    /// The chains whose rollup node names its heads again in the next tick.
    pub(super) fn ending_headless(&self, tick: &Tick) -> Vec<u64> {
        let next = tick.number.saturating_add(1);
        let ends = |chain_id: &u64| self.plan.faults().unknown_heads(*chain_id, next).is_none();
        unknown_heads(tick).into_iter().filter(ends).collect()
    }

    /// The chains whose rollup node no longer calls genesis final from the next tick on.
    pub(super) fn ending_at_genesis(&self, tick: &Tick) -> Vec<u64> {
        let next = tick.number.saturating_add(1);
        let ends = |chain_id: &u64| self.plan.faults().unknown_heads(*chain_id, next).is_none();
        genesis_final(tick).into_iter().filter(ends).collect()
    }

    /// The chains whose client's blocks link up again: `true` from the next tick on, `false` since this one.
    pub(super) fn unlinked(&self, tick: &Tick) -> Vec<(u64, bool)> {
        let plan = self.plan.faults();
        let is_in = |chain_id, tick| plan.unlinked(chain_id, tick).is_some();
        let turns = tick.chains.iter().filter_map(|chain| {
            let id = chain.chain_id;
            let [before, now, next] = [
                is_in(id, tick.number.saturating_sub(1)),
                is_in(id, tick.number),
                is_in(id, tick.number.saturating_add(1)),
            ];
            (now && !next).then_some((id, true)).or((before && !now).then_some((id, false)))
        });
        turns.collect()
    }

    /// The chains whose client is rewound, and the block that it is rewound to.
    pub(super) fn rewinding(&self, tick: &Tick) -> Vec<(u64, B256)> {
        let kept = |chain: &ChainTick| Some((chain.chain_id, chain.rewind.as_ref()?.kept));
        self.canonical(tick.chains.iter().filter_map(kept))
    }
}
