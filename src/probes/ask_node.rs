//! Asks one rollup node what there is to find out about it. It judges nothing.

use super::answers::NodeAnswers;
use super::asking::Asking;
use crate::audit::{OriginWitnesses, RulesAsker};
use crate::metrics::EndpointKind;
use crate::networks::KnownNetwork;
use crate::sources::{Endpoint, EndpointUrl, RollupNode, RollupNodes, SourceError};
use alloy::primitives::B256;
use crosscheck_core::validity::DependencySet;
use crosscheck_p2p::ChainId;

/// Asks the rollup node at `url`, and at this place of a list of several. `set`: the chains' rules as they
/// are configured, for this node alone.
///
/// # Errors
/// If no HTTP client can be made.
pub(super) async fn ask_node(
    asking: &Asking,
    chain_id: ChainId,
    (place, url): (Option<usize>, &EndpointUrl),
    set: DependencySet,
    network: Option<KnownNetwork>,
) -> Result<NodeAnswers, SourceError> {
    let endpoint = Endpoint::new(url.clone(), asking.limits)?;
    let node = RollupNode::new(url.clone(), asking.limits)?;
    let nodes = RollupNodes::new(chain_id, std::slice::from_ref(url), asking.limits)?;
    // Other endpoints are asked for themselves, and the SystemConfig has a probe of its own.
    let (witnesses, system_config) = (OriginWitnesses::default(), None);
    let rules =
        RulesAsker { chain_id, nodes: nodes.clone(), set, network, system_config, witnesses, ledger: None };
    let heads = async {
        let answer = asking.within(url, "optimism_syncStatus", nodes.status_of(0)).await?;
        let l1 = answer.document.current_l1().map(|l1| l1.number);
        Ok((answer.shortfall, l1))
    };
    let heads_and_record = async {
        let heads = heads.await;
        let l1 = heads.as_ref().ok().and_then(|(_, l1)| *l1);
        let record = match l1 {
            Some(l1) => {
                Some(asking.within(url, "optimism_safeHeadAtL1Block", node.safe_head_at_l1(l1)).await)
            }
            None => None,
        };
        (heads.map(|(shortfall, _)| shortfall), record)
    };
    let ((heads, safe_head), config, rules, safe_means, methods, version) = tokio::join!(
        heads_and_record,
        asking.within(url, "optimism_rollupConfig", node.rollup_config()),
        asking.within(url, "optimism_rollupConfig", rules.ask()),
        asking.within(url, "supernode_syncStatus", node.safe_means(chain_id)),
        asking.methods(&endpoint, EndpointKind::RollupNode, B256::ZERO),
        asking.within(url, "optimism_version", endpoint.node_version()),
    );
    Ok(NodeAnswers {
        chain_id,
        place,
        url: url.clone(),
        config,
        rules,
        heads,
        safe_head,
        safe_means,
        methods,
        version,
    })
}
