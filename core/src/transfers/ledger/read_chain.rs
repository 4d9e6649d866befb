//! [`ReadChain`]: which blocks of a chain were read, and which of them can be taken back.

use super::RefusedBlock;
use crate::message::BlockKey;
use alloy::primitives::B256;
use std::collections::{BTreeMap, BTreeSet};

/// How many blocks can be taken back. A block so far below the tip counts as final.
const MOST_BLOCKS: usize = 65_536;

/// How many blocks with logs that cannot be read are remembered. Below the lowest of more, nothing is proven
/// to be missing.
const MOST_UNCLEAR: usize = 1_024;

#[derive(Clone, Debug)]
struct ReadBlock {
    hash: B256,
    /// The transfers with an end in it.
    messages: Vec<B256>,
}

/// The blocks of one chain.
#[derive(Clone, Debug, Default)]
pub(super) struct ReadChain {
    /// The lowest block since which every initiation is known.
    first: u64,
    /// The block after the tip. `None`: none was read.
    next: Option<u64>,
    /// The highest final block.
    finalized: Option<u64>,
    blocks: BTreeMap<u64, ReadBlock>,
    /// Blocks that may initiate what cannot be read.
    unclear: BTreeSet<u64>,
    /// The blocks of this chain in which executed transfers claim to be initiated.
    pub(super) cites: BTreeSet<(u64, B256)>,
}

impl ReadChain {
    /// Takes the next block. Above the next one, reading begins anew: what was skipped is unknown.
    pub(super) fn begin(&mut self, block: BlockKey, is_unclear: bool) -> Result<(), RefusedBlock> {
        let BlockKey { number, hash, .. } = block;
        let after = number.checked_add(1).ok_or(RefusedBlock::NotNext { next: u64::MAX })?;
        match self.next {
            Some(next) if number < next => return Err(RefusedBlock::NotNext { next }),
            Some(next) if number == next => {}
            Some(_) | None => self.first = number,
        }
        self.next = Some(after);
        self.blocks.insert(number, ReadBlock { hash, messages: Vec::new() });
        if is_unclear {
            self.unclear.insert(number);
            if self.unclear.len() > MOST_UNCLEAR
                && let Some(lowest) = self.unclear.pop_first()
            {
                self.raise(lowest);
            }
        }
        Ok(())
    }

    /// A transfer has an end in the tip.
    pub(super) fn touch(&mut self, message_hash: B256) {
        if let Some(mut tip) = self.blocks.last_entry() {
            tip.get_mut().messages.push(message_hash);
        }
    }

    /// Whether every transfer that this block initiates is known.
    pub(super) fn covers(&self, number: u64) -> bool {
        self.next.is_some_and(|next| (self.first..next).contains(&number)) && !self.unclear.contains(&number)
    }

    /// Whether a block that was read at this height was not taken back since.
    pub(super) fn is_below_tip(&self, number: u64) -> bool {
        self.next.is_some_and(|next| number < next)
    }

    /// What this block initiates is no longer remembered, nor what lower ones do.
    pub(super) fn raise(&mut self, number: u64) {
        self.first = self.first.max(number.saturating_add(1));
    }

    pub(super) fn is_final(&self, number: u64) -> bool {
        self.finalized.is_some_and(|finalized| number <= finalized)
    }

    /// Takes a block and those above it back: the transfers with an end in each, from the highest.
    pub(super) fn take_back(&mut self, block: BlockKey) -> Result<Vec<(u64, Vec<B256>)>, RefusedBlock> {
        if self.blocks.get(&block.number).is_none_or(|read| read.hash != block.hash) {
            return Err(RefusedBlock::NotRead);
        }
        let taken = self.blocks.split_off(&block.number);
        self.unclear.split_off(&block.number);
        let kept = self.blocks.last_key_value().map(|(number, _)| *number).max(self.finalized);
        self.next = kept.and_then(|kept| kept.checked_add(1));
        // Without any block left, reading begins anew.
        self.first = self.first.min(self.next.unwrap_or(block.number));
        Ok(taken.into_iter().rev().map(|(number, read)| (number, read.messages)).collect())
    }

    /// Blocks up to this height are final: the transfers with an end in one that was not.
    pub(super) fn finalize(&mut self, number: u64) -> Vec<B256> {
        let Some(tip) = self.next.and_then(|next| next.checked_sub(1)) else { return Vec::new() };
        let number = number.min(tip);
        self.finalized = self.finalized.max(Some(number));
        let rest = number.checked_add(1).map(|above| self.blocks.split_off(&above)).unwrap_or_default();
        let done = std::mem::replace(&mut self.blocks, rest);
        done.into_values().flat_map(|read| read.messages).collect()
    }

    /// The height up to which blocks are too many to be taken back.
    pub(super) fn excess(&self) -> Option<u64> {
        let lowest = self.blocks.first_key_value().map(|(number, _)| *number);
        lowest.filter(|_| self.blocks.len() > MOST_BLOCKS)
    }
}
