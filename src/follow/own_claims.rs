//! What a follower claims by itself: what its upstream calls safe, or what its rollup node derived. It never
//! judges a claim.

use super::error::FollowError;
use super::{Follower, UpstreamStatus};
use crate::audit::{AuditorMessage, Claim};
use crate::config::FollowMode;
use crate::ledger::Claimant;
use alloy::eips::BlockNumHash;
use crosscheck_core::heads::SafeMeans;

/// The node that answered, and what its `safe` means.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnsweringNode {
    pub(super) place: usize,
    pub(super) safe_means: SafeMeans,
}

impl Follower {
    /// Claims what the upstream says, if the mode needs no attestations. Blocks between are claimed with it.
    ///
    /// # Errors
    /// If the rollup node is not known to have derived its local-safe head itself.
    pub(super) async fn claim(
        &self,
        upstream: &UpstreamStatus,
        answering_node: AnsweringNode,
    ) -> Result<(), FollowError> {
        let chain_id = self.parts.chain_id;
        let (head, claimant) = match self.parts.mode {
            FollowMode::Off | FollowMode::Attested => return Ok(()),
            FollowMode::Clamp => (upstream.safe_l2, self.upstream_claimant(upstream, answering_node)),
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

    /// The claimant of the upstream's safe head. A node that is not known to verify messages calls a block
    /// safe that it has derived, and claims no more; nor does one that verifies them say more about a block
    /// from before it began.
    fn upstream_claimant(&self, upstream: &UpstreamStatus, answering_node: AnsweringNode) -> Claimant {
        let since = if self.parts.upstream.is_sibling() { self.parts.heads.verified_since().0 } else { 0 };
        let is_verified = upstream.safe_l2.is_some_and(|safe| safe.timestamp > since);
        match answering_node.safe_means {
            SafeMeans::CrossSafe if is_verified => {
                Claimant::Upstream(self.parts.upstream.name(answering_node.place))
            }
            SafeMeans::CrossSafe | SafeMeans::LocalSafe => Claimant::Derived,
        }
    }
}
