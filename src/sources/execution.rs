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
    pub fn new(
        chain_id: ChainId, urls: &[EndpointUrl], limits: EndpointLimits,
    ) -> Result<Self, SourceError> {
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
        let params = || rpc_params![U64::from(number), true];
        self.block("eth_getBlockByNumber", params, |block| block.number() == number).await
    }

    /// A block by its hash, canonical or not. `None`: the client has none.
    ///
    /// # Errors
    /// If no endpoint gives an answer that holds.
    pub async fn block_by_hash(&self, hash: B256) -> Result<Option<VerifiedBlock>, SourceError> {
        self.block("eth_getBlockByHash", || rpc_params![hash, true], |block| block.hash() == hash).await
    }

    /// The proven logs of a block. `None`: the client has no receipts of it.
    ///
    /// # Errors
    /// If no endpoint gives receipts that hold.
    pub async fn logs(&self, block: &VerifiedBlock) -> Result<Option<Arc<ProvenLogs>>, SourceError> {
        const METHOD: &str = "eth_getBlockReceipts";
        let hash = block.hash();
        if let Some(known) = self.proven.lock().get(&hash) {
            return Ok(Some(Arc::clone(known)));
        }
        let proven = self
            .first_answer(async |endpoint| {
                let answer: Option<Vec<OpTransactionReceipt>> =
                    endpoint.call(METHOD, rpc_params![hash]).await?;
                answer
                    .map(|receipts| ProvenLogs::prove(self.chain_id, block, receipts))
                    .transpose()
                    .map_err(|error| endpoint.untrustworthy(METHOD, &error))
            })
            .await?
            .map(Arc::new);
        if let Some(proven) = &proven {
            self.proven.lock().put(hash, Arc::clone(proven));
        }
        Ok(proven)
    }

    async fn block(
        &self, method: &'static str, params: impl Fn() -> ArrayParams,
        is_wanted: impl Fn(&VerifiedBlock) -> bool,
    ) -> Result<Option<VerifiedBlock>, SourceError> {
        self.first_answer(async |endpoint| {
            let Some(answer) =
                endpoint.call::<Option<Block<Transaction, Header>>>(method, params()).await?
            else {
                return Ok(None);
            };
            let block =
                VerifiedBlock::verify(answer).map_err(|error| endpoint.untrustworthy(method, &error))?;
            if is_wanted(&block) {
                return Ok(Some(block));
            }
            let reason = format!("another block was asked for than {} ({})", block.number(), block.hash());
            Err(endpoint.untrustworthy(method, &reason))
        })
        .await
    }

    /// The first answer that holds; a missing thing counts only if no endpoint has it.
    async fn first_answer<T>(
        &self, ask: impl AsyncFn(&Endpoint) -> Result<Option<T>, SourceError>,
    ) -> Result<Option<T>, SourceError> {
        let mut failure = None;
        for endpoint in &self.endpoints {
            match ask(endpoint).await {
                Ok(Some(answer)) => return Ok(Some(answer)),
                Ok(None) => {}
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(None), Err)
    }
}
