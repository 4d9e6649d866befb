//! [`HeadWatcher`]: the task that polls one chain's rollup nodes for its heads.
//!
//! It polls the first usable node, and switches to another one as soon as that node is not usable. A head
//! that no node reports is unknown at once: it is never a head, and never height 0.

use super::AuditMetrics;
use super::outlook::Outlook;
use super::reported_forks::ReportedForks;
use super::rules_asker::{Consultation, RulesAsker, RulesError, in_words};
use super::safe_meaning::SafeMeaning;
use super::second_opinion::{OpinionReporter, OpinionWatch, SecondOpinion};
use super::{AuditorMessage, Heads, RuleDifference, StatusAnswer};
use crate::health::{Health, HealthPart};
use crate::metrics::EndpointKind;
use crate::sources::{ExecutionClient, NodeAnswer, RollupNodes, Shortfall, SourceError, SyncStatus};
use crate::stalled_heads::{StallBounds, StalledHeads, WatchedHead};
use crate::unsafe_pause::UnsafePause;
use crosscheck_core::heads::{L2BlockRef, SafeMeans};
use crosscheck_p2p::ChainId;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// The longest pause between two attempts at a node that does not answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// After how many polls' time the rollup node is asked again by which rules it works.
const RULES_EVERY: u32 = 30;

/// The shortest pause between two polls, however many cases wait.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// What a head watcher works with.
#[derive(Debug)]
pub struct HeadWatcherParts {
    /// The chain.
    pub chain_id: ChainId,
    /// Its rollup nodes.
    pub nodes: RollupNodes,
    /// What it means that a node calls a block safe, if that is configured.
    pub safe_means: Option<SafeMeans>,
    /// Its execution clients.
    pub execution: ExecutionClient,
    /// By which rules its rollup nodes must work.
    pub rules: RulesAsker,
    /// How often to ask.
    pub interval: Duration,
    /// How long a head may be stalled.
    pub(crate) stall: StallBounds,
    /// Where the heads are kept.
    pub heads: Heads,
    /// Who gets new heads.
    pub auditor: mpsc::Sender<AuditorMessage>,
    /// Where readiness is reported.
    pub health: Health,
    /// What is counted.
    pub metrics: AuditMetrics,
}

/// Polls one chain's rollup node.
#[derive(Debug)]
pub struct HeadWatcher {
    parts: HeadWatcherParts,
}

impl HeadWatcher {
    /// A watcher that has asked nothing yet.
    pub const fn new(parts: HeadWatcherParts) -> Self {
        Self { parts }
    }

    /// What this watcher reports to [`Health`].
    pub const fn health_parts(chain_id: ChainId) -> [HealthPart; 2] {
        [HealthPart::Endpoints(chain_id), HealthPart::Heads(chain_id)]
    }

    /// Watches until cancelled.
    pub async fn run(self, cancel: CancellationToken) {
        tokio::select! {
            () = cancel.cancelled() => {}
            never = self.watch() => match never {},
        }
    }

    async fn watch(self) -> Infallible {
        self.parts.rules.begin();
        // Until its node was asked where its chain is its own, nothing of it is.
        self.parts.heads.set_second_opinion(self.parts.chain_id, SecondOpinion::Unknown);
        let mut reported = ReportedForks::of(self.parts.chain_id);
        loop {
            self.await_endpoints(&mut reported).await;
            self.follow_heads(&mut reported).await;
        }
    }

    /// Waits until the endpoints serve the right chain, by the same rules.
    async fn await_endpoints(&self, reported: &mut ReportedForks) {
        let endpoints = HealthPart::Endpoints(self.parts.chain_id);
        let mut pause = self.parts.interval;
        while let Err(problem) = self.check_endpoints(reported).await {
            self.report(&endpoints, &problem);
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE).max(self.parts.interval);
        }
        if let Some(outage) = self.parts.health.clear(&endpoints) {
            let (lasted_s, repeats) = (outage.seconds(), outage.repeats);
            info!(chain_id = %self.parts.chain_id, lasted_s, repeats, "endpoints serve the right chain");
        }
    }

    /// Polls until the rollup node works by other rules.
    async fn follow_heads(&self, reported: &mut ReportedForks) {
        let heads = HealthPart::Heads(self.parts.chain_id);
        let mut pause = self.parts.interval;
        let mut outlook = Outlook::default();
        let mut stalled = StalledHeads::new(
            self.parts.chain_id,
            self.parts.stall,
            self.parts.health.clone(),
            self.parts.metrics.shared().clone(),
        );
        let mut meaning = SafeMeaning::new(self.parts.chain_id, self.parts.safe_means);
        let mut opinion = OpinionWatch::new(self.parts.chain_id);
        let mut reporter = OpinionReporter::new(self.parts.chain_id, self.parts.metrics.clone());
        let mut own = None;
        let mut checked = Instant::now();
        loop {
            match self.parts.nodes.status().await {
                Ok(answer) => {
                    self.report_node_change(&answer);
                    let safe_means = meaning.ask(&self.parts.nodes, answer.place).await;
                    self.parts.heads.set_safe_means(self.parts.chain_id, safe_means);
                    // The heads are still another node's while this one is behind.
                    if answer.shortfall != Some(Shortfall::Behind) {
                        let said =
                            opinion.ask(&self.parts.nodes, &answer, self.parts.rules.block_time()).await;
                        reporter.report(said, &self.parts.nodes.name(answer.place));
                        own = self.record_opinion(said);
                    }
                    match outlook.check(answer.shortfall, Instant::now()) {
                        Some(_) => self.report(&heads, &self.parts.nodes.why_unusable()),
                        None => self.note_heads(&heads),
                    }
                    pause = self.parts.interval;
                    self.check_for_stalls(&mut stalled, &answer).await;
                    self.apply(answer, safe_means).await;
                    if let Some(said) = own.take() {
                        self.parts.heads.set_second_opinion(self.parts.chain_id, said);
                    }
                }
                Err(_) => {
                    self.parts.metrics.shared().source_failed(self.parts.chain_id, EndpointKind::RollupNode);
                    self.report(&heads, &self.parts.nodes.why_unusable());
                    self.parts.heads.set(self.parts.chain_id, None);
                    self.parts.heads.set_unsafe_pause(self.parts.chain_id, None);
                    meaning.on_no_answer();
                    opinion.on_no_answer();
                    pause = pause.saturating_mul(2).min(LONGEST_PAUSE).max(self.parts.interval);
                }
            }
            self.parts.metrics.rollup_nodes(self.parts.chain_id, &self.parts.nodes.health().borrow());
            self.pause(pause).await;
            if checked.elapsed() >= self.parts.interval.saturating_mul(RULES_EVERY) {
                checked = Instant::now();
                let is_other = match self.check_rules(reported).await {
                    Ok(differences) => !differences.is_empty(),
                    Err(RulesError::Impossible { .. }) => true,
                    // A node that fails is reported by its heads.
                    Err(RulesError::Source(_) | RulesError::Ledger(_)) => false,
                };
                if is_other {
                    self.parts.heads.set(self.parts.chain_id, None);
                    return;
                }
            }
        }
    }

    /// Waits for the next poll: less long when a case waits for the heads, but never in a storm.
    async fn pause(&self, pause: Duration) {
        let shortest = SHORTEST_PAUSE.min(pause);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = async {
                tokio::join!(tokio::time::sleep(shortest), self.parts.heads.poll_requested(self.parts.chain_id));
            } => {}
        }
    }

    /// Records whether the node derives its chain, before its heads are taken over. An own opinion after a
    /// repeated one is returned: until its own heads are there, those that are known are the other's.
    fn record_opinion(&self, said: SecondOpinion) -> Option<SecondOpinion> {
        let is_own = |opinion| matches!(opinion, SecondOpinion::Own { .. });
        if is_own(said) && !is_own(self.parts.heads.second_opinion(self.parts.chain_id)) {
            return Some(said);
        }
        self.parts.heads.set_second_opinion(self.parts.chain_id, said);
        None
    }

    /// Checks whether a head does not move. A node that is behind another one is not evidence of that.
    async fn check_for_stalls(&self, stalled: &mut StalledHeads, answer: &NodeAnswer) {
        if answer.shortfall == Some(Shortfall::Behind) {
            return;
        }
        let now = Instant::now();
        let status = answer.document.heads();
        let safe = status.safe_l2.filter(|safe| Some(*safe) != status.local_safe_l2);
        let position = |head: Option<L2BlockRef>| head.map(|head| head.position());
        stalled.check(WatchedHead::LocalSafe, position(status.local_safe_l2), now);
        stalled.check(WatchedHead::Safe, position(safe), now);
        stalled.check(WatchedHead::CurrentL1, answer.document.current_l1(), now);
        let pause = self.unsafe_pause(stalled, &status, now).await;
        self.parts.heads.set_unsafe_pause(self.parts.chain_id, pause);
        stalled.check_during(pause, WatchedHead::Unsafe, position(status.unsafe_l2), now);
    }

    /// Whether a replacement explains that the unsafe head is stalled. It is looked for in good time before
    /// that is reported.
    async fn unsafe_pause(
        &self,
        stalled: &StalledHeads,
        status: &SyncStatus,
        now: Instant,
    ) -> Option<UnsafePause> {
        let ledger =
            self.parts.rules.ledger.as_ref().filter(|_| stalled.is_half_late(WatchedHead::Unsafe, now))?;
        let number = |head: Option<L2BlockRef>| head.map(|head| head.number);
        let (local_safe, finalized) = (number(status.local_safe_l2), number(status.finalized_l2));
        let is_derived =
            ![WatchedHead::LocalSafe, WatchedHead::CurrentL1].iter().any(|head| stalled.is_late(*head, now));
        match ledger.highest_replaced(self.parts.chain_id, finalized?, local_safe?).await {
            Ok(replaced) => UnsafePause::of(replaced, local_safe, finalized, is_derived),
            Err(error) => {
                error!(chain_id = %self.parts.chain_id, %error, "ledger lookup of replaced blocks failed");
                None
            }
        }
    }

    /// Reports that the heads are taken from another node than before.
    fn report_node_change(&self, answer: &NodeAnswer) {
        let Some(before) = answer.before else { return };
        let (chain_id, node) = (self.parts.chain_id, self.parts.nodes.name(answer.place));
        if answer.place < before {
            info!(%chain_id, node, "switched back to an earlier rollup node in the list");
        } else {
            let reason = self.parts.nodes.why_not(answer.place);
            warn!(%chain_id, node, reason, "switched to another rollup node in the list");
        }
    }

    /// Takes over what a node said, unless it is behind: then nothing new is known.
    async fn apply(&self, answer: NodeAnswer, safe_means: SafeMeans) {
        if answer.shortfall == Some(Shortfall::Behind) {
            return;
        }
        let NodeAnswer { document, place, .. } = answer;
        let status = document.heads();
        let answer = StatusAnswer { document, at: Instant::now(), place, safe_means };
        self.parts.heads.set_answer(self.parts.chain_id, answer);
        if !self.parts.heads.set(self.parts.chain_id, Some(status)) {
            return;
        }
        for (level, head) in status.by_level() {
            if let Some(head) = head {
                self.parts.metrics.shared().head(self.parts.chain_id, level.into(), head.number);
            }
        }
        // A closed inbox means that the program is stopping.
        let _ended = self
            .parts
            .auditor
            .send(AuditorMessage::Heads { chain_id: self.parts.chain_id, status: Box::new(status) })
            .await;
    }

    /// Whether the endpoints serve the right chain that they are configured for, under the same rules.
    async fn check_endpoints(&self, reported: &mut ReportedForks) -> Result<(), String> {
        let text = |error: SourceError| error.to_string();
        self.parts.nodes.check_chain().await.map_err(text)?;
        self.parts.execution.check_chain().await.map_err(text)?;
        let differences = self.check_rules(reported).await.map_err(|error| error.to_string())?;
        if differences.is_empty() { Ok(()) } else { Err(in_words(&differences)) }
    }

    /// Where the rollup node works by other rules. What is news of its forks is reported.
    async fn check_rules(&self, reported: &mut ReportedForks) -> Result<Vec<RuleDifference>, RulesError> {
        let answer = self.parts.rules.compare().await?;
        reported.report(&answer);
        let Consultation { differences, unknown_forks, .. } = answer;
        if let Some(forks) = unknown_forks {
            self.parts.heads.set_unknown_forks(self.parts.chain_id, forks);
        }
        Ok(differences)
    }

    fn note_heads(&self, part: &HealthPart) {
        if let Some(outage) = self.parts.health.clear(part) {
            let (lasted_s, repeats) = (outage.seconds(), outage.repeats);
            info!(chain_id = %self.parts.chain_id, lasted_s, repeats, "rollup node reports its heads");
        }
    }

    fn report(&self, part: &HealthPart, problem: &str) {
        if self.parts.health.set_not_ready(part, problem.to_owned()) {
            let part = part.to_string();
            warn!(chain_id = %self.parts.chain_id, part, problem, "waiting for endpoints");
        }
    }
}

#[cfg(test)]
mod tests;
