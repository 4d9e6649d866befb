//! [`Genesis`]: where a chain begins, as its rollup configuration says.

use super::L1Origin;
use alloy::primitives::B256;
use serde::Deserialize;

/// The first block of a chain on L2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct GenesisBlock {
    /// Its hash.
    pub hash: B256,
    /// Its height: not 0 on chains that were migrated.
    pub number: u64,
}

/// Where a chain begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Genesis {
    /// The L1 block after which the chain begins.
    pub l1: L1Origin,
    /// The chain's first block.
    pub l2: GenesisBlock,
}

#[derive(Deserialize)]
struct RollupConfig {
    genesis: Genesis,
}

impl Genesis {
    /// Reads it from the answer of `optimism_rollupConfig`.
    ///
    /// # Errors
    /// If the configuration names no genesis.
    pub fn of_rollup_config(config: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<RollupConfig>(config).map(|config| config.genesis)
    }
}
