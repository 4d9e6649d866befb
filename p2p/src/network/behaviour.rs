//! [`Behaviour`]: the libp2p protocols that the node speaks, with op-node's gossipsub parameters.
//!
//! Messages carry no author, sequence number or signature, and ones that do are dropped: StrictNoSign peers
//! would drop them too, and blame anyone who passed them on.

use super::{
    NetworkConfig,
    gating::GaterBehaviour,
    message_id_cache::MessageIdCache,
    observed_gossip::{Gossip, ObservedGossip},
    scoring::{peer_score_params, peer_score_thresholds, topic_score_params},
    sync::{SyncProtocol, sync_behaviour},
};
use crate::{ChainId, MAX_FRAME_BYTES, Topic};
use libp2p::{
    gossipsub::{
        self, ConfigBuilder, IdentTopic, MaxCountSubscriptionFilter, MessageAuthenticity, MessageId,
        TopicHash, ValidationMode, WhitelistSubscriptionFilter,
    },
    identify,
    identity::Keypair,
    ping,
    swarm::NetworkBehaviour,
};
use std::time::Duration;

/// go-libp2p sends up to 5,000 ids of 20 bytes in one IHAVE, per topic: 22 bytes each on the wire, and all
/// five topics may ride in one RPC.
const MAX_CONTROL_BYTES: usize = 640 * 1024;
/// Outbound messages that may wait for one peer.
const PEER_QUEUE: usize = 512;
/// How long one may wait. libp2p's own second loses a block for every peer behind a node that is busy for
/// that long; a peer that reads nothing for longer loses no more than it would anyway.
const PEER_QUEUE_TIME: Duration = Duration::from_secs(30);
/// What a peer may subscribe to in all, and change at once: op-node knows four topics, we one more.
const MAX_SUBSCRIPTIONS: usize = 16;

/// The version of the protocols that other nodes get.
pub(super) const PROTOCOL_VERSION: &str = "opstack/0";

/// The protocols.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    /// First: what it refuses, no other protocol hears of.
    pub(super) gater: GaterBehaviour,
    pub(super) gossip: ObservedGossip,
    pub(super) identify: identify::Behaviour,
    pub(super) ping: ping::Behaviour,
    pub(super) sync: SyncProtocol,
}

impl Behaviour {
    /// The protocols of a chain's node, subscribed to nothing yet.
    pub(super) fn new(config: &NetworkConfig, key: &Keypair, gater: GaterBehaviour) -> Result<Self, String> {
        let identify = identify::Config::new(PROTOCOL_VERSION.to_owned(), key.public())
            .with_agent_version(config.agent.clone())
            .with_cache_size(0);
        Ok(Self {
            gater,
            gossip: ObservedGossip::new(gossip(config)?),
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::default(),
            sync: sync_behaviour(config.chain_id),
        })
    }
}

/// The hash that gossipsub knows a topic by.
pub(super) fn topic_hash(topic: Topic, chain_id: ChainId) -> TopicHash {
    IdentTopic::new(topic.path(chain_id)).hash()
}

fn gossip(config: &NetworkConfig) -> Result<Gossip, String> {
    let topics = Topic::ALL.map(|topic| topic_hash(topic, config.chain_id));
    let filter = MaxCountSubscriptionFilter {
        filter: WhitelistSubscriptionFilter(topics.iter().cloned().collect()),
        max_subscribed_topics: MAX_SUBSCRIPTIONS,
        max_subscriptions_per_request: MAX_SUBSCRIPTIONS,
    };
    let built = gossip_config().map_err(|error| error.to_string())?;
    let mut gossip = Gossip::new_with_subscription_filter(MessageAuthenticity::Anonymous, built, filter)?;
    let mut params = peer_score_params(config.block_time);
    if config.topic_scoring {
        params.topics = topics.map(|topic| (topic, topic_score_params(config.block_time))).into();
    }
    gossip.with_peer_score(params, peer_score_thresholds())?;
    Ok(gossip)
}

fn gossip_config() -> Result<gossipsub::Config, gossipsub::ConfigBuilderError> {
    let ids = MessageIdCache::new();
    ConfigBuilder::default()
        .mesh_n(8)
        .mesh_n_low(6)
        .mesh_n_high(12)
        .gossip_lazy(6)
        .heartbeat_initial_delay(Duration::from_millis(100))
        .heartbeat_interval(Duration::from_millis(500))
        .fanout_ttl(Duration::from_secs(24))
        .history_length(12)
        .history_gossip(3)
        .duplicate_cache_time(Duration::from_secs(65))
        .flood_publish(false)
        .validate_messages()
        .validation_mode(ValidationMode::Anonymous)
        .max_transmit_size(MAX_FRAME_BYTES)
        .max_control_message_size(MAX_CONTROL_BYTES)
        .connection_handler_queue_len(PEER_QUEUE)
        .publish_queue_duration(PEER_QUEUE_TIME)
        .forward_queue_duration(PEER_QUEUE_TIME)
        .message_id_fn(move |message| {
            MessageId::from(ids.of(message.topic.as_str(), &message.data).as_bytes().as_slice())
        })
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_op_nodes() {
        let config = gossip_config().unwrap();
        assert_eq!((config.mesh_n_low(), config.mesh_n(), config.mesh_n_high()), (6, 8, 12));
        assert_eq!((config.gossip_lazy(), config.history_length(), config.history_gossip()), (6, 12, 3));
        assert_eq!(config.heartbeat_interval(), Duration::from_millis(500));
        assert_eq!(config.duplicate_cache_time(), Duration::from_millis(130 * 500));
        assert_eq!(config.fanout_ttl(), Duration::from_secs(24));
        assert_eq!(config.max_transmit_size(), 10 * 1024 * 1024);
        let waits = [config.publish_queue_duration(), config.forward_queue_duration()];
        assert_eq!(waits, [Duration::from_secs(30); 2]);
        assert!(config.validate_messages() && !config.flood_publish() && !config.do_px());
    }
}
