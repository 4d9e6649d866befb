//! Gossipsub's scoring parameters, as op-node sets them.
//!
//! A *slot* is the chain's block time, an *epoch* six slots. Topics are not scored unless that is asked for:
//! on this network scoring deliveries prunes honest peers, and op-node gave it up for that.

use libp2p::gossipsub::{PeerScoreParams, PeerScoreThresholds, TopicScoreParams};
use std::{
    collections::HashSet,
    net::{Ipv4Addr, Ipv6Addr},
    time::Duration,
};

/// What is less than this counts as nothing.
const DECAY_TO_ZERO: f64 = 0.01;
const SLOTS_PER_EPOCH: u32 = 6;
/// Without a block time to go by.
const DEFAULT_SLOT: Duration = Duration::from_secs(2);

/// The factor by which a counter shrinks each slot so that it is down to a hundredth after `slots`.
pub(in crate::network) fn decay_factor(slots: u32) -> f64 {
    DECAY_TO_ZERO.powf(1.0 / f64::from(slots.max(1)))
}

const fn epochs(count: u32) -> u32 {
    count.saturating_mul(SLOTS_PER_EPOCH)
}

fn slot(block_time: Duration) -> Duration {
    if block_time.is_zero() { DEFAULT_SLOT } else { block_time }
}

/// The peer parameters of a chain with this block time. A peer that shares the loopback address is on the
/// same machine: that is not a sign of Sybils.
pub(in crate::network) fn peer_score_params(block_time: Duration) -> PeerScoreParams {
    let slot = slot(block_time);
    PeerScoreParams {
        topics: std::collections::HashMap::new(),
        topic_score_cap: 34.0,
        app_specific_weight: 1.0,
        ip_colocation_factor_weight: -35.0,
        ip_colocation_factor_threshold: 10.0,
        ip_colocation_factor_whitelist: HashSet::from([
            Ipv4Addr::LOCALHOST.into(),
            Ipv6Addr::LOCALHOST.into(),
        ]),
        behaviour_penalty_weight: -16.0,
        behaviour_penalty_threshold: 6.0,
        behaviour_penalty_decay: decay_factor(epochs(10)),
        decay_interval: slot.max(Duration::from_secs(1)),
        decay_to_zero: DECAY_TO_ZERO,
        retain_score: slot.saturating_mul(epochs(100)),
        // rust-libp2p's own addition, which go-libp2p does not have: a slow peer is not penalised.
        slow_peer_weight: 0.0,
        slow_peer_threshold: 0.0,
        slow_peer_decay: decay_factor(epochs(10)),
    }
}

/// From which scores on a peer is gossiped with, published to, and listened to.
pub(in crate::network) const fn peer_score_thresholds() -> PeerScoreThresholds {
    PeerScoreThresholds {
        gossip_threshold: -10.0,
        publish_threshold: -40.0,
        graylist_threshold: -40.0,
        accept_px_threshold: 20.0,
        opportunistic_graft_threshold: 0.05,
    }
}

/// The parameters of a topic of blocks, for those who score topics: time in the mesh and first deliveries
/// count for a peer, invalid messages against it. Missing deliveries do not count: at one message a slot
/// chance decides who delivers.
pub(in crate::network) fn topic_score_params(block_time: Duration) -> TopicScoreParams {
    let slot = slot(block_time);
    let slots_per_hour = 3_600.0 / slot.as_secs_f64();
    TopicScoreParams {
        topic_weight: 0.8,
        time_in_mesh_weight: 10.0 / slots_per_hour,
        time_in_mesh_quantum: slot,
        time_in_mesh_cap: slots_per_hour,
        first_message_deliveries_weight: 1.0,
        first_message_deliveries_decay: decay_factor(epochs(20)),
        first_message_deliveries_cap: 23.0,
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        invalid_message_deliveries_weight: -140.4475,
        invalid_message_deliveries_decay: decay_factor(epochs(50)),
        ..TopicScoreParams::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// op-node's `ScoreDecay(duration, slot)` at two-second slots.
    #[rstest]
    #[case::ten_epochs(60, 0.926_118_728_128_794_9)]
    #[case::one_slot(1, 0.01)]
    #[case::two_slots(2, 0.1)]
    fn decay_is_op_nodes(#[case] slots: u32, #[case] factor: f64) {
        assert!((decay_factor(slots) - factor).abs() < 1e-12);
    }

    #[test]
    fn a_penalty_is_half_gone_after_eighteen_seconds() {
        let params = peer_score_params(Duration::from_secs(2));
        assert_eq!(params.decay_interval, Duration::from_secs(2));
        let left = params.behaviour_penalty_decay.powi(9);
        assert!((left - 0.5).abs() < 0.01, "{left}");
    }

    #[test]
    fn weights_and_thresholds_are_op_nodes() {
        let params = peer_score_params(Duration::from_secs(2));
        assert_eq!(
            (params.ip_colocation_factor_weight, params.ip_colocation_factor_threshold),
            (-35.0, 10.0)
        );
        assert_eq!((params.behaviour_penalty_weight, params.behaviour_penalty_threshold), (-16.0, 6.0));
        assert_eq!(params.retain_score, Duration::from_secs(1_200));
        assert!(params.topics.is_empty());
        let thresholds = peer_score_thresholds();
        assert_eq!((thresholds.gossip_threshold, thresholds.graylist_threshold), (-10.0, -40.0));
    }

    #[rstest]
    fn libp2p_accepts_the_parameters(#[values(0, 1, 2, 12)] block_time: u64) {
        let block_time = Duration::from_secs(block_time);
        assert_eq!(peer_score_params(block_time).validate(), Ok(()));
        assert_eq!(topic_score_params(block_time).validate(), Ok(()));
        assert_eq!(peer_score_thresholds().validate(), Ok(()));
    }
}
