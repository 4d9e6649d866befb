//! [`DecisionArgs`]: the block that an operator decides on, and why.

use alloy::primitives::B256;
use clap::Args;
use crosscheck_p2p::ChainId;

/// The block that an operator decides on, and why.
#[derive(Debug, Args)]
pub(super) struct DecisionArgs {
    /// The block's chain
    #[arg(long, value_name = "ID")]
    pub(super) chain: ChainId,
    /// The block's height
    #[arg(long, value_name = "N")]
    pub(super) number: u64,
    /// The block's hash
    #[arg(long, value_name = "HASH")]
    pub(super) hash: B256,
    /// The reason, for later readers of the ledger
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: String,
}
