//! [`report`]: what is noted of a message, in the log.

use super::message_metrics::MessageMetrics;
use crate::incidents::{Alarm, Incidents};
use crosscheck_core::events::{Notice, NoticeContent};
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::message::{BlockKey, DecodeError};
use crosscheck_core::tracker::{Ending, ForbiddenStep, RefusedInput};
use crosscheck_core::validity::MessageStatus;
use tracing::{error, info, warn};

/// Writes a note to the log, as loudly as it deserves: the first proof that a block is invalid is an error,
/// and so is the first notice that it became cross-safe, or final. Every line of one incident names it.
pub(super) fn report(note: &Notice, incidents: &Incidents) {
    let is_flip = matches!(note.content, NoticeContent::Flip { .. });
    let is_promoted = note.is_first_at(SafetyLevel::Safe) || note.is_first_at(SafetyLevel::Finalized);
    if is_promoted || (is_flip && note.is_consensus_failure()) {
        return report_failure(note, incidents);
    }
    let incident = note.key.block;
    let BlockKey { chain_id, number, hash } = incident;
    let (log_index, level) = (note.key.log_index, note.level);
    let initiating = note.initiating.map(|chain_id| chain_id.to_string()).unwrap_or_default();
    match &note.content {
        NoticeContent::Invalid { .. } if note.invalid_before.is_some() => {
            info!(%chain_id, number, %hash, log_index, initiating, %level, %incident,
                  "block of an invalid message reached a higher safety level");
        }
        NoticeContent::Invalid { .. } | NoticeContent::Flip { to: MessageStatus::Invalid(_), .. } => {
            report_invalid(note, incidents);
        }
        NoticeContent::Flip { cause, .. } => {
            warn!(%chain_id, number, %hash, log_index, initiating, %level, %cause, %incident,
                  "invalid executing message became valid");
        }
        NoticeContent::Undeclared => {
            error!(%chain_id, number, %hash, log_index, initiating, %level, %incident,
                   "executing message was not declared by its transaction");
        }
        NoticeContent::Undecodable { error: error @ DecodeError::UnknownEvent { .. } } => {
            warn!(%chain_id, number, %hash, log_index, detail = %error, %incident,
                  "unknown CrossL2Inbox event, its messages are not checked; upgrade Crosscheck");
        }
        NoticeContent::Undecodable { error } => {
            warn!(%chain_id, number, %hash, log_index, detail = %error, %incident,
                  "CrossL2Inbox log cannot be decoded and is not a message; check the inbox's code");
        }
        NoticeContent::Ended { ending: Ending::Finalized, status } if note.is_consensus_failure() => {
            info!(%chain_id, number, %hash, log_index, initiating, status = status.name(), %incident,
                  "invalid message is no longer tracked; its block is final");
        }
        NoticeContent::Ended { ending: Ending::Finalized, status } => {
            warn!(%chain_id, number, %hash, log_index, initiating, status = status.name(), %incident,
                  "invalid message is final on a node that does not verify messages; compare with one that does");
        }
        NoticeContent::Ended { ending: Ending::Expired, status } => {
            warn!(%chain_id, number, %hash, log_index, initiating, status = status.name(), %incident,
                  "message is too old to be tracked further");
        }
        NoticeContent::Ended { ending, status } => {
            let by = note.content.ended_by().unwrap_or_default();
            info!(%chain_id, number, %hash, log_index, initiating, status = status.name(), ending = ending.name(), %by, %incident,
                  "message's block was removed");
        }
    }
}

fn report_invalid(note: &Notice, incidents: &Incidents) {
    let incident = note.key.block;
    let BlockKey { chain_id, number, hash } = incident;
    let (log_index, level) = (note.key.log_index, note.level);
    let initiating = note.initiating.map(|chain_id| chain_id.to_string()).unwrap_or_default();
    let (reason, detail) = (reason(note), detail(note));
    let is_first = incidents.raise(incident, Alarm::Invalid);
    match &note.content {
        NoticeContent::Flip { cause, .. } => {
            const SAID: &str = "valid executing message became invalid";
            if is_first {
                error!(%chain_id, number, %hash, log_index, initiating, %level, reason, detail, %cause, %incident, "{SAID}");
            } else {
                warn!(%chain_id, number, %hash, log_index, initiating, %level, reason, detail, %cause, %incident, "{SAID}");
            }
        }
        _ => {
            const SAID: &str = "invalid executing message included";
            if is_first {
                error!(%chain_id, number, %hash, log_index, initiating, %level, reason, detail, %incident, "{SAID}");
            } else {
                warn!(%chain_id, number, %hash, log_index, initiating, %level, reason, detail, %incident, "{SAID}");
            }
        }
    }
}

/// What must never happen.
fn report_failure(note: &Notice, incidents: &Incidents) {
    let incident = note.key.block;
    let BlockKey { chain_id, number, hash } = incident;
    let (log_index, level) = (note.key.log_index, note.level);
    let initiating = note.initiating.map(|chain_id| chain_id.to_string()).unwrap_or_default();
    let (reason, detail) = (reason(note), detail(note));
    // It is proven by this, too.
    incidents.raise(incident, Alarm::Invalid);
    let is_flip = matches!(note.content, NoticeContent::Flip { .. });
    if is_flip || note.is_first_at(SafetyLevel::Safe) {
        const SAID: &str = "consensus failure: invalid message in a cross-safe block; CRITICAL";
        if incidents.raise(incident, Alarm::CrossSafe) {
            error!(%chain_id, number, %hash, log_index, initiating, %level, reason, detail, %incident, "{SAID}");
        } else {
            warn!(%chain_id, number, %hash, log_index, initiating, %level, reason, detail, %incident, "{SAID}");
        }
    }
    if note.is_first_at(SafetyLevel::Finalized) {
        const SAID: &str = "consensus failure: invalid message in a finalized block";
        if incidents.raise(incident, Alarm::Final) {
            error!(%chain_id, number, %hash, log_index, initiating, reason, detail, %incident, "{SAID}");
        } else {
            warn!(%chain_id, number, %hash, log_index, initiating, reason, detail, %incident, "{SAID}");
        }
    }
}

fn reason(note: &Notice) -> &'static str {
    note.content.reason().map(|reason| reason.code()).unwrap_or_default()
}

fn detail(note: &Notice) -> String {
    note.content.reason().map(ToString::to_string).unwrap_or_default()
}

/// Reports what the tracker refused: never, in a sound program.
pub(super) fn report_refused(metrics: &MessageMetrics, input: Option<RefusedInput>, steps: &[ForbiddenStep]) {
    if let Some(refused) = input {
        metrics.tracker_fault();
        error!(%refused, "tracker refused an input");
    }
    for refused in steps {
        metrics.tracker_fault();
        error!(%refused, "tracker refused a step of a message");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use crate::telemetry::captured::Lines;
    use crosscheck_core::tracker::{State, Step};
    use crosscheck_core::validity::DependencySet;
    use crosscheck_p2p::ChainId;

    #[test]
    fn what_the_tracker_refuses_is_logged_and_counted() {
        let lines = Lines::capture();
        let metrics = Metrics::new(DependencySet::new([].into(), 100)).unwrap();
        let messages = MessageMetrics::register(&metrics).unwrap();
        let input = RefusedInput::UnknownChain { chain_id: ChainId::from(901) };
        let step = ForbiddenStep {
            state: State::Displaced,
            status: MessageStatus::Valid,
            level: SafetyLevel::Unsafe,
            step: Step::Displace,
        };
        report_refused(&messages, None, &[]);
        assert_eq!(lines.count(""), 0);
        report_refused(&messages, Some(input), &[step]);
        assert_eq!((lines.count("ERROR"), lines.count("bug in the tracker")), (2, 1), "{}", lines.text());
        let text = metrics.render().unwrap();
        assert!(text.contains("crosscheck_tracker_faults_total 2"), "{text}");
    }
}
