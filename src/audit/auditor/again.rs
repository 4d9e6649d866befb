//! What is done when a piece of work panics: it is done again, after a pause, and nothing else waits for it.

use super::{Auditor, Piece};
use crate::audit::open_cases::Work;
use crosscheck_core::case::{Awaited, Cause, Wait};
use crosscheck_core::message::BlockKey;
use tokio::task::JoinError;
use tracing::error;

impl Auditor {
    /// A piece of work panicked: a mistake of ours. It is done again, and nothing else waits for it.
    pub(super) fn retry_panicked(&mut self, piece: Piece, error: &JoinError) {
        let (key, work) = match piece {
            Piece::Case(case) => (*case.key(), Work::Case(case)),
            Piece::Ancestor(key) => (key, Work::Ancestor),
            // Both are repeated at the next change of the chain's heads.
            Piece::Scouting(chain_id) => {
                error!(%chain_id, %error, "check of local-safe blocks crashed; retrying");
                self.searched_up_to.remove(&chain_id);
                return;
            }
            Piece::CheckingVouched(chain_id) => {
                error!(%chain_id, %error, "check of the vouched head crashed; retrying");
                self.checking.remove(&chain_id);
                self.check_again.remove(&chain_id);
                return;
            }
            Piece::Asking => {
                error!(%error, "L1 check of earlier verdicts crashed; retrying");
                self.repeat_origin_requests();
                return;
            }
            Piece::Again(key) => {
                error!(block = %key, %error, "recheck of an invalid block crashed; retrying");
                self.recheck_later(key);
                return;
            }
        };
        let BlockKey { chain_id, number, hash } = key;
        error!(%chain_id, number, %hash, %error, "investigation crashed; retrying");
        let wait = Wait { awaited: Awaited::Block, chain_id, cause: Cause::NotYet };
        let reason_text = [(wait, "the last check of it crashed".to_owned())].into();
        self.open.postpone(key, work, [wait].into(), reason_text);
    }
}
