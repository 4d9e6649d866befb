//! Whether the vouched head is still on the chain, and what follows if it is not.
//!
//! L1 decides: a head leaves its branch when L1 has reorged out what it is built on, or when another block at
//! its height is final. The answer of a node that checks no messages counts for that only of a block that was
//! upheld here, for it may stay on one that was lawfully replaced. That a client has another block there for
//! a while moves nothing.

use super::{Awaited, Investigator};
use crate::audit::replaced_branch::ClientBranch;
use crate::ledger::{BranchBlock, Ledger, LedgerError, Retraction, RetractionReason};
use crate::stale_branches::StaleBranch;
use alloy::eips::BlockNumHash;
use crosscheck_core::case::{Origin, Violation};
use crosscheck_core::heads::SafeMeans;
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::ChainId;

/// How many blocks of a branch are checked: as many as no reorg of L1 below finality takes.
const MAX_BRANCH: u32 = 4096;

/// What must be done about a vouched head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::audit) enum HeadMove {
    /// It leaves its branch.
    Back(Retraction),
    /// It may go onto these blocks again, which it left before.
    Again(Vec<BlockNumHash>),
}

/// What is seen of one block of the vouched branch.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// Whether L1 has what it is built on.
    origin: Origin,
    /// Whether the execution client has it at its height. `None`: it has no block there, or did not answer.
    is_canonical: Option<bool>,
    /// Whether what the client has at that height is final, by a node that verifies messages or with a
    /// verdict of ours.
    is_final: bool,
}

/// Whether a block is still on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BranchState {
    OnChain,
    Left(RetractionReason),
    Unknown,
}

impl Seen {
    const fn state(self) -> BranchState {
        match (self.origin, self.is_canonical) {
            (Origin::Dropped, _) => BranchState::Left(RetractionReason::L1Reorg),
            (Origin::Canonical | Origin::Unknowable, Some(true)) => BranchState::OnChain,
            (Origin::Canonical | Origin::Unknowable, Some(false)) if self.is_final => {
                BranchState::Left(RetractionReason::Replaced)
            }
            (Origin::Canonical | Origin::Unknowable | Origin::NotYet, _) => BranchState::Unknown,
        }
    }
}

impl Investigator {
    /// What must be done about a chain's vouched head. `None`: nothing, or it cannot be determined now.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(in crate::audit) async fn check_vouched(
        &self,
        ledger: &Ledger,
        chain_id: ChainId,
    ) -> Result<Option<HeadMove>, LedgerError> {
        let Some(head) = ledger.vouched(chain_id).await? else { return Ok(None) };
        match self.is_canonical(chain_id, head).await {
            Some(true) => self.find_above(ledger, chain_id).await,
            Some(false) | None => self.find_below(ledger, chain_id).await,
        }
    }

    /// Whether the chain's client is on the block that the vouched one replaces, or on one above it that was
    /// found invalid.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub(in crate::audit) async fn client_branch(
        &self,
        ledger: &Ledger,
        chain_id: ChainId,
    ) -> Result<ClientBranch, LedgerError> {
        if ledger.vouched(chain_id).await?.is_none() {
            return Ok(ClientBranch::Unknown);
        }
        for branch in recorded_branches(ledger, chain_id).await? {
            let client_branch = self.client_branch_at(chain_id, branch).await;
            if client_branch != ClientBranch::Left {
                return Ok(client_branch);
            }
        }
        Ok(ClientBranch::Left)
    }

    /// Whether the chain's client is on an invalid block.
    async fn client_branch_at(&self, chain_id: ChainId, branch: StaleBranch) -> ClientBranch {
        let invalid = branch.invalid;
        let heads = self.parts.heads.get(chain_id);
        // What its sequencer may still reorg by itself is no branch of the chain yet.
        let local_safe = heads.as_ref().and_then(|heads| heads.local_safe_l2);
        if branch.replaced_by.is_none() && local_safe.is_none_or(|head| head.number < invalid.number) {
            return if local_safe.is_none() { ClientBranch::Unknown } else { ClientBranch::Left };
        }
        // A node that has verified another block since knows what this program has not reached yet.
        let safe = heads.and_then(|heads| heads.safe_l2);
        let has_verified = safe.is_some_and(|head| {
            let means = self.parts.heads.safe_means_at(chain_id, head.timestamp);
            means == SafeMeans::CrossSafe && head.number >= invalid.number
        });
        let Some(client) = self.parts.clients.get(&chain_id) else { return ClientBranch::Unknown };
        match client.canonical_hash(invalid.number).await {
            Ok(Some(found)) if found == invalid.hash && !has_verified => ClientBranch::Stale(branch),
            Ok(Some(_)) => ClientBranch::Left,
            // Anyone who asks for blocks beside this reports the failure.
            Ok(None) | Err(_) => ClientBranch::Unknown,
        }
    }

    /// The blocks above the head that it left, as far as L1 has them again.
    async fn find_above(&self, ledger: &Ledger, chain_id: ChainId) -> Result<Option<HeadMove>, LedgerError> {
        let mut again = Vec::new();
        for block in ledger.abandoned_branch(chain_id, MAX_BRANCH).await? {
            if self.examine(chain_id, &block, false).await.state() != BranchState::OnChain {
                break;
            }
            again.push(block.position);
        }
        Ok((!again.is_empty()).then_some(HeadMove::Again(again)))
    }

    /// The highest block at or below the head that is still on the chain. Mostly that is the head itself: the
    /// blocks below it are read only if it is not.
    async fn find_below(&self, ledger: &Ledger, chain_id: ChainId) -> Result<Option<HeadMove>, LedgerError> {
        let Some((_, BranchState::Left(_))) =
            self.examine_branch(ledger, chain_id, 1).await?.first().copied()
        else {
            return Ok(None);
        };
        let examined = self.examine_branch(ledger, chain_id, MAX_BRANCH).await?;
        let mut left: Option<(BlockNumHash, RetractionReason)> = None;
        for (to, state) in examined {
            match (state, left) {
                (BranchState::Left(reason), None) => left = Some((to, reason)),
                (BranchState::Left(_), Some(_)) => {}
                (BranchState::OnChain, Some((from, reason))) => {
                    return Ok(Some(HeadMove::Back(Retraction { chain_id, from, to, reason })));
                }
                (BranchState::OnChain, None) | (BranchState::Unknown, _) => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The vouched head and its ancestors, highest first, `limit` at most, down to the first that is still on
    /// the chain, or of which that is unknown.
    async fn examine_branch(
        &self,
        ledger: &Ledger,
        chain_id: ChainId,
        limit: u32,
    ) -> Result<Vec<(BlockNumHash, BranchState)>, LedgerError> {
        let finalized = self.final_height(chain_id).await;
        let final_head = self.parts.heads.get(chain_id).and_then(|heads| heads.finalized_l2);
        let is_verified = final_head.is_some_and(|head| {
            self.parts.heads.safe_means_at(chain_id, head.timestamp) == SafeMeans::CrossSafe
        });
        let mut examined = Vec::new();
        for block in ledger.vouched_branch(chain_id, limit).await? {
            let to = block.position;
            let is_final = finalized.is_some_and(|height| to.number <= height)
                && (is_verified || self.is_upheld_at(ledger, chain_id, to.number).await?);
            let state = self.examine(chain_id, &block, is_final).await.state();
            examined.push((to, state));
            if !matches!(state, BranchState::Left(_)) {
                break;
            }
        }
        Ok(examined)
    }

    async fn examine(&self, chain_id: ChainId, block: &BranchBlock, is_final: bool) -> Seen {
        let origin = match (&self.parts.l1, block.l1_origin) {
            (Some(l1), Some(origin)) => l1.origin(chain_id, origin).await,
            _ => Origin::Unknowable,
        };
        // No client can have a block that L1 has reorged out.
        let is_canonical = match origin {
            Origin::Dropped | Origin::NotYet => None,
            Origin::Canonical | Origin::Unknowable => self.is_canonical(chain_id, block.position).await,
        };
        Seen { origin, is_canonical, is_final }
    }

    async fn is_canonical(&self, chain_id: ChainId, block: BlockNumHash) -> Option<bool> {
        match self.parts.clients.get(&chain_id)?.canonical_hash(block.number).await {
            Ok(found) => found.map(|hash| hash == block.hash),
            Err(error) => {
                let _wait = self.record_failure(&error, chain_id, Awaited::Block);
                None
            }
        }
    }

    /// Whether the block that the execution client has at a height was upheld.
    async fn is_upheld_at(
        &self,
        ledger: &Ledger,
        chain_id: ChainId,
        number: u64,
    ) -> Result<bool, LedgerError> {
        let Some(client) = self.parts.clients.get(&chain_id) else { return Ok(false) };
        // Anyone who asks for blocks beside this reports a failure.
        let Ok(Some(found)) = client.canonical_hash(number).await else { return Ok(false) };
        let known = ledger.cases_at(chain_id, number).await?.into_iter().find(|case| case.hash == found);
        let verdict = known.and_then(|case| case.verdict);
        Ok(verdict.is_some_and(|verdict| verdict.kind.is_upheld()))
    }

    /// Up to which height what the execution client has is final, by the rollup node.
    async fn final_height(&self, chain_id: ChainId) -> Option<u64> {
        let finalized = self.parts.heads.get(chain_id)?.finalized_l2?.position();
        (self.is_canonical(chain_id, finalized).await == Some(true)).then_some(finalized.number)
    }
}

/// The invalid blocks that the nodes of a chain may be on by the ledger: the one that the vouched head
/// replaces, then those above it.
///
/// # Errors
/// If the ledger cannot be read.
pub(in crate::audit) async fn recorded_branches(
    ledger: &Ledger,
    chain_id: ChainId,
) -> Result<Vec<StaleBranch>, LedgerError> {
    let Some(head) = ledger.vouched_head(chain_id).await? else { return Ok(Vec::new()) };
    let BlockNumHash { number, hash: by } = head.position;
    let replaced = head
        .replaces
        .map(|hash| StaleBranch { invalid: BlockNumHash { number, hash }, replaced_by: Some(by) });
    let mut branches = Vec::from_iter(replaced);
    for (block, _) in ledger.invalid_blocks(chain_id).await? {
        if has_invalid_message(ledger, &block).await? {
            let invalid = BlockNumHash { number: block.number, hash: block.hash };
            branches.push(StaleBranch { invalid, replaced_by: None });
        }
    }
    Ok(branches)
}

/// Whether a block was found to execute an invalid message: then the chain replaces it.
pub(super) async fn has_invalid_message(ledger: &Ledger, block: &BlockKey) -> Result<bool, LedgerError> {
    let known = ledger.cases_at(block.chain_id, block.number).await?;
    let verdict = known.into_iter().find(|case| case.hash == block.hash).and_then(|case| case.verdict);
    Ok(verdict.is_some_and(|verdict| verdict.reason.as_deref() == Some(Violation::INVALID_MESSAGE)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const REORG: BranchState = BranchState::Left(RetractionReason::L1Reorg);
    const REPLACED: BranchState = BranchState::Left(RetractionReason::Replaced);

    #[rstest]
    #[case::the_block_is_on_the_chain(Origin::Canonical, Some(true), false, BranchState::OnChain)]
    #[case::the_block_is_on_the_chain_and_its_origin_is_unknown(
        Origin::Unknowable,
        Some(true),
        false,
        BranchState::OnChain
    )]
    #[case::l1_does_not_answer(Origin::NotYet, Some(true), true, BranchState::Unknown)]
    #[case::l1_does_not_answer_and_another_block_is_there(
        Origin::NotYet,
        Some(false),
        true,
        BranchState::Unknown
    )]
    #[case::l1_has_dropped_it(Origin::Dropped, None, false, REORG)]
    #[case::l1_has_dropped_it_and_the_client_does_not_know(Origin::Dropped, Some(true), false, REORG)]
    #[case::another_block_is_not_final(Origin::Canonical, Some(false), false, BranchState::Unknown)]
    #[case::another_block_is_final(Origin::Canonical, Some(false), true, REPLACED)]
    #[case::nothing_is_there(Origin::Canonical, None, true, BranchState::Unknown)]
    #[case::its_origin_is_unknown(Origin::Unknowable, Some(false), false, BranchState::Unknown)]
    fn the_state_of_a_block_on_its_branch(
        #[case] origin: Origin,
        #[case] is_canonical: Option<bool>,
        #[case] is_final: bool,
        #[case] expected: BranchState,
    ) {
        assert_eq!(Seen { origin, is_canonical, is_final }.state(), expected);
    }
}
