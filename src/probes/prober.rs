//! [`Prober`]: asks every configured endpoint what there is to find out about it, once.
//!
//! It changes nothing. Of an endpoint that fails, nothing is determined.

use super::ProbeFinding;
use super::answers::{ClaimantAnswers, ClientAnswers, NodeAnswers};
use super::ask_claimant::ask_claimant;
use super::ask_client::{Subject, ask_client};
use super::ask_l1::{L1Subject, ask_l1};
use super::ask_node::ask_node;
use super::ask_opinions::{ask_filter, ask_supernode};
use super::ask_peers::ask_peers;
use super::asking::{Asking, BUDGET};
use super::l1::{ClockBounds, SignerSettings};
use super::reference::Reference;
use crate::config::{ChainConfig, Config};
use crate::sources::{EndpointUrl, SourceError};
use crosscheck_p2p::{ChainId, Clock};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;

/// How many endpoints are asked at once.
const AT_ONCE: usize = 8;

/// Asks every endpoint of a configuration.
#[derive(Clone)]
pub(crate) struct Prober {
    config: Config,
    clock: Arc<dyn Clock>,
}

impl Prober {
    /// A prober of the endpoints of this configuration.
    pub(crate) fn new(config: Config, clock: Arc<dyn Clock>) -> Self {
        Self { config, clock }
    }

    /// What there is to find out now, L1 first, then chain by chain, then those whose opinions are compared.
    /// It takes a minute at most.
    ///
    /// # Errors
    /// If no HTTP client can be made.
    pub(crate) async fn findings(&self) -> Result<Vec<ProbeFinding>, SourceError> {
        // The clients that are created for this log failures, which the findings already contain.
        self.ask().with_subscriber(NoSubscriber::default()).await
    }

    /// Whether the static peers can be dialled. It takes a minute at most.
    pub(crate) async fn peers(&self) -> Vec<ProbeFinding> {
        let (chains, now) = (self.config.chains.iter(), Instant::now());
        let until = now.checked_add(BUDGET).unwrap_or(now);
        let dialled =
            chains.map(|(chain_id, chain)| ask_peers(*chain_id, chain, until, Arc::clone(&self.clock)));
        let answers = stream::iter(dialled).buffered(AT_ONCE).filter_map(std::future::ready);
        let findings = answers.map(|answer| answer.finding()).collect();
        Box::pin(findings).with_subscriber(NoSubscriber::default()).await
    }

    async fn ask(&self) -> Result<Vec<ProbeFinding>, SourceError> {
        let asking = Asking::new(self.config.sources.limits(), Instant::now());
        let nodes = self.ask_nodes(&asking).await?;
        let references: BTreeMap<ChainId, Reference> = self
            .config
            .chains
            .keys()
            .filter_map(|chain_id| Some((*chain_id, self.reference(*chain_id, &nodes)?)))
            .collect();
        let (l1, clients, claimants, opinions) = tokio::try_join!(
            self.ask_l1(&asking, &references),
            self.ask_clients(&asking, &references),
            self.ask_claimants(&asking),
            self.ask_opinions(&asking),
        )?;
        let mut findings = l1;
        let window = Duration::from_secs(self.config.interop.expiry_window());
        for (chain_id, chain) in &self.config.chains {
            let reference = references.get(chain_id);
            for client in clients.iter().filter(|client| client.chain_id == *chain_id) {
                findings.extend(client.findings(reference, window));
            }
            for node in nodes.iter().filter(|node| node.chain_id == *chain_id) {
                findings.extend(node.findings(reference, chain.safe_means));
            }
            for claimant in claimants.iter().filter(|claimant| claimant.chain_id == *chain_id) {
                findings.extend(claimant.findings());
            }
        }
        findings.extend(opinions);
        Ok(findings)
    }

    fn reference(&self, chain_id: ChainId, nodes: &[NodeAnswers]) -> Option<Reference> {
        let nodes = nodes.iter().filter(|node| node.chain_id == chain_id);
        let configs = nodes.map(|node| (&node.url, &node.config));
        Reference::of(chain_id, self.config.known_network(chain_id).as_ref(), configs)
    }

    async fn ask_nodes(&self, asking: &Asking) -> Result<Vec<NodeAnswers>, SourceError> {
        let mut questions = Vec::new();
        for (chain_id, chain) in &self.config.chains {
            for url in placed(chain.rollup_node.urls()) {
                let (set, network) = (self.config.dependency_set(), self.config.known_network(*chain_id));
                questions.push(ask_node(asking, *chain_id, url, set, network).boxed());
            }
        }
        stream::iter(questions).buffered(AT_ONCE).try_collect().await
    }

    async fn ask_claimants(&self, asking: &Asking) -> Result<Vec<ClaimantAnswers>, SourceError> {
        let mut questions = Vec::new();
        for (chain_id, chain) in &self.config.chains {
            questions
                .extend(placed(&chain.claimants).map(|url| ask_claimant(asking, *chain_id, url).boxed()));
        }
        stream::iter(questions).buffered(AT_ONCE).try_collect().await
    }

    async fn ask_clients(
        &self,
        asking: &Asking,
        references: &BTreeMap<ChainId, Reference>,
    ) -> Result<Vec<ClientAnswers>, SourceError> {
        let mut questions = Vec::new();
        for (chain_id, chain) in &self.config.chains {
            let subject = Subject {
                chain_id: *chain_id,
                genesis: references.get(chain_id).map(|known| known.l2.number),
                block_time: chain.block_time,
                window: self.config.interop.expiry_window(),
            };
            questions.extend(placed(&chain.execution).map(|url| ask_client(asking, subject, url).boxed()));
        }
        stream::iter(questions).buffered(AT_ONCE).try_collect().await
    }

    /// Asks those whose opinions are compared with ours.
    async fn ask_opinions(&self, asking: &Asking) -> Result<Vec<ProbeFinding>, SourceError> {
        let opinions = &self.config.opinions;
        let supernodes = placed(&opinions.supernodes).map(|url| ask_supernode(asking, url).boxed());
        let filters = self.config.chains.keys().next().into_iter().flat_map(|chain_id| {
            placed(&opinions.filters).map(|url| ask_filter(asking, *chain_id, url).boxed())
        });
        let questions: Vec<_> = supernodes.chain(filters).collect();
        let answers: Vec<_> = stream::iter(questions).buffered(AT_ONCE).try_collect().await?;
        let set = self.config.dependency_set();
        Ok(answers.iter().flat_map(|answers| answers.findings(&set)).collect())
    }

    async fn ask_l1(
        &self,
        asking: &Asking,
        references: &BTreeMap<ChainId, Reference>,
    ) -> Result<Vec<ProbeFinding>, SourceError> {
        let Some(url) = &self.config.l1.execution else { return Ok(Vec::new()) };
        // Nothing of a chain that is only monitored is checked against L1.
        let audited = || self.config.chains.iter().filter(|(_, chain)| !chain.is_monitored_only());
        let subject = |(chain_id, chain): (&ChainId, &ChainConfig)| L1Subject {
            chain_id: *chain_id,
            reference: references.get(chain_id).cloned(),
            signer: SignerSettings { system_config: chain.system_config, signer: chain.unsafe_block_signer },
        };
        let answers = ask_l1(asking, url, audited().map(subject).collect(), self.clock.as_ref()).await?;
        let least = |of: fn(&ChainConfig) -> u64| audited().map(|(_, chain)| of(chain)).min();
        let bounds = ClockBounds {
            future: least(|chain| chain.p2p.future.as_secs()).unwrap_or_default(),
            stall: least(|chain| chain.l1_stall.0.as_secs()).unwrap_or_default(),
        };
        Ok(answers.findings(bounds))
    }
}

/// Each of these with its place, if there are several.
fn placed(urls: &[EndpointUrl]) -> impl Iterator<Item = (Option<usize>, &EndpointUrl)> {
    let are_several = urls.len() > 1;
    urls.iter().enumerate().map(move |(place, url)| (are_several.then_some(place), url))
}
