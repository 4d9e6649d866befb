//! [`DevnetOutcome`]: how a run ended. Pure.

use super::claim_report::RunMode;
use super::devnet_report::{DevnetReport, PlantedFault};
use super::message_report::MissedMessage;
use crate::faults::{Attested, FaultPlan, Publication};
use crate::findings::MessagePlace;
use crate::follower::{DevnetFollowMode, FollowerReport};
use crate::observation::{Observations, SeenMessages, executed_by};
use crate::simulation::Sequencer;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use std::collections::{BTreeSet, HashSet};

/// The most missed messages that are reported.
const MAX_MISSED: usize = 100;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevnetOutcome {
    /// What was scripted and what was found.
    pub report: DevnetReport,
    /// Whether a sidecar was watched.
    pub watched: bool,
    /// Whether the run was cancelled before its end.
    pub interrupted: bool,
    /// What a sidecar should have settled and did not, as text. Empty for a run that was cancelled.
    pub unsettled: Vec<String>,
}

impl DevnetOutcome {
    /// Whether everything was as the script has it. Without a sidecar there is nothing to be found, and the
    /// run has succeeded by ending.
    pub fn is_success(&self) -> bool {
        !self.watched || (self.report.is_as_scripted() && self.unsettled.is_empty())
    }
}

/// What the sidecar has not settled: verdicts that are open, attested blocks, or their ancestors, without
/// any, and blocks of whose attestation a replay is all that is kept.
pub(crate) fn unsettled(sequencers: &[Sequencer], plan: &FaultPlan, seen: &Observations) -> Vec<String> {
    let audited: BTreeSet<(ChainId, B256)> = seen
        .attestations()
        .filter(|record| !record.is_open())
        .map(|record| (record.chain_id, record.hash))
        .collect();
    let open = seen.attestations().filter(|record| record.is_open());
    let open =
        open.map(|record| format!("chain {} block {}: the verdict is open", record.chain_id, record.number));
    let replays = seen.attestations().filter(|record| record.is_replay()).map(|record| {
        let (chain_id, number) = (record.chain_id, record.number);
        format!("chain {chain_id} block {number}: its attestation is kept as a replay only")
    });
    let first = |sequencer: &Sequencer| seen.settled_up_to(sequencer.chain_id()).saturating_add(1);
    let blocks = sequencers.iter().flat_map(|sequencer| {
        let canonical = (first(sequencer)..=last_attested(sequencer, plan))
            .filter_map(|number| sequencer.chain().canonical(number));
        canonical.map(|block| (sequencer.chain_id(), block.number(), block.hash))
    });
    let missing = blocks.filter(|(chain_id, _, hash)| !audited.contains(&(ChainId::from(*chain_id), *hash)));
    let missing =
        missing.map(|(chain_id, number, _)| format!("chain {chain_id} block {number}: it has no verdict"));
    // What a fault leads to is kept from being settled, however long ago it was.
    let is_plain = plan.iter().next().is_none();
    let gone = sequencers.iter().filter(|sequencer| {
        is_plain
            && first(sequencer) <= sequencer.heads().safe
            && sequencer.chain().canonical(first(sequencer)).is_none()
    });
    let gone = gone.map(|sequencer| {
        let (chain_id, block) = (sequencer.chain_id(), first(sequencer));
        format!("chain {chain_id} block {block}: it was removed, and nothing was found about it or its messages before")
    });
    open.chain(replays).chain(missing).chain(gone).collect()
}

/// The followers that are not where the attestations lead them: at the last block that is attested or, where
/// an attestation is invalid, at the block before at the least: the sidecar may well stop there.
pub(crate) fn lagging_followers(
    sequencers: &[Sequencer],
    plan: &FaultPlan,
    mode: RunMode,
    followers: &[FollowerReport],
) -> Vec<String> {
    let lag = |follower: &FollowerReport| {
        let chain_id = follower.chain_id;
        let sequencer = sequencers.iter().find(|sequencer| sequencer.chain_id() == chain_id)?;
        // Where nobody else has waited for the other chains, an invalid block of any of them stops the head
        // that is served: blocks of one height are of one time.
        let waits = match mode.follow_mode {
            DevnetFollowMode::Verified => true,
            DevnetFollowMode::Attested => plan.has_claimants(chain_id),
            DevnetFollowMode::Clamp => false,
        };
        let of_others = sequencers.iter().filter_map(|each| plan.first_invalid_block(each.chain_id()));
        let bounds = of_others.filter(|_| waits).chain(plan.first_invalid_attestation(chain_id));
        let bound = bounds.min();
        let bound = bound.map_or(u64::MAX, |bad| bad.saturating_sub(1));
        let due = last_attested(sequencer, plan).min(bound);
        let (safe, finalized) = (follower.safe, follower.finalized);
        let due_final = sequencer.heads().finalized.min(due);
        if safe < due {
            return Some(format!("chain {chain_id}: its follower's safe head is {safe}, it is due at {due}"));
        }
        let is_behind = !mode.attester && finalized < due_final;
        is_behind.then(|| {
            format!("chain {chain_id}: its follower's final head is {finalized}, it is due at {due_final}")
        })
    };
    followers.iter().filter_map(lag).collect()
}

/// The vouched heads that are not where they must be in a run in which nobody attests: at the last block or,
/// where one is invalid and stays, right below it.
pub(crate) fn held_elsewhere(
    sequencers: &[Sequencer],
    plan: &FaultPlan,
    mode: RunMode,
    seen: &Observations,
) -> Vec<String> {
    let elsewhere = |sequencer: &Sequencer| {
        let chain_id = sequencer.chain_id();
        let bound = plan.first_invalid_block(chain_id).map_or(u64::MAX, |bad| bad.saturating_sub(1));
        let due = sequencer.heads().safe.min(bound);
        let mut chains = seen.status.chains.iter().filter(|chain| chain.chain_id == ChainId::from(chain_id));
        let vouched = chains.find_map(|chain| chain.vouched).unwrap_or_default();
        (vouched != due)
            .then(|| format!("chain {chain_id}: its vouched head is {vouched}, it is due at {due}"))
    };
    let unattested = sequencers.iter().filter(|_| !mode.attester);
    unattested.filter_map(elsewhere).collect()
}

/// The messages of canonical final blocks that nothing was scripted for, and that were not seen to be valid.
/// At most `MAX_MISSED` of them.
pub(crate) fn missed(
    sequencers: &[Sequencer],
    planted: &[PlantedFault],
    seen: &SeenMessages,
) -> Vec<MissedMessage> {
    let scripted: HashSet<MessagePlace> =
        planted.iter().flat_map(|planted| planted.executed.iter().copied()).collect();
    let executed = sequencers.iter().flat_map(|sequencer| {
        let settled = seen.settled_up_to(ChainId::from(sequencer.chain_id()));
        let final_blocks = settled.saturating_add(1)..=sequencer.heads().finalized;
        let blocks = final_blocks.filter_map(|number| sequencer.chain().canonical(number));
        blocks.flat_map(|block| executed_by(sequencer.chain_id(), block))
    });
    let honest = executed.filter(|place| !scripted.contains(place) && !seen.has_forgotten(place.number));
    honest.filter_map(|place| MissedMessage::of(place, seen.at(&place))).take(MAX_MISSED).collect()
}

/// The newest height of which the canonical block itself was attested: no attestation of the chain reaches
/// beyond it.
pub(crate) fn last_attested(sequencer: &Sequencer, plan: &FaultPlan) -> u64 {
    let is_attested = |number: &u64| {
        let fault = plan.at(sequencer.chain_id(), *number);
        fault.is_none_or(|planned| {
            planned.fault.attested == Attested::Block && planned.fault.publication != Publication::Never
        })
    };
    (1..=sequencer.heads().safe).rev().find(is_attested).unwrap_or_default()
}
