//! What an endpoint says that it is: its chain, and its version.

use super::{Endpoint, SourceError};
use alloy::primitives::U256;
use crosscheck_p2p::ChainId;
use jsonrpsee::rpc_params;

/// How much of a version is taken in, in letters.
const LONGEST_VERSION: usize = 80;

impl Endpoint {
    /// The chain that it says it serves.
    ///
    /// # Errors
    /// If it does not answer.
    pub(crate) async fn chain_id(&self) -> Result<ChainId, SourceError> {
        let served: U256 = self.call("eth_chainId", rpc_params![]).await?;
        Ok(ChainId::from(served))
    }

    /// What an execution client calls itself, without control characters.
    ///
    /// # Errors
    /// If it does not answer.
    pub(crate) async fn client_version(&self) -> Result<String, SourceError> {
        self.version("web3_clientVersion").await
    }

    /// What a rollup node calls itself, without control characters.
    ///
    /// # Errors
    /// If it does not answer.
    pub(crate) async fn node_version(&self) -> Result<String, SourceError> {
        self.version("optimism_version").await
    }

    async fn version(&self, method: &'static str) -> Result<String, SourceError> {
        let version: String = self.call(method, rpc_params![]).await?;
        Ok(version.chars().filter(|letter| !letter.is_control()).take(LONGEST_VERSION).collect())
    }
}
