//! The same facts in any order, each given once or more: the verdicts in the end are the same, and those of a
//! slow reference.
//!
//! The worlds are those of the closure's tests: blocks of three chains that execute each other's logs. Of
//! some heights several blocks are attested: the chain's own, its deposits-only reduction, an invalid one.
//! One chain may leave a branch on the way. Its blocks execute nothing and have a log more than those that
//! take their places, so that what was learnt of them is better than what is so. At some heights another
//! block was seen before the chain's own, which has the same deposits: L1 may have said it when the
//! deposits-only block was attested. A fourth chain holds every verdict up that could be one too early: all
//! blocks cite it, and it comes last.

use super::*;
use crate::case::closure::tests::{HEIGHTS, LOGS, Row, World, block_of, replaced_by_rounds, worlds};
use crate::case::closure::{Closure, Maturity};
use crate::case::{KnownVerdict, Origin, Relation, Side};
use crate::consolidation::{Replacement, sample};
use crate::proof::OutputV0;
use crate::validity::{CycleRule, Member, Validity};
use alloy::eips::BlockNumHash;
use crosscheck_p2p::UnixSeconds;
use proptest::prelude::*;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use std::collections::BTreeMap;

/// How many logs of each block a deposit emitted: the first ones.
const DEPOSIT_LOGS: u32 = 1;

/// The chain that comes last, and executes nothing.
const LATE: u64 = 4;

fn set() -> DependencySet {
    let member = Member { interop_time: UnixSeconds(0), block_time: 1 };
    DependencySet::new((1..=LATE).map(|id| (ChainId::from(id), member)).collect(), 1_000)
}

/// Which block of a height is attested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Word {
    /// The one that the chain has in the end.
    Own,
    /// Its deposits alone.
    Replacement,
    /// One with other transactions.
    Lie,
    /// The one of the branch that the chain leaves.
    Left,
    /// One that was seen before, and is not attested.
    Former,
}

/// What there is to be found of a block that was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Former {
    Valid,
    Wrong,
    /// No client has it any more.
    Gone,
}

/// A chain and a height, by their numbers.
type Place = (u64, u64);

type Attested = (Place, Word);

#[derive(Clone, Debug)]
struct Story {
    world: World,
    attested: BTreeSet<Attested>,
    /// The chain that leaves a branch, and the first height of the branch.
    leaves: Option<Place>,
    /// Where the chain's node has put the deposits-only block in place, if that was right.
    followed: BTreeSet<Place>,
    /// Where another block was seen before the chain's own.
    former: BTreeMap<Place, Former>,
}

/// Something that happens, after which the sources say more than before, or something else.
#[derive(Clone, Copy, Debug)]
enum Event {
    Attested(Attested),
    /// The chain's node is local-safe up to this height.
    Head(u64, u64),
    /// The chain leaves its branch.
    Reorg,
}

/// What became of an attested block: the verdict, its reason, what it replaces, and whether it is
/// rule-dependent.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ending {
    verdict: &'static str,
    reason: Option<&'static str>,
    replaces: Option<B256>,
    is_rule_dependent: bool,
}

fn hash((chain, number): Place, word: Word) -> B256 {
    B256::right_padding_from(&[chain as u8, number as u8, word as u8, 0xaa])
}

fn attributes(place: Place, word: Word) -> BlockAttributes {
    let transactions: &[&'static str] = match word {
        Word::Own => &["\x7e deposit", "\x02 user"],
        Word::Replacement => &["\x7e deposit"],
        Word::Lie => &["\x7e deposit", "\x02 lie"],
        Word::Left => &["\x7e deposit", "\x02 left"],
        Word::Former => &["\x7e deposit", "\x02 former"],
    };
    BlockAttributes { timestamp: UnixSeconds(place.1), ..sample::block(transactions) }
}

impl Story {
    fn events(&self) -> Vec<Event> {
        let heads = (1..=LATE).flat_map(|chain| (1..=HEIGHTS).map(move |number| Event::Head(chain, number)));
        let attested = self.attested.iter().map(|attested| Event::Attested(*attested));
        heads.chain(attested).chain(self.leaves.map(|_| Event::Reorg)).collect()
    }

    /// The events in some order, some of them twice. Where a chain leaves a branch, what all wait for comes
    /// after that.
    fn order(&self, rng: &mut ChaCha12Rng) -> Vec<Event> {
        let mut events = self.events();
        let again: Vec<Event> = events.iter().filter(|_| rng.random_ratio(1, 4)).copied().collect();
        events.extend(again);
        events.shuffle(rng);
        let is_late = |event: &Event| self.leaves.is_some() && matches!(event, Event::Head(LATE, _));
        let (late, early): (Vec<Event>, Vec<Event>) = events.into_iter().partition(is_late);
        early.into_iter().chain(late).collect()
    }

    fn logs(&self, place: Place, word: Word) -> Arc<ProvenLogs> {
        let rows = match word {
            Word::Own => self.world.get(&place).cloned().unwrap_or_default(),
            // There is no such chain.
            Word::Former if self.former.get(&place) == Some(&Former::Wrong) => vec![(LOGS, LATE + 1, 1, 0)],
            Word::Replacement | Word::Lie | Word::Left | Word::Former => Vec::new(),
        };
        let logs =
            Arc::unwrap_or_clone(block_of(place.0, place.1, &rows, LOGS + u32::from(word == Word::Left)));
        Arc::new(logs.with_deposit_logs(DEPOSIT_LOGS).with_hash(hash(place, word)))
    }

    fn play(&self, seed: u64) -> BTreeMap<Attested, Ending> {
        let mut play = Play {
            story: self,
            set: set(),
            replaced: replaced_by_rounds(&self.world, DEPOSIT_LOGS),
            heads: BTreeMap::new(),
            has_left: false,
            cases: BTreeMap::new(),
            rng: ChaCha12Rng::seed_from_u64(seed),
        };
        for event in self.order(&mut play.rng) {
            play.happen(event);
        }
        // Nobody waits longer than until everybody was checked, once for each of its stages.
        (0..6).for_each(|_| play.learn_all());
        play.endings()
    }

    /// What must become of each attested block; of those of the left branch only that they are not used
    /// against anyone.
    fn expected(&self) -> BTreeMap<Attested, (&'static str, Option<&'static str>, bool)> {
        let replaced = replaced_by_rounds(&self.world, DEPOSIT_LOGS);
        let expected = |&(place, word): &Attested| {
            let (is_invalid, depends) = (replaced.contains(&place), self.is_rule_dependent(place));
            let ending = match word {
                Word::Own if is_invalid => ("violated", Some("invalid-message"), false),
                Word::Own => ("upheld", None, depends),
                Word::Replacement if is_invalid => ("upheld-replacement", None, false),
                Word::Replacement if depends => ("upheld-replacement", None, true),
                Word::Replacement if self.is_excused(place) => ("superseded", None, false),
                Word::Replacement => ("violated", Some("unjustified-replacement"), false),
                Word::Lie => ("discarded", Some("not-derived"), false),
                Word::Left | Word::Former => return None,
            };
            Some(((place, word), ending))
        };
        self.attested.iter().filter_map(expected).collect()
    }

    /// Whether a block was seen before of which it is not known that it needed no replacement.
    fn is_excused(&self, place: Place) -> bool {
        self.former.get(&place).is_some_and(|former| *former != Former::Valid)
    }

    /// By the definition: stripping names the chain, and it is in no cycle.
    fn is_rule_dependent(&self, (chain, now): Place) -> bool {
        let messages =
            self.world.iter().filter(|((_, number), _)| *number == now).flat_map(|(place, rows)| {
                let same = rows.iter().filter(|row| row.2 == now);
                same.map(|row| SameTimestamp {
                    chain_id: place.0.into(),
                    log_index: row.0,
                    cited_chain_id: row.1.into(),
                    cited_log_index: row.3,
                })
            });
        rule_dependent_chains(CycleRule::Both, &messages.collect::<Vec<_>>()).contains(&chain.into())
    }
}

struct Play<'a> {
    story: &'a Story,
    set: DependencySet,
    replaced: BTreeSet<Place>,
    heads: BTreeMap<u64, u64>,
    has_left: bool,
    cases: BTreeMap<Attested, Case>,
    rng: ChaCha12Rng,
}

impl Play<'_> {
    fn happen(&mut self, event: Event) {
        match event {
            Event::Attested((place, word)) => {
                let key = BlockKey { chain_id: place.0.into(), number: place.1, hash: hash(place, word) };
                let case = || Case::new(key, CaseRules::default(), attributes(place, word));
                self.cases.entry((place, word)).or_insert_with(case);
            }
            Event::Head(chain, number) => {
                let head = self.heads.entry(chain).or_default();
                *head = number.max(*head);
            }
            Event::Reorg => self.has_left = true,
        }
        self.learn_all();
    }

    /// Which of its blocks the chain has at a height now, as far as its node has come.
    fn current(&self, place: Place) -> Option<Word> {
        let is_reached = self.heads.get(&place.0).is_some_and(|head| place.1 <= *head);
        let is_left = |left: Place| left.0 == place.0 && left.1 <= place.1 && !self.has_left;
        is_reached.then(|| if self.story.leaves.is_some_and(is_left) { Word::Left } else { Word::Own })
    }

    fn learn_all(&mut self) {
        let mut all: Vec<Attested> = self.cases.keys().copied().collect();
        all.shuffle(&mut self.rng);
        for attested in all {
            self.learn_facts(attested);
        }
    }

    /// Tells a case what the sources say now, asked for or not, in any order.
    fn learn_facts(&mut self, attested: Attested) {
        let Some(mut case) = self.cases.remove(&attested) else { return };
        case.observe_view(Some(u64::from(self.has_left)));
        for _ in 0..self.rng.random_range(1..4) {
            let mut facts = self.facts(attested, &case);
            facts.shuffle(&mut self.rng);
            for given in &facts {
                for _ in 0..self.rng.random_range(1..3) {
                    let before = case.verdict().cloned();
                    case.learn(&self.set, given);
                    assert!(before.is_none() || before.as_ref() == case.verdict(), "a verdict is taken back");
                }
            }
        }
        self.cases.insert(attested, case);
    }

    fn facts(&self, (place, word): Attested, case: &Case) -> Vec<Fact> {
        let mut facts = Vec::new();
        match (word, self.current(place)) {
            (_, None) | (Word::Own | Word::Replacement | Word::Lie | Word::Former, Some(Word::Left)) => {}
            (Word::Left, Some(Word::Own)) => {
                facts.push(Fact::OriginDropped(BlockNumHash { number: 1, hash: B256::ZERO }));
            }
            (_, Some(current)) => {
                let is_followed = self.story.followed.contains(&place) && self.replaced.contains(&place);
                let derived = if is_followed && current == Word::Own { Word::Replacement } else { current };
                let former = self.story.former.contains_key(&place).then_some(Word::Former);
                let seen = [Word::Own].into_iter().chain(former);
                let candidate = |word| {
                    Candidate::of(hash(place, word), &attributes(place, word), Replacement::DepositsOnly)
                };
                let candidates = seen.filter_map(candidate).collect();
                let need = Need::Fact(FactNeed::Logs { hash: hash(place, Word::Former), number: place.1 });
                if self.story.former.get(&place) != Some(&Former::Gone) {
                    facts.push(Fact::Logs(self.story.logs(place, Word::Former)));
                } else if case.needs().contains(&need) {
                    facts.push(Fact::LogsGone);
                }
                let (hash, attributes) = (hash(place, derived), attributes(place, derived));
                let output =
                    OutputV0 { state_root: B256::ZERO, withdrawals_root: B256::ZERO, block_hash: hash };
                let derived = DerivedBlock { hash, attributes, output, candidates, is_second_hand: false };
                facts.push(Fact::Derived(Box::new(derived)));
                facts.push(Fact::Final);
                facts.push(Fact::Logs(self.story.logs(place, Word::Own)));
                facts.push(Fact::Logs(self.story.logs(place, word)));
            }
        }
        if let Some(root) = case.examined() {
            facts.extend(self.facts_around(root));
        }
        facts
    }

    /// What the sources say of all that a block's validity rests on.
    fn facts_around(&self, root: &Arc<ProvenLogs>) -> Vec<Fact> {
        let mut closure = Closure::of(&self.set, Arc::clone(root));
        let mut facts = vec![Fact::Initiating { logs: Arc::clone(root), is_valid: false }];
        for place in (1..=LATE).flat_map(|chain| (1..=HEIGHTS).map(move |number| (chain, number))) {
            let is_root = (ChainId::from(place.0), place.1) == (root.chain_id(), root.number());
            if let Some(current) = self.current(place).filter(|_| !is_root) {
                let logs = self.story.logs(place, current);
                closure.insert(Arc::clone(&logs), Maturity::Open);
                facts.push(Fact::Initiating { logs, is_valid: false });
            }
        }
        for (place, validity) in closure.validities() {
            if let (Some(key), Validity::Valid | Validity::Invalid) = (closure.key(place), validity) {
                facts.push(Fact::CitedBlock { key, is_valid: validity == Validity::Valid });
            }
        }
        let timestamp = root.timestamp();
        let (messages, is_complete) = (closure.placed_messages(timestamp), closure.is_complete_at(timestamp));
        facts.push(Fact::SameTimestamp { messages, is_complete });
        facts
    }

    fn endings(&self) -> BTreeMap<Attested, Ending> {
        let ending = |case: &Case| Ending {
            verdict: case.verdict().map_or("open", Verdict::name),
            reason: case.verdict().and_then(Verdict::reason),
            replaces: case.replaced(),
            is_rule_dependent: case.is_rule_dependent(),
        };
        self.cases.iter().map(|(attested, case)| (*attested, ending(case))).collect()
    }
}

/// What is behind two attestations of one height, by their endings.
fn relation(endings: &BTreeMap<Attested, Ending>, place: Place, words: [Word; 2]) -> Option<Relation> {
    let [a, b] = words.map(|word| {
        let ending = &endings[&(place, word)];
        let known = KnownVerdict {
            kind: ending.verdict.parse().unwrap(),
            reason: ending.reason.map(str::to_owned),
            detail: String::new(),
        };
        let origin = if word == Word::Left { Origin::Dropped } else { Origin::Canonical };
        let (verdict, replaces) = (Some(known), ending.replaces);
        Side { hash: hash(place, word), is_attributable: true, verdict, replaces, origin }
    });
    Relation::of(&a, &b)
}

fn expected_relation(story: &Story, place: Place, words: [Word; 2]) -> Relation {
    let replaced =
        replaced_by_rounds(&story.world, DEPOSIT_LOGS).contains(&place) || story.is_rule_dependent(place);
    let is_undone = words.contains(&Word::Replacement) && !replaced && story.is_excused(place);
    match words {
        _ if words.contains(&Word::Left) || is_undone => Relation::L1Reorg,
        _ if words.contains(&Word::Lie) => Relation::Equivocation,
        _ if replaced => Relation::Replacement,
        _ => Relation::Equivocation,
    }
}

fn stories() -> impl Strategy<Value = Story> {
    let place = || (1..LATE, 1..=HEIGHTS);
    let word = prop_oneof![
        3 => Just(Word::Own),
        2 => Just(Word::Replacement),
        1 => Just(Word::Lie),
        1 => Just(Word::Left),
    ];
    let attested = prop::collection::btree_set((place(), word), 1..10);
    let followed = prop::collection::btree_set(place(), 0..6);
    let former = prop_oneof![Just(Former::Valid), Just(Former::Wrong), Just(Former::Gone)];
    let former = prop::collection::btree_map(place(), former, 0..8);
    (worlds(), attested, prop::option::of(place()), followed, former).prop_map(
        |(mut world, attested, leaves, followed, former)| {
            if leaves.is_some() {
                for ((_, number), rows) in &mut world {
                    let row: Row = (LOGS, LATE, number.saturating_sub(1).max(1), 0);
                    rows.push(row);
                }
            }
            let is_left = |place: Place| leaves.is_some_and(|left| left.0 == place.0 && left.1 <= place.1);
            let attested =
                attested.into_iter().filter(|(place, word)| *word != Word::Left || is_left(*place));
            Story { attested: attested.collect(), world, leaves, followed, former }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn the_verdicts_do_not_depend_on_the_order_of_facts(story in stories(), seeds in any::<[u64; 2]>()) {
        let expected = story.expected();
        let [one, other] = seeds.map(|seed| story.play(seed));
        for (attested, ending) in &one {
            if attested.1 == Word::Left {
                prop_assert!(["upheld", "superseded"].contains(&ending.verdict), "{attested:?}: {ending:?}");
                continue;
            }
            let (verdict, reason, is_rule_dependent) = expected[attested];
            prop_assert_eq!((ending.verdict, ending.reason), (verdict, reason), "{:?}", attested);
            prop_assert!(!ending.is_rule_dependent || story.is_rule_dependent(attested.0), "{:?}", attested);
            // A block that is invalid for another reason is not asked about.
            if is_rule_dependent || verdict == "upheld" {
                prop_assert_eq!(ending.is_rule_dependent, is_rule_dependent, "{:?}", attested);
            }
            prop_assert_eq!((verdict, reason), (other[attested].verdict, other[attested].reason));
            prop_assert_eq!(ending.replaces, other[attested].replaces);
        }
        for (place, a) in &story.attested {
            for (_, b) in story.attested.iter().filter(|(other, b)| other == place && a < b) {
                let expected = Some(expected_relation(&story, *place, [*a, *b]));
                for endings in [&one, &other] {
                    prop_assert_eq!(relation(endings, *place, [*a, *b]), expected, "{:?} and {:?}", a, b);
                    prop_assert_eq!(relation(endings, *place, [*b, *a]), expected);
                }
            }
        }
    }
}
