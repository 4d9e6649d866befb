//! The chain against a slow reference: all that was reported, looked through from the head down.

use super::*;
use alloy::consensus::Header;
use alloy::primitives::Bytes;
use proptest::prelude::*;

/// A block on another one. `branch` makes it one of several there.
pub(in crate::sources) fn child(parent: &VerifiedL1Header, branch: u8) -> Arc<VerifiedL1Header> {
    Arc::new(VerifiedL1Header::seal(Header {
        number: parent.number() + 1,
        parent_hash: parent.hash(),
        extra_data: Bytes::from(vec![branch]),
        ..Header::default()
    }))
}

pub(in crate::sources) fn first(number: u64) -> Arc<VerifiedL1Header> {
    Arc::new(VerifiedL1Header::seal(Header { number, ..Header::default() }))
}

/// Takes in a head as the reader does: with the blocks below it, up to this many.
fn take(chain: &mut L1Chain, all: &[Arc<VerifiedL1Header>], head: &Arc<VerifiedL1Header>, steps: usize) {
    let mut path = vec![Arc::clone(head)];
    while path.len() < steps {
        let Some(hash) = chain.missing_parent(path.last().unwrap()) else { break };
        let Some(parent) = all.iter().find(|header| header.hash() == hash) else { break };
        path.push(Arc::clone(parent));
    }
    chain.adopt(&path);
}

fn line(from: &Arc<VerifiedL1Header>, branch: u8, length: usize) -> Vec<Arc<VerifiedL1Header>> {
    let mut blocks = vec![Arc::clone(from)];
    for _ in 0..length {
        blocks.push(child(blocks.last().unwrap(), branch));
    }
    blocks
}

#[test]
fn an_empty_chain_knows_no_block() {
    let mut chain = L1Chain::default();
    assert_eq!((chain.at(0), chain.head(), chain.reorg_count()), (At::Above, None, 0));
}

#[test]
fn a_head_adds_the_blocks_below_it() {
    let blocks = line(&first(10), 0, 5);
    let mut chain = L1Chain::default();
    take(&mut chain, &blocks, &blocks[1], 64);
    take(&mut chain, &blocks, &blocks[5], 64);
    assert_eq!(chain.at(13), At::Known(Arc::clone(&blocks[3])));
    assert_eq!((chain.at(16), chain.at(10)), (At::Above, At::NotKept));
    assert_eq!(chain.after(13), blocks[4..]);
    assert_eq!(chain.reorg_count(), 0);
}

#[test]
fn a_block_of_another_branch_removes_all_blocks_that_are_not_below_it() {
    let blocks = line(&first(10), 0, 5);
    let other = line(&blocks[2], 1, 1);
    let mut chain = L1Chain::default();
    take(&mut chain, &blocks, &blocks[0], 64);
    take(&mut chain, &blocks, &blocks[5], 64);
    take(&mut chain, &other, &other[1], 64);
    assert_eq!(chain.at(13), At::Known(Arc::clone(&other[1])));
    assert_eq!(chain.at(12), At::Known(Arc::clone(&blocks[2])));
    assert_eq!((chain.at(14), chain.reorg_count()), (At::Above, 1));
}

/// A node behind the one that was asked before has the same chain, and less of it.
#[test]
fn a_lower_head_of_the_same_branch_abandons_no_block() {
    let blocks = line(&first(10), 0, 5);
    let mut chain = L1Chain::default();
    for head in [0, 5, 3] {
        take(&mut chain, &blocks, &blocks[head], 64);
    }
    assert_eq!((chain.at(14), chain.after(10).len(), chain.reorg_count()), (At::Above, 3, 0));
    take(&mut chain, &blocks, &blocks[5], 1);
    assert_eq!((chain.at(14), chain.reorg_count()), (At::Known(Arc::clone(&blocks[4])), 0));
    let other = line(&blocks[3], 1, 1);
    take(&mut chain, &blocks, &blocks[3], 1);
    take(&mut chain, &other, &other[1], 1);
    assert_eq!(chain.reorg_count(), 1, "a block that a lower head had hidden is gone");
}

#[test]
fn a_head_that_cannot_be_joined_abandons_all_blocks() {
    let blocks = line(&first(10), 0, 70);
    let mut chain = L1Chain::default();
    take(&mut chain, &blocks, &blocks[0], 64);
    chain.keep_below(first(9), 0);
    assert_eq!(chain.at(9), At::Known(first(9)));
    take(&mut chain, &blocks, &blocks[70], 64);
    assert_eq!((chain.at(9), chain.reorg_count()), (At::NotKept, 1));
    chain.keep_below(first(9), 0);
    assert_eq!(chain.at(9), At::NotKept, "it was asked for before that");
}

#[test]
fn the_number_of_kept_blocks_is_bounded() {
    let blocks = line(&first(10), 0, 3000);
    let mut chain = L1Chain::default();
    for head in &blocks {
        take(&mut chain, &blocks, head, 64);
    }
    assert_eq!((chain.run.len(), chain.below.len(), chain.reorg_count()), (1024, 1024, 0));
    assert_eq!(chain.at(1000), At::Known(Arc::clone(&blocks[990])), "it was in the run, and is below it now");
    assert_eq!(chain.at(500), At::NotKept);
}

/// The canonical block at a height below a head, by all blocks that there are.
fn reference(
    all: &[Arc<VerifiedL1Header>],
    head: &Arc<VerifiedL1Header>,
    number: u64,
) -> Option<Arc<VerifiedL1Header>> {
    let mut at = Arc::clone(head);
    while at.number() > number {
        at = Arc::clone(all.iter().find(|header| header.hash() == at.header().parent_hash)?);
    }
    (at.number() == number).then_some(at)
}

proptest! {
    /// Heads anywhere in a tree of blocks, by looks that go back no further than a few steps.
    #[test]
    fn no_block_of_another_branch(
        parents in prop::collection::vec(any::<prop::sample::Index>(), 1..40),
        heads in prop::collection::vec((any::<prop::sample::Index>(), 1_usize..6), 1..30),
    ) {
        let mut all = vec![first(5)];
        for (branch, parent) in (0..).zip(&parents) {
            let parent = Arc::clone(parent.get(&all));
            all.push(child(&parent, branch));
        }
        let mut chain = L1Chain::default();
        let mut seen: Vec<Arc<VerifiedL1Header>> = Vec::new();
        for (head, steps) in heads {
            let head = head.get(&all);
            let left = chain.reorg_count();
            take(&mut chain, &all, head, steps);
            prop_assert_eq!(chain.head(), Some(head));
            for number in 5..=head.number() {
                if let At::Known(known) = chain.at(number) {
                    prop_assert_eq!(reference(&all, head, number), Some(known));
                }
            }
            prop_assert_eq!(chain.at(head.number() + 1), At::Above);
            // Whatever was canonical since the last count and is not any more was counted.
            if chain.reorg_count() != left {
                seen.clear();
            }
            for block in &seen {
                let is_gone = reference(&all, head, block.number()).is_some_and(|now| &now != block);
                prop_assert!(!is_gone, "{} is gone unseen", block.number());
            }
            seen.extend((5..=head.number()).filter_map(|number| match chain.at(number) {
                At::Known(known) => Some(known),
                At::Above | At::NotKept => None,
            }));
        }
    }
}
