//! [`AuditMetrics`]: what is measured of the audit, and of the rollup nodes that it rests on.

use crate::ledger::{Decided, Decision, RetractionReason};
use crate::metrics::{Metrics, UNKNOWN_CHAIN, as_gauge};
use crate::sources::{NodeHealth, NodeState};
use crosscheck_core::case::{Cause, CheckedMessage, Relation, Verdict};
use crosscheck_core::validity::MessageStatus;
use crosscheck_p2p::ChainId;
use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec};
use std::sync::Arc;
use std::time::Duration;

/// Upper bounds of the verdict histogram, in seconds.
const VERDICT_SECONDS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0];

/// What a block counts as that is invalid, and that is known only by what may be a replay of an unsafe block.
const REPLAY: &str = "replay-refuted";

/// What is measured of the audit. Clones share it.
#[derive(Clone, Debug)]
pub struct AuditMetrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Metrics,
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
    claims_refuted: IntCounterVec,
    claimants_differ: IntGaugeVec,
    rule_dependent: IntCounterVec,
    open_cases: IntGaugeVec,
    oldest_open_case: IntGaugeVec,
    node_state: IntGaugeVec,
    node_in_use: IntGaugeVec,
    second_opinion_repeated: IntGaugeVec,
    node_differences: IntGaugeVec,
}

impl AuditMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// If another room has a metric of one of these names.
    pub fn register(metrics: &Metrics) -> Result<Self, prometheus::Error> {
        let inner = Inner {
            shared: metrics.clone(),
            attestations: metrics.counter(
                "attestations_total",
                "Attested blocks whose audit was started",
                &["chain_id"],
            )?,
            made_attributable: metrics.counter(
                "attestations_made_attributable_total",
                "Blocks known by a replayable signature for which a binding signature was received later",
                &["chain_id"],
            )?,
            rival_attestations: metrics.counter(
                "rival_attestations_total",
                "Pairs of attested blocks at one height, by cause",
                &["chain_id", "relation"],
            )?,
            verdicts: metrics.counter(
                "verdicts_total",
                "Verdicts, by reason; an invalid block that only a replayable attestation names, and nobody claims, is replay-refuted",
                &["chain_id", "verdict", "reason"],
            )?,
            attributable_verdicts: metrics.counter(
                "attributable_verdicts_total",
                "Violated and discarded blocks whose attestation binds its signer, whenever it was received",
                &["chain_id", "verdict"],
            )?,
            verdict_seconds: metrics.histogram(
                "verdict_seconds",
                "Time from opening a block's case to its verdict",
                &["chain_id"],
                &VERDICT_SECONDS,
            )?,
            messages: metrics.counter(
                "messages_total",
                "Executed messages of decided blocks, by result",
                &["executing_chain_id", "initiating_chain_id", "status"],
            )?,
            upgrades_from_node: metrics.counter(
                "upgrades_from_node_total",
                "Blocks whose upgrade transactions were taken from the rollup node: their fork's bundle is not known",
                &["chain_id"],
            )?,
            blob_fees_assumed: metrics.counter(
                "blob_fees_assumed_total",
                "How often a block was checked against L1 without its blob base fee: the blob schedule of L1 is not known",
                &["chain_id"],
            )?,
            retractions: metrics.counter(
                "vouched_retractions_total",
                "How often the vouched head moved back from a branch that is no longer canonical, by reason",
                &["chain_id", "reason"],
            )?,
            claims_refuted: metrics.counter(
                "claims_refuted_total",
                "Invalid blocks that an endpoint called cross-safe, once for each endpoint",
                &["chain_id", "verdict"],
            )?,
            claimants_differ: metrics.gauge(
                "claimants_differ",
                "Pairs of endpoints that call different blocks of one height cross-safe, and have done so for half a minute",
                &["chain_id"],
            )?,
            rule_dependent: metrics.counter(
                "rule_dependent_blocks_total",
                "Decided blocks that older nodes replace because of a cycle and newer nodes do not",
                &["chain_id"],
            )?,
            open_cases: metrics.gauge("open_cases", "Blocks without a verdict", &["chain_id"])?,
            oldest_open_case: metrics.gauge(
                "oldest_open_case_seconds",
                "Age of the oldest block without a verdict, by what it waits for",
                &["chain_id", "cause"],
            )?,
            node_state: metrics.gauge(
                "rollup_node_state",
                "Whether a rollup node is in this state; nodes are counted from 0 as configured",
                &["chain_id", "node", "state"],
            )?,
            node_in_use: metrics.gauge(
                "rollup_node_in_use",
                "Whether the chain's heads are taken from a rollup node",
                &["chain_id", "node"],
            )?,
            second_opinion_repeated: metrics.gauge(
                "second_opinion_repeated",
                "Whether the rollup node in use follows a source, so that its local-safe head is not derived by it",
                &["chain_id"],
            )?,
            node_differences: metrics.gauge(
                "rollup_node_differences",
                "In how many ways the rollup nodes of a chain that has several differ",
                &["chain_id"],
            )?,
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
        for id in &ids {
            self.0.attestations.with_label_values(&[id]);
            self.0.made_attributable.with_label_values(&[id]);
            for relation in Relation::ALL {
                self.0.rival_attestations.with_label_values(&[id.as_str(), relation.name()]);
            }
            self.0.open_cases.with_label_values(&[id]);
            self.0.claimants_differ.with_label_values(&[id]);
            self.0.upgrades_from_node.with_label_values(&[id]);
            self.0.blob_fees_assumed.with_label_values(&[id]);
            self.0.rule_dependent.with_label_values(&[id]);
            for reason in RetractionReason::ALL {
                self.0.retractions.with_label_values(&[id.as_str(), reason.name()]);
            }
            for cause in Cause::ALL {
                self.0.oldest_open_case.with_label_values(&[id.as_str(), cause.name()]);
            }
            self.preset_verdicts(id);
            for initiating in ids.iter().map(String::as_str).chain([UNKNOWN_CHAIN]) {
                for status in MessageStatus::NAMES {
                    self.0.messages.with_label_values(&[id.as_str(), initiating, status]);
                }
            }
        }
    }

    fn preset_verdicts(&self, id: &str) {
        self.0.verdict_seconds.with_label_values(&[id]);
        for (kind, reason) in Verdict::REASONS {
            let verdict = kind.name();
            self.0.verdicts.with_label_values(&[id, verdict, reason]);
            if kind.is_wrong() {
                self.0.attributable_verdicts.with_label_values(&[id, verdict]);
                self.0.claims_refuted.with_label_values(&[id, verdict]);
                self.0.verdicts.with_label_values(&[id, REPLAY, reason]);
            }
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

    /// An endpoint called an invalid block cross-safe.
    pub fn claim_refuted(&self, chain_id: ChainId, verdict: &str) {
        self.0.claims_refuted.with_label_values(&[chain_id.to_string().as_str(), verdict]).inc();
    }

    /// How many pairs of endpoints call different blocks of a chain cross-safe.
    pub fn claimants_differ(&self, chain_id: ChainId, pairs: usize) {
        self.0.claimants_differ.with_label_values(&[chain_id.to_string()]).set(as_gauge(pairs));
    }

    /// Two blocks of a height are attested, and the cause is reported.
    pub fn rival_attested(&self, chain_id: ChainId, relation: Relation) {
        let labels = [chain_id.to_string(), relation.name().to_owned()];
        self.0.rival_attestations.with_label_values(&labels).inc();
    }

    /// A verdict is in the ledger.
    pub fn verdict(&self, decision: &Decision<'_>, decided: &Decided) {
        if decided.attributable == Some(true) && decision.verdict.is_wrong() {
            self.attributable_verdict(decision.key.chain_id, decision.verdict.name());
        }
        let chain_id = decision.key.chain_id.to_string();
        let (verdict, reason) = (decision.verdict.name(), decision.verdict.reason().unwrap_or_default());
        let is_replay = decision.verdict.is_wrong() && !decided.is_binding() && decided.claimants.is_empty();
        let verdict = if is_replay { REPLAY } else { verdict };
        self.0.verdicts.with_label_values(&[chain_id.as_str(), verdict, reason]).inc();
        self.0.verdict_seconds.with_label_values(&[&chain_id]).observe(decision.after.as_secs_f64());
        for checked in decision.messages {
            self.message(&chain_id, checked);
        }
    }

    fn message(&self, executing: &str, checked: &CheckedMessage) {
        let initiating = self.shared().initiating(Some(checked.message.identifier.chain_id));
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

    /// The states of a chain's rollup nodes.
    pub fn rollup_nodes(&self, chain_id: ChainId, health: &[NodeHealth]) {
        let (of, id) = (&self.0, chain_id.to_string());
        for node in health {
            let place = node.place.to_string();
            for state in NodeState::ALL {
                let is_state = i64::from(node.state == state);
                of.node_state.with_label_values(&[id.as_str(), &place, state.name()]).set(is_state);
            }
            of.node_in_use.with_label_values(&[&id, &place]).set(i64::from(node.is_in_use));
        }
    }

    /// Whether the chain's rollup node in use repeats the source that it follows.
    pub fn second_opinion(&self, chain_id: ChainId, is_repeated: bool) {
        let gauge = &self.0.second_opinion_repeated;
        gauge.with_label_values(&[chain_id.to_string()]).set(i64::from(is_repeated));
    }

    /// In how many ways the rollup nodes of a chain differ.
    pub fn rollup_node_differences(&self, chain_id: ChainId, differences: usize) {
        let differences = as_gauge(differences);
        self.0.node_differences.with_label_values(&[chain_id.to_string()]).set(differences);
    }
}
