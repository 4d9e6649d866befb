//! [`BlockKey`]: which block of which chain.

use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use serde::Serialize;

/// Which block of which chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct BlockKey {
    /// Its chain.
    pub chain_id: ChainId,
    /// Its height.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
}
