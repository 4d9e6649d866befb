//! Statuses for tests.

use super::{L1Heads, L1Ref, L2Ref, UpstreamStatus};
use alloy::eips::BlockNumHash;
use alloy::primitives::{B256, keccak256};
use serde_json::Map;

fn hash(name: &str) -> B256 {
    keccak256(name.as_bytes())
}

/// Block `number` of L1.
pub(super) fn l1(number: u64) -> L1Ref {
    let name = |number: u64| hash(&format!("l1 {number}"));
    L1Ref {
        hash: name(number),
        number,
        parent_hash: name(number.saturating_sub(1)),
        timestamp: 1_000 + 12 * number,
    }
}

/// Block `number` of a chain's branch.
pub(super) fn on_branch(branch: &str, number: u64) -> L2Ref {
    let name = |number: u64| hash(&format!("l2 {branch} {number}"));
    let origin = l1(number / 6);
    L2Ref {
        hash: name(number),
        number,
        parent_hash: name(number.saturating_sub(1)),
        timestamp: 1_000 + 2 * number,
        l1_origin: BlockNumHash { hash: origin.hash, number: origin.number },
        sequence_number: number % 6,
    }
}

/// Block `number` of the canonical branch.
pub(super) fn l2(number: u64) -> L2Ref {
    on_branch("main", number)
}

/// An upstream whose heads are at these heights of the canonical branch: unsafe, local-safe, safe, finalized.
pub(super) fn upstream([tip, local_safe, safe, finalized]: [u64; 4]) -> UpstreamStatus {
    let current = l1(tip / 6 + 1);
    UpstreamStatus {
        l1: L1Heads {
            current_l1: current,
            current_l1_finalized: l1(1),
            head_l1: current,
            safe_l1: l1(2),
            finalized_l1: l1(1),
        },
        unsafe_l2: Some(l2(tip)),
        cross_unsafe_l2: None,
        local_safe_l2: Some(l2(local_safe)),
        pending_safe_l2: None,
        safe_l2: Some(l2(safe)),
        finalized_l2: Some(l2(finalized)),
        others: Map::new(),
    }
}
