//! [`MessageMetrics`]: what is measured of tracked messages.

use crate::metrics::{Metrics, UNKNOWN_CHAIN, as_gauge};
use crosscheck_core::events::{Notice, NoticeContent};
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::message::DecodeError;
use crosscheck_core::proof::Undecodable;
use crosscheck_core::tracker::{Change, CountKey, Counts, Ending, MessageEvent, ObservedBlock};
use crosscheck_core::validity::StatusKind;
use crosscheck_p2p::{ChainId, UnixSeconds};
use parking_lot::Mutex;
use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The label of the chain whose block executes a message.
pub(super) const EXECUTING: &str = "executing_chain_id";

/// The label of the chain that a message cites.
pub(super) const INITIATING: &str = "initiating_chain_id";

/// Upper bounds of the histogram of messages in a block.
const MESSAGES: [f64; 11] = [0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];

/// Both directions of a flip.
const FLIPS: [&str; 2] = ["valid-to-invalid", "invalid-to-valid"];

const TRACKED: &str = "Executing messages of canonical blocks that are not final yet, by status and the safety level of their block";

const INVALID: &str =
    "Executing messages found invalid, counted again each time their block reaches a higher level";

const ENDED: &str = "Executing messages that are no longer tracked: finalized, resolved by replacement, orphaned by a reorg, expired undecided";

/// What is measured of tracked messages. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct MessageMetrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Metrics,
    executing: IntCounterVec,
    per_block: HistogramVec,
    tracked: IntGaugeVec,
    invalid: IntCounterVec,
    flips: IntCounterVec,
    ended: IntCounterVec,
    undeclared: IntCounterVec,
    undecodable: IntCounterVec,
    unknown_events: IntCounterVec,
    consensus_failures: IntCounterVec,
    oldest_open: IntGaugeVec,
    newest_open: IntGaugeVec,
    open: IntGaugeVec,
    faults: IntCounterVec,
    /// Which counts were shown last, so that what disappeared is set back to 0.
    shown: Mutex<HashSet<CountKey>>,
}

impl MessageMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// If another room has a metric of one of these names.
    pub(crate) fn register(metrics: &Metrics) -> Result<Self, prometheus::Error> {
        let inner = Inner {
            shared: metrics.clone(),
            executing: metrics.counter(
                "executing_messages_total",
                "Executing messages discovered",
                &[EXECUTING, INITIATING],
            )?,
            per_block: metrics.histogram(
                "executing_messages_per_block",
                "Executing messages in a block",
                &[EXECUTING],
                &MESSAGES,
            )?,
            tracked: metrics.gauge(
                "tracked_messages",
                TRACKED,
                &[EXECUTING, INITIATING, "status", "level"],
            )?,
            invalid: metrics.counter("invalid_messages_total", INVALID, &[EXECUTING, INITIATING, "level"])?,
            flips: metrics.counter(
                "message_flips_total",
                "Executing messages that changed validity: a remote reorg or replacement",
                &[EXECUTING, INITIATING, "direction"],
            )?,
            ended: metrics.counter("messages_ended_total", ENDED, &[EXECUTING, INITIATING, "ending"])?,
            undeclared: metrics.counter(
                "undeclared_messages_total",
                "Executing messages that their own transaction did not declare",
                &[EXECUTING, INITIATING],
            )?,
            undecodable: metrics.counter(
                "undecodable_inbox_logs_total",
                "Logs of the inbox that look like executed messages and cannot be decoded",
                &[EXECUTING],
            )?,
            unknown_events: metrics.counter(
                "unknown_inbox_events_total",
                "Logs of the inbox whose event this version does not know; messages in them are not checked",
                &[EXECUTING],
            )?,
            consensus_failures: metrics.counter(
                "invalid_messages_promoted_total",
                "Invalid executing messages whose block became cross-safe or final: a consensus failure",
                &[EXECUTING, INITIATING],
            )?,
            oldest_open: metrics.gauge(
                "oldest_open_message_timestamp_seconds",
                "Block timestamp of the oldest open message; 0 if there is none",
                &[EXECUTING],
            )?,
            newest_open: metrics.gauge(
                "newest_open_message_timestamp_seconds",
                "Block timestamp of the newest open message; 0 if there is none",
                &[EXECUTING],
            )?,
            open: metrics.gauge("open_messages", "Executing messages that are tracked", &[])?,
            faults: metrics.counter(
                "tracker_faults_total",
                "Inputs and steps that the tracker of messages refused: a bug in Crosscheck; the status of a message may be stale",
                &[],
            )?,
            shown: Mutex::default(),
        };
        let metrics = Self(Arc::new(inner));
        metrics.preset();
        Ok(metrics)
    }

    /// What several rooms count.
    pub(crate) fn shared(&self) -> &Metrics {
        &self.0.shared
    }

    /// Sets every counter of a configured chain to 0.
    fn preset(&self) {
        let ids = self.shared().chain_ids();
        self.0.open.with_label_values::<&str>(&[]);
        self.0.faults.with_label_values::<&str>(&[]);
        for id in &ids {
            self.0.oldest_open.with_label_values(&[id]);
            self.0.newest_open.with_label_values(&[id]);
            self.0.per_block.with_label_values(&[id]);
            self.0.undecodable.with_label_values(&[id]);
            self.0.unknown_events.with_label_values(&[id]);
            for initiating in ids.iter().map(String::as_str).chain([UNKNOWN_CHAIN]) {
                self.preset_pair(id, initiating);
            }
        }
    }

    fn preset_pair(&self, executing: &str, initiating: &str) {
        for counter in [&self.0.executing, &self.0.undeclared, &self.0.consensus_failures] {
            counter.with_label_values(&[executing, initiating]);
        }
        for direction in FLIPS {
            self.0.flips.with_label_values(&[executing, initiating, direction]);
        }
        for ending in Ending::NAMES {
            self.0.ended.with_label_values(&[executing, initiating, ending]);
        }
        for level in SafetyLevel::ALL {
            self.0.invalid.with_label_values(&[executing, initiating, level.name()]);
        }
    }

    /// The tracker refused something.
    pub(super) fn tracker_fault(&self) {
        self.0.faults.with_label_values::<&str>(&[]).inc();
    }

    /// A block was read.
    pub(crate) fn block_observed(&self, chain_id: ChainId, messages: usize) {
        let messages = u32::try_from(messages).unwrap_or(u32::MAX);
        let monitor = &self.0;
        monitor.per_block.with_label_values(&[chain_id.to_string()]).observe(f64::from(messages));
    }

    /// Something happened to a message.
    pub(crate) fn message_event(&self, event: &MessageEvent) {
        let (executing, initiating) =
            (event.key.block.chain_id.to_string(), self.shared().initiating(event.initiating));
        let monitor = &self.0;
        match &event.change {
            Change::Discovered => monitor.executing.with_label_values(&[executing, initiating]).inc(),
            Change::Ended(ending) => self.message_ended(&executing, &initiating, ending),
            _ => {}
        }
    }

    fn message_ended(&self, executing: &str, initiating: &str, ending: &Ending) {
        self.0.ended.with_label_values(&[executing, initiating, ending.name()]).inc();
    }

    /// A block was taken in that may have logs of the inbox whose event is not known here.
    pub(crate) fn unknown_inbox_events(&self, block: &ObservedBlock) {
        let is_unknown = |log: &&Undecodable| matches!(log.error, DecodeError::UnknownEvent { .. });
        let count = block.undecodable.iter().filter(is_unknown).count();
        let executing = block.key.chain_id.to_string();
        let counter = self.0.unknown_events.with_label_values(&[executing]);
        counter.inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// A note is in the ledger. `is_event`: its event was counted by [`Self::message_event`].
    pub(crate) fn message_noted(&self, note: &Notice, is_event: bool) {
        let (executing, initiating) =
            (note.key.block.chain_id.to_string(), self.shared().initiating(note.initiating));
        let pair = [executing.as_str(), initiating.as_str()];
        let monitor = &self.0;
        match &note.content {
            NoticeContent::Invalid { .. } => {
                let labels = [executing.as_str(), initiating.as_str(), note.level.name()];
                monitor.invalid.with_label_values(&labels).inc();
            }
            NoticeContent::Flip { to, .. } => {
                let [to_invalid, to_valid] = FLIPS;
                let direction = if to.kind() == StatusKind::Valid { to_valid } else { to_invalid };
                monitor.flips.with_label_values(&[executing.as_str(), initiating.as_str(), direction]).inc();
            }
            NoticeContent::Undeclared => monitor.undeclared.with_label_values(&pair).inc(),
            // Each was counted by [`Self::unknown_inbox_events`]; few are noted.
            NoticeContent::Undecodable { error: DecodeError::UnknownEvent { .. } } => {}
            NoticeContent::Undecodable { .. } => {
                monitor.undecodable.with_label_values(&[executing.as_str()]).inc();
            }
            NoticeContent::Ended { ending, .. } if !is_event => {
                self.message_ended(&executing, &initiating, ending);
            }
            NoticeContent::Ended { .. } => {}
        }
        if note.is_consensus_failure() {
            monitor.consensus_failures.with_label_values(&pair).inc();
        }
    }

    /// How many messages there are, by what is known of them.
    pub(crate) fn tracked(&self, counts: &Counts, open: usize) {
        let monitor = &self.0;
        let set = |key: &CountKey, count: usize| {
            let (executing, initiating) =
                (key.executing.to_string(), self.shared().initiating(key.initiating));
            let labels = [executing.as_str(), initiating.as_str(), key.status.name(), key.level.name()];
            monitor.tracked.with_label_values(&labels).set(as_gauge(count));
        };
        let counts: HashMap<CountKey, usize> = counts.iter().map(|(key, count)| (*key, count)).collect();
        let mut shown = monitor.shown.lock();
        for gone in shown.iter().filter(|key| !counts.contains_key(*key)) {
            set(gone, 0);
        }
        for (key, count) in &counts {
            set(key, *count);
        }
        *shown = counts.into_keys().collect();
        monitor.open.with_label_values::<&str>(&[]).set(as_gauge(open));
    }

    /// The block timestamps of a chain's oldest and newest open message, if it has any.
    pub(crate) fn open_messages_at(&self, chain_id: ChainId, open: Option<(UnixSeconds, UnixSeconds)>) {
        let (monitor, id) = (&self.0, chain_id.to_string());
        let (oldest, newest) = open.map_or((0, 0), |(oldest, newest)| (oldest.0, newest.0));
        monitor.oldest_open.with_label_values(&[&id]).set(i64::try_from(oldest).unwrap_or(i64::MAX));
        monitor.newest_open.with_label_values(&[&id]).set(i64::try_from(newest).unwrap_or(i64::MAX));
    }

    /// These counts were shown before.
    #[cfg(test)]
    pub(crate) fn mark_shown(&self, keys: impl IntoIterator<Item = CountKey>) {
        self.0.shown.lock().extend(keys);
    }
}
