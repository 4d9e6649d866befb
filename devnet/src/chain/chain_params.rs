//! [`ChainParams`]: what decides a chain.

use super::upgrade::Upgrade;
use alloy::{eips::BlockNumHash, primitives::Address};
use crosscheck_p2p::UnixSeconds;

/// What decides a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainParams {
    /// Its EIP-155 id.
    pub chain_id: u64,
    /// Seconds from block to block.
    pub block_time: u64,
    /// The height of its first block: 0, unless it plays a chain that is older than the run.
    pub first_number: u64,
    /// The timestamp of its first block.
    pub genesis_time: UnixSeconds,
    /// The L1 origin of its first block.
    pub l1_genesis: BlockNumHash,
    /// The gas limit of every block.
    pub gas_limit: u64,
    /// Its `SystemConfig` on L1.
    pub system_config: Address,
    /// Its `OptimismPortal` on L1.
    pub deposit_contract: Address,
    /// Who posts its batches on L1, at genesis.
    pub batcher: Address,
    /// The fork that begins in mid-run and brings a bundle of upgrade deposits, if one does.
    pub upgrade: Option<Upgrade>,
}

impl ChainParams {
    /// What that fork adds to the block of this time: nothing, unless it is the fork's first.
    pub(super) fn upgrade_at(&self, timestamp: u64) -> Option<&Upgrade> {
        let before = timestamp.checked_sub(self.block_time)?;
        self.upgrade.as_ref().filter(|upgrade| upgrade.time.0 <= timestamp && before < upgrade.time.0)
    }
}
