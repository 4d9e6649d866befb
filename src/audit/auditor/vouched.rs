//! Where a chain's vouched head begins, and when it leaves a branch. What it moves on over, the ledger
//! decides with each verdict.

use super::{Auditor, Finished, Piece};
use crate::audit::investigator::{HeadMove, recorded_branches};
use crate::audit::replaced_branch::ClientBranch;
use crate::ledger::{LedgerError, MAX_ADVANCE, Retraction, RetractionReason};
use crate::metrics::MeasuredHead;
use crate::sources::SyncStatus;
use crosscheck_p2p::ChainId;
use std::sync::Arc;
use tokio::time::Instant;
use tracing::{info, warn};

impl Auditor {
    /// Where a chain's audit begins is what its node called final when it was first asked.
    pub(super) async fn anchor(&mut self, chain_id: ChainId, status: &SyncStatus) -> Result<(), LedgerError> {
        let head = self.parts.ledger.vouched_head(chain_id).await?;
        // Another program, run by an operator, may have moved it.
        let moves = head.map_or(0, |head| head.retractions);
        if self.moves.insert(chain_id, moves).is_some_and(|known| known != moves) {
            self.find_parents(chain_id).await?;
        }
        if let Some(finalized) = status.finalized_l2
            && head.is_none()
        {
            let position = finalized.position();
            if is_stale_anchor(status) {
                if self.unanchored.insert(chain_id) {
                    warn!(%chain_id, number = position.number, hash = %position.hash,
                          "finalized head is older than a sequencing window, the audit cannot start; check the rollup \
                           node, or set an anchor with `crosscheck anchor`");
                }
                return Ok(());
            }
            self.unanchored.remove(&chain_id);
            self.parts.ledger.anchor(chain_id, position).await?;
            info!(%chain_id, number = position.number, hash = %position.hash, "audit starts after this block");
            self.find_parents(chain_id).await?;
        }
        self.publish_vouched(chain_id).await
    }

    /// Checks, in the background, whether a chain's vouched head is still on the chain.
    pub(super) fn check_vouched(&mut self, chain_id: ChainId) {
        if !self.checking.insert(chain_id) {
            // What is checked now may be no news any more.
            self.check_again.insert(chain_id);
            return;
        }
        let (investigator, ledger) = (Arc::clone(&self.parts.investigator), self.parts.ledger.clone());
        self.running.begin(Piece::CheckingVouched(chain_id), async move {
            let found = investigator.check_vouched(&ledger, chain_id).await;
            let client_branch = investigator.client_branch(&ledger, chain_id).await;
            Finished::VouchedChecked { chain_id, found, client_branch }
        });
    }

    /// Until it is known where a chain's nodes are, they are where an earlier run may have left them.
    pub(super) async fn restore_branches(&self) -> Result<(), LedgerError> {
        let Some(watch) = &self.parts.branches else { return Ok(()) };
        for chain_id in self.parts.rules.keys() {
            let recorded = recorded_branches(&self.parts.ledger, *chain_id).await?;
            if let Some(branch) = recorded.last() {
                watch.expect(*chain_id, *branch);
            }
        }
        Ok(())
    }

    /// Applies the state of a chain's vouched head.
    pub(super) async fn on_vouched_checked(
        &mut self,
        chain_id: ChainId,
        step: Option<HeadMove>,
        client_branch: ClientBranch,
    ) -> Result<(), LedgerError> {
        self.checking.remove(&chain_id);
        if let Some(branches) = &mut self.parts.branches {
            branches.update(chain_id, client_branch, Instant::now());
        }
        if let Some(step) = step {
            self.move_head(chain_id, step).await?;
        }
        if self.check_again.remove(&chain_id) {
            self.check_vouched(chain_id);
        }
        Ok(())
    }

    /// Moves a vouched head that is not on the chain any more, or that is kept from blocks which are on it
    /// again.
    pub(super) async fn move_head(&mut self, chain_id: ChainId, step: HeadMove) -> Result<(), LedgerError> {
        match step {
            HeadMove::Again(blocks) => {
                self.parts.ledger.reinstate(chain_id, &blocks).await?;
                info!(%chain_id, blocks = blocks.len(), "vouched head restored; L1 has its blocks again");
            }
            HeadMove::Back(retraction) => {
                if self.parts.ledger.retract(&retraction, self.parts.clock.now()).await?.is_none() {
                    return Ok(());
                }
                self.report_retraction(&retraction).await?;
            }
        }
        self.find_parents(chain_id).await?;
        self.publish_vouched(chain_id).await
    }
}

impl Auditor {
    /// Reports how far a chain is vouched for.
    pub(super) async fn publish_vouched(&mut self, chain_id: ChainId) -> Result<(), LedgerError> {
        if let Some(vouched) = self.parts.ledger.vouched(chain_id).await? {
            if let Some(watch) = &mut self.parts.vouched {
                watch.set_vouched(chain_id, vouched);
            }
            self.parts.metrics.shared().head(chain_id, MeasuredHead::Vouched, vouched.number);
            let former = self.published.insert(chain_id, vouched.number).unwrap_or(vouched.number);
            if vouched.number.saturating_sub(former) >= MAX_ADVANCE {
                self.behind.insert(chain_id);
            }
            let lingering = self.parts.invalid.lingering(chain_id, vouched.number);
            let replaced = self.parts.ledger.replaced_among(lingering).await?;
            self.parts.invalid.settle(chain_id, vouched.number, &replaced);
        }
        Ok(())
    }

    /// Moves vouched heads on over blocks that are upheld already, where one step did not reach the last of
    /// them, or an earlier run was stopped between.
    pub(super) async fn continue_vouched(&mut self) -> Result<(), LedgerError> {
        for chain_id in std::mem::take(&mut self.behind) {
            self.publish_vouched(chain_id).await?;
            self.parts.ledger.advance(chain_id).await?;
            self.publish_vouched(chain_id).await?;
        }
        Ok(())
    }

    /// Reports that a vouched head has moved back, and marks again what is wrong above it.
    pub(super) async fn report_retraction(&mut self, retraction: &Retraction) -> Result<(), LedgerError> {
        let Retraction { chain_id, from, to, reason } = *retraction;
        self.parts.metrics.retracted(chain_id, reason);
        match reason {
            RetractionReason::L1Reorg | RetractionReason::Replaced => {
                warn!(%chain_id, from = from.number, from_hash = %from.hash, to = to.number, to_hash = %to.hash,
                      reason = reason.name(), "vouched head moved back; its branch was reorged out");
            }
            RetractionReason::Disproven => {
                warn!(%chain_id, from = from.number, from_hash = %from.hash, to = to.number, to_hash = %to.hash,
                      reason = reason.name(),
                      "vouched head moved back; a block that was resolved without a verdict is invalid");
            }
        }
        for (block, prover) in self.parts.ledger.invalid_blocks(chain_id).await? {
            let _no_room = self.parts.invalid.prove(&block, prover);
        }
        Ok(())
    }
}

/// Whether what a node calls final is not a place to begin an audit at.
fn is_stale_anchor(status: &SyncStatus) -> bool {
    let tips = [status.unsafe_l2, status.local_safe_l2].into_iter().flatten();
    let tip = tips.map(|head| head.timestamp).max_by_key(|timestamp| timestamp.0);
    tip.zip(status.finalized_l2).is_some_and(|(tip, finalized)| finalized.is_stale_finality(tip))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;
    use crosscheck_core::heads::L2BlockRef;
    use crosscheck_p2p::UnixSeconds;
    use rstest::rstest;

    #[rstest]
    #[case::a_young_chain(Some(0), Some(43_200), false)]
    #[case::genesis_while_the_node_starts(Some(0), Some(43_201), true)]
    #[case::ordinary(Some(99_000), Some(100_000), false)]
    #[case::nothing_is_final(None, Some(100_000), false)]
    #[case::no_tip(Some(0), None, false)]
    fn an_audit_begins_at_the_final_block_if_it_is_recent(
        #[case] finalized: Option<u64>,
        #[case] tip: Option<u64>,
        #[case] expected: bool,
    ) {
        let head = |at: u64| L2BlockRef::new(at, B256::repeat_byte(1), UnixSeconds(at));
        let (finalized_l2, unsafe_l2) = (finalized.and_then(head), tip.and_then(head));
        let status = SyncStatus { unsafe_l2, finalized_l2, ..SyncStatus::default() };
        assert_eq!(is_stale_anchor(&status), expected);
    }
}
