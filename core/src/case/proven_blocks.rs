//! [`ProvenBlocks`]: blocks that were found valid recently, so that a block on which many messages depend is
//! checked once.
//!
//! A finding depends on the canonical blocks of several chains, and is valid while none of them has reorged.
//! Pure: the caller passes in where the chains are.

use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use lru::LruCache;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

/// How many blocks are remembered.
const CAPACITY: NonZeroUsize = match NonZeroUsize::new(65_536) {
    Some(blocks) => blocks,
    None => NonZeroUsize::MIN,
};

/// Blocks found valid, each with the chains that this rests on.
#[derive(Debug)]
pub struct ProvenBlocks {
    /// By chain and hash: a header does not name its chain.
    blocks: LruCache<(ChainId, B256), Arc<BTreeSet<ChainId>>>,
    /// Each chain's local-safe head when it was last seen to follow from the one before.
    anchors: BTreeMap<ChainId, BlockNumHash>,
    /// How often something was forgotten: a finding begun before that does not count.
    epoch: u64,
    /// How often each chain went back. One that never did is not there.
    resets: BTreeMap<ChainId, u64>,
}

impl Default for ProvenBlocks {
    fn default() -> Self {
        Self { blocks: LruCache::new(CAPACITY), anchors: BTreeMap::new(), epoch: 0, resets: BTreeMap::new() }
    }
}

/// What is to be done before a chain's findings may be used at a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continuity {
    /// Nothing: the chain has not moved back.
    Held,
    /// A check whether the chain still has this block: then the head follows from it.
    Unconfirmed(BlockNumHash),
}

impl ProvenBlocks {
    /// Records a chain's local-safe head. One that moved back, or to another block, removes its findings.
    pub fn observe_head(&mut self, chain_id: ChainId, head: BlockNumHash) -> Continuity {
        match self.anchors.get(&chain_id).copied() {
            Some(anchor) if anchor == head => Continuity::Held,
            Some(anchor) if anchor.number < head.number => Continuity::Unconfirmed(anchor),
            Some(_) => {
                self.reset(chain_id, head);
                Continuity::Held
            }
            None => {
                self.anchors.insert(chain_id, head);
                Continuity::Held
            }
        }
    }

    /// Takes in which block a chain has where its anchor was: the head follows from it, or the chain has
    /// reorged.
    pub fn confirm(&mut self, chain_id: ChainId, anchor: BlockNumHash, head: BlockNumHash, found: B256) {
        if self.anchors.get(&chain_id) != Some(&anchor) {
            return;
        }
        if found == anchor.hash {
            self.anchors.insert(chain_id, head);
        } else {
            self.reset(chain_id, head);
        }
    }

    fn reset(&mut self, chain_id: ChainId, head: BlockNumHash) {
        let rests_on_it =
            self.blocks.iter().filter(|(_, chains)| chains.contains(&chain_id)).map(|(block, _)| *block);
        for block in rests_on_it.collect::<Vec<_>>() {
            self.blocks.pop(&block);
        }
        self.anchors.insert(chain_id, head);
        self.epoch = self.epoch.saturating_add(1);
        let resets = self.resets.entry(chain_id).or_default();
        *resets = resets.saturating_add(1);
    }

    /// How often one of these chains went back.
    pub fn resets_of(&self, chains: &BTreeSet<ChainId>) -> u64 {
        let resets = chains.iter().filter_map(|chain_id| self.resets.get(chain_id));
        resets.fold(0, |sum, resets| sum.saturating_add(*resets))
    }

    /// What a finding that begins now is to name when it is remembered.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The chains that a block's validity rests on, if it was found valid and `is_continuous` says of each of
    /// them that it has not moved back.
    pub fn get(
        &mut self,
        block: (ChainId, B256),
        is_continuous: impl Fn(&ChainId) -> bool,
    ) -> Option<Arc<BTreeSet<ChainId>>> {
        self.blocks.get(&block).filter(|chains| chains.iter().all(is_continuous)).cloned()
    }

    /// Remembers blocks that were found valid, unless a chain has moved back since the finding began.
    pub fn remember(&mut self, epoch: u64, blocks: Vec<(ChainId, B256)>, chains: &Arc<BTreeSet<ChainId>>) {
        if epoch == self.epoch {
            for block in blocks {
                self.blocks.put(block, Arc::clone(chains));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn block(number: u64, fork: u8) -> BlockNumHash {
        BlockNumHash { number, hash: B256::repeat_byte(fork) }
    }

    fn found() -> (ChainId, B256) {
        (902.into(), B256::repeat_byte(0xf0))
    }

    /// Chains 901 and 902 were seen at block 10; [`found`] rests on 901 alone.
    fn blocks() -> ProvenBlocks {
        let mut blocks = ProvenBlocks::default();
        for chain in [901, 902] {
            assert_eq!(blocks.observe_head(chain.into(), block(10, 1)), Continuity::Held);
        }
        let epoch = blocks.epoch();
        blocks.remember(epoch, vec![found()], &Arc::new([ChainId::from(901)].into()));
        blocks
    }

    fn is_known(blocks: &mut ProvenBlocks) -> bool {
        blocks.get(found(), |_| true).is_some()
    }

    #[rstest]
    #[case::same_head(901, block(10, 1), true)]
    #[case::another_block_at_its_height(901, block(10, 2), false)]
    #[case::a_lower_head(901, block(9, 1), false)]
    #[case::a_lower_head_of_another_chain(902, block(9, 1), true)]
    fn heads_that_need_no_lookup(#[case] chain: u64, #[case] head: BlockNumHash, #[case] kept: bool) {
        let mut blocks = blocks();
        assert_eq!(blocks.observe_head(chain.into(), head), Continuity::Held);
        assert_eq!(is_known(&mut blocks), kept);
    }

    #[rstest]
    #[case::follows(B256::repeat_byte(1), true)]
    #[case::reorged_below(B256::repeat_byte(9), false)]
    fn a_higher_head_is_looked_up(#[case] found: B256, #[case] kept: bool) {
        let mut blocks = blocks();
        let (chain, head) = (ChainId::from(901), block(15, 3));
        let Continuity::Unconfirmed(anchor) = blocks.observe_head(chain, head) else { panic!() };
        assert_eq!(anchor, block(10, 1));
        blocks.confirm(chain, anchor, head, found);
        assert_eq!(is_known(&mut blocks), kept);
        assert_eq!(blocks.observe_head(chain, head), Continuity::Held);
    }

    #[test]
    fn a_finding_that_depends_on_a_silent_chain_is_not_used() {
        assert!(blocks().get(found(), |chain| *chain != ChainId::from(901)).is_none());
    }

    #[test]
    fn a_finding_from_before_a_reorg_is_not_remembered() {
        let mut blocks = blocks();
        let epoch = blocks.epoch();
        blocks.observe_head(901.into(), block(3, 7));
        blocks.remember(epoch, vec![found()], &Arc::new([ChainId::from(901)].into()));
        assert!(!is_known(&mut blocks));
    }

    #[test]
    fn only_the_named_chains_count() {
        let mut blocks = blocks();
        let (left, right) = (BTreeSet::from([ChainId::from(901)]), BTreeSet::from([ChainId::from(902)]));
        blocks.observe_head(901.into(), block(3, 7));
        assert_eq!((blocks.resets_of(&left), blocks.resets_of(&right)), (1, 0));
        blocks.observe_head(902.into(), block(3, 7));
        blocks.observe_head(902.into(), block(3, 8));
        assert_eq!((blocks.resets_of(&left), blocks.resets_of(&right)), (1, 2));
        assert_eq!(blocks.resets_of(&left.union(&right).copied().collect()), 3);
    }
}
