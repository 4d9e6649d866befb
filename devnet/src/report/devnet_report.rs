//! [`DevnetReport`]: what was scripted against what was found. Pure: it is drawn up from what the devnet
//! planted and what the sidecar was seen to say.

use super::claim_report::{
    ClaimScript, PlantedClaim, RunMode, is_difference_reported, is_lie_refuted, signers_named,
};
use super::message_report::{MessageReport, MissedMessage, ScriptedEffects};
use crate::faults::PlannedFault;
use crate::findings::{MessagePlace, NodeProblem, SidecarFinding};
use crate::follower::FollowerReport;
use crate::observation::{
    AttestationCounts, MessageCounts, Observations, TrackedCounts, count_attestations, count_messages,
    count_unattested,
};
use crate::serve::RequestCounts;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use serde::Serialize;
use std::time::Duration;

/// A planned fault as it was carried out.
#[derive(Clone, Debug)]
pub(crate) struct PlantedFault {
    /// The fault.
    pub(crate) fault: PlannedFault,
    /// The attestations that it shows in, so far.
    pub(crate) attestations: Vec<PlantedAttestation>,
    /// What a claimant called safe for it in place of the chain's own block.
    pub(crate) claimed: Option<PlantedClaim>,
    /// Where its scripted messages were executed, so far: in removed blocks, too.
    pub(crate) executed: Vec<MessagePlace>,
}

/// An attestation that a fault shows in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlantedAttestation {
    /// The attested block.
    pub(crate) hash: B256,
    /// What was signed, if it was published.
    pub(crate) payload_hash: Option<B256>,
    /// When it was published, since the start of the run.
    pub(crate) published_at: Option<Duration>,
}

/// The heads of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ChainReport {
    /// The chain.
    pub(crate) chain_id: u64,
    /// The newest block.
    #[serde(rename = "unsafe")]
    pub(crate) unsafe_head: u64,
    /// The newest block derived from L1.
    pub(crate) local_safe: u64,
    /// The newest cross-safe block.
    pub(crate) safe: u64,
    /// The newest finalized block.
    pub(crate) finalized: u64,
    /// The head that the sidecar vouches for; `null` without a sidecar.
    pub(crate) vouched: Option<u64>,
}

/// One scripted fault, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FaultReport {
    /// The fault's name.
    pub(crate) name: &'static str,
    /// The chain.
    pub(crate) chain_id: u64,
    /// The height.
    pub(crate) block: u64,
    /// What must be found.
    pub(crate) expected: SidecarFinding,
    /// What was found; `null`: nothing.
    pub(crate) found: Option<SidecarFinding>,
    /// From publication or arrival to the finding.
    pub(crate) detected_after_ms: Option<u64>,
    /// What must be and what was seen of the message that it executes; `null`: it executes none.
    pub(crate) message: Option<MessageReport>,
}

/// An accusation where nothing was scripted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FalseAlarm {
    /// The chain.
    pub(crate) chain_id: ChainId,
    /// The height, if the frame was read so far.
    pub(crate) block: Option<u64>,
    /// The block's hash, or the hash of what was signed.
    pub(crate) hash: Option<B256>,
    /// What was found.
    pub(crate) found: SidecarFinding,
}

/// The report of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DevnetReport {
    /// The seed.
    pub(crate) seed: u64,
    /// The chains' heads.
    pub(crate) chains: Vec<ChainReport>,
    /// Verdicts.
    pub(crate) attestations: AttestationCounts,
    /// Verdicts on blocks that were not attested themselves.
    pub(crate) unattested: AttestationCounts,
    /// Messages of audited blocks.
    pub(crate) messages: MessageCounts,
    /// Messages of all blocks, as they were tracked.
    pub(crate) tracked: TrackedCounts,
    /// The scripted faults, in the order in which they were given.
    pub(crate) faults: Vec<FaultReport>,
    /// What was reported without reason.
    pub(crate) false_alarms: Vec<FalseAlarm>,
    /// Messages of final blocks that were not seen to be valid, although they are.
    pub(crate) missed: Vec<MissedMessage>,
    /// The followers, one a chain, if the sidecar serves any.
    pub(crate) followers: Vec<FollowerReport>,
    /// What the nodes were asked, of all chains together.
    pub(crate) requests: RequestCounts,
}

impl DevnetReport {
    /// Draws up the report.
    pub(crate) fn new(
        seed: u64,
        mode: RunMode,
        chains: Vec<ChainReport>,
        planted: &[PlantedFault],
        seen: &Observations,
    ) -> Self {
        let script = ScriptedEffects::new(planted, &seen.messages, mode);
        let claims = ClaimScript::new(planted, mode);
        let mut false_alarms = false_alarms(&script, seen);
        false_alarms.extend(claims.alarms(seen).chain(signers_named(seen, mode)));
        Self {
            seed,
            chains,
            attestations: count_attestations(seen),
            unattested: count_unattested(seen),
            messages: count_messages(seen),
            tracked: TrackedCounts::from(&seen.messages),
            faults: planted.iter().map(|each| fault_report(each, planted, &script, seen)).collect(),
            false_alarms,
            missed: Vec::new(),
            followers: Vec::new(),
            requests: RequestCounts::default(),
        }
    }

    /// Whether every scripted fault was found as what it is, nothing else was reported, and no follower was
    /// misled.
    pub(crate) fn is_as_scripted(&self) -> bool {
        let found = |fault: &FaultReport| {
            fault.found.as_ref() == Some(&fault.expected)
                && fault.message.as_ref().is_none_or(MessageReport::is_as_expected)
        };
        self.faults.iter().all(found)
            && self.false_alarms.is_empty()
            && self.missed.is_empty()
            && self.followers.iter().all(FollowerReport::is_sound)
    }
}

fn fault_report(
    planted: &PlantedFault,
    all: &[PlantedFault],
    script: &ScriptedEffects,
    seen: &Observations,
) -> FaultReport {
    let expected = planted.fault.expected();
    let found = match expected {
        SidecarFinding::OpenThenUpheld { chain_id, by } => held_up_found(chain_id, by, script, seen),
        SidecarFinding::Outvoted { chain_id, oddity } => {
            let named = seen.is_odd(chain_id, planted.fault.odd_endpoint(), oddity);
            named.then(|| (expected.clone(), None))
        }
        SidecarFinding::Unlinked { chain_id } => {
            let same = |other: &&PlantedFault| other.fault.expected() == expected;
            let times = all.iter().filter(same).count();
            seen.was_contradicted(chain_id, times).then(|| (expected.clone(), None))
        }
        SidecarFinding::HeadsUnknown { chain_id } | SidecarFinding::RulesDiffer { chain_id } => {
            unusable_node_found(chain_id, &expected, seen)
        }
        SidecarFinding::Retracted { .. } => retracted_found(planted, all, seen),
        SidecarFinding::Unreplaced { is_unseen, .. } => unreplaced_found(planted, is_unseen, all, seen),
        SidecarFinding::VerdictWithdrawn { chain_id } => taken_back_found(planted, chain_id, seen),
        SidecarFinding::GenesisFinal { chain_id } => genesis_found(chain_id, seen),
        SidecarFinding::StayedBehind { chain_id } => {
            replacement_found(planted, &expected, seen.has_left_replaced_block(chain_id), seen)
        }
        SidecarFinding::HeldUntilReplaced { chain_id } => {
            replacement_found(planted, &expected, seen.claims.was_held(chain_id, planted.fault.block), seen)
        }
        SidecarFinding::ClaimRefuted { .. } => {
            replacement_found(planted, &expected, is_lie_refuted(planted, seen), seen)
        }
        SidecarFinding::ClaimantsDiffer { .. } => {
            is_difference_reported(planted, seen).then(|| (expected.clone(), None))
        }
        SidecarFinding::Rewound { chain_id } => {
            replacement_found(planted, &expected, !seen.was_final_early(chain_id), seen)
        }
        _ => attestations_found(planted, &expected, seen),
    };
    let (found, detected_after_ms) = found.unzip();
    FaultReport {
        name: planted.fault.fault.name,
        chain_id: planted.fault.chain_id,
        block: planted.fault.block,
        expected,
        found,
        detected_after_ms: detected_after_ms.flatten(),
        message: MessageReport::of(planted, script, &seen.messages),
    }
}

type Found = (SidecarFinding, Option<u64>);

/// What became of a fault's attestations: of all of them, or of the first that was not found as what it is.
fn attestations_found(
    planted: &PlantedFault,
    expected: &SidecarFinding,
    seen: &Observations,
) -> Option<Found> {
    let chain_id = planted.fault.chain_id;
    let complete = u64::try_from(planted.attestations.len()).ok() == Some(planted.fault.fault.blocks);
    let mut slowest = None;
    for attestation in &planted.attestations {
        let (finding, after) = attestation_found(chain_id, attestation, expected, seen)?;
        if finding != *expected {
            return Some((finding, after));
        }
        slowest = slowest.max(after);
    }
    complete.then(|| (expected.clone(), slowest))
}

fn attestation_found(
    chain_id: u64,
    attestation: &PlantedAttestation,
    expected: &SidecarFinding,
    seen: &Observations,
) -> Option<Found> {
    if matches!(expected, SidecarFinding::Rejected { .. }) {
        refusal_found(chain_id, attestation, seen).or_else(|| accepted_found(chain_id, attestation, seen))
    } else {
        verdict_found(chain_id, attestation, expected, seen)
            .or_else(|| refusal_found(chain_id, attestation, seen))
    }
}

fn verdict_found(
    chain_id: u64,
    attestation: &PlantedAttestation,
    expected: &SidecarFinding,
    seen: &Observations,
) -> Option<Found> {
    let record = seen.of_block(chain_id, attestation.hash)?;
    let finding = match record.finding() {
        SidecarFinding::Upheld if *expected == SidecarFinding::UpheldAsAncestor && !record.is_attested() => {
            SidecarFinding::UpheldAsAncestor
        }
        SidecarFinding::Upheld if record.is_replay() => SidecarFinding::UpheldReplay,
        finding => finding,
    };
    Some((finding, record.decided_after_ms))
}

/// The verdict on a frame that should have been rejected. That of a descendant's ancestor does not count.
fn accepted_found(chain_id: u64, attestation: &PlantedAttestation, seen: &Observations) -> Option<Found> {
    let record = seen.of_block(chain_id, attestation.hash)?;
    record.is_attested().then(|| (record.finding(), record.decided_after_ms))
}

fn refusal_found(chain_id: u64, attestation: &PlantedAttestation, seen: &Observations) -> Option<Found> {
    let (record, at) = seen.refusal_of(chain_id, attestation.payload_hash?)?;
    let after = attestation.published_at.map(|published| at.saturating_sub(published));
    Some((record.finding(), after.and_then(|after| u64::try_from(after.as_millis()).ok())))
}

/// What became of the honest attestations that a chain's nodes held up.
fn held_up_found(
    chain_id: u64,
    by: NodeProblem,
    script: &ScriptedEffects,
    seen: &Observations,
) -> Option<Found> {
    let held: Vec<_> = match by {
        NodeProblem::Errors => seen.held_up_by(chain_id).collect(),
        NodeProblem::OtherBranch => seen.open_on_other_branch(chain_id).collect(),
    };
    let held: Vec<_> = held.into_iter().filter(|record| !script.explains(record)).collect();
    let last = held.iter().filter_map(|record| record.decided_after_ms).max();
    let other = held.iter().map(|record| record.finding()).find(|finding| *finding != SidecarFinding::Upheld);
    match other {
        _ if held.is_empty() => None,
        None => Some((SidecarFinding::OpenThenUpheld { chain_id, by }, last)),
        Some(SidecarFinding::Open) => Some((SidecarFinding::HeldOpen { chain_id, by }, None)),
        Some(finding) => Some((finding, last)),
    }
}

/// What was made of a rollup node that was of no use for a while.
fn unusable_node_found(chain_id: u64, expected: &SidecarFinding, seen: &Observations) -> Option<Found> {
    let unknown_heads = seen.unknown_heads(chain_id);
    if unknown_heads.treated_as_0 {
        return Some((SidecarFinding::HeadsAtZero { chain_id }, None));
    }
    (unknown_heads.reported && unknown_heads.recovered).then(|| (expected.clone(), None))
}

/// What became of a block whose L1 origin was dropped after it was upheld, and of the one in its place. Every
/// chain's vouched head must have moved back, once each time.
fn retracted_found(planted: &PlantedFault, all: &[PlantedFault], seen: &Observations) -> Option<Found> {
    let chain_id = planted.fault.chain_id;
    let [dropped, anew] = planted.attestations.as_slice() else { return None };
    let must = [(dropped, SidecarFinding::Upheld), (anew, SidecarFinding::Upheld)];
    let slowest = match each_found(chain_id, &must, seen)? {
        Ok(slowest) => slowest,
        Err(other) => return Some(other),
    };
    let times = all.iter().filter(|planted| planted.fault.drops_all_attested()).count();
    let have_left = seen.were_retracted_for_l1(times) && dropped.hash != anew.hash;
    have_left.then_some((SidecarFinding::Retracted { chain_id }, slowest))
}

/// What became of a replacement that was undone, and of the block in its place. The vouched head must have
/// left each replacement, unless an invalid attestation kept it from coming there; and nobody may be said to
/// have signed two blocks.
fn unreplaced_found(
    planted: &PlantedFault,
    is_unseen: bool,
    all: &[PlantedFault],
    seen: &Observations,
) -> Option<Found> {
    let PlannedFault { chain_id, block, .. } = planted.fault;
    let [replacement, anew] = planted.attestations.as_slice() else { return None };
    let before = if is_unseen { SidecarFinding::Superseded } else { SidecarFinding::UpheldReplacement };
    let must = [(replacement, before), (anew, SidecarFinding::Upheld)];
    let slowest = match each_found(chain_id, &must, seen)? {
        Ok(slowest) => slowest,
        Err(other) => return Some(other),
    };
    if seen.equivocations(chain_id) > 0 {
        return Some((SidecarFinding::Violated { reason: "equivocation".to_owned(), detail: None }, None));
    }
    let of_chain = || all.iter().map(|planted| planted.fault).filter(|fault| fault.chain_id == chain_id);
    let is_lie = |fault: &PlannedFault| fault.expected().stops_followers();
    let lie = of_chain().filter(is_lie).map(|fault| fault.block).min().unwrap_or(u64::MAX);
    let is_due = |fault: &PlannedFault| fault.is_undone_after_attestation() && fault.block < lie;
    let due = of_chain().filter(is_due).count();
    // Without attestations the head may be higher, on blocks whose origins L1 reorgs out with it.
    let with_others = if planted.fault.is_unattested { seen.l1_retractions(chain_id) } else { 0 };
    let reported = seen.replaced_retractions(chain_id).saturating_add(with_others);
    let has_left = block > lie || u64::try_from(due).is_ok_and(|due| reported >= due);
    let found = SidecarFinding::Unreplaced { chain_id, is_unseen };
    (has_left && replacement.hash != anew.hash).then_some((found, slowest))
}

/// What became of an attested block that a reorg of L1 made the derived one: its verdict must have been
/// withdrawn once, and its signer must no longer be accused.
fn taken_back_found(planted: &PlantedFault, chain_id: u64, seen: &Observations) -> Option<Found> {
    let [wrong, right] = planted.attestations.as_slice() else { return None };
    let slowest = match each_found(chain_id, &[(right, SidecarFinding::Upheld)], seen)? {
        Ok(slowest) => slowest,
        Err(other) => return Some(other),
    };
    let is_so = wrong.hash == right.hash && seen.was_cleared(chain_id, right.hash);
    is_so.then_some((SidecarFinding::VerdictWithdrawn { chain_id }, slowest))
}

/// Whether each of these attestations was found as it must be, and how long the slowest took; or what the
/// first other one was.
fn each_found(
    chain_id: u64,
    must: &[(&PlantedAttestation, SidecarFinding)],
    seen: &Observations,
) -> Option<Result<Option<u64>, Found>> {
    let mut slowest = None;
    for (attestation, expected) in must {
        let (finding, after) = verdict_found(chain_id, attestation, expected, seen)?;
        if finding != *expected {
            return Some(Err((finding, after)));
        }
        slowest = slowest.max(after);
    }
    Some(Ok(slowest))
}

/// What was made of a rollup node that called genesis final for a while.
fn genesis_found(chain_id: u64, seen: &Observations) -> Option<Found> {
    let genesis_final = seen.genesis_final(chain_id);
    if genesis_final.vouched_moved_back {
        return Some((SidecarFinding::VouchedBack { chain_id }, None));
    }
    (genesis_final.reported && genesis_final.continued)
        .then_some((SidecarFinding::GenesisFinal { chain_id }, None))
}

/// What became of a replacement around which the chain's nodes did something odd. `is_heeded`: what must be
/// made of that was.
fn replacement_found(
    planted: &PlantedFault,
    expected: &SidecarFinding,
    is_heeded: bool,
    seen: &Observations,
) -> Option<Found> {
    let (finding, after) = attestations_found(planted, &SidecarFinding::UpheldReplacement, seen)?;
    match finding {
        SidecarFinding::UpheldReplacement => is_heeded.then(|| (expected.clone(), after)),
        finding => Some((finding, after)),
    }
}

fn false_alarms(script: &ScriptedEffects, seen: &Observations) -> Vec<FalseAlarm> {
    let verdicts = seen.attestations().filter(|record| !script.explains(record)).map(|record| FalseAlarm {
        chain_id: record.chain_id,
        block: Some(record.number),
        hash: Some(record.hash),
        found: record.finding(),
    });
    let refusals =
        seen.refusals().filter(|(record, _)| !script.explains_refusal(record)).map(|(record, _)| {
            FalseAlarm {
                chain_id: record.chain_id,
                block: None,
                hash: record.payload_hash,
                found: record.finding(),
            }
        });
    let messages = script.message_alarms(&seen.messages);
    verdicts.chain(refusals).filter(|alarm| alarm.found.is_alarm()).chain(messages).collect()
}

#[cfg(test)]
mod tests;
