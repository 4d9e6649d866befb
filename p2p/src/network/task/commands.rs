//! How the network task carries out the commands of its handle.

use super::Network;
use crate::{
    GossipMessageId, MAX_FRAME_BYTES, Topic, message_id,
    network::{
        ConnectError, GateCommand, GateError, OwnInfo, PeerInfo, PublishError,
        behaviour::{PROTOCOL_VERSION, topic_hash},
        handle::Command,
        peer_info::node_id,
        sync::protocol_ids,
    },
};
use alloy_primitives::Bytes;
use libp2p::{Multiaddr, PeerId, gossipsub, multiaddr::Protocol, swarm::DialError};
use std::collections::BTreeMap;
use tokio::sync::oneshot;

/// How many callers may wait for a connection.
const MAX_CONNECTING: usize = 64;

/// Callers that wait until a connection is established.
#[derive(Debug, Default)]
pub(super) struct PendingConnects {
    waiting: BTreeMap<PeerId, oneshot::Sender<Result<(), ConnectError>>>,
}

impl PendingConnects {
    pub(super) fn connected(&mut self, peer_id: &PeerId) {
        self.answer(peer_id, Ok(()));
    }

    pub(super) fn failed(&mut self, peer_id: &PeerId, error: &DialError) {
        let detail = error.to_string();
        self.answer(peer_id, Err(ConnectError::Unreachable { peer_id: *peer_id, detail }));
    }

    fn answer(&mut self, peer_id: &PeerId, result: Result<(), ConnectError>) {
        if let Some(reply) = self.waiting.remove(peer_id) {
            // A caller that no longer waits for its answer needs none.
            drop(reply.send(result));
        }
    }
}

impl Network {
    pub(super) fn on_command(&mut self, command: Command) {
        // A caller that no longer waits for its answer needs none.
        match command {
            Command::Publish { topic, frame, reply } => drop(reply.send(self.publish(topic, &frame))),
            Command::Peers { known, reply } => drop(reply.send(self.peers(known))),
            Command::Own { reply } => drop(reply.send(self.own())),
            Command::Gate { command, reply } => drop(reply.send(self.gate(command))),
            Command::BlockList { reply } => {
                drop(reply.send(self.swarm.behaviour().gater.gater().block_list().clone()));
            }
            Command::Connect { addr, reply } => self.connect(&addr, reply),
            Command::Disconnect { peer_id, reply } => {
                let _unheard = reply.send(self.swarm.disconnect_peer_id(peer_id).is_ok());
            }
        }
    }

    fn publish(&mut self, topic: Topic, frame: &Bytes) -> Result<GossipMessageId, PublishError> {
        let message_id = message_id(&topic.path(self.chain_id), frame);
        let hash = topic_hash(topic, self.chain_id);
        match self.swarm.behaviour_mut().gossip.publish(hash, frame.to_vec()) {
            Ok(_) => Ok(message_id),
            Err(error) => Err(publish_error(error, topic, message_id, frame.len())),
        }
    }

    /// The connected peers, or all known ones.
    fn peers(&self, known: bool) -> Vec<PeerInfo> {
        if known {
            return self.book.known().keys().map(|peer_id| self.peer(*peer_id)).collect();
        }
        self.book.live().keys().map(|peer_id| self.peer(*peer_id)).collect()
    }

    fn own(&self) -> OwnInfo {
        let peer_id = *self.swarm.local_peer_id();
        OwnInfo {
            peer_id,
            node_id: node_id(&peer_id),
            chain_id: self.chain_id,
            agent: self.agent.clone(),
            protocol_version: PROTOCOL_VERSION.to_owned(),
            protocols: protocol_ids(self.chain_id).into(),
        }
    }

    fn peer(&self, peer_id: PeerId) -> PeerInfo {
        let behaviour = self.swarm.behaviour();
        let gossip = &behaviour.gossip;
        let which = |holds: &dyn Fn(&gossipsub::TopicHash) -> bool| {
            let holds = |topic: &Topic| holds(&topic_hash(*topic, self.chain_id));
            Topic::ALL.into_iter().filter(holds).collect::<Vec<_>>()
        };
        let subscribed = gossip.all_peers().find(|(peer, _)| **peer == peer_id);
        let subscribed = subscribed.map(|(_, topics)| topics).unwrap_or_default();
        let live = self.book.live().get(&peer_id);
        PeerInfo {
            peer_id,
            node_id: node_id(&peer_id),
            addr: live.map(|live| live.addr.clone()),
            direction: live.map(|live| live.direction),
            topics: which(&|hash| subscribed.contains(&hash)),
            mesh: which(&|hash| gossip.mesh_peers(hash).any(|peer| *peer == peer_id)),
            known: self.book.known().get(&peer_id).cloned().unwrap_or_default(),
            latency: live.and_then(|live| live.latency),
            score: gossip.peer_score(&peer_id).unwrap_or_default(),
            application_score: self.scores.score(&peer_id),
            score_inputs: self.scores.score_inputs(&peer_id),
            protected: behaviour.gater.gater().is_exempt(&peer_id),
        }
    }

    fn gate(&mut self, command: GateCommand) -> Result<(), GateError> {
        let gater = self.swarm.behaviour_mut().gater.gater_mut();
        match command {
            GateCommand::BlockPeer(peer_id) => gater.block_list_mut().block_peer(peer_id)?,
            GateCommand::UnblockPeer(peer_id) => {
                gater.block_list_mut().peers.remove(&peer_id);
                gater.block_list_mut().bans.remove(&peer_id);
            }
            GateCommand::BlockAddr(addr) => gater.block_list_mut().block_addr(addr)?,
            GateCommand::UnblockAddr(addr) => gater.block_list_mut().unblock_addr(addr),
            GateCommand::BlockSubnet(subnet) => gater.block_list_mut().block_subnet(subnet)?,
            GateCommand::UnblockSubnet(subnet) => gater.block_list_mut().unblock_subnet(subnet),
            GateCommand::Protect(peer_id) => gater.protect(peer_id, true)?,
            GateCommand::Unprotect(peer_id) => gater.protect(peer_id, false)?,
        }
        self.review_peers();
        Ok(())
    }

    fn is_blocked(&self, peer_id: PeerId) -> bool {
        let gater = self.swarm.behaviour().gater.gater();
        gater.block_list().check_peer(peer_id, self.clock.now()).is_err() && !gater.is_exempt(&peer_id)
    }

    fn connect(&mut self, addr: &Multiaddr, reply: oneshot::Sender<Result<(), ConnectError>>) {
        let refused = match addr.iter().last() {
            // A connection of a peer that was just blocked may still be closing.
            Some(Protocol::P2p(peer_id)) if self.is_blocked(peer_id) => {
                Err(ConnectError::NotDialled { peer_id, addr: addr.clone() })
            }
            Some(Protocol::P2p(peer_id)) if self.swarm.is_connected(&peer_id) => Ok(()),
            Some(Protocol::P2p(_)) if self.pending_connects.waiting.len() >= MAX_CONNECTING => {
                Err(ConnectError::TooMany { limit: MAX_CONNECTING })
            }
            Some(Protocol::P2p(peer_id)) if self.dial(peer_id, vec![addr.clone()]) => {
                self.pending_connects.waiting.insert(peer_id, reply);
                return;
            }
            Some(Protocol::P2p(peer_id)) => Err(ConnectError::NotDialled { peer_id, addr: addr.clone() }),
            _ => Err(ConnectError::NoPeerId { addr: addr.clone() }),
        };
        drop(reply.send(refused));
    }
}

fn publish_error(
    error: gossipsub::PublishError,
    topic: Topic,
    message_id: GossipMessageId,
    size: usize,
) -> PublishError {
    match error {
        gossipsub::PublishError::NoPeersSubscribedToTopic => PublishError::NoPeers { topic },
        gossipsub::PublishError::Duplicate => PublishError::Duplicate { topic, message_id },
        gossipsub::PublishError::MessageTooLarge => PublishError::TooLarge { size, limit: MAX_FRAME_BYTES },
        gossipsub::PublishError::AllQueuesFull(peers) => PublishError::QueuesFull { topic, peers },
        error @ (gossipsub::PublishError::SigningError(_) | gossipsub::PublishError::TransformFailed(_)) => {
            PublishError::Refused { topic, detail: error.to_string() }
        }
    }
}
