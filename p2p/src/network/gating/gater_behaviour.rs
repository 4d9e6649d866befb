//! [`GaterBehaviour`]: the gater as a libp2p behaviour: it is asked about every connection.
//!
//! Speaks no protocol. Addresses that are names are checked once they are resolved and connected to.

use super::ConnectionGater;
use crate::Clock;
use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        CloseConnection, ConnectionClosed, ConnectionDenied, ConnectionId, DialFailure, FromSwarm,
        ListenFailure, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
        behaviour::ConnectionEstablished, dummy,
    },
};
use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

/// The gater as a part of the swarm.
#[derive(Debug)]
pub(in crate::network) struct GaterBehaviour {
    gater: ConnectionGater,
    clock: Arc<dyn Clock>,
}

impl GaterBehaviour {
    /// A gater that reads this clock.
    pub(in crate::network) const fn new(gater: ConnectionGater, clock: Arc<dyn Clock>) -> Self {
        Self { gater, clock }
    }

    /// The gater.
    pub(in crate::network) const fn gater(&self) -> &ConnectionGater {
        &self.gater
    }

    /// The gater, to be changed.
    pub(in crate::network) const fn gater_mut(&mut self) -> &mut ConnectionGater {
        &mut self.gater
    }
}

impl NetworkBehaviour for GaterBehaviour {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.gater.accept(connection, remote).map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer_id: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let remote = (remote, Endpoint::Listener);
        let established = self.gater.establish(connection, peer_id, remote, self.clock.now());
        established.map(|()| dummy::ConnectionHandler).map_err(ConnectionDenied::new)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer_id: Option<PeerId>,
        addrs: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        let dialled = self.gater.dial(connection, peer_id, addrs, self.clock.now());
        dialled.map(|()| Vec::new()).map_err(ConnectionDenied::new)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer_id: PeerId,
        remote: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let remote = (remote, Endpoint::Dialer);
        let established = self.gater.establish(connection, peer_id, remote, self.clock.now());
        established.map(|()| dummy::ConnectionHandler).map_err(ConnectionDenied::new)
    }

    #[allow(clippy::wildcard_enum_match_arm)] // libp2p's event is non-exhaustive
    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            }) => {
                let remote = (endpoint.get_remote_address(), endpoint.to_endpoint());
                self.gater.connected(connection_id, peer_id, remote, self.clock.now());
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) => {
                self.gater.closed(connection_id, peer_id);
            }
            FromSwarm::DialFailure(DialFailure { connection_id, .. })
            | FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) => {
                self.gater.handshake_ended(connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        // Stale connections are added during the swarm's own poll, which polls this behaviour once more
        // before it ends.
        self.gater.take_stale().map_or(Poll::Pending, |(peer_id, connection)| {
            let connection = CloseConnection::One(connection);
            Poll::Ready(ToSwarm::CloseConnection { peer_id, connection })
        })
    }
}
