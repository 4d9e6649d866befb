//! [`ExecutionClient`]: one chain's blocks and logs, from the first of its endpoints that answers.
//!
//! Holds no opinion on safety: which blocks are local-safe is the rollup node's word.

use super::{Endpoint, EndpointLimits, EndpointUrl, ProvenLogs, SourceError, VerifiedBlock};
use alloy::primitives::{B256, U64};
use alloy::rpc::types::{Block, Header};
use crosscheck_p2p::ChainId;
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::rpc_params;
use lru::LruCache;
use op_alloy::rpc_types::{OpTransactionReceipt, Transaction};
use parking_lot::Mutex;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// How many blocks' logs are kept: the messages of a block mostly cite a few recent ones.
const CACHED_BLOCKS: NonZeroUsize = match NonZeroUsize::new(1024) {
    Some(blocks) => blocks,
    None => NonZeroUsize::MIN,
};

/// The execution endpoints of one chain.
#[derive(Clone, Debug)]
pub struct ExecutionClient {
    chain_id: ChainId,
    endpoints: Vec<Endpoint>,
    /// By block hash: what is proven stays true.
    proven: Arc<Mutex<LruCache<B256, Arc<ProvenLogs>>>>,
}

impl ExecutionClient {
    /// A client of these endpoints, asked in order.
    ///
    /// # Errors
    /// If no HTTP client can be made for one of them.
    pub fn new(chain_id: ChainId, urls: &[EndpointUrl], limits: EndpointLimits) -> Result<Self, SourceError> {
        let endpoints =
            urls.iter().map(|url| Endpoint::new(url.clone(), limits)).collect::<Result<_, _>>()?;
        Ok(Self { chain_id, endpoints, proven: Arc::new(Mutex::new(LruCache::new(CACHED_BLOCKS))) })
    }

    /// The chain.
    pub const fn chain_id(&self) -> ChainId {
        self.chain_id
    }

    /// Checks that each endpoint serves this chain.
    ///
    /// # Errors
    /// The first endpoint that cannot be reached or serves another chain.
    pub async fn check_chain(&self) -> Result<(), SourceError> {
        for endpoint in &self.endpoints {
            let served: alloy::primitives::U256 = endpoint.call("eth_chainId", rpc_params![]).await?;
            if ChainId::from(served) != self.chain_id {
                let reason = format!("it serves chain {served}, not chain {}", self.chain_id);
                return Err(endpoint.untrustworthy("eth_chainId", &reason));
            }
        }
        Ok(())
    }

    /// The canonical block at a height. `None`: the client has none.
    ///
    /// # Errors
    /// If no endpoint gives an answer that holds.
    pub async fn block_by_number(&self, number: u64) -> Result<Option<VerifiedBlock>, SourceError> {
        let params = rpc_params![U64::from(number), true];
        self.block("eth_getBlockByNumber", params, |block| block.number() == number).await
    }

    /// The hash of the canonical block at a height, which its header hashes to. `None`: the client has none.
    ///
    /// # Errors
    /// If no endpoint gives an answer that holds.
    pub async fn canonical_hash(&self, number: u64) -> Result<Option<B256>, SourceError> {
        const METHOD: &str = "eth_getBlockByNumber";
        let mut outcome = Ok(None);
        for endpoint in &self.endpoints {
            match endpoint.call::<Option<Header>>(METHOD, rpc_params![U64::from(number), false]).await {
                Ok(Some(header)) if header.inner.number != number => {
                    let reason = format!("block {number} was asked for, {} came", header.inner.number);
                    outcome = Err(endpoint.untrustworthy(METHOD, &reason));
                }
                Ok(Some(header)) if header.inner.hash_slow() == header.hash => {
                    return Ok(Some(header.hash));
                }
                Ok(Some(header)) => {
                    let reason = format!("the header of block {number} does not hash to {}", header.hash);
                    outcome = Err(endpoint.untrustworthy(METHOD, &reason));
                }
                Ok(None) => {}
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }

    /// A block by its hash, canonical or not. `None`: the client has none.
    ///
    /// # Errors
    /// If no endpoint gives an answer that holds.
    pub async fn block_by_hash(&self, hash: B256) -> Result<Option<VerifiedBlock>, SourceError> {
        self.block("eth_getBlockByHash", rpc_params![hash, true], |block| block.hash() == hash).await
    }

    /// The proven logs of a block. `None`: the client has no receipts of it.
    ///
    /// # Errors
    /// If no endpoint gives receipts that hold.
    pub async fn logs(&self, block: &VerifiedBlock) -> Result<Option<Arc<ProvenLogs>>, SourceError> {
        let hash = block.hash();
        if let Some(known) = self.proven.lock().get(&hash) {
            return Ok(Some(Arc::clone(known)));
        }
        let mut outcome = Ok(None);
        for endpoint in &self.endpoints {
            match self.logs_from(endpoint, block).await {
                Ok(Some(proven)) => {
                    let proven = Arc::new(proven);
                    self.proven.lock().put(hash, Arc::clone(&proven));
                    return Ok(Some(proven));
                }
                Ok(None) => {}
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }

    async fn logs_from(
        &self,
        endpoint: &Endpoint,
        block: &VerifiedBlock,
    ) -> Result<Option<ProvenLogs>, SourceError> {
        const METHOD: &str = "eth_getBlockReceipts";
        let answer: Option<Vec<OpTransactionReceipt>> =
            endpoint.call(METHOD, rpc_params![block.hash()]).await?;
        answer
            .map(|receipts| ProvenLogs::prove(self.chain_id, block, receipts))
            .transpose()
            .map_err(|error| endpoint.untrustworthy(METHOD, &error))
    }

    /// The first block that holds and is wanted; a missing one counts only if no endpoint has it.
    async fn block(
        &self,
        method: &'static str,
        params: ArrayParams,
        is_wanted: impl Fn(&VerifiedBlock) -> bool + Send,
    ) -> Result<Option<VerifiedBlock>, SourceError> {
        let mut outcome = Ok(None);
        for endpoint in &self.endpoints {
            match block_from(endpoint, method, params.clone()).await {
                Ok(Some(block)) if is_wanted(&block) => return Ok(Some(block)),
                Ok(Some(block)) => {
                    let reason =
                        format!("another block was asked for than {} ({})", block.number(), block.hash());
                    outcome = Err(endpoint.untrustworthy(method, &reason));
                }
                Ok(None) => {}
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }
}

async fn block_from(
    endpoint: &Endpoint,
    method: &'static str,
    params: ArrayParams,
) -> Result<Option<VerifiedBlock>, SourceError> {
    let answer: Option<Block<Transaction, Header>> = endpoint.call(method, params).await?;
    answer.map(VerifiedBlock::verify).transpose().map_err(|error| endpoint.untrustworthy(method, &error))
}
