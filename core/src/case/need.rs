//! [`Need`]: something that a case must know to continue.

use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, UnixSeconds};

/// Something that a case must know to continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// A fact that one source can state.
    Fact(FactNeed),
    /// What follows from many blocks: those that the examined block depends on.
    Around(AroundNeed),
}

/// A fact that one source can state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactNeed {
    /// The block that L1 says is at the case's height.
    Derived,
    /// What L1 alone says of the case's block.
    L1,
    /// That what L1 says is at the case's height is final.
    Final,
    /// That another node that has derived the chain has this block at the case's height, too.
    Corroboration {
        /// The block that the chain's rollup node has there.
        derived: B256,
    },
    /// The proven logs of this block of the case's chain.
    Logs {
        /// The block.
        hash: B256,
        /// Its height.
        number: u64,
    },
    /// The proven logs of the local-safe block at this height of an initiating chain, or that the chain is
    /// past this timestamp without having that height.
    Initiating {
        /// The initiating chain.
        chain_id: ChainId,
        /// The claimed height.
        number: u64,
        /// The claimed timestamp.
        timestamp: UnixSeconds,
    },
}

/// What follows from the blocks that the examined block depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AroundNeed {
    /// Whether the block that a message cites is valid itself.
    CitedBlock {
        /// The initiating chain.
        chain_id: ChainId,
        /// The cited height.
        number: u64,
    },
    /// The messages that are initiated and executed at this timestamp, of every chain's block of that
    /// timestamp.
    SameTimestamp {
        /// The examined block's timestamp.
        timestamp: UnixSeconds,
    },
}
