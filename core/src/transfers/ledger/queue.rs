//! [`Queue`]: transfers in the order in which they are forgotten, and how much they take.

use alloy::primitives::B256;
use std::collections::BTreeMap;

/// Transfers by sequence, the oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    order: BTreeMap<u64, B256>,
    /// Their initiations and executions.
    ends: usize,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    #[cfg(test)]
    pub(super) const fn ends(&self) -> usize {
        self.ends
    }

    pub(super) fn insert(&mut self, sequence: u64, hash: B256) {
        self.order.insert(sequence, hash);
    }

    /// Removes a transfer with this many ends.
    pub(super) fn remove(&mut self, sequence: u64, ends: usize) {
        self.order.remove(&sequence);
        self.ends = self.ends.saturating_sub(ends);
    }

    /// A transfer has another number of ends.
    pub(super) fn reweigh(&mut self, before: usize, after: usize) {
        self.ends = self.ends.saturating_sub(before).saturating_add(after);
    }

    /// A transfer is the youngest from now on.
    pub(super) fn renew(&mut self, before: u64, after: u64) {
        if let Some(hash) = self.order.remove(&before) {
            self.order.insert(after, hash);
        }
    }

    /// The oldest, if there are more ends than this.
    pub(super) fn excess(&self, most: usize) -> Option<B256> {
        let oldest = self.order.first_key_value().map(|(_, hash)| *hash);
        oldest.filter(|_| self.ends > most)
    }
}
