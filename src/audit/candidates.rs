//! [`Candidates`]: the blocks with user transactions seen lately at each height, each of which an attested
//! deposits-only block may replace. Pure, and bounded.

use super::Candidate;
use crate::consolidation::BlockAttributes;
use alloy::primitives::B256;
use std::collections::BTreeMap;

/// How many heights are remembered: two hours of two-second blocks.
const MAX_HEIGHTS: usize = 4096;

/// How many blocks are remembered at one height.
const MAX_PER_HEIGHT: usize = 4;

/// Blocks with user transactions, by height. Beyond the bound the lowest height is forgotten.
#[derive(Debug, Default)]
pub struct Candidates {
    by_height: BTreeMap<u64, Vec<Candidate>>,
}

impl Candidates {
    /// Remembers a block, unless it holds deposits only.
    pub fn note(&mut self, number: u64, hash: B256, attributes: &BlockAttributes) {
        if attributes.is_deposits_only() {
            return;
        }
        let at_height = self.by_height.entry(number).or_default();
        if at_height.len() >= MAX_PER_HEIGHT || at_height.iter().any(|known| known.hash == hash) {
            return;
        }
        at_height.push(Candidate { hash, deposits_only: attributes.with_deposits_only() });
        if self.by_height.len() > MAX_HEIGHTS {
            self.by_height.pop_first();
        }
    }

    /// The blocks remembered at a height.
    pub fn at(&self, number: u64) -> Vec<Candidate> {
        self.by_height.get(&number).cloned().unwrap_or_default()
    }
}
