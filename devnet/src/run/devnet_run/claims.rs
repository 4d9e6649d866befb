//! The part of a run in which blocks are audited that nobody attested: because a rollup node derived them, or
//! a claimant calls them safe.
//!
//! Such a block may be replaced soon, or L1 may drop it. The chains wait until the sidecar has said what it
//! must say of it.

use super::{DevnetRun, POLL, Tick, remaining};
use crate::faults::{Claimant, FaultPlan, PlannedFault};
use crate::findings::MessagePlace;
use crate::follower::DevnetFollowMode;
use crate::observation::Observations;
use crate::report::{PlantedClaim, PlantedFault, RunMode, is_difference_reported, is_lie_refuted};
use crate::simulation::{ChainTick, OddClaim, Sequencer, Withdrawal};
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use tokio::time::{Instant, sleep};

/// A derived block that executes an invalid message, and is to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DerivedInvalid {
    chain_id: u64,
    number: u64,
    hash: B256,
}

impl DevnetRun {
    /// How the sidecar learns which blocks are called cross-safe.
    pub(super) fn mode(&self) -> RunMode {
        RunMode { attester: self.plan.request().attester, follow_mode: self.plan.follow_mode() }
    }

    /// Whether the sidecar is to be asked for what it says of claims.
    pub(super) fn has_claims(&self) -> bool {
        self.mode() != RunMode::ATTESTED
            || self.plan.faults().iter().any(|planned| planned.fault.has_claimants())
    }

    /// Remembers what claimants call safe for which fault.
    pub(super) fn record_claims(&mut self, chain: &ChainTick) {
        for OddClaim { fault, block, own, .. } in &chain.odd_claims {
            let place = (fault.chain_id, fault.block);
            let is_meant =
                |planted: &&mut PlantedFault| (planted.fault.chain_id, planted.fault.block) == place;
            if let Some(planted) = self.planted.iter_mut().find(is_meant) {
                planted.claimed = Some(PlantedClaim { hash: block.hash, own: *own });
            }
        }
    }

    /// Waits until the sidecar has found what it must find of claims while they are made.
    pub(super) async fn await_claims(&mut self, tick: &Tick) {
        self.await_derived(tick).await;
        let next = tick.number.saturating_add(1);
        for OddClaim { claimant, fault, .. } in tick.chains.iter().flat_map(|chain| &chain.odd_claims) {
            let is_reported = match claimant {
                Claimant::Lying => is_lie_refuted,
                Claimant::Differing
                    if self.plan.faults().differing_claimant(fault.chain_id, next).is_none() =>
                {
                    is_difference_reported
                }
                Claimant::Differing | Claimant::Honest => continue,
            };
            let place = (fault.chain_id, fault.block);
            let planted =
                self.planted.iter().find(|planted| (planted.fault.chain_id, planted.fault.block) == place);
            let Some(planted) = planted.cloned() else { continue };
            self.poll_until(tick, self.pace.patience(), |seen| is_reported(&planted, seen)).await;
        }
    }

    /// Waits until the derived blocks are found invalid that are to be replaced.
    async fn await_derived(&mut self, tick: &Tick) {
        for block in self.derived_invalid(tick) {
            let DerivedInvalid { chain_id, hash, .. } = block;
            if !self.derived.contains(&block) {
                self.derived.push(block);
            }
            let is_found = |seen: &Observations| seen.is_found_invalid(chain_id, hash);
            self.poll_until(tick, self.pace.patience(), is_found).await;
            if let Some(watch) = &mut self.watch {
                watch.observe_found_invalid(chain_id, hash);
            }
        }
    }

    fn derived_invalid(&self, tick: &Tick) -> Vec<DerivedInvalid> {
        let (plan, mode) = (self.plan.faults(), self.mode());
        // What a block cites may be as high as itself, and is known once its chain has derived it, too.
        let all = least_derived(tick);
        let of = |chain: &ChainTick| {
            let is_named =
                !matches!(chain.withdrawal, Some(Withdrawal::Withdrawn(_))) && chain.rewind.is_none();
            let is_audited = is_named && mode.audits_derived(plan.has_plain_node(chain.chain_id));
            let heights = chain.heads.safe.saturating_add(1)..=chain.heads.local_safe.min(all);
            let sequencer = self.sequencer(chain.chain_id).filter(|_| is_audited);
            heights.filter_map(|number| self.to_be_replaced(sequencer?, number)).collect::<Vec<_>>()
        };
        tick.chains.iter().flat_map(of).collect()
    }

    /// Whether a block is built on one that was derived, is invalid and is not replaced yet: nothing of it is
    /// read.
    pub(super) fn is_above_derived_invalid(&self, tick: &Tick, place: &MessagePlace) -> bool {
        let is_below = |block: &DerivedInvalid| {
            ChainId::from(block.chain_id) == place.chain_id && block.number < place.number
        };
        self.derived_invalid(tick).iter().any(is_below)
    }

    /// The chain's block at a height, if it executes a scripted message and is to be replaced for that.
    fn to_be_replaced(&self, sequencer: &Sequencer, number: u64) -> Option<DerivedInvalid> {
        let chain_id = sequencer.chain_id();
        self.plan.faults().at(chain_id, number).filter(|planned| planned.fault.is_replaced())?;
        let hash = sequencer.chain().canonical(number)?.hash;
        let is_executed = |planted: &PlantedFault| {
            planted
                .executed
                .iter()
                .any(|place| (place.chain_id, place.hash) == (ChainId::from(chain_id), hash))
        };
        self.planted.iter().any(is_executed).then_some(DerivedInvalid { chain_id, number, hash })
    }

    /// Before L1 reorgs out blocks that may be served although nobody attested them: waits until the
    /// followers have all that they can be served, and judges them by the present branch.
    pub(super) async fn await_followers_of_derived(&mut self, tick: &Tick) {
        let (next, mode) = (tick.number.saturating_add(1), self.mode());
        let is_attested =
            mode.follow_mode == DevnetFollowMode::Attested || mode.attester && !mode.audits_derived(false);
        if is_attested || self.plan.faults().reorgs_l1(next).is_none() {
            return;
        }
        // In the mode verified no chain is served beyond what all chains have derived.
        let all = least_derived(tick);
        let held = remaining(tick)
            .into_iter()
            .filter_map(|chain_id| holds_instead(self.plan.faults(), chain_id))
            .min();
        for chain in &tick.chains {
            let chain_id = chain.chain_id;
            let derived = match mode.follow_mode {
                DevnetFollowMode::Clamp
                    if mode.audits_derived(self.plan.faults().has_plain_node(chain_id)) =>
                {
                    chain.heads.local_safe
                }
                DevnetFollowMode::Clamp | DevnetFollowMode::Attested => chain.heads.safe,
                DevnetFollowMode::Verified => all,
            };
            // While the nodes of a chain remain on an invalid block, whatever cites its later blocks waits.
            let unservable = self.first_unservable(chain).into_iter().chain(held).min();
            let due = unservable.map_or(derived, |bad| derived.min(bad.saturating_sub(1)));
            let began = Instant::now();
            while self.is_follower_below(chain_id, due) && began.elapsed() < self.pace.patience() {
                sleep(POLL).await;
                self.poll(tick).await;
            }
        }
        self.judge_followers();
        if let Some(followers) = &self.followers {
            followers.leave_unjudged();
        }
    }

    /// The first height of a chain's derived block that no follower may be served.
    fn first_unservable(&self, chain: &ChainTick) -> Option<u64> {
        let sequencer = self.sequencer(chain.chain_id)?;
        let kept = self.plan.faults().first_invalid_block(chain.chain_id);
        let mut heights = chain.heads.safe.saturating_add(1)..=chain.heads.local_safe;
        let replaced = heights.find(|number| self.to_be_replaced(sequencer, *number).is_some());
        kept.into_iter().chain(replaced).min()
    }

    fn sequencer(&self, chain_id: u64) -> Option<&Sequencer> {
        self.superchain.sequencers().iter().find(|sequencer| sequencer.chain_id() == chain_id)
    }

    /// The derived blocks that should have been found invalid and were not, as text.
    pub(super) fn unfound(&self, seen: &Observations) -> Vec<String> {
        let missed =
            self.derived.iter().filter(|block| !seen.claims.was_found_invalid(block.chain_id, block.hash));
        let line = |DerivedInvalid { chain_id, number, .. }: &DerivedInvalid| {
            format!(
                "chain {chain_id} block {number}: it was derived, and was not found invalid before it was replaced"
            )
        };
        missed.map(line).collect()
    }
}

/// Up to which height all chains have derived their blocks.
fn least_derived(tick: &Tick) -> u64 {
    tick.chains.iter().map(|chain| chain.heads.local_safe).min().unwrap_or_default()
}

/// Whether a chain's nodes remain on a replaced block that holds its vouched head, as nobody attests the
/// replacement.
pub(super) fn holds_instead(plan: &FaultPlan, chain_id: u64) -> Option<u64> {
    let holds = |planned: &&PlannedFault| {
        planned.chain_id == chain_id
            && matches!(planned.expected(), crate::findings::SidecarFinding::HeldUntilReplaced { .. })
    };
    plan.iter().find(holds).map(|planned| planned.block)
}
