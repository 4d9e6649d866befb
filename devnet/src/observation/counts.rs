//! How many attestations and messages were found to be what. Pure.

use super::observations::Observations;
use crate::findings::{AttestationRecord, SidecarFinding};
use serde::Serialize;

/// How many attestations got which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct AttestationCounts {
    /// Attested blocks that the sidecar received.
    pub(crate) received: u64,
    /// Upheld.
    pub(crate) upheld: u64,
    /// Upheld as a justified replacement.
    pub(crate) upheld_replacement: u64,
    /// Violated.
    pub(crate) violated: u64,
    /// Discarded.
    pub(crate) discarded: u64,
    /// Without a verdict.
    pub(crate) open: u64,
}

/// How many messages all audited blocks execute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct MessageCounts {
    /// All of them.
    pub(crate) executed: u64,
    /// Valid.
    pub(crate) valid: u64,
    /// Invalid.
    pub(crate) invalid: u64,
    /// Neither proven, in a block that was found to be neither violated nor discarded.
    pub(crate) unknown: u64,
    /// Neither proven, in a violated or discarded block: that was decided before all of its messages were
    /// looked at.
    pub(crate) unchecked: u64,
}

/// How many attestations have which verdict.
pub(crate) fn count_attestations(seen: &Observations) -> AttestationCounts {
    let (counts, _, _) = seen.settled();
    count(counts, seen.attestations().filter(|record| record.is_attested()))
}

/// How many blocks that were not attested themselves have which verdict.
pub(crate) fn count_unattested(seen: &Observations) -> AttestationCounts {
    let (_, counts, _) = seen.settled();
    count(counts, seen.attestations().filter(|record| !record.is_attested()))
}

fn count<'a>(
    mut counts: AttestationCounts,
    records: impl Iterator<Item = &'a AttestationRecord>,
) -> AttestationCounts {
    for record in records {
        increment(&mut counts.received);
        match record.finding() {
            SidecarFinding::Upheld | SidecarFinding::UpheldAsAncestor | SidecarFinding::UpheldReplay => {
                increment(&mut counts.upheld);
            }
            SidecarFinding::UpheldReplacement => increment(&mut counts.upheld_replacement),
            SidecarFinding::Violated { .. } => increment(&mut counts.violated),
            SidecarFinding::Discarded { .. } => increment(&mut counts.discarded),
            SidecarFinding::Open => increment(&mut counts.open),
            SidecarFinding::Superseded
            | SidecarFinding::Rejected { .. }
            | SidecarFinding::Ignored { .. }
            | SidecarFinding::OpenThenUpheld { .. }
            | SidecarFinding::Outvoted { .. }
            | SidecarFinding::Unlinked { .. }
            | SidecarFinding::HeadsUnknown { .. }
            | SidecarFinding::RulesDiffer { .. }
            | SidecarFinding::GenesisFinal { .. }
            | SidecarFinding::Retracted { .. }
            | SidecarFinding::StayedBehind { .. }
            | SidecarFinding::HeldUntilReplaced { .. }
            | SidecarFinding::Rewound { .. }
            | SidecarFinding::Unreplaced { .. }
            | SidecarFinding::VerdictWithdrawn { .. }
            | SidecarFinding::VouchedBack { .. }
            | SidecarFinding::ClaimRefuted { .. }
            | SidecarFinding::ClaimantsDiffer { .. }
            | SidecarFinding::Unexplained { .. }
            | SidecarFinding::HeadsAtZero { .. }
            | SidecarFinding::Message { .. }
            | SidecarFinding::HeldOpen { .. } => {}
        }
    }
    counts
}

/// How many messages were found to be what.
pub(crate) fn count_messages(seen: &Observations) -> MessageCounts {
    let (_, _, mut counts) = seen.settled();
    let messages = seen.attestations().flat_map(|record| record.messages.iter().map(move |it| (record, it)));
    for (record, message) in messages {
        increment(&mut counts.executed);
        match message.status.as_str() {
            "valid" => increment(&mut counts.valid),
            "invalid" => increment(&mut counts.invalid),
            _ if matches!(record.verdict.as_str(), "violated" | "discarded") => {
                increment(&mut counts.unchecked);
            }
            _ => increment(&mut counts.unknown),
        }
    }
    counts
}

const fn increment(count: &mut u64) {
    *count = count.saturating_add(1);
}
