//! Runs of a gap against the walk from parent to parent, and how many blocks are asked for at once.

use super::*;
use alloy::primitives::keccak256;
use futures::poll;
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::task::Poll;
use tokio::sync::oneshot;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block {
    number: u64,
    hash: B256,
    parent: B256,
}

impl Link for Block {
    fn hash(&self) -> B256 {
        self.hash
    }

    fn parent(&self) -> B256 {
        self.parent
    }

    fn size(&self) -> usize {
        100
    }
}

fn hash(number: u64, branch: u8) -> B256 {
    keccak256([&number.to_be_bytes()[..], &[branch]].concat())
}

fn block(number: u64, branch: u8, parent_branch: u8) -> Block {
    Block { number, hash: hash(number, branch), parent: hash(number.wrapping_sub(1), parent_branch) }
}

/// What an endpoint says of heights, and of hashes.
#[derive(Debug)]
struct Endpoint {
    by_hash: HashMap<B256, Block>,
    by_number: BTreeMap<u64, Block>,
    asked: Cell<usize>,
}

impl Endpoint {
    /// Asks for a height. Anyone who is asked takes a moment: the answers come in any order.
    async fn at(&self, number: u64, yields: usize) -> Option<Block> {
        self.asked.set(self.asked.get() + 1);
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
        self.by_number.get(&number).copied()
    }

    fn get(&self, hash: B256) -> Option<Block> {
        self.by_hash.get(&hash).copied()
    }
}

/// The slow way: from parent to parent, as far as there are blocks.
fn walk(endpoint: &Endpoint, top: B256, floor: u64) -> Vec<Block> {
    let mut walked = Vec::new();
    let mut next = top;
    while let Some(block) = endpoint.get(next) {
        walked.push(block);
        if block.number <= floor {
            break;
        }
        next = block.parent;
    }
    walked
}

/// The fast way: each block that no run has given is fetched by its hash.
async fn walk_in_runs(
    endpoint: &Endpoint,
    top: B256,
    floor: u64,
    limits: RunLimits,
    most: u64,
) -> Vec<Block> {
    let mut walked: Vec<Block> = Vec::new();
    let mut next = top;
    while let Some(block) = endpoint.get(next) {
        walked.push(block);
        let lowest = floor.max(block.number.saturating_sub(most));
        if let Some(above) = block.number.checked_sub(1).filter(|above| *above >= lowest) {
            let fetch = |number: u64| endpoint.at(number, (number % 5) as usize);
            let run = linked_below(block.parent, lowest..=above, limits, fetch).await;
            assert!(run.len() <= most as usize);
            walked.extend(run);
        }
        let lowest = *walked.last().unwrap();
        if lowest.number <= floor {
            break;
        }
        next = lowest.parent;
    }
    walked
}

proptest! {
    /// Whatever an endpoint has by number (another branch, nothing, an old block in the middle), the blocks
    /// of a walk are those that the parent hashes lead to, in their order.
    #[test]
    fn runs_find_the_same_blocks_as_a_walk_from_parent_to_parent(
        length in 1_u64..120,
        floor in 0_u64..120,
        odd in prop::collection::btree_map(0_u64..120, 0_u8..4, 0..12),
        lost in prop::option::of(0_u64..120),
        at_once in 1_usize..9,
        bytes in prop_oneof![Just(usize::MAX), 1_usize..1_000],
        most in 0_u64..40,
    ) {
        let chain: Vec<Block> = (0..=length).map(|number| block(number, 0, 0)).collect();
        let mut by_number: BTreeMap<u64, Block> = chain.iter().map(|block| (block.number, *block)).collect();
        for (number, how) in odd {
            match how {
                0 => { by_number.remove(&number); }
                // On the same parent, on another branch, and a block of another height.
                1 => { by_number.insert(number, block(number, 1, 0)); }
                2 => { by_number.insert(number, block(number, 1, 1)); }
                _ => { by_number.insert(number, block(number + 1, 0, 0)); }
            }
        }
        let mut by_hash: HashMap<B256, Block> = chain.iter().map(|block| (block.hash, *block)).collect();
        if let Some(lost) = lost {
            by_hash.remove(&hash(lost, 0));
            by_number.remove(&lost);
        }
        let endpoint = Endpoint { by_hash, by_number, asked: Cell::new(0) };
        let floor = floor.min(length);
        let limits = RunLimits { at_once, bytes };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let fast = runtime.block_on(walk_in_runs(&endpoint, hash(length, 0), floor, limits, most));
        prop_assert_eq!(fast, walk(&endpoint, hash(length, 0), floor));
    }
}

/// Answers that a test gives when it likes.
#[derive(Default)]
struct Staged {
    asked: RefCell<Vec<u64>>,
    waiting: RefCell<HashMap<u64, oneshot::Sender<Option<Block>>>>,
}

impl Staged {
    async fn at(&self, number: u64) -> Option<Block> {
        let (answer, reported) = oneshot::channel();
        self.asked.borrow_mut().push(number);
        self.waiting.borrow_mut().insert(number, answer);
        reported.await.unwrap()
    }

    fn answer(&self, number: u64, branch: u8) {
        self.waiting.borrow_mut().remove(&number).unwrap().send(Some(block(number, branch, branch))).unwrap();
    }

    fn outstanding(&self) -> usize {
        self.waiting.borrow().len()
    }
}

const LIMITS: RunLimits = RunLimits { at_once: 8, bytes: usize::MAX };

#[tokio::test]
async fn blocks_are_requested_in_parallel_up_to_the_bound() {
    let staged = Staged::default();
    let mut run = std::pin::pin!(linked_below(hash(40, 0), 1..=40, LIMITS, |number| staged.at(number)));
    assert!(poll!(&mut run).is_pending());
    assert_eq!(*staged.asked.borrow(), [40], "the first tells whether it is the branch");
    staged.answer(40, 0);
    assert!(poll!(&mut run).is_pending());
    assert_eq!(*staged.asked.borrow(), [40, 39, 38, 37, 36, 35, 34, 33, 32]);
    // What came out of turn is kept, and counts: no more is held in memory than may be asked for.
    for early in (32..=38).rev() {
        staged.answer(early, 0);
        assert!(poll!(&mut run).is_pending());
        assert_eq!(staged.asked.borrow().len(), 9);
    }
    staged.answer(39, 0);
    assert!(poll!(&mut run).is_pending());
    assert_eq!((staged.asked.borrow().len(), staged.outstanding()), (17, 8));
    let blocks = loop {
        let lowest = *staged.waiting.borrow().keys().min().unwrap();
        staged.answer(lowest, 0);
        assert!(staged.outstanding() <= LIMITS.at_once);
        if let Poll::Ready(blocks) = poll!(&mut run) {
            break blocks;
        }
    };
    assert_eq!(
        blocks.iter().map(|block| block.number).collect::<Vec<_>>(),
        (1..=40).rev().collect::<Vec<_>>()
    );
    assert_eq!(staged.asked.borrow().len(), 40, "each once");
}

#[tokio::test]
async fn on_another_branch_one_block_is_requested_and_none_below_a_mismatch() {
    let staged = Staged::default();
    let mut run = std::pin::pin!(linked_below(hash(40, 0), 1..=40, LIMITS, |number| staged.at(number)));
    assert!(poll!(&mut run).is_pending());
    staged.answer(40, 1);
    assert_eq!(poll!(&mut run), Poll::Ready(Vec::new()));
    assert_eq!(*staged.asked.borrow(), [40]);

    let staged = Staged::default();
    let mut run = std::pin::pin!(linked_below(hash(40, 0), 1..=40, LIMITS, |number| staged.at(number)));
    assert!(poll!(&mut run).is_pending());
    staged.answer(40, 0);
    assert!(poll!(&mut run).is_pending());
    staged.answer(39, 0);
    staged.answer(38, 1);
    let Poll::Ready(blocks) = poll!(&mut run) else { panic!("the run ends where it is not linked") };
    assert_eq!(blocks, [block(40, 0, 0), block(39, 0, 0)]);
    assert!(staged.asked.borrow().len() <= 2 + LIMITS.at_once);
}

#[tokio::test]
async fn a_run_ends_when_its_byte_budget_is_used() {
    let endpoint = Endpoint {
        by_hash: HashMap::new(),
        by_number: (0..=40).map(|number| (number, block(number, 0, 0))).collect(),
        asked: Cell::new(0),
    };
    let limits = RunLimits { at_once: 4, bytes: 250 };
    let run = linked_below(hash(40, 0), 1..=40, limits, |number| endpoint.at(number, 0)).await;
    assert_eq!(run.len(), 3);
    assert!(endpoint.asked.get() <= 1 + 2 + 4);
}
