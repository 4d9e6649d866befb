//! An inbox that was tampered with: it executes messages that nobody declared.

use super::messages::cited;
use super::{Fault, NothingToCite, Scene};
use crate::finding::Finding;
use crate::message_finding::ExpectedMessage;
use crate::schedule::FIRST_EXECUTING_BLOCK;
use crosscheck_core::message::Message;
use rand_chacha::ChaCha12Rng;

/// Executes a valid message whose transaction does not declare it.
#[derive(Debug)]
pub(super) struct UndeclaredAccess;

impl Fault for UndeclaredAccess {
    fn name(&self) -> &'static str {
        "undeclared-access"
    }

    fn summary(&self) -> &'static str {
        "the chain's inbox is patched from genesis on, and the block executes a valid message that its transaction does not declare"
    }

    fn earliest_block(&self) -> u64 {
        FIRST_EXECUTING_BLOCK
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::Upheld
    }

    fn expected_message(&self) -> Option<ExpectedMessage> {
        Some(ExpectedMessage { undeclared: true, ..ExpectedMessage::VALID })
    }

    fn message(&self, scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Result<Option<Message>, NothingToCite> {
        let found = cited(scene, &scene.pool.live(&scene.site), rng);
        found.map(|(_, message)| Some(message)).ok_or_else(|| scene.nothing_to_cite(self))
    }

    fn leaves_undeclared(&self) -> bool {
        true
    }

    fn patches_inbox(&self) -> bool {
        true
    }

    fn is_citable(&self) -> bool {
        true
    }
}
