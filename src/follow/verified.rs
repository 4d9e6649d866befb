//! What a follower claims by itself, and how far it serves the vouched head in the mode `verified`: only as far as the chains have come
//! that its chain depends on.

use super::cross_chain::number_up_to;
use super::error::FollowError;
use super::{CrossChainLimits, FinalLimit, Follower, Genesis, Keep, L2Ref, UpstreamStatus};
use crate::audit::{AuditorMessage, Claim};
use crate::config::FollowMode;
use crate::ledger::{Claimant, VouchedHead};
use alloy::eips::BlockNumHash;
use crosscheck_core::heads::SafeMeans;

/// How far below the vouched head a block is looked for.
const MAX_BELOW: u64 = 4095;

/// The highest blocks that may be served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ceiling {
    /// As safe.
    pub(super) safe: L2Ref,
    /// As final.
    pub(super) final_limit: FinalLimit,
}

impl Follower {
    /// Claims what the upstream says, if the mode needs no attestations. Blocks between are claimed with it.
    ///
    /// # Errors
    /// If the rollup node is not known to have derived its local-safe head itself.
    pub(super) async fn claim(&self, upstream: &UpstreamStatus) -> Result<(), FollowError> {
        let chain_id = self.parts.chain_id;
        let (head, claimant) = match self.parts.mode {
            FollowMode::Off | FollowMode::Attested => return Ok(()),
            FollowMode::Clamp => (upstream.safe_l2, self.upstream_claimant()),
            FollowMode::Verified => (upstream.local_safe_l2, Claimant::Derived),
        };
        let Some(head) = head else { return Ok(()) };
        let opinion = self.parts.heads.second_opinion(chain_id);
        if self.parts.mode == FollowMode::Verified && !opinion.covers(head.number) {
            return Err(FollowError::NotDerived { number: head.number, opinion });
        }
        let block = BlockNumHash { number: head.number, hash: head.hash };
        let claim = Claim { chain_id, block, claimant };
        // A closed inbox means that the program is stopping.
        let _ended = self.parts.auditor.send(AuditorMessage::Claim(claim)).await;
        Ok(())
    }

    /// Whose word the upstream's safe head is. A plain node calls a block safe that it has derived, and claims no more.
    fn upstream_claimant(&self) -> Claimant {
        let is_plain = self.parts.upstream.is_sibling()
            && self.parts.heads.safe_means(self.parts.chain_id) == SafeMeans::LocalSafe;
        if is_plain { Claimant::Derived } else { Claimant::Endpoint(self.parts.upstream_name.clone()) }
    }

    /// How far the chains have come that this one depends on. In the other modes, the upstream or an attester has waited for them.
    pub(super) fn limits(&self) -> Result<CrossChainLimits, Keep> {
        if self.parts.mode != FollowMode::Verified {
            return Ok(CrossChainLimits::default());
        }
        let chain_id = self.parts.chain_id;
        let others = self.parts.set.reachable_from(chain_id).into_iter().filter(|other| *other != chain_id);
        CrossChainLimits::of(others.map(|other| (other, self.parts.heads.get(other))))
    }

    /// The highest blocks that these limits allow. Before interop a chain depends on no other.
    ///
    /// # Errors
    /// If such a block is not known.
    pub(super) async fn ceiling(
        &self,
        vouched: L2Ref,
        limits: CrossChainLimits,
        genesis: &Genesis,
    ) -> Result<Ceiling, FollowError> {
        let of = |time: Option<u64>| time.filter(|_| self.is_interop(vouched.timestamp));
        let safe = self.ancestor(vouched, of(limits.safe), genesis).await?;
        let final_limit = match of(limits.finalized) {
            None => FinalLimit::None,
            Some(time) if time >= safe.timestamp => FinalLimit::None,
            time => self.ancestor(vouched, time, genesis).await.map_or(FinalLimit::Unknown, FinalLimit::At),
        };
        Ok(Ceiling { safe, final_limit })
    }

    fn is_interop(&self, timestamp: u64) -> bool {
        self.chain.is_some_and(|chain| chain.lagoon.is_active_at(timestamp))
    }

    /// The highest ancestor of the vouched head that is not later than a time.
    async fn ancestor(
        &self,
        vouched: L2Ref,
        time: Option<u64>,
        genesis: &Genesis,
    ) -> Result<L2Ref, FollowError> {
        let number = number_up_to(&vouched, time, self.parts.block_time);
        if number == vouched.number {
            return Ok(vouched);
        }
        let below = vouched.number.saturating_sub(number);
        let unknown = || FollowError::from(Keep::DependencyBehind { number, vouched: vouched.number });
        let rows =
            u32::try_from(below.saturating_add(1)).ok().filter(|_| below <= MAX_BELOW).ok_or_else(unknown)?;
        let branch =
            self.parts.ledger.vouched_branch(self.parts.chain_id, rows).await.map_err(FollowError::Ledger)?;
        let known =
            branch.iter().find(|block| block.position.number == number).map(|block| block.position.hash);
        // What is below the block that the audit began after was final then.
        let is_below = branch.last().is_some_and(|lowest| lowest.position.number > number);
        let hash = match known {
            None if is_below => self.parts.execution.canonical_hash(number).await?,
            known => known,
        };
        // The head may have moved on meanwhile: the next round serves it.
        let hash = hash.ok_or_else(unknown)?;
        let block = self.parts.execution.block_by_hash(hash).await?;
        let block = block.ok_or(FollowError::VouchedMissing { number, hash })?;
        Ok(L2Ref::of_block(&block, genesis)?)
    }
}

/// What the vouched head replaces, if it is served itself.
pub(super) fn replaced_by(head: VouchedHead, served: &L2Ref) -> Option<alloy::primitives::B256> {
    head.replaces.filter(|_| head.position.number == served.number)
}
