//! Messages with one field of their identifier twisted: one fault a rule. Their blocks are attested all the same.

use super::messages::cited;
use super::{Fault, NothingToCite, Scene};
use crate::finding::Finding;
use crate::message_finding::ExpectedMessage;
use crate::message_pool::InitiatingBlock;
use crate::schedule::{ACTIVATION_BLOCK, EXPIRY_BLOCKS, FIRST_EXECUTING_BLOCK};
use alloy::primitives::Address;
use crosscheck_core::message::Message;
use crosscheck_p2p::{ChainId, UnixSeconds};
use rand::{Rng, seq::IndexedRandom};
use rand_chacha::ChaCha12Rng;

/// No chain of a devnet comes to such heights.
const BEYOND_ANY_CHAIN: u64 = 1 << 40;

/// A block with one message that breaks one rule.
#[derive(Debug)]
pub(super) struct Twisted {
    name: &'static str,
    summary: &'static str,
    /// The code of the rule.
    rule: &'static str,
    chains: usize,
    latest: u64,
    twist: fn(&Scene<'_>, &mut ChaCha12Rng) -> Option<Message>,
}

/// Names another contract than the log's.
pub(super) static WRONG_ORIGIN: Twisted = Twisted {
    name: "wrong-origin",
    summary: "the block executes a message under another contract's address than the log's",
    rule: "wrong-origin",
    chains: 1,
    latest: u64::MAX,
    twist: wrong_origin,
};

/// Names a block that its chain does not have.
pub(super) static WRONG_BLOCK_NUMBER: Twisted = Twisted {
    name: "wrong-block-number",
    summary: "the block executes a message under a block number that its chain had not reached by then",
    rule: "block-not-found",
    chains: 1,
    latest: u64::MAX,
    twist: wrong_block_number,
};

/// Names another timestamp than the block's.
pub(super) static WRONG_TIMESTAMP: Twisted = Twisted {
    name: "wrong-timestamp",
    summary: "the block executes a message under another timestamp than that of its initiating block",
    rule: "timestamp-mismatch",
    chains: 1,
    latest: u64::MAX,
    twist: wrong_timestamp,
};

/// Names another chain of the dependency set.
pub(super) static WRONG_CHAIN_ID: Twisted = Twisted {
    name: "wrong-chain-id",
    summary: "the block executes a message under the id of another chain of the dependency set",
    rule: "payload-mismatch",
    chains: 2,
    latest: u64::MAX,
    twist: wrong_chain_id,
};

/// Names a log of a block that is yet to come.
pub(super) static FUTURE_MESSAGE: Twisted = Twisted {
    name: "future-message",
    summary: "the block executes a message of a block that is yet to come",
    rule: "initiated-after-execution",
    chains: 1,
    latest: u64::MAX,
    twist: future,
};

/// Cites a log of the block with which interop came.
pub(super) static ACTIVATION_BLOCK_MESSAGE: Twisted = Twisted {
    name: "activation-block",
    summary: "the block executes a message of the block with which interop was activated, which initiates none",
    rule: "not-active",
    chains: 1,
    // Later the message has expired, too.
    latest: ACTIVATION_BLOCK + EXPIRY_BLOCKS,
    twist: of_activation_block,
};

fn live(scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Option<Message> {
    cited(scene, &scene.pool.live(&scene.site), rng).map(|(_, message)| message)
}

fn wrong_origin(scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Option<Message> {
    let mut message = live(scene, rng)?;
    let mut origin = Address::ZERO;
    rng.fill(origin.as_mut_slice());
    message.identifier.origin = origin;
    Some(message)
}

fn wrong_block_number(scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Option<Message> {
    let mut message = live(scene, rng)?;
    message.identifier.block_number = BEYOND_ANY_CHAIN.saturating_add(rng.random_range(0..1_000));
    Some(message)
}

fn wrong_timestamp(scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Option<Message> {
    let mut message = live(scene, rng)?;
    // A second later is still no later than the execution.
    message.identifier.timestamp = UnixSeconds(message.identifier.timestamp.0.saturating_add(1));
    Some(message)
}

/// Where the other chain has a log of the same contract that says something else, and so the payload is what is wrong.
fn wrong_chain_id(scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Option<Message> {
    let blocks = scene.pool.live(&scene.site);
    let pairs = blocks.iter().flat_map(|block| {
        let others =
            blocks.iter().filter(|other| other.number == block.number && other.chain_id != block.chain_id);
        others.flat_map(|other| moved(block, other))
    });
    pairs.collect::<Vec<_>>().choose(rng).copied()
}

/// The messages of a block under the id of another chain, as far as its block of that height has other logs there.
fn moved(block: &InitiatingBlock, other: &InitiatingBlock) -> Vec<Message> {
    let both = block.messages.iter().zip(&other.messages);
    let payload_differs = both.filter(|(message, there)| {
        let elsewhere = other.messages.iter().any(|log| log.payload_hash == message.payload_hash);
        message.identifier.origin == there.identifier.origin && !elsewhere
    });
    let renamed = payload_differs.map(|(message, _)| {
        let mut message = *message;
        message.identifier.chain_id = ChainId::from(other.chain_id);
        message
    });
    renamed.collect()
}

fn future(scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Option<Message> {
    let mut message = live(scene, rng)?;
    let ahead = rng.random_range(1..=3_u64);
    let id = &mut message.identifier;
    let block_time = scene.site.expiry_window.checked_div(EXPIRY_BLOCKS)?;
    id.block_number = scene.site.number.saturating_add(ahead);
    id.timestamp = UnixSeconds(scene.site.timestamp.0.saturating_add(ahead.saturating_mul(block_time)));
    Some(message)
}

fn of_activation_block(scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Option<Message> {
    cited(scene, &scene.pool.at_activation(), rng).map(|(_, message)| message)
}

impl Fault for Twisted {
    fn name(&self) -> &'static str {
        self.name
    }

    fn summary(&self) -> &'static str {
        self.summary
    }

    fn earliest_block(&self) -> u64 {
        FIRST_EXECUTING_BLOCK
    }

    fn latest_block(&self) -> u64 {
        self.latest
    }

    fn chains(&self) -> usize {
        self.chains
    }

    fn expected(&self, _chain_id: u64) -> Finding {
        Finding::invalid_message(self.rule)
    }

    fn expected_message(&self) -> Option<ExpectedMessage> {
        Some(ExpectedMessage::invalid(self.rule))
    }

    fn message(&self, scene: &Scene<'_>, rng: &mut ChaCha12Rng) -> Result<Option<Message>, NothingToCite> {
        let message = (self.twist)(scene, rng);
        message.map(Some).ok_or_else(|| scene.nothing_to_cite(self))
    }
}
