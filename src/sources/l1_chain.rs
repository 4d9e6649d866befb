//! [`L1Chain`]: the newest part of L1's canonical chain, by its endpoint's last answers. Pure: no I/O.
//!
//! It is a run of headers, each the parent of the next, up to the head. A block of another branch takes the
//! place of all that is not below it, and that is counted: what was learnt on the branch that is gone must
//! not be used any more.

use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_core::proof::VerifiedL1Header;
use lru::LruCache;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// How many headers of the run are kept: more than three hours of L1.
const KEPT: usize = 1024;

/// How many headers below the run are kept.
const KEPT_BELOW: NonZeroUsize = match NonZeroUsize::new(1024) {
    Some(kept) => kept,
    None => NonZeroUsize::MIN,
};

/// The newest part of a chain.
#[derive(Debug)]
pub(super) struct L1Chain {
    /// By height, without gaps. What is above the head was reported before an endpoint named a lower one.
    run: BTreeMap<u64, Arc<VerifiedL1Header>>,
    head: Option<BlockNumHash>,
    /// Headers below the run, asked for one by one since a branch was left last.
    below: LruCache<u64, Arc<VerifiedL1Header>>,
    left: u64,
}

/// What is known of a height.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// This block is there.
    Known(Arc<VerifiedL1Header>),
    /// It is above the head.
    Above,
    /// It is too far below the head, and was not asked for yet.
    NotKept,
}

impl Default for L1Chain {
    fn default() -> Self {
        Self { run: BTreeMap::new(), head: None, below: LruCache::new(KEPT_BELOW), left: 0 }
    }
}

impl L1Chain {
    /// The newest block.
    pub(super) fn head(&self) -> Option<&Arc<VerifiedL1Header>> {
        self.run.get(&self.head?.number)
    }

    /// How often a branch was left.
    pub(super) const fn reorg_count(&self) -> u64 {
        self.left
    }

    /// What is known of a height.
    pub(super) fn at(&mut self, number: u64) -> At {
        if self.head.is_none_or(|head| number > head.number) {
            return At::Above;
        }
        let known = self.run.get(&number).or_else(|| self.below.get(&number));
        known.map_or(At::NotKept, |header| At::Known(Arc::clone(header)))
    }

    /// The blocks after this height, oldest first.
    pub(super) fn after(&self, number: u64) -> Vec<Arc<VerifiedL1Header>> {
        let Some(head) = self.head.filter(|head| head.number > number) else { return Vec::new() };
        let headers = self.run.range(number.saturating_add(1)..=head.number);
        headers.map(|(_, header)| Arc::clone(header)).collect()
    }

    /// The parent of a header that is to be joined to the run, if that has to be asked for first.
    pub(super) fn missing_parent(&self, header: &VerifiedL1Header) -> Option<B256> {
        let (lowest, _) = self.run.first_key_value()?;
        let parent = header.number().checked_sub(1).filter(|parent| parent >= lowest)?;
        let hash = header.header().parent_hash;
        self.run.get(&parent).is_none_or(|known| known.hash() != hash).then_some(hash)
    }

    /// Takes in a new head and the blocks below it, newest first, each the child of the next. If the last one
    /// is not a child of a block of the run, all that was known is left.
    pub(super) fn adopt(&mut self, path: &[Arc<VerifiedL1Header>]) {
        let (Some(head), Some(last)) = (path.first(), path.last()) else { return };
        self.join(last);
        for header in path.iter().rev() {
            self.run.insert(header.number(), Arc::clone(header));
        }
        self.head = Some(head.id());
        while self.run.len() > KEPT {
            let Some((number, header)) = self.run.pop_first() else { break };
            self.below.put(number, header);
        }
    }

    /// Makes room for a header that is built on the run, or on nothing that is known.
    fn join(&mut self, header: &VerifiedL1Header) {
        let number = header.number();
        if self.run.get(&number).is_some_and(|known| known.hash() == header.hash()) {
            return;
        }
        let parent = number.checked_sub(1).and_then(|parent| self.run.get(&parent));
        if parent.is_some_and(|parent| parent.hash() == header.header().parent_hash) {
            let dropped = self.run.split_off(&number);
            self.left = self.left.saturating_add(u64::from(!dropped.is_empty()));
        } else {
            self.left = self.left.saturating_add(u64::from(!self.run.is_empty()));
            self.run.clear();
            self.below.clear();
        }
    }

    /// Keeps a header below the run that was asked for while branches had been left so often.
    pub(super) fn keep_below(&mut self, header: Arc<VerifiedL1Header>, left: u64) {
        let is_below = self.run.first_key_value().is_some_and(|(lowest, _)| header.number() < *lowest);
        if is_below && self.left == left {
            self.below.put(header.number(), header);
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
