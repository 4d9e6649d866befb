//! [`RollupNodes`]: the rollup nodes of one chain, tried in the order in which they are configured.
//!
//! A status is one node's, whole: the first's that names heads, sees L1 and is not behind what another named
//! before. One that fails or says less is skipped for the next at once, and is used again once it is usable.
//! Every node is asked which chain it follows before anything that it says counts.

use super::node_health::{NodeHealth, NodeState};
use super::node_memory::NodeMemory;
use super::{
    EndpointLimits, EndpointPace, EndpointUrl, RollupNode, SafeHeadAtL1, Shortfall, SourceError,
    StatusDocument, SyncStatus,
};
use alloy::primitives::B256;
use crosscheck_core::consolidation::RollupConfig;
use crosscheck_core::heads::{SafeMeans, SafetyLevel};
use crosscheck_p2p::ChainId;
use parking_lot::Mutex;
use serde_json::value::RawValue;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long a node is waited for before the next is asked instead.
const PATIENCE: Duration = Duration::from_secs(2);

/// The rollup nodes of one chain. Clones share what is known of them.
#[derive(Clone, Debug)]
pub struct RollupNodes {
    chain_id: ChainId,
    nodes: Arc<[Listed]>,
    memory: Arc<Mutex<NodeMemory>>,
    health: Arc<watch::Sender<Vec<NodeHealth>>>,
}

/// One node of the list.
#[derive(Debug)]
struct Listed {
    node: RollupNode,
    /// Whether it follows the chain, as far as is known: asked again after it did not answer.
    is_checked: Mutex<bool>,
}

/// What a node said of its heads.
#[derive(Clone, Debug)]
pub struct NodeAnswer {
    /// The node's place in the list.
    pub place: usize,
    /// What it said.
    pub document: StatusDocument,
    /// What keeps it from being worked with. With [`Shortfall::Behind`] nothing of it is taken over.
    pub shortfall: Option<Shortfall>,
    /// The place of the node that was in use before, if that is another one.
    pub before: Option<usize>,
}

impl RollupNodes {
    /// The nodes at these URLs.
    ///
    /// # Errors
    /// If no HTTP client can be made.
    pub fn new(chain_id: ChainId, urls: &[EndpointUrl], limits: EndpointLimits) -> Result<Self, SourceError> {
        let listed = |url: &EndpointUrl| {
            let node = RollupNode::new(url.clone(), limits)?;
            Ok(Listed { node, is_checked: Mutex::new(false) })
        };
        let nodes = urls.iter().map(listed).collect::<Result<Vec<_>, SourceError>>()?;
        let cast = urls.iter().enumerate();
        let (health, _) =
            watch::channel(cast.map(|(place, url)| NodeHealth::new(place, url.clone())).collect());
        Ok(Self { chain_id, nodes: nodes.into(), memory: Arc::default(), health: Arc::new(health) })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Their states, and a notification of each change.
    pub fn health(&self) -> watch::Receiver<Vec<NodeHealth>> {
        self.health.subscribe()
    }

    /// A node as messages name it: with its place, where there are several.
    pub fn name(&self, place: usize) -> String {
        let url = self.nodes.get(place).map(|listed| listed.node.url().to_string()).unwrap_or_default();
        format!("#{place} {url}")
    }

    /// Why none of them is usable, in words.
    pub fn why_unusable(&self) -> String {
        let health = self.health.borrow();
        match health.as_slice() {
            [only] => only.detail.clone(),
            several => {
                let said = several.iter().map(|one| format!("{}: {}", self.name(one.place), one.detail));
                said.collect::<Vec<_>>().join("; ")
            }
        }
    }

    /// Why the nodes before this one are not of use, in words.
    pub fn why_not(&self, place: usize) -> String {
        let health = self.health.borrow();
        let said = health.iter().take(place).map(|one| format!("{}: {}", self.name(one.place), one.detail));
        said.collect::<Vec<_>>().join("; ")
    }

    /// What it means that the node at this place calls a block safe.
    ///
    /// # Errors
    /// If that cannot be found out now.
    pub async fn safe_means(&self, place: usize) -> Result<SafeMeans, SourceError> {
        match self.nodes.get(place) {
            Some(listed) => listed.node.safe_means(self.chain_id).await,
            None => Err(self.none()),
        }
    }

    /// The status of the first node that is of use; if none is, of the one that lacks least.
    ///
    /// # Errors
    /// If none answers: what the first said.
    pub async fn status(&self) -> Result<NodeAnswer, SourceError> {
        let mut best: Option<NodeAnswer> = None;
        let mut first_error = None;
        let mut slow = None;
        for place in 0..self.nodes.len() {
            let is_last = place.saturating_add(1) == self.nodes.len();
            let asked = self.status_of(place);
            let answer = if is_last {
                asked.await
            } else {
                match tokio::time::timeout(PATIENCE, asked).await {
                    Ok(answer) => answer,
                    Err(_) => {
                        slow = slow.or(Some(place));
                        self.note(place, NodeState::Failing, "it answers slowly".to_owned());
                        continue;
                    }
                }
            };
            match answer {
                Ok(answer) if answer.shortfall.is_none() => return Ok(self.select(answer)),
                Ok(answer) if best.as_ref().is_none_or(|best| answer.shortfall < best.shortfall) => {
                    best = Some(answer);
                }
                Ok(_) => {}
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        match (best, slow, first_error) {
            (Some(best), ..) => Ok(self.select(best)),
            // Nobody else answers: it gets all the time that a request may take.
            (None, Some(place), _) => self.status_of(place).await.map(|answer| self.select(answer)),
            (None, None, Some(error)) => Err(error),
            (None, None, None) => Err(self.none()),
        }
    }

    /// What one node says of its heads. It changes nothing of which node is in use.
    ///
    /// # Errors
    /// If it does not answer, or follows another chain.
    pub async fn status_of(&self, place: usize) -> Result<NodeAnswer, SourceError> {
        let listed = self.nodes.get(place).ok_or_else(|| self.none())?;
        let answer = async {
            self.check(listed).await?;
            listed.node.status().await
        };
        match answer.await {
            Ok(document) => {
                let shortfall = self.memory.lock().shortfall(place, &document);
                let detail = shortfall.map(|shortfall| shortfall.to_string()).unwrap_or_default();
                self.note(place, NodeState::of(shortfall), detail);
                Ok(NodeAnswer { place, document, shortfall, before: None })
            }
            Err(error) => {
                *listed.is_checked.lock() = false;
                self.note(place, NodeState::Failing, error.to_string());
                Err(error)
            }
        }
    }

    fn select(&self, mut answer: NodeAnswer) -> NodeAnswer {
        if answer.shortfall != Some(Shortfall::Behind) {
            answer.before = self.memory.lock().select(answer.place, &answer.document.heads());
            self.health.send_if_modified(|health| {
                let mut is_other = false;
                for entry in health {
                    let is_in_use = entry.place == answer.place;
                    is_other |= entry.is_in_use != is_in_use;
                    entry.is_in_use = is_in_use;
                }
                is_other
            });
        }
        answer
    }

    /// Where a status names another block than the node in use did at that height: level, height, theirs, its
    /// own.
    pub fn conflict(&self, heads: &SyncStatus) -> Option<(SafetyLevel, u64, B256, B256)> {
        self.memory.lock().conflict(heads)
    }

    /// The place of the node in use. `None`: none has been yet.
    pub fn in_use(&self) -> Option<usize> {
        self.memory.lock().in_use()
    }

    /// Checks that one of them follows the chain.
    ///
    /// # Errors
    /// If none answers, or they follow others: what the first said.
    pub async fn check_chain(&self) -> Result<(), SourceError> {
        self.first(|_| std::future::ready(Ok(()))).await
    }

    /// As [`RollupNode::safe_head_at_l1`].
    ///
    /// # Errors
    /// If none has an answer.
    pub async fn safe_head_at_l1(&self, number: u64) -> Result<SafeHeadAtL1, SourceError> {
        self.first(|node| node.safe_head_at_l1(number)).await
    }

    /// As [`RollupNode::rollup_config_document`].
    ///
    /// # Errors
    /// If none has an answer.
    pub async fn rollup_config_document(&self) -> Result<Box<RawValue>, SourceError> {
        self.first(RollupNode::rollup_config_document).await
    }

    /// As [`RollupNode::rollup_config`].
    ///
    /// # Errors
    /// If none has an answer.
    pub async fn rollup_config(&self) -> Result<RollupConfig, SourceError> {
        self.first(RollupNode::rollup_config).await
    }

    /// As [`RollupNode::dependency_set`].
    ///
    /// # Errors
    /// If none has an answer.
    pub async fn dependency_set(&self) -> Result<(Vec<ChainId>, Option<u64>), SourceError> {
        self.first(RollupNode::dependency_set).await
    }

    /// How long each node takes to answer, in their order.
    pub(crate) fn paces(&self) -> impl Iterator<Item = &EndpointPace> {
        self.nodes.iter().map(|listed| listed.node.pace())
    }

    /// One node, to be asked for itself.
    pub fn node(&self, place: usize) -> Option<&RollupNode> {
        self.nodes.get(place).map(|listed| &listed.node)
    }

    /// The first answer: of the node in use, or of the others in their order.
    async fn first<'a, T, F, A>(&'a self, ask: F) -> Result<T, SourceError>
    where
        F: Fn(&'a RollupNode) -> A,
        A: Future<Output = Result<T, SourceError>> + Send + 'a,
    {
        let in_use = self.in_use();
        let others = (0..self.nodes.len()).filter(|place| Some(*place) != in_use);
        let mut first_error = None;
        for listed in in_use.into_iter().chain(others).filter_map(|place| self.nodes.get(place)) {
            let answer = async {
                self.check(listed).await?;
                ask(&listed.node).await
            };
            match answer.await {
                Ok(answer) => return Ok(answer),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        Err(first_error.unwrap_or_else(|| self.none()))
    }

    async fn check(&self, listed: &Listed) -> Result<(), SourceError> {
        if *listed.is_checked.lock() {
            return Ok(());
        }
        listed.node.check_chain(self.chain_id).await?;
        *listed.is_checked.lock() = true;
        Ok(())
    }

    fn note(&self, place: usize, state: NodeState, detail: String) {
        self.health.send_if_modified(|health| {
            let Some(entry) = health.get_mut(place) else { return false };
            let is_other = (entry.state, &entry.detail) != (state, &detail);
            (entry.state, entry.detail) = (state, detail);
            is_other
        });
    }

    fn none(&self) -> SourceError {
        SourceError::NoRollupNode { chain_id: self.chain_id }
    }
}

#[cfg(test)]
mod tests;
