//! [`ExecutionClient`]: one chain's blocks and logs, from its execution endpoints.
//!
//! What proves itself (a block by its hash, receipts by their root) is taken from whichever endpoint gives
//! it. What does not (which block is canonical) needs a quorum. It does not decide on safety.

use super::block_cache::BlockCache;
use super::endpoint_pool::EndpointPool;
use super::poll::Vote;
use super::{
    Endpoint, EndpointHealth, EndpointLimits, EndpointPace, EndpointUrl, GossipedTransactions, Quorum,
    SourceError, raw_transaction, receipts,
};
use alloy::primitives::{B256, U64, keccak256};
use crosscheck_core::heads::L2BlockRef;
use crosscheck_core::proof::{
    BlockError, ClaimedHeader, LogIndex, ProvenLogs, ReadBlockError, VerifiedBlock, read_parts,
};
use crosscheck_p2p::{ChainId, UnixSeconds};
use futures::StreamExt;
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::rpc_params;
use std::sync::Arc;
use tokio::sync::watch;

const BY_NUMBER: &str = "eth_getBlockByNumber";
const BY_HASH: &str = "eth_getBlockByHash";
const CHAIN_ID: &str = "eth_chainId";

/// The execution endpoints of one chain. Clones share what is known of them.
#[derive(Clone, Debug)]
pub struct ExecutionClient {
    pool: EndpointPool,
    index: LogIndex,
    blocks: BlockCache,
    gossiped: GossipedTransactions,
}

impl ExecutionClient {
    /// A client of these endpoints, `quorum` of which must agree on what is canonical. Proven logs are kept
    /// in `index`, which clients of other chains may share.
    ///
    /// # Errors
    /// If the quorum cannot be, or no HTTP client can be made for an endpoint.
    pub fn new(
        chain_id: ChainId,
        urls: &[EndpointUrl],
        quorum: usize,
        limits: EndpointLimits,
        index: LogIndex,
    ) -> Result<Self, SourceError> {
        let quorum = Quorum::new(quorum, urls.len())
            .map_err(|error| SourceError::Quorum { chain_id, reason: error.to_string() })?;
        let endpoints =
            urls.iter().map(|url| Endpoint::new(url.clone(), limits)).collect::<Result<_, _>>()?;
        let (blocks, gossiped) = (BlockCache::default(), GossipedTransactions::default());
        Ok(Self { pool: EndpointPool::new(chain_id, endpoints, quorum), index, blocks, gossiped })
    }

    /// The same client, which keeps blocks there. Clients of other chains may share it.
    #[must_use]
    pub(crate) fn with_blocks(self, blocks: BlockCache) -> Self {
        Self { blocks, ..self }
    }

    /// The same client, which takes what it cannot read of a block from what was gossiped.
    #[must_use]
    pub fn with_gossiped(self, gossiped: GossipedTransactions) -> Self {
        Self { gossiped, ..self }
    }

    /// The chain.
    pub const fn chain_id(&self) -> ChainId {
        self.pool.chain_id()
    }

    /// Where proven logs are kept.
    pub const fn index(&self) -> &LogIndex {
        &self.index
    }

    /// The state of each endpoint, in the order in which they were given. Wakes when one stands
    /// differently; counts are current whenever it is checked.
    pub fn health(&self) -> watch::Receiver<Vec<EndpointHealth>> {
        self.pool.health()
    }

    /// How long each endpoint takes, in the order in which they were given.
    pub(crate) fn paces(&self) -> impl Iterator<Item = &EndpointPace> {
        self.pool.paces()
    }

    pub(super) const fn pool(&self) -> &EndpointPool {
        &self.pool
    }

    /// Checks that the endpoints serve this chain. One that does not answer, or serves another chain, does no
    /// harm if there is a quorum without it, and none of such as it: it is named, and outvoted.
    ///
    /// # Errors
    /// An endpoint that serves another chain, or else the last failure, if there are too few without those;
    /// or too many of them.
    pub async fn check_chain(&self) -> Result<(), SourceError> {
        let mut answers = self.pool.ask(|endpoint| async move {
            let served = endpoint.chain_id().await?;
            Ok((endpoint, served))
        });
        let (mut served, mut elsewhere, mut wrong, mut failure) = (0_usize, 0_usize, None, None);
        while let Some((place, answer)) = answers.next().await {
            match answer {
                Ok((_, chain_id)) if chain_id == self.chain_id() => served = served.saturating_add(1),
                Ok((endpoint, other)) => {
                    let reason = format!("it serves chain {other}, not chain {}", self.chain_id());
                    let error = endpoint.untrustworthy(CHAIN_ID, &reason);
                    self.pool.on_answer(place, Some(&error));
                    elsewhere = elsewhere.saturating_add(1);
                    wrong = Some(error);
                }
                Err(error) => failure = Some(error),
            }
        }
        let needed = self.pool.quorum().needed();
        match wrong.or(failure) {
            Some(error) if served < needed || elsewhere >= needed => Err(error),
            Some(_) | None => Ok(()),
        }
    }

    /// The canonical block at a height, for who reads each block once. `None`: enough endpoints have none.
    ///
    /// # Errors
    /// If the endpoints do not agree, or none gives a valid answer.
    pub async fn block_by_number(&self, number: u64) -> Result<Option<VerifiedBlock>, SourceError> {
        if self.pool.quorum().endpoints() == 1 {
            return self.any_block_by_number(number).await;
        }
        self.known_block_by_number(number).await
    }

    /// Like [`ExecutionClient::block_by_number`], for blocks that may have been read before: only the header
    /// is asked for where the block is still in memory.
    ///
    /// # Errors
    /// If the endpoints do not agree, or none gives a valid answer.
    pub async fn known_block_by_number(&self, number: u64) -> Result<Option<VerifiedBlock>, SourceError> {
        let Some(canonical) = self.canonical_block(number).await? else { return Ok(None) };
        let block = self.block_by_hash(canonical.hash()).await?;
        // They agreed on it a moment ago: this is not a statement about the height.
        let (chain_id, hash) = (self.chain_id(), canonical.hash());
        block.map(Some).ok_or(SourceError::Vanished { chain_id, number, hash })
    }

    /// A block that one endpoint has at a height, for who knows its hash from elsewhere. Which block is
    /// canonical it does not tell. `None`: the endpoints have none.
    ///
    /// # Errors
    /// If no endpoint gives a valid answer.
    pub(crate) async fn any_block_by_number(
        &self,
        number: u64,
    ) -> Result<Option<VerifiedBlock>, SourceError> {
        let params = rpc_params![U64::from(number), true];
        self.block(BY_NUMBER, params, |block| block.number() == number).await
    }

    /// The hash of the canonical block at a height, which its header hashes to. `None`: enough endpoints have
    /// none.
    ///
    /// # Errors
    /// If the endpoints do not agree, or too few give a valid answer.
    pub async fn canonical_hash(&self, number: u64) -> Result<Option<B256>, SourceError> {
        Ok(self.canonical_block(number).await?.map(|block| block.hash()))
    }

    /// Like [`ExecutionClient::canonical_hash`], with the block's timestamp.
    ///
    /// # Errors
    /// If the endpoints do not agree, or too few give a valid answer.
    pub async fn canonical_block(&self, number: u64) -> Result<Option<L2BlockRef>, SourceError> {
        self.pool.agree(number, self.pool.ask(|endpoint| header_at(endpoint, number))).await
    }

    /// Whether an endpoint has this block, canonical or not.
    ///
    /// # Errors
    /// If no endpoint gives a valid answer.
    pub(crate) async fn has_block(&self, hash: B256) -> Result<bool, SourceError> {
        let found = self.pool.first(|endpoint| header_of(endpoint, hash)).await?;
        Ok(found.is_some())
    }

    /// A block by its hash, canonical or not, from memory if it was read before. `None`: the endpoints have
    /// none.
    ///
    /// # Errors
    /// If no endpoint gives a valid answer.
    pub async fn block_by_hash(&self, hash: B256) -> Result<Option<VerifiedBlock>, SourceError> {
        if let Some(known) = self.blocks.get(self.chain_id(), hash) {
            return Ok(Some(known));
        }
        self.block(BY_HASH, rpc_params![hash, true], |block| block.hash() == hash).await
    }

    /// The height of the block with a transaction, as an endpoint says: nothing proves it. `None`: no
    /// endpoint knows one.
    ///
    /// # Errors
    /// If no endpoint gives an answer.
    pub async fn height_of_transaction(&self, hash: B256) -> Result<Option<u64>, SourceError> {
        self.pool.first(|endpoint| receipts::height(endpoint, hash)).await
    }

    /// The proven logs of a block. `None`: the endpoints have no receipts of it.
    ///
    /// # Errors
    /// If no endpoint gives valid receipts.
    pub async fn logs(&self, block: &VerifiedBlock) -> Result<Option<Arc<ProvenLogs>>, SourceError> {
        if let Some(known) = self.index.get(self.chain_id(), block.hash()) {
            return Ok(Some(known));
        }
        let proven = self.pool.first(|endpoint| self.logs_from(endpoint, block)).await?.map(Arc::new);
        if let Some(proven) = &proven {
            self.index.insert(Arc::clone(proven));
        }
        Ok(proven)
    }

    async fn logs_from(
        &self,
        endpoint: &Endpoint,
        block: &VerifiedBlock,
    ) -> Result<Option<ProvenLogs>, SourceError> {
        let count = block.transactions().len();
        let transactions = async { Ok(Some(block.transactions().iter().map(keccak256).collect())) };
        let prove = |receipts: &[_]| ProvenLogs::prove_hashed(self.chain_id(), block, receipts);
        receipts::proven(endpoint, block.hash(), count, transactions, prove).await
    }

    /// The first valid block that is wanted; a missing one counts only if no endpoint failed.
    async fn block(
        &self,
        method: &'static str,
        params: ArrayParams,
        is_wanted: impl Fn(&VerifiedBlock) -> bool + Sync,
    ) -> Result<Option<VerifiedBlock>, SourceError> {
        let ask = |endpoint| block_from(endpoint, &self.gossiped, method, params.clone(), &is_wanted);
        let block = self.pool.first(ask).await?;
        if let Some(block) = &block {
            self.blocks.insert(self.chain_id(), block.clone());
        }
        Ok(block)
    }
}

async fn block_from(
    endpoint: &Endpoint,
    gossiped: &GossipedTransactions,
    method: &'static str,
    params: ArrayParams,
    is_wanted: impl Fn(&VerifiedBlock) -> bool,
) -> Result<Option<VerifiedBlock>, SourceError> {
    let answer = endpoint.call_raw(method, params).await?;
    let read = read_parts(answer.get()).map_err(|error| endpoint.untrustworthy(method, &error))?;
    let Some(mut read) = read else { return Ok(None) };
    drop(answer);
    raw_transaction::complete(endpoint, gossiped, &mut read).await;
    let block = read.verify().map_err(|error| match error {
        ReadBlockError::Transaction(unread) if !unread.is_known() => endpoint.unread(method, &unread),
        ReadBlockError::Block(error @ BlockError::Empty { .. }) => endpoint.incomplete(method, &error),
        error => endpoint.untrustworthy(method, &error),
    })?;
    if is_wanted(&block) {
        return Ok(Some(block));
    }
    let reason = format!("it returned block {} ({}), which was not requested", block.number(), block.hash());
    Err(endpoint.untrustworthy(method, &reason))
}

/// The block that an endpoint has at a height.
async fn header_at(endpoint: Endpoint, number: u64) -> Vote {
    let params = rpc_params![U64::from(number), false];
    let Some(answer) = endpoint.call::<Option<ClaimedHeader>>(BY_NUMBER, params).await? else {
        return Ok(None);
    };
    let block = verified_header(&endpoint, BY_NUMBER, &answer)?;
    if block.number == number {
        return Ok(Some(block));
    }
    let reason = format!("block {number} was requested, {} was returned", block.number);
    Err(endpoint.untrustworthy(BY_NUMBER, &reason))
}

/// The block that an endpoint has by a hash.
async fn header_of(endpoint: &Endpoint, hash: B256) -> Result<Option<L2BlockRef>, SourceError> {
    let Some(answer) = endpoint.call::<Option<ClaimedHeader>>(BY_HASH, rpc_params![hash, false]).await?
    else {
        return Ok(None);
    };
    let block = verified_header(endpoint, BY_HASH, &answer)?;
    if block.hash() == hash {
        return Ok(Some(block));
    }
    let reason = format!("block {hash} was requested, {} was returned", block.hash());
    Err(endpoint.untrustworthy(BY_HASH, &reason))
}

/// Which block a header is of, if it hashes to what it claims.
pub(super) fn verified_header(
    endpoint: &Endpoint,
    method: &'static str,
    header: &ClaimedHeader,
) -> Result<L2BlockRef, SourceError> {
    let (number, claimed) = (header.inner.number, header.hash);
    if header.inner.hash_slow() != claimed {
        let reason = format!("the header of block {number} does not hash to {claimed}");
        return Err(endpoint.untrustworthy(method, &reason));
    }
    L2BlockRef::new(number, claimed, UnixSeconds(header.inner.timestamp))
        .ok_or_else(|| endpoint.untrustworthy(method, &"the header's hash is all zero"))
}
