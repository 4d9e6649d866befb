//! [`GossipMetrics`]: what is measured of gossip.

use super::refusal_watch::Gossip;
use crate::metrics::{Limit, Metrics, as_gauge};
use crosscheck_p2p::{ChainId, NetworkCounters, Reason, Topic};
use prometheus::{IntCounterVec, IntGaugeVec};
use std::sync::Arc;
use std::time::Duration;

/// What becomes of a frame.
const VERDICTS: [&str; 3] = ["accept", "ignore", "reject"];

/// What is measured of gossip. Clones share it.
#[derive(Clone, Debug)]
pub struct GossipMetrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Metrics,
    frames: IntCounterVec,
    refused: IntCounterVec,
    refused_in_a_row: IntGaugeVec,
    without_peer: IntGaugeVec,
    peers: IntGaugeVec,
    banned: IntCounterVec,
    served: IntCounterVec,
    filled: IntCounterVec,
}

impl GossipMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// If another room has a metric of one of these names.
    pub fn register(metrics: &Metrics) -> Result<Self, prometheus::Error> {
        let inner = Inner {
            shared: metrics.clone(),
            frames: metrics.counter(
                "gossip_frames_total",
                "Gossip frames judged, by topic and verdict",
                &["chain_id", "topic", "verdict"],
            )?,
            refused: metrics.counter(
                "gossip_refused_frames_total",
                "Gossip frames ignored or rejected, by topic and the rule that they broke",
                &["chain_id", "topic", "reason"],
            )?,
            refused_in_a_row: metrics.gauge(
                "gossip_refused_in_a_row",
                "Frames of unsafe blocks, or attestations, refused in a row for their signer or their form, without \
                 attestations from other peers",
                &["chain_id", "gossip"],
            )?,
            without_peer: metrics.gauge(
                "without_peer_seconds",
                "For how long no peer has been subscribed to the chain's topics; 0 while one is",
                &["chain_id"],
            )?,
            peers: metrics.gauge("peers", "Connected gossip peers", &["chain_id"])?,
            banned: metrics.counter(
                "peers_banned_total",
                "Gossip peers banned for their score",
                &["chain_id"],
            )?,
            served: metrics.counter(
                "gossip_blocks_served_total",
                "Blocks sent to peers that requested them by number",
                &["chain_id"],
            )?,
            filled: metrics.counter(
                "gossip_blocks_filled_total",
                "Blocks missing in gossip that were fetched from peers by number",
                &["chain_id"],
            )?,
        };
        let metrics = Self(Arc::new(inner));
        metrics.preset();
        Ok(metrics)
    }

    /// What several rooms count.
    pub(crate) fn shared(&self) -> &Metrics {
        &self.0.shared
    }

    /// Sets everything of a configured chain to 0.
    fn preset(&self) {
        let ids = self.0.shared.chain_ids();
        for id in &ids {
            self.0.peers.with_label_values(&[id]);
            self.0.without_peer.with_label_values(&[id]);
            for gossip in Gossip::ALL {
                self.0.refused_in_a_row.with_label_values(&[id.as_str(), gossip.name()]);
            }
            // Of the others there are too many to show before they are needed.
            for reason in Reason::CODES {
                let topic = Topic::CrossSafeBlocksV1.name();
                self.0.refused.with_label_values(&[id.as_str(), topic, reason]);
            }
            for counter in [&self.0.banned, &self.0.served, &self.0.filled] {
                counter.with_label_values(&[id]);
            }
            for (topic, verdict) in
                Topic::ALL.into_iter().flat_map(|topic| VERDICTS.map(|verdict| (topic, verdict)))
            {
                self.0.frames.with_label_values(&[id.as_str(), topic.name(), verdict]);
            }
        }
    }

    /// How many gossip peers are connected.
    pub fn peers(&self, chain_id: ChainId, peers: usize) {
        self.0.peers.with_label_values(&[chain_id.to_string()]).set(as_gauge(peers));
    }

    /// For how long a chain has had no peer.
    pub fn without_peer(&self, chain_id: ChainId, time: Duration) {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        self.0.without_peer.with_label_values(&[chain_id.to_string()]).set(seconds);
    }

    /// How many frames of a kind were refused in a row.
    pub fn refused_in_a_row(&self, chain_id: ChainId, gossip: &'static str, count: u64) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.0.refused_in_a_row.with_label_values(&[chain_id.to_string().as_str(), gossip]).set(count);
    }

    /// What a chain's network has counted since it was last asked.
    pub fn network_counted(&self, chain_id: ChainId, since: &NetworkCounters) {
        let (of, name) = (&self.0, chain_id.to_string());
        for topic in Topic::ALL {
            let counts = since.by_topic.of(topic);
            let counts = [counts.accepted, counts.ignored, counts.rejected];
            for (verdict, count) in VERDICTS.into_iter().zip(counts) {
                of.frames.with_label_values(&[name.as_str(), topic.name(), verdict]).inc_by(count);
            }
            for (reason, count) in since.refused.of(topic).iter() {
                of.refused.with_label_values(&[name.as_str(), topic.name(), reason]).inc_by(count);
            }
        }
        let id = [name.as_str()];
        of.banned.with_label_values(&id).inc_by(since.banned);
        of.served.with_label_values(&id).inc_by(since.served);
        of.filled.with_label_values(&id).inc_by(since.filled);
        self.0.shared.limits_reached(Limit::GossipQueue, since.queue_full);
        self.0.shared.limits_reached(Limit::GossipEvents, since.events_dropped);
        self.0.shared.limits_reached(Limit::GossipConnections, since.connections_refused);
        self.0.shared.limits_reached(Limit::GossipRequests, since.requests_refused);
    }
}
