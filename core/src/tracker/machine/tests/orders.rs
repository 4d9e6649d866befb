//! The same facts in any order: the messages end the same, and as a slow reference says that is given the
//! chains as they are in the end.
//!
//! Each chain tells its blocks, its reorg and its heads in their own order; between chains, and between these
//! and the answers, there is none. One chain may leave a branch on the way: its messages end, and what others
//! cited there is looked for again. No chain calls anything final before that: what is final rests on what
//! is.

use super::reference::{Reference, alike};
use super::world::{Claim, Payload, Shape, World, chain};
use crate::heads::{SafeMeans, SafetyHeads};
use crate::proof::LogIndex;
use crate::tracker::{Input, MessageKey, ObservedBlock, Request, Tracker, TrackerLimits};
use crate::validity::MessageStatus;
use crosscheck_p2p::{ChainId, UnixSeconds};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

const LIMITS: TrackerLimits = TrackerLimits { max_messages: 10_000, retention: 1_000, ended_kept: 10_000 };

/// How many blocks each chain has in the end.
const HEIGHTS: u64 = 6;

/// A message to execute, relative to the executing block.
#[derive(Clone, Copy, Debug)]
struct Draw {
    chain: u64,
    /// How many blocks the cited block is lower. Below 0: it is to come.
    age: i64,
    log_index: u32,
    payload: Payload,
}

/// A block of a story.
#[derive(Clone, Debug)]
struct Drawn {
    draws: Vec<Draw>,
    is_forked: bool,
    has_deposit_logs: bool,
}

#[derive(Clone, Debug)]
struct Story {
    chains: u64,
    /// Every chain's blocks, by height and chain.
    blocks: Vec<Drawn>,
    /// The chain that leaves a branch, how much it keeps, and the branch.
    leaves: Option<(u64, u64, Vec<Drawn>)>,
    kept_below_finalized: u64,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let age = prop_oneof![4 => Just(0_i64), 5 => 1..4_i64, 1 => Just(-1)];
    let log_index = prop_oneof![20 => (0..4_u32).prop_map(|at| at * 2 + 1), 1 => Just(9_u32)];
    let payload = prop_oneof![
        16 => Just(Payload::Right),
        3 => Just(Payload::Forked),
        1 => Just(Payload::Wrong),
        1 => Just(Payload::Deposited),
    ];
    let draw = (0..5_u64, age, log_index, payload).prop_map(|(chain, age, log_index, payload)| Draw {
        chain,
        age,
        log_index,
        payload,
    });
    let draws = proptest::collection::vec(draw, 0..4);
    (draws, proptest::bool::weighted(0.2), proptest::bool::weighted(0.2))
        .prop_map(|(draws, is_forked, has_deposit_logs)| Drawn { draws, is_forked, has_deposit_logs })
}

fn stories() -> impl Strategy<Value = Story> {
    let branch = proptest::collection::vec(drawn(), 1..4);
    let leaves = proptest::option::of((0..4_u64, 0..HEIGHTS - 1, branch));
    let kept_below_finalized = prop_oneof![2 => Just(64_u64), 1 => 0..3_u64];
    (2..5_u64, leaves, kept_below_finalized).prop_flat_map(|(chains, leaves, kept_below_finalized)| {
        let count = usize::try_from(chains * HEIGHTS).unwrap();
        proptest::collection::vec(drawn(), count).prop_map(move |blocks| {
            let leaves = leaves.clone().map(|(chain, kept, branch)| (chain % chains, kept, branch));
            Story { chains, blocks, leaves, kept_below_finalized }
        })
    })
}

/// What there is to be reported, and of which blocks.
struct Facts {
    world: World,
    /// What each chain tells, in order.
    reported: BTreeMap<ChainId, VecDeque<Input>>,
    /// The blocks of the branch that is left.
    left: Vec<Arc<ObservedBlock>>,
}

impl Story {
    fn facts(&self) -> Facts {
        let block_times = vec![1; usize::try_from(self.chains).unwrap()];
        let mut facts =
            Facts { world: World::new(&block_times), reported: BTreeMap::new(), left: Vec::new() };
        for index in 0..self.chains {
            let id = chain(index);
            for number in 0..HEIGHTS {
                let leaves =
                    self.leaves.as_ref().filter(|leaves| leaves.0 == index && leaves.1 + 1 == number);
                if let Some((_, kept, branch)) = leaves {
                    facts.leave(self, id, *kept, branch);
                }
                let place = usize::try_from(number * self.chains + index).unwrap();
                let block = facts.make(self, id, number, &self.blocks[place]);
                facts.tell(id, Input::Block(block));
            }
            for finalized in [0, HEIGHTS - 1] {
                let tip = HEIGHTS - 1;
                let safe_means = SafeMeans::CrossSafe;
                let heads = SafetyHeads {
                    local_safe: tip,
                    safe: tip,
                    finalized,
                    safe_means,
                    verified_since: UnixSeconds(0),
                };
                facts.tell(id, Input::Heads { chain_id: id, heads });
            }
        }
        facts
    }

    /// The reference, given the chains as they are in the end, one after the other.
    fn reference(&self, world: &World) -> Reference {
        let mut reference = Reference { retention: LIMITS.retention, ..Reference::default() };
        for (id, blocks) in &world.chains {
            for block in blocks {
                reference.apply_input(&Input::Block(Arc::clone(block)));
            }
            let tip = HEIGHTS - 1;
            let heads = SafetyHeads {
                local_safe: tip,
                safe: tip,
                finalized: tip,
                safe_means: SafeMeans::CrossSafe,
                verified_since: UnixSeconds(0),
            };
            reference.apply_input(&Input::Heads { chain_id: *id, heads });
        }
        let first = world.chains.keys().map(|id| (*id, 0)).collect();
        reference.conclude(world, &first);
        reference
    }
}

impl Facts {
    fn tell(&mut self, id: ChainId, input: Input) {
        self.reported.entry(id).or_default().push_back(input);
    }

    fn make(&mut self, story: &Story, id: ChainId, number: u64, drawn: &Drawn) -> Arc<ObservedBlock> {
        let claim = |draw: &Draw| {
            // Chain 4 never is in the set.
            let cited = if draw.chain == 4 { 4 } else { draw.chain % story.chains };
            let number = number.saturating_add_signed(-draw.age);
            Claim { chain: cited, number, log_index: draw.log_index, skew: 0, payload: draw.payload }
        };
        let shape = Shape {
            claims: drawn.draws.iter().map(claim).collect(),
            is_forked: drawn.is_forked,
            has_deposit_logs: drawn.has_deposit_logs,
            ..Shape::default()
        };
        self.world.make(id, &shape)
    }

    /// The chain grows a branch above a height, and leaves it.
    fn leave(&mut self, story: &Story, id: ChainId, kept: u64, branch: &[Drawn]) {
        for (drawn, number) in branch.iter().zip(kept + 1..HEIGHTS) {
            let block = self.make(story, id, number, drawn);
            self.tell(id, Input::Block(block));
        }
        self.left = self.world.rewind(id, kept);
        self.tell(id, Input::Rewound { chain_id: id, kept });
    }

    /// Tells everything in some order, and answers what is asked sooner or later.
    fn play(&self, kept_below_finalized: u64, seed: u64) -> Tracker {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let index = LogIndex::new(usize::MAX);
        let mut tracker = Tracker::new(self.world.set(), index.clone(), LIMITS);
        tracker.kept_below_finalized = kept_below_finalized;
        let mut reported = self.reported.clone();
        let mut requests: BTreeSet<Request> = BTreeSet::new();
        loop {
            reported.retain(|_, queue| !queue.is_empty());
            if reported.is_empty() && requests.is_empty() {
                return tracker;
            }
            let is_answer = reported.is_empty() || (!requests.is_empty() && rng.random_ratio(1, 3));
            let input = if is_answer {
                let pick = rng.random_range(0..requests.len());
                let request = *requests.iter().nth(pick).unwrap();
                requests.remove(&request);
                self.answer(&tracker, request)
            } else {
                let is_branch_left =
                    !reported.values().flatten().any(|input| matches!(input, Input::Rewound { .. }));
                let is_ready = |queue: &&mut VecDeque<Input>| is_branch_left || !is_final(&queue[0]);
                let ready = reported.values_mut().filter(is_ready).count();
                let pick = rng.random_range(0..ready);
                let queue = reported.values_mut().filter(is_ready).nth(pick).unwrap();
                // A chain says some things twice.
                let is_again = matches!(queue[0], Input::Heads { .. }) && rng.random_ratio(1, 4);
                if is_again { queue[0].clone() } else { queue.pop_front().unwrap() }
            };
            if let Input::Block(block) = &input
                && rng.random_ratio(3, 4)
            {
                index.insert(Arc::clone(&self.world.logs[&block.key.hash]));
            }
            if let Input::Answer { logs, .. } = &input {
                index.insert(Arc::clone(logs));
            }
            let outcome = tracker.apply(input);
            assert_eq!(outcome.refused, None);
            requests.extend(outcome.requests);
        }
    }

    fn answer(&self, tracker: &Tracker, request: Request) -> Input {
        let hash = match request {
            Request::Logs(key) => key.hash,
            Request::Canonical { chain_id, number } => {
                assert!(Some(number) < tracker.chain(chain_id).unwrap().first());
                self.world.chains[&chain_id][usize::try_from(number).unwrap()].key.hash
            }
        };
        Input::Answer { request, logs: Arc::clone(&self.world.logs[&hash]) }
    }
}

/// Whether it tells that a chain is final to its end.
fn is_final(input: &Input) -> bool {
    matches!(input, Input::Heads { heads, .. } if heads.finalized == HEIGHTS - 1)
}

fn keys(block: &ObservedBlock) -> impl Iterator<Item = MessageKey> {
    let key = block.key;
    block.executed.iter().map(move |executed| MessageKey { block: key, log_index: executed.log_index })
}

/// The same verdict. A block of a cycle may be final before the block that closes it is known: then it is
/// invalid for what was known of it.
fn is_same(found: &MessageStatus, expected: &MessageStatus) -> bool {
    let hangs_on_others = |status: &MessageStatus| match status {
        MessageStatus::Invalid(reason) => ["cycle", "initiating-block-invalid"].contains(&reason.code()),
        MessageStatus::Valid | MessageStatus::Unknown => false,
    };
    alike(found, expected) || (hangs_on_others(found) && hangs_on_others(expected))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn messages_end_the_same_in_any_order_of_inputs(story in stories(), seeds in any::<[u64; 3]>()) {
        let facts = story.facts();
        let reference = story.reference(&facts.world);
        for tracker in seeds.map(|seed| facts.play(story.kept_below_finalized, seed)) {
            for life in &reference.lives {
                let message = tracker.message(&life.key()).expect("a message is lost");
                prop_assert!(is_same(&message.status(), &life.status), "{:?}: {life:#?}", message.status());
                prop_assert_eq!(message.state().name(), life.state, "{:#?}", life);
            }
            for key in facts.left.iter().flat_map(|block| keys(block)) {
                let message = tracker.message(&key).expect("a message of the left branch is lost");
                prop_assert!(["orphaned", "resolved"].contains(&message.state().name()), "{:?}", message.state());
            }
            prop_assert_eq!((tracker.open(), tracker.faults()), (0, 0));
        }
    }
}

/// The property means nothing if nothing happens.
#[test]
fn the_stories_are_eventful() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for seed in 0..100 {
        let story = stories().new_tree(&mut runner).unwrap().current();
        let facts = story.facts();
        let tracker = facts.play(story.kept_below_finalized, seed);
        for life in &story.reference(&facts.world).lives {
            seen.insert(match life.status {
                MessageStatus::Invalid(reason) => reason.code(),
                MessageStatus::Valid => "valid",
                MessageStatus::Unknown => "unknown",
            });
            if tracker.message(&life.key()).unwrap().flips() > 0 {
                seen.insert("flipped");
            }
        }
    }
    for name in ["valid", "flipped", "cycle", "log-not-found", "payload-mismatch", "initiating-block-invalid"]
    {
        assert!(seen.contains(name), "{name} does not happen: {seen:?}");
    }
    assert!(!seen.contains("unknown"), "in the end everything is known");
}
