//! [`LightCl`]: the heads of a node that follows a source, and op-node's rules of how a status moves them.
//! Pure.
//!
//! The rules, as op-node has them (`driver.go` followUpstream, `engine_controller.go` FollowSource): a status
//! is refused whole if its heads are out of order or name an L1 block that the follower's own L1 does not
//! have; otherwise the block at the derived height is kept if every field agrees, and reorged to if not; safe
//! heads go by number, and forward only, until the follower's own L1 drops their origins. A derived block
//! from before Lagoon is safe as soon as it is served (`localSafeIsFullySafe`).

use super::{FollowStatus, ServedL2Ref};
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;

/// Why a status is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Rejection {
    /// The cross-safe head is above the derived one.
    #[error("safe head {safe} is above local-safe head {local_safe}")]
    SafeAboveLocalSafe {
        /// The cross-safe height.
        safe: u64,
        /// The derived height.
        local_safe: u64,
    },
    /// The final head is above the cross-safe one.
    #[error("finalized head {finalized} is above safe head {safe}")]
    FinalizedAboveSafe {
        /// The final height.
        finalized: u64,
        /// The cross-safe height.
        safe: u64,
    },
    /// An L1 block is not one of the follower's L1.
    #[error("the L1 block {number} of {what} is not the follower's: {hash}")]
    OtherL1 {
        /// Which reference it is of.
        what: &'static str,
        /// Its height.
        number: u64,
        /// Its hash.
        hash: B256,
    },
}

/// What a status demands of the execution client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LightClStep {
    /// The unsafe head is below the derived head: go to it.
    CatchUp,
    /// The client has the derived head.
    Consolidate,
    /// The client has another block there: go to the derived head.
    Reorg,
}

/// The safe heads of a follower. Its unsafe head is its execution client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LightCl {
    local_safe: ServedL2Ref,
    safe: ServedL2Ref,
    finalized: ServedL2Ref,
    /// When Lagoon activates; `None`: never.
    lagoon: Option<u64>,
}

impl LightCl {
    /// A follower at genesis of a chain on which Lagoon activates at this time, or never.
    pub(crate) const fn new(genesis: ServedL2Ref, lagoon: Option<u64>) -> Self {
        Self { local_safe: genesis, safe: genesis, finalized: genesis, lagoon }
    }

    /// The newest cross-safe block.
    pub(crate) const fn safe(&self) -> ServedL2Ref {
        self.safe
    }

    /// The newest final block.
    pub(crate) const fn finalized(&self) -> ServedL2Ref {
        self.finalized
    }

    /// Checks a status. `l1` is the follower's own L1: the hash at a height.
    ///
    /// # Errors
    /// When the status is to be refused; the follower then stays as it is.
    pub(crate) fn check(status: &FollowStatus, l1: impl Fn(u64) -> Option<B256>) -> Result<(), Rejection> {
        let heights = [status.finalized_l2, status.safe_l2, status.local_safe_l2].map(|block| block.number);
        let [finalized, safe, local_safe] = heights;
        if safe > local_safe {
            return Err(Rejection::SafeAboveLocalSafe { safe, local_safe });
        }
        if finalized > safe {
            return Err(Rejection::FinalizedAboveSafe { finalized, safe });
        }
        let origins = [
            ("local_safe_l2", status.local_safe_l2.l1_origin),
            ("safe_l2", status.safe_l2.l1_origin),
            ("finalized_l2", status.finalized_l2.l1_origin),
            ("current_l1", status.current_l1),
        ];
        let other = |(_, block): &(&str, BlockNumHash)| l1(block.number) != Some(block.hash);
        origins.into_iter().find(other).map_or(Ok(()), |(what, BlockNumHash { hash, number })| {
            Err(Rejection::OtherL1 { what, number, hash })
        })
    }

    /// L1 has reorged out the origins of the safe heads: they go back to this block. The final head stays.
    pub(crate) const fn go_back(&mut self, to: ServedL2Ref) {
        (self.local_safe, self.safe) = (to, to);
    }

    /// What a status that passed demands of an execution client with this unsafe head and this canonical
    /// block at the derived height.
    pub(crate) fn step(
        status: &FollowStatus,
        unsafe_head: ServedL2Ref,
        local: Option<ServedL2Ref>,
    ) -> LightClStep {
        if unsafe_head.number < status.local_safe_l2.number {
            return LightClStep::CatchUp;
        }
        if local == Some(status.local_safe_l2) { LightClStep::Consolidate } else { LightClStep::Reorg }
    }

    /// Takes the heads of a status once the execution client has done its step.
    pub(crate) fn take(&mut self, status: &FollowStatus) {
        let local_safe = status.local_safe_l2;
        if local_safe.number > self.local_safe.number {
            self.local_safe = local_safe;
            if self.lagoon.is_none_or(|lagoon| local_safe.timestamp < lagoon) {
                self.safe = local_safe;
            }
        }
        let heads = [(&mut self.safe, status.safe_l2), (&mut self.finalized, status.finalized_l2)];
        for (head, served) in heads {
            if served.number > head.number {
                *head = served;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follower::follower_store::tests::block;
    use rstest::rstest;

    fn l1(number: u64) -> Option<B256> {
        (number <= 20).then_some(B256::repeat_byte(1))
    }

    fn status(finalized: u64, safe: u64, local_safe: u64) -> FollowStatus {
        FollowStatus {
            current_l1: BlockNumHash { hash: B256::repeat_byte(1), number: 20 },
            safe_l2: block(safe, 1, 1),
            local_safe_l2: block(local_safe, 1, 1),
            finalized_l2: block(finalized, 1, 1),
        }
    }

    const OTHER: BlockNumHash = BlockNumHash { hash: B256::repeat_byte(2), number: 3 };
    const FUTURE: BlockNumHash = BlockNumHash { hash: B256::repeat_byte(1), number: 21 };

    #[rstest]
    #[case::in_order(status(1, 2, 3), None)]
    #[case::all_alike(status(3, 3, 3), None)]
    #[case::safe_above_local_safe(status(1, 4, 3), Some("safe head 4"))]
    #[case::finalized_above_safe(status(3, 2, 3), Some("finalized head 3"))]
    #[case::safe_origin({ let mut it = status(1, 2, 3); it.safe_l2.l1_origin = OTHER; it }, Some("of safe_l2"))]
    #[case::local_safe_origin(
        { let mut it = status(1, 2, 3); it.local_safe_l2.l1_origin = OTHER; it },
        Some("of local_safe_l2")
    )]
    #[case::finalized_origin(
        { let mut it = status(1, 2, 3); it.finalized_l2.l1_origin = OTHER; it },
        Some("of finalized_l2")
    )]
    #[case::current_l1(FollowStatus { current_l1: OTHER, ..status(1, 2, 3) }, Some("of current_l1"))]
    #[case::l1_that_is_not_there_yet(
        FollowStatus { current_l1: FUTURE, ..status(1, 2, 3) },
        Some("of current_l1")
    )]
    fn statuses(#[case] status: FollowStatus, #[case] refused: Option<&str>) {
        let said = LightCl::check(&status, l1).map_err(|rejection| rejection.to_string());
        match refused {
            None => assert_eq!(said, Ok(())),
            Some(refused) => assert!(said.clone().unwrap_err().contains(refused), "{said:?}"),
        }
    }

    #[rstest]
    #[case::behind(2, None, LightClStep::CatchUp)]
    #[case::same_block(5, Some(block(3, 1, 1)), LightClStep::Consolidate)]
    #[case::other_hash(5, Some(block(3, 2, 1)), LightClStep::Reorg)]
    #[case::other_place_in_the_epoch(5, Some(ServedL2Ref { sequence_number: 9, ..block(3, 1, 1) }), LightClStep::Reorg)]
    #[case::other_parent(5, Some(ServedL2Ref { parent_hash: B256::ZERO, ..block(3, 1, 1) }), LightClStep::Reorg)]
    #[case::nothing_there(5, None, LightClStep::Reorg)]
    fn steps(#[case] unsafe_head: u64, #[case] local: Option<ServedL2Ref>, #[case] step: LightClStep) {
        assert_eq!(LightCl::step(&status(1, 2, 3), block(unsafe_head, 1, 1), local), step);
    }

    #[test]
    fn safe_heads_move_by_number_and_forward_only() {
        let mut node = LightCl::new(block(0, 1, 1), Some(0));
        node.take(&status(1, 2, 3));
        assert_eq!((node.safe(), node.finalized()), (block(2, 1, 1), block(1, 1, 1)));
        node.take(&FollowStatus { safe_l2: block(2, 2, 1), ..status(0, 2, 3) });
        assert_eq!((node.safe(), node.finalized()), (block(2, 1, 1), block(1, 1, 1)));
        node.take(&status(2, 3, 3));
        assert_eq!((node.safe(), node.finalized()), (block(3, 1, 1), block(2, 1, 1)));
    }

    #[test]
    fn a_follower_leaves_blocks_that_l1_dropped_and_keeps_final_ones() {
        let mut node = LightCl::new(block(0, 1, 1), Some(0));
        node.take(&status(1, 4, 5));
        node.go_back(block(2, 1, 1));
        assert_eq!((node.safe(), node.finalized()), (block(2, 1, 1), block(1, 1, 1)));
        node.take(&FollowStatus { safe_l2: block(3, 2, 1), ..status(1, 3, 4) });
        assert_eq!(node.safe(), block(3, 2, 1));
    }

    #[rstest]
    #[case::before_lagoon(Some(1_007), 3)]
    #[case::without_lagoon(None, 3)]
    #[case::in_lagoon(Some(1_006), 2)]
    fn before_lagoon_what_is_served_as_local_safe_is_safe(#[case] lagoon: Option<u64>, #[case] safe: u64) {
        let mut node = LightCl::new(block(0, 1, 1), lagoon);
        assert_eq!(block(3, 1, 1).timestamp, 1_006);
        node.take(&status(1, 2, 3));
        assert_eq!(node.safe(), block(safe, 1, 1));
    }
}
