//! Who the network task dials, lets go, scores and remembers.

use super::Network;
use crate::network::{PeerFileError, discovery::Found, peers::PeerFile};
use libp2p::{
    Multiaddr, PeerId,
    swarm::dial_opts::{DialOpts, PeerCondition},
};
use std::time::Instant;
use tokio::task::JoinError;

/// How many known peers are dialled in one round: op-node's workers.
const DIALS_PER_ROUND: usize = 4;

impl Network {
    pub(super) fn dial_static(&mut self) {
        for (peer_id, addrs) in self.static_peers.take_due(Instant::now()) {
            if !self.dial(peer_id, addrs) {
                self.on_unreached(&peer_id);
            }
        }
    }

    /// Dials peers that are known, as long as there are fewer than the low tide.
    pub(super) fn dial_known(&mut self) {
        let now = self.clock.now();
        let gater = self.swarm.behaviour().gater.gater();
        if !gater.wants_peers() {
            return;
        }
        let local = *self.swarm.local_peer_id();
        let admits = |peer_id: &PeerId, addr: &Multiaddr| {
            *peer_id != local
                && gater.gates().check_peer(*peer_id, now).is_ok()
                && gater.gates().check_multiaddr(addr).is_ok()
        };
        for (peer_id, addrs) in self.book.take_candidates(DIALS_PER_ROUND, now, admits) {
            self.dial(peer_id, addrs);
        }
    }

    /// Takes note of nodes that discovery found.
    pub(super) fn on_found(&mut self, found: Vec<Found>) {
        let (now, local) = (self.clock.now(), *self.swarm.local_peer_id());
        for found in found.into_iter().filter(|found| found.peer_id != local) {
            self.book.discovered(found, now);
        }
        self.dial_known();
    }

    /// Whether a dial began. Addresses that are shut out are left out.
    pub(super) fn dial(&mut self, peer_id: PeerId, mut addrs: Vec<Multiaddr>) -> bool {
        let gates = self.swarm.behaviour().gater.gater().gates();
        addrs.retain(|addr| gates.check_multiaddr(addr).is_ok());
        let options = DialOpts::peer_id(peer_id)
            .addresses(addrs)
            .condition(PeerCondition::DisconnectedAndNotDialing)
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

    /// Bans, and lets go of whom the gater does not want.
    pub(super) fn survey(&mut self) {
        let now = self.clock.now();
        let behaviour = self.swarm.behaviour_mut();
        let gossip = &behaviour.gossip;
        let score = |peer_id: &PeerId| gossip.peer_score(peer_id).unwrap_or_default();
        let leaving = behaviour.gater.gater_mut().survey(now, score);
        self.events.counters().banned.raise(behaviour.gater.gater().banned());
        let wants_peers = behaviour.gater.gater().wants_peers();
        self.wants_peers.send_if_modified(|wanted| core::mem::replace(wanted, wants_peers) != wants_peers);
        for peer_id in leaving {
            tracing::debug!(%peer_id, "peer let go");
            // Gone already: then there is nothing to close.
            let _gone = self.swarm.disconnect_peer_id(peer_id);
        }
    }

    pub(super) fn decay_scores(&mut self) {
        for (peer_id, score) in self.scores.decay() {
            self.swarm.behaviour_mut().gossip.set_application_score(&peer_id, score);
        }
    }

    /// Begins to write down who is known, unless that is still going on.
    pub(super) fn store_peers(&mut self) {
        let Some(file) = self.file.clone().filter(|_| self.storing.is_empty()) else { return };
        let gates = self.swarm.behaviour().gater.gater().gates();
        let contents = PeerFile::render(self.book.known(), gates);
        self.storing.spawn_blocking(move || file.store(&contents));
    }

    /// Writes down who is known, and waits until that is done.
    pub(super) async fn finish_storing(&mut self) {
        while let Some(stored) = self.storing.join_next().await {
            self.on_stored(stored);
        }
        self.store_peers();
        if let Some(stored) = self.storing.join_next().await {
            self.on_stored(stored);
        }
    }

    /// A disk that is full is no reason to stop.
    pub(super) fn on_stored(&self, stored: Result<Result<(), PeerFileError>, JoinError>) {
        match stored {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(chain_id = %self.chain_id, %error, "known peers are not written down");
            }
            Err(error) => {
                tracing::error!(chain_id = %self.chain_id, %error, "writing known peers was cut off");
            }
        }
    }
}
