//! [`L1Client`]: L1's blocks and logs, and what its contracts say about a chain's configuration.
//!
//! Headers leave here verified, logs proven. Which of two verified blocks is canonical is the endpoint's
//! answer, and not proven.

use super::{Endpoint, EndpointLimits, EndpointPace, EndpointUrl, SourceError, receipts};
use alloy::primitives::{Address, B256, U64, U256, b256};
use crosscheck_core::consolidation::deposits::ReportedBlobs;
use crosscheck_core::proof::{ClaimedHeader, ProvenL1Logs, VerifiedL1Header};
use crosscheck_p2p::{ChainId, UnixSeconds};
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::rpc_params;
use lru::LruCache;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// The SystemConfig slot of the unsafe block signer: `keccak256("systemconfig.unsafeblocksigner")`.
pub const UNSAFE_BLOCK_SIGNER_SLOT: B256 =
    b256!("65a7ed542fb37fe237fdfbdd70b31598523fe5b32879e307bae27a0bd9581c08");

/// How many headers, and how many blocks' logs, are kept: an hour of L1 and more.
const CACHED_BLOCKS: NonZeroUsize = match NonZeroUsize::new(512) {
    Some(blocks) => blocks,
    None => NonZeroUsize::MIN,
};

const BY_NUMBER: &str = "eth_getBlockByNumber";

#[derive(Deserialize)]
struct BlockHash {
    hash: B256,
}

#[derive(Deserialize)]
struct Listed {
    transactions: Vec<B256>,
}

/// What `eth_config` (EIP-7910) says of forks, as far as blob base fees go.
#[derive(Deserialize)]
struct ChainForks {
    last: Option<BlobFork>,
    current: Option<BlobFork>,
    next: Option<BlobFork>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlobFork {
    activation_time: u64,
    blob_schedule: Option<BlobParameters>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlobParameters {
    base_fee_update_fraction: u64,
}

/// Proven logs by block hash: what is proven stays true.
#[derive(Debug)]
struct ProvenCache {
    blocks: LruCache<B256, Arc<ProvenL1Logs>>,
    /// Whose logs were ever asked for: several chains want those of the same block.
    contracts: BTreeSet<Address>,
}

impl ProvenCache {
    /// The logs of a block, if these contracts' are among those kept.
    fn get(&mut self, block: B256, contracts: &[Address]) -> Option<Arc<ProvenL1Logs>> {
        let known = self.blocks.get(&block).filter(|known| known.has_all_of(contracts));
        known.cloned()
    }

    /// Whose logs to keep when these contracts' are asked for.
    fn wanted(&mut self, contracts: &[Address]) -> BTreeSet<Address> {
        self.contracts.extend(contracts);
        self.contracts.clone()
    }
}

/// An L1 execution endpoint.
#[derive(Clone, Debug)]
pub struct L1Client {
    endpoint: Endpoint,
    headers: Arc<Mutex<LruCache<B256, Arc<VerifiedL1Header>>>>,
    proven: Arc<Mutex<ProvenCache>>,
}

impl L1Client {
    /// A client of the endpoint at `url`.
    ///
    /// # Errors
    /// If no HTTP client can be made.
    pub fn new(url: EndpointUrl, limits: EndpointLimits) -> Result<Self, SourceError> {
        Ok(Self {
            endpoint: Endpoint::new(url, limits)?,
            headers: Arc::new(Mutex::new(LruCache::new(CACHED_BLOCKS))),
            proven: Arc::new(Mutex::new(ProvenCache {
                blocks: LruCache::new(CACHED_BLOCKS),
                contracts: BTreeSet::new(),
            })),
        })
    }

    /// Where it is.
    pub(crate) const fn url(&self) -> &EndpointUrl {
        self.endpoint.url()
    }

    /// How long it takes to answer.
    pub(crate) const fn pace(&self) -> &EndpointPace {
        self.endpoint.pace()
    }

    /// The chain that it says it serves.
    ///
    /// # Errors
    /// If the endpoint does not answer.
    pub(crate) async fn chain_id(&self) -> Result<ChainId, SourceError> {
        self.endpoint.chain_id().await
    }

    /// The header of the canonical block at a height. `None`: the endpoint has none.
    ///
    /// # Errors
    /// If the endpoint does not answer, or with another block.
    pub async fn block_by_number(&self, number: u64) -> Result<Option<Arc<VerifiedL1Header>>, SourceError> {
        let params = rpc_params![U64::from(number), false];
        self.block(BY_NUMBER, params, |header| header.number() == number).await
    }

    /// The header of the block with this hash, canonical or not. `None`: the endpoint has none.
    ///
    /// # Errors
    /// If the endpoint does not answer, or with another block.
    pub async fn block_by_hash(&self, hash: B256) -> Result<Option<Arc<VerifiedL1Header>>, SourceError> {
        if let Some(known) = self.headers.lock().get(&hash) {
            return Ok(Some(Arc::clone(known)));
        }
        self.block("eth_getBlockByHash", rpc_params![hash, false], |header| header.hash() == hash).await
    }

    /// The header of the latest finalized block. `None`: there is none yet.
    ///
    /// # Errors
    /// If the endpoint does not answer, or with a block that is invalid.
    pub async fn finalized(&self) -> Result<Option<Arc<VerifiedL1Header>>, SourceError> {
        self.block(BY_NUMBER, rpc_params!["finalized", false], |_| true).await
    }

    async fn block(
        &self,
        method: &'static str,
        params: ArrayParams,
        is_wanted: impl Fn(&VerifiedL1Header) -> bool + Send,
    ) -> Result<Option<Arc<VerifiedL1Header>>, SourceError> {
        let Some(answer) = self.endpoint.call::<Option<ClaimedHeader>>(method, params).await? else {
            return Ok(None);
        };
        let header =
            VerifiedL1Header::verify(answer).map_err(|error| self.endpoint.untrustworthy(method, &error))?;
        if !is_wanted(&header) {
            let reason =
                format!("it returned block {} ({}), which was not requested", header.number(), header.hash());
            return Err(self.endpoint.untrustworthy(method, &reason));
        }
        let header = Arc::new(header);
        self.headers.lock().put(header.hash(), Arc::clone(&header));
        Ok(Some(header))
    }

    /// The proven logs of these contracts in a block, and perhaps of others. `None`: the endpoint has no
    /// receipts of it.
    ///
    /// # Errors
    /// If the endpoint does not answer, or its receipts do not hash to the header's receipts root.
    pub async fn logs(
        &self,
        header: &VerifiedL1Header,
        contracts: &[Address],
    ) -> Result<Option<Arc<ProvenL1Logs>>, SourceError> {
        if let Some(none) = ProvenL1Logs::of_header(header, contracts) {
            return Ok(Some(Arc::new(none)));
        }
        if let Some(known) = self.proven.lock().get(header.hash(), contracts) {
            return Ok(Some(known));
        }
        let contracts = self.proven.lock().wanted(contracts);
        let transactions = self.transactions(header.hash());
        let prove = |receipts: &[_]| ProvenL1Logs::prove_hashed(header, receipts, &contracts);
        // The header does not contain how many there are: at least one, because it is not empty.
        let proven = receipts::proven(&self.endpoint, header.hash(), 1, transactions, prove).await?;
        let Some(proven) = proven else { return Ok(None) };
        let proven = Arc::new(proven);
        self.proven.lock().blocks.put(header.hash(), Arc::clone(&proven));
        Ok(Some(proven))
    }

    /// The hashes of a block's transactions, as the endpoint lists them.
    async fn transactions(&self, block: B256) -> Result<Option<Vec<B256>>, SourceError> {
        let listed: Option<Listed> =
            self.endpoint.call("eth_getBlockByHash", rpc_params![block, false]).await?;
        Ok(listed.map(|block| block.transactions))
    }

    /// What the endpoint says of blob base fees in L1's last, current and next fork (`eth_config`, EIP-7910).
    ///
    /// # Errors
    /// If the endpoint does not answer; older clients have no such method.
    pub async fn reported_blobs(&self) -> Result<ReportedBlobs, SourceError> {
        let forks: ChainForks = self.endpoint.call("eth_config", rpc_params![]).await?;
        let in_force = forks.current.as_ref().map(|fork| UnixSeconds(fork.activation_time));
        let forks = [forks.last, forks.current, forks.next].into_iter().flatten();
        let fractions = forks.filter_map(|fork| {
            let blobs = fork.blob_schedule?;
            Some((UnixSeconds(fork.activation_time), blobs.base_fee_update_fraction))
        });
        Ok(ReportedBlobs { in_force, fractions: fractions.collect() })
    }

    /// The header of the latest block.
    ///
    /// # Errors
    /// If the endpoint does not answer, has no block, or one that is invalid.
    pub async fn latest(&self) -> Result<Arc<VerifiedL1Header>, SourceError> {
        let latest = self.block(BY_NUMBER, rpc_params!["latest", false], |_| true).await?;
        latest.ok_or_else(|| self.no_latest())
    }

    fn no_latest(&self) -> SourceError {
        self.endpoint.incomplete(BY_NUMBER, &"it has no latest block")
    }

    /// The hash of the latest block. Its header is not verified: what is read at the hash is the
    /// endpoint's answer anyway.
    ///
    /// # Errors
    /// If the endpoint does not answer, or has no block.
    pub async fn latest_hash(&self) -> Result<B256, SourceError> {
        let latest: Option<BlockHash> = self.endpoint.call(BY_NUMBER, rpc_params!["latest", false]).await?;
        latest.map(|latest| latest.hash).ok_or_else(|| self.no_latest())
    }

    /// The unsafe block signer that a chain's SystemConfig names at the latest L1 block, read at that block's
    /// hash. `None`: the slot is empty.
    ///
    /// # Errors
    /// If the endpoint does not answer.
    pub async fn unsafe_block_signer(&self, system_config: Address) -> Result<Option<Address>, SourceError> {
        self.unsafe_block_signer_at(system_config, self.latest_hash().await?).await
    }

    /// The unsafe block signer that a chain's SystemConfig names in the state of the L1 block with this hash.
    /// `None`: the slot is empty.
    ///
    /// # Errors
    /// If the endpoint does not answer.
    pub async fn unsafe_block_signer_at(
        &self,
        system_config: Address,
        at: B256,
    ) -> Result<Option<Address>, SourceError> {
        let params = rpc_params![system_config, UNSAFE_BLOCK_SIGNER_SLOT, json!({ "blockHash": at })];
        let word: U256 = self.endpoint.call("eth_getStorageAt", params).await?;
        let signer = Address::from_word(B256::from(word));
        Ok(Some(signer).filter(|signer| !signer.is_zero()))
    }
}

#[cfg(test)]
mod tests;
