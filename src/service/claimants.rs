//! Starts the watchers of the claimants.

use super::Shared;
use crate::audit::{ClaimantWatcher, ClaimantWatcherParts};
use crate::config::{ChainConfig, Config};
use crate::metrics::EndpointKind;
use crate::sources::{RollupNode, SourceError, claimant_name};
use crate::tasks::TaskGroup;
use crosscheck_p2p::ChainId;

/// Starts a watcher for each claimant of a chain.
///
/// # Errors
/// If no HTTP client can be made for one.
pub(super) fn start(
    tasks: &mut TaskGroup,
    config: &Config,
    shared: &Shared,
    chain_id: ChainId,
    chain: &ChainConfig,
) -> Result<(), SourceError> {
    for (place, url) in chain.claimants.iter().enumerate() {
        let name = claimant_name(EndpointKind::Claimant.name(), place, chain_id, url);
        let watcher = ClaimantWatcher::new(ClaimantWatcherParts {
            chain_id,
            name: name.clone(),
            node: RollupNode::new(url.clone(), config.sources.limits())?,
            interval: config.sources.poll_interval.0,
            auditor: shared.auditor.clone(),
            health: shared.health.clone(),
            metrics: shared.metrics.audit.clone(),
        });
        shared.health.expect(&watcher.part());
        tasks.spawn(name, watcher.run(tasks.cancellation().clone()));
    }
    Ok(())
}
