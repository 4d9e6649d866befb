//! [`report`]: what is noted of a message, in the log.

use super::{Ending, News, Note};
use crate::interop::{BlockKey, MessageStatus};
use tracing::{error, info, warn};

/// Writes a note to the log, as loudly as it deserves.
pub(super) fn report(note: &Note) {
    let BlockKey { chain_id, number, hash } = note.key.block;
    let (log_index, level) = (note.key.log_index, note.level);
    let initiating = note.initiating.map(|chain_id| chain_id.to_string()).unwrap_or_default();
    let reason = note.news.reason().map(|reason| reason.code()).unwrap_or_default();
    let detail = note.news.reason().map(ToString::to_string).unwrap_or_default();
    if let News::Ended { ending: Ending::Finalized, status } = &note.news {
        if note.is_consensus_failure() {
            error!(%chain_id, number, %hash, log_index, initiating, status, "consensus failure: an invalid message is final");
        } else {
            warn!(%chain_id, number, %hash, log_index, initiating, status,
                  "an invalid message is final on a node that checks no messages: compare its chain with one that does");
        }
        return;
    }
    if note.is_consensus_failure() {
        error!(%chain_id, number, %hash, log_index, initiating, %level, reason, detail,
               "consensus failure: an invalid message is in a cross-safe block; all hands");
        return;
    }
    match &note.news {
        News::Invalid { .. } => {
            error!(%chain_id, number, %hash, log_index, initiating, %level, reason, detail,
                   "an executed message does not hold");
        }
        News::Flip { to: MessageStatus::Valid, cause } => {
            warn!(%chain_id, number, %hash, log_index, initiating, %level, ?cause,
                  "an executed message that did not hold is valid now");
        }
        News::Flip { cause, .. } => {
            error!(%chain_id, number, %hash, log_index, initiating, %level, reason, detail, ?cause,
                   "an executed message that was valid does not hold any more");
        }
        News::Undeclared => {
            error!(%chain_id, number, %hash, log_index, initiating, %level,
                   "an executed message was not declared by its own transaction: the inbox was tricked");
        }
        News::Ended { ending: Ending::Expired, status } => {
            warn!(%chain_id, number, %hash, log_index, initiating, status, "a message is too old to be tracked on");
        }
        News::Ended { ending, status } => {
            let by = note.news.ended_by().unwrap_or_default();
            info!(%chain_id, number, %hash, log_index, initiating, status, ending = ending.name(), %by,
                  "a message's block is gone");
        }
    }
}
