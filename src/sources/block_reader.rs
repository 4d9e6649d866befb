//! [`read_block`]: an `eth_getBlockBy…` answer with full transactions, as a block whose parts hash to what it claims.
//!
//! Metering transactions (type 0x7D) are taken by their `input`, which is all of them that is hashed: op-alloy writes
//! and op-geth reads them so, but op-alloy does not read what it writes.

use super::{BlockError, VerifiedBlock};
use alloy::primitives::Bytes;
use alloy::rpc::types::{Block, Header};
use op_alloy::consensus::POST_EXEC_TX_TYPE_ID;
use op_alloy::rpc_types::Transaction;
use serde::Deserialize;
use serde_json::Value;

/// Why an answer is no block.
#[derive(Debug, thiserror::Error)]
pub enum ReadBlockError {
    /// It cannot be read.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Its parts do not hash to what it claims.
    #[error(transparent)]
    Block(#[from] BlockError),
}

/// A metering transaction, as far as it is hashed.
#[derive(Deserialize)]
struct MeteringTransaction {
    input: Bytes,
}

/// Reads and checks an answer. `null`: there is no such block.
///
/// # Errors
/// If it cannot be read, or does not hold.
pub fn read_block(answer: &str) -> Result<Option<VerifiedBlock>, ReadBlockError> {
    match serde_json::from_str::<Option<Block<Transaction, Header>>>(answer) {
        Ok(None) => Ok(None),
        Ok(Some(block)) => Ok(Some(VerifiedBlock::verify(block)?)),
        Err(error) => {
            let (block, metering) = without_metering(answer)?.ok_or(error)?;
            Ok(Some(VerifiedBlock::verify_with(block, &metering)?))
        }
    }
}

/// The block without its metering transactions, and these encoded, each with its place. `None`: it has none.
type Parted = (Block<Transaction, Header>, Vec<(usize, Bytes)>);

fn without_metering(answer: &str) -> Result<Option<Parted>, serde_json::Error> {
    let mut block: Value = serde_json::from_str(answer)?;
    let Some(transactions) = block.get_mut("transactions").and_then(Value::as_array_mut) else {
        return Ok(None);
    };
    let (mut others, mut metering) = (Vec::new(), Vec::new());
    for (index, transaction) in transactions.drain(..).enumerate() {
        if is_metering(&transaction) {
            let MeteringTransaction { input } = MeteringTransaction::deserialize(transaction)?;
            metering.push((index, [&[POST_EXEC_TX_TYPE_ID], input.as_ref()].concat().into()));
        } else {
            others.push(transaction);
        }
    }
    *transactions = others;
    if metering.is_empty() {
        return Ok(None);
    }
    Ok(Some((Block::deserialize(block)?, metering)))
}

fn is_metering(transaction: &Value) -> bool {
    let tx_type = transaction.get("type").and_then(Value::as_str);
    tx_type.is_some_and(|tx_type| tx_type.eq_ignore_ascii_case("0x7d"))
}

#[cfg(test)]
mod tests;
