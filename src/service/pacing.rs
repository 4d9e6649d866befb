//! Which endpoints are watched for being slow: those that the program works with.

use super::Shared;
use crate::metrics::EndpointKind;
use crate::slow_endpoints::{SlowEndpoints, WatchedEndpoint};
use crate::sources::EndpointPace;
use crate::tasks::TaskGroup;

/// Starts who reports slow endpoints.
pub(super) fn start(tasks: &mut TaskGroup, shared: &Shared) {
    let mut endpoints = Vec::new();
    let mut watch = |kind, chain_id, place, pace: &EndpointPace| {
        pace.counted_in(shared.metrics.endpoints.endpoint_seconds(kind, chain_id, place));
        endpoints.push(WatchedEndpoint { kind, chain_id, place, pace: pace.clone() });
    };
    if let Some(l1) = &shared.l1 {
        watch(EndpointKind::L1, None, 0, l1.client().pace());
    }
    for (chain_id, client) in &shared.clients {
        for (place, pace) in client.paces().enumerate() {
            watch(EndpointKind::Execution, Some(*chain_id), place, pace);
        }
    }
    for (chain_id, nodes) in &shared.nodes {
        for (place, pace) in nodes.paces().enumerate() {
            watch(EndpointKind::RollupNode, Some(*chain_id), place, pace);
        }
    }
    let slow = SlowEndpoints::new(endpoints, shared.health.clone(), shared.metrics.endpoints.clone());
    tasks.spawn("slow endpoints", slow.run(tasks.cancellation().clone()));
}
