//! Blocks that execute an invalid message and are attested all the same: one fault a rule.

use super::{Fault, NothingToCite, Scene};
use crate::{
    devnet::{
        finding::Finding,
        message_pool::{InitiatingBlock, prefer_remote},
        schedule::{EXPIRY_BLOCKS, FIRST_EXECUTING_BLOCK},
    },
    interop::Message,
};
use alloy::primitives::B256;
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
    let (block, mut message) = cited(fault, scene, &scene.pool.live(&scene.site), rng)?;
    let logs = u32::try_from(block.messages.len()).unwrap_or(u32::MAX);
    message.identifier.log_index = logs.saturating_add(rng.random_range(0..1_000));
    message.payload_hash = random_word(rng);
    Ok(message)
}

/// A real message, of another chain if there is one.
fn cited<'a>(
    fault: &dyn Fault,
    scene: &Scene<'a>,
    blocks: &[&'a InitiatingBlock],
    rng: &mut ChaCha12Rng,
) -> Result<(&'a InitiatingBlock, Message), NothingToCite> {
    let blocks = prefer_remote(blocks, &scene.site);
    let block = blocks.choose(rng).copied();
    let found = block.and_then(|block| Some((block, *block.messages.choose(rng)?)));
    found.ok_or_else(|| scene.nothing_to_cite(fault))
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
        "the block executes a message whose initiating log does not exist, and is attested all the same"
    }

    fn earliest_block(&self) -> u64 {
        FIRST_EXECUTING_BLOCK
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::invalid_message("log-not-found")
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

    fn message(&self, scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Result<Option<Message>, NothingToCite> {
        let (_, mut message) = cited(self, scene, &scene.pool.live(&scene.site), rng)?;
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

    fn message(&self, scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Result<Option<Message>, NothingToCite> {
        let mut blocks = scene.pool.live(&scene.site);
        blocks.retain(|block| swapped(block).is_some());
        let (block, _) = cited(self, scene, &blocks, rng)?;
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
        // The first block's messages have expired one block after the window.
        EXPIRY_BLOCKS.saturating_add(2)
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::invalid_message("expired")
    }

    fn message(&self, scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Result<Option<Message>, NothingToCite> {
        let (_, message) = cited(self, scene, &scene.pool.expired(&scene.site), rng)?;
        Ok(Some(message))
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

    fn message(&self, scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Result<Option<Message>, NothingToCite> {
        let (_, mut message) = cited(self, scene, &scene.pool.live(&scene.site), rng)?;
        message.identifier.chain_id = ChainId::from(UNKNOWN_CHAIN);
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devnet::message_pool::tests::{pool, site};
    use rand::SeedableRng;
    use rstest::rstest;

    /// What a checker that knows the pool's blocks would say of a message executed at block 30 of chain 901.
    fn broken_rule(message: &Message) -> &'static str {
        let pool = pool(&[901, 902], 1..=29);
        let site = site(901, 30);
        let id = &message.identifier;
        let blocks: Vec<_> = pool.live(&site).into_iter().chain(pool.expired(&site)).collect();
        let Some(block) = blocks
            .iter()
            .find(|block| ChainId::from(block.chain_id) == id.chain_id && block.number == id.block_number)
        else {
            return "unknown-chain";
        };
        if site.timestamp.0 - id.timestamp.0 > site.expiry_window {
            return "expired";
        }
        let payload_elsewhere = block.messages.iter().any(|other| other.payload_hash == message.payload_hash);
        match block.messages.get(id.log_index as usize) {
            None => "log-not-found",
            Some(log) if log.payload_hash == message.payload_hash => "none",
            Some(_) if payload_elsewhere => "wrong-log-index",
            Some(_) => "payload-mismatch",
        }
    }

    #[rstest]
    #[case::invalid_message(&InvalidMessage)]
    #[case::wrong_payload_hash(&WrongPayloadHash)]
    #[case::wrong_log_index(&WrongLogIndex)]
    #[case::expired_message(&ExpiredMessage)]
    #[case::unknown_chain(&UnknownChain)]
    fn breaks_exactly_the_rule_that_must_be_found(#[case] fault: &dyn Fault) {
        let pool = pool(&[901, 902], 1..=29);
        let scene = Scene { site: site(901, 30), pool: &pool };
        for seed in 0..50 {
            let mut rng = ChaCha12Rng::seed_from_u64(seed);
            let message = fault.message(&scene, &mut rng).unwrap().unwrap();
            assert_eq!(Finding::invalid_message(broken_rule(&message)), fault.expected(901));
        }
    }

    #[test]
    fn an_empty_pool_is_said_to_be_empty() {
        let pool = pool(&[], 1..=1);
        let scene = Scene { site: site(901, 30), pool: &pool };
        let mut rng = ChaCha12Rng::seed_from_u64(0);
        let missing = NothingToCite { fault: "expired-message", chain_id: 901, number: 30 };
        assert_eq!(ExpiredMessage.message(&scene, &mut rng), Err(missing));
    }
}
