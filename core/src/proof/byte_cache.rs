//! [`ByteCache`]: the values that were used last, within a byte budget. Pure; it never fetches anything.

use lru::LruCache;
use std::hash::Hash;

/// What an entry takes besides key and value: two links in the list, its weight, and its slot in the table,
/// which may be half empty.
const OVERHEAD: usize = 3 * size_of::<usize>() + 2 * (size_of::<(usize, usize)>() + 1);

/// Values by key. Each is as heavy as who keeps it says.
#[derive(Debug)]
pub struct ByteCache<K: Hash + Eq, V> {
    entries: LruCache<K, Weighed<V>>,
    bytes: usize,
    budget: usize,
}

#[derive(Debug)]
struct Weighed<V> {
    value: V,
    weight: usize,
}

impl<K: Hash + Eq, V: Clone> ByteCache<K, V> {
    /// An empty one that keeps at most this many bytes.
    pub fn new(budget: usize) -> Self {
        Self { entries: LruCache::unbounded(), bytes: 0, budget }
    }

    /// The value of a key, if it is kept.
    pub fn get(&mut self, key: &K) -> Option<V> {
        self.entries.get(key).map(|entry| entry.value.clone())
    }

    /// Keeps a value of this many bytes; the least used go when the budget is reached, and are handed back,
    /// to be freed where no lock is held. One that is too large for the whole budget is not kept, and drives
    /// no other out.
    pub fn insert(&mut self, key: K, value: V, bytes: usize) -> Vec<V> {
        let weight = Self::weight(bytes);
        if weight > self.budget {
            return vec![value];
        }
        let mut dropped = Vec::new();
        if let Some(known) = self.entries.put(key, Weighed { value, weight }) {
            self.bytes = self.bytes.saturating_sub(known.weight);
            dropped.push(known.value);
        }
        self.bytes = self.bytes.saturating_add(weight);
        while self.bytes > self.budget {
            let Some((_, least_used)) = self.entries.pop_lru() else { break };
            self.bytes = self.bytes.saturating_sub(least_used.weight);
            dropped.push(least_used.value);
        }
        dropped
    }

    /// How many bytes of the budget a value of this many bytes takes.
    pub const fn weight(bytes: usize) -> usize {
        bytes.saturating_add(size_of::<(K, V)>()).saturating_add(OVERHEAD)
    }

    /// How many bytes are kept.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many bytes may be kept.
    pub const fn budget(&self) -> usize {
        self.budget
    }

    /// How many values are kept.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}
