//! `eth_getLogs`: the logs of a bounded range of canonical blocks, or of one block.

use super::{chain_store::ChainStore, invalid_params, rpc_receipt::rpc_logs, server_error};
use crate::devnet::block::L2Block;
use alloy::{
    eips::BlockNumberOrTag,
    rpc::types::{Filter, FilterBlockOption, Log},
};
use jsonrpsee::types::ErrorObjectOwned;
use std::sync::Arc;

/// The most blocks that one call may cover.
const MAX_BLOCKS: u64 = 10_000;
/// The most logs that one call answers.
const MAX_LOGS: usize = 20_000;

/// The logs that a filter asks for, in order.
pub(super) fn logs(store: &ChainStore, filter: &Filter) -> Result<Vec<Log>, ErrorObjectOwned> {
    let blocks = blocks(store, filter)?.into_iter();
    let relevant = blocks.filter(|block| filter.matches_bloom(block.header.logs_bloom));
    let logs = relevant.flat_map(|block| rpc_logs(block)).filter(|log| {
        filter.matches_address(log.inner.address) && filter.matches_topics(log.inner.data.topics())
    });
    let logs: Vec<_> = logs.take(MAX_LOGS.saturating_add(1)).collect();
    if logs.len() > MAX_LOGS {
        return Err(server_error(format!("query returned more than {MAX_LOGS} logs: narrow the range")));
    }
    Ok(logs)
}

fn blocks<'a>(store: &'a ChainStore, filter: &Filter) -> Result<Vec<&'a Arc<L2Block>>, ErrorObjectOwned> {
    let (from, to) = match filter.block_option {
        FilterBlockOption::AtBlockHash(hash) => {
            return store.by_hash(hash).map(|block| vec![block]).ok_or_else(|| server_error("unknown block"));
        }
        FilterBlockOption::Range { from_block, to_block } => (from_block, to_block),
    };
    let height = |tag: Option<BlockNumberOrTag>| store.height_of(tag.unwrap_or_default());
    let (from, to) = (height(from), height(to).min(store.heads().unsafe_head));
    if to.saturating_sub(from) >= MAX_BLOCKS {
        return Err(invalid_params(&format!("the range covers more than {MAX_BLOCKS} blocks")));
    }
    Ok((from..=to).filter_map(|number| store.canonical(number)).collect())
}
