//! [`Metrics`]: what Prometheus reads. Labels are chains, names of verdicts and the like: nothing that a peer
//! or a message can choose. Counters of configured chains start at 0, so that increases can be alerted on.

mod access_metrics;
mod catalogue;
mod follow_metrics;
mod gossip_metrics;
mod ledger_metrics;
mod limit;
mod message_metrics;
mod process_metrics;
mod reading_metrics;
mod suspect_metrics;

pub use catalogue::{Definition, MetricKind, metrics_table};
pub use limit::Limit;

use access_metrics::AccessMetrics;
use catalogue::Catalogue;
use follow_metrics::FollowMetrics;
use gossip_metrics::GossipMetrics;
use ledger_metrics::LedgerMetrics;
use message_metrics::MessageMetrics;
use process_metrics::ProcessMetrics;
use reading_metrics::ReadingMetrics;
use suspect_metrics::SuspectMetrics;

use crate::ledger::{Decided, Decision, RetractionReason};
use crate::sources::EndpointKind;
use crate::telemetry::quiet;
use crosscheck_core::case::{Cause, CheckedMessage, Relation, Verdict};
use crosscheck_core::validity::{DependencySet, MessageStatus};
use crosscheck_p2p::ChainId;
use prometheus::{Encoder, HistogramVec, IntCounterVec, IntGaugeVec, TextEncoder};
use std::sync::Arc;
use std::time::Duration;

/// The label of an initiating chain outside the dependency set.
const UNKNOWN_CHAIN: &str = "unknown";

/// Upper bounds of the verdict histogram, in seconds.
const VERDICT_SECONDS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0];

/// Why a subscriber to events is dropped: it is too far behind, or takes too long for one event.
const SUBSCRIBER_LOST: [&str; 2] = ["behind", "slow"];

/// What a block counts as that does not hold, and that is known only by what may be a replay of an unsafe block.
const REPLAY: &str = "replay-refuted";

/// Everything that is counted and measured. Clones share one registry.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    catalogue: Catalogue,
    set: DependencySet,
    of_access: AccessMetrics,
    of_following: FollowMetrics,
    of_ledger: LedgerMetrics,
    of_gossip: GossipMetrics,
    of_messages: MessageMetrics,
    of_process: ProcessMetrics,
    of_suspects: SuspectMetrics,
    of_reading: ReadingMetrics,
    attestations: IntCounterVec,
    made_attributable: IntCounterVec,
    rival_attestations: IntCounterVec,
    verdicts: IntCounterVec,
    attributable_verdicts: IntCounterVec,
    verdict_seconds: HistogramVec,
    messages: IntCounterVec,
    upgrades_from_node: IntCounterVec,
    blob_fees_assumed: IntCounterVec,
    retractions: IntCounterVec,
    rule_dependent: IntCounterVec,
    open_cases: IntGaugeVec,
    oldest_open_case: IntGaugeVec,
    head_still: IntGaugeVec,
    heads: IntGaugeVec,
    source_failures: IntCounterVec,
    limits: IntCounterVec,
    subscribers_dropped: IntCounterVec,
}

impl Metrics {
    /// Metrics of a superchain.
    ///
    /// # Errors
    /// If two metrics have one name: a mistake in this file.
    pub fn new(set: DependencySet) -> Result<Self, prometheus::Error> {
        let mut catalogue = Catalogue::new()?;
        let unprinted = quiet::unprinted()?;
        catalogue.adopt(quiet::NAME, quiet::HELP, &quiet::LABELS, unprinted)?;
        for library in quiet::LIBRARIES {
            unprinted.with_label_values(&[library]);
        }
        let inner = Inner {
            attestations: catalogue.counter(
                "attestations_total",
                "Attested blocks taken under audit",
                &["chain_id"],
            )?,
            rival_attestations: catalogue.counter(
                "rival_attestations_total",
                "Pairs of attested blocks of one height, by what is behind them",
                &["chain_id", "relation"],
            )?,
            made_attributable: catalogue.counter(
                "attestations_made_attributable_total",
                "Blocks known by a replayable signature of which one came in that binds its signer",
                &["chain_id"],
            )?,
            attributable_verdicts: catalogue.counter(
                "attributable_verdicts_total",
                "Violated and discarded blocks whose attestation binds its signer, whenever it came in",
                &["chain_id", "verdict"],
            )?,
            verdicts: catalogue.counter(
                "verdicts_total",
                "Verdicts, by reason; a block that does not hold and that only a possible replay attests is a replay-refuted",
                &["chain_id", "verdict", "reason"],
            )?,
            verdict_seconds: catalogue.histogram(
                "verdict_seconds",
                "Time from taking up a block to its verdict",
                &["chain_id"],
                &VERDICT_SECONDS,
            )?,
            messages: catalogue.counter(
                "messages_total",
                "Executed messages of decided blocks, by what was found",
                &["executing_chain_id", "initiating_chain_id", "status"],
            )?,
            upgrades_from_node: catalogue.counter(
                "upgrades_from_node_total",
                "Blocks whose upgrade transactions are the rollup node's word: their fork's bundle is not known",
                &["chain_id"],
            )?,
            blob_fees_assumed: catalogue.counter(
                "blob_fees_assumed_total",
                "How often a block was held against L1 but for its blob base fee: the blob schedule of L1 is not known",
                &["chain_id"],
            )?,
            retractions: catalogue.counter(
                "vouched_retractions_total",
                "How often the vouched head left a branch that was no longer on the chain, by why",
                &["chain_id", "reason"],
            )?,
            rule_dependent: catalogue.counter(
                "rule_dependent_blocks_total",
                "Decided blocks that older nodes replace for a cycle and newer ones do not",
                &["chain_id"],
            )?,
            open_cases: catalogue.gauge("open_cases", "Blocks without a verdict", &["chain_id"])?,
            oldest_open_case: catalogue.gauge(
                "oldest_open_case_seconds",
                "Age of the oldest block without a verdict, by why it waits",
                &["chain_id", "cause"],
            )?,
            head_still: catalogue.gauge(
                "head_still_seconds",
                "For how long a head has stood still",
                &["chain_id", "head"],
            )?,
            heads: catalogue.gauge("head_number", "Height of a head", &["chain_id", "level"])?,
            source_failures: catalogue.counter(
                "source_failures_total",
                "Endpoints' failures to answer",
                &["chain_id", "source"],
            )?,
            subscribers_dropped: catalogue.counter(
                "subscribers_dropped_total",
                "Subscribers to events that were dropped for being too slow; crosscheck_events has what they missed",
                &["reason"],
            )?,
            limits: catalogue.counter("limit_reached_total", "How often a bound was reached", &["limit"])?,
            of_access: AccessMetrics::new(&mut catalogue)?,
            of_following: FollowMetrics::new(&mut catalogue)?,
            of_ledger: LedgerMetrics::new(&mut catalogue)?,
            of_gossip: GossipMetrics::new(&mut catalogue)?,
            of_messages: MessageMetrics::new(&mut catalogue)?,
            of_process: ProcessMetrics::new(&mut catalogue)?,
            of_suspects: SuspectMetrics::new(&mut catalogue)?,
            of_reading: ReadingMetrics::new(&mut catalogue)?,
            set,
            catalogue,
        };
        let metrics = Self(Arc::new(inner));
        metrics.preset();
        Ok(metrics)
    }

    /// Every metric as it is defined.
    pub fn definitions(&self) -> &[Definition] {
        &self.0.catalogue.definitions
    }

    /// Sets every counter of a configured chain to 0.
    fn preset(&self) {
        let ids: Vec<String> = self.0.set.chain_ids().map(|id| id.to_string()).collect();
        for id in &ids {
            self.0.attestations.with_label_values(&[id]);
            self.0.made_attributable.with_label_values(&[id]);
            for relation in Relation::ALL {
                self.0.rival_attestations.with_label_values(&[id.as_str(), relation.name()]);
            }
            for (verdict, _) in Verdict::NAMES.iter().filter(|(name, _)| Verdict::is_wrong_by_name(name)) {
                self.0.attributable_verdicts.with_label_values(&[id.as_str(), verdict]);
            }
            self.0.open_cases.with_label_values(&[id]);
            self.0.upgrades_from_node.with_label_values(&[id]);
            self.0.blob_fees_assumed.with_label_values(&[id]);
            self.0.rule_dependent.with_label_values(&[id]);
            for reason in RetractionReason::ALL {
                self.0.retractions.with_label_values(&[id.as_str(), reason.name()]);
            }
            for cause in Cause::ALL {
                self.0.oldest_open_case.with_label_values(&[id.as_str(), cause.name()]);
            }
            self.0.verdict_seconds.with_label_values(&[id]);
            for (verdict, reason) in Verdict::NAMES {
                self.0.verdicts.with_label_values(&[id.as_str(), verdict, reason]);
                if Verdict::is_wrong_by_name(verdict) {
                    self.0.verdicts.with_label_values(&[id.as_str(), REPLAY, reason]);
                }
            }
            for source in EndpointKind::ALL {
                self.0.source_failures.with_label_values(&[id.as_str(), source.name()]);
            }
            for initiating in ids.iter().map(String::as_str).chain([UNKNOWN_CHAIN]) {
                for status in MessageStatus::NAMES {
                    self.0.messages.with_label_values(&[id.as_str(), initiating, status]);
                }
            }
        }
        self.0.of_access.preset();
        self.0.of_gossip.preset(&ids);
        self.0.of_ledger.preset(&ids);
        self.0.of_messages.preset(&ids);
        self.0.of_process.preset();
        self.0.of_suspects.preset(&ids);
        self.0.of_reading.preset(&ids);
        for reason in SUBSCRIBER_LOST {
            self.0.subscribers_dropped.with_label_values(&[reason]);
        }
        for limit in Limit::ALL {
            self.0.limits.with_label_values(&[limit.name()]);
        }
    }

    /// An attested block was taken under audit.
    pub fn attestation_received(&self, chain_id: ChainId) {
        self.0.attestations.with_label_values(&[chain_id.to_string()]).inc();
    }

    /// A block that was known by a replayable signature is bound to its signer now.
    pub fn attestation_made_attributable(&self, chain_id: ChainId) {
        self.0.made_attributable.with_label_values(&[chain_id.to_string()]).inc();
    }

    /// A decided block is one that nodes of different versions treat differently.
    pub fn rule_dependent(&self, chain_id: ChainId) {
        self.0.rule_dependent.with_label_values(&[chain_id.to_string()]).inc();
    }

    /// A vouched head has left a branch.
    pub fn retracted(&self, chain_id: ChainId, reason: RetractionReason) {
        self.0.retractions.with_label_values(&[chain_id.to_string().as_str(), reason.name()]).inc();
    }

    /// A verdict against a block whose attestation binds its signer.
    pub fn attributable_verdict(&self, chain_id: ChainId, verdict: &str) {
        self.0.attributable_verdicts.with_label_values(&[chain_id.to_string().as_str(), verdict]).inc();
    }

    /// Two blocks of a height are attested, and it is told what is behind it.
    pub fn rival_attested(&self, chain_id: ChainId, relation: Relation) {
        let labels = [chain_id.to_string(), relation.name().to_owned()];
        self.0.rival_attestations.with_label_values(&labels).inc();
    }

    /// A verdict is in the ledger.
    pub fn verdict(&self, decision: &Decision<'_>, decided: &Decided) {
        if decided.attributable == Some(true) && Verdict::is_wrong_by_name(decision.verdict.name()) {
            self.attributable_verdict(decision.key.chain_id, decision.verdict.name());
        }
        let chain_id = decision.key.chain_id.to_string();
        let (verdict, reason) = (decision.verdict.name(), decision.verdict.reason().unwrap_or_default());
        let is_replay = Verdict::is_wrong_by_name(verdict) && !decided.is_binding();
        let verdict = if is_replay { REPLAY } else { verdict };
        self.0.verdicts.with_label_values(&[chain_id.as_str(), verdict, reason]).inc();
        self.0.verdict_seconds.with_label_values(&[&chain_id]).observe(decision.after.as_secs_f64());
        for checked in decision.messages {
            self.message(&chain_id, checked);
        }
    }

    fn message(&self, executing: &str, checked: &CheckedMessage) {
        let chain_id = checked.message.identifier.chain_id;
        let initiating = match self.0.set.contains(chain_id) {
            true => chain_id.to_string(),
            false => UNKNOWN_CHAIN.to_owned(),
        };
        let labels = [executing, initiating.as_str(), checked.status.name()];
        self.0.messages.with_label_values(&labels).inc();
    }

    /// The upgrade transactions of a block were taken from its rollup node.
    pub fn upgrade_from_node(&self, chain_id: ChainId) {
        self.0.upgrades_from_node.with_label_values(&[chain_id.to_string()]).inc();
    }

    /// The blob base fee of a block was not checked.
    pub fn blob_fee_assumed(&self, chain_id: ChainId) {
        self.0.blob_fees_assumed.with_label_values(&[chain_id.to_string()]).inc();
    }

    /// How many of a chain's blocks have no verdict.
    pub fn open_cases(&self, chain_id: ChainId, open: usize) {
        let open = i64::try_from(open).unwrap_or(i64::MAX);
        self.0.open_cases.with_label_values(&[chain_id.to_string()]).set(open);
    }

    /// How old a chain's oldest open case is of those that wait for this cause.
    pub fn oldest_open_case(&self, chain_id: ChainId, cause: &'static str, age: Duration) {
        let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        self.0.oldest_open_case.with_label_values(&[chain_id.to_string().as_str(), cause]).set(seconds);
    }

    /// For how long a head has stood still.
    pub(crate) fn head_stood_still(&self, chain_id: ChainId, head: &'static str, stood: Duration) {
        let seconds = i64::try_from(stood.as_secs()).unwrap_or(i64::MAX);
        self.0.head_still.with_label_values(&[chain_id.to_string().as_str(), head]).set(seconds);
    }

    /// The height of a head.
    pub fn head(&self, chain_id: ChainId, level: &'static str, number: u64) {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.0.heads.with_label_values(&[chain_id.to_string().as_str(), level]).set(number);
    }

    /// An endpoint failed to answer.
    pub fn source_failed(&self, chain_id: ChainId, source: EndpointKind) {
        self.0.source_failures.with_label_values(&[chain_id.to_string().as_str(), source.name()]).inc();
    }

    /// A subscriber to events was dropped.
    pub(crate) fn subscriber_dropped(&self, reason: &'static str) {
        self.0.subscribers_dropped.with_label_values(&[reason]).inc();
    }

    /// A bound was reached.
    pub fn limit_reached(&self, limit: Limit) {
        self.limits_reached(limit, 1);
    }

    /// A bound was reached so many times.
    pub fn limits_reached(&self, limit: Limit, times: u64) {
        self.0.limits.with_label_values(&[limit.name()]).inc_by(times);
    }

    /// Everything in Prometheus' text format.
    ///
    /// # Errors
    /// If a metric cannot be written as text.
    pub fn render(&self) -> Result<String, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.0.catalogue.gather(), &mut text)?;
        String::from_utf8(text).map_err(|error| prometheus::Error::Msg(error.to_string()))
    }
}

fn as_gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
