//! [`Report`]: what was scripted against what was found. Pure: it is drawn up from what the devnet planted and
//! what the sidecar was seen to say.

use super::faults::PlannedFault;
use super::finding::{Finding, HeldUp};
use super::follower::FollowerReport;
use super::message_record::MessagePlace;
use super::message_report::{MessageReport, MissedMessage, Script};
use super::observations::Observations;
use super::seen_messages::TrackedCounts;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// A planned fault as it was carried out.
#[derive(Clone, Debug)]
pub struct Planted {
    /// The fault.
    pub fault: PlannedFault,
    /// The attestations that it shows in, so far.
    pub words: Vec<PlantedWord>,
    /// Where its scripted messages were executed, so far: in blocks that are gone, too.
    pub executed: Vec<MessagePlace>,
}

/// An attestation that a fault shows in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlantedWord {
    /// The attested block.
    pub hash: B256,
    /// What was signed, if it was published.
    pub payload_hash: Option<B256>,
    /// When it was published, since the start of the run.
    pub published_at: Option<Duration>,
}

/// The heads of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ChainReport {
    /// The chain.
    pub chain_id: u64,
    /// The newest block.
    #[serde(rename = "unsafe")]
    pub unsafe_head: u64,
    /// The newest block derived from L1.
    pub local_safe: u64,
    /// The newest cross-safe block.
    pub safe: u64,
    /// The newest finalized block.
    pub finalized: u64,
    /// The head that the sidecar vouches for; `null` without a sidecar.
    pub vouched: Option<u64>,
}

/// How many attestations got which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AttestationCounts {
    /// Attested blocks that the sidecar heard.
    pub received: u64,
    /// Upheld.
    pub upheld: u64,
    /// Upheld as a lawful replacement.
    pub upheld_replacement: u64,
    /// Violated.
    pub violated: u64,
    /// Discarded.
    pub discarded: u64,
    /// Without a verdict.
    pub open: u64,
}

/// How many messages all audited blocks execute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MessageCounts {
    /// All of them.
    pub executed: u64,
    /// Valid.
    pub valid: u64,
    /// Invalid.
    pub invalid: u64,
    /// Neither proven, in a block that was not found to be violated.
    pub unknown: u64,
    /// Neither proven, in a violated block: one invalid message decides, and there was no time to look at all the others.
    pub unchecked: u64,
}

/// One scripted fault, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultReport {
    /// The fault's name.
    pub name: &'static str,
    /// The chain.
    pub chain_id: u64,
    /// The height.
    pub block: u64,
    /// What must be found.
    pub expected: Finding,
    /// What was found; `null`: nothing.
    pub found: Option<Finding>,
    /// From publication or arrival to the finding.
    pub detected_after_ms: Option<u64>,
    /// What must be and what was seen of the message that it executes; `null`: it executes none.
    pub message: Option<MessageReport>,
}

/// An accusation where nothing was scripted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FalseAlarm {
    /// The chain.
    pub chain_id: ChainId,
    /// The height, if the frame was read so far.
    pub block: Option<u64>,
    /// The block's hash, or the hash of what was signed.
    pub hash: Option<B256>,
    /// What was found.
    pub found: Finding,
}

/// The report of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// The chains' heads.
    pub chains: Vec<ChainReport>,
    /// Verdicts.
    pub attestations: AttestationCounts,
    /// Messages of audited blocks.
    pub messages: MessageCounts,
    /// Messages of all blocks, as they were tracked.
    pub tracked: TrackedCounts,
    /// The scripted faults, in the order in which they were given.
    pub faults: Vec<FaultReport>,
    /// What was reported without reason.
    pub false_alarms: Vec<FalseAlarm>,
    /// Messages of final blocks that were not seen to be valid, although they are.
    pub missed: Vec<MissedMessage>,
    /// The followers, one a chain, if the sidecar serves any.
    pub followers: Vec<FollowerReport>,
    /// What the nodes were asked, of all chains together.
    pub requests: RequestCounts,
}

/// How many requests the sidecar made, by method.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RequestCounts {
    /// To the chains' first execution clients.
    pub execution: BTreeMap<String, u64>,
    /// To the chains' rollup nodes.
    pub rollup_node: BTreeMap<String, u64>,
    /// To L1's execution client.
    pub l1: BTreeMap<String, u64>,
}

impl Report {
    /// Draws up the report.
    pub fn new(seed: u64, chains: Vec<ChainReport>, planted: &[Planted], seen: &Observations) -> Self {
        let script = Script::new(planted, &seen.messages);
        Self {
            seed,
            chains,
            attestations: count_attestations(seen),
            messages: count_messages(seen),
            tracked: TrackedCounts::from(&seen.messages),
            faults: planted.iter().map(|each| fault_report(each, planted, &script, seen)).collect(),
            false_alarms: false_alarms(&script, seen),
            missed: Vec::new(),
            followers: Vec::new(),
            requests: RequestCounts::default(),
        }
    }

    /// Whether every scripted fault was found as what it is, nothing else was reported, and no follower was misled.
    pub fn is_as_scripted(&self) -> bool {
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

fn fault_report(planted: &Planted, all: &[Planted], script: &Script, seen: &Observations) -> FaultReport {
    let expected = planted.fault.expected();
    let found = match expected {
        Finding::OpenThenUpheld { chain_id, by } => held_up_found(chain_id, by, script, seen),
        Finding::Outvoted { chain_id, oddity } => {
            let named = seen.is_odd(chain_id, planted.fault.odd_endpoint(), oddity);
            named.then(|| (expected.clone(), None))
        }
        Finding::Unlinked { chain_id } => {
            let same = |other: &&Planted| other.fault.expected() == expected;
            let times = all.iter().filter(same).count();
            seen.was_contradicted(chain_id, times).then(|| (expected.clone(), None))
        }
        Finding::HeadsUnknown { chain_id } | Finding::RulesDiffer { chain_id } => {
            useless_node_found(chain_id, &expected, seen)
        }
        Finding::Retracted { .. } => retracted_found(planted, all, seen),
        Finding::Unreplaced { is_unseen, .. } => unreplaced_found(planted, is_unseen, all, seen),
        Finding::TakenBack { chain_id } => taken_back_found(planted, chain_id, seen),
        Finding::GenesisFinal { chain_id } => genesis_found(chain_id, seen),
        Finding::StayedBehind { chain_id } => {
            replacement_found(planted, &expected, seen.has_left_replaced(chain_id), seen)
        }
        Finding::Rewound { chain_id } => {
            replacement_found(planted, &expected, !seen.was_final_early(chain_id), seen)
        }
        _ => words_found(planted, &expected, seen),
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

type Found = (Finding, Option<u64>);

/// What became of a fault's attestations: of all of them, or of the first that was not found as what it is.
fn words_found(planted: &Planted, expected: &Finding, seen: &Observations) -> Option<Found> {
    let chain_id = planted.fault.chain_id;
    let complete = u64::try_from(planted.words.len()).ok() == Some(planted.fault.fault.blocks);
    let mut slowest = None;
    for word in &planted.words {
        let (finding, after) = word_found(chain_id, word, expected, seen)?;
        if finding != *expected {
            return Some((finding, after));
        }
        slowest = slowest.max(after);
    }
    complete.then(|| (expected.clone(), slowest))
}

fn word_found(chain_id: u64, word: &PlantedWord, expected: &Finding, seen: &Observations) -> Option<Found> {
    if matches!(expected, Finding::Rejected { .. }) {
        refusal_found(chain_id, word, seen).or_else(|| accepted_found(chain_id, word, seen))
    } else {
        verdict_found(chain_id, word, expected, seen).or_else(|| refusal_found(chain_id, word, seen))
    }
}

fn verdict_found(
    chain_id: u64,
    word: &PlantedWord,
    expected: &Finding,
    seen: &Observations,
) -> Option<Found> {
    let record = seen.of_block(chain_id, word.hash)?;
    let finding = match record.finding() {
        Finding::Upheld if *expected == Finding::UpheldAsAncestor && !record.is_attested() => {
            Finding::UpheldAsAncestor
        }
        Finding::Upheld if record.is_replay() => Finding::UpheldReplay,
        finding => finding,
    };
    Some((finding, record.decided_after_ms))
}

/// The verdict on a frame that should have been rejected. That of a descendant's ancestor does not count.
fn accepted_found(chain_id: u64, word: &PlantedWord, seen: &Observations) -> Option<Found> {
    let record = seen.of_block(chain_id, word.hash)?;
    record.is_attested().then(|| (record.finding(), record.decided_after_ms))
}

fn refusal_found(chain_id: u64, word: &PlantedWord, seen: &Observations) -> Option<Found> {
    let (record, at) = seen.refusal_of(chain_id, word.payload_hash?)?;
    let after = word.published_at.map(|published| at.saturating_sub(published));
    Some((record.finding(), after.and_then(|after| u64::try_from(after.as_millis()).ok())))
}

/// What became of the honest attestations that a chain's nodes held up.
fn held_up_found(chain_id: u64, by: HeldUp, script: &Script, seen: &Observations) -> Option<Found> {
    let held: Vec<_> = match by {
        HeldUp::Errors => seen.held_up_by(chain_id).collect(),
        HeldUp::OtherFork => seen.off_course(chain_id).collect(),
    };
    let held: Vec<_> = held.into_iter().filter(|record| !script.explains(record)).collect();
    let last = held.iter().filter_map(|record| record.decided_after_ms).max();
    let other = held.iter().map(|record| record.finding()).find(|finding| *finding != Finding::Upheld);
    match other {
        _ if held.is_empty() => None,
        None => Some((Finding::OpenThenUpheld { chain_id, by }, last)),
        Some(Finding::Open) => Some((Finding::HeldOpen { chain_id, by }, None)),
        Some(finding) => Some((finding, last)),
    }
}

/// What was made of a rollup node that was of no use for a while.
fn useless_node_found(chain_id: u64, expected: &Finding, seen: &Observations) -> Option<Found> {
    let headless = seen.headless(chain_id);
    if headless.taken_for_0 {
        return Some((Finding::HeadsAtZero { chain_id }, None));
    }
    (headless.told && headless.recovered).then(|| (expected.clone(), None))
}

/// What became of a block whose L1 origin was dropped after it was upheld, and of the one in its place. Every chain's
/// vouched head must have moved back, once each time.
fn retracted_found(planted: &Planted, all: &[Planted], seen: &Observations) -> Option<Found> {
    let chain_id = planted.fault.chain_id;
    let [dropped, anew] = planted.words.as_slice() else { return None };
    let must = [(dropped, Finding::Upheld), (anew, Finding::Upheld)];
    let slowest = match each_found(chain_id, &must, seen)? {
        Ok(slowest) => slowest,
        Err(other) => return Some(other),
    };
    let times = all.iter().filter(|planted| planted.fault.drops_all_attested()).count();
    let have_left = seen.have_left_for_l1(times) && dropped.hash != anew.hash;
    have_left.then_some((Finding::Retracted { chain_id }, slowest))
}

/// What became of a replacement that was undone, and of the block in its place. The vouched head must have left each
/// replacement, unless a lie kept it from coming there; and nobody may be said to have signed two blocks.
fn unreplaced_found(
    planted: &Planted,
    is_unseen: bool,
    all: &[Planted],
    seen: &Observations,
) -> Option<Found> {
    let PlannedFault { chain_id, block, .. } = planted.fault;
    let [replacement, anew] = planted.words.as_slice() else { return None };
    let before = if is_unseen { Finding::Superseded } else { Finding::UpheldReplacement };
    let must = [(replacement, before), (anew, Finding::Upheld)];
    let slowest = match each_found(chain_id, &must, seen)? {
        Ok(slowest) => slowest,
        Err(other) => return Some(other),
    };
    if seen.equivocations(chain_id) > 0 {
        return Some((Finding::Violated { reason: "equivocation".to_owned(), detail: None }, None));
    }
    let of_chain = || all.iter().map(|planted| planted.fault).filter(|fault| fault.chain_id == chain_id);
    let is_lie = |fault: &PlannedFault| fault.expected().stops_followers();
    let lie = of_chain().filter(is_lie).map(|fault| fault.block).min().unwrap_or(u64::MAX);
    let is_due = |fault: &PlannedFault| fault.is_seen_undone() && fault.block < lie;
    let due = of_chain().filter(is_due).count();
    let told = seen.left_replaced(chain_id);
    let has_left = block > lie || u64::try_from(due).is_ok_and(|due| told >= due);
    let found = Finding::Unreplaced { chain_id, is_unseen };
    (has_left && replacement.hash != anew.hash).then_some((found, slowest))
}

/// What became of an attested block that L1 called wrong first and right later: its verdict must have been taken back once, and
/// nothing be used against it any more.
fn taken_back_found(planted: &Planted, chain_id: u64, seen: &Observations) -> Option<Found> {
    let [wrong, right] = planted.words.as_slice() else { return None };
    let slowest = match each_found(chain_id, &[(right, Finding::Upheld)], seen)? {
        Ok(slowest) => slowest,
        Err(other) => return Some(other),
    };
    let is_so = wrong.hash == right.hash && seen.was_let_go(chain_id, right.hash);
    is_so.then_some((Finding::TakenBack { chain_id }, slowest))
}

/// Whether each of these words was found as what it must be, and how long the slowest took; or what the first other was.
fn each_found(
    chain_id: u64,
    must: &[(&PlantedWord, Finding)],
    seen: &Observations,
) -> Option<Result<Option<u64>, Found>> {
    let mut slowest = None;
    for (word, expected) in must {
        let (finding, after) = verdict_found(chain_id, word, expected, seen)?;
        if finding != *expected {
            return Some(Err((finding, after)));
        }
        slowest = slowest.max(after);
    }
    Some(Ok(slowest))
}

/// What was made of a rollup node that called genesis final for a while.
fn genesis_found(chain_id: u64, seen: &Observations) -> Option<Found> {
    let at_genesis = seen.at_genesis(chain_id);
    if at_genesis.vouched_went_back {
        return Some((Finding::VouchedBack { chain_id }, None));
    }
    (at_genesis.told && at_genesis.went_on).then_some((Finding::GenesisFinal { chain_id }, None))
}

/// What became of a replacement around which the chain's nodes did something odd. `is_heeded`: what must be made of that was.
fn replacement_found(
    planted: &Planted,
    expected: &Finding,
    is_heeded: bool,
    seen: &Observations,
) -> Option<Found> {
    let (finding, after) = words_found(planted, &Finding::UpheldReplacement, seen)?;
    match finding {
        Finding::UpheldReplacement => is_heeded.then(|| (expected.clone(), after)),
        finding => Some((finding, after)),
    }
}

fn false_alarms(script: &Script, seen: &Observations) -> Vec<FalseAlarm> {
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

/// How many attestations have which verdict.
pub fn count_attestations(seen: &Observations) -> AttestationCounts {
    let (mut counts, _) = seen.settled();
    for record in seen.attestations().filter(|record| record.is_attested()) {
        increment(&mut counts.received);
        match record.finding() {
            Finding::Upheld | Finding::UpheldAsAncestor | Finding::UpheldReplay => {
                increment(&mut counts.upheld);
            }
            Finding::UpheldReplacement => increment(&mut counts.upheld_replacement),
            Finding::Violated { .. } => increment(&mut counts.violated),
            Finding::Discarded { .. } => increment(&mut counts.discarded),
            Finding::Open => increment(&mut counts.open),
            Finding::Superseded
            | Finding::Rejected { .. }
            | Finding::Ignored { .. }
            | Finding::OpenThenUpheld { .. }
            | Finding::Outvoted { .. }
            | Finding::Unlinked { .. }
            | Finding::HeadsUnknown { .. }
            | Finding::RulesDiffer { .. }
            | Finding::GenesisFinal { .. }
            | Finding::Retracted { .. }
            | Finding::StayedBehind { .. }
            | Finding::Rewound { .. }
            | Finding::Unreplaced { .. }
            | Finding::TakenBack { .. }
            | Finding::VouchedBack { .. }
            | Finding::HeadsAtZero { .. }
            | Finding::Message { .. }
            | Finding::HeldOpen { .. } => {}
        }
    }
    counts
}

/// How many messages were found to be what.
pub fn count_messages(seen: &Observations) -> MessageCounts {
    let (_, mut counts) = seen.settled();
    let messages = seen.attestations().flat_map(|record| record.messages.iter().map(move |it| (record, it)));
    for (record, message) in messages {
        increment(&mut counts.executed);
        match message.status.as_str() {
            "valid" => increment(&mut counts.valid),
            "invalid" => increment(&mut counts.invalid),
            _ if record.verdict == "violated" => increment(&mut counts.unchecked),
            _ => increment(&mut counts.unknown),
        }
    }
    counts
}

const fn increment(count: &mut u64) {
    *count = count.saturating_add(1);
}

#[cfg(test)]
mod tests;
