//! Asks one claimant what there is to find out about it. It judges nothing.

use super::answers::ClaimantAnswers;
use super::asking::Asking;
use crate::sources::{Endpoint, EndpointUrl, RollupNodes, SourceError};
use crosscheck_p2p::ChainId;

/// Asks the claimant at `url`, and at this place of a list of several.
///
/// # Errors
/// If no HTTP client can be made.
pub(super) async fn ask_claimant(
    asking: &Asking,
    chain_id: ChainId,
    (place, url): (Option<usize>, &EndpointUrl),
) -> Result<ClaimantAnswers, SourceError> {
    let endpoint = Endpoint::new(url.clone(), asking.limits)?;
    let nodes = RollupNodes::new(chain_id, std::slice::from_ref(url), asking.limits)?;
    let chain = async {
        let node = nodes.node(0).cloned();
        match node {
            Some(node) => node.rollup_config().await.map(|config| config.chain_id),
            None => Ok(chain_id),
        }
    };
    let heads = async { nodes.status_of(0).await.map(|answer| answer.shortfall) };
    let (served_chain, heads, version) = tokio::join!(
        asking.within(url, "optimism_rollupConfig", chain),
        asking.within(url, "optimism_syncStatus", heads),
        asking.within(url, "optimism_version", endpoint.node_version()),
    );
    Ok(ClaimantAnswers { chain_id, place, url: url.clone(), served_chain, heads, version })
}
