//! [`Branch`]: the inner nodes of the trie, whose shape follows from the number of items alone.

use super::{leaf::list_header, node_ref::NodeRef, trie_key::TrieKey};
use crate::keccak::Prefix;
use alloy_trie::root::adjust_index_for_rlp;
use core::ops::Range;

/// What is below a nibble of a branch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Child {
    /// Nothing.
    #[default]
    None,
    /// The leaf at this place in the order of keys.
    Leaf(usize),
    /// The branch of this number, with the extension above it.
    Branch(usize),
}

/// A branch, with the extension that leads to it if its keys have more in common than its parent shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Branch {
    /// One more than the highest branch below it; 0 if there are only leaves.
    pub(super) height: u32,
    /// Some key below it.
    key: TrieKey,
    /// The depths that its extension covers. It branches at the end.
    span: Range32,
    children: [Child; 16],
}

/// A range that can be copied.
#[derive(Clone, Copy, Debug)]
struct Range32 {
    start: u32,
    end: u32,
}

/// The key of the item at a place in the order of keys, of `count` items.
pub(super) fn key_at(place: usize, count: usize) -> TrieKey {
    TrieKey::of(adjust_index_for_rlp(place, count))
}

/// How many nibbles of the key at `place` the nodes above its leaf use up.
pub(super) fn leaf_depth(place: usize, count: usize) -> u32 {
    let key = key_at(place, count);
    let before = place.checked_sub(1);
    let after = place.checked_add(1).filter(|&after| after < count);
    let shared = before.into_iter().chain(after).map(|other| key.common(key_at(other, count)));
    shared.max().map_or(0, |shared| shared.saturating_add(1))
}

/// Appends the branches over the leaves at `places`, children first, and returns their references.
///
/// Recurses as deep as keys are long: sixteen levels at most.
pub(super) fn build_branches(
    places: Range<usize>,
    depth: u32,
    count: usize,
    branches: &mut Vec<Branch>,
) -> Child {
    let Some(last) = places.end.checked_sub(1).filter(|last| *last > places.start) else {
        return if places.is_empty() { Child::None } else { Child::Leaf(places.start) };
    };
    let key = key_at(places.start, count);
    let fork = key.common(key_at(last, count));
    let (mut children, mut height) = ([Child::None; 16], 0_u32);
    let mut start = places.start;
    while start < places.end {
        let nibble = key_at(start, count).nibble(fork);
        let end = end_of_run(start, places.end, |place| key_at(place, count).nibble(fork) == nibble);
        let child = build_branches(start..end, fork.saturating_add(1), count, branches);
        if let Child::Branch(below) = child {
            let below = branches.get(below).map_or(0, |branch| branch.height);
            height = height.max(below.saturating_add(1));
        }
        if let Some(place) = children.get_mut(usize::from(nibble)) {
            *place = child;
        }
        start = end;
    }
    branches.push(Branch { height, key, span: Range32 { start: depth, end: fork }, children });
    Child::Branch(branches.len().saturating_sub(1))
}

/// The first place after `start` that is not in the run, which `start` is.
fn end_of_run(start: usize, end: usize, in_run: impl Fn(usize) -> bool) -> usize {
    let mut low = start.saturating_add(1);
    if low >= end || !in_run(low) {
        return low;
    }
    let mut high = end;
    while low < high {
        let middle = low.midpoint(high);
        if in_run(middle) {
            low = middle.saturating_add(1);
        } else {
            high = middle;
        }
    }
    low
}

impl Branch {
    /// Appends the branch's node.
    pub(super) fn write(&self, reference: impl Fn(Child) -> NodeRef, out: &mut Vec<u8>) {
        let children = self.children.map(reference);
        // The seventeenth field, a value, is empty: no key ends at a branch.
        let size = children.iter().fold(1_usize, |size, child| size.saturating_add(child.len()));
        out.extend_from_slice(list_header(size).as_slice());
        children.iter().for_each(|child| child.write(out));
        NodeRef::Empty.write(out);
    }

    /// The node of the extension above the branch, if there is one.
    pub(super) fn extension(&self, branch: &NodeRef) -> Option<Vec<u8>> {
        let Range32 { start, end } = self.span;
        if start == end {
            return None;
        }
        let mut path = Prefix::default();
        self.key.write_path(start..end, false, &mut path);
        let size = path.as_slice().len().saturating_add(branch.len());
        let mut node = list_header(size).as_slice().to_vec();
        node.extend_from_slice(path.as_slice());
        branch.write(&mut node);
        Some(node)
    }
}
