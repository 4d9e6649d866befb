//! [`ParentFacts`]: what the block under a block says about it: its place in an epoch, and the system config.

use super::upgrade::gas_to_strip;
use super::{DepositRules, DepositsError, SystemConfig};
use crate::consolidation::{BlockAttributes, Fork, RollupConfig};
use crate::proof::VerifiedBlock;
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_p2p::UnixSeconds;

/// What derivation must know of a block to derive the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParentFacts {
    id: BlockNumHash,
    timestamp: UnixSeconds,
    l1_origin: BlockNumHash,
    sequence_number: u64,
    system_config: SystemConfig,
}

impl ParentFacts {
    /// Reads an execution client's block.
    ///
    /// # Errors
    /// If it does not say what it must.
    pub fn of_block(rules: &DepositRules, block: &VerifiedBlock) -> Result<Self, DepositsError> {
        let id = BlockNumHash { number: block.number(), hash: block.hash() };
        Self::of_attributes(rules, id, &BlockAttributes::of_block(block))
    }

    /// Reads the attributes of the block of this height and hash.
    ///
    /// # Errors
    /// If they do not say what they must.
    pub fn of_attributes(
        rules: &DepositRules,
        id: BlockNumHash,
        block: &BlockAttributes,
    ) -> Result<Self, DepositsError> {
        if id.number == rules.config.genesis.l2.number {
            return Self::of_genesis(&rules.config, id);
        }
        let upgrade =
            gas_to_strip(rules, block.timestamp).map_err(|fork| DepositsError::UnknownBundle { fork })?;
        let below = DepositsError::ParentGasLimit { gas_limit: block.gas_limit, upgrade };
        Self::with_gas_limit(&rules.config, id, block, block.gas_limit.checked_sub(upgrade).ok_or(below)?)
    }

    /// Reads the attributes of a fork's first block, of which L1 said that this is its gas limit but for what
    /// the upgrade added.
    ///
    /// # Errors
    /// If they do not say what they must.
    pub fn with_gas_limit(
        config: &RollupConfig,
        id: BlockNumHash,
        block: &BlockAttributes,
        gas_limit: u64,
    ) -> Result<Self, DepositsError> {
        let info = block.l1_info().map_err(|reason| DepositsError::ParentL1Info { reason })?;
        let (expected, found) = (encoding(config, block.timestamp), info.fees.encoding());
        if expected != found {
            return Err(DepositsError::ParentEncoding { expected, found });
        }
        Ok(Self {
            id,
            timestamp: block.timestamp,
            l1_origin: BlockNumHash { number: info.number, hash: info.hash },
            sequence_number: info.sequence_number,
            system_config: SystemConfig::of_block(config, block, &info, gas_limit)?,
        })
    }

    /// The chain's first block, with any content: the rollup configuration describes all of it.
    fn of_genesis(config: &RollupConfig, id: BlockNumHash) -> Result<Self, DepositsError> {
        let genesis = &config.genesis;
        if id.hash != genesis.l2.hash {
            let (number, found, genesis) = (id.number, id.hash, genesis.l2.hash);
            return Err(DepositsError::Genesis { number, found, genesis });
        }
        Ok(Self {
            id,
            timestamp: genesis.time,
            l1_origin: genesis.l1,
            sequence_number: 0,
            system_config: genesis.system_config,
        })
    }

    /// Its height.
    pub const fn number(&self) -> u64 {
        self.id.number
    }

    /// Its hash.
    pub const fn hash(&self) -> B256 {
        self.id.hash
    }

    /// Its timestamp.
    pub const fn timestamp(&self) -> UnixSeconds {
        self.timestamp
    }

    /// Its L1 origin.
    pub const fn l1_origin(&self) -> BlockNumHash {
        self.l1_origin
    }

    /// How many blocks of its epoch came before it.
    pub const fn sequence_number(&self) -> u64 {
        self.sequence_number
    }

    /// The system config in force at it.
    pub const fn system_config(&self) -> &SystemConfig {
        &self.system_config
    }
}

/// The encoding of L1 attributes in a block of this timestamp: that of a fork's first block is still the one
/// before.
pub(super) fn encoding(config: &RollupConfig, timestamp: UnixSeconds) -> Fork {
    let is_later = |fork| config.forks.is_active_before(fork, timestamp, config.block_time);
    [Fork::Jovian, Fork::Isthmus, Fork::Ecotone]
        .into_iter()
        .find(|fork| is_later(*fork))
        .unwrap_or(Fork::Bedrock)
}
