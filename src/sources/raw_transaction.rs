//! [`complete`]: the encodings of transactions whose JSON cannot be read, from gossip or from the endpoint
//! that gave the block.
//!
//! A chain may have transactions that this build does not know. Their bytes are all that a block's root
//! covers. Nothing is trusted: the block's transactions root shows whether they are the right ones. Bounded:
//! a block with more of them than [`MOST`] is not asked for.

use super::{Endpoint, GossipedTransactions};
use alloy::primitives::{B256, Bytes};
use crosscheck_core::proof::ReadParts;
use futures::{StreamExt, stream};
use jsonrpsee::rpc_params;
use tracing::debug;

/// The methods that give a transaction's encoding, by client: all of them, geth's and reth's debug namespace.
const METHODS: [&str; 2] = ["eth_getRawTransactionByHash", "debug_getRawTransaction"];

/// The most transactions of one block that are asked for.
const MOST: usize = 512;

/// How many are asked for at once.
const AT_ONCE: usize = 8;

/// Fills in what could not be read, as far as it was gossiped or the endpoint has it.
pub(super) async fn complete(endpoint: &Endpoint, gossiped: &GossipedTransactions, block: &mut ReadParts) {
    let mut wanted: Vec<(usize, B256)> =
        block.unread().filter_map(|unread| Some((unread.index, unread.hash?))).collect();
    wanted.retain(|(index, hash)| match gossiped.get(*hash) {
        Some(encoding) => {
            block.complete(*index, encoding);
            false
        }
        None => true,
    });
    if wanted.is_empty() || wanted.len() > MOST {
        return;
    }
    let asked = stream::iter(wanted);
    let asked = asked.map(|(index, hash)| async move { (index, encoding(endpoint, hash).await) });
    let found: Vec<_> = asked.buffer_unordered(AT_ONCE).collect().await;
    for (index, encoding) in found {
        if let Some(encoding) = encoding {
            block.complete(index, encoding);
        }
    }
}

async fn encoding(endpoint: &Endpoint, hash: B256) -> Option<Bytes> {
    for method in METHODS {
        match endpoint.call::<Option<Bytes>>(method, rpc_params![hash]).await {
            Ok(Some(encoding)) if !encoding.is_empty() => return Some(encoding),
            Ok(_) => debug!(%hash, method, "transaction not found"),
            Err(error) => debug!(%error, %hash, "no encoding of an unreadable transaction"),
        }
    }
    None
}
