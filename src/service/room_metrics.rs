//! [`RoomMetrics`]: everything that the program measures, registered once.

use crate::audit::AuditMetrics;
use crate::follow::FollowMetrics;
use crate::gossip::GossipMetrics;
use crate::metrics::Metrics;
use crate::monitor::MonitorMetrics;
use crate::opinions::OpinionMetrics;
use crate::rpc::RpcMetrics;
use crate::slow_endpoints::EndpointMetrics;
use crate::unresolved::UnresolvedMetrics;
use crate::web::ProcessMetrics;
use crosscheck_core::validity::DependencySet;

/// What each room measures. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct RoomMetrics {
    pub(crate) shared: Metrics,
    pub(crate) audit: AuditMetrics,
    pub(crate) endpoints: EndpointMetrics,
    pub(crate) follow: FollowMetrics,
    pub(crate) gossip: GossipMetrics,
    pub(crate) monitor: MonitorMetrics,
    pub(crate) opinions: OpinionMetrics,
    pub(crate) process: ProcessMetrics,
    pub(crate) rpc: RpcMetrics,
    pub(crate) unresolved: UnresolvedMetrics,
}

impl RoomMetrics {
    /// Metrics of a superchain.
    ///
    /// # Errors
    /// If two metrics have one name: a mistake in the program.
    pub(crate) fn register(set: DependencySet) -> Result<Self, prometheus::Error> {
        let shared = Metrics::new(set)?;
        Ok(Self {
            audit: AuditMetrics::register(&shared)?,
            endpoints: EndpointMetrics::register(&shared)?,
            follow: FollowMetrics::register(&shared)?,
            gossip: GossipMetrics::register(&shared)?,
            monitor: MonitorMetrics::register(&shared)?,
            opinions: OpinionMetrics::register(&shared)?,
            process: ProcessMetrics::register(&shared)?,
            rpc: RpcMetrics::register(&shared)?,
            unresolved: UnresolvedMetrics::register(&shared)?,
            shared,
        })
    }
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
