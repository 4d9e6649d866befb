//! [`L2BlockRef`]: a block that a node names.

use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_p2p::UnixSeconds;

/// How far what is final may be behind a chain's tip, seconds: the sequencing window of the OP Stack.
const SEQUENCING_WINDOW: u64 = 12 * 60 * 60;

/// A reference to an L2 block. There is none with an all-zero hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct L2BlockRef {
    hash: B256,
    /// Its height.
    pub number: u64,
    /// Its timestamp.
    pub timestamp: UnixSeconds,
}

impl L2BlockRef {
    /// The block of this hash. `None`: the hash is all zero, so no block is named.
    pub fn new(number: u64, hash: B256, timestamp: UnixSeconds) -> Option<Self> {
        (!hash.is_zero()).then_some(Self { hash, number, timestamp })
    }

    /// The block's hash.
    pub const fn hash(&self) -> B256 {
        self.hash
    }

    /// Whether this block, called final beside a tip of that time, is further behind it than a chain's
    /// finality ever is. A node that starts, or that verifies nothing yet, calls genesis final: what began
    /// there would continue forever.
    pub const fn is_stale_finality(self, tip: UnixSeconds) -> bool {
        tip.0.saturating_sub(self.timestamp.0) > SEQUENCING_WINDOW
    }

    /// Its position.
    pub const fn position(&self) -> BlockNumHash {
        BlockNumHash { number: self.number, hash: self.hash }
    }
}
