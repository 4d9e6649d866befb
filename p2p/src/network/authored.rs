//! [`Unauthored`]: gossipsub, and an event for each message that it drops before anybody sees it.
//!
//! Messages carry no author, sequence number or signature here, as in op-node. gossipsub drops one that does where it
//! reads it, and tells nobody but its log, without a name. So what its connections hand to it is checked on the way.
//! Never changes anything that gossipsub does.

use super::behaviour::Gossip;
use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    gossipsub::{self, TopicHash},
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

/// What gossipsub's connections hand to it.
type Handed = THandlerOutEvent<Gossip>;

/// How many dropped messages may wait to be reported. They are told of before the next is read; more come in one RPC only.
const MAX_WAITING: usize = 1_024;

/// What happens in gossip.
#[derive(Debug)]
pub(super) enum GossipEvent {
    /// What gossipsub tells.
    Told(gossipsub::Event),
    /// A message was dropped: it had an author, or could not be read.
    Dropped {
        /// Who sent it.
        source: PeerId,
        /// On which topic.
        topic: TopicHash,
        /// What was wrong with it.
        reason: gossipsub::ValidationError,
    },
}

/// gossipsub, watched.
pub(super) struct Unauthored {
    gossip: Gossip,
    dropped: VecDeque<GossipEvent>,
}

impl Unauthored {
    /// Watches gossipsub.
    pub(super) const fn new(gossip: Gossip) -> Self {
        Self { gossip, dropped: VecDeque::new() }
    }
}

impl Deref for Unauthored {
    type Target = Gossip;

    fn deref(&self) -> &Gossip {
        &self.gossip
    }
}

impl DerefMut for Unauthored {
    fn deref_mut(&mut self) -> &mut Gossip {
        &mut self.gossip
    }
}

impl NetworkBehaviour for Unauthored {
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
        if let Handed::Message { invalid_messages, .. } = &event {
            let room = MAX_WAITING.saturating_sub(self.dropped.len());
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
            None => self.gossip.poll(cx).map(|event| event.map_out(GossipEvent::Told)),
        }
    }
}
