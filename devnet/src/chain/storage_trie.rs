//! [`StorageTrie`]: an account's storage with its root, cheap to copy and cheap to change.
//!
//! The root is that of the plain secure Merkle Patricia trie over all slots. What is kept besides the slots
//! is the topmost node of each subtrie below the first two nibbles, so that a change hashes its subtrie again
//! and not the whole: the ring buffers of the system contracts hold up to 16,382 slots and change every
//! block.

use alloy::{
    consensus::constants::EMPTY_ROOT_HASH,
    primitives::{B256, U256, keccak256},
    rlp,
    trie::{HashBuilder, Nibbles},
};
use imbl::OrdMap;

/// Slots by hashed key, and the root over them.
#[derive(Clone, Debug)]
pub(crate) struct StorageTrie {
    slots: OrdMap<B256, U256>,
    subtries: OrdMap<u8, Subtrie>,
    root: B256,
}

/// The topmost node of the slots whose hashed keys begin with the same byte.
#[derive(Clone, Copy, Debug)]
enum Subtrie {
    /// A single slot: its leaf's key ends where the subtrie is hung in.
    Leaf { key: B256, value: U256 },
    /// Several slots: the branch where they part, and the path to it from the root.
    Branch { path: Nibbles, hash: B256 },
}

impl Default for StorageTrie {
    fn default() -> Self {
        Self { slots: OrdMap::new(), subtries: OrdMap::new(), root: EMPTY_ROOT_HASH }
    }
}

impl StorageTrie {
    /// The root of the trie.
    pub(crate) const fn root(&self) -> B256 {
        self.root
    }

    /// The word at a slot: zero where nothing is stored.
    pub(crate) fn get(&self, slot: U256) -> U256 {
        self.slots.get(&hashed(slot)).copied().unwrap_or_default()
    }

    /// Stores words at slots; zero removes a slot.
    pub(crate) fn update(&mut self, changes: impl IntoIterator<Item = (U256, U256)>) {
        let mut touched = std::collections::BTreeSet::new();
        for (slot, value) in changes {
            let key = hashed(slot);
            touched.insert(first_byte(&key));
            if value.is_zero() {
                self.slots.remove(&key);
            } else {
                self.slots.insert(key, value);
            }
        }
        if touched.is_empty() {
            return;
        }
        for prefix in touched {
            match self.subtrie(prefix) {
                Some(subtrie) => self.subtries.insert(prefix, subtrie),
                None => self.subtries.remove(&prefix),
            };
        }
        self.root = self.combine();
    }

    /// The topmost node of the slots whose hashed keys begin with `prefix`, if there are any.
    fn subtrie(&self, prefix: u8) -> Option<Subtrie> {
        let (mut from, mut to) = (B256::ZERO, B256::repeat_byte(0xff));
        for bound in [&mut from, &mut to] {
            if let Some(first) = bound.0.first_mut() {
                *first = prefix;
            }
        }
        let mut slots = self.slots.range(from..=to);
        let (first, value) = slots.next()?;
        let Some((last, _)) = slots.next_back() else {
            return Some(Subtrie::Leaf { key: *first, value: *value });
        };
        // Keys are in order, so what the first and the last have in common, all have.
        let shared = Nibbles::unpack(first).common_prefix_length(&Nibbles::unpack(last));
        let mut below = HashBuilder::default();
        for (key, value) in self.slots.range(from..=to) {
            below.add_leaf(Nibbles::unpack(key).slice(shared..), &encoded(value));
        }
        Some(Subtrie::Branch { path: Nibbles::unpack(first).slice(..shared), hash: below.root() })
    }

    fn combine(&self) -> B256 {
        let mut builder = HashBuilder::default();
        for subtrie in self.subtries.values() {
            match subtrie {
                Subtrie::Leaf { key, value } => builder.add_leaf(Nibbles::unpack(key), &encoded(value)),
                Subtrie::Branch { path, hash } => builder.add_branch(*path, *hash, false),
            }
        }
        builder.root()
    }
}

/// A slot's key in the secure trie.
fn hashed(slot: U256) -> B256 {
    keccak256(slot.to_be_bytes::<32>())
}

fn first_byte(key: &B256) -> u8 {
    let [first, ..] = key.0;
    first
}

/// A word as the trie's leaves encode it.
fn encoded(value: &U256) -> Vec<u8> {
    rlp::encode(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::consensus::proofs::storage_root_unhashed;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn whole(slots: &BTreeMap<u64, u64>) -> B256 {
        let stored = slots.iter().filter(|(_, value)| **value != 0);
        storage_root_unhashed(stored.map(|(slot, value)| (U256::from(*slot).into(), U256::from(*value))))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// From a lone leaf up to many slots below each first byte, and back.
        #[test]
        fn the_root_is_that_of_the_whole_trie(
            rounds in prop::collection::vec(
                prop::collection::vec((0..700_u64, prop_oneof![Just(0), Just(1), any::<u64>()]), 0..300), 1..6
            )
        ) {
            let mut trie = StorageTrie::default();
            let mut slots = BTreeMap::new();
            for round in rounds {
                slots.extend(round.iter().copied());
                trie.update(round.into_iter().map(|(slot, value)| (U256::from(slot), U256::from(value))));
                prop_assert_eq!(trie.root(), whole(&slots));
            }
            for (slot, value) in &slots {
                prop_assert_eq!(trie.get(U256::from(*slot)), U256::from(*value));
            }
            trie.update(slots.keys().map(|slot| (U256::from(*slot), U256::ZERO)));
            prop_assert_eq!(trie.root(), EMPTY_ROOT_HASH);
        }
    }

    #[test]
    fn slots_with_a_common_prefix_are_below_an_extension_node() {
        let alike: Vec<u64> =
            (0..20_000).filter(|slot| hashed(U256::from(*slot)).0[0] == 0xab).take(5).collect();
        assert_eq!(alike.len(), 5);
        for count in 1..=5 {
            let slots: BTreeMap<u64, u64> = alike.iter().take(count).map(|slot| (*slot, 1)).collect();
            let mut trie = StorageTrie::default();
            trie.update(slots.iter().map(|(slot, value)| (U256::from(*slot), U256::from(*value))));
            assert_eq!(trie.root(), whole(&slots), "{count} slots");
        }
    }

    #[test]
    fn no_change_leaves_the_root() {
        let mut trie = StorageTrie::default();
        trie.update([]);
        assert_eq!(trie.root(), EMPTY_ROOT_HASH);
        trie.update([(U256::ONE, U256::ZERO)]);
        assert_eq!(trie.root(), EMPTY_ROOT_HASH);
    }

    #[test]
    fn a_copy_does_not_follow() {
        let mut trie = StorageTrie::default();
        trie.update([(U256::ONE, U256::ONE)]);
        let copy = trie.clone();
        trie.update([(U256::ONE, U256::from(2))]);
        assert_eq!(copy.get(U256::ONE), U256::ONE);
        assert_ne!(copy.root(), trie.root());
    }
}
