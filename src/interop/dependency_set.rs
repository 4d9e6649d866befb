//! [`DependencySet`]: the chains that may send each other messages, and since when.
//!
//! Spec: interop/dependency-set.md.

use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::BTreeMap;

/// How long a message may be executed after it was initiated, in seconds, unless the set says otherwise.
pub const DEFAULT_EXPIRY_WINDOW: u64 = 604_800;

/// One chain of the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The timestamp at which interop activates on the chain.
    pub interop_time: UnixSeconds,
    /// Seconds between two blocks of the chain.
    pub block_time: u64,
}

impl Member {
    /// Whether a block with this timestamp comes after the chain's activation block.
    ///
    /// The activation block itself is the first at or after the activation time: it holds no user
    /// transactions, and its logs initiate nothing.
    pub const fn is_past_activation_block(&self, timestamp: UnixSeconds) -> bool {
        // An overflow means an activation beyond representable time: never.
        match self.interop_time.0.checked_add(self.block_time) {
            Some(first_usable) => timestamp.0 >= first_usable,
            None => false,
        }
    }
}

/// The chains whose messages count, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DependencySet {
    members: BTreeMap<ChainId, Member>,
    expiry_window: u64,
}

impl DependencySet {
    /// A set of these chains with this expiry window, in seconds.
    pub const fn new(members: BTreeMap<ChainId, Member>, expiry_window: u64) -> Self {
        Self { members, expiry_window }
    }

    /// The chain, if it is in the set.
    pub fn member(&self, chain_id: ChainId) -> Option<&Member> {
        self.members.get(&chain_id)
    }

    /// The ids of the chains in the set, ascending.
    pub fn chain_ids(&self) -> impl Iterator<Item = ChainId> + '_ {
        self.members.keys().copied()
    }

    /// How many seconds after its initiation a message may still be executed.
    pub const fn expiry_window(&self) -> u64 {
        self.expiry_window
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::aligned_activation_block(10, 2, 10, false)]
    #[case::first_block_after(10, 2, 12, true)]
    #[case::unaligned_activation_block(1, 2, 2, false)]
    #[case::first_after_unaligned(1, 2, 4, true)]
    #[case::before(10, 2, 8, false)]
    #[case::never(u64::MAX, 2, u64::MAX, false)]
    fn activation(
        #[case] interop_time: u64,
        #[case] block_time: u64,
        #[case] timestamp: u64,
        #[case] usable: bool,
    ) {
        let member = Member { interop_time: UnixSeconds(interop_time), block_time };
        assert_eq!(member.is_past_activation_block(UnixSeconds(timestamp)), usable);
    }
}
