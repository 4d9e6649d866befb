//! [`FollowMetrics`]: what is measured of following: the heads that followers are served, and what keeps them
//! where they are.

use super::FollowError;
use crate::metrics::Metrics;
use crosscheck_core::heads::SafetyLevel;
use crosscheck_p2p::ChainId;
use prometheus::IntGaugeVec;
use std::sync::Arc;
use std::time::Duration;

/// What is measured of following. Clones share it.
#[derive(Clone, Debug)]
pub struct FollowMetrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    heads: IntGaugeVec,
    held: IntGaugeVec,
    kept: IntGaugeVec,
    upstream_age: IntGaugeVec,
}

impl FollowMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// If another room has a metric of one of these names.
    pub fn register(metrics: &Metrics) -> Result<Self, prometheus::Error> {
        let inner = Inner {
            heads: metrics.gauge(
                "follow_head_number",
                "Height of a head that is served to followers",
                &["chain_id", "level"],
            )?,
            held: metrics.gauge(
                "follow_held",
                "Whether a violated or discarded block holds the served head",
                &["chain_id"],
            )?,
            kept: metrics.gauge(
                "follow_kept_seconds",
                "For how long the served safe head has not been current, by the present reason; 0 if it is current",
                &["chain_id", "reason"],
            )?,
            upstream_age: metrics.gauge(
                "follow_upstream_age_seconds",
                "Age of the upstream's last answer",
                &["chain_id"],
            )?,
        };
        Ok(Self(Arc::new(inner)))
    }

    /// The height of a head that followers are served.
    pub fn follow_head(&self, chain_id: ChainId, level: SafetyLevel, number: u64) {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.0.heads.with_label_values(&[chain_id.to_string().as_str(), level.name()]).set(number);
    }

    /// Whether an invalid block stops the served head.
    pub fn follow_held(&self, chain_id: ChainId, is_held: bool) {
        self.0.held.with_label_values(&[chain_id.to_string()]).set(i64::from(is_held));
    }

    /// For how long the served safe head has been kept, and why. `None`: it is current.
    pub fn follow_kept(&self, chain_id: ChainId, kept: Option<(&'static str, Duration)>) {
        let chain_id = chain_id.to_string();
        for reason in FollowError::NAMES {
            let now = kept.filter(|(name, _)| *name == reason).map(|(_, kept_for)| kept_for.as_secs());
            let seconds = i64::try_from(now.unwrap_or_default()).unwrap_or(i64::MAX);
            self.0.kept.with_label_values(&[chain_id.as_str(), reason]).set(seconds);
        }
    }

    /// How old the last answer of a follower's upstream is.
    pub fn follow_upstream_age(&self, chain_id: ChainId, age: Duration) {
        let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        self.0.upstream_age.with_label_values(&[chain_id.to_string()]).set(seconds);
    }
}
