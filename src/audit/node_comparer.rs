//! [`NodeComparer`]: the task that asks the rollup nodes of a chain, where there are several, what the others
//! say.
//!
//! It asks seldom: each node that is not in use for its heads, all of them for their rules now and then. It
//! shows where they differ, and moves no head.

use super::AuditMetrics;
use super::node_differences::{DifferenceChanges, NodeDifferences, NodeRules, OtherHead};
use super::second_opinion::{OpinionWatch, SecondOpinion};
use super::{Heads, OtherNode};
use crate::health::{Health, HealthPart};
use crate::sources::{NodeAnswer, RollupNodes, SourceError};
use crosscheck_p2p::ChainId;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

/// How often the other nodes are asked for their heads.
pub const COMPARE_EVERY: Duration = Duration::from_secs(15);

/// In every how manieth look all nodes are asked for their rules, too.
const RULES_EVERY: u64 = 4;

/// Where the rollup nodes of each chain differ, in words. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct NodeDisagreements(Arc<Mutex<BTreeMap<ChainId, Vec<String>>>>);

impl NodeDisagreements {
    /// Where the nodes of this chain differ.
    pub fn of(&self, chain_id: ChainId) -> Vec<String> {
        self.0.lock().get(&chain_id).cloned().unwrap_or_default()
    }
}

/// What a comparer works with.
#[derive(Debug)]
pub struct NodeComparerParts {
    /// The chain.
    pub chain_id: ChainId,
    /// Its rollup nodes.
    pub nodes: RollupNodes,
    /// Seconds between two blocks of the chain; 0 if that is not known.
    pub block_time: u64,
    /// How often to look.
    pub interval: Duration,
    /// Where it is kept what nodes say that have derived the chain.
    pub heads: Heads,
    /// Where the differences are kept.
    pub disagreements: NodeDisagreements,
    /// Where readiness is reported.
    pub health: Health,
    /// What is measured.
    pub metrics: AuditMetrics,
}

/// Compares the rollup nodes of one chain.
#[derive(Debug)]
pub struct NodeComparer {
    parts: NodeComparerParts,
}

impl NodeComparer {
    /// A comparer that has asked nothing yet.
    pub const fn new(parts: NodeComparerParts) -> Self {
        Self { parts }
    }

    /// Compares until cancelled.
    pub async fn run(self, cancel: CancellationToken) {
        tokio::select! {
            () = cancel.cancelled() => {}
            never = self.compare() => match never {},
        }
    }

    async fn compare(self) -> Infallible {
        let mut differences = NodeDifferences::default();
        let mut looks: u64 = 0;
        let mut opinions: BTreeMap<usize, OpinionWatch> = BTreeMap::new();
        loop {
            if looks.is_multiple_of(RULES_EVERY) {
                let rules = self.rules().await;
                self.report(differences.apply_rules(&rules));
            }
            looks = looks.wrapping_add(1);
            let (asked, others) = self.other_heads(&mut opinions).await;
            self.report(differences.apply_heads(&asked, others));
            self.publish(&differences);
            tokio::time::sleep(self.parts.interval).await;
        }
    }

    /// What each node says of the rules. What is unavailable is unknown.
    async fn rules(&self) -> Vec<NodeRules> {
        let mut rules = Vec::with_capacity(self.parts.nodes.len());
        for place in 0..self.parts.nodes.len() {
            let Some(node) = self.parts.nodes.node(place) else { continue };
            let other_chain = match node.check_chain(self.parts.chain_id).await {
                Err(SourceError::Untrustworthy { reason, .. }) => Some(reason),
                Ok(()) | Err(_) => None,
            };
            let config = node.rollup_config().await;
            let dependencies = node.dependency_set().await;
            for error in config.as_ref().err().into_iter().chain(dependencies.as_ref().err()) {
                debug!(chain_id = %self.parts.chain_id, %error, "rollup node does not report part of its configuration");
            }
            rules.push(NodeRules {
                name: self.parts.nodes.name(place),
                other_chain,
                config: config.ok(),
                dependencies: dependencies.ok(),
            });
        }
        rules
    }

    /// Who was asked for their heads and answered, and who of them named another block than the node in use.
    async fn other_heads(
        &self,
        opinions: &mut BTreeMap<usize, OpinionWatch>,
    ) -> (Vec<String>, Vec<OtherHead>) {
        let (mut asked, mut others, mut derived) = (Vec::new(), Vec::new(), Vec::new());
        let Some(in_use) = self.parts.nodes.in_use() else { return (asked, others) };
        for place in (0..self.parts.nodes.len()).filter(|place| *place != in_use) {
            let watch = opinions.entry(place).or_insert_with(|| OpinionWatch::new(self.parts.chain_id));
            let Ok(answer) = self.parts.nodes.status_of(place).await else {
                watch.on_no_answer();
                continue;
            };
            derived.extend(self.derived(watch, &answer).await);
            let (name, in_use) = (self.parts.nodes.name(place), self.parts.nodes.name(in_use));
            if let Some(conflict) = self.parts.nodes.conflict(&answer.document.heads()) {
                others.push(OtherHead { name: name.clone(), in_use, conflict });
            }
            asked.push(name);
        }
        self.parts.heads.set_others(self.parts.chain_id, derived);
        (asked, others)
    }

    /// The node's word as one that has derived the chain. `None`: it keeps no record that says so.
    async fn derived(&self, watch: &mut OpinionWatch, answer: &NodeAnswer) -> Option<OtherNode> {
        let opinion = watch.ask(&self.parts.nodes, answer, self.parts.block_time).await;
        let local_safe = answer.document.heads().local_safe_l2?.position();
        let has_derived = watch.keeps_a_record() && matches!(opinion, SecondOpinion::Own { .. });
        has_derived.then(|| OtherNode { local_safe, opinion, at: Instant::now() })
    }

    fn report(&self, news: DifferenceChanges) {
        let chain_id = self.parts.chain_id;
        for difference in news.begun {
            warn!(%chain_id, difference, "rollup nodes of the chain differ; find out which is right and fix the other");
        }
        if news.over > 0 {
            info!(%chain_id, differences = news.over, "rollup nodes of the chain no longer differ");
        }
    }

    fn publish(&self, differences: &NodeDifferences) {
        let part = HealthPart::RollupNodes(self.parts.chain_id);
        // Each difference has been reported separately.
        match differences.obstacle() {
            Some(obstacle) => drop(self.parts.health.set_not_ready(&part, obstacle)),
            None => drop(self.parts.health.clear(&part)),
        }
        let texts = differences.texts();
        self.parts.metrics.rollup_node_differences(self.parts.chain_id, texts.len());
        self.parts.disagreements.0.lock().insert(self.parts.chain_id, texts);
    }
}

#[cfg(test)]
mod tests;
