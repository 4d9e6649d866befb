//! [`StaleBranches`]: the chains whose nodes are on a block that is invalid: for a moment, until they replace
//! it, or for good, as nodes do that check no messages. The audit writes it; what such nodes say from that
//! block on is used against no one. Pure shared state: no I/O.

use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An invalid block that the chain's execution client has, though the chain replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleBranch {
    /// The invalid block: what the client has.
    pub invalid: BlockNumHash,
    /// The upheld block that took its place. `None`: none is known.
    pub replaced_by: Option<B256>,
}

impl StaleBranch {
    /// Whether the client's block at a height is the chain's. While its replacement is not known, this counts
    /// for the invalid block too: the replacement has the same deposits, so a log that is in neither of them
    /// is nowhere.
    pub const fn is_usable(&self, number: u64) -> bool {
        match self.replaced_by {
            Some(_) => number < self.invalid.number,
            None => number <= self.invalid.number,
        }
    }
}

/// The chains whose nodes are on such a block. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct StaleBranches(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    branches: BTreeMap<ChainId, StaleBranch>,
    /// The chains whose nodes were there in an earlier run, and were not asked yet.
    expected: BTreeSet<ChainId>,
}

impl StaleBranches {
    /// Where a chain's nodes are. `None`: on no such block.
    pub fn of(&self, chain_id: ChainId) -> Option<StaleBranch> {
        self.0.lock().branches.get(&chain_id).copied()
    }

    /// A chain's nodes may be there: until it is known, they are.
    pub fn expect(&self, chain_id: ChainId, branch: StaleBranch) {
        let mut known = self.0.lock();
        known.branches.insert(chain_id, branch);
        known.expected.insert(chain_id);
    }

    /// Whether it is not known yet where a chain's nodes are.
    pub fn is_expected(&self, chain_id: ChainId) -> bool {
        self.0.lock().expected.contains(&chain_id)
    }

    /// A chain's nodes are there, or on no such block. What was known before.
    pub fn set(&self, chain_id: ChainId, branch: Option<StaleBranch>) -> Option<StaleBranch> {
        let mut known = self.0.lock();
        known.expected.remove(&chain_id);
        match branch {
            Some(branch) => known.branches.insert(chain_id, branch),
            None => known.branches.remove(&chain_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::below_the_invalid_block(6, true, true)]
    #[case::the_invalid_block(7, true, false)]
    #[case::above_it(8, false, false)]
    fn what_is_used_of_a_client_on_an_invalid_block(
        #[case] number: u64,
        #[case] while_awaited: bool,
        #[case] once_replaced: bool,
    ) {
        let invalid = BlockNumHash { number: 7, hash: B256::repeat_byte(1) };
        let is_usable = |replaced_by| StaleBranch { invalid, replaced_by }.is_usable(number);
        assert_eq!((is_usable(None), is_usable(Some(B256::ZERO))), (while_awaited, once_replaced));
    }
}
