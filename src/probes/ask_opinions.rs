//! Asks one endpoint whose opinions are compared with ours what there is to find out about it. It judges
//! nothing.

use super::answers::{OpinionAnswers, OpinionOf};
use super::asking::Asking;
use crate::metrics::EndpointKind;
use crate::sources::{Endpoint, EndpointUrl, InteropFilter, SourceError, Supernode};
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;

/// Asks the op-supernode at `url`, and at this place of a list of several.
///
/// # Errors
/// If no HTTP client can be made.
pub(super) async fn ask_supernode(
    asking: &Asking,
    (place, url): (Option<usize>, &EndpointUrl),
) -> Result<OpinionAnswers, SourceError> {
    let endpoint = Endpoint::new(url.clone(), asking.limits)?;
    let supernode = Supernode::new(url.clone(), asking.limits)?;
    let (runs, methods) = tokio::join!(
        asking.within(url, "supernode_syncStatus", supernode.chain_ids()),
        asking.methods(&endpoint, EndpointKind::Supernode, B256::ZERO),
    );
    Ok(OpinionAnswers { place, url: url.clone(), of: OpinionOf::Supernode { runs }, methods })
}

/// Asks the interop filter at `url`, and at this place of a list of several. `chain_id`: a chain that it
/// should watch.
///
/// # Errors
/// If no HTTP client can be made.
pub(super) async fn ask_filter(
    asking: &Asking,
    chain_id: ChainId,
    (place, url): (Option<usize>, &EndpointUrl),
) -> Result<OpinionAnswers, SourceError> {
    let endpoint = Endpoint::new(url.clone(), asking.limits)?;
    let filter = InteropFilter::new(url.clone(), asking.limits)?;
    let (is_passthrough, methods) = tokio::join!(
        asking.within(url, "interop_checkAccessList", filter.is_passthrough(chain_id)),
        asking.methods(&endpoint, EndpointKind::Filter, B256::ZERO),
    );
    Ok(OpinionAnswers { place, url: url.clone(), of: OpinionOf::Filter { is_passthrough }, methods })
}
