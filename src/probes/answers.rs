//! What endpoints answered, and the findings that follow. Pure.

use super::ask_l1::L1Subject;
use super::finding::{Asked, Probe, ProbeFinding, ProbeVerdict};
use super::l1::ClockBounds;
use super::reference::Reference;
use super::services::Depth;
use super::{identity, l1, opinions, services};
use crate::audit::{RuleDifference, RulesError};
use crate::metrics::EndpointKind;
use crate::sources::{EndpointUrl, Method, SafeHeadAtL1, Served, Shortfall, SourceError};
use alloy::primitives::{Address, B256};
use crosscheck_core::consolidation::RollupConfig;
use crosscheck_core::heads::SafeMeans;
use crosscheck_core::validity::DependencySet;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::BTreeSet;
use std::time::Duration;

type Answer<T> = Result<T, SourceError>;

/// What a rollup node answered.
#[derive(Debug)]
pub(super) struct NodeAnswers {
    pub(super) chain_id: ChainId,
    /// Its place, if there are several.
    pub(super) place: Option<usize>,
    pub(super) url: EndpointUrl,
    pub(super) config: Answer<RollupConfig>,
    pub(super) rules: Result<Vec<RuleDifference>, RulesError>,
    pub(super) heads: Answer<Option<Shortfall>>,
    /// `None`: it names no L1 block to ask about.
    pub(super) safe_head: Option<Answer<SafeHeadAtL1>>,
    pub(super) safe_means: Answer<SafeMeans>,
    pub(super) methods: Vec<(&'static Method, Served)>,
    pub(super) version: Answer<String>,
}

impl NodeAnswers {
    /// The findings about it, checked against what its chain is known to be.
    pub(super) fn findings(
        &self,
        reference: Option<&Reference>,
        configured: Option<SafeMeans>,
    ) -> Vec<ProbeFinding> {
        let followed = self.config.as_ref().map(|config| config.chain_id).map_err(Clone::clone);
        let mut found = vec![(Probe::ChainId, identity::chain_id(self.chain_id, &followed))];
        if let (Ok(config), Some(reference)) = (&self.config, reference) {
            found.push((Probe::Genesis, identity::node_genesis(reference, config.genesis.l2)));
        }
        found.extend([
            (Probe::Rules, services::rules(&self.rules)),
            (Probe::Heads, services::heads(&self.heads)),
            (Probe::Methods, services::methods(&self.methods)),
            (Probe::SafeHeads, services::safe_heads(self.safe_head.as_ref())),
            (Probe::SafeMeans, services::safe_means(configured, &self.safe_means)),
            (Probe::Version, services::version(&self.version)),
        ]);
        of_endpoint(Some(self.chain_id), EndpointKind::RollupNode, self.place, &self.url, found)
    }
}

/// What a claimant answered.
#[derive(Debug)]
pub(super) struct ClaimantAnswers {
    pub(super) chain_id: ChainId,
    /// Its place, if there are several.
    pub(super) place: Option<usize>,
    pub(super) url: EndpointUrl,
    pub(super) served_chain: Answer<ChainId>,
    pub(super) heads: Answer<Option<Shortfall>>,
    pub(super) version: Answer<String>,
}

impl ClaimantAnswers {
    /// The findings about it.
    pub(super) fn findings(&self) -> Vec<ProbeFinding> {
        let found = vec![
            (Probe::ChainId, identity::chain_id(self.chain_id, &self.served_chain)),
            (Probe::Heads, services::heads(&self.heads)),
            (Probe::Version, services::version(&self.version)),
        ];
        of_endpoint(Some(self.chain_id), EndpointKind::Claimant, self.place, &self.url, found)
    }
}

/// What an execution client answered.
#[derive(Debug)]
pub(super) struct ClientAnswers {
    pub(super) chain_id: ChainId,
    /// Its place, if there are several.
    pub(super) place: Option<usize>,
    pub(super) url: EndpointUrl,
    pub(super) served_chain: Answer<ChainId>,
    /// `None`: no source says where the chain begins.
    pub(super) genesis: Option<Answer<Option<B256>>>,
    pub(super) depth: Answer<Depth>,
    pub(super) methods: Vec<(&'static Method, Served)>,
    pub(super) version: Answer<String>,
}

impl ClientAnswers {
    /// The findings about it, checked against what its chain is known to be.
    pub(super) fn findings(&self, reference: Option<&Reference>, window: Duration) -> Vec<ProbeFinding> {
        let mut found = vec![(Probe::ChainId, identity::chain_id(self.chain_id, &self.served_chain))];
        if let (Some(genesis), Some(Reference { by, l2, .. })) = (&self.genesis, reference) {
            found.push((Probe::Genesis, identity::genesis(*l2, by, genesis)));
        }
        found.extend([
            (Probe::Methods, services::methods(&self.methods)),
            (Probe::Receipts, services::receipts(window, &self.depth)),
            (Probe::Version, services::version(&self.version)),
        ]);
        of_endpoint(Some(self.chain_id), EndpointKind::Execution, self.place, &self.url, found)
    }
}

/// What L1's execution client answered.
#[derive(Debug)]
pub(super) struct L1Answers {
    pub(super) url: EndpointUrl,
    pub(super) served_chain: Answer<ChainId>,
    /// The time of its latest block.
    pub(super) latest: Answer<UnixSeconds>,
    /// The time by the clock when that was reported.
    pub(super) now: UnixSeconds,
    pub(super) chains: Vec<L1ChainAnswers>,
    pub(super) methods: Vec<(&'static Method, Served)>,
    pub(super) version: Answer<String>,
}

/// What it answered about a chain.
#[derive(Debug)]
pub(super) struct L1ChainAnswers {
    pub(super) subject: L1Subject,
    /// `None`: no source says where the chain begins.
    pub(super) genesis: Option<Answer<Option<B256>>>,
    /// The SystemConfig that was read. `None`: it is unknown.
    pub(super) contract: Option<Address>,
    pub(super) named: Option<Answer<Option<Address>>>,
}

impl L1Answers {
    /// The findings about it, checked against what the chains are known to be.
    pub(super) fn findings(&self, bounds: ClockBounds) -> Vec<ProbeFinding> {
        let chains: Vec<(ChainId, Option<Reference>)> = self
            .chains
            .iter()
            .map(|chain| (chain.subject.chain_id, chain.subject.reference.clone()))
            .collect();
        let found = vec![
            (Probe::ChainId, identity::l1_chain_id(&chains, &self.served_chain)),
            (Probe::Methods, services::methods(&self.methods)),
            (Probe::Clock, l1::clock(bounds, self.now, &self.latest)),
            (Probe::Version, services::version(&self.version)),
        ];
        let mut findings = of_endpoint(None, EndpointKind::L1, None, &self.url, found);
        for chain in &self.chains {
            let chain_id = Some(chain.subject.chain_id);
            findings.extend(of_endpoint(chain_id, EndpointKind::L1, None, &self.url, chain.judgements()));
        }
        findings
    }
}

impl L1ChainAnswers {
    fn judgements(&self) -> Vec<(Probe, ProbeVerdict)> {
        let mut found = Vec::new();
        let reference = self.subject.reference.as_ref();
        if let (Some(genesis), Some(Reference { by, l1, .. })) = (&self.genesis, reference) {
            found.push((Probe::Genesis, identity::genesis(*l1, by, genesis)));
        }
        let settings = self.subject.signer;
        if let (Some(configured), Some(reference)) = (settings.system_config, reference) {
            found.push((Probe::SystemConfig, l1::system_config(configured, reference)));
        }
        if let (Some(contract), Some(named)) = (self.contract, &self.named) {
            found.push((Probe::Signer, l1::signer(settings.signer, contract, named)));
        }
        found
    }
}

/// What an endpoint answered whose opinions are compared with ours.
#[derive(Debug)]
pub(super) struct OpinionAnswers {
    /// Its place, if there are several.
    pub(super) place: Option<usize>,
    pub(super) url: EndpointUrl,
    pub(super) of: OpinionOf,
    pub(super) methods: Vec<(&'static Method, Served)>,
}

/// What kind of endpoint that is, and what it says of its opinions.
#[derive(Debug)]
pub(super) enum OpinionOf {
    Supernode { runs: Answer<BTreeSet<ChainId>> },
    Filter { is_passthrough: Answer<bool> },
}

impl OpinionAnswers {
    /// The findings about it. `set`: the chains' rules as they are configured.
    pub(super) fn findings(&self, set: &DependencySet) -> Vec<ProbeFinding> {
        let (kind, opinion) = match &self.of {
            OpinionOf::Supernode { runs } => (EndpointKind::Supernode, opinions::supernode(set, runs)),
            OpinionOf::Filter { is_passthrough } => (EndpointKind::Filter, opinions::filter(is_passthrough)),
        };
        let found = vec![(Probe::Methods, services::methods(&self.methods)), (Probe::Opinion, opinion)];
        of_endpoint(None, kind, self.place, &self.url, found)
    }
}

/// Whether a chain's static peers could be dialled.
#[derive(Debug)]
pub(super) struct PeerAnswer {
    pub(super) chain_id: ChainId,
    /// How many there are.
    pub(super) peers: usize,
    /// Whether one was reached that subscribes to the chain's topics; or why that was not tried.
    pub(super) reached: Result<bool, String>,
}

impl PeerAnswer {
    /// The finding about them.
    pub(super) fn finding(&self) -> ProbeFinding {
        let judgement = services::peers(self.peers, self.reached.as_ref().copied());
        ProbeFinding { chain_id: Some(self.chain_id), asked: Asked::Peers, probe: Probe::Peers, judgement }
    }
}

fn of_endpoint(
    chain_id: Option<ChainId>,
    kind: EndpointKind,
    place: Option<usize>,
    url: &EndpointUrl,
    found: Vec<(Probe, ProbeVerdict)>,
) -> Vec<ProbeFinding> {
    let finding = |(probe, judgement)| {
        let asked = Asked::Endpoint { kind, place, url: url.clone() };
        ProbeFinding { chain_id, asked, probe, judgement }
    };
    found.into_iter().map(finding).collect()
}
