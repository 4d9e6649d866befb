//! Clients of the configured endpoints: the execution clients, rollup nodes and L1, and what the investigator
//! that asks them is made of. It asks nothing itself, and starts no task.

use crate::audit::{AuditMetrics, JudgedChain, L1Judge};
use crate::config::{ChainConfig, Config};
use crate::metrics::EndpointKind;
use crate::sources::{
    BlockCache, EndpointNames, EndpointUrl, ExecutionClient, L1Client, L1Reader, RollupNodes, SourceError,
};
use crosscheck_core::case::CaseRules;
use crosscheck_core::proof::LogIndex;
use crosscheck_core::validity::DependencySet;
use crosscheck_p2p::ChainId;
use std::collections::BTreeMap;
use tracing::info;

/// The execution clients of the configured chains, which keep blocks, and proven logs in one index.
///
/// # Errors
/// If no HTTP client can be made for an endpoint.
pub fn execution_clients(
    config: &Config,
    index: &LogIndex,
) -> Result<BTreeMap<ChainId, ExecutionClient>, SourceError> {
    let (limits, blocks) = (config.sources.limits(), BlockCache::default());
    let client = |(chain_id, chain): (&ChainId, &ChainConfig)| {
        let client =
            ExecutionClient::new(*chain_id, &chain.execution, chain.quorum(), limits, index.clone())?;
        Ok((*chain_id, client.with_blocks(blocks.clone())))
    };
    config.chains.iter().map(client).collect()
}

/// The rollup nodes of the configured chains that have any.
///
/// # Errors
/// If no HTTP client can be made for an endpoint.
pub fn rollup_nodes(config: &Config) -> Result<BTreeMap<ChainId, RollupNodes>, SourceError> {
    let limits = config.sources.limits();
    let with_nodes = config.chains.iter().filter(|(_, chain)| !chain.is_monitored_only());
    let nodes = with_nodes.map(|(chain_id, chain)| {
        Ok((*chain_id, RollupNodes::new(*chain_id, chain.rollup_node.urls(), limits)?))
    });
    nodes.collect()
}

/// The reader of L1's canonical blocks, if an endpoint of L1 is configured.
///
/// # Errors
/// If no HTTP client can be made for it.
pub fn l1_reader(config: &Config) -> Result<Option<L1Reader>, SourceError> {
    let client = |url| L1Client::new(url, config.sources.limits());
    Ok(config.l1.execution.clone().map(client).transpose()?.map(L1Reader::new))
}

/// The kind of endpoint that another upstream of followers is.
pub(super) const FOLLOW_UPSTREAM: &str = "follow-upstream";

/// The endpoints whose opinions are asked for, each with its place among those of its kind.
pub(super) fn opinion_endpoints(
    config: &Config,
) -> impl Iterator<Item = (EndpointKind, usize, &EndpointUrl)> {
    let supernodes = placed(EndpointKind::Supernode, &config.opinions.supernodes);
    supernodes.chain(placed(EndpointKind::Filter, &config.opinions.filters))
}

fn placed(
    kind: EndpointKind,
    urls: &[EndpointUrl],
) -> impl Iterator<Item = (EndpointKind, usize, &EndpointUrl)> {
    urls.iter().enumerate().map(move |(place, url)| (kind, place, url))
}

/// What such an endpoint is called.
pub(super) fn opinion_name(kind: EndpointKind, place: usize) -> String {
    format!("{} #{place}", kind.name())
}

/// What the configured endpoints are called in answers.
pub(super) fn endpoint_names(config: &Config) -> EndpointNames {
    let chains = config.chains.iter().flat_map(|(chain_id, chain)| {
        let of = |kind: EndpointKind, urls| EndpointNames::of_chain(kind.name(), *chain_id, urls);
        let upstream = chain.follow_upstream.iter();
        of(EndpointKind::Execution, chain.execution.iter())
            .chain(of(EndpointKind::RollupNode, chain.rollup_node.urls().iter()))
            .chain(of(EndpointKind::Claimant, chain.claimants.iter()))
            .chain(EndpointNames::of_chain(FOLLOW_UPSTREAM, *chain_id, upstream))
    });
    let l1 = config.l1.execution.iter().map(|url| (EndpointKind::L1.name().to_owned(), url));
    let opinions = opinion_endpoints(config).map(|(kind, place, url)| (opinion_name(kind, place), url));
    EndpointNames::new(chains.chain(l1).chain(opinions))
}

/// The judge of these chains' blocks by L1, if that is configured and L1 has a reader.
///
/// # Errors
/// If a bundle that the settings name cannot be read.
pub fn l1_judge(
    config: &Config,
    set: &DependencySet,
    nodes: &BTreeMap<ChainId, RollupNodes>,
    reader: Option<&L1Reader>,
    metrics: &AuditMetrics,
) -> eyre::Result<Option<L1Judge>> {
    let Some(reader) = reader.filter(|_| config.deposits_from_l1().is_some()) else { return Ok(None) };
    let judged = nodes.iter().map(|(chain_id, nodes)| JudgedChain {
        chain_id: *chain_id,
        nodes: nodes.clone(),
        is_of_several: set.reachable_from(*chain_id).len() > 1,
    });
    let judged: Vec<JudgedChain> = judged.collect();
    let bundles = config.read_bundles()?;
    for bundle in bundles.iter() {
        info!(fork = bundle.fork, sha256 = %bundle.sha256, "upgrade bundle loaded");
    }
    Ok(Some(L1Judge::new(reader.clone(), judged, bundles, metrics.clone())))
}

/// The rules for cases of each configured chain.
pub fn case_rules(config: &Config, ask_l1: bool) -> BTreeMap<ChainId, CaseRules> {
    let rules = |chain: &ChainConfig| CaseRules { ask_l1, replacement: chain.replacement };
    config.chains.iter().map(|(chain_id, chain)| (*chain_id, rules(chain))).collect()
}
