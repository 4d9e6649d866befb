//! [`MonitorMetrics`]: what is measured of the monitor: messages, suspects, and reading the chains.

use super::message_metrics::MessageMetrics;
use super::reading_metrics::ReadingMetrics;
use super::suspect_metrics::SuspectMetrics;
use crate::metrics::Metrics;

/// What is measured of the monitor. Clones share it.
#[derive(Clone, Debug)]
pub struct MonitorMetrics {
    /// What several rooms count.
    pub(crate) shared: Metrics,
    /// Tracked messages.
    pub(crate) messages: MessageMetrics,
    /// Reading the chains.
    pub(crate) reading: ReadingMetrics,
    /// Suspects.
    pub(crate) suspects: SuspectMetrics,
}

impl MonitorMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// If another room has a metric of one of these names.
    pub fn register(metrics: &Metrics) -> Result<Self, prometheus::Error> {
        Ok(Self {
            shared: metrics.clone(),
            messages: MessageMetrics::register(metrics)?,
            reading: ReadingMetrics::register(metrics)?,
            suspects: SuspectMetrics::register(metrics)?,
        })
    }
}
