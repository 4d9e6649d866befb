//! [`decode_user_deposit`]: the deposit transaction that a `TransactionDeposited` log on L1 represents.
//!
//! Spec: protocol/deposits.md, "Deposit Contract" and "Deriving"; the checks are op-node's
//! (`op-node/rollup/derive/deposit_log.go`). The caller sees to it that the log is the deposit contract's.

use super::words::Words;
use alloy::primitives::{Address, B256, Bytes, LogData, TxKind, U256, b256};
use op_alloy::consensus::{TxDeposit, UserDepositSource};

/// `keccak256("TransactionDeposited(address,address,uint256,bytes)")`.
pub(super) const TRANSACTION_DEPOSITED: B256 =
    b256!("b3813568d9991fc951961fcb4c784893574240a28925604d09fc577c55bb7c32");

/// Why a log of the deposit contract represents no known transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UserDepositError {
    /// Not four topics: the event, sender, recipient, version.
    #[error("a deposit has 4 topics, this has {found}")]
    Topics {
        /// How many there are.
        found: usize,
    },
    /// Another event.
    #[error("{found} is not the topic of deposits")]
    Event {
        /// The first topic.
        found: B256,
    },
    /// A version other than 0.
    #[error("deposit version {found} is unknown")]
    Version {
        /// The version.
        found: B256,
    },
    /// Data that is not ABI-encoded bytes, or that version 0 does not have.
    #[error("{length} bytes of data are not the opaque data of a version 0 deposit")]
    Data {
        /// How many bytes there are.
        length: usize,
    },
    /// More than 128 bits of wei minted: more than there is.
    #[error("a deposit mints {mint} wei, which does not fit 128 bits")]
    Mint {
        /// The amount.
        mint: U256,
    },
}

/// Reads the log with this index among all logs of the L1 block.
///
/// # Errors
/// If it is not a deposit, or a malformed one. The contract emits none, and op-node stops at one.
pub fn decode_user_deposit(
    log: &LogData,
    l1_block_hash: B256,
    log_index: u64,
) -> Result<TxDeposit, UserDepositError> {
    let [event, from, to, version] = *log.topics() else {
        return Err(UserDepositError::Topics { found: log.topics().len() });
    };
    if event != TRANSACTION_DEPOSITED {
        return Err(UserDepositError::Event { found: event });
    }
    let malformed = UserDepositError::Data { length: log.data.len() };
    let opaque = opaque_data(&log.data).ok_or(malformed)?;
    if version != B256::ZERO {
        return Err(UserDepositError::Version { found: version });
    }
    let fields = version_0(opaque).ok_or(malformed)?;
    let mint = u128::try_from(fields.mint).map_err(|_| UserDepositError::Mint { mint: fields.mint })?;
    Ok(TxDeposit {
        source_hash: UserDepositSource::new(l1_block_hash, log_index).source_hash(),
        from: Address::from_word(from),
        to: if fields.is_creation { TxKind::Create } else { TxKind::Call(Address::from_word(to)) },
        mint,
        value: fields.value,
        gas_limit: fields.gas_limit,
        is_system_transaction: false,
        input: fields.input,
    })
}

/// The inside of ABI-encoded `bytes` whose padding is as short as can be. What the padding holds is not
/// looked at.
fn opaque_data(data: &[u8]) -> Option<&[u8]> {
    let mut words = Words::new(data);
    let offset = words.word_u64()?;
    let length = usize::try_from(words.word_u64()?).ok()?;
    let padded = words.rest();
    let is_framed = offset == 32 && data.len().is_multiple_of(32);
    let is_tight = length.checked_next_multiple_of(32) == Some(padded.len());
    padded.get(..length).filter(|_| is_framed && is_tight)
}

struct Version0 {
    mint: U256,
    value: U256,
    gas_limit: u64,
    is_creation: bool,
    input: Bytes,
}

fn version_0(opaque: &[u8]) -> Option<Version0> {
    let mut words = Words::new(opaque);
    Some(Version0 {
        mint: words.u256()?,
        value: words.u256()?,
        gas_limit: words.u64()?,
        is_creation: words.array::<1>()? != [0],
        input: Bytes::copy_from_slice(words.rest()),
    })
}

#[cfg(test)]
pub(crate) mod tests;
