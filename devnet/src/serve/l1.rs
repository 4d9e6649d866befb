//! The L1's execution client: blocks with finality, their receipts and logs, and the storage of each chain's
//! `SystemConfig` contract.

use super::l1_block::{l1_block, l1_receipt, l1_receipts};
use super::{Arguments, ServeError, filter, server_error};
use crate::l1::{L1, L1Block};
use crate::simulation::L1_CHAIN_ID;
use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::{Address, B256, U64, U256},
    rpc::types::Filter,
};
use jsonrpsee::{RpcModule, types::ErrorObjectOwned};
use parking_lot::RwLock;
use std::sync::Arc;

type Store = Arc<RwLock<L1>>;

/// The methods of the L1 client.
///
/// # Errors
/// Never in practice: method names are unique.
pub fn l1_module(store: Store) -> Result<RpcModule<Store>, ServeError> {
    let mut module = RpcModule::new(store);
    module.register_method("eth_chainId", |_, _, _| Ok::<_, ErrorObjectOwned>(U64::from(L1_CHAIN_ID)))?;
    module.register_method("eth_blockNumber", |_, l1, _| {
        Ok::<_, ErrorObjectOwned>(U64::from(l1.read().head().number()))
    })?;
    module.register_method("eth_getBlockByNumber", |params, l1, _| {
        let mut arguments = Arguments::of(&params);
        let tag: BlockNumberOrTag = arguments.next("block")?;
        let full = arguments.optional("full transactions")?.unwrap_or(false);
        Ok::<_, ErrorObjectOwned>(by_id(&l1.read(), tag.into()).map(|block| l1_block(block, full)))
    })?;
    module.register_method("eth_getBlockByHash", |params, l1, _| {
        let mut arguments = Arguments::of(&params);
        let hash: B256 = arguments.next("block hash")?;
        let full = arguments.optional("full transactions")?.unwrap_or(false);
        Ok::<_, ErrorObjectOwned>(l1.read().block_by_hash(hash).map(|block| l1_block(block, full)))
    })?;
    module.register_method("eth_getBlockReceipts", |params, l1, _| {
        let id: BlockId = Arguments::of(&params).next("block")?;
        Ok::<_, ErrorObjectOwned>(by_id(&l1.read(), id).map(|block| l1_receipts(block)))
    })?;
    module.register_method("eth_getTransactionReceipt", |params, l1, _| {
        let hash: B256 = Arguments::of(&params).next("transaction hash")?;
        let l1 = l1.read();
        let found = l1.transaction(hash).and_then(|(block, place)| l1_receipt(block, place));
        Ok::<_, ErrorObjectOwned>(found)
    })?;
    module.register_method("eth_getLogs", |params, l1, _| {
        let filter: Filter = Arguments::of(&params).next("filter")?;
        filter::logs(&*l1.read(), &filter)
    })?;
    module.register_method("eth_getStorageAt", |params, l1, _| {
        let mut arguments = Arguments::of(&params);
        let (address, slot): (Address, U256) = (arguments.next("address")?, arguments.next("slot")?);
        let id: BlockId = arguments.optional("block")?.unwrap_or_default();
        storage_at(&l1.read(), address, slot, id)
    })?;
    Ok(module)
}

/// The block of an id (EIP-1898: `requireCanonical` leaves orphans out).
fn by_id(l1: &L1, id: BlockId) -> Option<&Arc<L1Block>> {
    match id {
        BlockId::Number(tag) => l1.block_by_number(l1.height_of(tag)),
        BlockId::Hash(id) => {
            let block = l1.block_by_hash(id.block_hash)?;
            (id.require_canonical != Some(true) || l1.is_canonical(block.id())).then_some(block)
        }
    }
}

fn storage_at(l1: &L1, address: Address, slot: U256, id: BlockId) -> Result<B256, ErrorObjectOwned> {
    let word = by_id(l1, id).map(|block| block.state().storage(address, slot.into()));
    word.ok_or_else(|| server_error("header not found"))
}
