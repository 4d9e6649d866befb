//! [`DepositsError`]: why the deposits of a block cannot be determined, or cannot exist.

use super::{L1InfoError, UserDepositError};
use crate::consolidation::{FeeParametersError, Fork};
use alloy::eips::BlockNumHash;
use alloy::primitives::{B256, FixedBytes};
use crosscheck_p2p::UnixSeconds;

/// Why what a block must contain cannot be derived. [`DepositsError::is_contradiction`] distinguishes what is
/// only not known here from what cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DepositsError {
    /// The upgrade transactions of a fork are not known here.
    #[error(
        "this build does not know the upgrade transactions of the fork {fork}, so its first block cannot be derived \
         from L1; set its bundle in consolidation.upgrade_bundles"
    )]
    UnknownBundle {
        /// The fork.
        fork: String,
    },
    /// The rollup node's block does not begin with what L1 requires, so nothing is taken from it.
    #[error(
        "the upgrade transactions of the fork {fork} cannot be taken from the rollup node's block: it does not begin \
         with the deposits that L1 requires, or has less gas"
    )]
    NodeBlock {
        /// The fork.
        fork: String,
    },
    /// L1 says otherwise by the rules that are known here; but a fork is in force that is not.
    #[error(
        "the fork {fork} is active, and this build does not know it; by the rules that it knows the block contradicts \
         L1 ({difference}): upgrade Crosscheck"
    )]
    UnknownFork {
        /// The fork.
        fork: String,
        /// What is not as L1 says.
        difference: String,
    },
    /// The L1 attributes are in an encoding that is not known here.
    #[error(
        "its L1 attributes have the selector {selector}, which this build does not know: upgrade Crosscheck"
    )]
    UnknownEncoding {
        /// The first four bytes of their calldata.
        selector: FixedBytes<4>,
    },
    /// The block's metering has no payload that every node reads alike.
    #[error(
        "the block's sequencer-defined metering (transaction type 0x7D) is not a valid payload: some nodes accept it, others reject it"
    )]
    Metering,
    /// The block would be right for a chain with another dependency set, and only a setting says what the set
    /// is.
    #[error(
        "the block has the upgrade transactions of a chain whose dependency set has {}; by chains.<id>.dependency_set that of this chain has {}: correct the setting, or use a rollup node that answers optimism_dependencySet",
        in_words(!is_of_several),
        in_words(*is_of_several)
    )]
    OtherSet {
        /// Whether the set has several chains by the settings.
        is_of_several: bool,
    },
    /// The parent's gas limit is lower than what its upgrade alone added to it.
    #[error("the parent's gas limit {gas_limit} is below the gas of its upgrade, {upgrade}")]
    ParentGasLimit {
        /// The limit.
        gas_limit: u64,
        /// What was added to it.
        upgrade: u64,
    },
    /// The block differs from L1 in nothing but the blob base fee.
    #[error(
        "the block states a blob base fee of {fee} for L1 block {number}, and the blob schedule known here gives a \
         different one; nothing else differs: upgrade Crosscheck, or use an L1 client that serves eth_config"
    )]
    BlobFee {
        /// The origin's height.
        number: u64,
        /// The fee that the block says, wei.
        fee: u128,
    },
    /// The L1's blob parameters at that time are not known here.
    #[error(
        "the blob base fee of L1 block {number} is not known: L1 {l1_chain_id} has no blob schedule for its time; use \
         an L1 client that serves eth_config"
    )]
    BlobSchedule {
        /// The L1.
        l1_chain_id: u64,
        /// The origin's height.
        number: u64,
    },
    /// The system config leaves the EIP-1559 parameters to a default that the rollup configuration does not
    /// state.
    #[error(
        "the system config leaves the EIP-1559 parameters to the chain's default, which its rollup configuration does not state"
    )]
    FeeDefaults,
    /// The first block of an epoch needs the logs of its L1 origin.
    #[error("the logs of L1 block {number} are needed and missing")]
    LogsMissing {
        /// The origin's height.
        number: u64,
    },
    /// The parent is given as the chain's first block and is another.
    #[error("block {number} is {found}, but the chain's first block is {genesis}")]
    Genesis {
        /// Its height.
        number: u64,
        /// Its hash.
        found: B256,
        /// The hash in the rollup configuration.
        genesis: B256,
    },
    /// The parent does not contain its own L1 origin.
    #[error("the parent's first transaction does not contain its L1 origin: {reason}")]
    ParentL1Info {
        /// What is wrong with it.
        reason: L1InfoError,
    },
    /// The parent's L1 attributes are in the encoding of another fork.
    #[error(
        "the parent's L1 attributes are in the encoding of {found}; at its time it is that of {expected}"
    )]
    ParentEncoding {
        /// The encoding in force.
        expected: Fork,
        /// The encoding it has.
        found: Fork,
    },
    /// The parent's extra data is not as its fork has it.
    #[error("the parent's fee parameters cannot be read: {reason}")]
    ParentExtraData {
        /// What is wrong with it.
        reason: FeeParametersError,
    },
    /// The scalar in force is in no known format. L1 lets none in.
    #[error("the fee scalar {scalar} is in no known format")]
    Scalar {
        /// The word.
        scalar: B256,
    },
    /// A log of the deposit contract that it does not emit. op-node stops at one.
    #[error("log {log_index} of L1 block {number} is not a deposit: {reason}")]
    UserDeposit {
        /// The origin's height.
        number: u64,
        /// The log's index in the block.
        log_index: u64,
        /// What is wrong with it.
        reason: UserDepositError,
    },
    /// The logs given are those of another block.
    #[error("got the logs of L1 block {found}, expected those of {expected}")]
    OtherLogs {
        /// The origin.
        expected: B256,
        /// Whose logs they are.
        found: B256,
    },
    /// An origin that cannot follow the parent's: neither the same block nor its child.
    #[error("L1 block {number} ({hash}) cannot be the origin after {} ({}): it is neither that block nor its \
             child", parent.number, parent.hash)]
    Origin {
        /// The origin's height.
        number: u64,
        /// The origin's hash.
        hash: B256,
        /// The parent's origin.
        parent: BlockNumHash,
    },
    /// An origin younger than the block.
    #[error("the origin's time {origin} is after the block's, {block}")]
    Young {
        /// The origin's time.
        origin: UnixSeconds,
        /// The block's time.
        block: UnixSeconds,
    },
    /// A height, time or sequence number beyond 64 bits.
    #[error("no block can follow {number}: its time or sequence number would overflow")]
    Overflow {
        /// The parent's height.
        number: u64,
    },
}

impl DepositsError {
    /// Whether no block can be built on that parent with that origin, given that the L1 block is canonical.
    ///
    /// Every other error means only that this build does not know what such a block must contain.
    pub const fn is_contradiction(&self) -> bool {
        matches!(self, Self::Origin { .. } | Self::Young { .. })
    }
}

const fn in_words(is_of_several: bool) -> &'static str {
    if is_of_several { "several chains" } else { "one chain" }
}
