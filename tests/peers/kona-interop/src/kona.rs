//! kona-interop's side: its `MessageGraph` over a provider that answers from memory.

use crate::superchain::{PlainBlock, Superchain};
use alloy_consensus::{Header, Receipt, Sealable, Sealed};
use alloy_primitives::map::HashMap;
use alloy_primitives::{B256, Log};
use async_trait::async_trait;
use kona_genesis::RollupConfig;
use kona_interop::{InteropProvider, MessageGraph, MessageGraphError};
use op_alloy_consensus::OpReceiptEnvelope;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// What the provider was asked for and does not have.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("there is no such block")]
pub struct NoSuchBlock;

/// Every block there is, by place and by hash.
#[derive(Debug, Default)]
pub struct KonaSide {
    headers: HashMap<(u64, u64), Sealed<Header>>,
    receipts: HashMap<(u64, u64), Vec<OpReceiptEnvelope>>,
    places: HashMap<B256, (u64, u64)>,
    configs: HashMap<u64, RollupConfig>,
}

impl KonaSide {
    /// A side that knows the chains, but no blocks.
    pub fn new(superchain: &Superchain) -> Self {
        let mut config = RollupConfig { block_time: 1, ..RollupConfig::default() };
        config.hardforks.interop_time = Some(0);
        let configs = superchain.chain_ids().map(|chain_id| (chain_id, config.clone())).collect();
        Self { configs, ..Self::default() }
    }

    /// Takes a block into memory.
    pub fn add(&mut self, block: &PlainBlock) {
        let place = (block.chain_id, block.number);
        let header = Header { number: block.number, timestamp: block.timestamp, ..Header::default() };
        // The header of the two sides differ; what is measured does not depend on it.
        let header =
            Header { extra_data: block.chain_id.to_be_bytes().to_vec().into(), ..header }.seal_slow();
        let receipts = block.logs.iter().map(|log| {
            let log = Log::new_unchecked(log.address, log.topics.clone(), log.data.clone());
            let receipt = Receipt { status: true.into(), cumulative_gas_used: 0, logs: vec![log] };
            OpReceiptEnvelope::Eip1559(receipt.with_bloom())
        });
        self.receipts.insert(place, receipts.collect());
        self.places.insert(header.hash(), place);
        self.headers.insert(place, header);
    }

    /// Resolves all blocks at a height: how long that takes, and which chains it calls invalid.
    pub async fn resolve(&self, number: u64) -> (Duration, BTreeSet<u64>) {
        let here = self.headers.iter().filter(|((_, at), _)| *at == number);
        let blocks: HashMap<u64, Sealed<Header>> =
            here.map(|((chain_id, _), header)| (*chain_id, header.clone())).collect();
        let began = Instant::now();
        let graph = MessageGraph::derive(&blocks, self, &self.configs).await.expect("blocks that are there");
        let resolved = graph.resolve().await;
        let took = began.elapsed();
        let invalid = match resolved {
            Ok(()) => BTreeSet::new(),
            Err(MessageGraphError::InvalidMessages(chains)) => chains.into_keys().collect(),
            Err(error) => panic!("the graph could not be resolved: {error}"),
        };
        (took, invalid)
    }
}

#[async_trait]
impl InteropProvider for KonaSide {
    type Error = NoSuchBlock;

    async fn header_by_number(&self, chain_id: u64, number: u64) -> Result<Header, NoSuchBlock> {
        self.headers.get(&(chain_id, number)).map(|header| header.inner().clone()).ok_or(NoSuchBlock)
    }

    async fn receipts_by_number(
        &self,
        chain_id: u64,
        number: u64,
    ) -> Result<Vec<OpReceiptEnvelope>, NoSuchBlock> {
        self.receipts.get(&(chain_id, number)).cloned().ok_or(NoSuchBlock)
    }

    async fn receipts_by_hash(&self, _: u64, hash: B256) -> Result<Vec<OpReceiptEnvelope>, NoSuchBlock> {
        let place = self.places.get(&hash).ok_or(NoSuchBlock)?;
        self.receipts.get(place).cloned().ok_or(NoSuchBlock)
    }
}
