//! [`rows`]: the calls that both inboxes are checked against.

use super::row::Declared::{Elsewhere, Keys, Message, Nothing};
use super::row::Expected::{Executed, Returned, Reverted};
use super::row::{Declared, Expected, PAYLOAD_HASH, Row};
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::{SolCall, SolError};
use crosscheck_devnet::contracts::bindings::ICrossL2Inbox::{
    BlockNumberTooHigh, Identifier, LogIndexTooHigh, NotInAccessList, TimestampTooHigh,
    calculateChecksumCall, validateMessageCall,
};

/// Every call: once, with ether, and several times in one transaction.
pub(super) fn rows() -> Vec<Row> {
    let paid = [
        row("ether with a message", validate(identifier()), Message(identifier()), nothing()),
        row("ether with a checksum", checksum(identifier()), Nothing, nothing()),
        row("ether alone", vec![], Nothing, nothing()),
    ]
    .map(|row| Row { value: 1, ..row });
    let relayed = [
        row(
            "declared once, executed thrice",
            validate(identifier()),
            Message(identifier()),
            Executed(identifier()),
        ),
        // An attempt makes the slot warm, and its revert makes it cold again.
        row("undeclared, and tried thrice", validate(identifier()), Nothing, reverted::<NotInAccessList>()),
    ]
    .map(|row| Row { relayed: 3, ..row });
    calls().into_iter().chain(paid).chain(relayed).collect()
}

fn row(name: &'static str, input: Vec<u8>, declared: Declared, expected: Expected) -> Row {
    Row { name, input: input.into(), declared, expected, value: 0, relayed: 0 }
}

/// What the compiler makes a contract do with calldata that it was not made for.
fn nothing() -> Expected {
    Reverted(Bytes::new())
}

fn identifier() -> Identifier {
    Identifier {
        origin: Address::repeat_byte(0xee),
        blockNumber: U256::from(7),
        logIndex: U256::from(3),
        timestamp: U256::from(1_700_000_000),
        chainId: U256::from(901),
    }
}

fn wide_chain_id() -> Identifier {
    Identifier { chainId: (U256::from(7) << 248) + U256::from(10), ..identifier() }
}

fn zeros() -> Identifier {
    Identifier {
        origin: Address::ZERO,
        blockNumber: U256::ZERO,
        logIndex: U256::ZERO,
        timestamp: U256::ZERO,
        chainId: U256::ZERO,
    }
}

fn greatest() -> Identifier {
    Identifier {
        origin: Address::repeat_byte(0xff),
        blockNumber: U256::from(u64::MAX),
        logIndex: U256::from(u32::MAX),
        timestamp: U256::from(u64::MAX),
        chainId: U256::MAX,
    }
}

fn high_block_number() -> Identifier {
    Identifier { blockNumber: U256::from(u64::MAX) + U256::ONE, ..identifier() }
}

fn high_log_index() -> Identifier {
    Identifier { logIndex: U256::from(u32::MAX) + U256::ONE, ..identifier() }
}

fn high_timestamp() -> Identifier {
    Identifier { timestamp: U256::from(u64::MAX) + U256::ONE, ..identifier() }
}

fn all_too_high() -> Identifier {
    Identifier { blockNumber: U256::MAX, logIndex: U256::MAX, timestamp: U256::MAX, ..identifier() }
}

fn validate(id: Identifier) -> Vec<u8> {
    validateMessageCall { id, msgHash: PAYLOAD_HASH }.abi_encode()
}

fn checksum(id: Identifier) -> Vec<u8> {
    calculateChecksumCall { id, msgHash: PAYLOAD_HASH }.abi_encode()
}

/// The call with a bit set above the origin's 160.
fn with_wide_origin(mut input: Vec<u8>) -> Vec<u8> {
    input[4 + 11] = 1;
    input
}

fn without_last_byte(mut input: Vec<u8>) -> Vec<u8> {
    input.pop();
    input
}

fn with_one_more_byte(mut input: Vec<u8>) -> Vec<u8> {
    input.push(1);
    input
}

/// A lookup entry and a chain-id extension, but no checksum.
fn hints() -> Vec<B256> {
    [1, 2].map(|kind| B256::from(U256::from(kind) << 248)).to_vec()
}

/// Reverts with an error that has no arguments.
fn reverted<E: SolError>() -> Expected {
    Reverted(Bytes::from(E::SELECTOR))
}

/// Every way to call an inbox once, without ether.
fn calls() -> Vec<Row> {
    vec![
        row("a declared message", validate(identifier()), Message(identifier()), Executed(identifier())),
        row(
            "a wide chain id",
            validate(wide_chain_id()),
            Message(wide_chain_id()),
            Executed(wide_chain_id()),
        ),
        row("nothing but zeros", validate(zeros()), Message(zeros()), Executed(zeros())),
        row("the greatest of all", validate(greatest()), Message(greatest()), Executed(greatest())),
        row("nothing declared", validate(identifier()), Nothing, reverted::<NotInAccessList>()),
        row(
            "another message declared",
            validate(identifier()),
            Message(wide_chain_id()),
            reverted::<NotInAccessList>(),
        ),
        row("hints, no checksum", validate(identifier()), Keys(hints()), reverted::<NotInAccessList>()),
        row(
            "declared on another contract",
            validate(identifier()),
            Elsewhere(identifier()),
            reverted::<NotInAccessList>(),
        ),
        row("block number", validate(high_block_number()), Nothing, reverted::<BlockNumberTooHigh>()),
        row("log index", validate(high_log_index()), Nothing, reverted::<LogIndexTooHigh>()),
        row("timestamp", validate(high_timestamp()), Nothing, reverted::<TimestampTooHigh>()),
        row("all too high", validate(all_too_high()), Nothing, reverted::<BlockNumberTooHigh>()),
        row("wide origin", with_wide_origin(validate(identifier())), Message(identifier()), nothing()),
        row(
            "arguments cut short",
            without_last_byte(validate(identifier())),
            Message(identifier()),
            nothing(),
        ),
        row("no arguments", validateMessageCall::SELECTOR.to_vec(), Message(identifier()), nothing()),
        row(
            "a byte too many",
            with_one_more_byte(validate(identifier())),
            Message(identifier()),
            Executed(identifier()),
        ),
        row("checksum", checksum(identifier()), Nothing, Returned(identifier())),
        row("checksum of a wide chain id", checksum(wide_chain_id()), Nothing, Returned(wide_chain_id())),
        row("checksum of zeros", checksum(zeros()), Nothing, Returned(zeros())),
        row("checksum of the greatest", checksum(greatest()), Nothing, Returned(greatest())),
        row(
            "checksum: block number",
            checksum(high_block_number()),
            Nothing,
            reverted::<BlockNumberTooHigh>(),
        ),
        row("checksum: log index", checksum(high_log_index()), Nothing, reverted::<LogIndexTooHigh>()),
        row("checksum: timestamp", checksum(high_timestamp()), Nothing, reverted::<TimestampTooHigh>()),
        row("checksum: wide origin", with_wide_origin(checksum(identifier())), Nothing, nothing()),
        row("checksum: cut short", without_last_byte(checksum(identifier())), Nothing, nothing()),
        row(
            "checksum: a byte too many",
            with_one_more_byte(checksum(identifier())),
            Nothing,
            Returned(identifier()),
        ),
        row("no calldata", vec![], Nothing, nothing()),
        row("half a selector", vec![0xab, 0x4d], Nothing, nothing()),
        row("an unknown selector", vec![0xde, 0xad, 0xbe, 0xef], Nothing, nothing()),
        // `implementation()`: the proxy answers it to its admin only.
        row("a selector of the proxy", vec![0x5c, 0x60, 0xda, 0x1b], Nothing, nothing()),
    ]
}
