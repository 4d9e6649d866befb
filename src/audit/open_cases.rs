//! [`OpenCases`]: the cases without a verdict, and when each is next worth looking at. Pure: the time is an
//! argument, except where a case is postponed from now on.
//!
//! They are in two queues, which take turns when both have a block due: what was attested, and the
//! ancestors of that. Ancestors are found run by run, each by the one before; behind every new attestation a gap
//! would take as many queues as it has runs, and the vouched head would be stuck while it does.

use super::reasons::{ReasonTexts, normalize};
use crosscheck_core::case::{Case, Cause, Wait};
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::ChainId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// The pause before the first retry; it doubles with every further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause between two checks of a case.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The longest pause between two checks of a case that waits for a second opinion alone: anyone who knows of one wakes it.
const LONGEST_SECOND_HAND: Duration = Duration::from_secs(300);

/// The next step for an open block.
#[derive(Debug)]
pub(super) enum Work {
    /// Go on with the case.
    Case(Box<Case>),
    /// Fetch the block first: it is known by its hash alone.
    Ancestor,
    /// The same, and with it up to this many blocks below: they are not known yet.
    Gap(u64),
}

impl Work {
    const fn is_case(&self) -> bool {
        matches!(self, Self::Case(_))
    }
}

/// Where an open block waits to be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// Among what was attested.
    Attested,
    /// Among the ancestors of that.
    Ancestors,
}

/// Who is due when, in both lines.
#[derive(Debug, Default)]
struct Due {
    attested: BTreeSet<(Instant, BlockKey)>,
    ancestors: BTreeSet<(Instant, BlockKey)>,
    /// Whether an ancestor was served last.
    was_ancestor: bool,
}

impl Due {
    const fn line(&mut self, line: Line) -> &mut BTreeSet<(Instant, BlockKey)> {
        match line {
            Line::Attested => &mut self.attested,
            Line::Ancestors => &mut self.ancestors,
        }
    }

    fn first(&self) -> Option<Instant> {
        let first = |line: &BTreeSet<(Instant, BlockKey)>| line.first().map(|(due, _)| *due);
        first(&self.attested).into_iter().chain(first(&self.ancestors)).min()
    }

    /// Takes the block that has waited longest out of the line whose turn it is.
    fn pop(&mut self, now: Instant) -> Option<BlockKey> {
        let is_due = |line: &BTreeSet<(Instant, BlockKey)>| line.first().is_some_and(|(due, _)| *due <= now);
        let line = match (is_due(&self.attested), is_due(&self.ancestors)) {
            (false, false) => return None,
            (true, false) => Line::Attested,
            (false, true) => Line::Ancestors,
            (true, true) if self.was_ancestor => Line::Attested,
            (true, true) => Line::Ancestors,
        };
        self.was_ancestor = line == Line::Ancestors;
        self.line(line).pop_first().map(|(_, key)| key)
    }
}

/// One open block.
#[derive(Debug)]
pub(super) struct OpenCase {
    /// When this run took it up.
    pub opened: Instant,
    /// Everything that it has waited for.
    pub waited: BTreeSet<Wait>,
    /// The last text on why it was unavailable.
    words: ReasonTexts,
    /// Since when it has been open, across restarts.
    since: Instant,
    /// What it was found to wait for last.
    waits: BTreeSet<Wait>,
    line: Line,
    state: State,
    /// Nobody wants it any more, unless it has been fetched meanwhile.
    is_given_up: bool,
    attempts: u32,
    /// How often in a row it was found to wait for a second opinion alone.
    second_hand: u32,
}

#[derive(Debug)]
enum State {
    Idle {
        work: Work,
        due: Instant,
    },
    Running {
        woken: bool,
        /// The case of a block that is being fetched, and has arrived otherwise meanwhile.
        instead: Option<Box<Case>>,
    },
}

/// A chain's oldest open block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Oldest<'a> {
    /// Which.
    pub(super) key: BlockKey,
    /// For how long it has been open.
    pub(super) age: Duration,
    /// What it waits for.
    pub(super) waits: &'a BTreeSet<Wait>,
}

/// The cases without a verdict.
#[derive(Debug, Default)]
pub(super) struct OpenCases {
    cases: BTreeMap<BlockKey, OpenCase>,
    /// How many of them are each chain's.
    counts: BTreeMap<ChainId, usize>,
    due: Due,
}

impl OpenCases {
    pub(super) fn len(&self) -> usize {
        self.cases.len()
    }

    /// How many of them are a chain's.
    pub(super) fn count(&self, chain_id: ChainId) -> usize {
        self.counts.get(&chain_id).copied().unwrap_or_default()
    }

    pub(super) fn contains(&self, key: &BlockKey) -> bool {
        self.cases.contains_key(key)
    }

    /// Adds a block, to be checked right away. One that must be fetched first is an ancestor from then on.
    pub(super) fn insert(&mut self, key: BlockKey, work: Work, opened: Instant) {
        let line = if work.is_case() { Line::Attested } else { Line::Ancestors };
        self.insert_in(line, key, work, opened);
    }

    /// Adds an ancestor that was fetched with others, to be checked right away; or brings it, if it was to be fetched.
    pub(super) fn insert_fetched(&mut self, key: BlockKey, case: Case, now: Instant) {
        if self.contains(&key) {
            self.on_fetched(key, case, now);
        } else {
            self.insert_in(Line::Ancestors, key, Work::Case(Box::new(case)), now);
        }
    }

    fn insert_in(&mut self, line: Line, key: BlockKey, work: Work, opened: Instant) {
        let state = State::Idle { work, due: opened };
        self.due.line(line).insert((opened, key));
        let (waited, waits) = (BTreeSet::new(), BTreeSet::new());
        let words = ReasonTexts::new();
        let case = OpenCase {
            opened,
            waited,
            words,
            since: opened,
            waits,
            line,
            state,
            is_given_up: false,
            attempts: 0,
            second_hand: 0,
        };
        if self.cases.insert(key, case).is_none() {
            let count = self.counts.entry(key.chain_id).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// The block that was to be fetched has come in: it need not be fetched. Of one that has a case already nothing changes.
    pub(super) fn on_fetched(&mut self, key: BlockKey, case: Case, now: Instant) {
        let Some(entry) = self.cases.get_mut(&key) else { return };
        match &mut entry.state {
            State::Idle { work, due } if !work.is_case() => {
                self.due.line(entry.line).remove(&(*due, key));
                *work = Work::Case(Box::new(case));
                *due = now;
                entry.attempts = 0;
                self.due.line(entry.line).insert((now, key));
            }
            State::Running { instead, .. } => *instead = Some(Box::new(case)),
            State::Idle { .. } => {}
        }
    }

    /// Says that a block has been open since before this run took it up.
    pub(super) fn backdate(&mut self, key: &BlockKey, since: Instant) {
        if let Some(entry) = self.cases.get_mut(key) {
            entry.since = since;
        }
    }

    /// The age of a chain's oldest open block of those that wait for each cause.
    pub(super) fn oldest_by_cause(&self, chain_id: ChainId, now: Instant) -> BTreeMap<Cause, Duration> {
        let mut ages = BTreeMap::new();
        for entry in self.of(chain_id).map(|(_, entry)| entry) {
            let age = now.saturating_duration_since(entry.since);
            for wait in &entry.waits {
                let oldest: &mut Duration = ages.entry(wait.cause).or_default();
                *oldest = age.max(*oldest);
            }
        }
        ages
    }

    /// A chain's oldest open block: of those opened at once the lowest.
    pub(super) fn oldest(&self, chain_id: ChainId, now: Instant) -> Option<Oldest<'_>> {
        let (key, entry) = self.of(chain_id).min_by_key(|(key, entry)| (entry.since, key.number))?;
        Some(Oldest { key: *key, age: now.saturating_duration_since(entry.since), waits: &entry.waits })
    }

    fn of(&self, chain_id: ChainId) -> impl Iterator<Item = (&BlockKey, &OpenCase)> {
        self.cases.iter().filter(move |(key, _)| key.chain_id == chain_id)
    }

    /// When something is next to be done.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first()
    }

    /// The next block that is due, now being worked on.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(BlockKey, Work)> {
        let key = self.due.pop(now)?;
        let entry = self.cases.get_mut(&key)?;
        match std::mem::replace(&mut entry.state, State::Running { woken: false, instead: None }) {
            State::Idle { work, .. } => Some((key, work)),
            State::Running { .. } => None,
        }
    }

    /// Puts a block back that was worked on, to be checked right away.
    pub(super) fn resume(&mut self, key: BlockKey, work: Work) {
        self.put_back(key, work, BTreeSet::new(), Duration::ZERO);
    }

    /// Puts a block back that must wait. Returns everything that it has waited for, and why, if that is news.
    pub(super) fn postpone(
        &mut self,
        key: BlockKey,
        work: Work,
        waits: BTreeSet<Wait>,
        words: ReasonTexts,
    ) -> Option<(BTreeSet<Wait>, ReasonTexts)> {
        let entry = self.cases.get_mut(&key)?;
        let known = entry.waited.len();
        entry.waited.extend(waits.iter().copied());
        let mut is_news = entry.waited.len() > known;
        for (wait, words) in words {
            let before = entry.words.get(&wait).map(|known| normalize(known));
            if before.as_ref() != Some(&normalize(&words)) {
                is_news = true;
                entry.words.insert(wait, words);
            }
        }
        let news = is_news.then(|| (entry.waited.clone(), entry.words.clone()));
        let (longest, attempts) = if is_second_hand(&waits) {
            (LONGEST_SECOND_HAND, &mut entry.second_hand)
        } else {
            entry.second_hand = 0;
            (LONGEST_PAUSE, &mut entry.attempts)
        };
        let pause = FIRST_PAUSE.saturating_mul(1 << (*attempts).min(12)).min(longest);
        *attempts = attempts.saturating_add(1);
        self.put_back(key, work, waits, pause);
        news
    }

    fn put_back(&mut self, key: BlockKey, work: Work, waits: BTreeSet<Wait>, pause: Duration) {
        let Some(entry) = self.cases.get_mut(&key) else { return };
        let now = Instant::now();
        // A head that moved while the block was worked on may be the one that it waits for.
        let mut woken = matches!(entry.state, State::Running { woken: true, .. });
        let mut work = work;
        if !work.is_case()
            && let State::Running { instead, .. } = &mut entry.state
            && let Some(case) = instead.take()
        {
            (work, woken) = (Work::Case(case), true);
        }
        if entry.is_given_up && !work.is_case() {
            self.close(&key);
            return;
        }
        let due = if woken { now } else { now.checked_add(pause).unwrap_or(now) };
        entry.state = State::Idle { work, due };
        entry.waits = waits;
        self.due.line(entry.line).insert((due, key));
    }

    /// Makes due what waits for a chain to move on.
    pub(super) fn wake(&mut self, chain_id: ChainId, now: Instant) {
        for (key, entry) in &mut self.cases {
            match &mut entry.state {
                State::Running { woken, .. } => *woken = true,
                State::Idle { due, .. } => {
                    let awaits_chain = entry.waits.iter().any(|wait| {
                        wait.chain_id == chain_id && matches!(wait.cause, Cause::NotYet | Cause::OtherFork)
                    });
                    if awaits_chain && *due > now {
                        let line = self.due.line(entry.line);
                        line.remove(&(*due, *key));
                        *due = now;
                        line.insert((now, *key));
                    }
                }
            }
        }
    }

    /// A chain's blocks that wait for a second opinion alone.
    pub(super) fn second_hand(&self, chain_id: ChainId) -> Vec<BlockKey> {
        let waiting = self.of(chain_id).filter(|(_, entry)| is_second_hand(&entry.waits));
        waiting.map(|(key, _)| *key).collect()
    }

    /// Has a block checked right away, or once more if it is being checked.
    pub(super) fn expedite(&mut self, key: &BlockKey, now: Instant) {
        let Some(entry) = self.cases.get_mut(key) else { return };
        match &mut entry.state {
            State::Running { woken, .. } => *woken = true,
            State::Idle { due, .. } => {
                let line = self.due.line(entry.line);
                line.remove(&(*due, *key));
                *due = now.min(*due);
                line.insert((*due, *key));
            }
        }
    }

    /// Gives up a block that is known by its hash alone and that could not be fetched so far; one that is being fetched now, when that
    /// fails. `true`: there was one.
    pub(super) fn give_up_unfetched(&mut self, key: &BlockKey) -> bool {
        let Some(entry) = self.cases.get_mut(key) else { return false };
        match &entry.state {
            State::Idle { work, .. } if work.is_case() => false,
            State::Idle { .. } => self.close(key).is_some(),
            State::Running { .. } => {
                entry.is_given_up = true;
                true
            }
        }
    }

    /// A block that was given up is wanted again.
    pub(super) fn want(&mut self, key: &BlockKey) {
        if let Some(entry) = self.cases.get_mut(key) {
            entry.is_given_up = false;
        }
    }

    /// Removes a block.
    pub(super) fn close(&mut self, key: &BlockKey) -> Option<OpenCase> {
        let entry = self.cases.remove(key)?;
        if let Some(count) = self.counts.get_mut(&key.chain_id) {
            *count = count.saturating_sub(1);
        }
        if let State::Idle { due, .. } = entry.state {
            self.due.line(entry.line).remove(&(due, *key));
        }
        Some(entry)
    }
}

/// Whether nothing but a second opinion is waited for.
fn is_second_hand(waits: &BTreeSet<Wait>) -> bool {
    !waits.is_empty() && waits.iter().all(|wait| wait.cause == Cause::SecondHand)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;
    use crosscheck_core::case::{Awaited, CaseRules};
    use crosscheck_core::consolidation::sample;

    fn key(number: u64) -> BlockKey {
        BlockKey { chain_id: ChainId::from(901), number, hash: B256::repeat_byte(1) }
    }

    fn wait(chain_id: u64, cause: Cause) -> BTreeSet<Wait> {
        [Wait { awaited: Awaited::Initiating, chain_id: chain_id.into(), cause }].into()
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_double_and_are_bounded() {
        let mut open = OpenCases::default();
        open.insert(key(1), Work::Ancestor, Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..10 {
            let (key, work) = open.take_due(Instant::now()).unwrap();
            open.postpone(key, work, wait(902, Cause::EndpointError), ReasonTexts::new());
            let due = open.next_due().unwrap();
            pauses.push((due - Instant::now()).as_millis());
            tokio::time::advance(due - Instant::now()).await;
        }
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
    }

    /// Nothing is asked in vain every few seconds for what only another node can change, for as long as it may take.
    #[tokio::test(start_paused = true)]
    async fn a_case_that_waits_for_a_second_opinion_is_not_due_until_there_is_one() {
        let mut open = OpenCases::default();
        open.insert(key(1), Work::Ancestor, Instant::now());
        let mut looks = 0;
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(3_600) {
            let (key, work) = open.take_due(Instant::now()).unwrap();
            looks += 1;
            open.postpone(key, work, wait(901, Cause::SecondHand), ReasonTexts::new());
            tokio::time::advance(open.next_due().unwrap() - Instant::now()).await;
        }
        assert!(looks <= 26, "{looks} looks in an hour");
        let (taken, work) = open.take_due(Instant::now()).unwrap();
        open.postpone(taken, work, wait(901, Cause::SecondHand), ReasonTexts::new());
        assert_eq!((open.second_hand(901.into()), open.second_hand(902.into())), (vec![key(1)], vec![]));
        open.wake(901.into(), Instant::now());
        assert!(open.take_due(Instant::now()).is_none(), "a head that moves is no second opinion");
        open.expedite(&key(1), Instant::now());
        let (taken, work) = open.take_due(Instant::now()).unwrap();
        open.postpone(taken, work, wait(901, Cause::NotYet), ReasonTexts::new());
        assert!(open.second_hand(901.into()).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_moving_head_wakes_the_cases_that_wait_for_it() {
        let mut open = OpenCases::default();
        for (number, waits) in [
            (1, wait(902, Cause::NotYet)),
            (2, wait(903, Cause::NotYet)),
            (3, wait(902, Cause::EndpointError)),
        ] {
            open.insert(key(number), Work::Ancestor, Instant::now());
            let (key, work) = open.take_due(Instant::now()).unwrap();
            open.postpone(key, work, waits, ReasonTexts::new());
        }
        assert!(open.take_due(Instant::now()).is_none());
        open.wake(902.into(), Instant::now());
        assert_eq!(open.take_due(Instant::now()).unwrap().0, key(1));
        assert!(open.take_due(Instant::now()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_moves_meanwhile_is_not_missed() {
        let mut open = OpenCases::default();
        open.insert(key(1), Work::Ancestor, Instant::now());
        let (key, work) = open.take_due(Instant::now()).unwrap();
        open.wake(902.into(), Instant::now());
        open.postpone(key, work, wait(902, Cause::NotYet), ReasonTexts::new());
        assert!(open.take_due(Instant::now()).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_new_wait_is_reported() {
        let mut open = OpenCases::default();
        open.insert(key(1), Work::Ancestor, Instant::now());
        let (key, work) = open.take_due(Instant::now()).unwrap();
        assert!(open.postpone(key, work, wait(902, Cause::NotYet), ReasonTexts::new()).is_some());
        tokio::time::advance(Duration::from_secs(1)).await;
        let (key, work) = open.take_due(Instant::now()).unwrap();
        assert!(open.postpone(key, work, wait(902, Cause::NotYet), ReasonTexts::new()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn another_reason_for_the_same_wait_is_reported() {
        let mut open = OpenCases::default();
        open.insert(key(1), Work::Ancestor, Instant::now());
        let waits = wait(902, Cause::EndpointError);
        let mut reasons = Vec::new();
        for words in ["block 7: refused", "block 8: refused", "timed out", "timed out", "block 9: refused"] {
            let (key, work) = open.take_due(Instant::now()).unwrap();
            let words = waits.iter().map(|wait| (*wait, words.to_owned())).collect();
            let news = open.postpone(key, work, waits.clone(), words);
            reasons.push(news.map(|(_, words)| words.into_values().next().unwrap()));
            tokio::time::advance(LONGEST_PAUSE).await;
        }
        let reasons: Vec<Option<&str>> = reasons.iter().map(Option::as_deref).collect();
        assert_eq!(
            reasons,
            [Some("block 7: refused"), None, Some("timed out"), None, Some("block 9: refused")]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_case_is_never_due() {
        let mut open = OpenCases::default();
        open.insert(key(1), Work::Ancestor, Instant::now());
        assert!(open.close(&key(1)).is_some());
        assert!(open.next_due().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn each_chain_s_open_cases_are_counted_once() {
        let mut open = OpenCases::default();
        let other = BlockKey { chain_id: 902.into(), ..key(1) };
        for key in [key(1), key(2), key(2), other] {
            open.insert(key, Work::Ancestor, Instant::now());
        }
        let counts = |open: &OpenCases| [901, 902, 903].map(|chain: u64| open.count(chain.into()));
        assert_eq!(counts(&open), [2, 1, 0]);
        open.take_due(Instant::now()).unwrap();
        assert!(open.close(&key(1)).is_some() && open.close(&key(1)).is_none());
        assert_eq!(counts(&open), [1, 1, 0]);
    }

    fn plain_case(number: u64) -> Case {
        Case::new(key(number), CaseRules::default(), sample::block(&[]))
    }

    #[tokio::test(start_paused = true)]
    async fn a_block_that_comes_in_is_not_fetched() {
        let mut open = OpenCases::default();
        let now = Instant::now();
        // Waiting to be fetched again.
        open.insert(key(1), Work::Ancestor, now);
        let (taken, work) = open.take_due(now).unwrap();
        open.postpone(taken, work, wait(901, Cause::NotYet), ReasonTexts::new());
        open.on_fetched(key(1), plain_case(1), now);
        assert!(matches!(open.take_due(now), Some((_, Work::Case(_)))));
        // Being fetched at the moment.
        open.insert(key(2), Work::Ancestor, now);
        let (taken, work) = open.take_due(now).unwrap();
        open.on_fetched(key(2), plain_case(2), now);
        open.postpone(taken, work, wait(901, Cause::NotYet), ReasonTexts::new());
        assert!(matches!(open.take_due(now), Some((_, Work::Case(_)))));
        // An existing case is continued.
        open.on_fetched(key(1), plain_case(1), now);
        open.on_fetched(key(9), plain_case(9), now);
        assert!(open.take_due(now).is_none());
    }

    fn case(number: u64) -> Work {
        Work::Case(Box::new(Case::new(key(number), CaseRules::default(), sample::block(&[]))))
    }

    /// Attestations come in faster than they are checked: the walk down a gap takes as many checks as it has blocks
    /// all the same, not as many queues.
    #[tokio::test(start_paused = true)]
    async fn a_gap_is_walked_no_matter_how_many_attestations_wait() {
        let mut open = OpenCases::default();
        for number in 1_000..1_100 {
            open.insert(key(number), case(number), Instant::now());
        }
        open.insert(key(999), Work::Ancestor, Instant::now());
        let (mut looks, mut lowest) = (0, 1_000);
        while lowest > 980 {
            looks += 1;
            // A fetch, an attestation, the ancestor's own case, an attestation.
            assert!(looks <= 80, "at {lowest} after {looks} looks");
            tokio::time::advance(Duration::from_millis(1)).await;
            let (taken, work) = open.take_due(Instant::now()).unwrap();
            match work {
                Work::Ancestor | Work::Gap(_) => {
                    open.resume(taken, case(taken.number));
                    lowest = taken.number;
                    open.insert(key(lowest - 1), Work::Ancestor, Instant::now());
                }
                Work::Case(_) => {
                    open.close(&taken);
                    open.insert(key(1_100 + looks), case(1_100 + looks), Instant::now());
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn both_queues_take_turns_and_neither_waits_for_an_empty_one() {
        let mut open = OpenCases::default();
        for number in 1..=3 {
            open.insert(key(number), case(number), Instant::now());
            open.insert(key(10 + number), Work::Ancestor, Instant::now());
        }
        open.close(&key(13));
        let taken: Vec<_> =
            std::iter::from_fn(|| open.take_due(Instant::now())).map(|(key, _)| key.number).collect();
        assert_eq!(taken, [11, 1, 12, 2, 3]);
    }
}
