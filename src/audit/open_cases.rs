//! [`OpenCases`]: the cases without a verdict, and when each is next worth looking at. Pure: the time is an
//! argument, except where a case is postponed from now on.

use super::{BlockKey, Case, Cause, Wait};
use crosscheck_p2p::ChainId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// The pause before the first retry; it doubles with every further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause between two looks at a case.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What is to be done for an open block.
#[derive(Debug)]
pub(super) enum Work {
    /// Go on with the case.
    Case(Box<Case>),
    /// Fetch the block first: it is known by its hash alone.
    Ancestor,
}

/// One open block.
#[derive(Debug)]
pub(super) struct OpenCase {
    /// When this run took it up.
    pub opened: Instant,
    /// Everything that it has waited for.
    pub waited: BTreeSet<Wait>,
    state: State,
    attempts: u32,
}

#[derive(Debug)]
enum State {
    Idle { work: Work, due: Instant, waits: BTreeSet<Wait> },
    Running { woken: bool },
}

/// The cases without a verdict.
#[derive(Debug, Default)]
pub(super) struct OpenCases {
    cases: BTreeMap<BlockKey, OpenCase>,
    due: BTreeSet<(Instant, BlockKey)>,
}

impl OpenCases {
    pub(super) fn len(&self) -> usize {
        self.cases.len()
    }

    /// How many of them are a chain's.
    pub(super) fn count(&self, chain_id: ChainId) -> usize {
        self.cases.keys().filter(|key| key.chain_id == chain_id).count()
    }

    pub(super) fn contains(&self, key: &BlockKey) -> bool {
        self.cases.contains_key(key)
    }

    /// Adds a block, to be looked at right away.
    pub(super) fn insert(&mut self, key: BlockKey, work: Work, opened: Instant) {
        let state = State::Idle { work, due: opened, waits: BTreeSet::new() };
        self.due.insert((opened, key));
        self.cases.insert(key, OpenCase { opened, waited: BTreeSet::new(), state, attempts: 0 });
    }

    /// When something is next to be done.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// The next block that is due, now being worked on.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(BlockKey, Work)> {
        let first = *self.due.first().filter(|(due, _)| *due <= now)?;
        self.due.remove(&first);
        let (_, key) = first;
        let entry = self.cases.get_mut(&key)?;
        match std::mem::replace(&mut entry.state, State::Running { woken: false }) {
            State::Idle { work, .. } => Some((key, work)),
            State::Running { .. } => None,
        }
    }

    /// Puts a block back that was worked on, to be looked at right away.
    pub(super) fn resume(&mut self, key: BlockKey, work: Work) {
        self.put_back(key, work, BTreeSet::new(), Duration::ZERO);
    }

    /// Puts a block back that must wait. Returns everything that it has waited for, if that is more than
    /// was known.
    pub(super) fn postpone(
        &mut self,
        key: BlockKey,
        work: Work,
        waits: BTreeSet<Wait>,
    ) -> Option<BTreeSet<Wait>> {
        let entry = self.cases.get_mut(&key)?;
        let known = entry.waited.len();
        entry.waited.extend(waits.iter().copied());
        let news = (entry.waited.len() > known).then(|| entry.waited.clone());
        let pause = FIRST_PAUSE.saturating_mul(1 << entry.attempts.min(10)).min(LONGEST_PAUSE);
        entry.attempts = entry.attempts.saturating_add(1);
        self.put_back(key, work, waits, pause);
        news
    }

    fn put_back(&mut self, key: BlockKey, work: Work, waits: BTreeSet<Wait>, pause: Duration) {
        let Some(entry) = self.cases.get_mut(&key) else { return };
        let now = Instant::now();
        // A head that moved while the block was worked on may be the one that it waits for.
        let woken = matches!(entry.state, State::Running { woken: true });
        let due = if woken { now } else { now.checked_add(pause).unwrap_or(now) };
        entry.state = State::Idle { work, due, waits };
        self.due.insert((due, key));
    }

    /// Makes due what waits for a chain to move on.
    pub(super) fn wake(&mut self, chain_id: ChainId, now: Instant) {
        for (key, entry) in &mut self.cases {
            match &mut entry.state {
                State::Running { woken } => *woken = true,
                State::Idle { due, waits, .. } => {
                    let awaits_chain =
                        waits.iter().any(|wait| wait.chain_id == chain_id && wait.cause == Cause::NotYet);
                    if awaits_chain && *due > now {
                        self.due.remove(&(*due, *key));
                        *due = now;
                        self.due.insert((now, *key));
                    }
                }
            }
        }
    }

    /// Removes a block.
    pub(super) fn close(&mut self, key: &BlockKey) -> Option<OpenCase> {
        let entry = self.cases.remove(key)?;
        if let State::Idle { due, .. } = entry.state {
            self.due.remove(&(due, *key));
        }
        Some(entry)
    }
}
