//! [`OpenCases`]: the cases without a verdict, and when each is next worth looking at. Pure: the time is an
//! argument, except where a case is postponed from now on.
//!
//! They are in two queues, which take turns when both have a block due: what was attested, and the ancestors
//! of that. Ancestors are found run by run, each by the one before; behind every new attestation a gap would
//! take as many queues as it has runs, and the vouched head would be stuck while it does.

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

/// The longest pause between two checks of a case that waits for a second opinion alone: anyone who knows of
/// one wakes it.
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

/// Which cases are due when, in both queues.
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
    reason_text: ReasonTexts,
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

    /// Adds an ancestor that was fetched with others, to be checked right away; or brings it, if it was to be
    /// fetched.
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
        let reason_text = ReasonTexts::new();
        let case = OpenCase {
            opened,
            waited,
            reason_text,
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

    /// The block that was to be fetched has come in: it need not be fetched. Of one that has a case already
    /// nothing changes.
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
        reason_text: ReasonTexts,
    ) -> Option<(BTreeSet<Wait>, ReasonTexts)> {
        let entry = self.cases.get_mut(&key)?;
        let known = entry.waited.len();
        entry.waited.extend(waits.iter().copied());
        let mut is_news = entry.waited.len() > known;
        for (wait, reason_text) in reason_text {
            let before = entry.reason_text.get(&wait).map(|known| normalize(known));
            if before.as_ref() != Some(&normalize(&reason_text)) {
                is_news = true;
                entry.reason_text.insert(wait, reason_text);
            }
        }
        let news = is_news.then(|| (entry.waited.clone(), entry.reason_text.clone()));
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

    /// Gives up a block that is known by its hash alone and that could not be fetched so far; one that is
    /// being fetched now, when that fails. `true`: there was one.
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
    pub(super) fn request_fetch(&mut self, key: &BlockKey) {
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
mod tests;
