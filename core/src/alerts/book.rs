//! [`AlertBook`]: which alerts fire, and what is reported of them.
//!
//! An alert fires while one of its facts holds. It is reported when it begins, when it becomes more urgent,
//! again while it lasts, and when it is over: then only if it was reported before. All facts about one
//! invalid block are one incident.
//!
//! A silence holds back what is reported, except the end of what was reported before it. The book never
//! forgets a fact for a silence, and never lets an alert end while one of its facts holds.

use super::alert::{Alert, AlertKey, Family, Subject};
use super::entry::{Entry, Reported, Slot};
use super::kind::{AlertKind, Severity};
use super::observed::{NotReady, Observed, UnresolvedViolation};
use super::silence::Silence;
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, UnixSeconds};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How many incidents are known at once. Beyond it the least urgent one is dropped, or not taken in. What
/// holds by state (parts, unresolved blocks) is handed over again, and is taken in once there is room.
const MAX_ALERTS: usize = 4096;

/// How many silences there may be. Beyond it the one that ends first is dropped.
const MAX_SILENCES: usize = 256;

/// What is reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", content = "alert", rename_all = "kebab-case")]
pub enum Transition {
    /// It began.
    Fired(Alert),
    /// It is more urgent than was reported.
    Escalated(Alert),
    /// It still lasts.
    Renotified(Alert),
    /// It is over.
    Resolved(Alert),
}

/// Everything that a book knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    entries: Vec<Entry>,
    silences: Vec<Silence>,
    now: UnixSeconds,
    dropped: u64,
}

/// Which alerts fire, and what was reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertBook {
    entries: BTreeMap<AlertKey, Entry>,
    silences: Vec<Silence>,
    /// The time that was handed over last.
    now: UnixSeconds,
    dropped: u64,
}

impl Transition {
    /// The alert that it is about.
    pub const fn alert(&self) -> &Alert {
        match self {
            Self::Fired(alert) | Self::Escalated(alert) | Self::Renotified(alert) | Self::Resolved(alert) => {
                alert
            }
        }
    }
}

impl AlertBook {
    /// The book of an earlier run.
    pub fn restore(snapshot: Snapshot) -> Self {
        let Snapshot { entries, silences, now, dropped } = snapshot;
        let entries = entries.into_iter().map(|entry| (entry.alert.key.clone(), entry)).collect();
        Self { entries, silences, now, dropped }
    }

    /// Everything that it knows. Store it together with the transitions that led to it.
    pub fn snapshot(&self) -> Snapshot {
        let entries = self.entries.values().cloned().collect();
        Snapshot { entries, silences: self.silences.clone(), now: self.now, dropped: self.dropped }
    }

    /// Takes in what was observed, and returns what is to be reported. `id`: the event that reports it.
    pub fn observe(&mut self, observed: Observed, id: Option<u64>, now: UnixSeconds) -> Vec<Transition> {
        self.now = now;
        match observed {
            Observed::Begins { key, slot, kind, summary } => self.begin(key, slot, kind, &summary, id),
            Observed::Ends { key, slot } => self.change(&key, |entry| entry.end(&slot)),
            Observed::Displaced { key, slot } => self.change(&key, |entry| entry.displaced(&slot)),
            Observed::Replaced { chain_id, number, by } => self.replaced(chain_id, number, by),
            Observed::NotReady(parts) => self.not_ready(&parts),
            Observed::Unresolved(blocks) => self.unresolved(&blocks),
            Observed::Acknowledged { key } => self.change(&key, |entry| entry.facts.clear()),
            Observed::AtStake { key, text } => self.change(&key, |entry| entry.set_at_stake(&text)),
            Observed::Done { key, text } => self.change(&key, |entry| entry.add_done(&text)),
        }
        self.transitions()
    }

    /// Takes in that time has passed, and returns what is to be reported.
    pub fn tick(&mut self, now: UnixSeconds) -> Vec<Transition> {
        self.now = now;
        self.transitions()
    }

    /// Holds back what is reported.
    pub fn silence(&mut self, silence: Silence) {
        if self.silences.len() >= MAX_SILENCES {
            let first = self.silences.iter().enumerate().min_by_key(|(_, silence)| silence.until);
            if let Some((place, _)) = first {
                self.silences.remove(place);
            }
        }
        self.silences.push(silence);
    }

    /// The alerts that fire, whether they were reported or not.
    pub fn firing(&self) -> impl Iterator<Item = &Alert> {
        let firing = self.entries.values().filter(|entry| entry.leading(self.now).is_some());
        firing.map(|entry| &entry.alert)
    }

    /// The silences that have not ended.
    pub fn silences(&self) -> &[Silence] {
        &self.silences
    }

    /// How many incidents were dropped or not taken in, because there were too many.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    fn change(&mut self, key: &AlertKey, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.entries.get_mut(key) {
            change(entry);
        }
    }

    fn begin(&mut self, key: AlertKey, slot: Slot, kind: AlertKind, summary: &str, id: Option<u64>) {
        if !self.entries.contains_key(&key) && !self.make_room(kind.severity()) {
            return;
        }
        let now = self.now;
        let entry = self.entries.entry(key).or_insert_with_key(|key| Entry::new(key.clone(), kind, now));
        entry.begin(slot, kind, summary, now);
        if let Some(id) = id {
            entry.add_id(id);
        }
    }

    /// Makes room for one incident. `false`: all that are known are at least as urgent.
    fn make_room(&mut self, severity: Severity) -> bool {
        if self.entries.len() < MAX_ALERTS {
            return true;
        }
        self.dropped = self.dropped.saturating_add(1);
        let least = self.entries.iter().min_by_key(|(_, entry)| (entry.severity(), entry.alert.since));
        let less_urgent = least.filter(|(_, entry)| entry.severity() < severity).map(|(key, _)| key.clone());
        less_urgent.is_some_and(|key| self.entries.remove(&key).is_some())
    }

    fn replaced(&mut self, chain_id: ChainId, number: u64, by: B256) {
        let is_replaced = |key: &AlertKey| {
            let at_height = match &key.subject {
                Subject::Block { number: height, hash } => *height == number && *hash != by,
                _ => false,
            };
            key.family == Family::InvalidBlock && key.chain_id == Some(chain_id) && at_height
        };
        for (_, entry) in self.entries.iter_mut().filter(|(key, _)| is_replaced(key)) {
            entry.replaced();
        }
    }

    fn not_ready(&mut self, parts: &[NotReady]) {
        let mut holding = BTreeSet::new();
        for NotReady { part, kind, chain_id, reason } in parts {
            let key = AlertKey::of(*kind, *chain_id, Subject::Part(part.clone()));
            self.begin(key.clone(), Slot::Only, *kind, &format!("{part}: {reason}"), None);
            holding.insert(key);
        }
        let is_part = |key: &AlertKey| matches!(key.subject, Subject::Part(_));
        for (_, entry) in self.entries.iter_mut().filter(|(key, _)| is_part(key) && !holding.contains(*key)) {
            entry.end(&Slot::Only);
        }
    }

    fn unresolved(&mut self, blocks: &[UnresolvedViolation]) {
        let mut holding = BTreeSet::new();
        for violation in blocks {
            let key = AlertKey::invalid_block(violation.block);
            let summary =
                format!("block {} is invalid and not resolved: {}", violation.block, violation.detail);
            self.begin(key.clone(), Slot::Unresolved, violation.kind(), &summary, None);
            holding.insert(key);
        }
        for (_, entry) in self.entries.iter_mut().filter(|(key, _)| !holding.contains(*key)) {
            let was_listed = entry.facts.iter().any(|fact| fact.slot == Slot::Unresolved);
            if was_listed {
                entry.end(&Slot::Unresolved);
                entry.end(&Slot::Verdict);
                entry.facts.retain(|fact| !matches!(fact.slot, Slot::Claim(_)));
            }
        }
    }

    /// What is to be reported now. What is over is forgotten.
    fn transitions(&mut self) -> Vec<Transition> {
        let now = self.now;
        self.silences.retain(|silence| now < silence.until);
        let mut transitions = Vec::new();
        for entry in self.entries.values_mut() {
            transitions.extend(step(entry, &self.silences, now));
        }
        self.entries.retain(|_, entry| !entry.facts.is_empty());
        transitions
    }
}

/// What is to be reported of one incident.
fn step(entry: &mut Entry, silences: &[Silence], now: UnixSeconds) -> Option<Transition> {
    entry.expire(now);
    let reported = entry.reported;
    let Some(alert) = entry.update(now).cloned() else {
        // What was never reported has no end to report.
        return reported
            .filter(|_| entry.facts.is_empty())
            .map(|_| Transition::Resolved(entry.alert.clone()));
    };
    if silences.iter().any(|silence| silence.covers(&alert.key, alert.kind, now)) {
        return None;
    }
    let severity = alert.severity;
    let transition = match reported {
        None => Transition::Fired(alert),
        Some(reported) if severity > reported.severity => Transition::Escalated(alert),
        Some(reported) => {
            let due = severity.renotify_after().map(|after| reported.at.0.saturating_add(after));
            due.filter(|due| *due <= now.0).map(|_| Transition::Renotified(alert))?
        }
    };
    let highest = reported.map_or(severity, |reported| reported.severity.max(severity));
    entry.reported = Some(Reported { severity: highest, at: now });
    Some(transition)
}
