//! A block's proven receipts from one endpoint: all at once, or one by one in batches where it does not serve
//! that.
//!
//! Callers check them against the receipts root, so a wrong list of transactions does no harm. Where one of a
//! type that this version does not know keeps them from proving anything, its encoding is asked for, and
//! checked against the root too.

use super::{Endpoint, SourceError};
use alloy::primitives::{B256, Bytes, U64};
use crosscheck_core::proof::{HashedReceipt, ProofError, fields};
use jsonrpsee::rpc_params;
use jsonrpsee::types::error::{INVALID_PARAMS_CODE, METHOD_NOT_FOUND_CODE};
use serde::Deserialize;
use serde_json::value::RawValue;
use tracing::debug;

/// The method that gives all of them.
pub(super) const ALL: &str = "eth_getBlockReceipts";

const ONE: &str = "eth_getTransactionReceipt";

/// The method that gives their encodings, of geth's and reth's debug namespace.
const RAW: &str = "debug_getRawReceipts";

/// How many receipts are asked for in one request.
const BATCH: usize = 100;

/// The height of the block that holds a transaction, as the endpoint says; callers check it against that
/// block. `None`: it knows no block that does.
///
/// # Errors
/// If the endpoint does not answer, or with what is not a receipt.
pub(super) async fn height(endpoint: &Endpoint, transaction: B256) -> Result<Option<u64>, SourceError> {
    let receipt: Option<Place> = endpoint.call(ONE, rpc_params![transaction]).await?;
    Ok(receipt.and_then(|receipt| receipt.number).map(|number| number.to()))
}

/// What a receipt says of where it is. No hash covers that.
#[derive(Deserialize)]
struct Place {
    #[serde(rename = "blockNumber")]
    number: Option<U64>,
}

/// What the receipts of a block prove: at least this many, one for each transaction as far as those are
/// known. Its transactions are asked for only if they are needed. `None`: the endpoint has no receipts of it.
///
/// # Errors
/// If the endpoint does not answer, or with what is not a receipt, or with too few, or with receipts that
/// prove nothing.
pub(super) async fn proven<P: Send>(
    endpoint: &Endpoint,
    block: B256,
    at_least: usize,
    transactions: impl Future<Output = Result<Option<Vec<B256>>, SourceError>> + Send,
    prove: impl Fn(&[HashedReceipt]) -> Result<P, ProofError> + Send,
) -> Result<Option<P>, SourceError> {
    let Some(mut receipts) = of_block(endpoint, block, transactions).await? else { return Ok(None) };
    let error = match prove(&receipts) {
        Ok(proven) => return Ok(Some(proven)),
        Err(error) => error,
    };
    if receipts.len() < at_least {
        let reason = format!("{} of the receipts of block {block}, which has more", receipts.len());
        return Err(endpoint.incomplete(ALL, &reason));
    }
    let unknown = receipts.iter().enumerate().find(|(_, receipt)| !receipt.is_known());
    let Some((index, tx_type)) = unknown.map(|(index, receipt)| (index, receipt.tx_type)) else {
        return Err(endpoint.untrustworthy(ALL, &error));
    };
    let unread = || {
        let reason = format!("receipt {index} is of type {tx_type:#x}, and its encoding is unavailable");
        endpoint.unread(ALL, &reason)
    };
    if !complete(endpoint, block, &mut receipts).await {
        return Err(unread());
    }
    prove(&receipts).map(Some).map_err(|error| endpoint.untrustworthy(RAW, &error))
}

/// Gives the receipts of unknown types their encodings. `false`: one of them is unavailable.
async fn complete(endpoint: &Endpoint, block: B256, receipts: &mut [HashedReceipt]) -> bool {
    let encodings = match endpoint.call::<Option<Vec<Bytes>>>(RAW, rpc_params![block]).await {
        Ok(encodings) => encodings.unwrap_or_default(),
        Err(error) => {
            debug!(%error, %block, "no encodings of unreadable receipts");
            return false;
        }
    };
    receipts.iter_mut().enumerate().filter(|(_, receipt)| !receipt.is_known()).all(|(index, receipt)| {
        let decoded = encodings.get(index).and_then(|encoding| receipt.decode(encoding));
        decoded.is_some_and(|decoded| {
            *receipt = decoded;
            true
        })
    })
}

/// The receipts of a block, in the order of its transactions.
async fn of_block(
    endpoint: &Endpoint,
    block: B256,
    transactions: impl Future<Output = Result<Option<Vec<B256>>, SourceError>> + Send,
) -> Result<Option<Vec<HashedReceipt>>, SourceError> {
    match endpoint.call_raw(ALL, rpc_params![block]).await {
        Ok(answer) => {
            let answer: Option<Vec<&RawValue>> =
                fields::read(answer.get()).map_err(|reason| endpoint.untrustworthy(ALL, &reason))?;
            answer.map(|receipts| read(endpoint, ALL, receipts.into_iter().map(RawValue::get))).transpose()
        }
        Err(error) if is_not_served(&error) => {
            debug!(%error, "receipts are fetched one by one");
            let Some(transactions) = transactions.await? else { return Ok(None) };
            one_by_one(endpoint, &transactions).await
        }
        Err(error) => Err(error),
    }
}

fn read<'a>(
    endpoint: &Endpoint,
    method: &'static str,
    receipts: impl Iterator<Item = &'a str>,
) -> Result<Vec<HashedReceipt>, SourceError> {
    let read = |(index, receipt)| {
        HashedReceipt::read(receipt)
            .map_err(|error| endpoint.untrustworthy(method, &format!("receipt {index}: {error}")))
    };
    receipts.enumerate().map(read).collect()
}

/// Whether the endpoint does not have the method, or does not take block hashes (Erigon).
const fn is_not_served(error: &SourceError) -> bool {
    matches!(error, SourceError::Refused { code: METHOD_NOT_FOUND_CODE | INVALID_PARAMS_CODE, .. })
}

async fn one_by_one(
    endpoint: &Endpoint,
    transactions: &[B256],
) -> Result<Option<Vec<HashedReceipt>>, SourceError> {
    let mut receipts = Vec::with_capacity(transactions.len());
    for hashes in transactions.chunks(BATCH) {
        let calls = hashes.iter().map(|hash| rpc_params![hash]);
        let Some(answers) = endpoint.batch::<Option<Box<RawValue>>>(ONE, calls).await?.into_iter().collect()
        else {
            return Ok(None);
        };
        receipts.extend::<Vec<Box<RawValue>>>(answers);
    }
    read(endpoint, ONE, receipts.iter().map(|receipt| receipt.get())).map(Some)
}
