//! [`Rivals`]: pairs of attested blocks of one height without a known cause. Pure: the time is an argument.
//!
//! A pair is checked again, and reported as unknown after a while.
//!
//! Bounded: a limited number of pairs wait, and a limited number of reported ones are remembered; the oldest
//! are dropped first.

use alloy::primitives::B256;
use crosscheck_core::case::Relation;
use crosscheck_p2p::ChainId;
use lru::LruCache;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;
use tokio::time::Instant;

/// How many pairs may wait until it is known what is behind them.
pub(super) const MAX_WAITING: usize = 256;
/// How many pairs are remembered as reported.
const MAX_REPORTED: NonZeroUsize = match NonZeroUsize::new(4096) {
    Some(capacity) => capacity,
    None => NonZeroUsize::MIN,
};
/// After this time a pair without a known cause is reported as unknown.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pause before the second check of a pair; it doubles with every further one.
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

#[derive(Clone, Copy, Debug)]
struct Waiting {
    since: Instant,
    due: Instant,
    looks: u32,
}

/// The pairs that wait, and those that were reported.
#[derive(Debug)]
pub(super) struct Rivals {
    waiting: BTreeMap<Pair, Waiting>,
    reported: LruCache<Pair, Relation>,
}

impl Default for Rivals {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), reported: LruCache::new(MAX_REPORTED) }
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
        self.is_new(oldest, Relation::Unknown).then_some(oldest)
    }

    /// When a pair is next to be checked.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.values().map(|waiting| waiting.due).min()
    }

    /// The pair that has been due for longest.
    pub(super) fn due(&self, now: Instant) -> Option<Pair> {
        let due = self.waiting.iter().filter(|(_, waiting)| waiting.due <= now);
        due.min_by_key(|(_, waiting)| waiting.due).map(|(pair, _)| *pair)
    }

    /// Records the result of a check of a pair. Returns what must be reported, if it is new.
    pub(super) fn learn(&mut self, pair: Pair, found: Option<Relation>, now: Instant) -> Option<Relation> {
        if let Some(relation) = found {
            self.waiting.remove(&pair);
            return self.is_new(pair, relation).then_some(relation);
        }
        let waiting = self.waiting.get_mut(&pair)?;
        let pause = FIRST_PAUSE.saturating_mul(1 << waiting.looks.min(10)).min(LONGEST_PAUSE);
        waiting.looks = waiting.looks.saturating_add(1);
        waiting.due = now.checked_add(pause).unwrap_or(now);
        let is_overdue = now.saturating_duration_since(waiting.since) >= PATIENCE;
        (is_overdue && self.is_new(pair, Relation::Unknown)).then_some(Relation::Unknown)
    }

    /// Whether this was not reported about the pair yet. Once a cause is known, `unknown` is not reported any
    /// more.
    fn is_new(&mut self, pair: Pair, relation: Relation) -> bool {
        let before = self.reported.get(&pair.either_order()).copied();
        let is_news = before.is_none_or(|before| before != relation && relation != Relation::Unknown);
        if is_news {
            self.reported.put(pair.either_order(), relation);
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(number: u64) -> Pair {
        let (newer, older) = (B256::repeat_byte(1), B256::repeat_byte(2));
        Pair { chain_id: ChainId::from(901), number, newer, older }
    }

    #[test]
    fn a_known_relation_is_reported_once_and_an_unknown_one_after_a_delay() {
        let (mut rivals, start) = (Rivals::default(), Instant::now());
        assert_eq!(rivals.note(pair(1), start), None);
        let mut now = start;
        let mut reported = Vec::new();
        while now < start + 4 * PATIENCE {
            now = rivals.next_due().unwrap();
            let pair = rivals.due(now).unwrap();
            reported
                .extend(rivals.learn(pair, None, now).map(|relation| (relation, now - start >= PATIENCE)));
        }
        assert_eq!(reported, [(Relation::Unknown, true)]);
        // It is checked for as long as it waits.
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
    fn waiting_pairs_are_bounded_and_the_oldest_is_reported() {
        let (mut rivals, start) = (Rivals::default(), Instant::now());
        let max = u64::try_from(MAX_WAITING).unwrap();
        for number in 0..max {
            assert_eq!(rivals.note(pair(number), start + Duration::from_millis(number)), None);
        }
        assert_eq!(rivals.note(pair(max), start + Duration::from_secs(9)), Some(pair(0)));
        assert_eq!(rivals.waiting.len(), MAX_WAITING);
    }
}
