//! The branch of L1 that a verdict rests on, and whether L1 still has it.

use super::Investigator;
use crate::audit::l1_judge::L1Judge;
use alloy::eips::BlockNumHash;
use crosscheck_core::case::Origin;
use crosscheck_p2p::ChainId;

impl Investigator {
    /// Up to where the nodes have read L1 of the chains that a verdict on a block of this one may rest on.
    /// `None`: L1 is not asked.
    pub(super) fn l1_read(&self, chain_id: ChainId) -> Option<BlockNumHash> {
        self.parts.l1.as_ref()?;
        let rests_on = self.parts.set.reachable_from(chain_id);
        rests_on
            .iter()
            .filter_map(|chain_id| self.parts.heads.current_l1(*chain_id))
            .max_by_key(|l1| l1.number)
    }

    /// How often L1 was seen to leave a branch.
    pub(in crate::audit) fn l1_branches_left(&self) -> u64 {
        self.parts.l1.as_ref().map_or(0, L1Judge::reorg_count)
    }

    /// Whether L1 has this block.
    pub(in crate::audit) async fn l1_origin(&self, chain_id: ChainId, l1: BlockNumHash) -> Origin {
        match &self.parts.l1 {
            Some(judge) => judge.origin(chain_id, l1).await,
            None => Origin::Unknowable,
        }
    }
}
