//! Starts the tasks that ask for second opinions.

use super::Shared;
use super::sources::{endpoint_names, opinion_endpoints, opinion_name};
use crate::config::Config;
use crate::metrics::EndpointKind;
use crate::opinions::{FilterWatcher, OpinionEndpoint, SupernodeWatcher};
use crate::rpc::OwnAnswers;
use crate::shared_tracker::SharedTracker;
use crate::sources::{InteropFilter, SourceError, Supernode};
use crate::tasks::TaskGroup;
use std::sync::Arc;

/// Starts a watcher for each endpoint whose opinions are asked for.
///
/// # Errors
/// If no HTTP client can be made for one.
pub(super) fn start(
    tasks: &mut TaskGroup,
    config: &Config,
    shared: &Shared,
    tracker: &SharedTracker,
    own: &OwnAnswers,
) -> Result<(), SourceError> {
    let limits = config.sources.limits();
    for (kind, place, url) in opinion_endpoints(config) {
        let name = opinion_name(kind, place);
        let endpoint = OpinionEndpoint {
            kind,
            place,
            name: name.clone(),
            interval: config.opinions.interval.0,
            ledger: shared.ledger.clone(),
            clock: Arc::clone(&shared.clock),
            names: endpoint_names(config),
            metrics: shared.metrics.opinions.clone(),
        };
        let (own, cancel) = (own.clone(), tasks.cancellation().clone());
        if kind == EndpointKind::Supernode {
            let supernode = Supernode::new(url.clone(), limits)?;
            tasks.spawn(name, SupernodeWatcher::new(supernode, own, endpoint).run(cancel));
        } else {
            let filter = InteropFilter::new(url.clone(), limits)?;
            let watcher = FilterWatcher::new(filter, own, tracker.clone(), endpoint);
            tasks.spawn(name, watcher.run(cancel));
        }
    }
    Ok(())
}
