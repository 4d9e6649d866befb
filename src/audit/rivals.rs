//! [`Rivals`]: pairs of attested blocks of one height, and what is behind each pair. Pure: the time is an argument.
//!
//! Two attestations of one height are mostly nobody's fault: L1 reorganised, or an invalid block is replaced. A pair is
//! called an equivocation only once both signatures bind the signer, one of the blocks was found wrong for another reason
//! than an invalid message, and L1 still has what both stand on. What is not known is looked at again, and said to be
//! unknown after a while.
//!
//! Bounded: so many pairs wait, and so many are remembered as told; the oldest go first.

use super::Verdict;
use crate::ledger::KnownVerdict;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use lru::LruCache;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;
use tokio::time::Instant;

/// How many pairs may wait until it is known what is behind them.
pub(super) const MAX_WAITING: usize = 256;
/// How many pairs are remembered as told.
const MAX_TOLD: NonZeroUsize = match NonZeroUsize::new(4096) {
    Some(capacity) => capacity,
    None => NonZeroUsize::MIN,
};
/// A pair is said to be unknown after so long.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pause before the second look at a pair; it doubles with every further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Two attested blocks of one height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Pair {
    /// Their chain.
    pub(super) chain_id: ChainId,
    /// Their height.
    pub(super) number: u64,
    /// The one that was attested now.
    pub(super) newer: B256,
    /// The one that was attested before.
    pub(super) older: B256,
}

impl Pair {
    /// The same for both orders.
    fn either_order(self) -> Self {
        let (newer, older) = (self.newer.max(self.older), self.newer.min(self.older));
        Self { newer, older, ..self }
    }
}

/// Whether L1 has the block that an L2 block stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It has.
    Canonical,
    /// It has another in its place.
    Dropped,
    /// L1 did not answer, or is not that far.
    NotYet,
    /// Nobody can be asked.
    Unknowable,
}

/// What is known of one block of a pair.
#[derive(Clone, Debug)]
pub(super) struct Side {
    pub(super) hash: B256,
    pub(super) is_attributable: bool,
    pub(super) verdict: Option<KnownVerdict>,
    pub(super) replaces: Option<B256>,
    pub(super) origin: Origin,
}

/// What is behind two attestations of one height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// L1 does not have the block that one of the blocks stands on, or said each of them at its time.
    L1Reorg,
    /// One of the blocks holds an invalid message, and the other takes its place.
    Replacement,
    /// One of the signatures may be that of an unsafe block: nobody is bound to both.
    Replayable,
    /// The attester signed both, and nothing on L1 or in the blocks excuses it.
    Equivocation,
    /// It cannot be told.
    Unknown,
}

impl Relation {
    /// Every relation.
    pub const ALL: [Self; 5] =
        [Self::L1Reorg, Self::Replacement, Self::Replayable, Self::Equivocation, Self::Unknown];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::L1Reorg => "l1-reorg",
            Self::Replacement => "replacement",
            Self::Replayable => "replayable",
            Self::Equivocation => "equivocation",
            Self::Unknown => "unknown",
        }
    }

    /// What is behind two attestations. `None`: it is not known yet.
    pub(super) fn of(a: &Side, b: &Side) -> Option<Self> {
        let sides = [a, b];
        let is =
            |side: &Side, verdict: &str| side.verdict.as_ref().is_some_and(|known| known.name == verdict);
        // A needless replacement names its original, too.
        let rightly_replaces =
            |side: &Side, other: &Side| side.replaces == Some(other.hash) && !side.is_wrong();
        if rightly_replaces(a, b) || rightly_replaces(b, a) {
            return Some(Self::Replacement);
        }
        if sides.iter().any(|side| side.origin == Origin::Dropped || is(side, "superseded")) {
            return Some(Self::L1Reorg);
        }
        let is_replaced_by = |gone: &Side, other: &Side| gone.holds_invalid_message() && !other.is_wrong();
        if is_replaced_by(a, b) || is_replaced_by(b, a) {
            return Some(Self::Replacement);
        }
        if sides.iter().any(|side| side.verdict.is_none()) {
            return None;
        }
        if !sides.iter().all(|side| side.is_attributable) {
            return Some(Self::Replayable);
        }
        // Each was what L1 said when it was looked at: L1 changed in between.
        if !sides.iter().any(|side| side.is_wrong()) {
            return Some(Self::L1Reorg);
        }
        if sides.iter().any(|side| side.origin == Origin::Unknowable) {
            return Some(Self::Unknown);
        }
        sides.iter().all(|side| side.origin == Origin::Canonical).then_some(Self::Equivocation)
    }
}

impl Side {
    fn holds_invalid_message(&self) -> bool {
        self.verdict.as_ref().is_some_and(|known| {
            known.name == "violated" && known.reason.as_deref() == Some("invalid-message")
        })
    }

    fn is_wrong(&self) -> bool {
        self.verdict.as_ref().is_some_and(|known| Verdict::is_wrong_by_name(&known.name))
    }
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    since: Instant,
    due: Instant,
    looks: u32,
}

/// The pairs that wait, and those that were told.
#[derive(Debug)]
pub(super) struct Rivals {
    waiting: BTreeMap<Pair, Waiting>,
    told: LruCache<Pair, Relation>,
}

impl Default for Rivals {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), told: LruCache::new(MAX_TOLD) }
    }
}

impl Rivals {
    /// Takes in a pair. Answers one that has to go for it, unknown as it is.
    pub(super) fn note(&mut self, pair: Pair, now: Instant) -> Option<Pair> {
        self.waiting.entry(pair).or_insert(Waiting { since: now, due: now, looks: 0 });
        if self.waiting.len() <= MAX_WAITING {
            return None;
        }
        let oldest = self.waiting.iter().min_by_key(|(_, waiting)| waiting.since).map(|(pair, _)| *pair)?;
        self.waiting.remove(&oldest);
        self.is_news(oldest, Relation::Unknown).then_some(oldest)
    }

    /// When a pair is next to be looked at.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.values().map(|waiting| waiting.due).min()
    }

    /// The pair that has been due for longest.
    pub(super) fn due(&self, now: Instant) -> Option<Pair> {
        let due = self.waiting.iter().filter(|(_, waiting)| waiting.due <= now);
        due.min_by_key(|(_, waiting)| waiting.due).map(|(pair, _)| *pair)
    }

    /// Takes in what a look at a pair has shown. Answers what is to be told of it, if that is news.
    pub(super) fn learn(&mut self, pair: Pair, found: Option<Relation>, now: Instant) -> Option<Relation> {
        if let Some(relation) = found {
            self.waiting.remove(&pair);
            return self.is_news(pair, relation).then_some(relation);
        }
        let waiting = self.waiting.get_mut(&pair)?;
        let pause = FIRST_PAUSE.saturating_mul(1 << waiting.looks.min(10)).min(LONGEST_PAUSE);
        waiting.looks = waiting.looks.saturating_add(1);
        waiting.due = now.checked_add(pause).unwrap_or(now);
        let is_overdue = now.saturating_duration_since(waiting.since) >= PATIENCE;
        (is_overdue && self.is_news(pair, Relation::Unknown)).then_some(Relation::Unknown)
    }

    /// Whether this was not told of the pair yet. Once something is known, nothing less is told.
    fn is_news(&mut self, pair: Pair, relation: Relation) -> bool {
        let before = self.told.get(&pair.either_order()).copied();
        let is_news = before.is_none_or(|before| before != relation && relation != Relation::Unknown);
        if is_news {
            self.told.put(pair.either_order(), relation);
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// `"violated"`, `"discarded"` and so on; a dash: none yet. `"violated"` is for an invalid message.
    fn side(byte: u8, verdict: &str, origin: Origin) -> Side {
        let (name, reason) = match verdict {
            "violated" => ("violated", Some("invalid-message")),
            "unjustified" => ("violated", Some("unjustified-replacement")),
            other => (other, None),
        };
        let known =
            KnownVerdict { name: name.to_owned(), reason: reason.map(str::to_owned), detail: String::new() };
        let verdict = (verdict != "-").then_some(known);
        Side { hash: B256::repeat_byte(byte), is_attributable: true, verdict, replaces: None, origin }
    }

    const STANDS: Origin = Origin::Canonical;

    #[rstest]
    #[case::both_open(("-", STANDS), ("-", STANDS), None)]
    #[case::the_new_one_open(("-", STANDS), ("upheld", STANDS), None)]
    #[case::l1_has_reorged(("-", STANDS), ("upheld", Origin::Dropped), Some(Relation::L1Reorg))]
    #[case::and_the_dropped_one_is_open(("-", STANDS), ("-", Origin::Dropped), Some(Relation::L1Reorg))]
    #[case::and_the_dropped_one_was_discarded(
        ("upheld", STANDS), ("discarded", Origin::Dropped), Some(Relation::L1Reorg)
    )]
    #[case::settled(("upheld", STANDS), ("superseded", Origin::NotYet), Some(Relation::L1Reorg))]
    #[case::l1_said_each(("upheld", STANDS), ("upheld", STANDS), Some(Relation::L1Reorg))]
    #[case::is_being_replaced(("-", STANDS), ("violated", STANDS), Some(Relation::Replacement))]
    #[case::was_replaced(("upheld-replacement", STANDS), ("violated", STANDS), Some(Relation::Replacement))]
    #[case::the_replaced_one_came_later(
        ("violated", STANDS), ("upheld-replacement", STANDS), Some(Relation::Replacement)
    )]
    #[case::no_replacement_but_another_lie(
        ("discarded", STANDS), ("violated", STANDS), Some(Relation::Equivocation)
    )]
    #[case::a_second_word(("discarded", STANDS), ("upheld", STANDS), Some(Relation::Equivocation))]
    #[case::the_wrong_word_first(("upheld", STANDS), ("discarded", STANDS), Some(Relation::Equivocation))]
    #[case::needless_replacement(("unjustified", STANDS), ("upheld", STANDS), Some(Relation::Equivocation))]
    #[case::l1_does_not_answer(("discarded", Origin::NotYet), ("upheld", STANDS), None)]
    #[case::l1_does_not_answer_of_the_other(("discarded", STANDS), ("upheld", Origin::NotYet), None)]
    #[case::nobody_to_ask(
        ("discarded", Origin::Unknowable), ("upheld", Origin::Unknowable), Some(Relation::Unknown)
    )]
    #[case::nobody_to_ask_and_open(("-", Origin::Unknowable), ("upheld", Origin::Unknowable), None)]
    fn what_is_behind_a_pair(
        #[case] newer: (&str, Origin),
        #[case] older: (&str, Origin),
        #[case] expected: Option<Relation>,
    ) {
        let (newer, older) = (side(1, newer.0, newer.1), side(2, older.0, older.1));
        assert_eq!(Relation::of(&newer, &older), expected);
        assert_eq!(Relation::of(&older, &newer), expected, "the order does not matter");
        // Only what would be an equivocation otherwise hangs on the signatures.
        let replayed = Side { is_attributable: false, ..older };
        let found = Relation::of(&newer, &replayed);
        assert_ne!(found, Some(Relation::Equivocation), "a replay binds nobody");
        if matches!(expected, Some(Relation::Replacement)) || newer.verdict.is_none() {
            assert_eq!(found, expected);
        }
    }

    /// What a needless replacement names was no reason for it: the attester signed both.
    #[test]
    fn a_needless_replacement_beside_its_original_is_an_equivocation() {
        let newer = Side { replaces: Some(B256::repeat_byte(2)), ..side(1, "unjustified", STANDS) };
        let older = side(2, "upheld", STANDS);
        assert_eq!(Relation::of(&newer, &older), Some(Relation::Equivocation));
        assert_eq!(Relation::of(&older, &newer), Some(Relation::Equivocation));
    }

    #[test]
    fn a_replacement_names_what_it_replaces() {
        let newer = Side { replaces: Some(B256::repeat_byte(2)), ..side(1, "upheld-replacement", STANDS) };
        let older = side(2, "discarded", STANDS);
        assert_eq!(Relation::of(&newer, &older), Some(Relation::Replacement));
        assert_eq!(Relation::of(&older, &newer), Some(Relation::Replacement));
    }

    fn pair(number: u64) -> Pair {
        let (newer, older) = (B256::repeat_byte(1), B256::repeat_byte(2));
        Pair { chain_id: ChainId::from(901), number, newer, older }
    }

    #[test]
    fn what_is_known_is_told_once_and_what_is_not_after_a_while() {
        let (mut rivals, start) = (Rivals::default(), Instant::now());
        assert_eq!(rivals.note(pair(1), start), None);
        let mut now = start;
        let mut told = Vec::new();
        while now < start + 4 * PATIENCE {
            now = rivals.next_due().unwrap();
            let pair = rivals.due(now).unwrap();
            told.extend(rivals.learn(pair, None, now).map(|relation| (relation, now - start >= PATIENCE)));
        }
        assert_eq!(told, [(Relation::Unknown, true)]);
        // It is looked at for as long as it waits.
        let known = Some(Relation::Equivocation);
        assert_eq!(rivals.learn(pair(1), known, now), known);
        assert_eq!(rivals.next_due(), None);
        // The same pair again, in the other order: nothing new, or more.
        let other = Pair { newer: pair(1).older, older: pair(1).newer, ..pair(1) };
        rivals.note(other, now);
        assert_eq!(rivals.learn(other, known, now), None);
        rivals.note(other, now);
        assert_eq!(rivals.learn(other, Some(Relation::L1Reorg), now), Some(Relation::L1Reorg));
    }

    #[test]
    fn the_pairs_that_wait_are_bounded_and_the_oldest_is_told() {
        let (mut rivals, start) = (Rivals::default(), Instant::now());
        let max = u64::try_from(MAX_WAITING).unwrap();
        for number in 0..max {
            assert_eq!(rivals.note(pair(number), start + Duration::from_millis(number)), None);
        }
        assert_eq!(rivals.note(pair(max), start + Duration::from_secs(9)), Some(pair(0)));
        assert_eq!(rivals.waiting.len(), MAX_WAITING);
    }
}
