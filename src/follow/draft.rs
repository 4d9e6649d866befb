//! [`Draft`]: a status, and what it takes to keep it below a block that turns out invalid after it was made.
//! Pure.

use super::{L2Ref, ServedStatus};
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use std::collections::BTreeSet;

/// A status as it would be served if every block above the vouched head were valid.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The status.
    pub(super) status: ServedStatus,
    /// Where its heads go when they must not stay: the vouched head, if they are above it.
    pub(super) floor: L2Ref,
    /// Invalid blocks that are not on the chain of the status.
    pub(super) elsewhere: BTreeSet<B256>,
    /// Up to this height neither the status nor the node that it was made from can name another branch any
    /// more. `None`: they may.
    pub(super) passed: Option<u64>,
}

impl Draft {
    /// Above this height a block that was proven invalid counts: what is not above the vouched head is
    /// decided.
    pub const fn floor(&self) -> u64 {
        self.floor.number
    }

    /// Up to this height no other branch than the vouched one can be named any more.
    pub(super) const fn passed(&self) -> Option<u64> {
        self.passed
    }

    /// The status with every head below the first of these blocks on its chain.
    pub fn below(&self, invalid: &[BlockNumHash]) -> ServedStatus {
        let mut status = self.status.clone();
        let counts =
            |block: &&BlockNumHash| block.number > self.floor.number && !self.elsewhere.contains(&block.hash);
        let Some(first) = invalid.iter().filter(counts).map(|block| block.number).min() else {
            return status;
        };
        lower(&mut status.local_safe_l2, first, self.floor);
        lower(&mut status.pending_safe_l2, first, status.local_safe_l2);
        for head in [&mut status.unsafe_l2, &mut status.cross_unsafe_l2] {
            lower(head, first, status.pending_safe_l2);
        }
        status
    }
}

fn lower(head: &mut L2Ref, first: u64, floor: L2Ref) {
    if head.number >= first {
        *head = floor;
    }
}
