//! Endpoints whose safe head is taken as a claim: one that lies, and one that differs from another.

use super::effects::{Disturbance, DisturbanceKind, Fate, ReplacementCourse, WaitFor};
use super::fault::ScriptedFault;
use super::messages::absent_message;
use crate::findings::{ExpectedMessage, SidecarFinding};
use crate::timing::FIRST_EXECUTING_BLOCK;

/// For how long a claimant calls another block safe, in ticks. A difference is reported after half a minute:
/// with blocks of a second that passes meanwhile, and in a run that is faster the chains wait for it.
const DIFFERING_TICKS: u64 = 50;

pub(super) static LYING_CLAIMANT: ScriptedFault = ScriptedFault {
    name: "lying-claimant",
    summary: "the block executes an invalid message and is replaced; before that, one of the chain's three claimants calls it safe",
    expected: |chain_id| SidecarFinding::ClaimRefuted { chain_id },
    expected_message: Some(ExpectedMessage::resolved("log-not-found")),
    waits_for: WaitFor::Judged,
    message: Some(absent_message),
    fate: Fate::Replaced(ReplacementCourse::AtOnce),
    is_claimed: true,
    ..ScriptedFault::EXECUTING
};

pub(super) static CLAIMANTS_DIFFER: ScriptedFault = ScriptedFault {
    name: "claimants-differ",
    summary: "for fifty blocks' time one of the chain's three claimants remains at the block's height, and calls a block safe there that nobody has",
    earliest_block: FIRST_EXECUTING_BLOCK,
    blocks_after: DIFFERING_TICKS,
    // All chains wait until the difference has lasted.
    is_drawn: false,
    expected: |chain_id| SidecarFinding::ClaimantsDiffer { chain_id },
    disturbance: Some(Disturbance { kind: DisturbanceKind::ClaimantDiffers, ticks: DIFFERING_TICKS }),
    is_citable: true,
    ..ScriptedFault::NONE
};
