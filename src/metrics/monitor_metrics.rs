//! What is measured of tracked messages, and of the endpoints that they are read from.

use super::catalogue::Catalogue;
use super::{Metrics, UNKNOWN_CHAIN};
use crate::interop::SafetyLevel;
use crate::monitor::{Change, CountKey, Counts, Ending, MessageEvent, News, Note};
use crate::rpc::SuspectOutcome;
use crate::sources::{EndpointStanding, EndpointState};
use crosscheck_p2p::{ChainId, UnixSeconds};
use parking_lot::Mutex;
use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

const EXECUTING: &str = "executing_chain_id";
const INITIATING: &str = "initiating_chain_id";

/// Upper bounds of the histogram of messages in a block.
const MESSAGES: [f64; 11] = [0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];

/// Upper bounds of the histogram from gossip to suspicion, in seconds.
const SUSPICION_SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Both directions of a flip.
const FLIPS: [&str; 2] = ["valid-to-invalid", "invalid-to-valid"];

/// What may become of a suspect.
const OUTCOMES: [(SuspectOutcome, &str); 3] = [
    (SuspectOutcome::Executed, "executed"),
    (SuspectOutcome::NotExecuted, "not-executed"),
    (SuspectOutcome::Dropped, "dropped"),
];

#[derive(Debug)]
pub(super) struct MonitorMetrics {
    executing: IntCounterVec,
    per_block: HistogramVec,
    tracked: IntGaugeVec,
    invalid: IntCounterVec,
    flips: IntCounterVec,
    ended: IntCounterVec,
    undeclared: IntCounterVec,
    consensus_failures: IntCounterVec,
    oldest_open: IntGaugeVec,
    newest_open: IntGaugeVec,
    open: IntGaugeVec,
    tip_age: IntGaugeVec,
    reorgs: IntCounterVec,
    suspects: IntCounterVec,
    suspect_outcomes: IntCounterVec,
    suspicion_seconds: HistogramVec,
    undecodable: IntCounterVec,
    awaited: IntGaugeVec,
    log_index_bytes: IntGaugeVec,
    endpoint_state: IntGaugeVec,
    endpoint_disagreements: IntCounterVec,
    endpoint_failures: IntCounterVec,
    /// Which counts were shown last, so that what is gone is set back to 0.
    pub(super) shown: Mutex<HashSet<CountKey>>,
}

impl MonitorMetrics {
    pub(super) fn new(catalogue: &mut Catalogue) -> Result<Self, prometheus::Error> {
        let pair: &[&str] = &[EXECUTING, INITIATING];
        Ok(Self {
            executing: catalogue.counter("executing_messages_total", "Executing messages discovered", pair)?,
            per_block: catalogue.histogram(
                "executing_messages_per_block",
                "Executing messages in a block",
                &[EXECUTING],
                &MESSAGES,
            )?,
            tracked: catalogue.gauge(
                "tracked_messages",
                "Executing messages of canonical blocks that are not final yet, by what is known of them and how far \
                 their block is",
                &[EXECUTING, INITIATING, "status", "level"],
            )?,
            invalid: catalogue.counter(
                "invalid_messages_total",
                "Executing messages found invalid, and again each time that their block came to a higher level all the \
                 same",
                &[EXECUTING, INITIATING, "level"],
            )?,
            flips: catalogue.counter(
                "message_flips_total",
                "Executing messages that changed validity: a remote reorg or replacement",
                &[EXECUTING, INITIATING, "direction"],
            )?,
            ended: catalogue.counter(
                "messages_ended_total",
                "Executing messages whose life is over: finalized, resolved by replacement, orphaned by a reorg, \
                 expired undecided",
                &[EXECUTING, INITIATING, "ending"],
            )?,
            undeclared: catalogue.counter(
                "undeclared_messages_total",
                "Executing messages that their own transaction did not declare: the inbox was tricked",
                pair,
            )?,
            consensus_failures: catalogue.counter(
                "invalid_messages_promoted_total",
                "Invalid executing messages whose block became cross-safe or final: a consensus failure",
                pair,
            )?,
            oldest_open: catalogue.gauge(
                "oldest_open_message_timestamp_seconds",
                "Block timestamp of the oldest open message; 0 if there is none",
                &[EXECUTING],
            )?,
            newest_open: catalogue.gauge(
                "newest_open_message_timestamp_seconds",
                "Block timestamp of the newest open message; 0 if there is none",
                &[EXECUTING],
            )?,
            open: catalogue.gauge("open_messages", "Executing messages whose life goes on", &[])?,
            tip_age: catalogue.gauge(
                "monitor_tip_age_seconds",
                "Age of the newest block that was read of a chain",
                &["chain_id"],
            )?,
            reorgs: catalogue.counter(
                "reorgs_total",
                "How often a chain dropped blocks that had been read",
                &["chain_id"],
            )?,
            suspects: catalogue.counter(
                "suspects_total",
                "Gossiped transactions that declare a message which breaks a rule",
                pair,
            )?,
            suspect_outcomes: catalogue.counter(
                "suspect_outcomes_total",
                "What became of suspects",
                &[EXECUTING, "outcome"],
            )?,
            suspicion_seconds: catalogue.histogram(
                "suspicion_seconds",
                "Time from the arrival of a gossiped block to a suspect in it",
                &[EXECUTING],
                &SUSPICION_SECONDS,
            )?,
            undecodable: catalogue.counter(
                "undecodable_transactions_total",
                "Transactions that name the inbox and cannot be read",
                &["chain_id"],
            )?,
            awaited: catalogue.gauge(
                "awaited_blocks",
                "Cited blocks whose proven logs are being fetched",
                &[],
            )?,
            log_index_bytes: catalogue.gauge("log_index_bytes", "Memory that proven logs take", &[])?,
            endpoint_state: catalogue.gauge(
                "endpoint_state",
                "Whether an execution endpoint is in this state; endpoints are counted from 0 as configured",
                &["chain_id", "endpoint", "state"],
            )?,
            endpoint_disagreements: catalogue.counter(
                "endpoint_disagreements_total",
                "How often an execution endpoint was outvoted",
                &["chain_id", "endpoint"],
            )?,
            endpoint_failures: catalogue.counter(
                "endpoint_failures_total",
                "Answers of an execution endpoint that failed or did not hold",
                &["chain_id", "endpoint"],
            )?,
            shown: Mutex::default(),
        })
    }

    /// Sets every counter of these chains to 0.
    pub(super) fn preset(&self, ids: &[String]) {
        self.open.with_label_values::<&str>(&[]);
        self.awaited.with_label_values::<&str>(&[]);
        self.log_index_bytes.with_label_values::<&str>(&[]);
        for id in ids {
            self.reorgs.with_label_values(&[id]);
            self.undecodable.with_label_values(&[id]);
            self.tip_age.with_label_values(&[id]);
            self.oldest_open.with_label_values(&[id]);
            self.newest_open.with_label_values(&[id]);
            self.per_block.with_label_values(&[id]);
            self.suspicion_seconds.with_label_values(&[id]);
            for (_, outcome) in OUTCOMES {
                self.suspect_outcomes.with_label_values(&[id.as_str(), outcome]);
            }
            for initiating in ids.iter().map(String::as_str).chain([UNKNOWN_CHAIN]) {
                self.preset_pair(id, initiating);
            }
        }
    }

    fn preset_pair(&self, executing: &str, initiating: &str) {
        let pair = [executing, initiating];
        for counter in [&self.executing, &self.undeclared, &self.consensus_failures, &self.suspects] {
            counter.with_label_values(&pair);
        }
        for direction in FLIPS {
            self.flips.with_label_values(&[executing, initiating, direction]);
        }
        for ending in Ending::NAMES {
            self.ended.with_label_values(&[executing, initiating, ending]);
        }
        for level in SafetyLevel::ALL {
            self.invalid.with_label_values(&[executing, initiating, level.name()]);
        }
    }
}

impl Metrics {
    /// The label of the chain that a message cites.
    fn initiating(&self, initiating: Option<ChainId>) -> String {
        let member = initiating.filter(|chain_id| self.0.set.member(*chain_id).is_some());
        member.map_or_else(|| UNKNOWN_CHAIN.to_owned(), |chain_id| chain_id.to_string())
    }

    /// A block was read.
    pub fn block_observed(&self, chain_id: ChainId, messages: usize) {
        let messages = u32::try_from(messages).unwrap_or(u32::MAX);
        let monitor = &self.0.monitor;
        monitor.per_block.with_label_values(&[chain_id.to_string()]).observe(f64::from(messages));
    }

    /// Something happened to a message.
    pub fn message_event(&self, event: &MessageEvent) {
        let (executing, initiating) =
            (event.key.block.chain_id.to_string(), self.initiating(event.initiating));
        let monitor = &self.0.monitor;
        match &event.change {
            Change::Discovered => monitor.executing.with_label_values(&[executing, initiating]).inc(),
            Change::Ended(ending) => self.message_ended(&executing, &initiating, ending),
            _ => {}
        }
    }

    fn message_ended(&self, executing: &str, initiating: &str, ending: &Ending) {
        self.0.monitor.ended.with_label_values(&[executing, initiating, ending.name()]).inc();
    }

    /// A note is in the ledger. `is_event`: its event was counted by [`Metrics::message_event`].
    pub fn message_noted(&self, note: &Note, is_event: bool) {
        let (executing, initiating) = (note.key.block.chain_id.to_string(), self.initiating(note.initiating));
        let pair = [executing.as_str(), initiating.as_str()];
        let monitor = &self.0.monitor;
        match &note.news {
            News::Invalid { .. } => {
                let labels = [executing.as_str(), initiating.as_str(), note.level.name()];
                monitor.invalid.with_label_values(&labels).inc();
            }
            News::Flip { to, .. } => {
                let [to_invalid, to_valid] = FLIPS;
                let direction = if to.name() == "valid" { to_valid } else { to_invalid };
                monitor.flips.with_label_values(&[executing.as_str(), initiating.as_str(), direction]).inc();
            }
            News::Undeclared => monitor.undeclared.with_label_values(&pair).inc(),
            News::Ended { ending, .. } if !is_event => self.message_ended(&executing, &initiating, ending),
            News::Ended { .. } => {}
        }
        if note.is_consensus_failure() {
            monitor.consensus_failures.with_label_values(&pair).inc();
        }
    }

    /// How many messages there are, by what is known of them.
    pub fn tracked(&self, counts: &Counts, open: usize) {
        let monitor = &self.0.monitor;
        let set = |key: &CountKey, count: usize| {
            let (executing, initiating) = (key.executing.to_string(), self.initiating(key.initiating));
            let labels = [executing.as_str(), initiating.as_str(), key.status, key.level.name()];
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

    /// How old a chain's open messages, and its newest block, are.
    pub fn chain_times(
        &self,
        chain_id: ChainId,
        open: Option<(UnixSeconds, UnixSeconds)>,
        tip_age: Option<Duration>,
    ) {
        let (monitor, id) = (&self.0.monitor, chain_id.to_string());
        let (oldest, newest) = open.map_or((0, 0), |(oldest, newest)| (oldest.0, newest.0));
        monitor.oldest_open.with_label_values(&[&id]).set(i64::try_from(oldest).unwrap_or(i64::MAX));
        monitor.newest_open.with_label_values(&[&id]).set(i64::try_from(newest).unwrap_or(i64::MAX));
        if let Some(age) = tip_age {
            let age = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
            monitor.tip_age.with_label_values(&[&id]).set(age);
        }
    }

    /// A chain dropped blocks that had been read.
    pub fn reorg(&self, chain_id: ChainId) {
        self.0.monitor.reorgs.with_label_values(&[chain_id.to_string()]).inc();
    }

    /// A suspect was told, so long after its block came in by gossip.
    pub fn suspect(&self, executing: ChainId, initiating: Option<ChainId>, after: Duration) {
        let (executing, initiating) = (executing.to_string(), self.initiating(initiating));
        let monitor = &self.0.monitor;
        monitor.suspicion_seconds.with_label_values(&[&executing]).observe(after.as_secs_f64());
        monitor.suspects.with_label_values(&[executing, initiating]).inc();
    }

    /// It is known what became of a suspect.
    pub fn suspect_settled(&self, executing: ChainId, outcome: SuspectOutcome) {
        if let Some((_, name)) = OUTCOMES.into_iter().find(|(each, _)| *each == outcome) {
            let executing = executing.to_string();
            self.0.monitor.suspect_outcomes.with_label_values(&[executing.as_str(), name]).inc();
        }
    }

    /// Transactions name the inbox and cannot be read.
    pub fn undecodable_transactions(&self, chain_id: ChainId, transactions: usize) {
        let transactions = u64::try_from(transactions).unwrap_or(u64::MAX);
        self.0.monitor.undecodable.with_label_values(&[chain_id.to_string()]).inc_by(transactions);
    }

    /// How many cited blocks are being fetched.
    pub fn awaited_blocks(&self, blocks: usize) {
        self.0.monitor.awaited.with_label_values::<&str>(&[]).set(as_gauge(blocks));
    }

    /// How much memory proven logs take.
    pub fn log_index_bytes(&self, bytes: usize) {
        self.0.monitor.log_index_bytes.with_label_values::<&str>(&[]).set(as_gauge(bytes));
    }

    /// How the execution endpoints of a chain stand to each other.
    pub fn endpoints(&self, chain_id: ChainId, standings: &[EndpointStanding]) {
        let (monitor, id) = (&self.0.monitor, chain_id.to_string());
        for standing in standings {
            let place = standing.place.to_string();
            for state in EndpointState::NAMES {
                let is_state = i64::from(standing.state.name() == state);
                monitor.endpoint_state.with_label_values(&[id.as_str(), &place, state]).set(is_state);
            }
            for (counter, total) in [
                (&monitor.endpoint_disagreements, standing.disagreements),
                (&monitor.endpoint_failures, standing.failures),
            ] {
                let counter = counter.with_label_values(&[id.as_str(), &place]);
                counter.inc_by(total.saturating_sub(counter.get()));
            }
        }
    }
}

fn as_gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
