//! `eth_getLogs`: the logs of a bounded range of canonical blocks, or of one block, on L2 and on L1.

use super::chain_store::ChainStore;
use super::l1_block::l1_logs;
use super::rpc_receipt::rpc_logs;
use super::{invalid_params, server_error};
use crate::chain::L2Block;
use crate::l1::{L1, L1Block};
use alloy::{
    eips::BlockNumberOrTag,
    primitives::{B256, Bloom},
    rpc::types::{Filter, FilterBlockOption, Log},
};
use jsonrpsee::types::ErrorObjectOwned;
use std::sync::Arc;

/// The most blocks that one call may cover.
const MAX_BLOCKS: u64 = 10_000;
/// The most logs that one call answers.
const MAX_LOGS: usize = 20_000;

/// A chain whose logs can be asked for.
pub(super) trait Logged {
    /// A block of it.
    type Block;

    /// The height of a tag.
    fn height_of(&self, tag: BlockNumberOrTag) -> u64;
    /// The newest height.
    fn head(&self) -> u64;
    /// The canonical block at a height.
    fn at(&self, number: u64) -> Option<&Self::Block>;
    /// The block of a hash, orphans too.
    fn of_hash(&self, hash: B256) -> Option<&Self::Block>;
    /// The bloom over a block's logs.
    fn bloom(block: &Self::Block) -> Bloom;
    /// A block's logs.
    fn logs(block: &Self::Block) -> impl Iterator<Item = Log>;
}

/// The logs that a filter asks for, in order.
pub(super) fn logs<C: Logged>(chain: &C, filter: &Filter) -> Result<Vec<Log>, ErrorObjectOwned> {
    let blocks = blocks(chain, filter)?.into_iter();
    let relevant = blocks.filter(|block| filter.matches_bloom(C::bloom(block)));
    let logs = relevant.flat_map(|block| C::logs(block)).filter(|log| {
        filter.matches_address(log.inner.address) && filter.matches_topics(log.inner.data.topics())
    });
    let logs: Vec<_> = logs.take(MAX_LOGS.saturating_add(1)).collect();
    if logs.len() > MAX_LOGS {
        return Err(server_error(format!("query returned more than {MAX_LOGS} logs: narrow the range")));
    }
    Ok(logs)
}

fn blocks<'a, C: Logged>(chain: &'a C, filter: &Filter) -> Result<Vec<&'a C::Block>, ErrorObjectOwned> {
    let (from, to) = match filter.block_option {
        FilterBlockOption::AtBlockHash(hash) => {
            return chain.of_hash(hash).map(|block| vec![block]).ok_or_else(|| server_error("unknown block"));
        }
        FilterBlockOption::Range { from_block, to_block } => (from_block, to_block),
    };
    let height = |tag: Option<BlockNumberOrTag>| chain.height_of(tag.unwrap_or_default());
    let (from, to) = (height(from), height(to).min(chain.head()));
    if to.saturating_sub(from) >= MAX_BLOCKS {
        return Err(invalid_params(&format!("the range covers more than {MAX_BLOCKS} blocks")));
    }
    Ok((from..=to).filter_map(|number| chain.at(number)).collect())
}

impl Logged for ChainStore {
    type Block = Arc<L2Block>;

    fn height_of(&self, tag: BlockNumberOrTag) -> u64 {
        Self::height_of(self, tag)
    }

    fn head(&self) -> u64 {
        self.heads().unsafe_head
    }

    fn at(&self, number: u64) -> Option<&Arc<L2Block>> {
        self.canonical(number)
    }

    fn of_hash(&self, hash: B256) -> Option<&Arc<L2Block>> {
        self.by_hash(hash)
    }

    fn bloom(block: &Arc<L2Block>) -> Bloom {
        block.header.logs_bloom
    }

    fn logs(block: &Arc<L2Block>) -> impl Iterator<Item = Log> {
        rpc_logs(block)
    }
}

impl Logged for L1 {
    type Block = Arc<L1Block>;

    fn height_of(&self, tag: BlockNumberOrTag) -> u64 {
        Self::height_of(self, tag)
    }

    fn head(&self) -> u64 {
        Self::head(self).number()
    }

    fn at(&self, number: u64) -> Option<&Arc<L1Block>> {
        self.block_by_number(number)
    }

    fn of_hash(&self, hash: B256) -> Option<&Arc<L1Block>> {
        self.block_by_hash(hash)
    }

    fn bloom(block: &Arc<L1Block>) -> Bloom {
        block.header.logs_bloom
    }

    fn logs(block: &Arc<L1Block>) -> impl Iterator<Item = Log> {
        l1_logs(block)
    }
}
