//! [`ObservedGossip`]: gossipsub, and an event for each message that it drops while reading it.
//!
//! Messages carry no author, sequence number or signature here, as in op-node. gossipsub drops a message that
//! does, and only logs it, without the peer's id. So the events of its connection handlers are checked on
//! their way to it. Never changes what gossipsub does.

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    gossipsub::{self, MaxCountSubscriptionFilter, TopicHash, WhitelistSubscriptionFilter},
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm,
    },
};
use std::{
    collections::VecDeque,
    ops::{Deref, DerefMut},
    task::{Context, Poll},
};

/// gossipsub, with the topics of one chain allowed and no transform of its messages.
pub(super) type Gossip = gossipsub::Behaviour<
    gossipsub::IdentityTransform,
    MaxCountSubscriptionFilter<WhitelistSubscriptionFilter>,
>;

/// An event of gossipsub's connection handler.
type FromHandler = THandlerOutEvent<Gossip>;

/// How many dropped messages may wait to be reported. They are reported before the next RPC is read, so that
/// only one RPC can have more.
const MAX_DROPPED_EVENTS: usize = 1_024;

/// An event of gossip.
#[derive(Debug)]
pub(super) enum GossipEvent {
    /// An event of gossipsub.
    Gossipsub(gossipsub::Event),
    /// A message was dropped: it had an author, or could not be read.
    Dropped {
        /// Who sent it.
        source: PeerId,
        /// On which topic.
        topic: TopicHash,
        /// Why it was dropped.
        reason: gossipsub::ValidationError,
    },
}

/// gossipsub, with its dropped messages observed.
pub(super) struct ObservedGossip {
    gossip: Gossip,
    dropped: VecDeque<GossipEvent>,
}

impl ObservedGossip {
    /// Observes gossipsub.
    pub(super) const fn new(gossip: Gossip) -> Self {
        Self { gossip, dropped: VecDeque::new() }
    }
}

impl Deref for ObservedGossip {
    type Target = Gossip;

    fn deref(&self) -> &Gossip {
        &self.gossip
    }
}

impl DerefMut for ObservedGossip {
    fn deref_mut(&mut self) -> &mut Gossip {
        &mut self.gossip
    }
}

impl NetworkBehaviour for ObservedGossip {
    type ConnectionHandler = <Gossip as NetworkBehaviour>::ConnectionHandler;
    type ToSwarm = GossipEvent;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.gossip.handle_pending_inbound_connection(connection, local, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer_id: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.gossip.handle_established_inbound_connection(connection, peer_id, local, remote)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer_id: Option<PeerId>,
        addrs: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        self.gossip.handle_pending_outbound_connection(connection, peer_id, addrs, role)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer_id: PeerId,
        addr: &Multiaddr,
        role: Endpoint,
        port_use: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.gossip.handle_established_outbound_connection(connection, peer_id, addr, role, port_use)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.gossip.on_swarm_event(event);
    }

    fn on_connection_handler_event(
        &mut self,
        source: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        if let FromHandler::Message { invalid_messages, .. } = &event {
            let room = MAX_DROPPED_EVENTS.saturating_sub(self.dropped.len());
            let dropped = invalid_messages.iter().take(room).map(|(message, reason)| GossipEvent::Dropped {
                source,
                topic: message.topic.clone(),
                reason: *reason,
            });
            self.dropped.extend(dropped);
        }
        self.gossip.on_connection_handler_event(source, connection, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        match self.dropped.pop_front() {
            Some(event) => Poll::Ready(ToSwarm::GenerateEvent(event)),
            None => self.gossip.poll(cx).map(|event| event.map_out(GossipEvent::Gossipsub)),
        }
    }
}
