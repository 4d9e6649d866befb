//! [`Genesis`]: where a chain begins, as its rollup configuration says.

use alloy::eips::BlockNumHash;
use serde::Deserialize;

/// Where a chain begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Genesis {
    /// The L1 block after which the chain begins.
    pub l1: BlockNumHash,
    /// The chain's first block. Its height is not 0 on chains that were migrated.
    pub l2: BlockNumHash,
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
