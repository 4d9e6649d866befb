//! [`Entry`]: one incident in the book: the facts that hold, and what was reported of them. It decides
//! nothing by itself: [`AlertBook`](super::AlertBook) does.

use super::alert::{Alert, AlertKey};
use super::kind::{AlertKind, Severity};
use crosscheck_p2p::UnixSeconds;
use serde::{Deserialize, Serialize};

/// How many facts of one incident are distinguished. All further ones count as one.
const MAX_FACTS: usize = 256;

/// How many events of an incident are named.
const MAX_IDS: usize = 16;

/// How many steps that were taken are kept. The oldest is dropped.
const MAX_DONE: usize = 16;

/// The longest text that is kept, in bytes.
const MAX_TEXT: usize = 512;

/// Which fact of an incident: what ends it names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slot {
    /// The only one.
    Only,
    /// A message is invalid: the place of its log in the block.
    Message(u32),
    /// A verdict says that the block is invalid.
    Verdict,
    /// An endpoint called the block cross-safe: its name.
    Claim(String),
    /// The ledger has the block as unresolved.
    Unresolved,
    /// Facts beyond those that are distinguished.
    Beyond,
}

/// A fact that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fact {
    /// Which.
    pub(super) slot: Slot,
    /// What it says.
    pub(super) kind: AlertKind,
    /// The same in words.
    pub(super) summary: String,
    /// Since when it holds.
    pub(super) since: UnixSeconds,
    /// When it was observed last.
    pub(super) last: UnixSeconds,
}

/// What was reported last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reported {
    /// The highest severity that was reported.
    pub(super) severity: Severity,
    /// When.
    pub(super) at: UnixSeconds,
}

/// One incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// What holds.
    pub(super) facts: Vec<Fact>,
    /// What was reported last. `None`: nothing yet.
    pub(super) reported: Option<Reported>,
    /// The alert as it was made last, for its end.
    pub(super) alert: Alert,
}

impl Fact {
    /// Whether nothing reports its end, and it has lasted for as long as it counts.
    fn is_over(&self, now: UnixSeconds) -> bool {
        self.kind.lasts().is_some_and(|lasts| self.last.0.saturating_add(lasts) <= now.0)
    }

    /// Whether it has lasted for as long as it must before it is reported.
    fn is_ripe(&self, now: UnixSeconds) -> bool {
        self.since.0.saturating_add(self.kind.patience()) <= now.0
    }
}

impl Entry {
    /// An incident without facts.
    pub(super) fn new(key: AlertKey, kind: AlertKind, now: UnixSeconds) -> Self {
        let alert = Alert {
            key,
            kind,
            severity: kind.severity(),
            summary: String::new(),
            at_stake: None,
            done: Vec::new(),
            ids: Vec::new(),
            since: now,
        };
        Self { facts: Vec::new(), reported: None, alert }
    }

    /// Takes in that a fact holds. What is known of it already becomes only worse.
    pub(super) fn begin(&mut self, slot: Slot, kind: AlertKind, summary: &str, now: UnixSeconds) {
        let summary = shortened(summary);
        let is_known = |fact: &&mut Fact| fact.slot == slot;
        if let Some(fact) = self.facts.iter_mut().find(is_known) {
            fact.last = now;
            if kind >= fact.kind {
                (fact.kind, fact.summary) = (kind, summary);
            }
            return;
        }
        if self.facts.len() < MAX_FACTS || slot == Slot::Beyond {
            self.facts.push(Fact { slot, kind, summary, since: now, last: now });
        } else {
            self.begin(Slot::Beyond, kind, &summary, now);
        }
    }

    /// Takes in that a fact does not hold any more.
    pub(super) fn end(&mut self, slot: &Slot) {
        self.facts.retain(|fact| fact.slot != *slot);
    }

    /// Takes in that the block of a message is no longer on the chain.
    pub(super) fn displaced(&mut self, slot: &Slot) {
        self.facts.retain(|fact| fact.slot != *slot || fact.kind == AlertKind::InvalidMessagePromoted);
    }

    /// Takes in that the block was correctly replaced: what was wrong on the chain is over. That a block was
    /// promoted, and what the ledger has as unresolved, is for a person to end.
    pub(super) fn replaced(&mut self) {
        let stays =
            |fact: &Fact| fact.kind == AlertKind::InvalidMessagePromoted || fact.slot == Slot::Unresolved;
        self.facts.retain(stays);
    }

    /// Ends what has lasted for as long as it counts. Times that are ahead of a clock that was set back count
    /// as now.
    pub(super) fn expire(&mut self, now: UnixSeconds) {
        self.facts.retain(|fact| !fact.is_over(now));
        for fact in &mut self.facts {
            (fact.since, fact.last) = (fact.since.min(now), fact.last.min(now));
        }
        if let Some(reported) = &mut self.reported {
            reported.at = reported.at.min(now);
        }
    }

    /// The fact that weighs most of those that may be reported.
    pub(super) fn leading(&self, now: UnixSeconds) -> Option<&Fact> {
        let ripe = self.facts.iter().filter(|fact| fact.is_ripe(now));
        ripe.max_by_key(|fact| (fact.kind.severity(), fact.kind, std::cmp::Reverse(fact.since)))
    }

    /// How urgent it is, whether it may be reported or not.
    pub(super) fn severity(&self) -> Severity {
        let severities = self.facts.iter().map(|fact| fact.kind.severity());
        severities.max().unwrap_or(self.alert.severity)
    }

    /// Makes the alert again from its facts. `None`: nothing may be reported.
    pub(super) fn update(&mut self, now: UnixSeconds) -> Option<&Alert> {
        let (kind, summary) = self.leading(now).map(|fact| (fact.kind, fact.summary.clone()))?;
        (self.alert.kind, self.alert.severity, self.alert.summary) = (kind, kind.severity(), summary);
        Some(&self.alert)
    }

    /// Names an event of the incident.
    pub(super) fn add_id(&mut self, id: u64) {
        let ids = &mut self.alert.ids;
        if ids.len() < MAX_IDS && !ids.contains(&id) {
            ids.push(id);
        }
    }

    /// Says how much is at stake.
    pub(super) fn set_at_stake(&mut self, text: &str) {
        self.alert.at_stake = Some(shortened(text));
    }

    /// Says what was done.
    pub(super) fn add_done(&mut self, text: &str) {
        let done = &mut self.alert.done;
        if done.len() >= MAX_DONE {
            done.remove(0);
        }
        done.push(shortened(text));
    }
}

/// The beginning of a text that is too long.
fn shortened(text: &str) -> String {
    if text.len() <= MAX_TEXT {
        return text.to_owned();
    }
    let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= MAX_TEXT).last();
    format!("{}…", text.get(..end.unwrap_or_default()).unwrap_or_default())
}
