//! [`L1Client`]: what L1 says about a chain's configuration.

use super::{Endpoint, EndpointLimits, EndpointUrl, SourceError};
use alloy::primitives::{Address, B256, U256, b256};
use jsonrpsee::rpc_params;
use serde::Deserialize;
use serde_json::json;

/// The SystemConfig slot of the unsafe block signer: `keccak256("systemconfig.unsafeblocksigner")`.
pub const UNSAFE_BLOCK_SIGNER_SLOT: B256 =
    b256!("65a7ed542fb37fe237fdfbdd70b31598523fe5b32879e307bae27a0bd9581c08");

#[derive(Deserialize)]
struct BlockHash {
    hash: B256,
}

/// An L1 execution endpoint.
#[derive(Clone, Debug)]
pub struct L1Client {
    endpoint: Endpoint,
}

impl L1Client {
    /// A client of the endpoint at `url`.
    ///
    /// # Errors
    /// If no HTTP client can be made.
    pub fn new(url: EndpointUrl, limits: EndpointLimits) -> Result<Self, SourceError> {
        Ok(Self { endpoint: Endpoint::new(url, limits)? })
    }

    /// The unsafe block signer that a chain's SystemConfig names at the latest L1 block, read at that
    /// block's hash. `None`: the slot is empty.
    ///
    /// # Errors
    /// If the endpoint does not answer.
    pub async fn unsafe_block_signer(&self, system_config: Address) -> Result<Option<Address>, SourceError> {
        const METHOD: &str = "eth_getBlockByNumber";
        let latest: Option<BlockHash> = self.endpoint.call(METHOD, rpc_params!["latest", false]).await?;
        let BlockHash { hash } =
            latest.ok_or_else(|| self.endpoint.untrustworthy(METHOD, &"there is no latest block"))?;
        let params = rpc_params![system_config, UNSAFE_BLOCK_SIGNER_SLOT, json!({ "blockHash": hash })];
        let word: U256 = self.endpoint.call("eth_getStorageAt", params).await?;
        let signer = Address::from_word(B256::from(word));
        Ok(Some(signer).filter(|signer| !signer.is_zero()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::keccak256;

    #[test]
    fn the_slot_is_the_hash_of_its_name() {
        assert_eq!(UNSAFE_BLOCK_SIGNER_SLOT, keccak256("systemconfig.unsafeblocksigner"));
    }
}
