//! [`NetworkEvent`]: what the network task reports to the rest of the program.
//!
//! Blocks are never dropped: while they are not received, frames wait to be judged, and when that queue is
//! full further frames are ignored. Every other event is dropped, and counted, if there is no room for it.

use super::counters::Counters;
use crate::{Envelope, Refusal, RefusalVerdict, Topic, ValidBlock};
use libp2p::{Multiaddr, PeerId};
use std::{sync::Arc, time::Instant};
use tokio::sync::mpsc;

/// Something that happened on the network. Comes out of the receiver that
/// [`Network::new`](crate::Network::new) returns.
#[derive(Clone, Debug)]
pub enum NetworkEvent {
    /// A valid block arrived. It has been passed on to the mesh.
    Block {
        /// The block.
        block: ValidBlock,
        /// The peer that sent it.
        from: PeerId,
        /// When its frame arrived.
        at: Instant,
    },
    /// A frame was refused.
    Refused {
        /// The topic that it was received on.
        topic: Topic,
        /// Whether it was ignored or rejected.
        verdict: RefusalVerdict,
        /// The rule that it broke, and what is known of it.
        refusal: Refusal,
        /// The peer that sent it.
        from: PeerId,
    },
    /// A missed block was fetched by number. It has no signature: it hashes to the parent hash of a signed
    /// block, or of one that was fetched in this way before it.
    Filled {
        /// The block.
        envelope: Box<Envelope>,
        /// The peer that sent it.
        from: PeerId,
    },
    /// A peer connected.
    PeerConnected {
        /// The peer.
        peer_id: PeerId,
        /// The remote address of the connection.
        addr: Multiaddr,
    },
    /// The last connection of a peer closed.
    PeerDisconnected {
        /// The peer.
        peer_id: PeerId,
    },
}

/// The sending half of the events.
#[derive(Clone, Debug)]
pub(super) struct Events {
    sender: mpsc::Sender<NetworkEvent>,
    counters: Arc<Counters>,
}

impl Events {
    pub(super) const fn new(sender: mpsc::Sender<NetworkEvent>, counters: Arc<Counters>) -> Self {
        Self { sender, counters }
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Sends an event once there is room. Without a receiver the node still relays.
    pub(super) async fn deliver(&self, event: NetworkEvent) {
        if self.sender.send(event).await.is_err() {
            self.counters.events_dropped.increment();
        }
    }

    /// Sends an event, or drops it if there is no room.
    pub(super) fn offer(&self, event: NetworkEvent) {
        if self.sender.try_send(event).is_err() {
            self.counters.events_dropped.increment();
        }
    }
}
