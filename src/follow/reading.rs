//! [`Reading`]: what was read in one round, and what follows from it for the heads above safe. Pure.

use super::{CanonicalHashes, L2Ref, Lagoon, UpstreamStatus};
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use std::collections::BTreeSet;

/// Of how many blocks that were proven invalid it is looked up whether they are canonical: the lowest. Of the
/// others it is assumed.
const MAX_LOOKED_UP: usize = 16;

/// What was read in one round.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// What the upstream says.
    pub upstream: &'a UpstreamStatus,
    /// The execution client's canonical chain, at [`Reading::heights`].
    pub canonical: &'a CanonicalHashes,
    /// The blocks that were proven invalid and that followers may be led onto, on any branch, lowest first.
    pub invalid: &'a [BlockNumHash],
    /// When the chain's interop fork activates.
    pub lagoon: Lagoon,
}

impl Reading<'_> {
    /// The heights at which the canonical chain must be known. `last_safe`: the safe head that was served
    /// last.
    pub fn heights(
        upstream: &UpstreamStatus,
        vouched: u64,
        last_safe: Option<L2Ref>,
        invalid: &[BlockNumHash],
    ) -> BTreeSet<u64> {
        let heads = [upstream.local_safe_l2, upstream.safe_l2, upstream.finalized_l2];
        let heads = heads.into_iter().flatten().chain(last_safe).map(|head| head.number);
        let invalid_heights = invalid.iter().take(MAX_LOOKED_UP).map(|block| block.number);
        let tip = upstream.unsafe_l2.filter(|_| !invalid.is_empty()).map(|tip| tip.number);
        heads.chain([vouched]).chain(invalid_heights).chain(tip).collect()
    }

    /// Whether a local-safe head of the upstream's may be served above `vouched`: it is canonical, and no
    /// follower takes it for safe at once.
    pub(super) fn passes_local_safe(&self, head: &L2Ref, vouched: u64) -> bool {
        let is_promoted = head.number > vouched && !self.lagoon.is_active_at(head.timestamp);
        !is_promoted && self.canonical.is_canonical(head) == Some(true)
    }

    /// The invalid blocks that are known not to be canonical.
    pub(super) fn elsewhere(&self) -> BTreeSet<B256> {
        let is_elsewhere =
            |block: &&BlockNumHash| self.canonical.at(block.number).is_some_and(|hash| hash != block.hash);
        self.invalid.iter().filter(is_elsewhere).map(|block| block.hash).collect()
    }

    pub(super) fn pending_safe(&self, local_safe: &L2Ref) -> L2Ref {
        let is_passed_on = Some(*local_safe) == self.upstream.local_safe_l2;
        let pending = self.upstream.pending_safe_l2;
        pending.filter(|pending| is_passed_on && pending.number > local_safe.number).unwrap_or(*local_safe)
    }

    /// The upstream's tip, and its cross-unsafe head where it sends one; neither below the pending safe head.
    /// `is_on_chain`: it is on the chain that is served.
    pub(super) fn tips(&self, is_on_chain: bool, pending_safe: &L2Ref) -> (L2Ref, L2Ref) {
        let is_above = |head: &L2Ref| is_on_chain && head.number > pending_safe.number;
        let is_safe =
            |head: &L2Ref| self.invalid.is_empty() || self.canonical.is_canonical(head) == Some(true);
        let tip = self.upstream.unsafe_l2.filter(is_above).filter(is_safe).unwrap_or(*pending_safe);
        let cross = match self.upstream.cross_unsafe_l2 {
            Some(head) if head.number >= tip.number => tip,
            Some(head) if is_above(&head) => head,
            Some(_) => *pending_safe,
            None => tip,
        };
        (tip, cross)
    }
}
