//! [`NetworkEvent`]: what the network task tells the rest of the program.
//!
//! Blocks are never dropped: while nobody takes them, frames wait for judgement, and when that queue is full
//! they are ignored. Everything else is dropped, and counted, when nobody takes it.

use super::counters::Counters;
use crate::{Envelope, Refusal, RefusalVerdict, Topic, ValidBlock};
use libp2p::{Multiaddr, PeerId};
use std::{sync::Arc, time::Instant};
use tokio::sync::mpsc;

/// Something that happened on the network.
#[derive(Clone, Debug)]
pub enum NetworkEvent {
    /// A valid block arrived. Peers have been told that it may be passed on.
    Block {
        /// The block.
        block: ValidBlock,
        /// Who sent it.
        from: PeerId,
        /// When its frame arrived.
        at: Instant,
    },
    /// A frame was refused.
    Refused {
        /// The topic that it was heard on.
        topic: Topic,
        /// How.
        verdict: RefusalVerdict,
        /// Why.
        refusal: Refusal,
        /// Who sent it.
        from: PeerId,
    },
    /// A block that was missed has been filled in. It is the ancestor, by its hash, of one that was signed.
    Filled {
        /// The block.
        envelope: Box<Envelope>,
        /// Who sent it.
        from: PeerId,
    },
    /// The first connection to a peer stands.
    PeerConnected {
        /// The peer.
        peer_id: PeerId,
        /// Where it was reached, or reached us from.
        addr: Multiaddr,
    },
    /// The last connection to a peer closed.
    PeerDisconnected {
        /// The peer.
        peer_id: PeerId,
    },
}

/// Where events go.
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

    /// Waits until there is room. A program that no longer listens keeps the node relaying.
    pub(super) async fn deliver(&self, event: NetworkEvent) {
        if self.sender.send(event).await.is_err() {
            self.counters.events_dropped.increment();
        }
    }

    /// Drops the event if there is no room.
    pub(super) fn offer(&self, event: NetworkEvent) {
        if self.sender.try_send(event).is_err() {
            self.counters.events_dropped.increment();
        }
    }
}
