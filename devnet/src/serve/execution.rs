//! The execution client of one chain: the part of `eth_*` that readers of a chain need.
//!
//! While its chain has an outage it answers every method with an error, and nothing else.

use super::chain_store::ChainStore;
use super::rpc_block::{rpc_block, rpc_transaction};
use super::rpc_receipt::{rpc_receipt, rpc_receipts};
use super::{Arguments, ServeError, filter, server_error};
use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{B256, U64},
    rpc::types::Filter,
};
use jsonrpsee::{
    RpcModule,
    types::{ErrorObjectOwned, Params},
};
use parking_lot::RwLock;
use serde_json::Value;
use std::sync::Arc;

/// What `web3_clientVersion` answers.
const CLIENT_VERSION: &str = concat!("crosscheck-devnet/", env!("CARGO_PKG_VERSION"));

/// The store that the client answers from.
type Store = Arc<RwLock<ChainStore>>;

/// The methods of the execution client.
///
/// # Errors
/// Never in practice: method names are unique.
pub fn execution_module(store: Store) -> Result<RpcModule<Store>, ServeError> {
    let mut module = RpcModule::new(store);
    register(&mut module, "eth_chainId", |store, _| json(&U64::from(store.chain_id())))?;
    register(&mut module, "net_version", |store, _| json(&store.chain_id().to_string()))?;
    register(&mut module, "web3_clientVersion", |_, _| json(&CLIENT_VERSION))?;
    register(&mut module, "eth_blockNumber", |store, _| {
        json(&U64::from(store.labelled_heads().unsafe_head))
    })?;
    register(&mut module, "eth_getBlockByNumber", |store, params| {
        let mut arguments = Arguments::of(params);
        let tag: BlockNumberOrTag = arguments.next("block")?;
        let full = arguments.optional("full transactions")?.unwrap_or(false);
        json(&store.block(tag.into()).map(|block| rpc_block(block, full)))
    })?;
    register(&mut module, "eth_getBlockByHash", |store, params| {
        let mut arguments = Arguments::of(params);
        let hash: B256 = arguments.next("block hash")?;
        let full = arguments.optional("full transactions")?.unwrap_or(false);
        json(&store.by_hash(hash).map(|block| rpc_block(block, full)))
    })?;
    register(&mut module, "eth_getBlockReceipts", |store, params| {
        let id: BlockId = Arguments::of(params).next("block")?;
        json(&store.block(id).map(|block| rpc_receipts(block)))
    })?;
    register(&mut module, "eth_getTransactionReceipt", |store, params| {
        let hash: B256 = Arguments::of(params).next("transaction hash")?;
        json(&store.transaction(hash).and_then(|(block, index)| rpc_receipt(block, index)))
    })?;
    register(&mut module, "eth_getTransactionByHash", |store, params| {
        let hash: B256 = Arguments::of(params).next("transaction hash")?;
        json(&store.transaction(hash).and_then(|(block, index)| rpc_transaction(block, index)))
    })?;
    register(&mut module, "eth_getLogs", |store, params| {
        let filter: Filter = Arguments::of(params).next("filter")?;
        json(&filter::logs(store, &filter)?)
    })?;
    Ok(module)
}

/// Registers a method that answers from the store, unless the client is out.
fn register<F>(module: &mut RpcModule<Store>, name: &'static str, answer: F) -> Result<(), ServeError>
where
    F: Fn(&ChainStore, &Params<'_>) -> Result<Value, ErrorObjectOwned> + Send + Sync + 'static,
{
    module.register_method(name, move |params, store, _| {
        let store = store.read();
        if store.is_out() {
            return Err(server_error("scripted outage: this client answers no requests for now"));
        }
        answer(&store, &params)
    })?;
    Ok(())
}

fn json<T: serde::Serialize>(value: &T) -> Result<Value, ErrorObjectOwned> {
    serde_json::to_value(value).map_err(|error| server_error(format!("no JSON for this answer: {error}")))
}
