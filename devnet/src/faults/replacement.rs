//! The lawful replacement: an invalid block gives way to its deposits, and that is what is attested.

use super::messages::absent_message;
use super::{Fault, L1Drop, NothingToCite, Publication, Scene};
use crate::finding::Finding;
use crate::message_finding::ExpectedMessage;
use crate::schedule::{FIRST_EXECUTING_BLOCK, WITHDRAWN_TICKS};
use crosscheck_core::message::Message;
use rand_chacha::ChaCha12Rng;

/// Replaces an invalid block, and attests to the replacement.
#[derive(Debug)]
pub(super) struct JustifiedReplacement;

impl Fault for JustifiedReplacement {
    fn name(&self) -> &'static str {
        "justified-replacement"
    }

    fn summary(&self) -> &'static str {
        "the block executes an invalid message; its node replaces it by deposits only, which is what is attested"
    }

    fn earliest_block(&self) -> u64 {
        FIRST_EXECUTING_BLOCK
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::UpheldReplacement
    }

    fn expected_message(&self) -> Option<ExpectedMessage> {
        Some(ExpectedMessage::resolved("log-not-found"))
    }

    fn message(&self, scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Result<Option<Message>, NothingToCite> {
        absent_message(self, scene, rng).map(Some)
    }

    fn is_replaced(&self) -> bool {
        true
    }
}

/// How many blocks a replacement chain replaces.
const REPLACED: u64 = 3;
/// The last of them has been built three times when it is replaced: with slower blocks gossip would find the third too
/// old.
const MAX_BLOCK_TIME: u64 = 4;

/// Replaces a run of blocks, one after the other, and attests to each replacement.
#[derive(Debug)]
pub(super) struct ReplacementChain;

impl Fault for ReplacementChain {
    fn name(&self) -> &'static str {
        "replacement-chain"
    }

    fn summary(&self) -> &'static str {
        "the block and the two after it execute an invalid message each; each is replaced, and all three are attested"
    }

    fn earliest_block(&self) -> u64 {
        FIRST_EXECUTING_BLOCK
    }

    fn blocks(&self) -> u64 {
        REPLACED
    }

    fn max_block_time(&self) -> u64 {
        MAX_BLOCK_TIME
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::UpheldReplacement
    }

    fn expected_message(&self) -> Option<ExpectedMessage> {
        Some(ExpectedMessage::resolved("log-not-found"))
    }

    fn message(&self, scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Result<Option<Message>, NothingToCite> {
        absent_message(self, scene, rng).map(Some)
    }

    fn is_replaced(&self) -> bool {
        true
    }
}

/// Takes a local-safe head back that holds an invalid message, before it replaces it: as op-supernode does.
#[derive(Debug)]
pub(super) struct WithdrawnLocalSafe;

impl Fault for WithdrawnLocalSafe {
    fn name(&self) -> &'static str {
        "withdrawn-local-safe"
    }

    fn summary(&self) -> &'static str {
        "the block executes an invalid message and nobody attests it; its node names it as local-safe, then heads far below, then the replacement"
    }

    fn earliest_block(&self) -> u64 {
        FIRST_EXECUTING_BLOCK
    }

    fn max_block_time(&self) -> u64 {
        MAX_BLOCK_TIME
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::UpheldReplacement
    }

    fn expected_message(&self) -> Option<ExpectedMessage> {
        Some(ExpectedMessage::resolved("log-not-found"))
    }

    fn message(&self, scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Result<Option<Message>, NothingToCite> {
        absent_message(self, scene, rng).map(Some)
    }

    fn is_replaced(&self) -> bool {
        true
    }

    fn withdrawn_ticks(&self) -> u64 {
        WITHDRAWN_TICKS
    }
}

/// How long the chain's nodes remain on the replaced block, in ticks.
const STAY_TICKS: u64 = 12;

/// Replaces an invalid block while the chain's own nodes check no messages: they stay on it.
#[derive(Debug)]
pub(super) struct PlainSibling;

impl Fault for PlainSibling {
    fn name(&self) -> &'static str {
        "plain-sibling"
    }

    fn summary(&self) -> &'static str {
        "the block executes an invalid message and is replaced; the chain's own nodes check no messages, and stay on its branch for twelve blocks' time"
    }

    fn earliest_block(&self) -> u64 {
        FIRST_EXECUTING_BLOCK
    }

    fn last_block(&self, block: u64) -> u64 {
        block.saturating_add(STAY_TICKS)
    }

    fn expected(&self, chain_id: u64) -> Finding {
        Finding::StayedBehind { chain_id }
    }

    fn expected_message(&self) -> Option<ExpectedMessage> {
        Some(ExpectedMessage::resolved("log-not-found"))
    }

    fn message(&self, scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Result<Option<Message>, NothingToCite> {
        absent_message(self, scene, rng).map(Some)
    }

    fn is_replaced(&self) -> bool {
        true
    }

    fn stay_ticks(&self) -> u64 {
        STAY_TICKS
    }

    /// All chains wait until the sidecar says where the nodes stay.
    fn is_drawn(&self) -> bool {
        false
    }
}

/// For how many ticks the execution client is taken back.
const REWIND_TICKS: u64 = 2;

/// Takes its execution client back before it replaces a block, as op-supernode does: to a block that nobody has derived.
#[derive(Debug)]
pub(super) struct RewindSibling;

impl Fault for RewindSibling {
    fn name(&self) -> &'static str {
        "rewind-sibling"
    }

    fn summary(&self) -> &'static str {
        "the block executes an invalid message and is replaced; first its client has a sibling of its parent as its tip, calls that one's parent final, and then has the parent again, while the rollup node is stopped"
    }

    fn earliest_block(&self) -> u64 {
        FIRST_EXECUTING_BLOCK
    }

    fn max_block_time(&self) -> u64 {
        MAX_BLOCK_TIME
    }

    fn expected(&self, chain_id: u64) -> Finding {
        Finding::Rewound { chain_id }
    }

    fn expected_message(&self) -> Option<ExpectedMessage> {
        Some(ExpectedMessage::resolved("log-not-found"))
    }

    fn message(&self, scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Result<Option<Message>, NothingToCite> {
        absent_message(self, scene, rng).map(Some)
    }

    fn is_replaced(&self) -> bool {
        true
    }

    fn rewind_ticks(&self) -> u64 {
        REWIND_TICKS
    }
}

/// Replaces an invalid block, and loses it to a reorg of L1: another takes the replacement's place.
#[derive(Debug)]
pub(super) struct Unreplaced {
    /// Whether the replacement's attestation comes after that.
    is_unseen: bool,
}

/// The replacement is attested at once.
pub(super) static UNREPLACED: Unreplaced = Unreplaced { is_unseen: false };
/// The replacement's attestation comes when it is undone.
pub(super) static UNREPLACED_UNSEEN: Unreplaced = Unreplaced { is_unseen: true };

impl Fault for Unreplaced {
    fn name(&self) -> &'static str {
        if self.is_unseen { "unreplaced-unseen" } else { "unreplaced" }
    }

    fn summary(&self) -> &'static str {
        if self.is_unseen {
            "as unreplaced, but the replacement's attestation comes only when another block is in its place"
        } else {
            "the block executes an invalid message and is replaced; then L1 drops the batch that held it, and a valid block takes the replacement's place and is attested, too"
        }
    }

    fn earliest_block(&self) -> u64 {
        FIRST_EXECUTING_BLOCK
    }

    fn max_block_time(&self) -> u64 {
        MAX_BLOCK_TIME
    }

    fn expected(&self, chain_id: u64) -> Finding {
        Finding::Unreplaced { chain_id, is_unseen: self.is_unseen }
    }

    fn expected_message(&self) -> Option<ExpectedMessage> {
        Some(ExpectedMessage::resolved("log-not-found"))
    }

    fn message(&self, scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Result<Option<Message>, NothingToCite> {
        absent_message(self, scene, rng).map(Some)
    }

    fn is_replaced(&self) -> bool {
        true
    }

    fn reorgs_l1(&self) -> Option<L1Drop> {
        Some(L1Drop::Replaced)
    }

    fn publication(&self) -> Publication {
        if self.is_unseen { Publication::WithNext } else { Publication::AsPromoted }
    }
}
