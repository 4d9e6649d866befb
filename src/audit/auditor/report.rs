//! What the log says of a verdict.

use super::Auditor;
use crate::audit::claim_book::ClaimDifference;
use crate::audit::reasons::{ReasonTexts, normalize};
use crate::incidents::{Alarm, Incidents};
use crate::ledger::{BoundVerdict, Decided, Decision, RefutedClaim};
use crosscheck_core::case::Cause;
use crosscheck_core::message::BlockKey;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{error, info, warn};

/// How long it is at least until another reason for the same kind of wait is reported.
const QUIET: Duration = Duration::from_secs(60);

impl Auditor {
    /// Reports why what cases wait for is unavailable: once for each kind of wait, and again when that is
    /// another reason. That something is not there yet is the ordinary course of things.
    pub(super) fn report_reasons(&mut self, reason_text: &ReasonTexts) {
        let now = Instant::now();
        for (wait, reason) in reason_text.iter().filter(|(wait, _)| wait.cause != Cause::NotYet) {
            let normalized = normalize(reason);
            let reported = self.reported_reasons.get(wait);
            if reported
                .is_some_and(|(known, at)| *known == normalized || now.saturating_duration_since(*at) < QUIET)
            {
                continue;
            }
            let chain_id = wait.chain_id;
            info!(%chain_id, awaited = %wait, reason, "block is waiting for unavailable data");
            self.reported_reasons.insert(*wait, (normalized, now));
        }
    }
}

/// What is said of a block that was attested and is invalid.
const VIOLATED: &str = "sequencer attested an invalid block";

/// What is said of a block that is invalid, and that is claimed without a signature.
const UNSIGNED: &str = "block is invalid; no signer is bound to it";

/// What is said of a refuted claim.
const REFUTED: &str = "endpoint called an invalid block cross-safe";

/// Writes to the log that an endpoint's claim was refuted.
pub(super) fn report_refuted(refuted: &RefutedClaim, incidents: &Incidents) {
    let RefutedClaim { key: incident, claimant, claimed, verdict } = refuted;
    let BlockKey { chain_id, number, hash } = incident;
    let (reason, detail) = (verdict.reason.as_deref().unwrap_or_default(), &verdict.detail);
    let (verdict, claimed_number, claimed_hash) = (verdict.kind.name(), claimed.number, claimed.hash);
    if incidents.raise(*incident, Alarm::Claimed) {
        error!(%chain_id, number, %hash, claimant, claimed_number, %claimed_hash, verdict, reason, detail, %incident, "{REFUTED}");
    } else {
        warn!(%chain_id, number, %hash, claimant, claimed_number, %claimed_hash, verdict, reason, detail, %incident, "{REFUTED}");
    }
}

/// Writes to the log that two endpoints call different blocks cross-safe.
pub(super) fn report_difference(difference: &ClaimDifference) {
    let ClaimDifference { chain_id, number, answers: [(first, first_hash), (second, second_hash)] } =
        difference;
    warn!(%chain_id, number, first, %first_hash, second, %second_hash,
          "claimants call different blocks of one height cross-safe; find out which is right and fix the other");
}

/// Writes a verdict to the log. The first proof that a block is invalid is an error, whether it is the
/// audit's or the monitor's; the line says in any case that the block was attested.
pub(super) fn report(key: &BlockKey, decision: &Decision<'_>, decided: &Decided, incidents: &Incidents) {
    let attributable = decided.attributable;
    let ancestor_of = decided.ancestor_of.map(tracing::field::display);
    let BlockKey { chain_id, number, hash } = key;
    let (verdict, detail) = (decision.verdict.name(), decision.detail.as_str());
    let reason = decision.verdict.reason().unwrap_or_default();
    // A larger number is written as text.
    let after_ms = u64::try_from(decision.after.as_millis()).unwrap_or(u64::MAX);
    let incident = *key;
    match (verdict, decision.replaces) {
        // An endpoint that called it cross-safe is reported separately.
        ("violated" | "discarded", _) if !decided.is_binding() && !decided.claimants.is_empty() => {
            if incidents.raise(incident, Alarm::Invalid) {
                error!(%chain_id, number, %hash, verdict, reason, detail, after_ms, %incident, "{UNSIGNED}");
            } else {
                warn!(%chain_id, number, %hash, verdict, reason, detail, after_ms, %incident, "{UNSIGNED}");
            }
        }
        ("violated" | "discarded", _) if !decided.is_binding() => {
            info!(%chain_id, number, %hash, verdict, reason, detail, attributable, after_ms, %incident,
                  "invalid block in a replayable attestation; no signer is bound");
        }
        ("violated", _) if incidents.raise(incident, Alarm::Invalid) => {
            error!(%chain_id, number, %hash, verdict, reason, detail, attributable, ancestor_of, after_ms, %incident, "{VIOLATED}");
        }
        ("violated", _) => {
            warn!(%chain_id, number, %hash, verdict, reason, detail, attributable, ancestor_of, after_ms, %incident, "{VIOLATED}");
        }
        ("discarded", _) => {
            error!(%chain_id, number, %hash, verdict, reason, detail, attributable, ancestor_of, after_ms, %incident,
                   "sequencer attested a block that does not match L1");
        }
        // The incident is that of the block which it rightly replaces.
        ("upheld-replacement", Some(original)) => {
            let incident = BlockKey { hash: original, ..incident };
            info!(%chain_id, number, %hash, verdict, after_ms, %incident, "verdict");
        }
        _ => info!(%chain_id, number, %hash, verdict, after_ms, "verdict"),
    }
}

/// Writes to the log that a block which was found invalid is bound to a signer since, by a block on top of
/// it.
pub(super) fn report_bound(bound: &BoundVerdict) {
    let BoundVerdict { key: incident, verdict, attributable, ancestor_of } = bound;
    let BlockKey { chain_id, number, hash } = incident;
    let (reason, detail) = (verdict.reason.as_deref().unwrap_or_default(), &verdict.detail);
    let verdict = verdict.kind.name();
    warn!(%chain_id, number, %hash, verdict, reason, detail, attributable, %ancestor_of, %incident,
          "sequencer attested a block on top of this invalid block; binding signature received");
}
