//! [`InvalidBlocks`]: the blocks of each chain that were proven invalid. The monitor and the auditor write it
//! the moment that the proof is there; it is read wherever such a block must not be passed on. Pure shared
//! state: no I/O.
//!
//! A block stays in it until the one who proved it finds it valid, or until the vouched head has passed its
//! height: then a verdict or an operator has decided. Of a chain that has followers, a block that another
//! took the place of stays longer: a status that was made before may still name it, and so may a node that
//! remains on its branch. It is removed once what is served has passed its height. That something is not
//! known any more takes nothing out.

use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::ChainId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::watch;

/// How many blocks of a chain are remembered. Beyond it the highest go: the lowest stops anyone who follows.
const MAX_BLOCKS: usize = 4096;

/// Who proved it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prover {
    /// The monitor: one of its messages is invalid.
    Monitor,
    /// The audit: a verdict says that the block is invalid.
    Audit,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Proofs {
    monitor: bool,
    audit: bool,
}

impl Proofs {
    const fn of(&mut self, prover: Prover) -> &mut bool {
        match prover {
            Prover::Monitor => &mut self.monitor,
            Prover::Audit => &mut self.audit,
        }
    }
}

type Proven = BTreeMap<(u64, B256), Proofs>;

/// The blocks of each chain that were proven invalid. Clones share it.
#[derive(Clone, Debug)]
pub struct InvalidBlocks {
    by_chain: Arc<BTreeMap<ChainId, watch::Sender<Proven>>>,
    /// The chains that followers are served heads of.
    followed: Arc<BTreeSet<ChainId>>,
}

/// Notifies of each change to what is known of a chain.
#[derive(Debug)]
pub struct Changes(Option<watch::Receiver<Proven>>);

impl Changes {
    /// What has changed so far is not news.
    pub fn mark_unchanged(&mut self) {
        if let Some(changes) = &mut self.0 {
            changes.mark_unchanged();
        }
    }

    /// Waits for the next change. Of a chain of which nothing is known there never is one.
    pub async fn changed(&mut self) {
        let heard = match &mut self.0 {
            Some(changes) => changes.changed().await.is_ok(),
            None => false,
        };
        if !heard {
            std::future::pending::<()>().await;
        }
    }
}

impl InvalidBlocks {
    /// Nothing yet, for these chains.
    pub fn new(chains: impl IntoIterator<Item = ChainId>) -> Self {
        let by_chain = chains.into_iter().map(|chain_id| (chain_id, watch::Sender::default())).collect();
        Self { by_chain: Arc::new(by_chain), followed: Arc::default() }
    }

    /// The same, where of these chains followers are served heads: anyone who serves them says what they have
    /// [passed](Self::pass).
    #[must_use]
    pub fn followed(self, chains: impl IntoIterator<Item = ChainId>) -> Self {
        Self { followed: Arc::new(chains.into_iter().collect()), ..self }
    }

    /// A block was proven invalid. `false`: there was no room for it.
    pub fn prove(&self, block: &BlockKey, prover: Prover) -> bool {
        let mut has_room = true;
        self.change(block.chain_id, |proven| {
            let proof = proven.entry((block.number, block.hash)).or_default().of(prover);
            let is_new = !std::mem::replace(proof, true);
            if proven.len() > MAX_BLOCKS {
                has_room = proven.pop_last().is_none_or(|(place, _)| place != (block.number, block.hash));
            }
            is_new
        });
        has_room
    }

    /// A block is valid, as far as `prover` knows.
    pub fn withdraw_proof(&self, block: &BlockKey, prover: Prover) {
        self.change(block.chain_id, |proven| {
            let place = (block.number, block.hash);
            let Some(proofs) = proven.get_mut(&place) else { return false };
            let was_proven = std::mem::take(proofs.of(prover));
            if *proofs == Proofs::default() {
                proven.remove(&place);
            }
            was_proven
        });
    }

    /// The blocks at or below the vouched head's height that followers may still be led onto.
    pub fn lingering(&self, chain_id: ChainId, vouched: u64) -> Vec<BlockKey> {
        let proven = self.by_chain.get(&chain_id).filter(|_| self.followed.contains(&chain_id));
        let Some(proven) = proven.map(watch::Sender::borrow) else { return Vec::new() };
        let below = proven.keys().take_while(|(number, _)| *number <= vouched);
        below.map(|(number, hash)| BlockKey { chain_id, number: *number, hash: *hash }).collect()
    }

    /// The vouched head has reached this height: what is there or below is decided, but for the blocks that
    /// others took the place of.
    pub fn settle(&self, chain_id: ChainId, vouched: u64, replaced: &[BlockKey]) {
        let is_replaced = |place: &(u64, B256)| {
            replaced
                .iter()
                .any(|block| (block.chain_id, block.number, block.hash) == (chain_id, place.0, place.1))
        };
        self.forget(chain_id, |place| place.0 <= vouched && !is_replaced(place));
    }

    /// The served head and the node that it is taken from have reached this height on the vouched branch:
    /// neither can name a block of another branch there or below any more.
    pub fn pass(&self, chain_id: ChainId, safe: u64) {
        self.forget(chain_id, |place| place.0 <= safe);
    }

    fn forget(&self, chain_id: ChainId, goes: impl Fn(&(u64, B256)) -> bool) {
        self.change(chain_id, |proven| {
            let before = proven.len();
            proven.retain(|place, _| !goes(place));
            proven.len() < before
        });
    }

    /// The blocks of a chain above a height, lowest first.
    pub fn above(&self, chain_id: ChainId, number: u64) -> Vec<BlockNumHash> {
        let Some(proven) = self.by_chain.get(&chain_id) else { return Vec::new() };
        let proven = proven.borrow();
        let above = proven.keys().filter(|(height, _)| *height > number);
        above.map(|(number, hash)| BlockNumHash { number: *number, hash: *hash }).collect()
    }

    /// Notifies of each change to a chain's blocks.
    pub fn changes(&self, chain_id: ChainId) -> Changes {
        Changes(self.by_chain.get(&chain_id).map(watch::Sender::subscribe))
    }

    fn change(&self, chain_id: ChainId, change: impl FnOnce(&mut Proven) -> bool) {
        if let Some(proven) = self.by_chain.get(&chain_id) {
            proven.send_if_modified(change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn block(number: u64, fork: u8) -> BlockKey {
        BlockKey { chain_id: ChainId::from(901), number, hash: B256::repeat_byte(fork) }
    }

    fn blocks() -> InvalidBlocks {
        InvalidBlocks::new([ChainId::from(901)])
    }

    fn heights(blocks: &InvalidBlocks, above: u64) -> Vec<u64> {
        blocks.above(ChainId::from(901), above).into_iter().map(|block| block.number).collect()
    }

    #[test]
    fn an_invalid_block_remains_until_its_prover_finds_it_valid() {
        let blocks = blocks();
        for prover in [Prover::Monitor, Prover::Audit] {
            assert!(blocks.prove(&block(5, 1), prover));
        }
        blocks.withdraw_proof(&block(5, 2), Prover::Monitor);
        blocks.withdraw_proof(&block(5, 1), Prover::Monitor);
        assert_eq!(heights(&blocks, 0), [5]);
        blocks.withdraw_proof(&block(5, 1), Prover::Audit);
        assert_eq!(heights(&blocks, 0), [] as [u64; 0]);
    }

    #[test]
    fn blocks_below_the_vouched_head_are_settled() {
        let blocks = blocks();
        for number in [9, 5, 7] {
            blocks.prove(&block(number, 1), Prover::Monitor);
        }
        assert_eq!(heights(&blocks, 5), [7, 9]);
        blocks.settle(ChainId::from(901), 7, &[]);
        assert_eq!(heights(&blocks, 0), [9]);
    }

    #[test]
    fn a_replaced_block_remains_until_the_served_head_has_passed_it() {
        let id = ChainId::from(901);
        let blocks = blocks().followed([id]);
        for number in [5, 6, 7, 9] {
            blocks.prove(&block(number, 1), Prover::Monitor);
        }
        assert_eq!(blocks.lingering(id, 7), [5, 6, 7].map(|number| block(number, 1)));
        blocks.settle(id, 7, &[block(5, 1), block(7, 1), block(6, 2)]);
        assert_eq!(heights(&blocks, 0), [5, 7, 9]);
        blocks.pass(id, 6);
        assert_eq!(heights(&blocks, 0), [7, 9]);
        blocks.pass(id, 7);
        assert_eq!(heights(&blocks, 0), [9]);
    }

    #[test]
    fn a_chain_without_followers_keeps_no_replaced_blocks() {
        let blocks = blocks();
        blocks.prove(&block(5, 1), Prover::Monitor);
        assert!(blocks.lingering(ChainId::from(901), 7).is_empty());
    }

    #[test]
    fn the_lowest_blocks_are_kept_when_there_are_too_many() {
        let blocks = blocks();
        for number in 1..=MAX_BLOCKS as u64 {
            assert!(blocks.prove(&block(number + 1, 1), Prover::Monitor));
        }
        assert!(!blocks.prove(&block(1_000_000, 1), Prover::Monitor));
        assert!(blocks.prove(&block(1, 1), Prover::Monitor));
        assert_eq!(heights(&blocks, 0).len(), MAX_BLOCKS);
        assert_eq!(heights(&blocks, 0).first(), Some(&1));
    }

    #[test]
    fn subscribers_are_notified_only_of_changes() {
        let (blocks, id) = (blocks(), ChainId::from(901));
        let mut changes = blocks.changes(id);
        let mut is_news = || {
            let is_news = changes.changed().now_or_never().is_some();
            changes.mark_unchanged();
            is_news
        };
        blocks.prove(&block(5, 1), Prover::Monitor);
        assert!(is_news());
        blocks.prove(&block(5, 1), Prover::Monitor);
        blocks.withdraw_proof(&block(5, 1), Prover::Audit);
        blocks.settle(id, 4, &[]);
        assert!(!is_news());
        blocks.settle(id, 5, &[]);
        assert!(is_news());
    }

    #[test]
    fn a_chain_that_is_not_watched_has_no_invalid_blocks() {
        let (blocks, other) = (blocks(), BlockKey { chain_id: ChainId::from(902), ..block(5, 1) });
        blocks.prove(&other, Prover::Audit);
        assert!(blocks.above(other.chain_id, 0).is_empty());
        assert!(blocks.changes(other.chain_id).changed().now_or_never().is_none());
    }
}
