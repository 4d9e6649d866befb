//! The layout of a payload, and [`MalformedPayload`]: how bytes can fail to follow it.
//!
//! Offsets: parentHash 0, feeRecipient 32, stateRoot 52, receiptsRoot 84, logsBloom 116, prevRandao 372,
//! number 404, gasLimit 412, gasUsed 420, timestamp 428, extraData→ 436, baseFee 440 (u256, little-endian),
//! blockHash 472, transactions→ 504, version 2 and later: withdrawals→ 508, 3 and later: blobGasUsed 512,
//! excessBlobGas 520, 4: withdrawalsRoot 528; then, from 508, 512, 528 or 560 by version, the variable parts
//! in the order of their offsets. From version 3 on the parent beacon block root, 32 bytes, travels in front
//! of all this.

use crate::PayloadVersion;
use alloy_eips::BlockNumHash;
use alloy_primitives::B256;

/// The size of the parent beacon block root.
const ROOT_BYTES: usize = 32;
const NUMBER_AT: usize = 404;
const BLOCK_HASH_AT: usize = 472;

/// The block that signed bytes claim to be: two fields at fixed offsets. Nothing else is read or checked.
/// `None`: the bytes end before.
pub(crate) fn claimed_block(version: PayloadVersion, signed: &[u8]) -> Option<BlockNumHash> {
    let payload = match version {
        PayloadVersion::V1 | PayloadVersion::V2 => signed,
        PayloadVersion::V3 | PayloadVersion::V4 => signed.get(ROOT_BYTES..)?,
    };
    let number = payload.get(NUMBER_AT..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))?;
    let hash = payload.get(BLOCK_HASH_AT..)?.first_chunk().map(|bytes| B256::new(*bytes))?;
    Some(BlockNumHash { number, hash })
}

/// The size of an offset.
pub(crate) const OFFSET_BYTES: usize = 4;
/// The most extra data that a header may hold.
pub(crate) const MAX_EXTRA_DATA_BYTES: usize = 32;
/// The most transactions in a payload, as the execution-layer types state it.
pub(crate) const MAX_TRANSACTIONS: usize = 1 << 20;
/// The size of a withdrawal: index, validator index, address, amount.
pub(crate) const WITHDRAWAL_BYTES: usize = 8 + 8 + 20 + 8;
/// The most withdrawals in a payload.
pub(crate) const MAX_WITHDRAWALS: usize = 16;

/// Why bytes are not a payload of their version, or a payload cannot be encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedPayload {
    /// The bytes end inside a fixed-size field.
    #[error("the payload has {size} bytes where at least {needed} are needed")]
    Truncated {
        /// How many bytes there are.
        size: usize,
        /// How many bytes are needed.
        needed: usize,
    },
    /// The first variable part does not begin where the fixed part ends.
    #[error("the extra data offset is {offset}, not {expected}")]
    ExtraDataOffset {
        /// The offset found.
        offset: usize,
        /// The only offset allowed: where the fixed part ends.
        expected: usize,
    },
    /// The variable parts overlap, swap places, or lie outside the payload.
    #[error(
        "offsets out of order: extra data {extra}, transactions {transactions}, withdrawals {withdrawals}, \
         end {end}"
    )]
    OffsetsOutOfOrder {
        /// Where extra data begins.
        extra: usize,
        /// Where the transactions begin.
        transactions: usize,
        /// Where the withdrawals begin.
        withdrawals: usize,
        /// Where the payload ends.
        end: usize,
    },
    /// The extra data is longer than a header may have.
    #[error("{size} bytes of extra data: at most {limit} are allowed")]
    ExtraDataTooLong {
        /// How many bytes.
        size: usize,
        /// The most allowed.
        limit: usize,
    },
    /// An entry of the transactions' offset table points outside the list, backwards, or into the table.
    #[error("transaction offset {index} is {offset}, which does not fit a list of {size} bytes")]
    TransactionOffset {
        /// The entry's index.
        index: usize,
        /// The entry's value, bytes from the beginning of the list.
        offset: usize,
        /// The list's size, bytes, its table included.
        size: usize,
    },
    /// There are more transactions than the type allows.
    #[error("{count} transactions: at most {limit} are allowed")]
    TooManyTransactions {
        /// How many.
        count: usize,
        /// The most allowed.
        limit: usize,
    },
    /// The withdrawals part is not a whole number of withdrawals.
    #[error("the withdrawals take {size} bytes, not a multiple of {each}")]
    WithdrawalsSize {
        /// The part's size, bytes.
        size: usize,
        /// The size of one withdrawal, bytes.
        each: usize,
    },
    /// There are more withdrawals than the type allows.
    #[error("{count} withdrawals: at most {limit} are allowed")]
    TooManyWithdrawals {
        /// How many.
        count: usize,
        /// The most allowed.
        limit: usize,
    },
    /// The payload is too large for 32-bit offsets. Only encoding fails with this.
    #[error("a payload of {size} bytes does not fit 32-bit offsets")]
    TooLarge {
        /// How many bytes.
        size: usize,
    },
}

impl MalformedPayload {
    /// A short, stable name: `payload-truncated`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => "payload-truncated",
            Self::ExtraDataOffset { .. } => "extra-data-offset",
            Self::OffsetsOutOfOrder { .. } => "offsets-out-of-order",
            Self::ExtraDataTooLong { .. } => "extra-data-too-long",
            Self::TransactionOffset { .. } => "transaction-offset",
            Self::TooManyTransactions { .. } => "too-many-transactions",
            Self::WithdrawalsSize { .. } => "withdrawals-size",
            Self::TooManyWithdrawals { .. } => "too-many-withdrawals",
            Self::TooLarge { .. } => "payload-too-large",
        }
    }
}
