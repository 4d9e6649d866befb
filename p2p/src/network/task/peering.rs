//! Which peers the network task dials, disconnects, scores and stores.

use super::Network;
use crate::network::{discovery::DiscoveredNode, gating::PeerValue};
use libp2p::{
    Multiaddr, PeerId,
    swarm::dial_opts::{DialOpts, PeerCondition},
};
use std::{collections::BTreeSet, num::NonZeroU8, sync::atomic::Ordering, time::Instant};

/// How many addresses of one peer are dialled at once. An address that does not answer must not delay the
/// others.
const ADDRS_AT_ONCE: NonZeroU8 = match NonZeroU8::new(16) {
    Some(count) => count,
    None => NonZeroU8::MIN,
};
/// How many known peers are dialled in one round: op-node's workers.
const DIALS_PER_ROUND: usize = 4;

impl Network {
    /// Dials the static peers that are due, where they are configured to be and where they were found
    /// besides: the configured address may be stale.
    pub(super) fn dial_static(&mut self) {
        for (peer_id, mut addrs) in self.static_peers.take_due(Instant::now()) {
            addrs.extend(self.book.addrs_besides(&peer_id, &addrs));
            if !self.dial(peer_id, addrs) {
                self.on_unreached(&peer_id);
            }
        }
    }

    /// Dials peers that are known, as long as there are fewer than
    /// [`GaterLimits::peers_low`](crate::GaterLimits).
    pub(super) fn dial_known(&mut self) {
        let now = self.clock.now();
        let subscribed = self.subscribed();
        let gater = self.swarm.behaviour().gater.gater();
        if !gater.wants_peers(now, |peer_id| subscribed.contains(peer_id)) {
            return;
        }
        let local = *self.swarm.local_peer_id();
        let admits = |peer_id: &PeerId, addr: &Multiaddr| {
            *peer_id != local
                && gater.block_list().check_peer(*peer_id, now).is_ok()
                && gater.block_list().check_multiaddr(addr).is_ok()
        };
        for (peer_id, addrs) in self.book.take_dial_candidates(DIALS_PER_ROUND, now, admits) {
            self.dial(peer_id, addrs);
        }
    }

    /// Adds the nodes that discovery found to the peer book.
    pub(super) fn on_discovered(&mut self, nodes: Vec<DiscoveredNode>) {
        let (now, local) = (self.clock.now(), *self.swarm.local_peer_id());
        for node in nodes.into_iter().filter(|node| node.peer_id != local) {
            self.book.discovered(node, now);
        }
        self.dial_known();
    }

    /// Dials a peer at its addresses that are not blocked. Whether a dial began.
    pub(super) fn dial(&mut self, peer_id: PeerId, mut addrs: Vec<Multiaddr>) -> bool {
        let block_list = self.swarm.behaviour().gater.gater().block_list();
        addrs.retain(|addr| block_list.check_multiaddr(addr).is_ok());
        let options = DialOpts::peer_id(peer_id)
            .addresses(addrs)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .override_dial_concurrency_factor(ADDRS_AT_ONCE)
            .build();
        let dialled = self.swarm.dial(options);
        dialled.inspect_err(|error| tracing::debug!(%peer_id, %error, "peer not dialled")).is_ok()
    }

    pub(super) fn on_unreached(&mut self, peer_id: &PeerId) {
        if self.swarm.is_connected(peer_id) {
            self.static_peers.connected(peer_id, Instant::now());
        } else {
            self.static_peers.lost(peer_id, Instant::now());
        }
    }

    /// Disconnects the peers that the gater no longer wants. The gater bans those whose score is too low.
    pub(super) fn review_peers(&mut self) {
        let (now, subscribed) = (self.clock.now(), self.subscribed());
        let is_subscribed = |peer_id: &PeerId| subscribed.contains(peer_id);
        let behaviour = self.swarm.behaviour_mut();
        let gossip = &behaviour.gossip;
        let value_of = |peer_id: &PeerId| PeerValue {
            score: gossip.peer_score(peer_id).unwrap_or_default(),
            is_subscribed: is_subscribed(peer_id),
        };
        let leaving = behaviour.gater.gater_mut().review_peers(now, value_of);
        self.events.counters().banned.raise_to(behaviour.gater.gater().banned());
        let wants_peers = behaviour.gater.gater().wants_peers(now, is_subscribed);
        self.wants_peers.send_if_modified(|wanted| core::mem::replace(wanted, wants_peers) != wants_peers);
        for peer_id in leaving {
            tracing::debug!(chain_id = %self.chain_id, %peer_id, "peer disconnected by this node");
            // A peer that has disconnected already needs nothing.
            let _disconnected = self.swarm.disconnect_peer_id(peer_id);
        }
    }

    /// Publishes how many peers are subscribed to any of our topics.
    pub(super) fn update_subscriber_count(&self) {
        let count = self.subscribed().len();
        self.subscribers.send_if_modified(|last| core::mem::replace(last, count) != count);
    }

    /// The peers that are subscribed to any of our topics.
    fn subscribed(&self) -> BTreeSet<PeerId> {
        let peers = self.swarm.behaviour().gossip.all_peers();
        peers.filter(|(_, topics)| !topics.is_empty()).map(|(peer_id, _)| *peer_id).collect()
    }

    pub(super) fn decay_scores(&mut self) {
        let now = Instant::now();
        let passed = now.saturating_duration_since(core::mem::replace(&mut self.last_decay, now));
        for (peer_id, score) in self.scores.decay(passed) {
            self.swarm.behaviour_mut().gossip.set_application_score(&peer_id, score);
        }
    }

    /// Stores the known peers in the background: a slow or full disk delays nothing else.
    pub(super) fn store_peers(&mut self) {
        let (Some(file), chain_id) = (self.file.clone(), self.chain_id) else { return };
        while self.storing.try_join_next().is_some() {}
        if !self.storing.is_empty() {
            tracing::warn!(%chain_id, "storing known peers is slow; check the disk");
            return;
        }
        let block_list = self.swarm.behaviour().gater.gater().block_list();
        let contents = file.render(self.book.known(), block_list, self.record_seq.load(Ordering::Relaxed));
        self.storing.spawn_blocking(move || {
            if let Err(error) = file.store(&contents) {
                tracing::warn!(%chain_id, %error, "known peers could not be stored; check the disk");
            }
        });
    }

    /// Stores the known peers, and waits until they are written.
    pub(super) async fn store_peers_on_shutdown(&mut self) {
        while self.storing.join_next().await.is_some() {}
        self.store_peers();
        while self.storing.join_next().await.is_some() {}
    }
}
