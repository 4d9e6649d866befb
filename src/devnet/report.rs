//! [`Report`]: what was scripted against what was found. Pure: it is drawn up from what the devnet planted and
//! what the sidecar was seen to say.

use super::{finding::Finding, observations::Observations};
use crate::devnet::faults::PlannedFault;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use serde::Serialize;
use std::collections::BTreeSet;
use std::time::Duration;

/// A planned fault as it was carried out.
#[derive(Clone, Copy, Debug)]
pub struct Planted {
    /// The fault.
    pub fault: PlannedFault,
    /// The attested block, if the fault is in an attestation that was published.
    pub hash: Option<B256>,
    /// What was signed.
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
    /// Neither proven.
    pub unknown: u64,
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
    /// Messages.
    pub messages: MessageCounts,
    /// The scripted faults, in the order in which they were given.
    pub faults: Vec<FaultReport>,
    /// What was reported without reason.
    pub false_alarms: Vec<FalseAlarm>,
}

impl Report {
    /// Draws up the report.
    pub fn new(seed: u64, chains: Vec<ChainReport>, planted: &[Planted], seen: &Observations) -> Self {
        Self {
            seed,
            chains,
            attestations: count_attestations(seen),
            messages: count_messages(seen),
            faults: planted.iter().map(|planted| fault_report(planted, planted_places(planted, seen))).collect(),
            false_alarms: Vec::new(),
        }
    }
}
