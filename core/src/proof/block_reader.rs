//! [`read_block`]: an `eth_getBlockBy…` answer with full transactions, as a block whose parts hash to what it
//! claims.
//!
//! Only what the hashes cover is read; what else a client writes is ignored, regardless of its type. A
//! transaction that cannot be read is named, and its encoding may be had from elsewhere.

use super::fields::{FieldError, Fields};
use super::{BlockError, ClaimedHeader, VerifiedBlock, hashed_transaction};
use alloy::consensus::Header;
use alloy::primitives::{B256, Bytes, U64};
use op_alloy::consensus::OpTxType;
use serde_json::value::RawValue;

/// Why an answer is not a block.
#[derive(Debug, thiserror::Error)]
pub enum ReadBlockError {
    /// It cannot be read.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// One of its transactions cannot be read.
    #[error(transparent)]
    Transaction(#[from] UnreadTransaction),
    /// Its parts do not hash to what it claims.
    #[error(transparent)]
    Block(#[from] BlockError),
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
pub struct ReadParts {
    hash: B256,
    header: Header,
    transactions: Vec<Result<Bytes, UnreadTransaction>>,
}

impl ReadParts {
    /// The transactions that could not be read.
    pub fn unread(&self) -> impl Iterator<Item = &UnreadTransaction> {
        self.transactions.iter().filter_map(|transaction| transaction.as_ref().err())
    }

    /// Takes a transaction's encoding from elsewhere. Its hash shows whether it is the right one.
    pub fn complete(&mut self, index: usize, encoded: Bytes) {
        if let Some(transaction) = self.transactions.get_mut(index) {
            *transaction = Ok(encoded);
        }
    }

    /// Checks the parts against the block's hash.
    ///
    /// # Errors
    /// If a transaction is missing, or they are invalid.
    pub fn verify(self) -> Result<VerifiedBlock, ReadBlockError> {
        let transactions = self.transactions.into_iter().collect::<Result<_, _>>()?;
        Ok(VerifiedBlock::verify_parts(self.hash, self.header, transactions)?)
    }
}

/// Reads and checks an answer. `null`: there is no such block.
///
/// # Errors
/// If it cannot be read, or is invalid.
pub fn read_block(answer: &str) -> Result<Option<VerifiedBlock>, ReadBlockError> {
    read_parts(answer)?.map(ReadParts::verify).transpose()
}

/// Reads an answer, as far as it can be read. `null`: there is no such block.
///
/// # Errors
/// If it is not a block with full transactions.
pub fn read_parts(answer: &str) -> Result<Option<ReadParts>, ReadBlockError> {
    if answer == "null" {
        return Ok(None);
    }
    let fields = Fields::of(answer)?;
    let ClaimedHeader { hash, inner: header } = ClaimedHeader::of(&fields)?;
    let listed = fields.list("transactions")?;
    if listed.iter().any(|transaction| transaction.get().starts_with('"')) {
        return Err(BlockError::NoTransactions { hash }.into());
    }
    let read = |(index, transaction): (usize, &RawValue)| {
        hashed_transaction::encoded(transaction.get())
            .map_err(|error| UnreadTransaction::of(index, transaction.get(), &error))
    };
    let transactions = listed.into_iter().enumerate().map(read).collect();
    Ok(Some(ReadParts { hash, header, transactions }))
}

impl UnreadTransaction {
    fn of(index: usize, transaction: &str, error: &FieldError) -> Self {
        let fields = Fields::of(transaction).ok();
        let tx_type = fields.as_ref().and_then(|fields| fields.raw("type"));
        // What a client writes is not repeated at any length.
        let tx_type = tx_type.unwrap_or("unknown").trim_matches('"').chars().take(16).collect();
        let hash = fields.and_then(|fields| fields.optional("hash").ok()?);
        Self { index, tx_type, hash, problem: error.to_string() }
    }

    /// Whether this version knows the type, or none is written.
    pub fn is_known(&self) -> bool {
        let tx_type = self.tx_type.parse::<U64>().map(|tx_type| u8::try_from(tx_type.to::<u64>()));
        tx_type.map_or(true, |tx_type| tx_type.is_ok_and(|tx_type| OpTxType::try_from(tx_type).is_ok()))
    }
}

#[cfg(test)]
mod tests;
