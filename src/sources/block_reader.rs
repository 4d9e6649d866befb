//! [`read_block`]: an `eth_getBlockBy…` answer with full transactions, as a block whose parts hash to what it claims.
//!
//! Only what the hashes cover is read; what else a client writes is passed over, whatever its type. Two kinds of
//! transactions are read as op-alloy does not read them: metering (type 0x7D) by its `input`, which is all of it that is
//! hashed, and deposits whose fields are spelt otherwise than as quantities. One of any other type is named, and may be had
//! in its encoding from elsewhere.

use super::{BlockError, ClaimedHeader, VerifiedBlock};
use alloy::consensus::Header;
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{B256, Bytes};
use op_alloy::consensus::{OpTxEnvelope, POST_EXEC_TX_TYPE_ID};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// Why an answer is no block.
#[derive(Debug, thiserror::Error)]
pub enum ReadBlockError {
    /// It cannot be read.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// One of its transactions cannot be read.
    #[error(transparent)]
    Transaction(#[from] UnreadTransaction),
    /// Its parts do not hash to what it claims.
    #[error(transparent)]
    Block(#[from] BlockError),
}

/// A metering transaction, as far as it is hashed.
#[derive(Deserialize)]
struct MeteringTransaction {
    input: Bytes,
}

/// The transactions of a block, each to be read by itself.
#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow)]
    transactions: Vec<&'a RawValue>,
}

/// A transaction that cannot be read from its JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("transaction {index} is of type {tx_type} and cannot be read: {problem}")]
pub struct UnreadTransaction {
    /// Its place in the block.
    pub index: usize,
    /// Its type, as the client writes it.
    pub tx_type: String,
    /// Its hash, as the client writes it.
    pub hash: Option<B256>,
    problem: String,
}

/// A block as it was read, before anything is checked.
#[derive(Debug)]
pub(super) struct ReadParts {
    hash: B256,
    header: Header,
    transactions: Vec<Result<Bytes, UnreadTransaction>>,
}

impl ReadParts {
    /// The transactions that could not be read.
    pub(super) fn unread(&self) -> impl Iterator<Item = &UnreadTransaction> {
        self.transactions.iter().filter_map(|transaction| transaction.as_ref().err())
    }

    /// Takes a transaction's encoding from elsewhere. Whether it is the right one, its hash tells.
    pub(super) fn complete(&mut self, index: usize, encoded: Bytes) {
        if let Some(transaction) = self.transactions.get_mut(index) {
            *transaction = Ok(encoded);
        }
    }

    /// Checks the parts against the block's hash.
    ///
    /// # Errors
    /// If a transaction is missing, or they do not hold.
    pub(super) fn verify(self) -> Result<VerifiedBlock, ReadBlockError> {
        let transactions = self.transactions.into_iter().collect::<Result<_, _>>()?;
        Ok(VerifiedBlock::verify_parts(self.hash, self.header, transactions)?)
    }
}

/// Reads and checks an answer. `null`: there is no such block.
///
/// # Errors
/// If it cannot be read, or does not hold.
pub fn read_block(answer: &str) -> Result<Option<VerifiedBlock>, ReadBlockError> {
    read_parts(answer)?.map(ReadParts::verify).transpose()
}

/// Reads an answer, as far as it can be read. `null`: there is no such block.
///
/// # Errors
/// If it is no block with full transactions.
pub(super) fn read_parts(answer: &str) -> Result<Option<ReadParts>, ReadBlockError> {
    let Some(ClaimedHeader { hash, inner: header }) = serde_json::from_str(answer)? else {
        return Ok(None);
    };
    let Listed { transactions } = serde_json::from_str(answer)?;
    if transactions.iter().any(|transaction| transaction.get().starts_with('"')) {
        return Err(BlockError::NoTransactions { hash }.into());
    }
    let read = |(index, transaction): (usize, &RawValue)| {
        encoded(transaction.get()).map_err(|error| UnreadTransaction::of(index, transaction.get(), &error))
    };
    let transactions = transactions.into_iter().enumerate().map(read).collect();
    Ok(Some(ReadParts { hash, header, transactions }))
}

/// What is told of a transaction that cannot be read.
#[derive(Deserialize)]
struct Named {
    #[serde(rename = "type")]
    tx_type: Option<String>,
    hash: Option<B256>,
}

impl UnreadTransaction {
    fn of(index: usize, transaction: &str, error: &serde_json::Error) -> Self {
        let named = serde_json::from_str::<Named>(transaction).ok();
        let (tx_type, hash) = named.map_or((None, None), |named| (named.tx_type, named.hash));
        // What a client writes is not repeated at any length.
        let tx_type = tx_type.map_or_else(|| "unknown".to_owned(), |name| name.chars().take(16).collect());
        Self { index, tx_type, hash, problem: error.to_string() }
    }
}

/// A transaction in its EIP-2718 encoding.
fn encoded(transaction: &str) -> Result<Bytes, serde_json::Error> {
    let error = match serde_json::from_str::<OpTxEnvelope>(transaction) {
        Ok(read) => return Ok(read.encoded_2718().into()),
        Err(error) => error,
    };
    let mut transaction: Value = serde_json::from_str(transaction)?;
    let tx_type = transaction.get("type").and_then(Value::as_str).map(str::to_ascii_lowercase);
    match tx_type.as_deref() {
        Some("0x7d") => {
            let MeteringTransaction { input } = MeteringTransaction::deserialize(transaction)?;
            Ok([&[POST_EXEC_TX_TYPE_ID], input.as_ref()].concat().into())
        }
        Some("0x7e") => {
            spell_as_quantities(&mut transaction);
            Ok(OpTxEnvelope::deserialize(transaction)?.encoded_2718().into())
        }
        _ => Err(error),
    }
}

/// Nethermind writes a deposit's system flag as a boolean, and clients write null for what is not there.
fn spell_as_quantities(deposit: &mut Value) {
    let Some(fields) = deposit.as_object_mut() else { return };
    for name in ["isSystemTx", "mint"] {
        match fields.get(name) {
            Some(Value::Null) => drop(fields.remove(name)),
            Some(Value::Bool(flag)) if name == "isSystemTx" => {
                let quantity = if *flag { "0x1" } else { "0x0" };
                fields.insert(name.to_owned(), Value::from(quantity));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
