//! [`ChainHeads`]: how far a chain is, at each safety level.

/// Heights of one chain. `unsafe_head` >= `local_safe` >= `safe` >= `finalized`, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChainHeads {
    /// The newest block.
    pub unsafe_head: u64,
    /// The newest block derived from L1.
    pub local_safe: u64,
    /// The newest cross-safe block.
    pub safe: u64,
    /// The newest block that L1 finality covers.
    pub finalized: u64,
}
