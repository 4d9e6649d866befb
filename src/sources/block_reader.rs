//! [`read_block`]: an `eth_getBlockBy…` answer with full transactions, as a block whose parts hash to what it claims.
//!
//! Only what the hashes cover is read; what else a client writes is passed over, whatever its type. Two kinds of
//! transactions are read as op-alloy does not read them: metering (type 0x7D) by its `input`, which is all of it that is
//! hashed, and deposits whose fields are spelt otherwise than as quantities.

use super::{BlockError, ClaimedHeader, VerifiedBlock};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::Bytes;
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

/// Reads and checks an answer. `null`: there is no such block.
///
/// # Errors
/// If it cannot be read, or does not hold.
pub fn read_block(answer: &str) -> Result<Option<VerifiedBlock>, ReadBlockError> {
    let Some(ClaimedHeader { hash, inner }) = serde_json::from_str(answer)? else { return Ok(None) };
    let Listed { transactions } = serde_json::from_str(answer)?;
    if transactions.iter().any(|transaction| transaction.get().starts_with('"')) {
        return Err(BlockError::NoTransactions { hash }.into());
    }
    let encoded = transactions.into_iter().map(|transaction| encoded(transaction.get()));
    Ok(Some(VerifiedBlock::verify_parts(hash, inner, encoded.collect::<Result<_, _>>()?)?))
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
