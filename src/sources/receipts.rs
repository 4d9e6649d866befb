//! A block's receipts from one endpoint: all at once, or one by one in batches where it does not serve that.
//!
//! Proves nothing: whoever asks holds them against the receipts root, so a wrong list of transactions harms nobody.

use super::{Endpoint, SourceError};
use alloy::primitives::B256;
use jsonrpsee::rpc_params;
use jsonrpsee::types::error::{INVALID_PARAMS_CODE, METHOD_NOT_FOUND_CODE};
use serde::de::DeserializeOwned;
use tracing::debug;

/// The method that gives all of them.
pub(super) const ALL: &str = "eth_getBlockReceipts";

const ONE: &str = "eth_getTransactionReceipt";

/// How many receipts are asked for in one request.
const BATCH: usize = 100;

/// The receipts of a block, in the order of its transactions, which are asked for only if they are needed. `None`: the endpoint
/// has none of it.
///
/// # Errors
/// If the endpoint does not answer, or with what is no receipt.
pub(super) async fn of_block<T: DeserializeOwned + Send>(
    endpoint: &Endpoint,
    block: B256,
    transactions: impl Future<Output = Result<Option<Vec<B256>>, SourceError>> + Send,
) -> Result<Option<Vec<T>>, SourceError> {
    match endpoint.call(ALL, rpc_params![block]).await {
        Err(error) if is_not_served(&error) => {
            debug!(%error, "receipts are asked for one by one");
            let Some(transactions) = transactions.await? else { return Ok(None) };
            one_by_one(endpoint, &transactions).await
        }
        answer => answer,
    }
}

/// Whether the endpoint does not have the method, or does not take block hashes (Erigon).
const fn is_not_served(error: &SourceError) -> bool {
    matches!(error, SourceError::Refused { code: METHOD_NOT_FOUND_CODE | INVALID_PARAMS_CODE, .. })
}

async fn one_by_one<T: DeserializeOwned + Send>(
    endpoint: &Endpoint,
    transactions: &[B256],
) -> Result<Option<Vec<T>>, SourceError> {
    let mut receipts = Vec::with_capacity(transactions.len());
    for hashes in transactions.chunks(BATCH) {
        let answers = endpoint.batch::<Option<T>>(ONE, hashes.iter().map(|hash| rpc_params![hash])).await?;
        for receipt in answers {
            let Some(receipt) = receipt else { return Ok(None) };
            receipts.push(receipt);
        }
    }
    Ok(Some(receipts))
}
