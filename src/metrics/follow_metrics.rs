//! What is measured of following: the heads that followers are served, and what keeps them where they are.

use super::Metrics;
use super::catalogue::Catalogue;
use crosscheck_p2p::ChainId;
use prometheus::IntGaugeVec;
use std::time::Duration;

#[derive(Debug)]
pub(super) struct FollowMetrics {
    heads: IntGaugeVec,
    held: IntGaugeVec,
    kept: IntGaugeVec,
    upstream_age: IntGaugeVec,
}

impl FollowMetrics {
    pub(super) fn new(catalogue: &mut Catalogue) -> Result<Self, prometheus::Error> {
        Ok(Self {
            heads: catalogue.gauge(
                "follow_head_number",
                "Height of a head that followers are served",
                &["chain_id", "level"],
            )?,
            held: catalogue.gauge(
                "follow_held",
                "Whether a violated or discarded block holds the served head",
                &["chain_id"],
            )?,
            kept: catalogue.gauge(
                "follow_kept_seconds",
                "For how long the served safe head has been kept for want of a next one, by the reason now; 0: it is current",
                &["chain_id", "reason"],
            )?,
            upstream_age: catalogue.gauge(
                "follow_upstream_age_seconds",
                "Age of the upstream's last answer",
                &["chain_id"],
            )?,
        })
    }
}

impl Metrics {
    /// The height of a head that followers are served.
    pub fn follow_head(&self, chain_id: ChainId, level: &'static str, number: u64) {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.0.of_following.heads.with_label_values(&[chain_id.to_string().as_str(), level]).set(number);
    }

    /// Whether a wrong block holds the served head.
    pub fn follow_held(&self, chain_id: ChainId, is_held: bool) {
        self.0.of_following.held.with_label_values(&[chain_id.to_string()]).set(i64::from(is_held));
    }

    /// For how long the served safe head has been kept, and why. `None`: it is current. `reasons`: all that there are.
    pub fn follow_kept(
        &self,
        chain_id: ChainId,
        reasons: &[&'static str],
        kept: Option<(&'static str, Duration)>,
    ) {
        let chain_id = chain_id.to_string();
        for reason in reasons {
            let now = kept.filter(|(name, _)| name == reason).map(|(_, kept_for)| kept_for.as_secs());
            let seconds = i64::try_from(now.unwrap_or_default()).unwrap_or(i64::MAX);
            self.0.of_following.kept.with_label_values(&[chain_id.as_str(), reason]).set(seconds);
        }
    }

    /// How old the last answer of a follower's upstream is.
    pub fn follow_upstream_age(&self, chain_id: ChainId, age: Duration) {
        let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        self.0.of_following.upstream_age.with_label_values(&[chain_id.to_string()]).set(seconds);
    }
}
