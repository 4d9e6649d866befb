//! [`BlockKey`]: which block of which chain.

use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use serde::Serialize;
use std::fmt;

/// A height of a chain.
pub type ChainHeight = (ChainId, u64);

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

/// The key under which the log reports a block: its chain, its height and its hash.
impl fmt::Display for BlockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.chain_id, self.number, self.hash)
    }
}
