//! What an endpoint says that it is.

use super::{Endpoint, SourceError};
use alloy::primitives::U256;
use crosscheck_p2p::ChainId;
use jsonrpsee::rpc_params;

impl Endpoint {
    /// The chain that it says it serves.
    ///
    /// # Errors
    /// If it does not answer.
    pub(crate) async fn chain_id(&self) -> Result<ChainId, SourceError> {
        let served: U256 = self.call("eth_chainId", rpc_params![]).await?;
        Ok(ChainId::from(served))
    }
}
