//! Messages with one wrong field of their identifier: a fault for each rule. Their blocks are still attested.

use super::context::MessageContext;
use super::fault::ScriptedFault;
use super::messages::{one_of, valid_message};
use crate::findings::{ExpectedMessage, SidecarFinding};
use crate::messages::InitiatingBlock;
use crate::timing::{ACTIVATION_BLOCK, EXPIRY_BLOCKS};
use alloy::primitives::Address;
use crosscheck_core::message::Message;
use crosscheck_p2p::{ChainId, UnixSeconds};
use rand::{Rng, seq::IndexedRandom};
use rand_chacha::ChaCha12Rng;

/// No chain of a devnet reaches such heights.
const BEYOND_ANY_CHAIN: u64 = 1 << 40;

pub(super) static WRONG_ORIGIN: ScriptedFault = ScriptedFault {
    name: "wrong-origin",
    summary: "the block executes a message under another contract's address than the log's",
    expected: |_| SidecarFinding::invalid_message("wrong-origin"),
    expected_message: Some(ExpectedMessage::invalid("wrong-origin")),
    message: Some(wrong_origin),
    ..ScriptedFault::EXECUTING
};

pub(super) static WRONG_BLOCK_NUMBER: ScriptedFault = ScriptedFault {
    name: "wrong-block-number",
    summary: "the block executes a message under a block number that its chain had not reached by then",
    expected: |_| SidecarFinding::invalid_message("block-not-found"),
    expected_message: Some(ExpectedMessage::invalid("block-not-found")),
    message: Some(wrong_block_number),
    ..ScriptedFault::EXECUTING
};

pub(super) static WRONG_TIMESTAMP: ScriptedFault = ScriptedFault {
    name: "wrong-timestamp",
    summary: "the block executes a message under another timestamp than that of its initiating block",
    expected: |_| SidecarFinding::invalid_message("timestamp-mismatch"),
    expected_message: Some(ExpectedMessage::invalid("timestamp-mismatch")),
    message: Some(wrong_timestamp),
    ..ScriptedFault::EXECUTING
};

pub(super) static WRONG_CHAIN_ID: ScriptedFault = ScriptedFault {
    name: "wrong-chain-id",
    summary: "the block executes a message under the id of another chain of the dependency set",
    chains: 2,
    expected: |_| SidecarFinding::invalid_message("payload-mismatch"),
    expected_message: Some(ExpectedMessage::invalid("payload-mismatch")),
    message: Some(wrong_chain_id),
    ..ScriptedFault::EXECUTING
};

pub(super) static FUTURE_MESSAGE: ScriptedFault = ScriptedFault {
    name: "future-message",
    summary: "the block executes a message of a block that is yet to come",
    expected: |_| SidecarFinding::invalid_message("initiated-after-execution"),
    expected_message: Some(ExpectedMessage::invalid("initiated-after-execution")),
    message: Some(of_future_block),
    ..ScriptedFault::EXECUTING
};

pub(super) static ACTIVATION_BLOCK_MESSAGE: ScriptedFault = ScriptedFault {
    name: "activation-block",
    summary: "the block executes a message of the block with which interop was activated, which initiates none",
    // Later the message has expired, too.
    latest_block: ACTIVATION_BLOCK + EXPIRY_BLOCKS,
    expected: |_| SidecarFinding::invalid_message("not-active"),
    expected_message: Some(ExpectedMessage::invalid("not-active")),
    message: Some(of_activation_block),
    ..ScriptedFault::EXECUTING
};

fn wrong_origin(context: &MessageContext<'_>, rng: &mut ChaCha12Rng) -> Option<Message> {
    let mut message = valid_message(context, rng)?;
    let mut origin = Address::ZERO;
    rng.fill(origin.as_mut_slice());
    message.identifier.origin = origin;
    Some(message)
}

fn wrong_block_number(context: &MessageContext<'_>, rng: &mut ChaCha12Rng) -> Option<Message> {
    let mut message = valid_message(context, rng)?;
    message.identifier.block_number = BEYOND_ANY_CHAIN.saturating_add(rng.random_range(0..1_000));
    Some(message)
}

fn wrong_timestamp(context: &MessageContext<'_>, rng: &mut ChaCha12Rng) -> Option<Message> {
    let mut message = valid_message(context, rng)?;
    // A second later is still no later than the execution.
    message.identifier.timestamp = UnixSeconds(message.identifier.timestamp.0.saturating_add(1));
    Some(message)
}

/// Where the other chain has a log of the same contract with another payload: only the payload is wrong then.
fn wrong_chain_id(context: &MessageContext<'_>, rng: &mut ChaCha12Rng) -> Option<Message> {
    let blocks = context.pool.live(&context.site);
    let pairs = blocks.iter().flat_map(|block| {
        let others =
            blocks.iter().filter(|other| other.number == block.number && other.chain_id != block.chain_id);
        others.flat_map(|other| moved(block, other))
    });
    pairs.collect::<Vec<_>>().choose(rng).copied()
}

/// The messages of a block under the id of another chain, as far as its block of that height has other logs
/// there.
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

fn of_future_block(context: &MessageContext<'_>, rng: &mut ChaCha12Rng) -> Option<Message> {
    let mut message = valid_message(context, rng)?;
    let ahead = rng.random_range(1..=3_u64);
    let id = &mut message.identifier;
    let block_time = context.site.expiry_window.checked_div(EXPIRY_BLOCKS)?;
    id.block_number = context.site.number.saturating_add(ahead);
    id.timestamp = UnixSeconds(context.site.timestamp.0.saturating_add(ahead.saturating_mul(block_time)));
    Some(message)
}

fn of_activation_block(context: &MessageContext<'_>, rng: &mut ChaCha12Rng) -> Option<Message> {
    one_of(context, &context.pool.at_activation(), rng)
}
