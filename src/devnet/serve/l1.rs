//! The L1's execution client: headers with finality, and the storage of each chain's `SystemConfig`.

use super::{Arguments, ServeError, server_error};
use crate::devnet::{
    l1::{L1, L1Block},
    superchain::L1_CHAIN_ID,
};
use alloy::{
    consensus::{BlockBody, Sealed, TxEnvelope},
    eips::{BlockId, BlockNumberOrTag, eip4895::Withdrawals},
    primitives::{Address, B256, U64, U256},
    rlp::Encodable,
    rpc::types::{Block, BlockTransactions, Header, Transaction},
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
        let tag: BlockNumberOrTag = Arguments::of(&params).next("block")?;
        Ok::<_, ErrorObjectOwned>(by_tag(&l1.read(), tag).map(|block| rpc_l1_block(block)))
    })?;
    module.register_method("eth_getBlockByHash", |params, l1, _| {
        let hash: B256 = Arguments::of(&params).next("block hash")?;
        Ok::<_, ErrorObjectOwned>(l1.read().block_by_hash(hash).map(|block| rpc_l1_block(block)))
    })?;
    module.register_method("eth_getStorageAt", |params, l1, _| {
        let mut arguments = Arguments::of(&params);
        let (address, slot): (Address, U256) = (arguments.next("address")?, arguments.next("slot")?);
        let id: BlockId = arguments.optional("block")?.unwrap_or_default();
        storage_at(&l1.read(), address, slot, id)
    })?;
    Ok(module)
}

fn by_tag(l1: &L1, tag: BlockNumberOrTag) -> Option<&Arc<L1Block>> {
    match tag {
        BlockNumberOrTag::Latest | BlockNumberOrTag::Pending => Some(l1.head()),
        BlockNumberOrTag::Safe => Some(l1.safe()),
        BlockNumberOrTag::Finalized => Some(l1.finalized()),
        BlockNumberOrTag::Earliest => l1.block_by_number(0),
        BlockNumberOrTag::Number(number) => l1.block_by_number(number),
    }
}

fn storage_at(l1: &L1, address: Address, slot: U256, id: BlockId) -> Result<B256, ErrorObjectOwned> {
    let block = match id {
        BlockId::Number(tag) => by_tag(l1, tag),
        BlockId::Hash(id) => l1.block_by_hash(id.block_hash),
    };
    let word = block.and_then(|block| l1.storage(address, slot.into(), block.number()));
    word.ok_or_else(|| server_error("header not found"))
}

/// An L1 block as `eth_getBlockBy*` answers it. The devnet's L1 blocks hold no transactions.
fn rpc_l1_block(block: &L1Block) -> Block<Transaction> {
    let body = BlockBody::<TxEnvelope> { withdrawals: Some(Withdrawals::default()), ..BlockBody::default() };
    let size = alloy::consensus::Block { header: block.header.clone(), body }.length();
    let sealed = Sealed::new_unchecked(block.header.clone(), block.hash);
    Block {
        header: Header::from_consensus(sealed, Some(U256::ZERO), Some(U256::from(size))),
        uncles: Vec::new(),
        transactions: BlockTransactions::Hashes(Vec::new()),
        withdrawals: Some(Withdrawals::default()),
    }
}
