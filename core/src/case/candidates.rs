//! [`Candidates`] and [`CandidateBook`]: the blocks with user transactions seen lately at each height, each
//! of which an attested deposits-only block may replace. Pure, and bounded.

use crate::consolidation::{BlockAttributes, Fingerprint, Replacement};
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many heights are remembered: two hours of two-second blocks.
const MAX_HEIGHTS: usize = 4096;

/// How many blocks are remembered at one height.
const MAX_PER_HEIGHT: usize = 4;

/// Another block seen at a case's height: one that it may replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its hash.
    pub hash: B256,
    /// The fingerprint of the attributes of the block that would replace it.
    pub deposits_only: Fingerprint,
}

impl Candidate {
    /// The candidate that a block is, and what would replace it: none, if it holds deposits only.
    pub fn of(hash: B256, attributes: &BlockAttributes, replacement: Replacement) -> Option<Self> {
        let deposits_only = || Fingerprint::of(&replacement.of(attributes));
        (!attributes.is_deposits_only()).then(|| Self { hash, deposits_only: deposits_only() })
    }
}

/// Blocks with user transactions, by height. Beyond the bound the lowest height is forgotten.
#[derive(Debug, Default)]
pub struct Candidates {
    by_height: BTreeMap<u64, Vec<Candidate>>,
}

impl Candidates {
    /// Remembers a block. `false`: it is known, or there is no room for it.
    pub fn note(&mut self, number: u64, candidate: Candidate) -> bool {
        if self.by_height.len() >= MAX_HEIGHTS && number < self.oldest() {
            return false;
        }
        let at_height = self.by_height.entry(number).or_default();
        if at_height.len() >= MAX_PER_HEIGHT || at_height.iter().any(|known| known.hash == candidate.hash) {
            return false;
        }
        at_height.push(candidate);
        if self.by_height.len() > MAX_HEIGHTS {
            self.by_height.pop_first();
        }
        true
    }

    /// The lowest height remembered.
    pub fn oldest(&self) -> u64 {
        self.by_height.first_key_value().map_or(0, |(number, _)| *number)
    }

    /// The blocks remembered at a height.
    pub fn at(&self, number: u64) -> &[Candidate] {
        self.by_height.get(&number).map_or(&[], Vec::as_slice)
    }
}

/// The candidates of every chain. Written by the auditor, read by investigations. Clones share it.
#[derive(Clone, Debug)]
pub struct CandidateBook(Arc<RwLock<BTreeMap<ChainId, Candidates>>>);

impl CandidateBook {
    /// An empty book of these chains.
    pub fn new(chains: impl IntoIterator<Item = ChainId>) -> Self {
        let by_chain = chains.into_iter().map(|chain_id| (chain_id, Candidates::default()));
        Self(Arc::new(RwLock::new(by_chain.collect())))
    }

    /// Remembers a block. `Some`: it is new; the lowest height that its chain remembers now.
    pub fn note(&self, chain_id: ChainId, number: u64, candidate: Candidate) -> Option<u64> {
        let mut book = self.0.write();
        let candidates = book.get_mut(&chain_id)?;
        candidates.note(number, candidate).then(|| candidates.oldest())
    }

    /// The blocks remembered at a height of a chain.
    pub fn at(&self, chain_id: ChainId, number: u64) -> Vec<Candidate> {
        self.0.read().get(&chain_id).map_or_else(Vec::new, |candidates| candidates.at(number).to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(byte: u8) -> Candidate {
        Candidate { hash: B256::repeat_byte(byte), deposits_only: Fingerprint(B256::ZERO) }
    }

    #[test]
    fn a_block_is_remembered_once() {
        let mut candidates = Candidates::default();
        assert!(candidates.note(5, candidate(1)));
        assert!(!candidates.note(5, candidate(1)));
        assert!(candidates.note(5, candidate(2)));
        assert_eq!(candidates.at(5), [candidate(1), candidate(2)]);
        assert_eq!(candidates.at(6), []);
    }

    #[test]
    fn heights_and_blocks_at_a_height_are_bounded() {
        let mut candidates = Candidates::default();
        let noted = (0..10).filter(|byte| candidates.note(5, candidate(*byte))).count();
        assert_eq!(noted, MAX_PER_HEIGHT);
        for number in 6..6 + MAX_HEIGHTS as u64 {
            assert!(candidates.note(number, candidate(1)));
        }
        assert_eq!(candidates.oldest(), 6);
        assert!(!candidates.note(5, candidate(1)), "what is below the lowest height is not taken up again");
    }
}
