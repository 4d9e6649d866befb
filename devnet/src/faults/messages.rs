//! Blocks that execute an invalid message and are still attested, and one that executes an undeclared
//! message: a fault for each rule.

use super::context::MessageContext;
use super::fault::ScriptedFault;
use crate::findings::{ExpectedMessage, SidecarFinding};
use crate::messages::{InitiatingBlock, prefer_remote};
use crate::timing::{ACTIVATION_BLOCK, EXPIRY_BLOCKS};
use alloy::primitives::B256;
use crosscheck_core::message::Message;
use crosscheck_p2p::ChainId;
use rand::{Rng, RngCore, seq::IndexedRandom};
use rand_chacha::ChaCha12Rng;

/// The chain that `unknown-chain` cites: no devnet has it.
const UNKNOWN_CHAIN: u64 = 424_242;

pub(super) static INVALID_MESSAGE: ScriptedFault = ScriptedFault {
    name: "invalid-message",
    summary: "the block executes a message whose initiating log does not exist, and is still attested",
    expected: |_| SidecarFinding::invalid_message("log-not-found"),
    expected_message: Some(ExpectedMessage::invalid("log-not-found")),
    message: Some(absent_message),
    ..ScriptedFault::EXECUTING
};

pub(super) static WRONG_PAYLOAD_HASH: ScriptedFault = ScriptedFault {
    name: "wrong-payload-hash",
    summary: "the block executes a message with a payload that its initiating log does not have",
    expected: |_| SidecarFinding::invalid_message("payload-mismatch"),
    expected_message: Some(ExpectedMessage::invalid("payload-mismatch")),
    message: Some(with_other_payload),
    ..ScriptedFault::EXECUTING
};

pub(super) static WRONG_LOG_INDEX: ScriptedFault = ScriptedFault {
    name: "wrong-log-index",
    summary: "the block executes a message under the index of another log of the initiating block",
    expected: |_| SidecarFinding::invalid_message("wrong-log-index"),
    expected_message: Some(ExpectedMessage::invalid("wrong-log-index")),
    message: Some(at_other_log),
    ..ScriptedFault::EXECUTING
};

pub(super) static EXPIRED_MESSAGE: ScriptedFault = ScriptedFault {
    name: "expired-message",
    summary: "the block executes a message that is older than the expiry window",
    // The messages of the first block after the activation have expired one block after the window.
    earliest_block: ACTIVATION_BLOCK + EXPIRY_BLOCKS + 2,
    expected: |_| SidecarFinding::invalid_message("expired"),
    expected_message: Some(ExpectedMessage::invalid("expired")),
    message: Some(|context, rng| one_of(context, &context.pool.expired(&context.site), rng)),
    ..ScriptedFault::EXECUTING
};

pub(super) static UNKNOWN_CHAIN_ID: ScriptedFault = ScriptedFault {
    name: "unknown-chain",
    summary: "the block executes a message of a chain outside the dependency set",
    expected: |_| SidecarFinding::invalid_message("unknown-chain"),
    expected_message: Some(ExpectedMessage::invalid("unknown-chain")),
    message: Some(of_unknown_chain),
    ..ScriptedFault::EXECUTING
};

pub(super) static UNDECLARED_ACCESS: ScriptedFault = ScriptedFault {
    name: "undeclared-access",
    summary: "the chain's inbox is patched from genesis on, and the block executes a valid message that its transaction does not declare",
    expected_message: Some(ExpectedMessage { undeclared: true, ..ExpectedMessage::VALID }),
    message: Some(valid_message),
    is_undeclared: true,
    is_citable: true,
    ..ScriptedFault::EXECUTING
};

/// A message past the last log of a block that may be cited.
pub(super) fn absent_message(context: &MessageContext<'_>, rng: &mut ChaCha12Rng) -> Option<Message> {
    let (block, mut message) = cited(context, &context.pool.live(&context.site), rng)?;
    let logs = u32::try_from(block.messages.len()).unwrap_or(u32::MAX);
    message.identifier.log_index = logs.saturating_add(rng.random_range(0..1_000));
    message.payload_hash = random_word(rng);
    Some(message)
}

/// A valid message.
pub(super) fn valid_message(context: &MessageContext<'_>, rng: &mut ChaCha12Rng) -> Option<Message> {
    one_of(context, &context.pool.live(&context.site), rng)
}

/// A real message of one of these blocks, of another chain if there is one.
pub(super) fn one_of(
    context: &MessageContext<'_>,
    blocks: &[&InitiatingBlock],
    rng: &mut ChaCha12Rng,
) -> Option<Message> {
    cited(context, blocks, rng).map(|(_, message)| message)
}

fn cited<'a>(
    context: &MessageContext<'_>,
    blocks: &[&'a InitiatingBlock],
    rng: &mut ChaCha12Rng,
) -> Option<(&'a InitiatingBlock, Message)> {
    let blocks = prefer_remote(blocks, &context.site);
    let block = blocks.choose(rng).copied()?;
    Some((block, *block.messages.choose(rng)?))
}

fn with_other_payload(context: &MessageContext<'_>, rng: &mut ChaCha12Rng) -> Option<Message> {
    let mut message = valid_message(context, rng)?;
    message.payload_hash = random_word(rng);
    Some(message)
}

fn at_other_log(context: &MessageContext<'_>, rng: &mut ChaCha12Rng) -> Option<Message> {
    let mut blocks = context.pool.live(&context.site);
    blocks.retain(|block| swapped(block).is_some());
    cited(context, &blocks, rng).and_then(|(block, _)| swapped(block))
}

/// A message of the block under the index of another log: one by the same contract with another payload.
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

fn of_unknown_chain(context: &MessageContext<'_>, rng: &mut ChaCha12Rng) -> Option<Message> {
    let mut message = valid_message(context, rng)?;
    message.identifier.chain_id = ChainId::from(UNKNOWN_CHAIN);
    Some(message)
}

fn random_word(rng: &mut ChaCha12Rng) -> B256 {
    let mut word = B256::ZERO;
    rng.fill_bytes(word.as_mut_slice());
    word
}

#[cfg(test)]
mod tests;
