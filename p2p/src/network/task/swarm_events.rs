//! How the network task handles the events of the swarm and the reports of the judges.

use super::Network;
use crate::{
    Topic,
    network::{
        ConnectionRefusal, Direction, NetworkEvent,
        behaviour::{BehaviourEvent, topic_hash},
        judge::{PendingFrame, ValidationReport},
        observed_gossip::GossipEvent,
        scoring::PeerAction,
    },
};
use libp2p::{
    Multiaddr, PeerId,
    core::ConnectedPoint,
    gossipsub, identify, ping,
    swarm::{ConnectionDenied, DialError, ListenError, SwarmEvent},
};
use std::time::Instant;

impl Network {
    #[allow(clippy::wildcard_enum_match_arm)] // libp2p's event is non-exhaustive
    pub(super) fn on_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            SwarmEvent::ConnectionEstablished { peer_id, endpoint, num_established, .. } => {
                self.on_connected(peer_id, &endpoint, num_established.get());
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => self.on_closed(peer_id),
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer_id), error, .. } => {
                self.on_dial_failure(peer_id, &error);
            }
            SwarmEvent::IncomingConnectionError { error: ListenError::Denied { cause }, .. } => {
                self.on_denied(cause);
            }
            SwarmEvent::NewListenAddr { address, .. } => self.on_listening(address),
            SwarmEvent::ExpiredListenAddr { address, .. } => self.on_listener_expired(&address),
            SwarmEvent::ListenerError { error, .. } => tracing::debug!(%error, "listener error"),
            SwarmEvent::ListenerClosed { reason: Err(error), .. } => {
                tracing::warn!(%error, "listener closed");
            }
            other => tracing::trace!(event = ?other, "swarm"),
        }
    }

    #[allow(clippy::wildcard_enum_match_arm)] // libp2p's events are non-exhaustive
    fn on_behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Gossip(GossipEvent::Gossipsub(gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            })) => {
                self.on_message(propagation_source, message_id, message);
            }
            BehaviourEvent::Gossip(GossipEvent::Gossipsub(gossipsub::Event::SlowPeer {
                peer_id, ..
            })) => {
                self.on_overflow(peer_id);
            }
            BehaviourEvent::Gossip(GossipEvent::Gossipsub(
                gossipsub::Event::Subscribed { .. } | gossipsub::Event::Unsubscribed { .. },
            )) => self.update_subscriber_count(),
            BehaviourEvent::Gossip(GossipEvent::Dropped { source, topic, reason }) => {
                self.on_dropped(source, &topic, &reason);
            }
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                self.book.identified(peer_id, &info, self.clock.now());
            }
            BehaviourEvent::Ping(ping::Event { peer, result: Ok(round_trip), .. }) => {
                self.book.pinged(&peer, round_trip);
            }
            BehaviourEvent::Sync(event) => self.on_sync(event),
            other => tracing::trace!(event = ?other, "protocol"),
        }
    }

    pub(super) fn on_report(&mut self, report: ValidationReport) {
        let ValidationReport { id, source, acceptance, action, block } = report;
        if let Some(action) = action {
            self.record_action(source, action);
        }
        if let Some(block) = block {
            self.store_block(&block);
        }
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        if !gossip.report_message_validation_result(&id, &source, acceptance) {
            tracing::debug!(%id, ?acceptance, "verdict came too late; message left the cache");
        }
    }

    pub(super) fn record_action(&mut self, peer_id: PeerId, action: PeerAction) {
        if !self.verdict_scoring {
            return;
        }
        let before = self.scores.score(&peer_id);
        let score = self.scores.record(peer_id, action);
        let behaviour = self.swarm.behaviour_mut();
        behaviour.gossip.set_application_score(&peer_id, score);
        let ban_below = behaviour.gater.gater().ban_below();
        // At once: below the graylist threshold the peer's messages are dropped, and its score would recover
        // by itself.
        if score < ban_below && before >= ban_below {
            self.review_peers();
        }
    }

    fn on_message(&mut self, source: PeerId, id: gossipsub::MessageId, message: gossipsub::Message) {
        let topic = self.topic_of(&message.topic);
        let pending = PendingFrame {
            id,
            source,
            frame: message.data.into(),
            at: Instant::now(),
            arrived: self.clock.now(),
        };
        let refused = match topic.and_then(|topic| self.queues.get(&topic)) {
            Some(queue) => queue.push(pending),
            None => Err(Box::new(pending)),
        };
        if let Err(pending) = refused {
            self.events.counters().queue_full.increment();
            tracing::debug!(topic = %message.topic, id = %pending.id, "judge queue is full; frame ignored");
            self.on_report(ValidationReport::unjudged(pending.id, source));
        }
    }

    /// A message had an author, or could not be read. A peer that follows the rules neither sends nor
    /// forwards such a message.
    fn on_dropped(
        &mut self,
        source: PeerId,
        topic: &gossipsub::TopicHash,
        reason: &gossipsub::ValidationError,
    ) {
        tracing::debug!(%topic, from = %source, %reason, "message is not gossip of this network; dropped");
        if let Some(topic) = self.topic_of(topic) {
            self.events.counters().on(topic).rejected.increment();
        }
        self.record_action(source, PeerAction::InvalidFrame);
    }

    fn topic_of(&self, hash: &gossipsub::TopicHash) -> Option<Topic> {
        Topic::ALL.into_iter().find(|topic| topic_hash(*topic, self.chain_id) == *hash)
    }

    fn on_connected(&mut self, peer_id: PeerId, endpoint: &ConnectedPoint, connections: u32) {
        self.static_peers.connected(&peer_id, Instant::now());
        self.pending_connects.connected(&peer_id);
        if connections != 1 {
            return;
        }
        let addr = endpoint.get_remote_address().clone();
        let direction = if endpoint.is_dialer() { Direction::Outbound } else { Direction::Inbound };
        tracing::debug!(chain_id = %self.chain_id, %peer_id, %addr, ?direction, "peer connected");
        self.book.connected(peer_id, addr.clone(), direction, self.clock.now());
        // A peer keeps its score when it reconnects.
        let score = self.scores.score(&peer_id);
        self.swarm.behaviour_mut().gossip.set_application_score(&peer_id, score);
        self.events.offer(NetworkEvent::PeerConnected { peer_id, addr });
    }

    /// A peer's queue of outbound messages was full. A peer that never reads is disconnected: its queue uses
    /// memory.
    fn on_overflow(&mut self, peer_id: PeerId) {
        if self.stalled.overflowed(peer_id, Instant::now()) {
            tracing::debug!(chain_id = %self.chain_id, %peer_id, "peer reads nothing; disconnected");
            // A peer that has disconnected already needs nothing.
            let _disconnected = self.swarm.disconnect_peer_id(peer_id);
        }
    }

    fn on_closed(&mut self, peer_id: PeerId) {
        tracing::debug!(chain_id = %self.chain_id, %peer_id, "peer disconnected");
        self.stalled.disconnected(&peer_id);
        self.book.disconnected(&peer_id, self.clock.now());
        self.static_peers.lost(&peer_id, Instant::now());
        self.update_subscriber_count();
        self.events.offer(NetworkEvent::PeerDisconnected { peer_id });
    }

    fn on_dial_failure(&mut self, peer_id: PeerId, error: &DialError) {
        tracing::debug!(chain_id = %self.chain_id, %peer_id, %error, "peer not reached");
        self.pending_connects.failed(&peer_id, error);
        self.on_unreached(&peer_id);
    }

    fn on_denied(&self, cause: ConnectionDenied) {
        let Ok(refusal) = cause.downcast::<ConnectionRefusal>() else { return };
        tracing::debug!(chain_id = %self.chain_id, %refusal, "connection refused");
        if refusal.is_limit_reached() {
            self.events.counters().connections_refused.increment();
        }
    }

    fn on_listening(&self, addr: Multiaddr) {
        let addr = addr.with_p2p(*self.swarm.local_peer_id()).unwrap_or_else(|addr| addr);
        tracing::info!(chain_id = %self.chain_id, %addr, "listening");
        self.listening.send_modify(|addrs| addrs.get_or_insert_default().push(addr));
    }

    fn on_listener_expired(&self, addr: &Multiaddr) {
        let expired = addr.clone().with_p2p(*self.swarm.local_peer_id()).unwrap_or_else(|addr| addr);
        self.listening.send_modify(|addrs| addrs.get_or_insert_default().retain(|addr| *addr != expired));
    }
}
