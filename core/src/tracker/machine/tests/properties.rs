//! Random superchains: after every input the tracker says what the slow reference says.

use super::reference::{Reference, alike};
use super::world::{Claim, Payload, Shape, World, chain};
use crate::heads::{SafeMeans, SafetyHeads};
use crate::proof::LogIndex;
use crate::tracker::{
    Change, CountKey, Counts, Ending, Input, MessageEvent, MessageKey, ObservedBlock, Request, StatusCause,
    Tracker, TrackerLimits,
};
use crate::validity::MessageStatus;
use crosscheck_p2p::{ChainId, UnixSeconds};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const LIMITS: TrackerLimits = TrackerLimits { max_messages: 10_000, retention: 25, ended_kept: 10_000 };

/// What happens next. Numbers are reduced to what there is when it happens.
#[derive(Clone, Debug)]
enum Happening {
    Grow {
        chain: u64,
        draws: Vec<Draw>,
        is_forked: bool,
        is_deposits_only: bool,
        has_deposit_logs: bool,
        has_logs: bool,
    },
    /// Some of the blocks that go are followed by others at once.
    Rewind {
        chain: u64,
        depth: u64,
        regrown: u64,
    },
    /// The lowest block with an invalid message gives way to a block of deposits only.
    Replace {
        chain: u64,
    },
    /// Blocks that were dropped last come back, as long as their parents stand.
    Restore {
        chain: u64,
        count: usize,
    },
    Heads {
        chain: u64,
        local_safe: u64,
        safe: u64,
        finalized: u64,
    },
    Answer {
        pick: usize,
    },
    Time {
        seconds: u64,
    },
}

/// A message to execute, relative to the executing block.
#[derive(Clone, Copy, Debug)]
struct Draw {
    chain: u64,
    /// How many seconds the cited block is older.
    age: i64,
    log_index: u32,
    skew: i64,
    payload: Payload,
}

fn draw() -> impl Strategy<Value = Draw> {
    let age = prop_oneof![5 => Just(0_i64), 5 => 1..4_i64, 1 => 4..14_i64, 1 => Just(-1)];
    let skew = prop_oneof![12 => Just(0_i64), 1 => -2..3_i64];
    let payload = prop_oneof![
        16 => Just(Payload::Right),
        2 => Just(Payload::Forked),
        1 => Just(Payload::Wrong),
        1 => Just(Payload::Deposited),
    ];
    let log_index = prop_oneof![20 => (0..4_u32).prop_map(|at| at * 2 + 1), 1 => Just(9_u32)];
    (0..5_u64, age, log_index, skew, payload).prop_map(|(chain, age, log_index, skew, payload)| Draw {
        chain,
        age,
        log_index,
        skew,
        payload,
    })
}

fn happening() -> impl Strategy<Value = Happening> {
    let any_chain = 0..4_u64;
    prop_oneof![
        10 => (
            any_chain.clone(),
            proptest::collection::vec(draw(), 0..4),
            proptest::bool::weighted(0.2),
            proptest::bool::weighted(0.1),
            proptest::bool::weighted(0.2),
            proptest::bool::weighted(0.8),
        ).prop_map(|(chain, draws, is_forked, is_deposits_only, has_deposit_logs, has_logs)| {
            Happening::Grow { chain, draws, is_forked, is_deposits_only, has_deposit_logs, has_logs }
        }),
        3 => (any_chain.clone(), 1..4_u64, 0..4_u64)
            .prop_map(|(chain, depth, regrown)| Happening::Rewind { chain, depth, regrown }),
        1 => (any_chain.clone(), 1..4_usize).prop_map(|(chain, count)| Happening::Restore { chain, count }),
        2 => (any_chain, 0..4_u64, 0..4_u64, 0..6_u64).prop_map(|(chain, local_safe, safe, finalized)| {
            Happening::Heads { chain, local_safe, safe, finalized }
        }),
        2 => (0..4_u64).prop_map(|chain| Happening::Replace { chain }),
        3 => any::<usize>().prop_map(|pick| Happening::Answer { pick }),
        1 => (0..20_u64).prop_map(|seconds| Happening::Time { seconds }),
    ]
}

/// A tracker, the reference, and the world that both hear of.
struct Trial {
    world: World,
    index: LogIndex,
    tracker: Tracker,
    reference: Reference,
    requests: BTreeSet<Request>,
    dropped: BTreeMap<ChainId, Vec<Arc<ObservedBlock>>>,
    finalized: BTreeMap<ChainId, u64>,
    now: u64,
    /// The names of what has happened: causes, endings, reasons, requests.
    seen: BTreeSet<(&'static str, &'static str)>,
    /// What the events alone say: each message's last life.
    reported: BTreeMap<MessageKey, Recorded>,
    sequence: u64,
}

#[derive(Clone, Debug, PartialEq)]
struct Recorded {
    status: MessageStatus,
    level: crate::heads::SafetyLevel,
    state: &'static str,
    flips: u32,
}

impl Trial {
    fn new(block_times: &[u64], kept_below_finalized: u64) -> Self {
        let world = World::new(block_times).with_late_activation();
        let index = LogIndex::new(usize::MAX);
        let mut tracker = Tracker::new(world.set(), index.clone(), LIMITS);
        tracker.kept_below_finalized = kept_below_finalized;
        Self {
            world,
            index,
            tracker,
            reference: Reference { retention: LIMITS.retention, ..Reference::default() },
            requests: BTreeSet::new(),
            dropped: BTreeMap::new(),
            finalized: BTreeMap::new(),
            now: super::world::START,
            seen: BTreeSet::new(),
            reported: BTreeMap::new(),
            sequence: 0,
        }
    }

    fn chain(&self, index: u64) -> ChainId {
        chain(index % u64::try_from(self.world.block_times.len()).unwrap())
    }

    fn happen(&mut self, happening: &Happening) {
        match happening {
            Happening::Grow { chain, draws, is_forked, is_deposits_only, has_deposit_logs, has_logs } => {
                let id = self.chain(*chain);
                let number = self.world.tip(id).map_or(0, |tip| tip.key.number + 1);
                let shape = Shape {
                    claims: draws.iter().map(|draw| self.claim(id, number, draw)).collect(),
                    is_forked: *is_forked,
                    has_deposit_logs: *has_deposit_logs,
                    is_deposits_only: *is_deposits_only,
                    undeclared: false,
                };
                self.grow(id, &shape, *has_logs);
            }
            Happening::Rewind { chain, depth, regrown } => {
                let id = self.chain(*chain);
                let Some(tip) = self.world.tip(id).map(|tip| tip.key.number) else { return };
                self.rewind(id, tip.saturating_sub(*depth));
                for _ in 0..*regrown {
                    self.grow(id, &Shape { is_forked: true, ..Shape::default() }, true);
                }
            }
            Happening::Replace { chain } => {
                let id = self.chain(*chain);
                let final_one = self.finalized.get(&id).copied().unwrap_or(0);
                let lives = self.reference.lives.iter().filter(|life| life.state == "tracked");
                let invalid = lives.filter(|life| matches!(life.status, MessageStatus::Invalid(_)));
                let keys = invalid.map(|life| life.block.key);
                let lowest = keys
                    .filter(|key| key.chain_id == id && key.number > final_one)
                    .map(|key| key.number)
                    .min();
                if let Some(number) = lowest {
                    self.rewind(id, number - 1);
                    self.grow(id, &Shape { is_deposits_only: true, ..Shape::default() }, true);
                }
            }
            Happening::Restore { chain, count } => {
                let id = self.chain(*chain);
                for block in self.dropped.remove(&id).unwrap_or_default().iter().take(*count) {
                    if self.world.tip(id).is_some_and(|tip| tip.key.hash == block.parent_hash) {
                        self.world.restore(block);
                        self.tell(&Input::Block(Arc::clone(block)));
                    }
                }
            }
            Happening::Heads { chain, local_safe, safe, finalized } => {
                let id = self.chain(*chain);
                let tip = self.world.tip(id).map_or(0, |tip| tip.key.number);
                // Safe heads may fall back; what is final stays final.
                let highest = self.finalized.entry(id).or_default();
                *highest = tip.saturating_sub(local_safe + safe + finalized).max(*highest);
                let heads = SafetyHeads {
                    local_safe: tip.saturating_sub(*local_safe),
                    safe: tip.saturating_sub(local_safe + safe),
                    finalized: *highest,
                    safe_means: SafeMeans::CrossSafe,
                    verified_since: UnixSeconds(0),
                };
                self.tell(&Input::Heads { chain_id: id, heads });
            }
            Happening::Answer { pick } => self.answer(*pick),
            Happening::Time { seconds } => {
                self.now += seconds;
                self.tell(&Input::Time(UnixSeconds(self.now)));
            }
        }
    }

    fn grow(&mut self, id: ChainId, shape: &Shape, has_logs: bool) {
        let block = self.world.make(id, shape);
        if has_logs {
            self.index.insert(Arc::clone(&self.world.logs[&block.key.hash]));
        }
        self.dropped.entry(id).or_default().retain(|dropped| dropped.key.number > block.key.number);
        self.tell(&Input::Block(block));
    }

    /// Rewinds a chain as far as it is not final.
    fn rewind(&mut self, id: ChainId, kept: u64) {
        let kept = kept.max(self.finalized.get(&id).copied().unwrap_or(0));
        if self.world.tip(id).is_some_and(|tip| kept < tip.key.number) {
            let dropped = self.world.rewind(id, kept);
            self.dropped.insert(id, dropped);
            self.tell(&Input::Rewound { chain_id: id, kept });
        }
    }

    fn claim(&self, executing: ChainId, number: u64, draw: &Draw) -> Claim {
        // Chain 4 never is in the set.
        let cited = if draw.chain == 4 {
            4
        } else {
            draw.chain % u64::try_from(self.world.block_times.len()).unwrap()
        };
        let at = self.world.timestamp(executing, number).saturating_add_signed(-draw.age);
        let block_time = self.world.block_times.get(&chain(cited)).copied().unwrap_or(1);
        let number = at.saturating_sub(super::world::START) / block_time;
        Claim { chain: cited, number, log_index: draw.log_index, skew: draw.skew, payload: draw.payload }
    }

    fn answer(&mut self, pick: usize) {
        let Some(request) = self.requests.iter().nth(pick % self.requests.len().max(1)).copied() else {
            return;
        };
        self.requests.remove(&request);
        let (id, number) = request.place();
        let hash = match request {
            Request::Logs(key) => key.hash,
            Request::Canonical { .. } => self.reference.canonical(id, number).unwrap().key.hash,
        };
        let logs = Arc::clone(&self.world.logs[&hash]);
        let is_stale = self.reference.canonical(id, number).map(|block| block.key.hash) != Some(hash);
        self.index.insert(Arc::clone(&logs));
        let input = Input::Answer { request, logs };
        if is_stale {
            let outcome = self.tracker.apply(input);
            assert!(
                outcome.events.is_empty() && outcome.requests.is_empty(),
                "a stale answer told something"
            );
        } else {
            self.tell(&input);
        }
    }

    /// Tells both, and compares.
    fn tell(&mut self, input: &Input) {
        self.reference.apply_input(input);
        let outcome = self.tracker.apply(input.clone());
        assert_eq!(outcome.refused, None);
        for request in &outcome.requests {
            self.hear_request(request);
        }
        let first = self
            .world
            .block_times
            .keys()
            .map(|id| (*id, self.tracker.chain(*id).unwrap().first().unwrap_or(0)));
        self.reference.conclude(&self.world, &first.collect());
        for event in &outcome.events {
            self.hear_event(event);
        }
        self.compare(input, &outcome.events);
    }

    fn hear_request(&mut self, request: &Request) {
        let place = match request {
            Request::Logs(key) => {
                assert!(
                    self.index.get(key.chain_id, key.hash).is_none(),
                    "logs that are kept were asked for"
                );
                assert_eq!(
                    self.reference.canonical(key.chain_id, key.number).map(|block| block.key),
                    Some(*key)
                );
                (key.chain_id, key.number)
            }
            Request::Canonical { chain_id, number } => {
                assert!(Some(*number) < self.tracker.chain(*chain_id).unwrap().first());
                (*chain_id, *number)
            }
        };
        assert!(self.reference.outstanding.insert(place), "{request:?} was asked twice");
        self.requests.insert(*request);
        let name = match request {
            Request::Logs(_) => "logs",
            Request::Canonical { .. } => "canonical",
        };
        self.seen.insert(("request", name));
    }

    fn hear_event(&mut self, event: &MessageEvent) {
        if event.change == Change::Discovered {
            let new =
                Recorded { status: MessageStatus::Unknown, level: event.level, state: "tracked", flips: 0 };
            let old = self.reported.insert(event.key, new);
            assert!(old.is_none_or(|old| !matches!(old.state, "tracked" | "displaced")), "discovered twice");
            return;
        }
        let reported =
            self.reported.get_mut(&event.key).expect("an event of a message that was not discovered");
        assert!(matches!(reported.state, "tracked" | "displaced"), "{event:?} after the end");
        match event.change {
            Change::Status { from, to, cause, flip } => {
                assert_eq!(from, reported.status);
                assert_ne!(from, to);
                reported.status = to;
                reported.flips += u32::from(flip);
                self.seen.insert((if flip { "flip" } else { "cause" }, cause.name()));
                if let MessageStatus::Invalid(reason) = to {
                    self.seen.insert(("reason", reason.code()));
                }
                check_cause(&self.reference, &self.world, event, cause);
            }
            Change::Level { from } => {
                assert_eq!(from, reported.level);
                reported.level = event.level;
            }
            Change::Displaced => reported.state = "displaced",
            Change::Readopted => {
                reported.state = "tracked";
                self.seen.insert(("state", "readopted"));
            }
            Change::Ended(ending) => {
                reported.state = ending.name();
                self.seen.insert(("end", reported.state));
            }
            Change::Undeclared | Change::Discovered => {}
        }
        if let Change::Ended(Ending::Resolved { by } | Ending::Orphaned { by }) = event.change {
            let place = self.reference.canonical(event.key.block.chain_id, event.key.block.number);
            assert_eq!(place.map(|block| block.key.hash), Some(by));
        }
    }

    fn compare(&mut self, input: &Input, events: &[MessageEvent]) {
        let current = self.reference.current();
        let mut counts = Counts::default();
        for index in &current {
            let life = &self.reference.lives[*index];
            let message = self.tracker.message(&life.key()).expect("a message is lost");
            let seen = (message.state().name(), message.level(), message.flips());
            assert_eq!(seen, (life.state, life.level, life.flips), "{life:#?} after {input:?}");
            assert!(
                alike(&message.status(), &life.status),
                "{:?}: {life:#?} after {input:?}",
                message.status()
            );
            let reported = &self.reported[&life.key()];
            assert_eq!((message.status(), message.level()), (reported.status, reported.level));
            assert_eq!((message.state().name(), message.flips()), (reported.state, reported.flips));
            if life.state == "tracked" {
                let cited = message.initiating().filter(|id| self.world.block_times.contains_key(id));
                counts.add(CountKey::new(life.block.key.chain_id, cited, &life.status, life.level));
            }
        }
        assert_eq!(*self.tracker.counts(), counts);
        assert_eq!(self.tracker.faults(), 0);
        assert_eq!(self.tracker.open(), self.reference.lives.iter().filter(|life| life.is_open()).count());
        self.compare_chains();
        let changed: BTreeSet<MessageKey> =
            self.tracker.changed_after(self.sequence).map(|message| message.key()).collect();
        assert_eq!(changed, events.iter().map(|event| event.key).collect());
        self.sequence = self.tracker.changed_after(0).last().map_or(0, |message| message.sequence());
    }

    fn compare_chains(&self) {
        for id in self.world.block_times.keys() {
            let view = self.tracker.chain(*id).unwrap();
            let first = view.first().unwrap_or(0);
            assert_eq!(view.cross_unsafe(), self.reference.cross_unsafe(*id, first));
            let open =
                self.reference.lives.iter().filter(|life| life.is_open() && life.block.key.chain_id == *id);
            let open: BTreeSet<UnixSeconds> = open.map(|life| life.block.timestamp).collect();
            assert_eq!(
                (view.oldest_open(), view.newest_open()),
                (open.first().copied(), open.last().copied())
            );
            let blocks: Vec<_> = self.world.chains.get(id).into_iter().flatten().collect();
            let kept: Vec<_> = (first..).map_while(|number| view.block(number)).collect();
            assert_eq!(kept[..], blocks[blocks.len() - kept.len()..]);
        }
    }
}

/// Causes name blocks that are what they are said to be.
fn check_cause(reference: &Reference, world: &World, event: &MessageEvent, cause: StatusCause) {
    let canonical = |id, number| reference.canonical(id, number).map(|block| block.key.hash);
    match cause {
        StatusCause::RemoteReorg { chain_id, number, old, new } => {
            assert_eq!(canonical(chain_id, number), new);
            assert!(world.logs.contains_key(&old));
        }
        StatusCause::RemoteReplacement { old, new } => {
            assert_eq!(canonical(old.chain_id, old.number), Some(new));
            assert!(reference.canonical(old.chain_id, old.number).unwrap().is_deposits_only);
            let mut lives = reference.lives.iter().filter(|life| life.block.key == old);
            assert!(lives.any(|life| life.decided == Some(false)), "{old:?} had no invalid message");
        }
        StatusCause::CitedBlock { block } => {
            assert_eq!(canonical(block.chain_id, block.number), Some(block.hash));
            assert_eq!(event.initiating, Some(block.chain_id));
        }
        StatusCause::SameTimestamp { timestamp } => assert_eq!(timestamp, event.timestamp),
        StatusCause::Checked => {}
    }
}

fn superchain() -> impl Strategy<Value = (Vec<u64>, u64, Vec<Happening>)> {
    let block_times = proptest::collection::vec(prop_oneof![3 => Just(1_u64), 1 => Just(2)], 2..5);
    let kept_below_finalized = prop_oneof![Just(64_u64), 0..3_u64];
    (block_times, kept_below_finalized, proptest::collection::vec(happening(), 1..120))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_slow_reference((block_times, kept_below_finalized, happenings) in superchain()) {
        let mut trial = Trial::new(&block_times, kept_below_finalized);
        for happening in &happenings {
            trial.happen(happening);
        }
    }
}

/// The random superchains meet everything that they are there to meet.
#[test]
fn random_superchains_are_eventful() {
    let causes = ["checked", "cited-block", "remote-reorg", "remote-replacement", "same-timestamp"];
    let reasons = [
        "block-not-found",
        "cycle",
        "executed-by-deposit",
        "expired",
        "initiated-after-execution",
        "initiating-block-invalid",
        "log-not-found",
        "not-active",
        "payload-mismatch",
        "timestamp-mismatch",
        "unknown-chain",
    ];
    let wanted = causes.map(|name| ("cause", name)).into_iter().chain(reasons.map(|name| ("reason", name)));
    let flips = ["remote-reorg", "remote-replacement"];
    let wanted = wanted.chain(flips.map(|name| ("flip", name)));
    // There is room for all of them.
    let endings = Ending::NAMES.into_iter().filter(|name| *name != "crowded-out");
    let wanted = wanted.chain(endings.map(|name| ("end", name)));
    let wanted = wanted.chain([("request", "logs"), ("request", "canonical"), ("state", "readopted")]);
    let mut missing: BTreeSet<_> = wanted.collect();
    let mut runner = TestRunner::deterministic();
    for _ in 0..200 {
        let (block_times, kept_below_finalized, happenings) =
            superchain().new_tree(&mut runner).unwrap().current();
        let mut trial = Trial::new(&block_times, kept_below_finalized);
        happenings.iter().for_each(|happening| trial.happen(happening));
        missing.retain(|what| !trial.seen.contains(what));
        if missing.is_empty() {
            return;
        }
    }
    panic!("never seen: {missing:?}");
}

/// A block in a cycle is not invalid before the logs that its message cites are known: neither is a block
/// that cites it.
#[test]
fn a_cycle_through_awaited_logs_leaves_its_block_unknown() {
    let grow = |chain, draws: &[Draw], has_logs| Happening::Grow {
        chain,
        draws: draws.to_vec(),
        is_forked: false,
        is_deposits_only: false,
        has_deposit_logs: false,
        has_logs,
    };
    let cites = |chain, log_index| Draw { chain, age: 0, log_index, skew: 0, payload: Payload::Right };
    let happenings = [
        grow(2, &[], false),
        grow(1, &[], false),
        grow(1, &[], false),
        Happening::Rewind { chain: 2, depth: 1, regrown: 3 },
        grow(0, &[], false),
        grow(2, &[cites(0, 3)], true),
        grow(1, &[cites(2, 1)], false),
        Happening::Rewind { chain: 0, depth: 1, regrown: 3 },
        grow(0, &[cites(2, 1)], false),
    ];
    let mut trial = Trial::new(&[1, 2, 1], 64);
    happenings.iter().for_each(|happening| trial.happen(happening));
}
