//! Blocks that execute an invalid message and are attested all the same: one fault a rule.

use super::{Fault, NothingToCite, Scene};
use crate::finding::Finding;
use crate::message_finding::ExpectedMessage;
use crate::message_pool::{InitiatingBlock, prefer_remote};
use crate::schedule::{ACTIVATION_BLOCK, EXPIRY_BLOCKS, FIRST_EXECUTING_BLOCK};
use alloy::primitives::B256;
use crosscheck_core::message::Message;
use crosscheck_p2p::ChainId;
use rand::{Rng, RngCore, seq::IndexedRandom};
use rand_chacha::ChaCha12Rng;

/// The chain that `unknown-chain` cites: no devnet has it.
const UNKNOWN_CHAIN: u64 = 424_242;

/// Executes a message whose initiating log does not exist.
#[derive(Debug)]
pub(super) struct InvalidMessage;

/// Executes a message with a payload that no log of the block has.
#[derive(Debug)]
pub(super) struct WrongPayloadHash;

/// Executes a message under the index of another log of its block.
#[derive(Debug)]
pub(super) struct WrongLogIndex;

/// Executes a message that is older than the expiry window.
#[derive(Debug)]
pub(super) struct ExpiredMessage;

/// Executes a message of a chain outside the dependency set.
#[derive(Debug)]
pub(super) struct UnknownChain;

/// A message past the last log of a block that may be cited.
pub(super) fn absent_message(
    fault: &dyn Fault,
    scene: &Scene<'_>,
    rng: &mut ChaCha12Rng,
) -> Result<Message, NothingToCite> {
    let found = cited(scene, &scene.pool.live(&scene.site), rng);
    let (block, mut message) = found.ok_or_else(|| scene.nothing_to_cite(fault))?;
    let logs = u32::try_from(block.messages.len()).unwrap_or(u32::MAX);
    message.identifier.log_index = logs.saturating_add(rng.random_range(0..1_000));
    message.payload_hash = random_word(rng);
    Ok(message)
}

/// A real message, of another chain if there is one.
pub(super) fn cited<'a>(
    scene: &Scene<'a>,
    blocks: &[&'a InitiatingBlock],
    rng: &mut ChaCha12Rng,
) -> Option<(&'a InitiatingBlock, Message)> {
    let blocks = prefer_remote(blocks, &scene.site);
    let block = blocks.choose(rng).copied()?;
    Some((block, *block.messages.choose(rng)?))
}

fn random_word(rng: &mut ChaCha12Rng) -> B256 {
    let mut word = B256::ZERO;
    rng.fill_bytes(word.as_mut_slice());
    word
}

impl Fault for InvalidMessage {
    fn name(&self) -> &'static str {
        "invalid-message"
    }

    fn summary(&self) -> &'static str {
        "the block executes a message whose initiating log does not exist, and is still attested"
    }

    fn earliest_block(&self) -> u64 {
        FIRST_EXECUTING_BLOCK
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::invalid_message("log-not-found")
    }

    fn expected_message(&self) -> Option<ExpectedMessage> {
        Some(ExpectedMessage::invalid("log-not-found"))
    }

    fn message(&self, scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Result<Option<Message>, NothingToCite> {
        absent_message(self, scene, rng).map(Some)
    }
}

impl Fault for WrongPayloadHash {
    fn name(&self) -> &'static str {
        "wrong-payload-hash"
    }

    fn summary(&self) -> &'static str {
        "the block executes a message with a payload that its initiating log does not have"
    }

    fn earliest_block(&self) -> u64 {
        FIRST_EXECUTING_BLOCK
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::invalid_message("payload-mismatch")
    }

    fn expected_message(&self) -> Option<ExpectedMessage> {
        Some(ExpectedMessage::invalid("payload-mismatch"))
    }

    fn message(&self, scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Result<Option<Message>, NothingToCite> {
        let found = cited(scene, &scene.pool.live(&scene.site), rng);
        let (_, mut message) = found.ok_or_else(|| scene.nothing_to_cite(self))?;
        message.payload_hash = random_word(rng);
        Ok(Some(message))
    }
}

impl Fault for WrongLogIndex {
    fn name(&self) -> &'static str {
        "wrong-log-index"
    }

    fn summary(&self) -> &'static str {
        "the block executes a message under the index of another log of the initiating block"
    }

    fn earliest_block(&self) -> u64 {
        FIRST_EXECUTING_BLOCK
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::invalid_message("wrong-log-index")
    }

    fn expected_message(&self) -> Option<ExpectedMessage> {
        Some(ExpectedMessage::invalid("wrong-log-index"))
    }

    fn message(&self, scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Result<Option<Message>, NothingToCite> {
        let mut blocks = scene.pool.live(&scene.site);
        blocks.retain(|block| swapped(block).is_some());
        let found = cited(scene, &blocks, rng);
        let (block, _) = found.ok_or_else(|| scene.nothing_to_cite(self))?;
        Ok(swapped(block))
    }
}

/// A message of the block under the index of another log: one by the same contract that says something else.
fn swapped(block: &InitiatingBlock) -> Option<Message> {
    let differ = |a: &Message, b: &Message| {
        a.identifier.origin == b.identifier.origin && a.payload_hash != b.payload_hash
    };
    block.messages.iter().find_map(|message| {
        let other = block.messages.iter().find(|other| differ(message, other))?;
        let mut swapped = *message;
        swapped.identifier.log_index = other.identifier.log_index;
        Some(swapped)
    })
}

impl Fault for ExpiredMessage {
    fn name(&self) -> &'static str {
        "expired-message"
    }

    fn summary(&self) -> &'static str {
        "the block executes a message that is older than the expiry window"
    }

    fn earliest_block(&self) -> u64 {
        // The messages of the first block after the activation have expired one block after the window.
        ACTIVATION_BLOCK.saturating_add(EXPIRY_BLOCKS).saturating_add(2)
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::invalid_message("expired")
    }

    fn expected_message(&self) -> Option<ExpectedMessage> {
        Some(ExpectedMessage::invalid("expired"))
    }

    fn message(&self, scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Result<Option<Message>, NothingToCite> {
        let found = cited(scene, &scene.pool.expired(&scene.site), rng);
        found.map(|(_, message)| Some(message)).ok_or_else(|| scene.nothing_to_cite(self))
    }
}

impl Fault for UnknownChain {
    fn name(&self) -> &'static str {
        "unknown-chain"
    }

    fn summary(&self) -> &'static str {
        "the block executes a message of a chain outside the dependency set"
    }

    fn earliest_block(&self) -> u64 {
        FIRST_EXECUTING_BLOCK
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::invalid_message("unknown-chain")
    }

    fn expected_message(&self) -> Option<ExpectedMessage> {
        Some(ExpectedMessage::invalid("unknown-chain"))
    }

    fn message(&self, scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Result<Option<Message>, NothingToCite> {
        let found = cited(scene, &scene.pool.live(&scene.site), rng);
        let (_, mut message) = found.ok_or_else(|| scene.nothing_to_cite(self))?;
        message.identifier.chain_id = ChainId::from(UNKNOWN_CHAIN);
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::inbox::UndeclaredAccess;
    use crate::faults::{Cast, twisted};
    use crate::message_pool::tests::{dependency_set, pool, proven, site};
    use crosscheck_core::validity::{Execution, Objection, check_claim, check_log, check_tip};
    use rand::SeedableRng;
    use rstest::rstest;

    /// What Crosscheck's own rules say of a message executed at block 30 of chain 901 (or another), where every chain
    /// is at that block, too.
    fn broken_rule(message: &Message, number: u64) -> Option<&'static str> {
        let site = site(901, number);
        let execution = Execution { chain_id: ChainId::from(901), timestamp: site.timestamp };
        let id = &message.identifier;
        let broken = || {
            check_claim(&dependency_set(&[901, 902]), execution, message)?;
            if let Some(reason) = check_tip(message, (number, site.timestamp)) {
                return Err(Objection::from(reason));
            }
            Ok(check_log(message, &proven(id.chain_id, id.block_number))?)
        };
        broken().err().map(|reason| reason.code())
    }

    #[rstest]
    #[case::invalid_message(&InvalidMessage, 30)]
    #[case::wrong_payload_hash(&WrongPayloadHash, 30)]
    #[case::wrong_log_index(&WrongLogIndex, 30)]
    #[case::expired_message(&ExpiredMessage, 30)]
    #[case::earliest_expired_message(&ExpiredMessage, 20)]
    #[case::unknown_chain(&UnknownChain, 30)]
    #[case::wrong_origin(&twisted::WRONG_ORIGIN, 30)]
    #[case::wrong_block_number(&twisted::WRONG_BLOCK_NUMBER, 30)]
    #[case::wrong_timestamp(&twisted::WRONG_TIMESTAMP, 30)]
    #[case::wrong_chain_id(&twisted::WRONG_CHAIN_ID, 30)]
    #[case::future_message(&twisted::FUTURE_MESSAGE, 30)]
    #[case::activation_block(&twisted::ACTIVATION_BLOCK_MESSAGE, 12)]
    #[case::activation_block_at_the_latest(&twisted::ACTIVATION_BLOCK_MESSAGE, 18)]
    fn breaks_exactly_the_rule_that_must_be_found(#[case] fault: &dyn Fault, #[case] number: u64) {
        assert!((fault.earliest_block()..=fault.latest_block()).contains(&number));
        let pool = pool(&[901, 902], 1..=number - 1);
        let cast = Cast::default();
        let scene = Scene { site: site(901, number), pool: &pool, cast: &cast };
        for seed in 0..50 {
            let mut rng = ChaCha12Rng::seed_from_u64(seed);
            let message = fault.message(&scene, &mut rng).unwrap().unwrap();
            let rule = broken_rule(&message, number).unwrap();
            assert_eq!(Finding::invalid_message(rule), fault.expected(901));
            assert_eq!(fault.expected_message(), Some(ExpectedMessage::invalid(rule)));
        }
    }

    #[test]
    fn what_is_not_declared_is_valid() {
        let pool = pool(&[901, 902], 1..=29);
        let cast = Cast::default();
        let scene = Scene { site: site(901, 30), pool: &pool, cast: &cast };
        let message = UndeclaredAccess.message(&scene, &mut ChaCha12Rng::seed_from_u64(0)).unwrap().unwrap();
        assert_eq!(broken_rule(&message, 30), None);
    }

    #[rstest]
    #[case::expired(&ExpiredMessage)]
    #[case::undeclared(&UndeclaredAccess)]
    #[case::twisted(&twisted::WRONG_CHAIN_ID)]
    fn an_empty_pool_is_said_to_be_empty(#[case] fault: &dyn Fault) {
        let pool = pool(&[], 1..=1);
        let cast = Cast::default();
        let scene = Scene { site: site(901, 30), pool: &pool, cast: &cast };
        let mut rng = ChaCha12Rng::seed_from_u64(0);
        let missing = NothingToCite { fault: fault.name(), chain_id: 901, number: 30 };
        assert_eq!(fault.message(&scene, &mut rng), Err(missing));
    }
}
