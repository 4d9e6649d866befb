//! [`ordered_root`]: the root of the trie over a list, as a header commits to its transactions.
//!
//! The trie's shape follows from the number of items, so that its nodes can be hashed several at a time: all
//! the leaves, then the branches by their height. Items are hashed where they lie. What is allocated is
//! counted in blocks, not items: 33 bytes an item for what its leaf comes to, and the branches of one height.

mod branch;
mod leaf;
mod node_ref;
mod trie_key;

use crate::{
    keccak::{HashInput, Prefix, hash_each},
    two_cores::both,
};
use alloy_primitives::{B256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, root::adjust_index_for_rlp};
use branch::{Branch, Child, build_branches, key_at, leaf_depth};
use leaf::{Unhashed, leaf};
use node_ref::{HASHED_FROM, NodeRef};

/// The root over items of any bytes, keyed by the RLP of their index.
pub(crate) fn ordered_root<T: AsRef<[u8]> + Sync>(items: &[T]) -> B256 {
    let mut branches = Vec::new();
    match build_branches(0..items.len(), 0, items.len(), &mut branches) {
        Child::None => EMPTY_ROOT_HASH,
        // A root is hashed whatever its size.
        Child::Leaf(place) => match leaf_at(items, place) {
            Unhashed::Inline(node) => hash_inline(&node),
            Unhashed::Long(input) => input.hash(),
        },
        Child::Branch(root) => {
            let leaves = hash_leaves(items);
            match hash_branches(&branches, &leaves).get(root) {
                Some(NodeRef::Hash(hash)) => *hash,
                Some(short) => hash_inline(short),
                None => EMPTY_ROOT_HASH,
            }
        }
    }
}

fn hash_inline(node: &NodeRef) -> B256 {
    let mut bytes = Vec::with_capacity(HASHED_FROM);
    node.write(&mut bytes);
    keccak256(&bytes)
}

/// The leaf at a place in the order of keys.
fn leaf_at<T: AsRef<[u8]>>(items: &[T], place: usize) -> Unhashed<'_> {
    let count = items.len();
    let value = items.get(adjust_index_for_rlp(place, count)).map_or(&[][..], AsRef::as_ref);
    leaf(key_at(place, count), leaf_depth(place, count), value)
}

/// What each leaf is to its parent, in the order of keys.
fn hash_leaves<T: AsRef<[u8]> + Sync>(items: &[T]) -> Vec<NodeRef> {
    let mut leaves = vec![NodeRef::Empty; items.len()];
    let total = items.iter().fold(0_usize, |sum, item| sum.saturating_add(item.as_ref().len()));
    let middle = leaves.len() / 2;
    let (front, back) = leaves.split_at_mut(middle);
    both(
        total,
        || hash_leaves_from(items, 0, total / 2, front),
        || hash_leaves_from(items, middle, total / 2, back),
    );
    leaves
}

/// Fills in the leaves from the place `first` on, `total` bytes or so.
fn hash_leaves_from<T: AsRef<[u8]>>(items: &[T], first: usize, total: usize, leaves: &mut [NodeRef]) {
    let mut short = Vec::new();
    let long = (0..leaves.len()).filter_map(|number| match leaf_at(items, number.saturating_add(first)) {
        Unhashed::Long(input) => Some((number, input)),
        Unhashed::Inline(node) => {
            short.push((number, node));
            None
        }
    });
    hash_each(long, total, |number, hash| put(leaves, number, NodeRef::Hash(hash)));
    short.into_iter().for_each(|(number, node)| put(leaves, number, node));
}

fn put(references: &mut [NodeRef], number: usize, node: NodeRef) {
    if let Some(place) = references.get_mut(number) {
        *place = node;
    }
}

/// What each branch is to its parent.
fn hash_branches(branches: &[Branch], leaves: &[NodeRef]) -> Vec<NodeRef> {
    let mut done = vec![NodeRef::Empty; branches.len()];
    let mut nodes = Nodes::default();
    // The root, the last, is the highest.
    for height in 0..=branches.last().map_or(0, |root| root.height) {
        nodes.clear();
        for (number, branch) in branches.iter().enumerate().filter(|(_, branch)| branch.height == height) {
            let child = |child| match child {
                Child::None => None,
                Child::Leaf(place) => leaves.get(place),
                Child::Branch(below) => done.get(below),
            };
            nodes.add(number, |out| branch.write(|which| child(which).copied().unwrap_or_default(), out));
        }
        nodes.hash(|number, node| {
            let extension = branches.get(number).and_then(|branch| branch.extension(&node));
            put(&mut done, number, extension.map_or(node, |extension| reference_to(&extension)));
        });
    }
    done
}

/// What a node is to its parent.
fn reference_to(node: &[u8]) -> NodeRef {
    if node.len() < HASHED_FROM { NodeRef::inline(node.iter()) } else { NodeRef::Hash(keccak256(node)) }
}

/// Nodes one behind the other, to be hashed together.
#[derive(Default)]
struct Nodes {
    bytes: Vec<u8>,
    /// The number of each, and where it ends.
    ends: Vec<(usize, usize)>,
}

impl Nodes {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn add(&mut self, number: usize, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push((number, self.bytes.len()));
    }

    fn iter(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let mut start = 0;
        self.ends.iter().filter_map(move |&(number, end)| {
            let node = self.bytes.get(start..end);
            start = end;
            node.map(|node| (number, node))
        })
    }

    fn hash(&self, mut done: impl FnMut(usize, NodeRef)) {
        self.iter()
            .filter(|(_, node)| node.len() < HASHED_FROM)
            .for_each(|(number, node)| done(number, NodeRef::inline(node.iter())));
        let long = self.iter().filter(|(_, node)| node.len() >= HASHED_FROM);
        let inputs = long.map(|(number, node)| (number, HashInput::new(Prefix::default(), node)));
        hash_each(inputs, self.bytes.len(), |number, hash| done(number, NodeRef::Hash(hash)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_trie::root::ordered_trie_root_encoded;
    use proptest::{collection::vec, prelude::*};

    fn check(items: &[Vec<u8>]) {
        assert_eq!(ordered_root(items), ordered_trie_root_encoded(items), "{} items", items.len());
    }

    /// Every shape that the keys' first three bytes can give, with leaves that are hashed and ones that are
    /// not.
    #[test]
    fn every_number_of_items_up_to_three_hundred() {
        for size in [1, 28, 40] {
            for count in 0..300 {
                check(&vec![vec![0x7f; size]; count]);
            }
        }
    }

    /// Around where keys get a byte or a nibble longer.
    #[test]
    fn large_numbers_of_items() {
        for count in [4_095, 4_096, 4_097, 65_535, 65_536, 65_537, 70_000] {
            check(&(0..count).map(|index| vec![index as u8; 1 + index % 50]).collect::<Vec<_>>());
        }
    }

    /// Enough bytes for a second core, and one item that outweighs the rest.
    #[test]
    fn large_items() {
        check(&(0..9).map(|index| vec![index; 60_000 + usize::from(index)]).collect::<Vec<_>>());
        check(&[vec![1; 10], vec![2; 900_000], vec![3; 70_000]]);
        check(&[vec![9; 1_000_000]]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

        #[test]
        fn the_root_is_that_of_alloy(
            items in prop_oneof![
                vec(vec(any::<u8>(), 1..4), 0..40),
                vec(vec(any::<u8>(), 1..60), 0..300),
                vec(vec(any::<u8>(), 1..700), 0..200),
            ]
        ) {
            check(&items);
        }
    }
}
